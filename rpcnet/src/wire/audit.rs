//! What a connection holds in memory, counted anew: for tests, which hold it against the connection's own books.

use super::{
    connection::{Connection, State},
    limits::Limits,
};

/// What one end of a connection keeps. Bytes are those of payloads.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// Calls of this end that are not closed.
    pub(crate) opened: usize,
    /// Calls of the peer that are not over.
    pub(crate) accepted: usize,
    /// Arguments and items of the peer's calls whose end has not come.
    pub(crate) incomplete: usize,
    /// Answers to this end's calls whose end has not come.
    pub(crate) answers: usize,
    /// Items, and pieces of items, that wait for their reader, with their frames' headers.
    pub(crate) unread: usize,
    /// What waits to be sent.
    pub(crate) unsent: usize,
    /// What waits to be told.
    pub(crate) outputs: usize,
}

impl Held {
    fn expect_within(&self, limits: &Limits) {
        let window = limits.stream_window as usize;
        assert!(self.accepted <= limits.calls_max as usize, "more calls than `calls_max`: {self:?}");
        assert!(self.incomplete <= limits.buffered_bytes_max, "more than `buffered_bytes_max`: {self:?}");
        // Of the peer's calls at most `streams_max` have streams; how many of this end's have is the peer's limit.
        let streams = limits.streams_max as usize + self.opened;
        assert!(self.unread <= streams * window, "more than a window for each stream: {self:?}");
        let answers = self.opened * limits.message_bytes_max as usize;
        assert!(self.answers <= answers, "more than a message for each answer: {self:?}");
    }
}

impl Connection {
    /// Counts what is held.
    ///
    /// # Panics
    ///
    /// When the books of the connection say otherwise, or it is more than the limits allow.
    pub(crate) fn audit(&self) -> Held {
        let closed = matches!(self.state, State::Closed);
        let mut held = Held {
            unsent: self.outbox.audit(),
            outputs: self.outputs.len() + self.opened.stopped_count() + self.accepted.stopped_count(),
            ..Held::default()
        };
        self.opened.audit(&mut held);
        // A closed connection cuts the peer's calls and leaves the books as they are.
        if !closed {
            self.accepted.audit(&mut held);
            held.expect_within(&self.limits);
        }
        held
    }
}
