//! Connections on which nothing happens any more.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use rpcnet::Channel;

use crate::{
    Failure,
    load::Caller,
    net::Link,
    process::System,
    rpc::{EchoClient, Typed},
};

/// How many of them: a tenth of what one address can have.
pub(crate) const CONNECTIONS: usize = 10_000;

/// One connection a caller, on which one call was made.
#[derive(Debug)]
pub(crate) struct Idle;

/// A connection that is kept.
pub(crate) struct Kept {
    _client: EchoClient<Channel>,
}

impl System for Idle {
    type Caller = Kept;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        Typed::new(Link::Tcp, "".as_ref()).serve().await
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Kept>, Failure> {
        let mut kept = Vec::new();
        for _ in 0..callers {
            let client = EchoClient::new(Channel::connect(to).await?);
            client.echo(Bytes::new()).await?;
            kept.push(Kept { _client: client });
        }
        Ok(kept)
    }
}

impl Caller for Kept {
    async fn call(&mut self, payload: &Bytes) -> Result<usize, Failure> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(payload.len())
    }
}
