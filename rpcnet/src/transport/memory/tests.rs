//! Claims about the network: what a killed process can still do.

use std::{io::ErrorKind, net::SocketAddr};

use super::{MemoryHost, MemoryNetwork};
use crate::transport::{Address, Listener, Transport};

async fn listen(host: &MemoryHost) -> Box<dyn Listener> {
    host.listen(&Address::from(SocketAddr::new(host.ip(), 80))).await.expect("the port is free")
}

#[tokio::test(start_paused = true)]
async fn a_killed_process_reaches_nobody_and_its_successor_does() {
    let network = MemoryNetwork::new(1);
    let (dead, other) = (network.host([10, 0, 0, 1]), network.host([10, 0, 0, 2]));
    let _listener = listen(&other).await;
    let to = Address::from(SocketAddr::new(other.ip(), 80));
    network.kill(dead.ip());
    let error = dead.connect(&to).await.map(drop).expect_err("it was killed");
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    assert!(dead.bind_datagrams(7).is_err());
    assert!(network.host(dead.ip()).connect(&to).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_socket_of_a_killed_process_stays_silent_when_its_port_is_used_again() {
    let network = MemoryNetwork::new(1);
    let other = network.host([10, 0, 0, 2]).bind_datagrams(7).expect("the port is free");
    let old = network.host([10, 0, 0, 1]).bind_datagrams(7).expect("the port is free");
    network.kill(old.local_addr().ip());
    let new = network.host([10, 0, 0, 1]).bind_datagrams(7).expect("the port is free again");
    assert!(old.send_to(b"old", other.local_addr()).is_err());
    drop(old);
    new.send_to(b"new", other.local_addr()).expect("it runs");
    assert_eq!(other.recv_from().await.expect("it runs").0, b"new");
    other.send_to(b"back", new.local_addr()).expect("it runs");
    assert_eq!(new.recv_from().await.expect("it runs").0, b"back");
}

#[tokio::test(start_paused = true)]
async fn a_process_killed_while_it_connects_does_not_get_through_when_the_cut_heals() {
    let network = MemoryNetwork::new(1);
    let (dying, other) = (network.host([10, 0, 0, 1]), network.host([10, 0, 0, 2]));
    let _listener = listen(&other).await;
    network.cut(dying.ip(), other.ip());
    let (ip, to) = (dying.ip(), Address::from(SocketAddr::new(other.ip(), 80)));
    let connecting = tokio::spawn(async move { dying.connect(&to).await.map(drop) });
    tokio::task::yield_now().await;
    network.kill(ip);
    network.heal();
    assert!(connecting.await.expect("no panic").is_err());
}
