//! The first bytes of each end: who speaks, which versions, which codec, which limits.
//!
//! ```text
//!  0       4     5     6       7     8             12          16            20              24        26
//! +-------+-----+-----+-------+-----+-------------+-----------+-------------+---------------+---------+-----------+
//! | magic | min | max | codec | 0   | message max | calls max | streams max | stream window | ext len | extension |
//! +-------+-----+-----+-------+-----+-------------+-----------+-------------+---------------+---------+-----------+
//!   "RpcN"  u8    u8    u8            u32           u32         u32           u32             u16
//! ```
//!
//! `min` and `max` are the versions an end speaks; both take the highest they share. The connector names the codec and the
//! acceptor echoes it. An acceptor that shares no version, or does not know the codec, says its own hello and closes. A
//! connector takes no calls and says 0, of streams too. The window is how much of each stream the end takes before it has
//! read any.  The extension is skipped.

use bytes::{Buf, BufMut, BytesMut};

use super::{
    limits::{Limits, STREAM_WINDOW_MIN},
    output::CloseReason,
};
use crate::codec::Codec;

/// The bytes every connection of this protocol begins with.
pub(crate) const MAGIC: [u8; 4] = *b"RpcN";

/// The one version there is.
pub(crate) const VERSION: u8 = 1;

const FIXED_BYTES: usize = 26;

/// The longest extension a peer may send: a reserve for later versions, small enough to buffer for a stranger.
pub(crate) const EXTENSION_MAX: usize = 4 << 10;

/// What an end says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) versions: (u8, u8),
    pub(crate) codec: Codec,
    pub(crate) message_bytes_max: u32,
    pub(crate) calls_max: u32,
    /// Of the calls, how many may have streams.
    pub(crate) streams_max: u32,
    pub(crate) stream_window: u32,
}

impl Hello {
    pub(crate) fn new(codec: Codec, limits: &Limits) -> Self {
        Self {
            versions: (VERSION, VERSION),
            codec,
            message_bytes_max: limits.message_bytes_max,
            calls_max: limits.calls_max,
            streams_max: limits.streams_max,
            stream_window: limits.stream_window,
        }
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_slice(&MAGIC);
        out.put_slice(&[self.versions.0, self.versions.1, self.codec.to_wire(), 0]);
        out.put_u32_le(self.message_bytes_max);
        out.put_u32_le(self.calls_max);
        out.put_u32_le(self.streams_max);
        out.put_u32_le(self.stream_window);
        out.put_u16_le(0);
    }

    /// Takes a hello off the front of `bytes`; `None` until it is whole. Wrong bytes are refused as soon as they are seen.
    pub(crate) fn decode(bytes: &mut BytesMut) -> Result<Option<Self>, CloseReason> {
        let magic = &bytes[..bytes.len().min(MAGIC.len())];
        if !MAGIC.starts_with(magic) {
            return Err(CloseReason::NotThisProtocol);
        }
        // First, since another version's hello may go on otherwise.
        let Some(&[.., min, max]) = bytes.first_chunk::<6>() else { return Ok(None) };
        if !(min..=max).contains(&VERSION) {
            return Err(CloseReason::VersionMismatch { theirs: (min, max), ours: VERSION });
        }
        let Some(fixed) = bytes.get(..FIXED_BYTES) else { return Ok(None) };
        let mut rest = &fixed[MAGIC.len() + 2..];
        let codec = rest.get_u8();
        let codec = Codec::from_wire(codec).ok_or(CloseReason::UnknownCodec(codec))?;
        rest.advance(1);
        let (message_bytes_max, calls_max) = (rest.get_u32_le(), rest.get_u32_le());
        let (streams_max, stream_window) = (rest.get_u32_le(), rest.get_u32_le());
        if stream_window < STREAM_WINDOW_MIN {
            return Err(CloseReason::violation(format_args!(
                "a hello announces a window of {stream_window} bytes"
            )));
        }
        let extension = usize::from(rest.get_u16_le());
        if extension > EXTENSION_MAX {
            return Err(CloseReason::violation(format_args!(
                "a hello announces {extension} bytes of extension"
            )));
        }
        if bytes.len() < FIXED_BYTES + extension {
            return Ok(None);
        }
        bytes.advance(FIXED_BYTES + extension);
        Ok(Some(Self {
            versions: (min, max),
            codec,
            message_bytes_max,
            calls_max,
            streams_max,
            stream_window,
        }))
    }
}
