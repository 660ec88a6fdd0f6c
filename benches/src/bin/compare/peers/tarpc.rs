//! tarpc, with bincode over TCP.

use std::net::SocketAddr;

use bytes::Bytes;
use futures::StreamExt;
use tarpc::{
    client, context,
    serde_transport::tcp,
    server::{BaseChannel, Channel},
    tokio_serde::formats::Bincode,
};

use crate::{Failure, load::Caller, process::System};

/// What is called.
#[tarpc::service]
pub(crate) trait Echo {
    /// The same again.
    async fn echo(bytes: Bytes) -> Bytes;
}

#[derive(Clone)]
struct Worker;

impl Echo for Worker {
    async fn echo(self, _: context::Context, bytes: Bytes) -> Bytes {
        bytes
    }
}

#[derive(Debug)]
pub(crate) struct Tarpc;

impl System for Tarpc {
    type Caller = EchoClient;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let mut incoming = tcp::listen("127.0.0.1:0", Bincode::default).await?;
        // As large as RpcNet takes them; the default is half of it.
        incoming.config_mut().max_frame_length(16 << 20);
        let address = incoming.local_addr();
        tokio::spawn(async move {
            while let Some(Ok(transport)) = incoming.next().await {
                // The small packets of a connection that is not told otherwise wait for each other.
                let told = transport.get_ref().set_nodelay(true);
                let requests = BaseChannel::with_defaults(transport).execute(Worker.serve());
                tokio::spawn(requests.for_each(|request| async {
                    tokio::spawn(request);
                }));
                told?;
            }
            Ok::<_, std::io::Error>(())
        });
        Ok(address)
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<EchoClient>, Failure> {
        let mut connect = tcp::connect(to, Bincode::default);
        connect.config_mut().max_frame_length(16 << 20);
        let transport = connect.await?;
        transport.get_ref().set_nodelay(true)?;
        // Room for every caller: more than the default would wait for each other.
        let mut config = client::Config::default();
        config.max_in_flight_requests = config.max_in_flight_requests.max(callers);
        Ok(vec![EchoClient::new(config, transport).spawn(); callers])
    }
}

impl Caller for EchoClient {
    async fn call(&mut self, payload: &Bytes) -> Result<usize, Failure> {
        Ok(self.echo(context::current(), payload.clone()).await?.len())
    }
}
