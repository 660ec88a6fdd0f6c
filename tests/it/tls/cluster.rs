//! A cluster that one file secures: certificates for its calls, keys for its gossip.

use rpcnet_cluster::{
    ClusterMembership, ClusterMembershipBuilder, Key, Keyring, LoadBalancing, ResilientClient, Security,
    SecurityError, WorkerRegistry,
};

use super::*;

/// What a node of a host would read from its file, on the network in memory.
fn security(realm: &Realm, host: u8, identity: &str) -> Security {
    let tls = realm.end(host, &[identity]).servers("spiffe://prod/*".parse().unwrap()).build().unwrap();
    Security::new(tls, Keyring::new(Key::from_bytes([7; 32])))
}

fn node(realm: &Realm, host: u8, security: &Security) -> ClusterMembershipBuilder {
    let place = realm.network.host([10, 0, 0, host]);
    ClusterMembership::builder()
        .memory_host(place)
        .bind("0.0.0.0:7946")
        .seeds(["10.0.0.1:7946"])
        .security(security)
}

#[tokio::test(start_paused = true)]
async fn a_call_through_the_cluster_is_encrypted_and_its_caller_known() {
    let realm = Realm::new();
    let worker = security(&realm, 1, "spiffe://prod/worker");
    let server = Server::builder().service(DoorServer::new(Porter)).allow("Door/*", ["spiffe://prod/web"]);
    let server = server.transport(worker.tls()).bind("10.0.0.1:0").await.unwrap();
    let addr = server.local_addr();
    let _node = node(&realm, 1, &worker).advertise(addr).tag("role", "worker").join().await.unwrap();
    let _serving = tokio::spawn(server.serve());

    let web = security(&realm, 2, "spiffe://prod/web");
    let member = node(&realm, 2, &web).join().await.unwrap();
    let registry = WorkerRegistry::new(&member, LoadBalancing::RoundRobin);
    let door = DoorClient::new(ResilientClient::new(registry).select("role=worker"));
    assert_eq!(door.knock().await.unwrap(), "spiffe://prod/web");

    // Whoever has no certificate does not get in, whatever it knows of the gossip.
    let plain = Channel::builder(addr).transport(realm.network.host([10, 0, 0, 3])).connect().await;
    assert!(plain.is_err());
}

struct Files(std::path::PathBuf);

impl Files {
    fn new(authority: &Authority) -> Self {
        let folder = std::env::temp_dir().join(format!("rpcnet-security-{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let files = Self(folder);
        let own = authority.issue(["spiffe://prod/x"]).unwrap();
        files.write("tls.crt", &text(&own.chain));
        files.write("tls.key", &text(&own.key));
        files.write("ca.crt", &text(&authority.roots()));
        files.write("gossip.keys", "11".repeat(32).as_bytes());
        files.write(
            "security.toml",
            b"[tls]\ncertificate = 'tls.crt'\nkey = 'tls.key'\nroots = 'ca.crt'\nservers = ['spiffe://prod/*']\n\
              [gossip]\nkeys = 'gossip.keys'\n",
        );
        files
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        replace(&self.0.join(name), bytes);
    }

    fn read(&self) -> Result<Security, SecurityError> {
        Security::from_file(self.0.join("security.toml"))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn one_file_leads_to_all_others_and_they_are_read_again() {
    let authority = Authority::new().unwrap();
    let files = Files::new(&authority);
    let security = files.read().unwrap();
    assert_eq!(security.tls().identity().unwrap().as_str(), "spiffe://prod/x");
    let (keyring, old) = (security.keyring(), security.keyring().primary());
    assert!(!security.reload().unwrap());

    files.write("gossip.keys", format!("{}\n{}\n", "22".repeat(32), "11".repeat(32)).as_bytes());
    assert!(security.reload().unwrap());
    assert_ne!(keyring.primary(), old);
    assert_eq!(keyring.keys().last(), Some(&old), "the node's own keyring has changed");

    files.write("gossip.keys", b"nonsense");
    let error = security.reload().unwrap_err().to_string();
    assert!(error.contains("gossip.keys") && error.contains("line 1 is no key"), "{error}");
    assert_eq!(keyring.keys().len(), 2, "what was there before still is");

    files.write("gossip.keys", "22".repeat(32).as_bytes());
    assert!(security.reload().unwrap());
    assert_eq!(keyring.keys().len(), 1);
    let renewed = authority.issue(["spiffe://prod/y"]).unwrap();
    files.write("tls.crt", &text(&renewed.chain));
    files.write("tls.key", &text(&renewed.key));
    assert!(security.reload().unwrap());
    assert_eq!(security.tls().identity().unwrap().as_str(), "spiffe://prod/y");
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_place() {
    let files = Files::new(&Authority::new().unwrap());
    let says = |toml: &str, words: &[&str]| {
        files.write("security.toml", toml.as_bytes());
        let error = files.read().map(drop).unwrap_err().to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "{word}: {error}"));
    };
    let tls = "[tls]\ncertificate = 'tls.crt'\nkey = 'tls.key'\nroots = 'ca.crt'\n";
    says(tls, &["security.toml", "missing field `gossip`"]);
    says(&format!("{tls}root = 'x'\n[gossip]\nkeys = 'gossip.keys'\n"), &["line 5", "unknown field `root`"]);
    says(&format!("{tls}servers = ['*x']\n[gossip]\nkeys = 'gossip.keys'\n"), &["`*x` is no pattern"]);
    says(&format!("{tls}[gossip]\nkeys = 'other.keys'\n"), &["other.keys"]);
    says(
        &format!("{tls}[gossip]\nkeys = 'gossip.keys'\n").replace("tls.key", "gossip.keys"),
        &["holds no private key"],
    );
    std::fs::remove_file(files.0.join("security.toml")).unwrap();
    assert!(files.read().map(drop).unwrap_err().to_string().contains("cannot read"));
}
