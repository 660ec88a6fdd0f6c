//! The heads of CALL and REPLY: what a frame says of its call, apart from the payload.

use std::{sync::Arc, time::Duration};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use uuid::Uuid;

use super::{frame::flags, limits::STATUS_MESSAGE_MAX};
use crate::{
    client::caller::Answer,
    descriptor::MethodId,
    metadata::Metadata,
    status::{Code, Executed, Reason, Status},
    trace::TraceContext,
};

/// What a CALL frame says of its call.
///
/// ```text
///  0           8            16            20           36             52         77
/// +-----------+------------+-------------+------------+--------------+----------+----------------------------------------+
/// | method id | timeout µs | fingerprint | request id | age,         | trace    | count, then for each pair of metadata: |
/// |           |            |             | KEYED      | connected µs | TRACED   | name length, name, value length, value |
/// +-----------+------------+-------------+------------+--------------+----------+----------------------------------------+
///   u64         u64          u32           16 bytes     u64, u64       25 bytes   u16; u16, UTF-8, u16, UTF-8     METADATA
///                                                       REPEAT
/// ```
///
/// The last four are there only with the flag below their names; what follows moves up.
///
/// The timeout is what is left of the deadline when the frame is made; `u64::MAX` stands for none. It travels as a
/// remaining time since the two ends' clocks need not agree. The fingerprint is the lower half of the method's, by which the
/// server sees that the two ends mean different things; 0 stands for a caller that does not know the method's types. The
/// trace is the trace id and the span id, big-endian as in `traceparent`, and its flags. A repeat says how long ago the first
/// attempt was sent, and how long ago this connection was open; the uppermost bit of its age stands for an earlier
/// attempt that may have reached another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallHead {
    pub(crate) method: MethodId,
    pub(crate) timeout: Option<Duration>,
    pub(crate) fingerprint: u32,
    pub(crate) request_id: Option<Uuid>,
    /// Of a keyed call that is not the first with its id. In a box, like the trace: most calls have neither, and a head is
    /// moved often.
    pub(crate) repeat: Option<Box<RepeatHead>>,
    pub(crate) trace: Option<Box<TraceContext>>,
    pub(crate) metadata: Option<Arc<Metadata>>,
    /// The caller knows the method as one with a stream.
    pub(crate) streaming: bool,
    /// The caller streams.
    pub(crate) items: bool,
}

/// What a repeat says of the attempts before it, at the moment its frame is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RepeatHead {
    /// How long ago the first attempt was sent.
    pub(crate) age: Duration,
    /// How long ago the client saw that this connection was open. Against it the server measures an attempt that is older than
    /// the connection, so that no delay on the way makes it look younger than it is.
    pub(crate) connected: Duration,
    /// An earlier attempt may have reached another process.
    pub(crate) elsewhere: bool,
}

impl RepeatHead {
    const BYTES: usize = 16;
    const ELSEWHERE: u64 = 1 << 63;

    fn encode(&self, out: &mut BytesMut) {
        let elsewhere = if self.elsewhere { Self::ELSEWHERE } else { 0 };
        out.put_u64_le(micros(self.age, !Self::ELSEWHERE) | elsewhere);
        out.put_u64_le(micros(self.connected, u64::MAX));
    }

    fn decode(head: &mut &[u8]) -> Option<Self> {
        let (age, connected) = (head.try_get_u64_le().ok()?, head.try_get_u64_le().ok()?);
        let elsewhere = age & Self::ELSEWHERE != 0;
        let age = Duration::from_micros(age & !Self::ELSEWHERE);
        Some(Self { age, connected: Duration::from_micros(connected), elsewhere })
    }
}

impl CallHead {
    const FIXED_BYTES: usize = 20;
    const REQUEST_ID_BYTES: usize = 16;
    const TRACE_BYTES: usize = 25;

    pub(crate) fn flags(&self) -> u8 {
        let flag = |there: bool, flag: u8| if there { flag } else { 0 };
        flag(self.request_id.is_some(), flags::KEYED)
            | flag(self.repeat.is_some(), flags::REPEAT)
            | flag(self.trace.is_some(), flags::TRACED)
            | flag(self.metadata.is_some(), flags::METADATA)
            | flag(self.streaming, flags::STREAMING)
            | flag(self.items, flags::ITEMS)
    }

