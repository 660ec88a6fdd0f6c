//! What a program cannot do with this crate's own ends: floods, and peers that want something else.

use std::{
    future::poll_fn,
    sync::atomic::{AtomicUsize, Ordering},
};

use quinn::{ClientConfig, Connection, crypto::rustls::QuicClientConfig};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UdpSocket,
};

use super::*;
use crate::transport::{
    Accepted,
    tls::{TlsBuilder, development::Authority},
};

/// Both ends of mutual TLS.
fn mutual() -> TlsBuilder {
    let authority = Authority::new().expect("there is randomness");
    let own = authority.issue(["127.0.0.1"]).expect("a name");
    Tls::builder().certificate(own.chain, own.key).roots(authority.roots())
}

async fn listen(quic: &Quic) -> (Box<dyn Listener>, SocketAddr) {
    let listener = quic.listen(&"127.0.0.1:0".into()).await.expect("a port is free");
    let addr = listener.address().socket_addr().expect("it is one of IP");
    (listener, addr)
}

async fn accept(listener: &mut Box<dyn Listener>) -> Accepted {
    poll_fn(|cx| listener.poll_accept(cx)).await.expect("the socket is well")
}

/// A client of quinn's, with the certificates of this crate's own and other settings.
struct Raw {
    socket: Endpoint,
    config: ClientConfig,
}

impl Raw {
    fn new(tls: &Tls, change: impl FnOnce(&mut rustls::ClientConfig)) -> Self {
        let dialing = tls.dialing(&"127.0.0.1:1".into()).expect("it has roots");
        let mut config = rustls::ClientConfig::clone(&dialing.config);
        change(&mut config);
        let config = QuicClientConfig::try_from(config).expect("its suites are TLS 1.3's");
        let socket = Endpoint::client("127.0.0.1:0".parse().expect("an address")).expect("a port is free");
        Self { socket, config: ClientConfig::new(Arc::new(config)) }
    }

    fn dial(&self, to: SocketAddr) -> quinn::Connecting {
        self.socket.connect_with(self.config.clone(), to, "127.0.0.1").expect("it is asked rightly")
    }

    async fn connect(&self, to: SocketAddr) -> Connection {
        self.dial(to).await.expect("it belongs")
    }
}

/// Something between clients and a server that counts the packets by which clients are asked to prove where they are. One client
/// at a time.
async fn between(server: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    let (addr, retries) = (socket.local_addr().expect("it is bound"), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&retries);
    tokio::spawn(async move {
        let (mut bytes, mut client) = ([0; 2048], None);
        loop {
            let Ok((length, from)) = socket.recv_from(&mut bytes).await else { continue };
            if from != server {
                client = Some(from);
            } else if bytes[0] & 0xf0 == 0xf0 {
                // RFC 9000, section 17.2.5: a long header of type 3.
                counted.fetch_add(1, Ordering::SeqCst);
            }
            let to = if from == server { client } else { Some(server) };
            if let Some(to) = to {
                let _ = socket.send_to(&bytes[..length], to).await;
            }
        }
    });
    (addr, retries)
}

#[tokio::test]
async fn clients_that_never_say_what_they_want_are_bounded_and_keep_nobody_out() {
    let tls = mutual().handshakes_max(8).build().expect("they fit together");
    let quic = Quic::new(tls.clone());
    let (mut listener, addr) = listen(&quic).await;
    let raw = Raw::new(&tls, |_| ());
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(raw.connect(addr).await);
    }
    // Those that came last may still wait; whoever came first made room, and is told.
    for connection in &idle[..12] {
        let why = connection.closed().await;
        assert!(matches!(why, quinn::ConnectionError::ApplicationClosed(_)), "{why}");
    }
    let (address, mut stream) = (listener.address(), None);
    let (_client, ()) =
        tokio::join!(quic.connect(&address), async { stream = Some(accept(&mut listener).await) });
    assert!(stream.is_some(), "who says what it wants is let in");
}

#[tokio::test]
async fn in_a_crowd_clients_have_to_show_where_they_are() {
    let tls = mutual().handshakes_max(8).build().expect("they fit together");
    let quic = Quic::new(tls.clone());
    let (_listener, addr) = listen(&quic).await;
    let (way, retries) = between(addr).await;
    let (raw, mut idle) = (Raw::new(&tls, |_| ()), Vec::new());
    for expected in [0, 0, 1, 2] {
        // In turns: the one between knows one client.
        idle.push(raw.connect(way).await);
        assert_eq!(retries.load(Ordering::SeqCst), expected);
    }
}

