//! What is compared.

use std::sync::Arc;

use bytes::Bytes;
use quinn::{Connection, Endpoint};
use rpcnet::{
    Channel, Server,
    transport::{
        Tcp, Transport,
        quic::Quic,
        tls::{Tls, development::Authority},
    },
};
use tokio::runtime::Runtime;

use crate::plain;

/// What is echoed.
pub(crate) const PAYLOAD: &[u8] = &[7; 64];

/// Whatever goes wrong ends the program.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A connection to a server that echoes.
#[derive(Clone)]
pub(crate) enum Subject {
    /// A stream of QUIC for each call.
    Streams { connection: Connection, _endpoint: Endpoint },
    /// RpcNet.
    Channel { name: &'static str, channel: Channel },
}

impl Subject {
    /// All of them, connected.
    pub(crate) fn all(server: &Runtime, client: &Runtime) -> Result<Vec<Self>, Failure> {
        let authority = Authority::new()?;
        let own = authority.issue(["127.0.0.1"])?;
        let roots = authority.roots();
        let at = {
            let _entered = server.enter();
            plain::serve(&own)?
        };
        let (endpoint, connection) = client.block_on(plain::connect(at, &roots))?;
        let tls = Tls::mutual(own.chain, own.key, roots)?;
        let network: [(_, Arc<dyn Transport>); 3] = [
            ("quic, one stream", Arc::new(Quic::new(tls.clone()))),
            ("tls over tcp", Arc::new(tls)),
            ("tcp", Arc::new(Tcp::loopback())),
        ];
        let mut subjects = vec![Self::Streams { connection, _endpoint: endpoint }];
        for (name, transport) in network {
            let channel = channel(server, client, transport)?;
            subjects.push(Self::Channel { name, channel });
        }
        Ok(subjects)
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Streams { .. } => "quic, a stream a call",
            Self::Channel { name, .. } => name,
        }
    }

    /// One call, and that its answer is right.
    pub(crate) async fn call(&self) -> Result<(), Failure> {
        let right = match self {
            Self::Streams { connection, .. } => plain::call(connection).await? == PAYLOAD,
            Self::Channel { channel, .. } => {
                channel.call("echo", Bytes::from_static(PAYLOAD)).await? == PAYLOAD
            }
        };
        if right { Ok(()) } else { Err("another answer than what was sent".into()) }
    }
}

fn channel(server: &Runtime, client: &Runtime, transport: Arc<dyn Transport>) -> Result<Channel, Failure> {
    let echo = Server::builder().register("echo", |bytes| async move { Ok(bytes) });
    let echo = server.block_on(echo.shared_transport(Arc::clone(&transport)).bind("127.0.0.1:0"))?;
    let address = echo.local_addr();
    server.spawn(echo.serve());
    Ok(client.block_on(Channel::builder(address).shared_transport(transport).connect())?)
}
