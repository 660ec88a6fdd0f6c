//! Servers on Unix domain sockets: what is called through a file, and what becomes of the file.
//!
//! These sockets are the system's, so that time is real: nothing here waits for it, and every wait is for something that
//! happens.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
    os::unix::net::UnixListener as StdListener,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rpcnet::{
    Address, BindError, CallOptions, ConnectError, Executed, Reason,
    prelude::*,
    transport::{Tcp, Unix},
};
use tokio::{sync::Notify, task::JoinHandle};

use crate::world::{BenchClient, BenchError, BenchServer, Probe};

/// A directory of a test, removed with what is in it.
pub(crate) struct Folder(PathBuf);

static LAST: AtomicU32 = AtomicU32::new(0);

impl Folder {
    pub(crate) fn new() -> Self {
        loop {
            let number = LAST.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("rpcnet-it-{}-{number}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => return Self(path),
                // Of a process that was killed long ago.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that runs on a socket.
struct Running {
    probe: Probe,
    shutdown: Arc<Notify>,
    serving: JoinHandle<()>,
}

async fn serve(path: &Path) -> Running {
    let (probe, shutdown) = (Probe::default(), Arc::new(Notify::new()));
    let server = Server::builder().service(BenchServer::new(probe.clone())).bind(path).await.unwrap();
    let stop = Arc::clone(&shutdown);
    let serving = tokio::spawn(async move { server.serve_with_shutdown(stop.notified()).await });
    Running { probe, shutdown, serving }
}

/// A safety net: nothing here takes a second.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("it does not hang")
}

/// Lets others run until something is so.
async fn until(condition: impl Fn() -> bool) {
    in_time(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_address_with_a_path_is_all_it_takes() {
    let folder = Folder::new();
    let path = folder.path().join("bench.sock");
    let text = format!("unix:{}", path.display());
    let server = Server::builder().service(BenchServer::new(Probe::default())).bind(&text).await.unwrap();
    assert_eq!((server.address(), server.address().to_string()), (&Address::from(&path), text.clone()));
    assert_eq!(server.local_addr(), SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), "it has no IP address");
    tokio::spawn(server.serve());
    for address in [Address::from(text), Address::from(path)] {
        let bench = BenchClient::connect(address).await.unwrap();
        assert_eq!(bench.echo("hello".into()).await.unwrap(), "hello");
        let error = bench.refuse("that".into()).await.unwrap_err();
        assert!(matches!(error, CallError::App(BenchError::Refused(what)) if what == "that"));
    }
}

#[tokio::test]
async fn settings_of_tcp_do_not_concern_a_socket_with_a_path() {
    let folder = Folder::new();
    let path = folder.path().join("x.sock");
    let server = Server::builder().allow_plaintext().bind(&path).await.unwrap();
    tokio::spawn(server.serve());
    Channel::builder(&path).allow_plaintext().connect().await.unwrap();
    Channel::builder(&path).transport(Unix::new()).connect().await.unwrap();
    let error = Channel::builder(&path).transport(Tcp::loopback()).connect().await.unwrap_err();
    assert!(error.to_string().contains("TCP does not reach"), "{error}");
    let error = Server::builder().transport(Unix::new()).bind("127.0.0.1:0").await.unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:0 is not a Unix domain socket"), "{error}");
}

#[tokio::test]
async fn a_caller_on_a_unix_socket_has_no_ip_address() {
    /// Tells what it knows of its caller.
    #[rpc_trait]
    trait Who {
        async fn has_an_address(&self, ctx: Context) -> rpcnet::Result<bool>;
    }
    struct Asked;
    impl Who for Asked {
        async fn has_an_address(&self, ctx: Context) -> rpcnet::Result<bool> {
            Ok(ctx.peer().is_some())
        }
    }
    let folder = Folder::new();
    for (at, has) in [(Address::from(folder.path().join("who.sock")), false), ("127.0.0.1:0".into(), true)] {
        let server = Server::builder().service(WhoServer::new(Asked)).bind(at).await.unwrap();
        let address = server.address().clone();
        tokio::spawn(server.serve());
        let who = WhoClient::connect(address).await.unwrap();
        assert_eq!(who.has_an_address().await.unwrap(), has);
    }
}

#[tokio::test]
async fn a_server_without_an_ip_address_does_not_pretend_to_have_one() {
    let folder = Folder::new();
    let server = Server::builder().bind(folder.path().join("x.sock")).await.unwrap();
    let error = Channel::connect(server.local_addr()).await.unwrap_err();
    assert!(error.to_string().contains("Server::address()"), "{error}");
}

#[tokio::test]
async fn the_socket_of_a_killed_server_is_replaced() {
    let folder = Folder::new();
    let path = folder.path().join("left.sock");
    drop(StdListener::bind(&path).unwrap());
    let error = Channel::connect(&path).await.unwrap_err();
    assert!(error.is_refused() && error.to_string().contains(path.to_str().unwrap()), "{error}");
    let _running = serve(&path).await;
    let bench = BenchClient::connect(&path).await.unwrap();
    assert_eq!(bench.echo("again".into()).await.unwrap(), "again");
}

#[tokio::test]
async fn a_second_server_at_one_path_is_told_who_is_there() {
    let folder = Folder::new();
    let path = folder.path().join("live.sock");
    let _running = serve(&path).await;
    let bench = BenchClient::connect(&path).await.unwrap();
    let error = Server::builder().bind(&path).await.unwrap_err();
    assert!(matches!(&error, BindError::Listen { cause, .. } if cause.kind() == ErrorKind::AddrInUse));
    let text = error.to_string();
    let process = format!("process {}", std::process::id());
    assert!(text.contains(path.to_str().unwrap()) && text.contains(&process), "{text}");
    assert!(text.contains("another path") && !text.contains("port"), "{text}");
    assert_eq!(bench.echo("still here".into()).await.unwrap(), "still here");
}

#[tokio::test]
async fn errors_name_the_path() {
    let folder = Folder::new();
    let missing = folder.path().join("missing").join("x.sock");
    let error = Server::builder().bind(&missing).await.unwrap_err().to_string();
    assert!(error.contains(missing.to_str().unwrap()) && error.contains("no directory"), "{error}");
    let error = Channel::connect(&missing).await.unwrap_err();
    assert!(matches!(error, ConnectError::Dial { .. }) && error.is_refused());
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
    let long = folder.path().join("x".repeat(120));
    let error = Server::builder().bind(&long).await.unwrap_err().to_string();
    assert!(error.contains(long.to_str().unwrap()) && error.contains("too long"), "{error}");
}

#[tokio::test]
async fn a_shutdown_frees_the_path_at_once_and_lets_calls_finish() {
    let folder = Folder::new();
    let path = folder.path().join("bench.sock");
    let old = serve(&path).await;
    let bench = BenchClient::connect(&path).await.unwrap();
    let call = tokio::spawn({
        let bench = bench.clone();
        async move { bench.wait().await }
    });
    until(|| old.probe.began() == 1).await;
    old.shutdown.notify_one();
    until(|| !path.exists()).await;
    let new = serve(&path).await;
    let second = BenchClient::connect(&path).await.unwrap();
    assert_eq!(second.echo("new".into()).await.unwrap(), "new");
    assert!(!old.serving.is_finished());
    old.probe.gate.notify_one();
    in_time(call).await.unwrap().unwrap();
    in_time(old.serving).await.unwrap();
    assert!(path.exists(), "it is the new server's");
    // The channel of the old server finds the new one.
    let patient = bench.with(CallOptions::new().wait_for_ready(true));
    assert_eq!(patient.echo("again".into()).await.unwrap(), "again");
    new.shutdown.notify_one();
    in_time(new.serving).await.unwrap();
    assert!(!path.exists());
    let error = second.echo(String::new()).await.unwrap_err();
    assert_eq!((error.reason(), error.executed()), (Some(Reason::ConnectFailed), Executed::No));
}

#[tokio::test]
async fn a_server_that_never_serves_takes_its_file_away() {
    let folder = Folder::new();
    let path = folder.path().join("x.sock");
    let server = Server::builder().bind(&path).await.unwrap();
    assert!(path.exists());
    drop(server);
    assert!(!path.exists());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_name_without_a_file_serves_as_well() {
    // The name of a directory that is nobody else's.
    let folder = Folder::new();
    let address = format!("unix:@{}", folder.path().display());
    let server = Server::builder().service(BenchServer::new(Probe::default())).bind(&address).await.unwrap();
    let error = Server::builder().bind(server.address()).await.unwrap_err().to_string();
    assert!(error.contains(&address) && error.contains("listens there"), "{error}");
    tokio::spawn(server.serve());
    let bench = BenchClient::connect(address).await.unwrap();
    assert_eq!(bench.echo("hello".into()).await.unwrap(), "hello");
}
