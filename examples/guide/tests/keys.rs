//! The chapter on gossip keys: joining with one, and changing it.

use std::path::Path;

use rpcnet_cluster::{ClusterMembership, JoinError, Key, KeyError, Keyring};

// ANCHOR: join
/// Starts a node on whatever network this host is on.
async fn start(keys: &Path, seeds: &[String]) -> Result<ClusterMembership, Box<dyn std::error::Error>> {
    let keyring = Keyring::from_file(keys)?;
    let node = ClusterMembership::builder()
        .bind("0.0.0.0:0")
        .reachable_at("127.0.0.1".parse()?) // this host's own address
        .seeds(seeds)
        .keyring(keyring)
        .join()
        .await?;
    Ok(node)
}
// ANCHOR_END: join

// ANCHOR: rotate
/// What every node does in step 1, with the same new key.
fn learn(keyring: &Keyring, new: &str) -> Result<(), KeyError> {
    keyring.add(new.parse()?)
}

/// Step 2.
fn change(keyring: &Keyring, new: &str) -> Result<(), KeyError> {
    let new: Key = new.parse()?;
    keyring.use_primary(new.id())
}

/// Step 3.
fn forget(keyring: &Keyring) -> Result<(), KeyError> {
    let primary = keyring.primary();
    keyring.keys().into_iter().filter(|key| *key != primary).try_for_each(|key| keyring.remove(key))
}
// ANCHOR_END: rotate

const OLD: &str = "c5e1a9d0b3f24e6c8a7d5b1f0e9c3a2d4b6f8e0a1c3d5e7f9b0a2c4d6e8f1a3b";
const NEW: &str = "1f8b3c5d7e9a0b2c4d6e8f0a1b3c5d7e9f1a2b4c6d8e0f2a3b5c7d9e1f3a4b6c";

#[tokio::test]
async fn nodes_that_read_the_same_file_find_each_other() -> Result<(), Box<dyn std::error::Error>> {
    let keys = std::env::temp_dir().join(format!("rpcnet-guide-keys-{}", std::process::id()));
    std::fs::write(&keys, format!("# since May\n{OLD}\n"))?;
    let first = start(&keys, &[]).await?;
    let second = start(&keys, &[first.local_addr().to_string()]).await?;
    std::fs::remove_file(&keys)?;
    second.joined().await;
    assert_eq!(second.visible_nodes().await.len(), 2);
    Ok(())
}

#[test]
fn a_key_is_changed_in_three_steps() -> Result<(), KeyError> {
    let keyring: Keyring = OLD.parse()?;
    let old = keyring.primary();
    learn(&keyring, NEW)?;
    assert_eq!((keyring.primary(), keyring.keys().len()), (old, 2));
    change(&keyring, NEW)?;
    assert_ne!(keyring.primary(), old);
    forget(&keyring)?;
    assert_eq!(keyring.keys(), [keyring.primary()]);
    Ok(())
}

#[tokio::test]
async fn without_a_key_a_node_stays_on_the_loopback_and_says_what_to_do() {
    let error = ClusterMembership::builder().bind("0.0.0.0:0").join().await.unwrap_err();
    assert!(matches!(error, JoinError::Plaintext { .. }));
    assert!(error.to_string().contains("keyring("), "{error}");
}

#[test]
fn the_chapter_quotes_what_the_log_says() {
    use rpcnet_cluster::membership::{StreamFailure, Unreadable};

    let chapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src/guide/cluster-keys.md");
    let chapter = std::fs::read_to_string(chapter).unwrap();
    let unreadable = [Unreadable::UnknownKey, Unreadable::OtherCluster, Unreadable::Sealed];
    for failure in unreadable.map(StreamFailure::Unreadable).into_iter().chain([StreamFailure::Unreachable]) {
        assert!(chapter.contains(&format!("| `{failure}` |")), "{failure}");
    }
}
