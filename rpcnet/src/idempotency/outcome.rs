//! How a request ended, as far as it is remembered.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    client::caller::Answer,
    status::{Executed, Status},
};

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It ran, and this was its answer; the method's own `Err` is one.
    Answered(Kept),
    /// It began, and what it did is not known: a tombstone.
    Unknown,
    /// Nothing of it ran. No record of it stays, and the next call with its id is the first.
    NothingRan,
}

/// An answer as it is kept: its bytes in an allocation of their own, since those that came out of a codec may be part of
/// a larger one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    kind: AnswerKind,
    bytes: Arc<[u8]>,
}

/// Which of the three kinds of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AnswerKind {
    Ok,
    App,
    AppError,
}

impl Kept {
    pub(super) fn new(answer: &Answer) -> Self {
        let (kind, bytes) = match answer {
            Answer::Ok(bytes) => (AnswerKind::Ok, bytes),
            Answer::App(bytes) => (AnswerKind::App, bytes),
            Answer::AppError(bytes) => (AnswerKind::AppError, bytes),
        };
        Self { kind, bytes: Arc::from(&bytes[..]) }
    }

    /// The answer, for whoever asks again.
    pub(super) fn answer(&self) -> Answer {
        /// Small answers are copied: cheaper than an owner of their own.
        const COPIED_MAX: usize = 512;
        let bytes = match self.bytes.len() {
            ..=COPIED_MAX => Bytes::copy_from_slice(&self.bytes),
            _ => Bytes::from_owner(Arc::clone(&self.bytes)),
        };
        match self.kind {
            AnswerKind::Ok => Answer::Ok(bytes),
            AnswerKind::App => Answer::App(bytes),
            AnswerKind::AppError => Answer::AppError(bytes),
        }
    }

    /// How many bytes it has.
    #[expect(clippy::len_without_is_empty, reason = "an answer without bytes is an answer")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// As a store writes it: one byte of which kind it is, and its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let kind = match self.kind {
            AnswerKind::Ok => 0,
            AnswerKind::App => 1,
            AnswerKind::AppError => 2,
        };
        let mut bytes = Vec::with_capacity(1 + self.bytes.len());
        bytes.push(kind);
        bytes.extend_from_slice(&self.bytes);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote. `None` if it was something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, bytes) = bytes.split_first()?;
        let kind = match kind {
            0 => AnswerKind::Ok,
            1 => AnswerKind::App,
            2 => AnswerKind::AppError,
            _ => return None,
        };
        Some(Self { kind, bytes: Arc::from(bytes) })
    }
}

impl Outcome {
    /// How a request ended whose handler gave this.
    pub(super) fn of(result: Result<&Answer, &Status>) -> Self {
        match result {
            Ok(answer) => Outcome::Answered(Kept::new(answer)),
            Err(status) if status.executed() == Executed::No => Outcome::NothingRan,
            Err(_) => Outcome::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_as_what_it_was() {
        for answer in [
            Answer::Ok(Bytes::from_static(b"a")),
            Answer::App(vec![7; 1000].into()),
            Answer::AppError(Bytes::new()),
        ] {
            let kept = Kept::new(&answer);
            assert_eq!(kept.answer(), answer);
            assert_eq!(Kept::from_bytes(&kept.to_bytes()), Some(kept), "and as a store reads it");
        }
    }
}
