//! What Linux keeps of hosts that answered a datagram with "nobody listens on that port": `IP_RECVERR`, ip(7).

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Room for the control messages of one error, which take some 70 bytes.
const CONTROL_BYTES: usize = 256;

// What an error says of where it comes from: linux/errqueue.h, RFC 792, RFC 4443 §3.1.
const ORIGIN_ICMP: u8 = 2;
const ORIGIN_ICMP6: u8 = 3;
const ICMP_PORT_UNREACHABLE: (u8, u8) = (3, 3);
const ICMP6_PORT_UNREACHABLE: (u8, u8) = (1, 4);

/// Asks the system to keep them.
pub(super) fn listen(socket: &UdpSocket) -> io::Result<()> {
    if socket.local_addr()?.is_ipv6() {
        setsockopt(socket, Ipv6RecvErr, &true)?;
    } else {
        setsockopt(socket, Ipv4RecvErr, &true)?;
    }
    Ok(())
}

/// The next address of which its own host said so.
pub(super) async fn next(socket: &UdpSocket) -> SocketAddr {
    loop {
        match socket.async_io(Interest::ERROR, || read(socket)).await {
            Ok(Some(addr)) => return addr,
            Ok(None) => {}
            // Cannot be for a socket that is open; without it the node only learns by other ways.
            Err(error) => {
                tracing::debug!(%error, "the socket's errors cannot be read");
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The first error that waits; `None` if it is another one. Fails with `WouldBlock` when none waits.
fn read(socket: &UdpSocket) -> io::Result<Option<SocketAddr>> {
    let (mut control, mut payload) = ([0; CONTROL_BYTES], [0; 1]);
    let mut payload = [IoSliceMut::new(&mut payload)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let read = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut payload, Some(&mut control), flags);
    let message = match read {
        Ok(message) => message,
        Err(Errno::EINTR) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(to) = message.address.as_ref().and_then(address) else { return Ok(None) };
    let Ok(mut said) = message.cmsgs() else { return Ok(None) };
    Ok(said.any(|message| says_nobody_listens(&message, to.ip())).then_some(to))
}

/// Where the datagram had gone to.
fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let four = || storage.as_sockaddr_in().map(|&addr| SocketAddr::V4(addr.into()));
    let six = || storage.as_sockaddr_in6().map(|&addr| SocketAddr::V6(addr.into()));
    four().or_else(six).map(|addr| SocketAddr::new(addr.ip().to_canonical(), addr.port()))
}

/// Said by the host itself. A router on the way that rejects datagrams knows nothing of processes.
fn says_nobody_listens(message: &ControlMessageOwned, host: IpAddr) -> bool {
    let (error, by) = match message {
        ControlMessageOwned::Ipv4RecvErr(error, Some(by)) => {
            (error, IpAddr::from(by.sin_addr.s_addr.to_ne_bytes()))
        }
        ControlMessageOwned::Ipv6RecvErr(error, Some(by)) => (error, IpAddr::from(by.sin6_addr.s6_addr)),
        _ => return false,
    };
    let code = (error.ee_type, error.ee_code);
    let unreachable = match error.ee_origin {
        ORIGIN_ICMP => code == ICMP_PORT_UNREACHABLE,
        ORIGIN_ICMP6 => code == ICMP6_PORT_UNREACHABLE,
        _ => false,
    };
    unreachable && by.to_canonical() == host
}
