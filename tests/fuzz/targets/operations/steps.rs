//! What the two ends do.

use arbitrary::Arbitrary;

/// One step. A `which` names one of the calls there are.
#[derive(Debug, Arbitrary)]
pub(crate) enum Step {
    Open {
        bytes: Bytes,
        timeout_ms: Option<u16>,
        keyed: bool,
        streaming: bool,
        items: bool,
    },
    Close(u8),
    Reply {
        which: u8,
        bytes: Option<Bytes>,
        items: bool,
    },
    Write {
        server: bool,
        which: u8,
        bytes: Bytes,
        items: u8,
    },
    Read {
        server: bool,
        which: u8,
    },
    Finish {
        server: bool,
        which: u8,
        whole: bool,
    },
    StopReading(u8),
    /// What an end wants to send now is taken, and so much of what is under way arrives.
    Deliver {
        from_client: bool,
        bytes: Bytes,
    },
    Pass {
        millis: u16,
    },
    Progress {
        server: bool,
    },
    GoAway {
        server: bool,
    },
    Lose,
}

/// A number of bytes, most often small.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub(crate) enum Bytes {
    Few(u8),
    Some(u16),
    /// Sixteens.
    Many(u16),
}

impl Bytes {
    pub(crate) fn count(self) -> usize {
        match self {
            Bytes::Few(count) => count.into(),
            Bytes::Some(count) => count.into(),
            Bytes::Many(count) => usize::from(count) * 16,
        }
    }
}
