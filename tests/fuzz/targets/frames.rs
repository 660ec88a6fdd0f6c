//! Arbitrary bytes, in arbitrary pieces, as frames: they are taken off whole, however they come, and are the same bytes
//! when they are encoded again.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none frames`

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use rpcnet::{
    CloseReason,
    fuzzing::{Frame, WAITING_BYTES_MAX, take_frame},
};
use rpcnet_fuzz::pieces;

/// The frames that are there, and what is wrong with the next.
fn take_all(bytes: &mut BytesMut, frames: &mut Vec<Frame>) -> Result<(), CloseReason> {
    loop {
        let before = bytes.clone();
        let Some(frame) = take_frame(bytes)? else { break };
        let taken = before.len() - bytes.len();
        assert_eq!(taken, frame.bytes(), "as many bytes as the frame has");
        assert!(frame.is(&before[..taken]), "{frame:?} was {:?}", &before[..taken]);
        frames.push(frame);
    }
    assert!(bytes.len() < WAITING_BYTES_MAX, "{} bytes wait for the rest of a frame", bytes.len());
    Ok(())
}

fuzz_target!(|data: &[u8]| {
    let (mut whole, mut at_once) = (BytesMut::new(), Vec::new());
    pieces(data).for_each(|piece| whole.extend_from_slice(piece));
    let outcome = take_all(&mut whole, &mut at_once);

    let (mut buffer, mut in_pieces) = (BytesMut::new(), Vec::new());
    let piecewise = pieces(data).try_for_each(|piece| {
        buffer.extend_from_slice(piece);
        take_all(&mut buffer, &mut in_pieces)
    });
    assert_eq!((piecewise, in_pieces), (outcome, at_once), "it does not matter how they come");
});
