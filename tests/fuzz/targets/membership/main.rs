//! A node of a cluster, an honest neighbour, and anybody who sends it datagrams and stream messages: no panic, no timer that is
//! due again and again, nothing sent that is too long, events that add up to the view, and nobody but the node itself
//! changes what it says of itself.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none membership`

#![no_main]

mod forged;
mod world;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;

use forged::Message;
use world::World;

/// What happens.
#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Raw(&'a [u8]),
    Datagram {
        from: u8,
        message: Message,
    },
    Request(Message),
    /// One of the node's requests is answered, or fails.
    Reply {
        which: u8,
        message: Option<Message>,
        refused: bool,
    },
    /// So many of the messages between the two honest nodes arrive.
    Carry(u8),
    /// And so many of them do not.
    Drop(u8),
    Pass {
        millis: u16,
    },
    Tag {
        key: u8,
        value: Option<u8>,
    },
    Report(u8),
    Leave,
}

fuzz_target!(|data: &[u8]| {
    let mut data = Unstructured::new(data);
    let mut world = World::new();
    while !data.is_empty()
        && let Ok(step) = Step::arbitrary(&mut data)
    {
        world.run(step);
    }
    world.settle_down();
});