#[tokio::test]
async fn packets_of_no_sense_harm_nobody() {
    let quic = Quic::new(mutual().build().expect("they fit together"));
    let (mut listener, addr) = listen(&quic).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    let mut random = fastrand::Rng::with_seed(7);
    for length in (0..1400).step_by(70) {
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
        if let Some(first) = bytes.first_mut() {
            // As often as not what may be a hello.
            *first |= if length % 140 == 0 { 0xc0 } else { 0 };
        }
        socket.send_to(&bytes, addr).await.expect("the interface is up");
    }
    let address = listener.address();
    let (client, mut accepted) = tokio::join!(quic.connect(&address), accept(&mut listener));
    accepted.stream.write_all(&[7]).await.expect("the client is there");
    assert_eq!(client.expect("it belongs").read_u8().await.expect("it was sent"), 7);
}

#[tokio::test]
async fn no_session_is_resumed_and_no_early_data_taken() {
    let tls = mutual().build().expect("they fit together");
    let quic = Quic::new(tls.clone());
    let (mut listener, addr) = listen(&quic).await;
    let raw = Raw::new(&tls, |config| {
        config.enable_early_data = true;
        config.resumption = rustls::client::Resumption::in_memory_sessions(8);
    });
    for _ in 0..3 {
        let connecting = raw.dial(addr).into_0rtt();
        let connecting = connecting.map(drop).expect_err("there is no ticket from the last time");
        let connection = connecting.await.expect("it belongs");
        let (mut send, mut recv) = connection.open_bi().await.expect("the server takes one");
        send.write_all(&[stream::PREAMBLE]).await.expect("the server is there");
        let mut accepted = accept(&mut listener).await;
        accepted.stream.write_all(&[7]).await.expect("the client is there");
        // Tickets would have come before.
        recv.read_exact(&mut [0]).await.expect("the server answers");
    }
}

#[tokio::test]
async fn a_peer_opens_one_stream_and_sends_no_datagrams() {
    let tls = mutual().build().expect("they fit together");
    let quic = Quic::new(tls.clone());
    let (mut listener, addr) = listen(&quic).await;
    let connection = Raw::new(&tls, |_| ()).connect(addr).await;
    assert_eq!(connection.max_datagram_size(), None);
    let (mut send, _recv) = connection.open_bi().await.expect("the server takes one");
    send.write_all(&[stream::PREAMBLE]).await.expect("the server is there");
    let _accepted = accept(&mut listener).await;
    for more in
        [poll_once(connection.open_bi()).await.is_none(), poll_once(connection.open_uni()).await.is_none()]
    {
        assert!(more, "the server gives no credit for it");
    }
}

/// What a future has at once.
async fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = std::future::ready(()) => None,
    }
}

#[tokio::test]
async fn a_stream_that_begins_with_something_else_is_refused_in_words() {
    let tls = mutual().build().expect("they fit together");
    let quic = Quic::new(tls.clone());
    let (_listener, addr) = listen(&quic).await;
    let connection = Raw::new(&tls, |_| ()).connect(addr).await;
    let (mut send, _recv) = connection.open_bi().await.expect("the server takes one");
    send.write_all(b"GET /").await.expect("the server is there");
    let why = error::explain(connection.closed().await, "it").to_string();
    assert_eq!(why, "QUIC with it: its stream begins with 71, and not with 1");
}

#[tokio::test]
async fn a_client_that_speaks_something_else_is_told() {
    let tls = mutual().build().expect("they fit together");
    let quic = Quic::new(tls.clone());
    let (_listener, addr) = listen(&quic).await;
    for protocols in [vec![], vec![b"h3".to_vec()]] {
        let raw = Raw::new(&tls, |config| config.alpn_protocols = protocols);
        let error = raw.dial(addr).await.expect_err("it does not belong");
        let why = error::explain(error, "it").to_string();
        assert!(why.contains("it serves another protocol than RpcNet's there"), "{why}");
    }
}

#[tokio::test]
async fn what_was_written_arrives_though_its_writer_is_gone() {
    let quic = Quic::new(mutual().build().expect("they fit together"));
    let (mut listener, _) = listen(&quic).await;
    let address = listener.address();
    let (client, mut accepted) = tokio::join!(quic.connect(&address), accept(&mut listener));
    let mut client = client.expect("it belongs");
    // Less than a window: it is taken at once.
    let sent = vec![7; 1 << 20];
    client.write_all(&sent).await.expect("the server is there");
    drop(client);
    let mut came = Vec::new();
    accepted.stream.read_to_end(&mut came).await.expect("it ends in order");
    assert!(came == sent, "{} of {} bytes", came.len(), sent.len());
    drop((accepted, listener));
    quic.wait_idle().await;
}
