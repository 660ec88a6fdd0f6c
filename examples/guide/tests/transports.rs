//! The chapter on transports.

use std::time::Duration;

use rpcnet::{CallOptions, Channel, Server, transport::memory::MemoryNetwork};

fn echo() -> rpcnet::ServerBuilder {
    Server::builder().register("echo", |bytes| async move { Ok(bytes) })
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket_of_the_host() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("rpcnet-guide-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let path = folder.join("echo.sock");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async move { drop(stopped.await) };
    // ANCHOR: unix
    let server = echo().bind(&path).await?;
    let address = server.address().clone(); // "unix:" and the path
    let serving = tokio::spawn(server.serve_with_shutdown(stopped));
    let channel = Channel::connect(address).await?;
    // ANCHOR_END: unix
    assert_eq!(channel.call("echo", "hello").await?, "hello");
    drop((channel, stop));
    serving.await?;
    std::fs::remove_dir(&folder)?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_network_in_memory() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: memory
    let network = MemoryNetwork::new(7); // the seed of its chances
    let (there, here) = (network.host([10, 0, 0, 1]), network.host([10, 0, 0, 2]));
    let server = echo().transport(there.clone()).bind("10.0.0.1:7000").await?;
    tokio::spawn(server.serve());
    let channel = Channel::builder("10.0.0.1:7000").transport(here.clone()).connect().await?;
    assert_eq!(channel.call("echo", "hello").await?, "hello");

    network.cut(here.ip(), there.ip());
    let late = channel.with(CallOptions::timeout(Duration::from_secs(5))).call("echo", "anybody?").await;
    assert!(late.is_err(), "five seconds of the paused clock: no time at all");
    // ANCHOR_END: memory
    Ok(())
}
