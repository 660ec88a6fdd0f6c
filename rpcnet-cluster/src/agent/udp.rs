//! The system's UDP socket, with room for what arrives while the node does not run.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rpcnet::transport::BoxFuture;
use socket2::SockRef;
use tokio::net::UdpSocket;

use super::socket::DatagramSocket;
#[cfg(target_os = "linux")]
use super::unreachable;
use crate::membership::DATAGRAM_BYTES_MAX;

/// Asked of the system for datagrams that wait: a stalled node finds what proves the others alive, a thousand nodes'
/// answers and gossip of some seconds. Linux gives twice `net.core.rmem_max` at most, 416 KiB by default, which is some
/// 180 large datagrams.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// Errors passed over in a row. They are what hosts on the way said of earlier datagrams, one for each of their packets;
/// one after another without end is something else.
const ERRORS_IN_A_ROW_MAX: u32 = 64;

/// A socket of the system.
#[derive(Debug)]
pub(super) struct Udp(UdpSocket);

impl Udp {
    pub(super) async fn bind(at: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(at).await?;
        enlarge(&socket, at);
        #[cfg(target_os = "linux")]
        if let Err(error) = unreachable::listen(&socket) {
            tracing::debug!(%error, "the system does not tell of ports on which nobody listens");
        }
        Ok(Self(socket))
    }
}

/// A smaller buffer than asked for works as well, until there is a stall.
fn enlarge(socket: &UdpSocket, at: SocketAddr) {
    let socket = SockRef::from(socket);
    let asked = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    match asked.and_then(|()| socket.recv_buffer_size()) {
        Ok(granted) if granted < RECEIVE_BUFFER_BYTES => tracing::info!(
            %at,
            asked = RECEIVE_BUFFER_BYTES,
            granted,
            "the system gives the gossip socket a smaller receive buffer (Linux: sysctl net.core.rmem_max)"
        ),
        Ok(granted) => tracing::debug!(%at, granted, "receive buffer of the gossip socket"),
        Err(error) => tracing::info!(%at, %error, "the gossip socket keeps the system's receive buffer"),
    }
}

impl DatagramSocket for Udp {
    fn send(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        match self.0.try_send_to(bytes, to) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            // What some host said of an earlier datagram is told in place of sending this one.
            Err(_) => self.0.try_send_to(bytes, to).map(drop),
        }
    }

    fn receive(self: Arc<Self>) -> BoxFuture<'static, io::Result<(Vec<u8>, SocketAddr)>> {
        Box::pin(async move {
            // One byte more than any message has, so that a longer one is seen to be too long.
            let mut bytes = vec![0; DATAGRAM_BYTES_MAX + 1];
            let mut errors = 0;
            loop {
                match self.0.recv_from(&mut bytes).await {
                    Ok((length, from)) => {
                        bytes.truncate(length);
                        return Ok((bytes, from));
                    }
                    Err(error) if errors == ERRORS_IN_A_ROW_MAX => return Err(error),
                    Err(_) => errors += 1,
                }
            }
        })
    }

    #[cfg(target_os = "linux")]
    fn unreachable(self: Arc<Self>) -> BoxFuture<'static, SocketAddr> {
        Box::pin(async move { unreachable::next(&self.0).await })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_host_tells_of_a_port_on_which_nobody_listens_and_nothing_is_lost_by_it() {
        for home in ["127.0.0.1:0", "[::1]:0"] {
            let at: SocketAddr = home.parse().unwrap();
            let Ok(gone) = UdpSocket::bind(at).await else {
                println!("skipped: no {at} here");
                continue;
            };
            let nobody = gone.local_addr().unwrap();
            drop(gone);
            let (one, other) = (Arc::new(Udp::bind(at).await.unwrap()), Udp::bind(at).await.unwrap());
            one.0.writable().await.unwrap();
            other.0.writable().await.unwrap();
            let there = other.0.local_addr().unwrap();
            for round in 0..10_u8 {
                one.send(nobody, b"anybody?").unwrap();
                // The error of the datagram before must not eat this one.
                one.send(there, &[round]).unwrap();
            }
            let other = Arc::new(other);
            for round in 0..10_u8 {
                let (bytes, from) = timeout(LONG, Arc::clone(&other).receive()).await.unwrap().unwrap();
                assert_eq!((&bytes[..], from), (&[round][..], one.0.local_addr().unwrap()));
            }
            let told = timeout(LONG, Arc::clone(&one).unreachable()).await.expect("told");
            assert_eq!(told, nobody);
            // And receiving goes on.
            other.send(one.0.local_addr().unwrap(), b"yes").unwrap();
            let (bytes, from) = timeout(LONG, Arc::clone(&one).receive()).await.unwrap().unwrap();
            assert_eq!((&bytes[..], from), (&b"yes"[..], there));
        }
    }

    #[tokio::test]
    async fn the_receive_buffer_is_no_smaller_than_the_systems_own() {
        let at: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let usual = UdpSocket::bind(at).await.unwrap();
        let usual = SockRef::from(&usual).recv_buffer_size().unwrap();
        let ours = Udp::bind(at).await.unwrap();
        let ours = SockRef::from(&ours.0).recv_buffer_size().unwrap();
        assert!(ours >= usual, "{ours} < {usual}");
    }
}
