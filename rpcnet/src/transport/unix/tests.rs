//! Claims about Unix domain sockets alone: their files, their queue, what their errors say.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::net::UnixListener as StdListener,
    path::Path,
    time::Duration,
};

use tokio::net::UnixSocket;

use super::{Unix, file};
use crate::transport::{Address, Listener, Transport, conformance::folder::Folder};

async fn listen(at: impl Into<Address>) -> io::Result<Box<dyn Listener>> {
    Unix.listen(&at.into()).await
}

async fn connect(to: impl Into<Address>) -> io::Result<()> {
    Unix.connect(&to.into()).await.map(drop)
}

/// The file that a killed server leaves.
fn leave(path: &Path) {
    drop(StdListener::bind(path).expect("the path is free"));
    assert!(path.exists());
}

#[tokio::test]
async fn a_socket_of_a_server_that_was_killed_refuses_and_is_replaced() {
    let folder = Folder::new();
    let path = folder.path().join("left.sock");
    leave(&path);
    let error = connect(&path).await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let listener = listen(&path).await.expect("the file is nobody's");
    connect(&path).await.expect("somebody listens");
    drop(listener);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_on_which_somebody_listens_is_left_alone() {
    let folder = Folder::new();
    let path = folder.path().join("live.sock");
    let first = listen(&path).await.expect("the path is free");
    let error = listen(&path).await.expect_err("somebody listens");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let process = format!("process {} of user", std::process::id());
    assert!(error.to_string().contains(&process), "{error}");
    connect(&path).await.expect("the first still listens");
    drop(first);
}

#[tokio::test]
async fn a_file_that_is_not_a_socket_is_never_removed() {
    let folder = Folder::new();
    let path = folder.path().join("data");
    fs::write(&path, "data").expect("the directory is ours");
    for path in [path.as_path(), folder.path()] {
        let error = listen(path).await.expect_err("it is not a socket");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("not a socket"), "{error}");
        assert!(connect(path).await.expect_err("it is not a socket").to_string().contains("not a socket"));
    }
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("nothing"), &link).expect("the directory is ours");
    assert_eq!(listen(link.as_path()).await.expect_err("it is a link").kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "data");
}

#[tokio::test]
async fn a_listener_does_not_remove_the_file_of_another() {
    let folder = Folder::new();
    let path = folder.path().join("moved.sock");
    let first = listen(&path).await.expect("the path is free");
    fs::remove_file(&path).expect("it is there");
    let second = listen(&path).await.expect("the path is free again");
    drop(first);
    connect(&path).await.expect("the second listens");
    drop(second);
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_servers_that_start_together_one_takes_the_left_socket() {
    let folder = Folder::new();
    for round in 0..5 {
        let path = folder.path().join(format!("{round}.sock"));
        leave(&path);
        let starting: Vec<_> = (0..8).map(|_| tokio::spawn(listen(path.clone()))).collect();
        let mut listening = Vec::new();
        for server in starting {
            match server.await.expect("no panic") {
                Ok(listener) => listening.push(listener),
                Err(error) => assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}"),
            }
        }
        assert_eq!(listening.len(), 1);
        connect(&path).await.expect("it listens");
    }
}

/// The one who waits does so on the clock; nothing else here does.
#[tokio::test(start_paused = true)]
async fn a_full_queue_makes_a_client_wait() {
    let folder = Folder::new();
    let path = folder.path().join("busy.sock");
    let socket = UnixSocket::new_stream().expect("there are sockets");
    socket.bind(&path).expect("the path is free");
    let listener = socket.listen(0).expect("it is bound");
    let mut clients: Vec<_> = (0..4).map(|_| tokio::spawn(connect(path.clone()))).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(clients.iter().any(|client| !client.is_finished()), "the queue has no room for four");
    for _ in 0..4 {
        listener.accept().await.expect("they come");
    }
    for client in clients.drain(..) {
        client.await.expect("no panic").expect("the server had time");
    }
}

#[tokio::test]
async fn a_path_that_no_socket_can_have_says_why() {
    let long = format!("unix:/tmp/{}", "x".repeat(120));
    let cases = [
        (long.as_str(), "too long"),
        ("unix:", "lacks a path"),
        ("unix:@", if cfg!(target_os = "linux") { "lacks a path" } else { "only Linux" }),
        ("unix:/tmp/a\0b", "zero byte"),
    ];
    for (text, why) in cases {
        let errors = [connect(text).await, listen(text).await.map(drop)].map(|result| result.expect_err(why));
        for error in errors {
            assert!(error.to_string().contains(why), "{text:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named() {
    let folder = Folder::new();
    let missing = folder.path().join("missing");
    let error = listen(missing.join("x.sock")).await.expect_err("there is no such directory");
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::NotFound, format!("there is no directory {}", missing.display()))
    );
    fs::write(&missing, "").expect("the directory is ours");
    let error = listen(missing.join("x.sock")).await.expect_err("it is a file");
    assert!(error.to_string().contains(&format!("{} is not a directory", missing.display())), "{error}");
}

/// Whoever runs the tests may be allowed everything.
#[test]
fn what_a_user_may_not_is_told_with_the_path() {
    let denied = io::Error::from(ErrorKind::PermissionDenied);
    let bound = file::not_bound(Path::new("/run/x.sock"), &denied);
    assert_eq!(bound.to_string(), "this user may not make files in /run");
    let opened = super::not_opened(Path::new("/run/x.sock"), denied);
    assert!(opened.to_string().starts_with("/run/x.sock: this user may not"), "{opened}");
}

/// What two servers that start at once do to each other is seldom seen; that they take turns is.
#[tokio::test(start_paused = true)]
async fn a_server_waits_for_another_that_makes_its_socket_in_the_same_directory() {
    let folder = Folder::new();
    let path = folder.path().join("left.sock");
    leave(&path);
    let other = fs::File::open(folder.path()).expect("it is there");
    other.lock().expect("it is nobody's");
    let server = tokio::spawn(listen(path.clone()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!server.is_finished(), "it is not its turn");
    let error = connect(&path).await.expect_err("the file is left alone");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    drop(other);
    let _listener = server.await.expect("no panic").expect("the file is nobody's");
    connect(&path).await.expect("it listens");
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_somebody_holds_for_long_does_not_stop_a_server() {
    let folder = Folder::new();
    let held = fs::File::open(folder.path()).expect("it is there");
    held.lock().expect("it is nobody's");
    let listener = listen(folder.path().join("x.sock")).await;
    assert!(listener.is_ok(), "{listener:?}");
}
