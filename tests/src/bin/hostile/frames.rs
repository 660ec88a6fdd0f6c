//! Frames, made from the protocol's description alone: the attacker may be wrong on purpose.

use rpcnet::MethodId;

pub(crate) const CALL: u8 = 1;
pub(crate) const DATA: u8 = 2;
pub(crate) const CANCEL: u8 = 4;
pub(crate) const PING: u8 = 5;
pub(crate) const GO_AWAY: u8 = 7;
pub(crate) const FINISH: u8 = 8;
pub(crate) const RESET: u8 = 9;
pub(crate) const STOP: u8 = 10;
pub(crate) const CREDIT: u8 = 11;
/// A kind that no version has.
pub(crate) const UNKNOWN: u8 = 200;

pub(crate) const END: u8 = 1;
pub(crate) const KEYED: u8 = 2;
pub(crate) const STREAMING: u8 = 4;
pub(crate) const ITEMS: u8 = 8;
pub(crate) const METADATA: u8 = 32;

pub(crate) const BINCODE: u8 = 1;
pub(crate) const POSTCARD: u8 = 2;
pub(crate) const JSON: u8 = 3;

const HEADER_BYTES: usize = 16;
const REPLY: u8 = 3;

/// Of the hello, which is as long from either end.
pub(crate) const HELLO_BYTES: usize = 26;

/// A client's first bytes: version 1, a codec, messages up to 16 MiB, no calls taken, a stream's window.
pub(crate) fn hello(codec: u8) -> [u8; HELLO_BYTES] {
    let mut hello = *b"RpcN\x01\x01\x01\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\x04\0\0\0";
    hello[6] = codec;
    hello
}

/// Names a call. The slots of a connection are to be used in order the first time.
pub(crate) fn id(sequence: u64, slot: u64) -> u64 {
    sequence << 24 | slot << 1
}

/// So many slots go round in an attack that makes more calls than there may be at once.
pub(crate) const SLOTS: u64 = 4000;

/// Names the next call of a connection, the first being number 0. The call that had its slot before is cancelled. That is so
/// much later that its handler has begun: in one read the two would meet before.
pub(crate) fn next_id(out: &mut Vec<u8>, number: u64) -> u64 {
    if let Some(before) = number.checked_sub(SLOTS) {
        bare(out, CANCEL, id(before + 1, before % SLOTS));
    }
    id(number + 1, number % SLOTS)
}

/// Adds a frame.
pub(crate) fn put(out: &mut Vec<u8>, kind: u8, flags: u8, id: u64, head: &[u8], payload: &[u8]) {
    header(out, kind, flags, id, head.len() + payload.len(), head.len());
    out.extend_from_slice(head);
    out.extend_from_slice(payload);
}

/// Adds the header of a frame, which may announce anything.
pub(crate) fn header(out: &mut Vec<u8>, kind: u8, flags: u8, id: u64, length: usize, head: usize) {
    out.extend_from_slice(&(length as u32).to_le_bytes());
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&(head as u16).to_le_bytes());
    out.extend_from_slice(&id.to_le_bytes());
}

/// Adds a frame without head and payload.
pub(crate) fn bare(out: &mut Vec<u8>, kind: u8, id: u64) {
    put(out, kind, 0, id, &[], &[]);
}

/// Adds a call without a deadline, whole.
pub(crate) fn call(out: &mut Vec<u8>, method: &str, flags: u8, id: u64, arguments: &[u8]) {
    put(out, CALL, END | flags, id, &call_head(method), arguments);
}

/// Adds a call with a request id.
pub(crate) fn keyed(out: &mut Vec<u8>, method: &str, id: u64, request_id: u128) {
    let head = [&call_head(method)[..], &request_id.to_le_bytes()].concat();
    put(out, CALL, END | KEYED, id, &head, &[]);
}

/// Adds a call with 8 KiB of metadata, which is as much as there may be, in so many pairs.
pub(crate) fn metadata_call(out: &mut Vec<u8>, method: &str, id: u64, pairs: u16) {
    let mut head = call_head(method);
    head.extend_from_slice(&pairs.to_le_bytes());
    let value = vec![b'x'; usize::from(METADATA_BYTES / pairs) - METADATA_PAIR_BYTES];
    for pair in 0..pairs {
        head.extend_from_slice(&4u16.to_le_bytes());
        head.extend_from_slice(format!("{pair:04x}").as_bytes());
        head.extend_from_slice(&(value.len() as u16).to_le_bytes());
        head.extend_from_slice(&value);
    }
    put(out, CALL, END | METADATA, id, &head, &[]);
}

const METADATA_BYTES: u16 = 8 << 10;
/// A name of four letters and a value of none.
const METADATA_PAIR_BYTES: usize = 8;

/// Method, no deadline, no fingerprint.
fn call_head(method: &str) -> Vec<u8> {
    let method = u64::from_str_radix(&MethodId::of(method).to_string(), 16).unwrap_or_default();
    [&method.to_le_bytes()[..], &u64::MAX.to_le_bytes(), &[0; 4]].concat()
}

/// Adds frames that are skipped, of together so many bytes.
pub(crate) fn padding(out: &mut Vec<u8>, bytes: usize) {
    let payload = [0; 60_000];
    let until = out.len() + bytes;
    while out.len() < until {
        let length = (until - out.len()).saturating_sub(16).min(payload.len());
        put(out, UNKNOWN, 0, 0, &[], &payload[..length]);
    }
}

/// What the server says, cut into frames.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    rest: Vec<u8>,
}

impl Heard {
    /// Takes in what was read, and tells of each answer what it was.
    pub(crate) fn add(&mut self, bytes: &[u8], mut answered: impl FnMut(&'static str)) {
        self.rest.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(header) = self.rest[at..].first_chunk::<HEADER_BYTES>() {
            let [a, b, c, d, kind, ..] = *header;
            let end = at + HEADER_BYTES + u32::from_le_bytes([a, b, c, d]) as usize;
            let Some(frame) = self.rest.get(at + HEADER_BYTES..end) else { break };
            if kind == REPLY {
                answered(answer(frame));
            }
            at = end;
        }
        self.rest.drain(..at);
    }
}

/// The name of an answer: of the outcome, or of a status's reason.
fn answer(frame: &[u8]) -> &'static str {
    match *frame {
        [0, ..] => "Ok",
        [1 | 2, ..] => "Err",
        [3, _, _, 5, ..] => "UndecodableArguments",
        [3, _, _, 8, ..] => "MessageTooLarge",
        [3, _, _, 9, ..] => "TooManyCalls",
        [3, _, _, 10, ..] => "Overloaded",
        [3, _, _, 19, ..] => "IncompatibleMethod",
        _ => "another status",
    }
}
