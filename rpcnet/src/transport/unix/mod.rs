//! Unix domain sockets: bytes between the processes of one host, for whom a file's permissions let in.

mod file;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsStr,
    io::{self, ErrorKind},
    os::unix::{ffi::OsStrExt, net::SocketAddr},
    path::Path,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::net::{UnixListener, UnixStream};

use self::file::SocketFile;
use super::{
    Accepted, Address, BoxFuture, BoxStream, Listener, Peer, Transport,
    address::{is_abstract, readable},
};

/// Unix domain sockets: `unix:` and a path.
///
/// Servers and channels use them for such an address by themselves; as a transport of its own it refuses every other.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rpcnet::{Channel, Server};
///
/// # let folder = std::env::temp_dir().join(format!("rpcnet-doc-{}", std::process::id()));
/// # std::fs::create_dir(&folder)?;
/// let socket = folder.join("echo.sock");
/// let server = Server::builder().register("echo", |bytes| async move { Ok(bytes) }).bind(&socket).await?;
/// let address = server.address().clone();    // "unix:" and the path: as good as the path itself
/// # let serving =
/// tokio::spawn(server.serve());
///
/// let channel = Channel::connect(address).await?;
/// assert_eq!(channel.call("echo", "hello").await?, "hello");
/// # serving.abort();
/// # let _ = serving.await;
/// assert!(!socket.exists(), "a server that ends takes its file away");
/// # std::fs::remove_dir(&folder)?;
/// # Ok(()) }
/// ```
///
/// # Who can connect
///
/// Whoever may write to the file and enter the directories above it. A new socket's mode follows the umask of the server's
/// process, commonly `rwxr-xr-x`: its own user connects. To let others in, or to be sure whatever the umask, put it into a
/// directory whose permissions say who may enter. The bytes never leave the host, so that plain text is fine.
///
/// A name without a file, `unix:@name`, is Linux's alone and has no permissions: whoever shares the network namespace can
/// connect, as with TCP on the loopback interface.
///
/// # The file
///
/// It is made by `bind` and removed when the server ends, or begins its shutdown. A killed server leaves it behind; the next
/// `bind` finds that nobody listens there, removes it and goes on. A socket on which somebody listens is an error that names
/// the process, and a file that is not a socket is never removed. To be sure that no two servers take each other's files,
/// `bind` holds a lock (`flock`) on the directory meanwhile.
///
/// Systems bound the path's length: to 107 bytes on Linux, 103 on macOS and the BSDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Unix;

/// For how long a client waits at first when the server's queue of new connections is full: nothing tells it when there is
/// room. An accept takes microseconds.
const QUEUE_PAUSE_MIN: Duration = Duration::from_millis(1);

/// For how long it waits at most: seen by a person as at once.
const QUEUE_PAUSE_MAX: Duration = Duration::from_millis(50);

impl Unix {
    /// The Unix domain sockets of this system.
    pub fn new() -> Self {
        Self
    }
}

impl Transport for Unix {
    fn connect<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let name = name_of(to)?;
            let stream = open(name).await.map_err(|error| not_opened(name, error))?;
            Ok(Box::new(stream) as BoxStream)
        })
    }

    fn listen<'a>(&'a self, at: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let (listener, file) = file::bind(name_of(at)?).await?;
            Ok(Box::new(Accepting { _file: file, listener, address: at.clone() }) as Box<dyn Listener>)
        })
    }
}

/// Unlike TCP's, a full queue refuses at once; a server that is busy for a moment is not one that is gone.
async fn open(name: &Path) -> io::Result<UnixStream> {
    let mut pause = QUEUE_PAUSE_MIN;
    loop {
        match UnixStream::connect(name).await {
            Err(error) if error.kind() == ErrorKind::WouldBlock => tokio::time::sleep(pause).await,
            result => return result,
        }
        pause = (2 * pause).min(QUEUE_PAUSE_MAX);
    }
}

/// Whatever shows that nobody listens is `ConnectionRefused`, as over TCP.
fn not_opened(name: &Path, error: io::Error) -> io::Error {
    let at = readable(name);
    let (kind, message) = match error.kind() {
        ErrorKind::NotFound => {
            (ErrorKind::ConnectionRefused, format!("nobody listens: there is no file {at}"))
        }
        ErrorKind::ConnectionRefused if !is_abstract(name) && !file::is_socket(name) => {
            (ErrorKind::ConnectionRefused, format!("nobody listens: {at} is not a socket"))
        }
        ErrorKind::ConnectionRefused => (ErrorKind::ConnectionRefused, format!("nobody listens at {at}")),
        ErrorKind::PermissionDenied => {
            let why = "this user may not write to it, or not enter a directory above it";
            (ErrorKind::PermissionDenied, format!("{at}: {why}"))
        }
        kind => (kind, format!("{at}: {error}")),
    };
    io::Error::new(kind, message)
}

/// The path of a socket, or its name after a zero byte, if the system can have such a one.
fn name_of(address: &Address) -> io::Result<&Path> {
    let invalid = |message| Err(io::Error::new(ErrorKind::InvalidInput, message));
    let Some(name) = address.unix_name() else {
        return invalid(format!("{address} is not a Unix domain socket, which is `unix:` and a path"));
    };
    if is_abstract(name) && !cfg!(any(target_os = "linux", target_os = "android")) {
        let message = format!("{address}: only Linux has sockets without a file");
        return Err(io::Error::new(ErrorKind::Unsupported, message));
    }
    let bytes = name.as_os_str().as_bytes();
    let bytes = bytes.strip_prefix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return invalid(format!("`{address}` lacks a path, as in `unix:/run/name.sock`"));
    }
    if bytes.contains(&0) {
        return invalid(format!("{address:?} has a zero byte in it"));
    }
    // It fails for nothing else; what the system's bound is, std does not tell.
    if SocketAddr::from_pathname(OsStr::from_bytes(bytes)).is_err() {
        return invalid(format!(
            "{} bytes are too long for the path of a Unix domain socket: {} (107 on Linux, 103 on macOS)",
            bytes.len(),
            readable(name)
        ));
    }
    Ok(name)
}

/// Who is at the other end of a stream.
fn peer(stream: &UnixStream) -> Peer {
    let cred = stream.peer_cred().ok();
    // The system says 0 of a process that this one cannot see.
    let id = cred.and_then(|cred| cred.pid()).and_then(|id| u32::try_from(id).ok()).filter(|id| *id != 0);
    Peer::Process { id, user: cred.map(|cred| cred.uid()) }
}

#[derive(Debug)]
struct Accepting {
    /// First, for it is dropped first: while the socket still listens nobody takes its file for a left one.
    _file: Option<SocketFile>,
    listener: UnixListener,
    address: Address,
}

impl Listener for Accepting {
    fn address(&self) -> Address {
        self.address.clone()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let (stream, _) = ready!(self.listener.poll_accept(cx))?;
        let peer = peer(&stream);
        Poll::Ready(Ok(Accepted::new(Box::new(stream), peer)))
    }
}
