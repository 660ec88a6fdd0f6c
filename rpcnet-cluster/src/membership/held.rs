//! A record as it is held: with the bytes in which it travels and their hash, which are worked out once.

use std::ops::Deref;
use std::sync::Arc;

use super::message::{bucket_of, hash, record_bytes};
use super::record::Record;

/// A record that does not change any more. Cloning it costs a count: a page of records and the table that it is made of share them.
#[derive(Clone, Debug)]
pub(crate) struct Held(Arc<Whole>);

#[derive(Debug)]
struct Whole {
    record: Record,
    bytes: Box<[u8]>,
    hash: u64,
    bucket: u8,
}

impl Held {
    /// What all nodes that hold the same of a member agree in.
    pub(crate) fn hash(&self) -> u64 {
        self.0.hash
    }

    /// As it is written into a message, without the length that precedes it there.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// In which part of all records it is.
    pub(crate) fn bucket(&self) -> usize {
        usize::from(self.0.bucket)
    }
}

impl From<Record> for Held {
    fn from(record: Record) -> Self {
        let bytes = record_bytes(&record);
        let (hash, bucket) = (hash(0x7265_636f_7264, &bytes), bucket_of(record.id) as u8);
        Self(Arc::new(Whole { record, bytes: bytes.into(), hash, bucket }))
    }
}

impl Deref for Held {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0.record
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.bytes == other.0.bytes
    }
}

impl Eq for Held {}
