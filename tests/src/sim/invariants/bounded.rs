//! What one process sends, and does at one moment, is bounded.

use super::{Deed, Invariant};

/// The largest message of a stream.
const STREAM_BYTES_MAX: usize = 256 * 1024;
/// Datagrams that one input may cause: 40 edges re-probed with three helpers each, and a gossip round.
const BURST_MAX: usize = 256;
/// How often a timer may be due at one moment: beyond it a driver would spin.
const TIMERS_MAX: u32 = 100;

pub(crate) struct Bounded;

impl Invariant for Bounded {
    fn name(&self) -> &'static str {
        "what a process sends and does is bounded"
    }

    fn done(&mut self, deed: Deed) -> Result<(), String> {
        match deed {
            Deed::Datagram { bytes, most } if bytes > most => Err(format!("a datagram of {bytes} bytes")),
            Deed::Stream { bytes } if bytes > STREAM_BYTES_MAX => Err(format!("a message of {bytes} bytes")),
            Deed::Burst { datagrams } if datagrams > BURST_MAX => {
                Err(format!("one input caused {datagrams} datagrams"))
            }
            Deed::Timers { times } if times == TIMERS_MAX => {
                Err(format!("a timer ran {times} times at once"))
            }
            _ => Ok(()),
        }
    }
}
