//! The sample service over tarpc, with bincode on TCP.

mod types;

use std::error::Error;

use futures::StreamExt;
use tarpc::{
    client, context,
    serde_transport::tcp,
    server::{BaseChannel, Channel},
    tokio_serde::formats::Bincode,
};
use types::*;

#[tarpc::service]
pub trait Sample {
    // {declarations}
}

#[derive(Clone)]
struct Worker;

impl Sample for Worker {
    // {methods}
}

async fn calls(client: SampleClient) -> usize {
    let mut answered = 0;
    // {calls}
    answered
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut incoming = tcp::listen("127.0.0.1:0", Bincode::default).await?;
    let address = incoming.local_addr();
    tokio::spawn(async move {
        while let Some(Ok(transport)) = incoming.next().await {
            let requests = BaseChannel::with_defaults(transport).execute(Worker.serve());
            tokio::spawn(requests.for_each(|request| async {
                tokio::spawn(request);
            }));
        }
    });
    let transport = tcp::connect(address, Bincode::default).await?;
    let client = SampleClient::new(client::Config::default(), transport).spawn();
    println!("answered={}", calls(client).await);
    Ok(())
}
