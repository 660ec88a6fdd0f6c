//! Certificates: who shows which to whom, and what becomes of it.

use rpcnet::transport::tls::{Pem, Tls};

use super::*;
use crate::tls::reload::Folder;

const ANN: &str = "spiffe://prod/ann";

#[tokio::test]
async fn who_calls_is_known_to_the_method() {
    let realm = Realm::new();
    let (addr, _serving) = serve(quic(realm.end("127.0.0.1").allow_anonymous())).await;
    for name in [ANN, "spiffe://prod/bob", "build-7.internal"] {
        let door = open(addr, realm.client(name)).await.unwrap();
        assert_eq!(door.knock().await.unwrap(), name);
    }
    let anonymous = Tls::builder().roots(realm.authority.roots());
    let door = open(addr, quic(anonymous)).await.unwrap();
    assert_eq!(door.knock().await.unwrap(), "nobody");
}

#[tokio::test]
async fn whoever_does_not_belong_is_refused_and_told_why() {
    let (realm, other) = (Realm::new(), Realm::new());
    let (addr, _serving) = serve(realm.server()).await;
    let foreign = other.end(ANN).roots(realm.authority.roots());
    let nameless = Tls::builder().roots(realm.authority.roots());
    let suspicious = realm.end(ANN).roots(other.authority.roots());
    let elsewhere = realm.end(ANN).server_name("bank.internal");
    let strict = realm.end(ANN).servers("spiffe://prod/bank".parse().unwrap());
    let cases = [
        (foreign, "does not trust who issued the certificate of this end"),
        (nameless, "asks for a certificate, and this end has none: set `TlsBuilder::certificate`"),
        (suspicious, "its certificate was not issued by one of the `roots` of this end"),
        (elsewhere, "bank.internal"),
        (strict, "which is none of the `servers` this end expects (spiffe://prod/bank)"),
    ];
    for (tls, why) in cases {
        let told = refused(addr, tls).await;
        assert!(told.contains(why) && told.contains(&addr.to_string()), "{why}: {told}");
    }
    let door = open(addr, realm.client(ANN)).await.expect("it belongs");
    assert_eq!(door.knock().await.unwrap(), ANN);
}

#[tokio::test]
async fn a_server_known_by_its_identity_is_reached_at_any_address() {
    let realm = Realm::new();
    let (addr, _serving) = serve(realm.client("spiffe://prod/bank")).await;
    let door = open(addr, quic(realm.end(ANN).servers("spiffe://prod/*".parse().unwrap()))).await.unwrap();
    assert_eq!(door.knock().await.unwrap(), ANN);
    let told = refused(addr, realm.end(ANN).servers("spiffe://test/*".parse().unwrap())).await;
    assert!(told.contains("is that of spiffe://prod/bank"), "{told}");
}

#[tokio::test]
async fn both_ends_go_over_to_another_authority_without_a_failed_call() {
    let (realm, next) = (Realm::new(), Realm::new());
    let (server_files, client_files) = (Folder::new(), Folder::new());
    let end = |folder: &Folder| {
        let file = |name| folder.file(name);
        Tls::mutual(file("tls.crt"), file("tls.key"), file("ca.crt")).unwrap()
    };
    let put = |of: &Realm, roots: &[&Pem]| {
        server_files.put(&of.authority.issue(["127.0.0.1"]).unwrap(), roots);
        client_files.put(&of.authority.issue([ANN]).unwrap(), roots);
    };
    let (old, new) = (realm.authority.roots(), next.authority.roots());
    put(&realm, &[&old]);
    let (server, client) = (end(&server_files), end(&client_files));
    let (addr, _serving) = serve(Quic::new(server.clone())).await;
    let carrier = Quic::new(client.clone());
    let lasting = open(addr, carrier.clone()).await.unwrap();
    // Each step is safe by itself: trust both, show the new one, trust it alone.
    for (of, roots) in [(&realm, vec![&old, &new]), (&next, vec![&old, &new]), (&next, vec![&new])] {
        put(of, &roots);
        for tls in [&server, &client] {
            assert!(tls.reload().unwrap(), "the files have changed");
        }
        let fresh = open(addr, carrier.clone()).await.unwrap();
        assert_eq!(fresh.knock().await.unwrap(), ANN);
        assert_eq!(lasting.knock().await.unwrap(), ANN, "what is open stays open");
    }
    let told = refused(addr, realm.end(ANN).roots(new)).await;
    assert!(told.contains("does not trust who issued"), "the old authority lets nobody in any more: {told}");
}
