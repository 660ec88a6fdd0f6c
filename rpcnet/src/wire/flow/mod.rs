//! The items of a call's streams: what may be sent, what has come and is not read.
//!
//! A receiver grants its sender *credit*, in bytes: what is on its way or unread is never more. Each frame of an item
//! costs its payload and its header; many small items share one, each behind its length, so that empty items are not free. Credit is given back as items are read, when
//! an eighth of the window has been. The window is each stream's own: one that nobody reads holds up its writer and nobody else.
//!
//! Source: the windows of HTTP/2, <https://www.rfc-editor.org/rfc/rfc9113#section-5.2>, without that of the whole
//! connection, which lets one stream hold up the others. The number of streams is bounded instead.

mod items;
mod pack;
mod receiving;
mod sending;

pub(crate) use items::Items;
pub(crate) use receiving::{Reading, Receiving};
pub(crate) use sending::Sending;

use super::frame::HEADER_BYTES;

/// The streams of one call.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// What this end sends.
    pub(crate) sending: Sending,
    /// What the peer sends.
    pub(crate) receiving: Receiving,
    /// The answer that is coming says that a stream follows it.
    pub(super) announced: bool,
}

impl Flow {
    /// The streams of a call whose opener streams, if there is a window for that.
    pub(super) fn taking(window: Option<u32>) -> Self {
        Self { receiving: window.map(Receiving::open).unwrap_or_default(), ..Self::default() }
    }

    /// The streams of a call of this end, which streams if there is a window for that.
    pub(super) fn giving(window: Option<u32>) -> Self {
        Self { sending: window.map(Sending::open).unwrap_or_default(), ..Self::default() }
    }
}

/// What a frame with this payload costs of the credit.
fn cost(payload: usize) -> usize {
    payload + HEADER_BYTES
}