    pub(crate) fn encoded_len(&self) -> usize {
        Self::FIXED_BYTES
            + self.request_id.map_or(0, |_| Self::REQUEST_ID_BYTES)
            + self.repeat.as_ref().map_or(0, |_| RepeatHead::BYTES)
            + self.trace.as_ref().map_or(0, |_| Self::TRACE_BYTES)
            + self.metadata.as_ref().map_or(0, |metadata| 2 + metadata.encoded_len())
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_u64_le(self.method.to_bits());
        out.put_u64_le(self.timeout.map_or(u64::MAX, |timeout| micros(timeout, u64::MAX - 1)));
        out.put_u32_le(self.fingerprint);
        if let Some(id) = self.request_id {
            out.put_slice(id.as_bytes());
        }
        if let Some(repeat) = &self.repeat {
            repeat.encode(out);
        }
        if let Some(trace) = &self.trace {
            out.put_u128(trace.trace_id());
            out.put_u64(trace.span_id());
            out.put_u8(trace.flags());
        }
        if let Some(metadata) = &self.metadata {
            // Within `Metadata::BYTES_MAX` no count or length is over 16 bits.
            out.put_u16_le(metadata.iter().count() as u16);
            for text in metadata.iter().flat_map(|(name, value)| [name, value]) {
                out.put_u16_le(text.len() as u16);
                out.put_slice(text.as_bytes());
            }
        }
    }

    /// Reads a head; `None` when it is too short, or what it says cannot be. What follows is of a later version and skipped.
    pub(crate) fn decode(mut head: &[u8], said: u8) -> Option<Self> {
        let has = |flag: u8| said & flag != 0;
        let method = MethodId::from_bits(head.try_get_u64_le().ok()?);
        let timeout = Some(head.try_get_u64_le().ok()?).filter(|micros| *micros != u64::MAX);
        let fingerprint = head.try_get_u32_le().ok()?;
        let request_id =
            if has(flags::KEYED) { Some(Uuid::from_u128(head.try_get_u128().ok()?)) } else { None };
        let repeat = if has(flags::REPEAT) { Some(Box::new(RepeatHead::decode(&mut head)?)) } else { None };
        let trace = if has(flags::TRACED) { Some(Box::new(decode_trace(&mut head)?)) } else { None };
        let metadata = if has(flags::METADATA) { Some(Arc::new(decode_metadata(&mut head)?)) } else { None };
        Some(Self {
            method,
            timeout: timeout.map(Duration::from_micros),
            fingerprint,
            request_id,
            repeat,
            trace,
            metadata,
            streaming: has(flags::STREAMING),
            items: has(flags::ITEMS),
        })
    }
}

fn decode_trace(head: &mut &[u8]) -> Option<TraceContext> {
    let (trace_id, span_id) = (head.try_get_u128().ok()?, head.try_get_u64().ok()?);
    TraceContext::from_parts(trace_id, span_id, head.try_get_u8().ok()?)
}

fn decode_metadata(head: &mut &[u8]) -> Option<Metadata> {
    let mut metadata = Metadata::new();
    let pairs = head.try_get_u16_le().ok()?;
    // Before any is read: thousands that each replace the one before are not more than one pair in the end.
    if usize::from(pairs) > Metadata::PAIRS_MAX {
        return None;
    }
    for _ in 0..pairs {
        let (name, value) = (decode_text(head)?, decode_text(head)?);
        metadata.insert(name, value).ok()?;
    }
    Some(metadata)
}

fn decode_text<'h>(head: &mut &'h [u8]) -> Option<&'h str> {
    let length = usize::from(head.try_get_u16_le().ok()?);
    let (text, rest) = head.split_at_checked(length)?;
    *head = rest;
    std::str::from_utf8(text).ok()
}

/// Whole microseconds, and `most` for what is longer: over 290 000 years in each of the fields.
fn micros(duration: Duration, most: u64) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(most)
}

/// What a REPLY frame says of its answer.
///
/// ```text
///  0         1      2          3        4                8
/// +---------+------+----------+--------+----------------+
/// | outcome | code | executed | reason | retry after ms |   all but the outcome: only for a status
/// +---------+------+----------+--------+----------------+
///   u8        u8     u8         u8       u32
/// ```
///
/// Outcome 0 is `Ok`, 1 the method's `Err`, 2 an `Err` that is an `AppError`, 3 a status, whose text is the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyHead {
    Ok,
    App,
    AppError,
    Status { code: Code, executed: Executed, reason: Reason, retry_after: Option<Duration> },
}

