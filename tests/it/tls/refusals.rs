//! Whoever does not belong is refused, told why, and the server goes on.

use std::time::{Duration, SystemTime};

use rpcnet::transport::{Tcp, Transport, memory::MemoryHost, tls::TlsError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

/// A server with mutual TLS; what is tried against it; and that it serves who belongs afterwards.
async fn tried(what: impl AsyncFnOnce(&Realm, SocketAddr)) {
    let realm = Realm::new();
    let addr = realm.serve(realm.end(1, &[SERVER])).await;
    what(&realm, addr).await;
    let door = open(addr, realm.end(250, &["spiffe://prod/x"])).await.expect("it belongs");
    assert_eq!(door.knock().await.unwrap(), "spiffe://prod/x");
}

fn says(error: &str, addr: SocketAddr, words: &str) {
    assert!(error.contains(&addr.to_string()), "it says where: {error}");
    assert!(error.contains(words), "it says what: {error}");
}

#[tokio::test(start_paused = true)]
async fn a_client_of_another_authority() {
    tried(async |realm, addr| {
        let other = Authority::new().unwrap();
        let own = other.issue(["spiffe://prod/x"]).unwrap();
        let tls = realm.end_with(2, Some(own)).roots(realm.authority.roots());
        says(&refused(addr, tls).await, addr, "does not trust who issued");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_certificate() {
    tried(async |realm, addr| {
        let tls = realm.end_with(2, None).roots(realm.authority.roots());
        says(&refused(addr, tls).await, addr, "this end has none: set `TlsBuilder::certificate`");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_certificate_has_two_uris() {
    tried(async |realm, addr| {
        let own = realm.authority.issue(["spiffe://prod/a", "spiffe://prod/b"]).unwrap();
        let built = realm.end_with(2, Some(own)).roots(realm.authority.roots()).build();
        let error = built.map(drop).expect_err("it has no identity").to_string();
        assert!(error.contains("2 URIs"), "{error}");
        let _ = addr;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_of_another_authority_or_for_another_host() {
    tried(async |realm, addr| {
        let tls = realm.end(2, &["spiffe://prod/x"]).roots(Authority::new().unwrap().roots());
        says(&refused(addr, tls).await, addr, "was not issued by one of the `roots`");
        let tls = || realm.end(2, &["spiffe://prod/x"]);
        says(&refused(addr, tls().server_name("bank.internal")).await, addr, "bank.internal");
        let error = refused(addr, tls().servers("spiffe://prod/bank".parse().unwrap())).await;
        says(
            &error,
            addr,
            "its certificate is that of nobody, which is none of the `servers` this end expects",
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_known_by_its_identity_is_reached_at_any_address() {
    let realm = Realm::new();
    let addr = realm.serve(realm.end(1, &["spiffe://prod/bank"])).await;
    let tls = |pattern: &str| realm.end(2, &["spiffe://prod/x"]).servers(pattern.parse().unwrap());
    assert_eq!(open(addr, tls("spiffe://prod/*")).await.unwrap().knock().await.unwrap(), "spiffe://prod/x");
    let error = refused(addr, tls("spiffe://test/*")).await;
    says(&error, addr, "its certificate is that of spiffe://prod/bank, which is none of the `servers`");
    let untrusted = tls("*").roots(Authority::new().unwrap().roots());
    says(&refused(addr, untrusted).await, addr, "was not issued by one of the `roots`");
}

#[tokio::test]
async fn what_is_out_of_date_is_not_taken_up() {
    let realm = Realm::new();
    let now = SystemTime::now();
    let built = |since: SystemTime, until: SystemTime| {
        let own = realm.authority.issue_for([SERVER], since, until).unwrap();
        realm.end_with(1, Some(own)).build().map(drop)
    };
    let error = built(now - 9 * DAY, now - 3 * DAY).expect_err("it has ended");
    assert!(matches!(error, TlsError::OutOfDate { .. }), "{error:?}");
    assert_eq!(error.to_string(), "the certificate in the given text has expired 3 days ago: renew it");
    let error = built(now + 3 * DAY + DAY / 2, now + 9 * DAY).expect_err("it has not begun").to_string();
    assert!(error.ends_with("is not valid before 3 days from now: is the clock right?"), "{error}");
    built(now - DAY, now + DAY).expect("it is in date");
}

#[tokio::test(start_paused = true)]
async fn plain_text_at_a_server_of_tls_and_tls_at_one_of_plain_text() {
    tried(async |realm, addr| {
        let plain = realm.network.host([10, 0, 0, 2]);
        let error = Channel::builder(addr).transport(plain).connect().await.map(drop).expect_err("it is TLS");
        assert!(error.to_string().contains(&addr.to_string()), "{error}");

        let server = Server::builder().service(DoorServer::new(Porter));
        let server = server.transport(realm.network.host([10, 0, 0, 3])).bind("10.0.0.3:0").await.unwrap();
        let (addr, _serving) = (server.local_addr(), tokio::spawn(server.serve()));
        let error = refused(addr, realm.end(2, &["spiffe://prod/x"])).await;
        assert!(error.contains(&addr.to_string()), "{error}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_tls_are_answered_with_an_alert_and_the_end() {
    tried(async |realm, addr| {
        let mut stream = dial(&realm.network.host([10, 0, 0, 2]), addr).await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.first(), Some(&21), "an alert of TLS, and nothing of the protocol");
        assert!(answer.len() <= 7, "{answer:?}");
    })
    .await;
}

async fn dial(host: &MemoryHost, addr: SocketAddr) -> rpcnet::transport::BoxStream {
    host.connect(&addr.into()).await.unwrap()
}

#[tokio::test]
async fn certificates_of_development_stay_on_this_host() {
    let realm = Realm::new();
    let own = realm.authority.issue([SERVER, "localhost", "127.0.0.1"]).unwrap();
    let tls = Tls::builder().certificate(own.chain, own.key).roots(realm.authority.roots()).build().unwrap();
    let server = || Server::builder().service(DoorServer::new(Porter)).transport(tls.clone());
    let error =
        server().bind("0.0.0.0:0").await.map(drop).expect_err("beyond the loopback interface").to_string();
    assert!(
        error.contains("these certificates are for development") && error.contains("0.0.0.0:0"),
        "{error}"
    );
    for elsewhere in ["10.0.0.1:80", "bank.internal:80"] {
        let connect = Channel::builder(elsewhere).transport(tls.clone()).connect().await;
        let error = connect.map(drop).expect_err("beyond the loopback interface").to_string();
        assert!(
            error.contains("these certificates are for development") && error.contains(elsewhere),
            "{error}"
        );
    }
    let server = server().bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().port();
    let serving = tokio::spawn(server.serve());
    let by_name = Channel::builder(format!("localhost:{port}")).transport(tls).connect().await.unwrap();
    assert_eq!(DoorClient::new(by_name).knock().await.unwrap(), "localhost");
    serving.abort();
}

#[tokio::test]
async fn an_end_that_lacks_what_its_part_needs_says_so() {
    let realm = Realm::new();
    let error = Tls::builder().build().map(drop).expect_err("nothing was given").to_string();
    assert_eq!(
        error,
        "neither `certificate` nor `roots` was given: a server needs the first, a client the second"
    );
    let own = realm.authority.issue([SERVER]).unwrap();
    let error = realm
        .end_with(1, Some(own.clone()))
        .allow_anonymous()
        .build()
        .map(drop)
        .expect_err("nobody is asked");
    assert!(matches!(error, TlsError::NobodyAsked), "{error}");
    let error = refused("127.0.0.1:9", realm.end_with(1, Some(own)).over(Tcp::loopback())).await;
    assert!(error.contains("a client needs `TlsBuilder::roots`, and this one has none"), "{error}");
    let tls = realm.end_with(1, None).roots(realm.authority.roots()).build().unwrap();
    let bound = Server::builder().transport(tls).bind("10.0.0.1:0").await.map(drop);
    let error = bound.expect_err("it has no certificate").to_string();
    assert!(error.contains("a server needs `TlsBuilder::certificate`, and this one has none"), "{error}");
}

#[tokio::test]
async fn what_is_no_certificate_is_named_with_where_it_is() {
    let realm = Realm::new();
    let own = realm.authority.issue([SERVER]).unwrap();
    let other = realm.authority.issue([SERVER]).unwrap();
    let build = |chain: Pem, key: Pem| {
        Tls::builder().certificate(chain, key).build().map(drop).expect_err("it is wrong").to_string()
    };
    let missing = "/nowhere/tls.crt";
    assert!(build(missing.into(), own.key.clone()).starts_with("cannot read /nowhere/tls.crt: "));
    let error = build(Pem::bytes("garbage"), own.key.clone());
    assert!(error.starts_with("the given text holds no certificate: PEM has it between"), "{error}");
    let error = build(own.key.clone(), own.key.clone());
    assert!(error.starts_with("the given text holds no certificate"), "{error}");
    let error = build(own.chain.clone(), own.chain.clone());
    assert!(error.starts_with("the given text holds no private key"), "{error}");
    let error = build(own.chain.clone(), other.key);
    assert_eq!(error, "the key in the given text is not that of the certificate in the given text");
    let cut = text(&own.chain);
    let error = build(Pem::bytes(&cut[..cut.len() / 2]), own.key);
    assert!(error.starts_with("the given text is no certificate in PEM"), "{error}");
}
