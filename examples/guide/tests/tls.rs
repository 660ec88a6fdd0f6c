//! The chapter on TLS and identity.

use rpcnet::{
    Channel, Reason,
    prelude::*,
    transport::tls::{Tls, development::Authority},
};

use rpcnet_cluster::{ClusterMembership, LoadBalancing, ResilientClient, Security, WorkerRegistry};

/// A directory of a test, gone with it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("rpcnet-guide-{}", Uuid::new_v4()));
        std::fs::create_dir(&path).expect("there is room");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

// ANCHOR: trait
#[rpc_trait]
trait Bank {
    #[rpc(read)]
    async fn balance(&self, ctx: Context, account: String) -> rpcnet::Result<String>;
    async fn close(&self, ctx: Context, account: String) -> rpcnet::Result<()>;
}

struct Vault;

impl Bank for Vault {
    async fn balance(&self, ctx: Context, account: String) -> rpcnet::Result<String> {
        let who = ctx.identity().map_or("somebody", |identity| identity.as_str());
        Ok(format!("{who} asks for {account}"))
    }

    async fn close(&self, _ctx: Context, _account: String) -> rpcnet::Result<()> {
        Ok(())
    }
}
// ANCHOR_END: trait

#[tokio::test]
async fn one_line_for_development() -> rpcnet::Result<()> {
    let folder = Folder::new();
    let folder = folder.0.join("certificates");
    // ANCHOR: development
    let tls = Tls::development(&folder)?;
    let server = Server::builder().service(BankServer::new(Vault)).transport(tls).bind("127.0.0.1:0").await?;
    let address = server.local_addr();
    tokio::spawn(server.serve());

    // In another process, with the same directory:
    let tls = Tls::development(&folder)?;
    let bank = BankClient::new(Channel::builder(address).transport(tls).connect().await?);
    assert_eq!(bank.balance("7".into()).await?, "localhost asks for 7");
    // ANCHOR_END: development
    Ok(())
}

#[tokio::test]
async fn who_may_call_what() -> rpcnet::Result<()> {
    let folder = Folder::new();
    let file = |name: &str| folder.0.join(name);
    let authority = Authority::new()?;
    let write = |name: &str, pem: &rpcnet::transport::tls::Pem| {
        std::fs::write(file(name), pem.to_vec()?).map_err(AppError::from)
    };
    for (name, identity) in
        [("bank", "spiffe://prod/bank"), ("web", "spiffe://prod/web/7"), ("ops", "spiffe://prod/ops")]
    {
        let own = authority.issue([identity, "localhost"])?;
        write(&format!("{name}.crt"), &own.chain)?;
        write(&format!("{name}.key"), &own.key)?;
    }
    write("ca.crt", &authority.roots())?;

    // ANCHOR: allow
    let tls = Tls::mutual(file("bank.crt"), file("bank.key"), file("ca.crt"))?;
    let server = Server::builder()
        .service(BankServer::new(Vault))
        .allow("Bank/*", ["spiffe://prod/*"])
        .allow("Bank/close", ["spiffe://prod/ops"])
        .transport(tls)
        .bind("127.0.0.1:0")
        .await?;
    // ANCHOR_END: allow
    let address = server.local_addr();
    tokio::spawn(server.serve());

    // ANCHOR: servers
    let tls = Tls::builder()
        .certificate(file("web.crt"), file("web.key"))
        .roots(file("ca.crt"))
        .servers("spiffe://prod/bank".parse()?)
        .build()?;
    let bank = BankClient::new(Channel::builder(address).transport(tls).connect().await?);
    assert_eq!(bank.balance("7".into()).await?, "spiffe://prod/web/7 asks for 7");
    let error = bank.close("7".into()).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::PermissionDenied), Executed::No));
    // ANCHOR_END: servers

    // ANCHOR: status
    let tls = Tls::mutual(file("ops.crt"), file("ops.key"), file("ca.crt"))?;
    let status = tls.status();
    let left = status.borrow().expires_in();
    assert!(left.is_some_and(|left| left.as_secs() > 86_400));
    // ANCHOR_END: status
    Ok(())
}

#[tokio::test]
async fn a_cluster_by_one_file() -> rpcnet::Result<()> {
    let folder = Folder::new();
    let authority = Authority::new()?;
    let own = authority.issue(["spiffe://prod/bank"])?;
    for (name, bytes) in [
        ("tls.crt", own.chain.to_vec()?),
        ("tls.key", own.key.to_vec()?),
        ("ca.crt", authority.roots().to_vec()?),
        ("gossip.keys", "5e".repeat(32).into_bytes()),
        ("security.toml", include_bytes!("../security.toml").to_vec()),
    ] {
        std::fs::write(folder.0.join(name), bytes)?;
    }
    let file = folder.0.join("security.toml");

    // ANCHOR: cluster
    let security = Security::from_file(file)?;
    let server = Server::builder().service(BankServer::new(Vault)).transport(security.tls());
    let server = server.bind("127.0.0.1:0").await?;
    let node = ClusterMembership::builder()
        .bind("127.0.0.1:0")
        .security(&security)
        .tag("role", "bank")
        .advertise(server.local_addr())
        .join()
        .await?;
    // ANCHOR_END: cluster
    tokio::spawn(server.serve());

    let registry = WorkerRegistry::new(&node, LoadBalancing::RoundRobin);
    let bank = BankClient::new(ResilientClient::new(registry).select("role=bank"));
    assert_eq!(bank.balance("7".into()).await?, "spiffe://prod/bank asks for 7");
    Ok(())
}

#[test]
fn the_errors_in_the_chapter_are_those_of_the_code() {
    let chapter = include_str!("../../../book/src/guide/tls.md");
    let code = concat!(
        include_str!("../../../rpcnet/src/transport/tls/error.rs"),
        include_str!("../../../rpcnet/src/transport/tls/verify.rs"),
    );
    let quoted: Vec<_> =
        chapter.lines().filter_map(|line| line.strip_prefix("| \"")?.split_once('"')).collect();
    assert!(quoted.len() > 5, "the table is there");
    for (message, _) in quoted {
        assert!(code.contains(message), "no such message: {message}");
    }
}
