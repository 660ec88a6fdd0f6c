//! The attacker's end of a connection.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    attacks::Target,
    frames::{self, HELLO_BYTES, Heard, hello},
};

/// The time between two batches of a flood. Two cores are all that a small machine has: an attacker without rest would take one of
/// them, and what is measured would be that. So it sends a batch, and rests.
pub(crate) const PACE: Duration = Duration::from_millis(2);

/// Whether the attacker reads what the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    All,
    Nothing,
}

/// How often the server answered with what.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answers(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Answers {
    fn add(&self, answer: &'static str) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry(answer).or_default() += 1;
    }

    pub(crate) fn all(&self) -> Vec<(String, u64)> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().map(|(answer, times)| ((*answer).to_owned(), *times)).collect()
    }
}

/// A connection whose hello is done.
pub(crate) struct Raw {
    writer: OwnedWriteHalf,
    reader: Reader,
}

enum Reader {
    All(JoinHandle<()>),
    /// Dropped, it would close its half.
    Nothing {
        _kept: OwnedReadHalf,
    },
}

impl Raw {
    pub(crate) async fn connect(target: &Target, reading: Reading) -> io::Result<Self> {
        Self::connect_in(target, reading, frames::BINCODE).await
    }

    async fn connect_in(target: &Target, reading: Reading, codec: u8) -> io::Result<Self> {
        let mut stream = TcpStream::connect(target.addr).await?;
        stream.write_all(&hello(codec)).await?;
        stream.read_exact(&mut [0; HELLO_BYTES]).await?;
        let (reader, writer) = stream.into_split();
        let reader = match reading {
            Reading::All => Reader::All(tokio::spawn(listen(reader, target.answers.clone()))),
            Reading::Nothing => Reader::Nothing { _kept: reader },
        };
        Ok(Self { writer, reader })
    }

    /// Writes all of it, or until the time is over. An error says that the server has closed the connection.
    pub(crate) async fn send(&mut self, bytes: &[u8], until: Instant) -> io::Result<()> {
        timeout_at(until, self.writer.write_all(bytes)).await.unwrap_or(Ok(()))
    }

    /// Keeps the connection open until then, and closes it.
    pub(crate) async fn keep(self, until: Instant) {
        sleep_until(until).await;
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Reader::All(task) = &self.reader {
            task.abort();
        }
    }
}

/// Reads all there is, and counts what it says.
async fn listen(mut reader: OwnedReadHalf, answers: Answers) {
    let (mut room, mut heard) = (vec![0; 64 << 10], Heard::default());
    while let Ok(read @ 1..) = reader.read(&mut room).await {
        heard.add(&room[..read], |answer| answers.add(answer));
    }
}

/// What an attacker got done.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Done {
    /// In the unit of the attack.
    pub(crate) sent: u64,
    pub(crate) connections: u64,
}

impl Done {
    pub(crate) fn and(self, other: Self) -> Self {
        Self { sent: self.sent + other.sent, connections: self.connections + other.connections }
    }
}

/// Sends what `next` makes, batch after batch, each with `each` of whatever the attack counts. Where the server closes the
/// connection, the next one begins. `next` is told the number of the batch on its connection, from 0.
pub(crate) async fn flood(
    target: &Target,
    reading: Reading,
    each: u64,
    next: impl FnMut(u64, &mut Vec<u8>),
) -> io::Result<Done> {
    flood_in(target, frames::BINCODE, reading, each, next).await
}

/// The same in a codec.
pub(crate) async fn flood_in(
    target: &Target,
    codec: u8,
    reading: Reading,
    each: u64,
    mut next: impl FnMut(u64, &mut Vec<u8>),
) -> io::Result<Done> {
    let mut done = Done::default();
    let mut bytes = Vec::new();
    while Instant::now() < target.until {
        let mut raw = Raw::connect_in(target, reading, codec).await?;
        done.connections += 1;
        for batch in 0.. {
            bytes.clear();
            next(batch, &mut bytes);
            if raw.send(&bytes, target.until).await.is_err() {
                break;
            }
            done.sent += each;
            if Instant::now() >= target.until {
                break;
            }
            sleep_until((Instant::now() + PACE).min(target.until)).await;
        }
    }
    Ok(done)
}
