//! Claims about what a node remembers over its restarts.

use std::fs;
use std::path::PathBuf;

use uuid::Uuid;

use super::*;
use crate::{Generation, StateError};

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("rpcnet-node-{}", Uuid::new_v4()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("node")
    }

    fn generation(&self) -> u64 {
        let text = fs::read_to_string(self.file()).unwrap();
        text.lines().find_map(|line| line.strip_prefix("generation ")).unwrap().parse().unwrap()
    }

    /// As if the last start had been in the year 2100.
    fn set(&self, id: NodeId, generation: u64) {
        fs::write(self.file(), format!("rpcnet node\nid {id}\ngeneration {generation}\n")).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const YEAR_2100: u64 = 4_102_444_800_000;

async fn generation_of(node: &ClusterMembership, id: NodeId) -> Generation {
    node.visible_nodes().await.into_iter().find(|node| node.id == id).expect("it is there").generation
}

#[tokio::test(start_paused = true)]
async fn a_node_with_a_state_file_is_the_same_node_after_a_restart_and_a_later_start_of_it() {
    let (network, folder) = (MemoryNetwork::new(41), Folder::new());
    let first = node(&network, 1).state_file(folder.file()).join().await.unwrap();
    let id = first.local_node_id();
    let begun = generation_of(&first, id).await;
    assert_eq!(folder.generation(), begun.0, "written before anybody hears of it");
    drop(first);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let again = node(&network, 1).state_file(folder.file()).join().await.unwrap();
    assert_eq!(again.local_node_id(), id);
    assert!(generation_of(&again, id).await > begun);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_is_survived_by_the_file() {
    let (network, folder) = (MemoryNetwork::new(42), Folder::new());
    let other = node(&network, 1).join().await.unwrap();
    let id = NodeId::new(Uuid::from_u128(7));
    folder.set(id, YEAR_2100);
    let start = async || {
        let restarted = node(&network, 2).node_id(id).state_file(folder.file()).join().await.unwrap();
        restarted.joined().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        restarted
    };
    for starts in 1..4 {
        let restarted = start().await;
        assert_eq!(generation_of(&other, id).await, Generation(YEAR_2100 + starts));
        drop(restarted);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_finds_its_generation_taken_remembers_the_one_it_takes_instead() {
    let (network, folder) = (MemoryNetwork::new(43), Folder::new());
    let other = node(&network, 1).join().await.unwrap();
    let id = NodeId::new(Uuid::from_u128(7));
    folder.set(id, YEAR_2100);
    let ahead = node(&network, 2).state_file(folder.file()).join().await.unwrap();
    ahead.joined().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    drop(ahead);
    tokio::time::sleep(Duration::from_millis(100)).await;
    // The file is lost: the node counts from the clock, and is told.
    fs::remove_file(folder.file()).unwrap();
    let restarted = node(&network, 2).node_id(id).state_file(folder.file()).join().await.unwrap();
    assert!(folder.generation() < YEAR_2100);
    let told = async {
        while folder.generation() <= YEAR_2100 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), told).await.expect("told, and remembered");
    assert_eq!(generation_of(&restarted, id).await.0, folder.generation());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(generation_of(&other, id).await.0, folder.generation());
}

#[tokio::test(start_paused = true)]
async fn a_state_file_of_anything_else_is_named_in_the_error_and_left_as_it_is() {
    let (network, folder) = (MemoryNetwork::new(44), Folder::new());
    fs::write(folder.file(), "precious").unwrap();
    let error = node(&network, 1).state_file(folder.file()).join().await.unwrap_err();
    assert!(matches!(&error, JoinError::State { cause: StateError::Foreign, .. }), "{error}");
    assert!(error.to_string().contains(&folder.file().display().to_string()), "{error}");
    assert_eq!(fs::read_to_string(folder.file()).unwrap(), "precious");
    let id = |n| NodeId::new(Uuid::from_u128(n));
    folder.set(id(7), 5);
    let error = node(&network, 1).node_id(id(8)).state_file(folder.file()).join().await.unwrap_err();
    assert!(matches!(&error, JoinError::State { cause: StateError::OfAnother(_), .. }), "{error}");
    assert_eq!(folder.generation(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_takes_nothing_stops_no_node() {
    let (network, folder) = (MemoryNetwork::new(45), Folder::new());
    let id = NodeId::new(Uuid::from_u128(7));
    folder.set(id, YEAR_2100);
    fs::create_dir(folder.0.join("node.new")).unwrap();
    let node = node(&network, 1).state_file(folder.file()).join().await.unwrap();
    assert_eq!(generation_of(&node, id).await, Generation(YEAR_2100 + 1));
    assert_eq!(folder.generation(), YEAR_2100);
}
