//! Items in order, at either end: those that wait to be sent, those that have come and wait for their reader.

use std::collections::VecDeque;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::pack;

/// Items under this size are copied together, larger ones are held each by itself: where one is kept, not many others are.
pub(super) const TOGETHER_BELOW: usize = 16 << 10;

/// Items in order.
#[derive(Debug, Default)]
pub(crate) struct Items {
    /// The small ones, each behind its length.
    small: BytesMut,
    runs: VecDeque<Run>,
    /// What they take up, with their lengths.
    bytes: usize,
}

/// Where the next items are.
#[derive(Debug)]
enum Run {
    /// In the next so many bytes of the small ones.
    Small(usize),
    Large(Bytes),
}

impl Items {
    pub(crate) fn push(&mut self, item: Bytes) {
        if item.len() < TOGETHER_BELOW {
            self.small.reserve(pack::LENGTH_BYTES + item.len());
            self.small.put_u16_le(item.len() as u16);
            self.small.put_slice(&item);
            self.grow(pack::LENGTH_BYTES + item.len());
        } else {
            self.bytes += item.len();
            self.runs.push_back(Run::Large(item));
        }
    }

    /// Adds the items of a pack.
    pub(super) fn push_pack(&mut self, pack: &[u8]) {
        self.small.extend_from_slice(pack);
        self.grow(pack.len());
    }

    fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        match self.runs.back_mut() {
            Some(Run::Small(run)) => *run += bytes,
            _ => self.runs.push_back(Run::Small(bytes)),
        }
    }

    /// The next item.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let length = self.next_len()?;
        if let Some(Run::Small(_)) = self.runs.front() {
            self.skip(pack::LENGTH_BYTES);
            let item = self.small.split_to(length).freeze();
            self.shrink(length);
            return Some(item);
        }
        self.bytes -= length;
        match self.runs.pop_front() {
            Some(Run::Large(item)) => Some(item),
            _ => None,
        }
    }

    /// The length of the next item.
    pub(crate) fn next_len(&self) -> Option<usize> {
        match self.runs.front()? {
            Run::Small(_) => pack::first_len(&self.small),
            Run::Large(item) => Some(item.len()),
        }
    }

    /// The next items that are small, as many as take up no more than `room`, as a pack. None of them is longer than `longest`.
    pub(super) fn front(&self, room: usize, longest: usize) -> &[u8] {
        match self.runs.front() {
            Some(Run::Small(run)) => &self.small[..pack::prefix(&self.small[..*run], room, longest)],
            _ => &[],
        }
    }

    /// Drops so many bytes of what `front` gave.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.small.advance(bytes);
        self.shrink(bytes);
    }

    fn shrink(&mut self, bytes: usize) {
        self.bytes -= bytes;
        if let Some(Run::Small(run)) = self.runs.front_mut() {
            *run -= bytes;
            if *run == 0 {
                self.runs.pop_front();
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// What they take up, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Extend<Bytes> for Items {
    fn extend<I: IntoIterator<Item = Bytes>>(&mut self, items: I) {
        items.into_iter().for_each(|item| self.push(item));
    }
}

impl FromIterator<Bytes> for Items {
    fn from_iter<I: IntoIterator<Item = Bytes>>(items: I) -> Self {
        let mut all = Self::default();
        all.extend(items);
        all
    }
}
