//! A server for clients in other languages to be tried against: `protocol_peer [path of a Unix socket]`.
//!
//! It serves on a port of its own, prints the address as its first line, and ends when its standard input does, so that it
//! does not outlive whoever started it.

use rpcnet::{Executed, Reason, Status, prelude::*};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What there is to be tried.
#[rpc_trait(name = "Lab")]
trait LabService {
    /// Gives back what it was given.
    #[rpc(idempotent)]
    async fn echo(&self, text: String) -> Result<String, LabError>;

    /// Takes nothing and answers nothing.
    async fn nothing(&self) -> Result<(), LabError>;

    /// Fails with an error of its own type.
    async fn refuse(&self, why: String) -> Result<(), LabError>;

    /// Fails with an error that has a cause, if the text is no number.
    async fn parse(&self, text: String) -> rpcnet::Result<i64>;

    /// What the caller's metadata has by a name, and the trace of the call.
    async fn said(&self, ctx: Context, name: String) -> Result<(Option<String>, Option<String>), LabError>;

    /// Adds to the one account there is; a repeat adds nothing.
    async fn charge(&self, request_id: Uuid, cents: u64) -> Result<u64, LabError>;

    /// Never answers.
    async fn hang(&self) -> Result<(), LabError>;

    /// Answers when so many calls of `hang` have begun.
    async fn hanging(&self, calls: u32) -> Result<(), LabError>;

    /// Answers when so many calls of `hang` have been given up.
    async fn given_up(&self, calls: u32) -> Result<(), LabError>;

    /// Panics.
    async fn panic(&self) -> Result<(), LabError>;

    /// The numbers from 0 on.
    async fn count(&self, to: u64) -> Result<Streaming<u64>, LabError>;

    /// The same, cut after so many.
    async fn cut(&self, after: u64) -> Result<Streaming<u64>, LabError>;

    /// The sum of what it starts from and what comes.
    async fn add(&self, from: i64, numbers: Streaming<i64>) -> rpcnet::Result<i64>;

    /// Takes one number and reads no more; answers when the caller has found out and calls `hang`.
    async fn first(&self, numbers: Streaming<i64>) -> rpcnet::Result<Option<i64>>;

    /// Each line in capitals, as it comes.
    async fn shout(&self, lines: Streaming<String>) -> Result<Streaming<String>, LabError>;

    /// The server takes no more calls.
    async fn leave(&self) -> Result<(), LabError>;
}

/// What `refuse` fails with.
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum LabError {
    #[error("refused: {why}")]
    Refused { why: String },
}

#[derive(Clone, Default)]
struct Lab {
    hanging: watch::Sender<u32>,
    given_up: watch::Sender<u32>,
    account: watch::Sender<u64>,
    leaving: watch::Sender<bool>,
}

/// Counts a call that has begun, and that it was given up.
struct Hanging(watch::Sender<u32>);

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.send_modify(|calls| *calls += 1);
    }
}

async fn reached(count: &watch::Sender<u32>, calls: u32) {
    // It fails when the sender is gone, which is borrowed here.
    let _ = count.subscribe().wait_for(|count| *count >= calls).await;
}

impl LabService for Lab {
    async fn echo(&self, text: String) -> Result<String, LabError> {
        Ok(text)
    }

    async fn nothing(&self) -> Result<(), LabError> {
        Ok(())
    }

    async fn refuse(&self, why: String) -> Result<(), LabError> {
        Err(LabError::Refused { why })
    }

    async fn parse(&self, text: String) -> rpcnet::Result<i64> {
        Ok(text.parse()?)
    }

    async fn said(&self, ctx: Context, name: String) -> Result<(Option<String>, Option<String>), LabError> {
        let value = ctx.metadata().get(&name).map(str::to_owned);
        Ok((value, ctx.trace().map(|trace| trace.to_string())))
    }

    async fn charge(&self, _request_id: Uuid, cents: u64) -> Result<u64, LabError> {
        self.account.send_modify(|balance| *balance += cents);
        Ok(*self.account.borrow())
    }

    async fn hang(&self) -> Result<(), LabError> {
        let _hanging = Hanging(self.given_up.clone());
        self.hanging.send_modify(|calls| *calls += 1);
        std::future::pending().await
    }

    async fn hanging(&self, calls: u32) -> Result<(), LabError> {
        reached(&self.hanging, calls).await;
        Ok(())
    }

    async fn given_up(&self, calls: u32) -> Result<(), LabError> {
        reached(&self.given_up, calls).await;
        Ok(())
    }

    async fn panic(&self) -> Result<(), LabError> {
        panic!("as asked")
    }

    async fn count(&self, to: u64) -> Result<Streaming<u64>, LabError> {
        Ok(Streaming::iter(0..to))
    }

    async fn cut(&self, after: u64) -> Result<Streaming<u64>, LabError> {
        let cut = || Status::new(Reason::StreamCut, Executed::Yes, "as asked");
        Ok(Streaming::iter(0..).try_map(move |number| if number < after { Ok(number) } else { Err(cut()) }))
    }

    async fn add(&self, from: i64, mut numbers: Streaming<i64>) -> rpcnet::Result<i64> {
        let mut sum = from;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }

    async fn first(&self, mut numbers: Streaming<i64>) -> rpcnet::Result<Option<i64>> {
        let first = numbers.next().await.transpose()?;
        drop(numbers);
        reached(&self.hanging, 1).await;
        Ok(first)
    }

    async fn shout(&self, lines: Streaming<String>) -> Result<Streaming<String>, LabError> {
        Ok(lines.try_map(|line| Ok(line.to_uppercase())))
    }

    async fn leave(&self) -> Result<(), LabError> {
        self.leaving.send_replace(true);
        Ok(())
    }
}

/// Serves on an address until told to leave.
async fn serve(lab: &Lab, address: &str) -> rpcnet::Result<String> {
    let server = Server::builder().service(LabServiceServer::new(lab.clone())).bind(address).await?;
    let address = server.address().to_string();
    let mut leaving = lab.leaving.subscribe();
    tokio::spawn(server.serve_with_shutdown(async move {
        let _ = leaving.wait_for(|leaving| *leaving).await;
    }));
    Ok(address)
}

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    let lab = Lab::default();
    if let Some(path) = std::env::args().nth(1) {
        serve(&lab, &format!("unix:{path}")).await?;
    }
    rpcnet_tests::say!("{}", serve(&lab, "127.0.0.1:0").await?);
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    Ok(())
}
