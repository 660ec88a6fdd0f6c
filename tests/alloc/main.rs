//! What hostile bytes make this library allocate: at most a constant times their number, counted by the allocator.
//!
//! One test, since the count is that of the whole process.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::collections::{BTreeMap, HashMap};

use peak_alloc::PeakAlloc;
use rpcnet::Codec;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// How many bytes may be allocated for one that was received: the largest element below has 72 bytes, is announced by one
/// byte, and lies in a vector that doubles as it grows, while the half it has outgrown is still there.
const FACTOR: usize = 72 * 3;

/// What an error and its text may take, whatever the input.
const CONSTANT: usize = 4 << 10;

/// Something of everything.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    name: String,
    lines: Vec<Line>,
    prices: Vec<u64>,
    notes: BTreeMap<String, Vec<String>>,
    index: HashMap<u32, Line>,
    blob: bytes::Bytes,
    parent: Option<Box<Order>>,
    empty: Vec<()>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    sku: String,
    tags: Vec<Vec<String>>,
    count: Option<u64>,
}

/// The most that decoding these bytes had allocated at any moment.
fn peak<T: DeserializeOwned>(codec: Codec, bytes: &[u8]) -> usize {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    drop(codec.decode::<T>(bytes));
    ALLOCATED.peak_usage().saturating_sub(before)
}

fn stays_within<T: DeserializeOwned>(codec: Codec, bytes: &[u8]) {
    let (peak, allowed) = (peak::<T>(codec, bytes), bytes.len() * FACTOR + CONSTANT);
    assert!(
        peak <= allowed,
        "{codec:?} as {}: {} bytes made it allocate {peak}: {:?}",
        std::any::type_name::<T>(),
        bytes.len(),
        &bytes[..bytes.len().min(40)]
    );
}

/// Each type is a shape that a length can lie about.
fn all_shapes(codec: Codec, bytes: &[u8]) {
    stays_within::<Order>(codec, bytes);
    stays_within::<String>(codec, bytes);
    stays_within::<bytes::Bytes>(codec, bytes);
    stays_within::<Vec<u8>>(codec, bytes);
    stays_within::<Vec<u64>>(codec, bytes);
    stays_within::<Vec<()>>(codec, bytes);
    stays_within::<Vec<Vec<Vec<String>>>>(codec, bytes);
    stays_within::<HashMap<u64, [u64; 8]>>(codec, bytes);
    stays_within::<BTreeMap<String, Line>>(codec, bytes);
}

fn order(depth: usize) -> Order {
    let line = || Line { sku: "sku".into(), tags: vec![vec!["a".into()]; 3], count: Some(7) };
    Order {
        name: "n".repeat(40),
        lines: (0..3).map(|_| line()).collect(),
        prices: vec![1; 20],
        notes: [("k".to_owned(), vec!["v".to_owned()])].into(),
        index: [(1, line())].into(),
        blob: vec![0; 30].into(),
        parent: (depth > 0).then(|| Box::new(order(depth - 1))),
        empty: vec![(); 5],
    }
}

/// A valid value with bytes overwritten by ones that announce much.
fn damaged(valid: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for _ in 0..random.usize(1..8) {
        let at = random.usize(..bytes.len());
        // 251 to 254 announce integers of 2 to 16 bytes in bincode, the high bit goes on in postcard.
        bytes[at] = *random.choice([0xfb, 0xfc, 0xfd, 0xfe, 0xff, 0x80, b'[', b'"', b'9'].iter()).unwrap();
    }
    bytes.truncate(random.usize(1..=bytes.len()));
    bytes
}

#[test]
fn what_is_allocated_is_bounded_by_what_was_received() {
    let mut random = fastrand::Rng::with_seed(7);
    let codecs = [Codec::Bincode, Codec::Postcard, Codec::Json];
    for codec in codecs {
        // A length of 2⁶², in as many bytes as it takes, alone and before some more.
        for bomb in
            [&[0xfd, 0, 0, 0, 0, 0, 0, 0, 0x40][..], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]]
        {
            all_shapes(codec, bomb);
            all_shapes(codec, &[bomb, &[1; 100]].concat());
            all_shapes(codec, &bomb.repeat(50));
        }
        let valid = codec.encode(&order(3)).unwrap();
        all_shapes(codec, &valid);
        for _ in 0..5_000 {
            all_shapes(codec, &damaged(&valid, &mut random));
        }
        for length in [1, 10, 100, 1000, 10_000] {
            let noise: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
            all_shapes(codec, &noise);
            all_shapes(codec, &vec![b'['; length]);
            all_shapes(codec, &vec![1; length]);
        }
    }
    // The counter counts.
    assert!(
        peak::<Vec<u64>>(Codec::Bincode, &Codec::Bincode.encode(&vec![1_u64; 10_000]).unwrap()) >= 80_000
    );
}
