//! What is known of the calls, from what was asked for alone.

use std::collections::VecDeque;

use bytes::Bytes;
use rpcnet::{Executed, Status};

/// A call.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) arguments: usize,
    pub(crate) request_id: Option<uuid::Uuid>,
    pub(crate) streaming: bool,
    /// The server was told of it, and has not given up waiting.
    pub(crate) called: bool,
    /// What the server answered: a length, or a refusal.
    pub(crate) replied: Option<Option<usize>>,
    /// The client was told how it ended.
    pub(crate) answered: Option<Result<(), Executed>>,
    /// The client closed it.
    pub(crate) closed: bool,
    /// What the client wrote, and what the server wrote.
    pub(crate) streams: [Written; 2],
}

impl Call {
    /// The server is told of it.
    pub(crate) fn is_called(&mut self, arguments: &Bytes, request_id: Option<uuid::Uuid>, streaming: bool) {
        assert!(!std::mem::replace(&mut self.called, true), "the server is told twice");
        assert_ne!(
            self.answered,
            Some(Err(Executed::No)),
            "it runs, and its caller was told that it does not"
        );
        assert_eq!(*arguments, payload(1, self.arguments), "the arguments of another call");
        assert_eq!((request_id, streaming), (self.request_id, self.streaming), "another call");
    }

    /// The client is told of its end.
    pub(crate) fn is_answered(&mut self, result: Result<Bytes, Status>) {
        assert!(!self.closed, "an answer to nobody");
        match &result {
            Ok(answer) => {
                let replied = self.replied.flatten().expect("the server has answered");
                assert_eq!(*answer, payload(3, replied), "the answer of another call");
            }
            Err(status) => {
                assert!(status.executed() != Executed::No || !self.called, "it ran: {status}");
                assert!(status.executed() != Executed::Yes || self.called, "it did not run: {status}");
            }
        }
        let before = self.answered.replace(result.map(drop).map_err(|status| status.executed()));
        assert_eq!(before, None, "a call ends twice");
    }
}

/// What one end has written to a stream, and the other has read.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Number and length of the items handed over, not yet read.
    under_way: VecDeque<(u32, usize)>,
    next: u32,
    /// There is such a stream.
    pub(crate) open: bool,
    /// Its writer said that it is complete, or cut.
    ended: Option<bool>,
    pub(crate) read_to_the_end: bool,
}

impl Written {
    /// Its writer ends it.
    pub(crate) fn end(&mut self, whole: bool) {
        if self.open {
            self.ended.get_or_insert(whole);
        }
    }

    pub(crate) fn may_go_on(&self) -> bool {
        self.open && self.ended.is_none()
    }

    /// The next items that are to be written.
    pub(crate) fn next(&self, count: u8, bytes: usize) -> VecDeque<Bytes> {
        (0..u32::from(count)).map(|n| item(self.next + n, bytes)).collect()
    }

    /// So many items of these bytes were taken.
    pub(crate) fn taken(&mut self, count: usize, bytes: usize) {
        let numbers = self.next..self.next + count as u32;
        self.next = numbers.end;
        self.under_way.extend(numbers.map(|number| (number, bytes.max(4))));
    }

    /// What is under way or unread, with headers, but for the newest item, which may be begun only.
    pub(crate) fn ahead(&self) -> usize {
        self.under_way.iter().rev().skip(1).map(|(_, bytes)| bytes + 16).sum()
    }

    /// Its reader found this.
    pub(crate) fn is_read(&mut self, items: Vec<Bytes>, end: Option<Result<(), Status>>) {
        assert!(items.is_empty() || !self.read_to_the_end, "an item after the end");
        for read in items {
            let (number, bytes) = self.under_way.pop_front().expect("no item that was not written");
            assert_eq!(read, item(number, bytes), "in order, once, whole");
        }
        if let Some(end) = end {
            if end.is_ok() && !self.read_to_the_end {
                assert_eq!(self.ended, Some(true), "complete means that its writer said so");
                assert!(self.under_way.is_empty(), "complete means all of it");
            }
            self.read_to_the_end = true;
        }
    }
}

/// An item that says which it is.
fn item(number: u32, bytes: usize) -> Bytes {
    let mut item = number.to_le_bytes().to_vec();
    item.resize(bytes.max(4), 7);
    item.into()
}

/// A message that says whose it is and how long.
pub(crate) fn payload(whose: u8, bytes: usize) -> Bytes {
    let mut payload = vec![whose; bytes];
    payload.iter_mut().zip((bytes as u32).to_le_bytes()).for_each(|(byte, length)| *byte ^= length);
    payload.into()
}
