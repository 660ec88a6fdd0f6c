//! What a node remembers over its restarts: who it is, and which start this is.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use thiserror::Error;
use uuid::Uuid;

use crate::membership::{GENERATION_MAX, Generation, NodeId};

/// The first line of the file, so that no other file is taken for one.
const TITLE: &str = "rpcnet node";

/// More than the file ever has; a larger one is another file.
const BYTES_MAX: u64 = 256;

/// Why a node's state file cannot be used. The file is left as it is.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet_cluster::{ClusterMembership, JoinError, StateError};
///
/// # let file = std::env::temp_dir().join(format!("not-a-state-{}", std::process::id()));
/// std::fs::write(&file, "notes for Monday")?;
/// let node = ClusterMembership::builder().state_file(&file).join().await;
/// assert!(matches!(node, Err(JoinError::State { cause: StateError::Foreign, .. })), "{node:?}");
/// # std::fs::remove_file(&file)?;
/// # Ok(()) }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// It cannot be read, or its folder is not there.
    #[error("cannot read it: {0}")]
    Unreadable(io::Error),
    /// Something else is written there.
    #[error("it is not the state of a node; name another file, or remove it if nothing needs it")]
    Foreign,
    /// It belongs to a node of another id than [`node_id`](super::ClusterMembershipBuilder::node_id) says.
    #[error("it belongs to the node {0}; each node needs a file of its own")]
    OfAnother(NodeId),
}

/// What is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) id: NodeId,
    pub(super) generation: Generation,
}

impl State {
    /// The start after the one that `before` tells of: one more than its generation, or the milliseconds of the wall
    /// clock if they are more, which is the only use of a wall clock. So a clock that was set back does no harm.
    ///
    /// `id` is the user's wish. Without one the node is who it was before, or a new one.
    pub(super) fn next(
        before: Option<State>,
        id: Option<NodeId>,
        wall: SystemTime,
    ) -> Result<Self, StateError> {
        let millis = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let Some(before) = before else {
            let id = id.unwrap_or_else(|| NodeId::new(Uuid::new_v4()));
            return Ok(Self { id, generation: Generation(millis) });
        };
        if id.is_some_and(|id| id != before.id) {
            return Err(StateError::OfAnother(before.id));
        }
        let generation = Generation(millis).max(before.generation.next());
        Ok(Self { id: before.id, generation })
    }

    fn to_text(self) -> String {
        format!("{TITLE}\nid {}\ngeneration {}\n", self.id, self.generation.0)
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let title = lines.next().filter(|line| *line == TITLE);
        let id = title.and(lines.next()).and_then(|line| line.strip_prefix("id "));
        let generation = lines.next().and_then(|line| line.strip_prefix("generation "));
        let id = NodeId::new(Uuid::from_str(id?).ok()?);
        // Others refuse a larger one, and the next start needs one above it.
        let generation = generation?.parse().ok().filter(|&generation| generation < GENERATION_MAX)?;
        lines.next().is_none().then_some(Self { id, generation: Generation(generation) })
    }
}

