//! What the fuzz targets share.
//!
//! From the root of the repository, with `cargo install cargo-fuzz`, on the stable toolchain:
//!
//! ```text
//! cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none frames
//! ```

use bytes::BytesMut;
use rpcnet::{
    Limits,
    fuzzing::{End, Event},
};

/// Bytes and the pieces they come in: a count, as many lengths, which are gone through again and again, and the bytes.
pub fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (count, rest) = data.split_first().unwrap_or((&0, &[]));
    let (lengths, mut rest) = rest.split_at(usize::from(count % 16).min(rest.len()));
    let mut lengths = lengths.iter().map(|length| usize::from(*length) + 1).cycle();
    std::iter::from_fn(move || {
        let length = lengths.next().unwrap_or(usize::MAX).min(rest.len());
        let (piece, left) = rest.split_at(length);
        rest = left;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Limits that a fuzzer reaches.
pub fn small_limits() -> Limits {
    let mut limits = Limits::default();
    limits.message_bytes_max = 100_000;
    limits.calls_max = 8;
    limits.streams_max = 3;
    limits.stream_window = 4 << 10;
    limits.buffered_bytes_max = 150_000;
    limits.unsent_bytes_max = 50_000;
    limits.queued_bytes_max = 200_000;
    limits
}

/// All that an end wants to send now.
pub fn transmit(end: &mut End) -> BytesMut {
    let (mut all, mut out) = (BytesMut::new(), BytesMut::new());
    while end.poll_transmit(&mut out) {
        all.extend_from_slice(&out.split());
    }
    all
}

/// All that has happened.
pub fn drain(end: &mut End) -> Vec<Event> {
    std::iter::from_fn(|| end.poll_output()).collect()
}
