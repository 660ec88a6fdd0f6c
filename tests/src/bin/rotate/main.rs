//! Certificates and roots of a server and its clients, replaced again and again while calls run: `cargo run --release
//! -p rpcnet-tests --bin rotate -- [--rotations 10] [--callers 8]`.
//!
//! Each rotation is a new authority, taken up in the three steps that an operator would take: everybody trusts both, everybody
//! shows a certificate of the new one, nobody trusts the old one. Files are replaced where they are, and found by the ends
//! themselves. Meanwhile callers call, on connections that last and on new ones, each of which shows both certificates. No
//! call may fail, and whoever still has the old authority's certificate must not get in afterwards.

mod load;
mod realm;

use std::{process::ExitCode, time::Duration};

use rpcnet::{Channel, Server, transport::tls::Tls};
use rpcnet_tests::say;

use self::{load::Load, realm::Realm};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rotate: {error}");
            ExitCode::FAILURE
        }
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

async fn run() -> Outcome<bool> {
    let rotations = option("--rotations", 10)?;
    let callers = option("--callers", 8)?;
    let mut realm = Realm::new()?;
    let (server, client) = (realm.end("server")?, realm.end("client")?);

    let bound =
        Server::builder().register("echo", |bytes| async move { Ok(bytes) }).transport(server.clone());
    let bound = bound.allow("echo", ["spiffe://rotate/client"]).bind("127.0.0.1:0").await?;
    let address = bound.address().clone();
    let serving = tokio::spawn(bound.serve());

    let load = Load::start(callers, address.clone(), client.clone());
    let begin = std::time::Instant::now();
    let mut stale_refused = 0;
    for rotation in 1..=rotations {
        let stale = realm.stale_client()?;
        for step in realm.rotate()? {
            step.take(&realm)?;
            for tls in [&server, &client] {
                taken_up(tls, (rotation - 1) * 3 + step.number()).await?;
            }
            load.passes(100).await;
        }
        let refused = Channel::builder(address.clone()).transport(stale).connect().await.is_err();
        stale_refused += u64::from(refused);
        say!("rotation {rotation:>2}: {}", load.progress());
    }
    let seconds = begin.elapsed().as_secs_f64();
    let told = load.end().await;
    serving.abort();
    told.errors.iter().for_each(|error| say!("failed: {error}"));
    say!(
        "summary: calls={} failed={} rotations={rotations} connections={} stale_refused={stale_refused} worst_ms={} seconds={seconds:.1}",
        told.calls,
        told.failed,
        told.connections,
        told.worst.as_millis(),
    );
    Ok(told.failed == 0 && stale_refused == rotations)
}

/// Waits until an end uses what was written.
async fn taken_up(tls: &Tls, reloads: u64) -> Outcome<()> {
    let mut status = tls.status();
    let found = status.wait_for(|status| status.reloads >= reloads);
    match tokio::time::timeout(Duration::from_secs(30), found).await {
        Ok(found) => found.map(drop).map_err(Into::into),
        Err(_) => Err(format!("not taken up: {:?}", tls.status().borrow().error).into()),
    }
}

/// A number on the command line.
fn option(name: &str, default: u64) -> Outcome<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    match (arguments.next(), arguments.next()) {
        (None, _) => Ok(default),
        (Some(_), Some(value)) => value.parse().map_err(|error| format!("{name} {value}: {error}").into()),
        (Some(_), None) => Err(format!("{name} lacks its number").into()),
    }
}