impl ReplyHead {
    /// Takes a result apart into what goes into the head and what into the payload.
    pub(crate) fn split(result: Result<Answer, Status>) -> (Self, Bytes) {
        match result {
            Ok(Answer::Ok(payload)) => (ReplyHead::Ok, payload),
            Ok(Answer::App(payload)) => (ReplyHead::App, payload),
            Ok(Answer::AppError(payload)) => (ReplyHead::AppError, payload),
            Err(status) => {
                let (code, executed, reason) = (status.code(), status.executed(), status.reason());
                let head = ReplyHead::Status { code, executed, reason, retry_after: status.retry_hint() };
                (head, Bytes::from(cut(status.message(), STATUS_MESSAGE_MAX).to_owned()))
            }
        }
    }

    /// Puts head and payload together again.
    pub(crate) fn join(self, payload: Bytes) -> Result<Answer, Status> {
        match self {
            ReplyHead::Ok => Ok(Answer::Ok(payload)),
            ReplyHead::App => Ok(Answer::App(payload)),
            ReplyHead::AppError => Ok(Answer::AppError(payload)),
            ReplyHead::Status { code, executed, reason, retry_after } => {
                let text = String::from_utf8_lossy(&payload);
                let status = Status::with_code(code, reason, executed, cut(&text, STATUS_MESSAGE_MAX));
                Err(match retry_after {
                    Some(delay) => status.retry_after(delay),
                    None => status,
                })
            }
        }
    }

    /// Whether the payload is the text of a status, which is short and which every client takes.
    pub(crate) fn is_status(self) -> bool {
        matches!(self, ReplyHead::Status { .. })
    }

    pub(crate) fn encoded_len(self) -> usize {
        if self.is_status() { 8 } else { 1 }
    }

    pub(crate) fn encode(self, out: &mut BytesMut) {
        match self {
            ReplyHead::Ok => out.put_u8(0),
            ReplyHead::App => out.put_u8(1),
            ReplyHead::AppError => out.put_u8(2),
            ReplyHead::Status { code, executed, reason, retry_after } => {
                out.put_slice(&[3, code.to_wire(), executed.to_wire(), reason.to_wire()]);
                out.put_u32_le(retry_after.map_or(0, |delay| {
                    // 0 stands for "no hint": a hint of less than a millisecond is rounded up to one.
                    u32::try_from(delay.as_millis()).unwrap_or(u32::MAX).max(1)
                }));
            }
        }
    }

    /// Reads a head; `None` when it is too short or says nothing known.
    pub(crate) fn decode(head: &[u8]) -> Option<Self> {
        match (head.first()?, head) {
            (0, _) => Some(ReplyHead::Ok),
            (1, _) => Some(ReplyHead::App),
            (2, _) => Some(ReplyHead::AppError),
            (3, [_, code, executed, reason, a, b, c, d, ..]) => {
                let hint = Some(u32::from_le_bytes([*a, *b, *c, *d])).filter(|millis| *millis != 0);
                Some(ReplyHead::Status {
                    code: Code::from_wire(*code),
                    executed: Executed::from_wire(*executed),
                    reason: Reason::from_wire(*reason),
                    retry_after: hint.map(|millis| Duration::from_millis(millis.into())),
                })
            }
            _ => None,
        }
    }
}

/// At most `max` bytes of a text, cut where a character ends.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_of_any_age_is_read_as_it_was_written_and_never_as_a_younger_one() {
        let longest = Duration::from_micros(u64::MAX >> 1);
        for age in [
            Duration::ZERO,
            Duration::from_secs(3),
            longest,
            longest + Duration::from_micros(1),
            Duration::MAX,
        ] {
            for elsewhere in [false, true] {
                let connected = Duration::from_micros(u64::MAX);
                let mut bytes = BytesMut::new();
                RepeatHead { age, connected, elsewhere }.encode(&mut bytes);
                let read = RepeatHead::decode(&mut &bytes[..]);
                assert_eq!(read, Some(RepeatHead { age: age.min(longest), connected, elsewhere }));
            }
        }
    }
}
