//! What a program cannot do with this crate's own ends: certificates that ended while in use, and peers that want something
//! else.

use std::{
    future::poll_fn,
    time::{Duration, SystemTime},
};

use rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{development::Authority, *};
use crate::transport::{
    Accepted,
    memory::{MemoryHost, MemoryNetwork},
};

const DAY: Duration = Duration::from_secs(86_400);
const SERVER: &str = "10.0.0.1";

struct World {
    network: MemoryNetwork,
    authority: Authority,
}

impl World {
    fn new() -> Self {
        Self { network: MemoryNetwork::new(1), authority: Authority::new().expect("there is randomness") }
    }

    fn host(&self, host: u8) -> MemoryHost {
        self.network.host([10, 0, 0, host])
    }

    /// An end whose certificate is valid for a day from `since` on, when it was read.
    fn end(&self, host: u8, since: SystemTime) -> Tls {
        let own = self.authority.issue_for([SERVER], since, since + DAY).expect("a name");
        let tls = Tls::builder().certificate(own.chain, own.key).roots(self.authority.roots());
        tls.over(self.host(host))
            .allow_development_anywhere()
            .build_at(since + DAY / 2)
            .expect("it was valid")
    }

    /// What both ends say when one connects to the other: the client when it reads the first byte, the server's end at all.
    async fn meet(&self, client: &Tls, server: &Tls) -> Result<u8, String> {
        let mut listener = server.listen(&"10.0.0.1:0".into()).await.expect("it is free");
        let address = listener.address();
        let serve = async {
            loop {
                let Ok(Accepted { mut stream, .. }) = poll_fn(|cx| listener.poll_accept(cx)).await else {
                    continue;
                };
                let _ = stream.write_all(&[7]).await;
                let _ = stream.shutdown().await;
            }
        };
        let call = async {
            let mut stream = client.connect(&address).await?;
            stream.read_u8().await
        };
        tokio::select! {
            () = serve => unreachable!("it serves for ever"),
            result = call => result.map_err(|error: io::Error| error.to_string()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_has_ended_or_not_begun_is_refused_by_either_end() {
    let (world, now) = (World::new(), SystemTime::now());
    let ended = now - 3 * DAY;
    let ahead = now + 3 * DAY;
    let good = |host| world.end(host, now - DAY / 2);
    assert_eq!(world.meet(&good(2), &good(1)).await, Ok(7));

    let told = world.meet(&good(2), &world.end(1, ended)).await.expect_err("the server's has ended");
    assert!(told.contains("its certificate has expired: renew it"), "{told}");
    let told = world.meet(&good(2), &world.end(1, ahead)).await.expect_err("the server's has not begun");
    assert!(told.contains("its certificate is not valid yet: is the clock"), "{told}");
    for since in [ended, ahead] {
        let told = world.meet(&world.end(2, since), &good(1)).await.expect_err("the client's is of no use");
        assert!(told.contains("it finds the certificate of this end expired, or not valid yet"), "{told}");
    }
}

/// A client of rustls's, with settings of its own.
async fn raw(
    world: &World,
    config: ClientConfig,
    to: &Address,
) -> io::Result<tokio_rustls::client::TlsStream<BoxStream>> {
    let stream = world.host(3).connect(to).await?;
    let name = ServerName::try_from(SERVER).expect("an IP address");
    TlsConnector::from(Arc::new(config)).early_data(true).connect(name, stream).await
}

/// The settings of this crate's own client, to change.
fn config(tls: &Tls) -> ClientConfig {
    ClientConfig::clone(tls.inner.current().client.as_ref().expect("it has roots"))
}

#[tokio::test(start_paused = true)]
async fn no_session_is_resumed_and_no_early_data_taken() {
    let world = World::new();
    let tls = world.end(1, SystemTime::now() - DAY / 2);
    let mut listener = tls.listen(&"10.0.0.1:0".into()).await.expect("it is free");
    let address = listener.address();
    let mut willing = config(&tls);
    willing.enable_early_data = true;
    willing.resumption = rustls::client::Resumption::in_memory_sessions(8);
    for _ in 0..3 {
        let client = async {
            let mut stream = raw(&world, willing.clone(), &address).await.expect("it belongs");
            stream.write_all(b"x").await.expect("the server is there");
            stream.flush().await.expect("the server is there");
            // Tickets would come now.
            assert_eq!(stream.read_u8().await.expect("the server answers"), 7);
            stream
        };
        let server = async {
            let Accepted { mut stream, .. } =
                poll_fn(|cx| listener.poll_accept(cx)).await.expect("it belongs");
            stream.write_all(&[7]).await.expect("the client is there");
            stream.flush().await.expect("the client is there");
            stream
        };
        let (client, _server) = tokio::join!(client, server);
        let (_, session) = client.get_ref();
        assert!(!session.is_early_data_accepted());
        assert_eq!(session.handshake_kind(), Some(rustls::HandshakeKind::Full));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_say_what_it_speaks_or_speaks_something_else_is_not_served() {
    let world = World::new();
    let tls = world.end(1, SystemTime::now() - DAY / 2);
    let mut listener = tls.listen(&"10.0.0.1:0".into()).await.expect("it is free");
    let address = listener.address();
    for protocols in [vec![], vec![b"h2".to_vec()], vec![b"rpcnet/2".to_vec()]] {
        let mut other = config(&tls);
        other.alpn_protocols = protocols.clone();
        if let Ok(mut stream) = raw(&world, other, &address).await {
            // Ended without a word of the protocol, however TLS calls it.
            assert!(stream.read_u8().await.is_err(), "{protocols:?}");
        }
    }
    let client = tls.connect(&address);
    let (client, accepted) = tokio::join!(client, poll_fn(|cx| listener.poll_accept(cx)));
    client.expect("it belongs");
    accepted.expect("none of the others came first");
}

#[tokio::test(start_paused = true)]
async fn plain_text_in_the_middle_of_a_connection_ends_it_and_is_never_read() {
    let world = World::new();
    let tls = world.end(1, SystemTime::now() - DAY / 2);
    let mut listener = tls.listen(&"10.0.0.1:0".into()).await.expect("it is free");
    let address = listener.address();
    let client = async {
        let mut stream = raw(&world, config(&tls), &address).await.expect("it belongs");
        stream.write_all(b"sealed").await.expect("the server is there");
        stream.flush().await.expect("the server is there");
        stream.get_mut().0.write_all(b"RpcN in plain text, twenty bytes and more").await.expect("it is open");
        stream
    };
    let (client, accepted) = tokio::join!(client, poll_fn(|cx| listener.poll_accept(cx)));
    let mut read = Vec::new();
    let error = accepted.expect("it belongs").stream.read_to_end(&mut read).await.expect_err("it is no TLS");
    assert_eq!(read, b"sealed");
    assert!(error.to_string().contains("it does not speak TLS"), "{error}");
    drop(client);
}
