//! The heads of CALL and REPLY: what a frame says of its call, apart from the payload.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use uuid::Uuid;

use super::limits::STATUS_MESSAGE_MAX;
use crate::{
    client::caller::Answer,
    descriptor::MethodId,
    status::{Code, Executed, Reason, Status},
};

/// What a CALL frame says of its call.
///
/// ```text
///  0           8            16              32
/// +-----------+------------+---------------+
/// | method id | timeout µs | request id    |   request id: only with the flag KEYED
/// +-----------+------------+---------------+
///   u64         u64          16 bytes
/// ```
///
/// The timeout is what is left of the deadline when the frame is made; `u64::MAX` stands for none. It travels as a
/// remaining time since the two ends' clocks need not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallHead {
    pub(crate) method: MethodId,
    pub(crate) timeout: Option<Duration>,
    pub(crate) request_id: Option<Uuid>,
}

impl CallHead {
    pub(crate) fn encoded_len(&self) -> usize {
        if self.request_id.is_some() { 32 } else { 16 }
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_u64_le(self.method.to_bits());
        out.put_u64_le(self.timeout.map_or(u64::MAX, micros));
        if let Some(id) = self.request_id {
            out.put_slice(id.as_bytes());
        }
    }

    /// Reads a head; `None` when it is too short. What follows is of a later version and skipped.
    pub(crate) fn decode(mut head: &[u8], keyed: bool) -> Option<Self> {
        let method = MethodId::from_bits(head.try_get_u64_le().ok()?);
        let timeout = Some(head.try_get_u64_le().ok()?).filter(|micros| *micros != u64::MAX);
        let request_id = keyed.then(|| head.get(..16).and_then(|id| Uuid::from_slice(id).ok()));
        let request_id = match request_id {
            Some(id) => Some(id?),
            None => None,
        };
        Some(Self { method, timeout: timeout.map(Duration::from_micros), request_id })
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX - 1).min(u64::MAX - 1)
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
