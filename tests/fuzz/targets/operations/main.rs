//! Two ends of a connection that keep to the protocol, and whatever operations on both: each call ends once and as it should,
//! items arrive once and in order, nobody breaks the protocol, and when all is quiet nothing is held.
//!
//! The same claims as those of `rpcnet/src/wire/tests/random`, over calls and streams together, with lost connections.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none operations`

#![no_main]

mod books;
mod steps;
mod world;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;

use steps::Step;
use world::World;

fuzz_target!(|data: &[u8]| {
    let mut data = Unstructured::new(data);
    let mut world = World::new();
    while !data.is_empty()
        && let Ok(step) = Step::arbitrary(&mut data)
    {
        world.run(step);
    }
    world.finish();
});
