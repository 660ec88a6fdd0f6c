//! TCP and nothing else: a connection a caller, which writes and reads as much again.

use std::net::SocketAddr;

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{Failure, load::Caller, process::System};

#[derive(Debug)]
pub(crate) struct Raw;

/// One connection.
pub(crate) struct Line {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl System for Raw {
    type Caller = Line;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(echo(stream));
            }
        });
        Ok(address)
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Line>, Failure> {
        let mut lines = Vec::new();
        for _ in 0..callers {
            let stream = TcpStream::connect(to).await?;
            stream.set_nodelay(true)?;
            lines.push(Line { stream, answer: Vec::new() });
        }
        Ok(lines)
    }
}

async fn echo(mut stream: TcpStream) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            came => stream.write_all(&buffer[..came]).await?,
        }
    }
}

impl Caller for Line {
    async fn call(&mut self, payload: &Bytes) -> Result<usize, Failure> {
        self.stream.write_all(payload).await?;
        self.answer.resize(payload.len(), 0);
        Ok(self.stream.read_exact(&mut self.answer).await?)
    }
}
