//! Arbitrary bytes as values: no panic, no more memory than a constant times the bytes, and what is decoded is the same
//! when it is encoded again.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none codecs`

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use peak_alloc::PeakAlloc;
use rpcnet::{AppError, Codec};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// How many bytes may be allocated for one that was received. The largest element below has some 200 bytes, may be
/// announced by one byte, and lies in a vector that doubles as it grows, while the half it has outgrown is still there.
const FACTOR: usize = 256 * 3;

/// What an error and its text may take, whatever the input, and 1024 elements that no byte announces.
const CONSTANT: usize = 128 << 10;

/// Something of everything.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    name: String,
    lines: Vec<Line>,
    notes: BTreeMap<String, Vec<String>>,
    numbers: BTreeSet<(i64, u128, char)>,
    blob: bytes::Bytes,
    float: Option<f64>,
    id: uuid::Uuid,
    error: Result<u8, AppError>,
    parent: Option<Box<Order>>,
    empty: Vec<()>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Line {
    None,
    One(String),
    Pair(Vec<Vec<u64>>, Option<u64>),
    Nested { line: Box<Line>, others: BTreeMap<u32, Line> },
}

/// Nests without an array or an object.
#[derive(Debug, Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

fn decode<T: Serialize + DeserializeOwned>(codec: Codec, bytes: &[u8]) {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let value = codec.decode::<T>(bytes);
    let peak = ALLOCATED.peak_usage().saturating_sub(before);
    assert!(
        peak <= bytes.len() * FACTOR + CONSTANT,
        "{codec:?} as {}: {} bytes made it allocate {peak}",
        std::any::type_name::<T>(),
        bytes.len()
    );
    // JSON refuses to encode what it would read as something else.
    if let Ok(value) = value
        && let Ok(again) = codec.encode(&value)
    {
        match codec.decode::<T>(&again) {
            Ok(value) => assert_eq!(codec.encode(&value).expect("what was encoded once"), again),
            // How many elements without a byte of their own are taken depends on the bytes there are, and a length can be written
            // in more of them than it needs.
            Err(error) => assert!(again.len() < bytes.len(), "what was encoded is decoded: {error}"),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let codec = [Codec::Bincode, Codec::Postcard, Codec::Json][usize::from(choice % 3)];
    match choice / 3 % 8 {
        0 | 1 => decode::<Order>(codec, bytes),
        2 => decode::<Line>(codec, bytes),
        3 => decode::<Chain>(codec, bytes),
        4 => decode::<Vec<()>>(codec, bytes),
        5 => decode::<Vec<Vec<String>>>(codec, bytes),
        6 => decode::<BTreeMap<String, Line>>(codec, bytes),
        _ => decode::<(bytes::Bytes, Vec<u8>, [u64; 4], Option<char>)>(codec, bytes),
    }
});
