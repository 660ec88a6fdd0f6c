//! The chapter on limits, held to the code: what is set, and what the defaults are.

use std::{fs, path::Path, time::Duration};

use rpcnet::{Channel, Limits, Reason, prelude::*};

#[rpc_trait]
trait Echo {
    async fn echo(&self, text: String) -> rpcnet::Result<String>;
}

struct Plain;

impl Echo for Plain {
    async fn echo(&self, text: String) -> rpcnet::Result<String> {
        Ok(text)
    }
}

// ANCHOR: set
#[tokio::test]
async fn a_limit_is_set_at_one_end_and_known_at_the_other() -> rpcnet::Result<()> {
    let mut limits = Limits::default();
    limits.message_bytes_max = 1000;
    let server = Server::builder().service(EchoServer::new(Plain)).limits(limits).bind("127.0.0.1:0").await?;
    let address = server.local_addr();
    tokio::spawn(server.serve());

    let channel = Channel::builder(address).limits(Limits::default()).connect().await?;
    let error = EchoClient::new(channel).echo("x".repeat(2000)).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::MessageTooLarge), Executed::No));
    assert!(error.to_string().contains("Limits::message_bytes_max"));
    Ok(())
}
// ANCHOR_END: set

fn bytes(bytes: usize) -> String {
    match (bytes >> 20, bytes >> 10) {
        (0, kib) => format!("{kib} KiB"),
        (mib, _) => format!("{mib} MiB"),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs())
}

#[test]
fn the_defaults_are_those_of_the_code() {
    let limits = Limits::default();
    let defaults = [
        ("message_bytes_max", bytes(limits.message_bytes_max as usize)),
        ("calls_max", limits.calls_max.to_string()),
        ("streams_max", limits.streams_max.to_string()),
        ("stream_window", bytes(limits.stream_window as usize)),
        ("buffered_bytes_max", bytes(limits.buffered_bytes_max)),
        ("unsent_bytes_max", bytes(limits.unsent_bytes_max)),
        ("queued_bytes_max", bytes(limits.queued_bytes_max)),
        ("handshake_timeout", seconds(limits.handshake_timeout)),
        ("keepalive_interval", seconds(limits.keepalive_interval)),
        ("keepalive_timeout", seconds(limits.keepalive_timeout)),
        ("connections_max", Server::CONNECTIONS_MAX_DEFAULT.to_string()),
        ("running_max", Server::RUNNING_MAX_DEFAULT.to_string()),
        ("queued_max", Server::QUEUED_MAX_DEFAULT.to_string()),
        ("shutdown_timeout", seconds(Server::SHUTDOWN_TIMEOUT_DEFAULT)),
    ];
    let chapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src/guide/limits.md");
    let chapter = fs::read_to_string(chapter).unwrap();
    for (setting, default) in &defaults {
        assert!(chapter.contains(&format!("| `{setting}` | {default} |")), "`{setting}` is {default}");
    }
    let rows = chapter.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, defaults.len(), "a limit is missing in the chapter, or here");
}
