//! A disk that becomes full while the store is open.

use std::{
    io::{Error, ErrorKind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::{Database, StorageBackend, backends::InMemoryBackend};

use super::{RedbStore, killed, over};
use crate::{
    idempotency::{
        CacheLimits,
        store::conformance::{UNKNOWN, answer, call, replay, run},
    },
    status::{Executed, Reason},
};

/// A disk in memory, which keeps what was written when the database over it is closed.
#[derive(Debug, Clone, Default)]
struct Disk {
    bytes: Arc<InMemoryBackend>,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn room(&self) -> Result<(), Error> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    fn store(&self) -> RedbStore {
        let database = Database::builder().create_with_backend(self.clone()).expect("what was written");
        RedbStore::with_database(Arc::new(database), CacheLimits::default()).expect("its tables")
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        self.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        self.bytes.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.room().and_then(|()| self.bytes.set_len(len))
    }

    fn sync_data(&self) -> Result<(), Error> {
        self.room().and_then(|()| self.bytes.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.room().and_then(|()| self.bytes.write(offset, data))
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_full_disk_nothing_new_runs_and_what_ran_is_unknown_when_there_is_room_again() {
    let disk = Disk::default();
    let store = disk.store();
    let cache = over(&store);
    run(&cache, &call(1, b"")).await.finish(Ok(&answer(3))).await;
    let runs = run(&cache, &call(2, b"")).await;
    disk.full.store(true, Ordering::SeqCst);
    let away = Err((Reason::RecordsUnavailable, Executed::No));
    assert_eq!(replay(&cache, &call(3, b"")).await, away);
    runs.finish(Ok(&answer(3))).await;
    disk.full.store(false, Ordering::SeqCst);
    assert_eq!(replay(&cache, &call(3, b"")).await, away, "what is half written is not gone on with");
    drop((cache, store));
    let cache = over(&disk.store());
    assert_eq!(replay(&cache, &call(1, b"")).await, Ok(answer(3)));
    assert_eq!(replay(&cache, &call(2, b"")).await, UNKNOWN, "its end could not be written");
    killed(run(&cache, &call(3, b"")).await);
}
