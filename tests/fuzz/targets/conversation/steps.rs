//! What a hostile peer sends, and what the end it talks to does meanwhile.

use arbitrary::Arbitrary;

/// One step.
#[derive(Debug, Arbitrary)]
pub(crate) enum Step<'a> {
    /// The peer sends anything.
    Raw(&'a [u8]),
    /// The peer sends a frame that is one.
    Frame(Frame<'a>),
    /// So many of the bytes that were sent arrive.
    Deliver(u16),
    Pass {
        millis: u16,
    },
    Progress,
    /// What is to be sent is taken.
    Transmit,
    Open {
        bytes: u16,
        timeout_ms: Option<u16>,
        streaming: bool,
        items: bool,
    },
    Close(u8),
    Reply {
        which: u8,
        answer: Option<u16>,
        items: bool,
    },
    Write {
        which: u8,
        own: bool,
        bytes: u16,
        items: u8,
    },
    Finish {
        which: u8,
        own: bool,
        whole: bool,
    },
    Read {
        which: u8,
        own: bool,
    },
    StopReading(u8),
    GoAway,
    End {
        broken: bool,
    },
}

/// A frame whose lengths are right.
#[derive(Debug, Arbitrary)]
pub(crate) struct Frame<'a> {
    kind: u8,
    flags: u8,
    id: Id,
    head: Head<'a>,
    payload: u16,
}

/// Which call a frame is of.
#[derive(Debug, Arbitrary)]
enum Id {
    /// The next of the peer.
    New {
        slot: u8,
    },
    /// One of the peer's.
    Old {
        back: u8,
        slot: u8,
    },
    /// One of this end's, as if it had been opened so long ago.
    Theirs {
        sequence: u8,
        slot: u8,
    },
    Wild(u64),
}

#[derive(Debug, Arbitrary)]
enum Head<'a> {
    None,
    /// As its kind and flags ask for.
    Fitting(u32),
    Raw(&'a [u8]),
}

impl Frame<'_> {
    /// Its bytes. `last` is the sequence number of the peer's last call; `by_acceptor` is the bit of its ids.
    pub(crate) fn encode(&self, last: &mut u64, by_acceptor: bool) -> Vec<u8> {
        // The numbers that mean something, and a few that do not.
        let kind = self.kind % 14;
        let head = match self.head {
            Head::None => Vec::new(),
            Head::Fitting(number) => fitting(kind, self.flags, number),
            Head::Raw(bytes) => bytes[..bytes.len().min(1000)].to_vec(),
        };
        let length = (head.len() + usize::from(self.payload)) as u32;
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend([kind, self.flags]);
        bytes.extend((head.len() as u16).to_le_bytes());
        bytes.extend(self.id(last, by_acceptor).to_le_bytes());
        bytes.extend(head);
        bytes.resize(bytes.len() + usize::from(self.payload), 5);
        bytes
    }

    fn id(&self, last: &mut u64, by_acceptor: bool) -> u64 {
        let id = |sequence: u64, slot: u8, by_acceptor: bool| {
            sequence << 24 | u64::from(slot % 10) << 1 | u64::from(by_acceptor)
        };
        match self.id {
            Id::New { slot } => {
                *last += 1;
                id(*last, slot, by_acceptor)
            }
            Id::Old { back, slot } => id(last.saturating_sub((back % 10).into()), slot, by_acceptor),
            Id::Theirs { sequence, slot } => id((sequence % 20).into(), slot, !by_acceptor),
            Id::Wild(bits) => bits,
        }
    }
}

/// A head of this kind of frame, with a number where one belongs.
fn fitting(kind: u8, flags: u8, number: u32) -> Vec<u8> {
    let [a, b, c, d] = number.to_le_bytes();
    match kind {
        1 => {
            let mut head = vec![1; 8];
            head.extend((u64::from(number) << (number % 40)).to_le_bytes());
            head.extend([0; 4]);
            let has = |flag: u8| flags & flag != 0;
            head.extend([a].repeat(if has(2) { 16 } else { 0 }));
            head.extend([1].repeat(if has(16) { 25 } else { 0 }));
            head.extend(if has(32) { &b"\x01\0\x01\0k\x01\0v"[..] } else { &[] });
            head
        }
        3 if number % 2 == 0 => vec![a / 2 % 3],
        3 | 9 => vec![3, b, c, d, a, 0, 0, 0],
        _ => vec![a, b, c, d],
    }
}
