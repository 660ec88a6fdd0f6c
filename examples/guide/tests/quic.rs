//! The chapter on QUIC.

use rpcnet::{
    Channel, Server,
    transport::{
        quic::Quic,
        tls::{Tls, development::Authority},
    },
};

#[tokio::test]
async fn a_server_and_a_client() -> Result<(), Box<dyn std::error::Error>> {
    let authority = Authority::new()?;
    let own = authority.issue(["127.0.0.1"])?;
    let tls = Tls::mutual(own.chain, own.key, authority.roots())?;
    // ANCHOR: both
    let server = Server::builder()
        .register("echo", |bytes| async move { Ok(bytes) })
        .transport(Quic::new(tls.clone()))
        .bind("127.0.0.1:0")
        .await?;
    let address = server.local_addr();
    tokio::spawn(server.serve());

    let quic = Quic::new(tls);
    let channel = Channel::builder(address).transport(quic.clone()).connect().await?;
    assert_eq!(channel.call("echo", "hello").await?, "hello");

    // Before the process exits: the server hears that nobody comes any more.
    drop(channel);
    quic.wait_idle().await;
    // ANCHOR_END: both
    Ok(())
}
