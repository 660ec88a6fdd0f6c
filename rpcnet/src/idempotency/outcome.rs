//! How a request ended, as far as it is remembered.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    client::caller::Answer,
    status::{Executed, Status},
};

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
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
pub(super) struct Kept {
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
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
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
            assert_eq!(Kept::new(&answer).answer(), answer);
        }
    }
}
