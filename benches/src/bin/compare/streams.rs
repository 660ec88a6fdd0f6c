//! A stream of small items from the server, over RpcNet and over TCP with nothing but their lengths between them.

use std::net::SocketAddr;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use rpcnet::{Channel, Server, prelude::*};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{Failure, load::Caller, process::System};

/// How many items a stream has: some milliseconds' worth, so that its beginning and its end do not count.
pub(crate) const ITEMS: usize = 100_000;

/// How large each is.
pub(crate) const ITEM_BYTES: usize = 64;

/// What is called.
#[rpc_trait]
pub(crate) trait Repeat {
    /// The same, over and over.
    #[rpc(read)]
    async fn repeat(&self, item: Bytes) -> rpcnet::Result<Streaming<Bytes>>;
}

struct Worker;

impl Repeat for Worker {
    async fn repeat(&self, item: Bytes) -> rpcnet::Result<Streaming<Bytes>> {
        Ok(Streaming::iter(std::iter::repeat_n(item, ITEMS)))
    }
}

/// By a generated client and server.
#[derive(Debug)]
pub(crate) struct Typed;

impl System for Typed {
    type Caller = RepeatClient<Channel>;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let server = Server::builder().service(RepeatServer::new(Worker)).bind("127.0.0.1:0").await?;
        let address = server.local_addr();
        tokio::spawn(server.serve());
        Ok(address)
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Self::Caller>, Failure> {
        Ok(vec![RepeatClient::new(Channel::connect(to).await?); callers])
    }
}

impl Caller for RepeatClient<Channel> {
    async fn call(&mut self, payload: &Bytes) -> Result<usize, Failure> {
        let (mut items, mut came) = (self.repeat(payload.clone()).await?, 0);
        while let Some(item) = items.next().await {
            came += item?.len();
        }
        whole(came)
    }
}

fn whole(came: usize) -> Result<usize, Failure> {
    if came == ITEMS * ITEM_BYTES { Ok(ITEM_BYTES) } else { Err("a stream was cut".into()) }
}

/// Each item behind its length, in writes of 64 KiB.
#[derive(Debug)]
pub(crate) struct Framed;

const WRITE_BYTES: usize = 64 << 10;

impl System for Framed {
    type Caller = TcpStream;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(repeat(stream));
            }
        });
        Ok(address)
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<TcpStream>, Failure> {
        let mut streams = Vec::new();
        for _ in 0..callers {
            streams.push(TcpStream::connect(to).await?);
        }
        Ok(streams)
    }
}

async fn repeat(mut stream: TcpStream) -> Result<(), Failure> {
    let (mut item, mut out) = ([0; ITEM_BYTES], BytesMut::new());
    loop {
        stream.read_exact(&mut item).await?;
        for _ in 0..ITEMS {
            out.put_u32_le(ITEM_BYTES as u32);
            out.put_slice(&item);
            if out.len() >= WRITE_BYTES {
                stream.write_all_buf(&mut out).await?;
            }
        }
        stream.write_all_buf(&mut out).await?;
    }
}

impl Caller for TcpStream {
    async fn call(&mut self, payload: &Bytes) -> Result<usize, Failure> {
        self.write_all(payload).await?;
        let (mut read, mut came, mut items) = (BytesMut::new(), 0, 0);
        while items < ITEMS {
            read.reserve(WRITE_BYTES);
            if self.read_buf(&mut read).await? == 0 {
                return Err("a stream was cut".into());
            }
            while let Some(mut header) = read.get(..4) {
                let length = header.get_u32_le() as usize;
                if read.len() < 4 + length {
                    break;
                }
                read.advance(4);
                came += read.split_to(length).freeze().len();
                items += 1;
            }
        }
        whole(came)
    }
}
