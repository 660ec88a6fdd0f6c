//! What every transport must do, claimed of each of them.

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    time::timeout,
};

use super::{Accepted, Address, BoxStream, Listener, Peer, Tcp, Transport, memory::MemoryNetwork};

/// A transport, and where to try it.
struct Site {
    transport: Box<dyn Transport>,
    /// An address for a listener: another one each time.
    fresh: Box<dyn Fn() -> Address>,
    /// Where nobody listens, as long as the site is there.
    nobody: Address,
    nature: Nature,
    /// What keeps the addresses free for the site.
    _held: Box<dyn std::any::Any>,
}

/// What differs between transports by their nature, each with the claim that holds instead.
#[derive(Debug, Clone, Copy)]
struct Nature {
    /// Whoever connects to where nobody listens is told so at once. Otherwise it learns nothing, and gives up after a time.
    refuses_at_once: bool,
    /// An address is free as soon as its listener is gone. Otherwise as soon as the connections it had have ended too.
    frees_at_once: bool,
    /// Each connection has a port of its own at the end that opened it. Otherwise they share one.
    has_ports_of_its_own: bool,
}

impl Nature {
    /// Of what the system carries, or something that behaves like it.
    const STREAMS: Self = Self { refuses_at_once: true, frees_at_once: true, has_ports_of_its_own: true };

    /// Of what is made of datagrams, of which the system knows no connections.
    #[cfg(all(feature = "quic", feature = "development"))]
    const DATAGRAMS: Self =
        Self { refuses_at_once: false, frees_at_once: false, has_ports_of_its_own: false };
}

impl Site {
    fn tcp() -> Self {
        // Bound and not listening: nobody else is given the port.
        let held = tokio::net::TcpSocket::new_v4().expect("there is IPv4");
        held.bind(([127, 0, 0, 1], 0).into()).expect("a port is free");
        let nobody = held.local_addr().expect("it is bound").into();
        let fresh = || Address::from("127.0.0.1:0");
        let transport = Box::new(Tcp::loopback());
        Self { transport, fresh: Box::new(fresh), nobody, nature: Nature::STREAMS, _held: Box::new(held) }
    }

    fn memory() -> Self {
        let host = MemoryNetwork::new(1).host([10, 0, 0, 1]);
        let fresh = || Address::from("10.0.0.1:0");
        let nobody = "10.0.0.1:9".into();
        let transport = Box::new(host);
        Self { transport, fresh: Box::new(fresh), nobody, nature: Nature::STREAMS, _held: Box::new(()) }
    }

    #[cfg(feature = "development")]
    fn tls() -> Self {
        let plain = Self::tcp();
        Self { transport: Box::new(mutual(Tcp::loopback())), ..plain }
    }

    #[cfg(feature = "development")]
    fn tls_in_memory() -> Self {
        let host = MemoryNetwork::new(1).host([10, 0, 0, 1]);
        Self { transport: Box::new(mutual(host)), ..Self::memory() }
    }

    #[cfg(all(feature = "quic", feature = "development"))]
    fn quic() -> Self {
        // Nobody reads from it.
        let held = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        let nobody = held.local_addr().expect("it is bound").into();
        let fresh = || Address::from("127.0.0.1:0");
        let transport = Box::new(super::quic::Quic::new(mutual(Tcp::loopback())));
        Self { transport, fresh: Box::new(fresh), nobody, nature: Nature::DATAGRAMS, _held: Box::new(held) }
    }

    #[cfg(unix)]
    fn unix() -> Self {
        let folder = folder::Folder::new();
        let (path, nobody) = (folder.path().to_owned(), folder.path().join("nobody").into());
        let count = std::cell::Cell::new(0);
        let fresh = move || {
            count.set(count.get() + 1);
            path.join(format!("{}.sock", count.get())).into()
        };
        let transport = Box::new(super::Unix);
        Self { transport, fresh: Box::new(fresh), nobody, nature: Nature::STREAMS, _held: Box::new(folder) }
    }

    /// Sockets with a name and no file.
    #[cfg(target_os = "linux")]
    fn nameless() -> Self {
        // The folder's name is nobody else's.
        let folder = folder::Folder::new();
        let name = format!("unix:@{}", folder.path().display());
        let (nobody, count) = (Address::from(format!("{name}/nobody")), std::cell::Cell::new(0));
        let fresh = move || {
            count.set(count.get() + 1);
            format!("{name}/{}", count.get()).into()
        };
        let transport = Box::new(super::Unix);
        Self { transport, fresh: Box::new(fresh), nobody, nature: Nature::STREAMS, _held: Box::new(folder) }
    }

    async fn listen(&self) -> Box<dyn Listener> {
        self.transport.listen(&(self.fresh)()).await.expect("the address is free")
    }

