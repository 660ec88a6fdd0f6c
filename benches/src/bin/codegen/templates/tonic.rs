//! The sample service over tonic, with prost messages.

mod types;

use std::error::Error;

use tonic::{
    Request, Response, Status,
    transport::server::{Server, TcpIncoming},
};
use types::*;

mod generated {
    tonic::include_proto!("sample.Sample");
}

use generated::{
    sample_client::SampleClient,
    sample_server::{Sample, SampleServer},
};

struct Worker;

#[tonic::async_trait]
impl Sample for Worker {
    // {methods}
}

async fn calls(mut client: SampleClient<tonic::transport::Channel>) -> usize {
    let mut answered = 0;
    // {calls}
    answered
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?;
    let address = incoming.local_addr()?;
    tokio::spawn(Server::builder().add_service(SampleServer::new(Worker)).serve_with_incoming(incoming));
    let client = SampleClient::connect(format!("http://{address}")).await?;
    println!("answered={}", calls(client).await);
    Ok(())
}
