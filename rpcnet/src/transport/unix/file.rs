//! The file of a listening socket: made, taken over from a server that was killed, removed at the end.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::net::{UnixListener, UnixStream};

use super::peer;
use crate::transport::address::{is_abstract, readable};

/// How often a server tries to be the only one that makes a socket in a directory.
const TURN_TRIES_MAX: u32 = 200;

/// How long it waits in between: a second in all. Making a socket takes less than a millisecond, and whoever holds a
/// directory for longer does something else.
const TURN_PAUSE: Duration = Duration::from_millis(5);

/// The file of a socket that listens. Removed when dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    /// Absolute, as the process may change its directory.
    path: PathBuf,
    id: FileId,
}

/// Device and number: what tells a file from another that has come into its place. The kernel gives the number to no other
/// while the socket is open.
type FileId = (u64, u64);

impl SocketFile {
    /// None when it has been removed again already.
    fn of(path: &Path) -> Option<Self> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        id(&path).map(|id| Self { path, id })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it and put another there.
        if id(&self.path) == Some(self.id)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the file of a socket could not be removed");
        }
    }
}

fn id(path: &Path) -> Option<FileId> {
    fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Whether there is a socket, whoever listens.
pub(super) fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
}

/// Listens at a path, or at a name that has no file.
pub(super) async fn bind(name: &Path) -> io::Result<(UnixListener, Option<SocketFile>)> {
    let _turn = turn(name).await;
    let listener = match UnixListener::bind(name) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            clear(name).await?;
            UnixListener::bind(name)
        }
        result => result,
    };
    let listener = listener.map_err(|error| not_bound(name, &error))?;
    Ok((listener, if is_abstract(name) { None } else { SocketFile::of(name) }))
}

/// Holds the directory, so that no other server looks at a socket between its making and its listening, or removes the one
/// that this server has just made in the place of another that was left. Where that is not possible there is only the small
/// risk of two servers that start at the same moment.
async fn turn(name: &Path) -> Option<File> {
    let folder = folder(name).filter(|folder| folder.is_dir())?;
    let folder = File::open(folder).ok()?;
    for _ in 0..TURN_TRIES_MAX {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(TURN_PAUSE).await,
            Err(TryLockError::Error(_)) => return None,
        }
    }
    None
}

/// Where the file is, if there is to be one.
fn folder(name: &Path) -> Option<&Path> {
    let folder = name.parent().filter(|_| !is_abstract(name))?;
    Some(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

/// Removes the file of a server that has ended, and nothing else.
async fn clear(name: &Path) -> io::Result<()> {
    if !is_abstract(name) && !is_socket(name) {
        let message = format!("{} is there already, and is not a socket", readable(name));
        return Err(io::Error::new(ErrorKind::AlreadyExists, message));
    }
    let message = match UnixStream::connect(name).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return remove(name),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Ok(stream) => format!("{} listens there", peer(&stream)),
        // A full queue, a socket of another kind, one this user may not write to: somebody's.
        Err(error) => format!("somebody else's socket is there ({error})"),
    };
    Err(io::Error::new(ErrorKind::AddrInUse, message))
}

fn remove(path: &Path) -> io::Result<()> {
    let result = fs::remove_file(path).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    });
    match result {
        Ok(()) => tracing::info!(path = %path.display(), "removed the socket of a server that has ended"),
        Err(error) => {
            let message =
                format!("the socket of a server that has ended is there and cannot be removed: {error}");
            return Err(io::Error::new(error.kind(), message));
        }
    }
    Ok(())
}

pub(super) fn not_bound(name: &Path, error: &io::Error) -> io::Error {
    let Some(folder) = folder(name).map(Path::display) else {
        return io::Error::new(error.kind(), format!("{}: {error}", readable(name)));
    };
    let message = match error.kind() {
        ErrorKind::NotFound => format!("there is no directory {folder}"),
        ErrorKind::NotADirectory => format!("{folder} is not a directory"),
        ErrorKind::PermissionDenied => format!("this user may not make files in {folder}"),
        _ => format!("{}: {error}", readable(name)),
    };
    io::Error::new(error.kind(), message)
}