    /// A listener at an address that another had.
    async fn listen_again(&self, at: &Address) -> Box<dyn Listener> {
        loop {
            match self.transport.listen(at).await {
                Ok(listener) => return listener,
                Err(error) => {
                    let waits = !self.nature.frees_at_once && error.kind() == ErrorKind::AddrInUse;
                    assert!(waits, "the address is free again: {error}");
                }
            }
            // Nothing tells when.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// What is told to who connects to where nobody listens.
    async fn expect_refused(&self, to: &Address) {
        let error = self.connect(to).await.map(drop).expect_err("nobody listens");
        let silence = !self.nature.refuses_at_once && error.kind() == ErrorKind::TimedOut;
        assert!(silence || error.kind() == ErrorKind::ConnectionRefused, "{error}");
        assert!(!silence || error.to_string().contains("nobody listens there, or"), "{error}");
    }

    async fn connect(&self, to: &Address) -> io::Result<BoxStream> {
        self.transport.connect(to).await
    }

    /// Both ends of a connection: who opened it, who accepted it.
    async fn pair(&self) -> (BoxStream, BoxStream) {
        let mut listener = self.listen().await;
        let address = listener.address();
        let (opened, accepted) = tokio::join!(self.connect(&address), accept(&mut listener));
        (opened.expect("somebody listens"), accepted.expect("somebody comes").stream)
    }
}

/// Mutual TLS of both ends of a site.
#[cfg(feature = "development")]
fn mutual(carrier: impl Transport) -> super::tls::Tls {
    let authority = super::tls::development::Authority::new().expect("there is randomness");
    let own = authority.issue(["127.0.0.1", "10.0.0.1"]).expect("names that certificates can be for");
    let tls = super::tls::Tls::builder().certificate(own.chain, own.key).roots(authority.roots());
    tls.over(carrier).allow_anonymous().allow_development_anywhere().build().expect("they fit together")
}

#[cfg(unix)]
pub(super) mod folder {
    //! A directory of a test.

    use std::{
        io::ErrorKind,
        path::{Path, PathBuf},
        sync::atomic::{AtomicU32, Ordering},
    };

    /// Removed with what is in it when dropped.
    #[derive(Debug)]
    pub(in super::super) struct Folder(PathBuf);

    static LAST: AtomicU32 = AtomicU32::new(0);

    impl Folder {
        pub(in super::super) fn new() -> Self {
            loop {
                let number = LAST.fetch_add(1, Ordering::Relaxed);
                let path = std::env::temp_dir().join(format!("rpcnet-{}-{number}", std::process::id()));
                match std::fs::create_dir(&path) {
                    Ok(()) => return Self(path),
                    // Of a process that was killed long ago.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                    Err(error) => panic!("{}: {error}", path.display()),
                }
            }
        }

        pub(in super::super) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

async fn accept(listener: &mut Box<dyn Listener>) -> io::Result<Accepted> {
    poll_fn(|cx| listener.poll_accept(cx)).await
}

/// Bytes of which each says where it belongs.
fn pattern(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

/// Sizes of pieces: small and odd, around a page, more than a socket holds.
const PIECES: [usize; 6] = [1, 7, 4_093, 65_537, 13, 700_001];

async fn write_in_pieces(mut to: WriteHalf<BoxStream>, bytes: &[u8]) -> WriteHalf<BoxStream> {
    let (mut rest, mut sizes) = (bytes, PIECES.iter().cycle());
    while !rest.is_empty() {
        let size = sizes.next().map_or(1, |size| (*size).min(rest.len()));
        let (piece, later) = rest.split_at(size);
        to.write_all(piece).await.expect("the peer reads");
        rest = later;
    }
    to.shutdown().await.expect("the peer is there");
    to
}

async fn read_in_pieces(mut from: ReadHalf<BoxStream>) -> (Vec<u8>, ReadHalf<BoxStream>) {
    let (mut read, mut sizes) = (Vec::new(), PIECES.iter().rev().cycle());
    loop {
        let mut piece = vec![0; sizes.next().map_or(1, |size| *size)];
        let count = from.read(&mut piece).await.expect("the peer closes in order");
        if count == 0 {
            return (read, from);
        }
        read.extend_from_slice(&piece[..count]);
    }
}

async fn bytes_arrive_whole_and_in_order_both_ways_at_once(site: &Site) {
    let (one, other) = site.pair().await;
    let (sent, answered) = (pattern(5 << 20), pattern((3 << 20) + 1));
    let ((one_reads, one_writes), (other_reads, other_writes)) =
        (tokio::io::split(one), tokio::io::split(other));
    // What is not needed any more is kept: what is claimed is that `shutdown` ends a direction, and not the drop.
    let (_a, _b, (there, _c), (back, _d)) = tokio::join!(
        write_in_pieces(one_writes, &sent),
        write_in_pieces(other_writes, &answered),
        read_in_pieces(other_reads),
        read_in_pieces(one_reads),
    );
    assert!(there == sent, "{} of {} bytes", there.len(), sent.len());
    assert!(back == answered, "{} of {} bytes", back.len(), answered.len());
}

/// More than any socket holds.
const HELD_MAX: usize = 256 << 20;

/// Writes until the stream takes no more: how much it took.
async fn fill(stream: &mut BoxStream) -> usize {
    let mut held = 0;
    let piece = vec![7; 64 << 10];
    let full = poll_fn(|cx| {
        while held < HELD_MAX {
            match Pin::new(&mut *stream).poll_write(cx, &piece) {
                Poll::Ready(count) => held += count.expect("the peer is there"),
                Poll::Pending => return Poll::Ready(true),
            }
        }
        Poll::Ready(false)
    });
    // Otherwise tokio says that it takes no more, so that others have their turn.
    assert!(tokio::task::unconstrained(full).await, "it takes {held} bytes that nobody reads");
    held
}

async fn a_write_that_nobody_reads_waits_and_goes_on_later(site: &Site) {
    let (mut one, mut other) = site.pair().await;
    let held = fill(&mut one).await;
    let more = vec![8; 1 << 20];
    let (written, read) = tokio::join!(
        async {
            one.write_all(&more).await?;
            one.shutdown().await
        },
        async {
            let mut bytes = Vec::new();
            other.read_to_end(&mut bytes).await.map(|_| bytes)
        }
    );
    written.expect("the peer reads");
    let read = read.expect("the peer closes in order");
    assert_eq!(read.len(), held + more.len());
    assert!(read[..held].iter().all(|byte| *byte == 7) && read[held..].iter().all(|byte| *byte == 8));
}

async fn closing_one_direction_ends_it_after_its_bytes_and_leaves_the_other(site: &Site) {
    let (mut one, mut other) = site.pair().await;
    one.write_all(b"the last").await.expect("it is open");
    one.shutdown().await.expect("it is open");
    let mut bytes = Vec::new();
    other.read_to_end(&mut bytes).await.expect("it ends in order");
    assert_eq!(bytes, b"the last");
    other.write_all(b"the answer").await.expect("this direction is open");
    drop(other);
    bytes.clear();
    one.read_to_end(&mut bytes).await.expect("it ends in order");
    assert_eq!(bytes, b"the answer");
}

/// How a stream ends of which no byte is to come: in order or by an error. Of another kind than these a driver could not
/// know what to make.
async fn ends(stream: &mut BoxStream) {
    match stream.read(&mut [0; 16]).await {
        Ok(count) => assert_eq!(count, 0, "nothing was written"),
        Err(error) => assert!(is_broken(&error), "{error:?}"),
    }
}

fn is_broken(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted)
}

async fn a_peer_that_goes_without_reading_hangs_nobody(site: &Site) {
    let (mut one, other) = site.pair().await;
    fill(&mut one).await;
    let (written, ()) = tokio::join!(one.write_all(&[0; 1 << 20]), async { drop(other) });
    // It may be told at once or find out by reading.
    assert!(written.as_ref().err().is_none_or(is_broken), "{written:?}");
    ends(&mut one).await;
    let written = one.write_all(b"more").await;
    assert!(written.as_ref().err().is_none_or(is_broken), "{written:?}");
}

async fn where_nobody_listens_a_connection_is_refused(site: &Site) {
    site.expect_refused(&site.nobody).await;
}

async fn a_listener_accepts_many_that_came_at_once(site: &Site) {
    // As many as wait at a memory listener, which has the shortest queue.
    const MANY: usize = 100;
    let mut listener = site.listen().await;
    let address = listener.address();
    let mut opened = Vec::new();
    for number in 0..MANY {
        let mut stream = site.connect(&address).await.expect("there is room in the queue");
        stream.write_all(&[number as u8]).await.expect("the system accepts for the listener");
        opened.push(stream);
    }
    let mut numbers = Vec::new();
    for _ in 0..MANY {
        let mut stream = accept(&mut listener).await.expect("they are all there").stream;
        numbers.push(stream.read_u8().await.expect("it was written") as usize);
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..MANY));
}

async fn a_listener_that_is_gone_refuses_and_ends_who_waited(site: &Site) {
    let listener = site.listen().await;
    let address = listener.address();
    let mut waiting = site.connect(&address).await.expect("somebody listens");
    drop(listener);
    ends(&mut waiting).await;
    site.expect_refused(&address).await;
}

async fn a_connection_that_is_gone_before_it_is_accepted_does_not_end_the_listener(site: &Site) {
    let mut listener = site.listen().await;
    let address = listener.address();
    for _ in 0..3 {
        drop(site.connect(&address).await.expect("somebody listens"));
    }
    let mut stream = site.connect(&address).await.expect("somebody listens");
    stream.write_all(b"here").await.expect("it is open");
    let mut accepted = 0;
    loop {
        // The others come as errors, or as connections that end.
        accepted += 1;
        assert!(accepted <= 4, "four connected");
        let Ok(Accepted { mut stream, .. }) = accept(&mut listener).await else { continue };
        let mut bytes = [0; 4];
        if stream.read_exact(&mut bytes).await.is_ok() {
            assert_eq!(&bytes, b"here");
            return;
        }
    }
}

async fn a_listener_and_its_peers_say_where_they_are(site: &Site) {
    let (mut one, two) = (site.listen().await, site.listen().await);
    let address = one.address();
    assert_ne!(address, two.address());
    assert!(address.socket_addr().is_none_or(|addr| addr.port() != 0), "the system chose");
    assert_eq!(Address::from(address.to_string()), address, "it can be told to another process");
    let _opened = (
        site.connect(&address).await.expect("it listens"),
        site.connect(&address).await.expect("it listens"),
    );
    let first = accept(&mut one).await.expect("it is there");
    let second = accept(&mut one).await.expect("it is there");
    let ip = |addr: std::net::SocketAddr| addr.ip();
    // All of it is on one host.
    assert_eq!(first.peer.socket_addr().map(ip), address.socket_addr().map(ip));
    match (first.peer, second.peer) {
        (Peer::Socket(first), Peer::Socket(second)) => {
            assert_eq!(first.port() != second.port(), site.nature.has_ports_of_its_own);
        }
        (first, second) => {
            assert_eq!(first, second);
            assert!(matches!(first, Peer::Process { id, .. } if id == Some(std::process::id())), "{first}");
        }
    }
}

async fn an_address_is_one_listeners_until_it_is_gone(site: &Site) {
    let first = site.listen().await;
    let address = first.address();
    let error = site.transport.listen(&address).await.map(drop).expect_err("somebody listens");
    assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
    let _connected = site.connect(&address).await.expect("the first still listens");
    drop(first);
    let mut second = site.listen_again(&address).await;
    assert_eq!(second.address(), address);
    let _connected = site.connect(&address).await.expect("the second listens");
    accept(&mut second).await.expect("somebody came");
}

async fn an_address_of_another_kind_is_refused_and_named(site: &Site) {
    let other = if site.nobody.socket_addr().is_some() { "unix:/run/x.sock" } else { "127.0.0.1:80" };
    let errors = [
        site.connect(&other.into()).await.map(drop).expect_err("it is of another kind"),
        site.transport.listen(&other.into()).await.map(drop).expect_err("it is of another kind"),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(other), "{error}");
    }
}

/// No claim takes a second. In virtual time it is over as soon as nothing can happen any more.
const HANGS: Duration = Duration::from_secs(60);

/// Each claim of a site.
macro_rules! claims {
    ($name:ident, $site:ident, $clock:tt: $($claim:ident)*) => {
        mod $name {
            $(
                #[tokio::test $clock]
                async fn $claim() {
                    let site = super::Site::$site();
                    super::timeout(super::HANGS, super::$claim(&site)).await.expect("it does not hang");
                }
            )*
        }
    };
}

/// Each claim of each site.
macro_rules! of_every_transport {
    ($($claim:ident)*) => {
        claims!(over_tcp, tcp, (): $($claim)*);
        claims!(in_memory, memory, (start_paused = true): $($claim)*);
        #[cfg(feature = "development")]
        claims!(over_tls, tls, (): $($claim)*);
        #[cfg(feature = "development")]
        claims!(over_tls_in_memory, tls_in_memory, (start_paused = true): $($claim)*);
        #[cfg(all(feature = "quic", feature = "development"))]
        claims!(over_quic, quic, (): $($claim)*);
        #[cfg(unix)]
        claims!(over_unix_sockets, unix, (): $($claim)*);
        #[cfg(target_os = "linux")]
        claims!(over_unix_sockets_without_a_file, nameless, (): $($claim)*);
    };
}

of_every_transport! {
    bytes_arrive_whole_and_in_order_both_ways_at_once
    a_write_that_nobody_reads_waits_and_goes_on_later
    closing_one_direction_ends_it_after_its_bytes_and_leaves_the_other
    a_peer_that_goes_without_reading_hangs_nobody
    where_nobody_listens_a_connection_is_refused
    a_listener_accepts_many_that_came_at_once
    a_listener_that_is_gone_refuses_and_ends_who_waited
    a_connection_that_is_gone_before_it_is_accepted_does_not_end_the_listener
    a_listener_and_its_peers_say_where_they_are
    an_address_is_one_listeners_until_it_is_gone
    an_address_of_another_kind_is_refused_and_named
}
