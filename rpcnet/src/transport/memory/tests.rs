//! Claims about the network: what a killed process can still do.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

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

#[tokio::test(start_paused = true)]
async fn what_reaches_a_stopped_process_waits_until_it_goes_on() {
    let network = MemoryNetwork::new(1);
    let (stopped, other) = (network.host([10, 0, 0, 1]), network.host([10, 0, 0, 2]));
    let (ear, mouth) = (stopped.bind_datagrams(7).expect("free"), other.bind_datagrams(7).expect("free"));
    network.pause(stopped.ip());
    mouth.send_to(b"wait", ear.local_addr()).expect("it runs");
    ear.send_to(b"never", mouth.local_addr()).expect("it runs");
    let to = Address::from(SocketAddr::new(stopped.ip(), 80));
    let _listener = listen(&stopped).await;
    let connecting = tokio::spawn(async move { other.connect(&to).await.map(drop) });
    let nothing = tokio::time::timeout(Duration::from_secs(60), ear.recv_from()).await;
    assert!(nothing.is_err(), "a stopped process takes nothing");
    assert!(!connecting.is_finished());
    // The datagram whose future was dropped is gone, as `recv_from` says.
    mouth.send_to(b"now", ear.local_addr()).expect("it runs");
    network.resume(stopped.ip());
    assert_eq!(ear.recv_from().await.expect("it runs").0, b"now");
    assert!(connecting.await.expect("no panic").is_ok());
    ear.send_to(b"again", mouth.local_addr()).expect("it runs");
    assert_eq!(mouth.recv_from().await.expect("it runs").0, b"again", "what it sent while stopped is lost");
}

#[tokio::test(start_paused = true)]
async fn a_cut_in_one_direction_leaves_the_other() {
    let network = MemoryNetwork::new(1);
    let a = network.host([10, 0, 0, 1]).bind_datagrams(7).expect("free");
    let b = network.host([10, 0, 0, 2]).bind_datagrams(7).expect("free");
    network.cut_one_way(a.local_addr().ip(), b.local_addr().ip());
    b.send_to(b"heard", a.local_addr()).expect("it runs");
    a.send_to(b"lost", b.local_addr()).expect("it runs");
    assert_eq!(a.recv_from().await.expect("it runs").0, b"heard");
    network.heal();
    a.send_to(b"heard too", b.local_addr()).expect("it runs");
    assert_eq!(b.recv_from().await.expect("it runs").0, b"heard too");
}

#[tokio::test(start_paused = true)]
async fn a_slow_host_is_slow_in_both_directions_and_for_itself_alone() {
    let network = MemoryNetwork::new(1);
    let sockets = [1, 2, 3].map(|last| network.host([10, 0, 0, last]).bind_datagrams(7).expect("free"));
    let [slow, a, b] = &sockets;
    network.slow_down(slow.local_addr().ip(), Duration::from_millis(100));
    for (from, to, late) in [(slow, a, true), (a, slow, true), (a, b, false)] {
        let sent = tokio::time::Instant::now();
        from.send_to(b"x", to.local_addr()).expect("it runs");
        to.recv_from().await.expect("it runs");
        assert_eq!(sent.elapsed() >= Duration::from_millis(100), late);
    }
}