/// The file itself.
#[derive(Clone, Debug)]
pub(super) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What was written last; nothing before the first start, or in a file of no bytes.
    pub(super) fn read(&self) -> Result<Option<State>, StateError> {
        // A folder that is not there is a mistake in the settings, not a first start.
        fs::metadata(self.folder()).map_err(StateError::Unreadable)?;
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::Unreadable(error)),
            Ok(found) if found.len() > BYTES_MAX => return Err(StateError::Foreign),
            Ok(_) => {}
        }
        let bytes = fs::read(&self.path).map_err(StateError::Unreadable)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let state = std::str::from_utf8(&bytes).ok().and_then(State::from_text);
        state.map(Some).ok_or(StateError::Foreign)
    }

    /// Replaces what is there, whole or not at all: whoever loses power in between finds the old state or the new one.
    pub(super) fn write(&self, state: State) -> io::Result<()> {
        let beside = self.beside();
        let written = self.replace_by(&beside, state);
        if written.is_err() {
            // What was begun; a folder or a file that cannot be removed stays, and says so at the next start.
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn replace_by(&self, beside: &Path, state: State) -> io::Result<()> {
        let mut file = File::create(beside)?;
        file.write_all(state.to_text().as_bytes())?;
        file.sync_all()?;
        fs::rename(beside, &self.path)?;
        // The renaming too is to survive a loss of power; only Unix lets a folder be opened.
        if cfg!(unix) { File::open(self.folder())?.sync_all() } else { Ok(()) }
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn beside(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        self.path.with_file_name(name)
    }
}

/// Keeps the file up to date while the node runs: a node that finds its generation taken goes on with a later one, which
/// has to be remembered as well.
#[derive(Debug)]
pub(super) struct Keeper {
    file: StateFile,
    written: State,
    writing: bool,
}

impl Keeper {
    /// `state` is what was written at the start.
    pub(super) fn new(file: StateFile, state: State) -> Self {
        Self { file, written: state, writing: false }
    }

    /// What is to be written, and where; one writing at a time, for the last to end must be the newest.
    pub(super) fn due(&mut self, generation: Generation) -> Option<(StateFile, State)> {
        if self.writing || self.written.generation == generation {
            return None;
        }
        self.writing = true;
        self.written.generation = generation;
        Some((self.file.clone(), self.written))
    }

    pub(super) fn done(&mut self, result: io::Result<()>) {
        self.writing = false;
        if let Err(error) = result {
            warn_unwritten(&self.file, &error);
        }
    }
}

/// A full disk does not stop a node. After a restart it needs a second until it is told of its own later start, if its clock
/// was set back meanwhile; one whose id was drawn at this start will be another node.
pub(super) fn warn_unwritten(file: &StateFile, error: &io::Error) {
    tracing::warn!(
        path = %file.path().display(),
        %error,
        "the node's state cannot be written; the node goes on, and after a restart it counts from what is there now"
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A folder of its own, gone with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("rpcnet-state-{}", Uuid::new_v4()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self) -> StateFile {
            StateFile::new(self.0.join("node"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    fn state(id: u128, generation: u64) -> State {
        State { id: NodeId::new(Uuid::from_u128(id)), generation: Generation(generation) }
    }

    #[test]
    fn each_start_is_later_than_the_last_also_with_a_clock_that_was_set_back() {
        let next = |before, wall| State::next(Some(before), None, wall).unwrap();
        let first = State::next(None, None, at(5_000)).unwrap();
        assert_eq!(first.generation, Generation(5_000));
        let clocks = [at(9_000), at(9_000), at(100), at(8_000), SystemTime::UNIX_EPOCH, at(20_000)];
        let before_epoch = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        let mut last = first;
        for wall in clocks.into_iter().chain([before_epoch]) {
            let state = next(last, wall);
            assert!(state.generation > last.generation && state.id == first.id, "{state:?} after {last:?}");
            last = state;
        }
        assert_eq!(last.generation, Generation(20_001));
    }

    #[test]
    fn a_file_of_another_node_is_refused_and_named() {
        let error = State::next(Some(state(1, 5)), Some(state(2, 0).id), at(1)).unwrap_err();
        assert!(matches!(error, StateError::OfAnother(id) if id == state(1, 0).id), "{error}");
        assert!(error.to_string().contains(&state(1, 0).id.to_string()), "{error}");
    }

    #[test]
    fn what_was_written_is_read_and_nothing_is_left_beside_it() {
        let folder = Folder::new();
        let file = folder.file();
        assert!(file.read().unwrap().is_none());
        for generation in [1, u64::from(u32::MAX), GENERATION_MAX - 1] {
            file.write(state(7, generation)).unwrap();
            assert_eq!(file.read().unwrap(), Some(state(7, generation)));
        }
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
    }

    #[test]
    fn a_file_of_anything_else_is_refused_and_left_as_it_is() {
        let folder = Folder::new();
        let good = state(7, 5).to_text();
        let large = "x".repeat(1 << 20);
        let beyond = good.replace("generation 5", &format!("generation {GENERATION_MAX}"));
        let cut = &good[..good.len() - 3];
        for text in ["7", "root:x:0:0", &large, &format!("{good}more\n"), &beyond, cut, "\0\0\0"] {
            fs::write(folder.file().path(), text).unwrap();
            let error = folder.file().read().unwrap_err();
            assert!(matches!(error, StateError::Foreign), "{error} for {text:.40}");
            assert_eq!(fs::read_to_string(folder.file().path()).unwrap(), *text);
        }
        fs::write(folder.file().path(), "").unwrap();
        assert!(folder.file().read().unwrap().is_none(), "an empty file waits for its first start");
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_mistake_and_a_writing_that_fails_keeps_the_old_state() {
        let folder = Folder::new();
        let nowhere = StateFile::new(folder.0.join("missing").join("node"));
        assert!(matches!(nowhere.read(), Err(StateError::Unreadable(_))));
        let file = folder.file();
        file.write(state(7, 5)).unwrap();
        fs::create_dir(file.beside()).unwrap();
        file.write(state(7, 6)).unwrap_err();
        assert_eq!(file.read().unwrap(), Some(state(7, 5)));
    }

    #[test]
    fn a_running_node_writes_one_state_at_a_time_and_each_generation_once() {
        let mut keeper = Keeper::new(StateFile::new("node".into()), state(7, 5));
        assert!(keeper.due(Generation(5)).is_none());
        assert_eq!(keeper.due(Generation(6)).unwrap().1, state(7, 6));
        assert!(keeper.due(Generation(9)).is_none(), "the first is still being written");
        keeper.done(Ok(()));
        assert_eq!(keeper.due(Generation(9)).unwrap().1, state(7, 9));
        keeper.done(Err(io::ErrorKind::StorageFull.into()));
        assert!(keeper.due(Generation(9)).is_none(), "warned of once");
    }
}
