//! Who a caller is, and what it may do.

use rpcnet::{Channel, Executed, Reason, ServerBuilder};

use super::*;

const BILLING: &str = "spiffe://prod/billing";
const ANN: &str = "spiffe://prod/ops/ann";
const HOST: &str = "build-7.internal";

fn rules(server: ServerBuilder) -> ServerBuilder {
    server
        .allow("Door/*", ["spiffe://prod/*", "*.internal"])
        .allow("Door/enter", [BILLING])
        .allow("Door/lock", ["spiffe://prod/ops/*", BILLING])
}

/// What a caller is told by each method.
async fn each(door: &DoorClient) -> [Result<String, (Reason, Executed)>; 3] {
    let why = |error: CallError| {
        let status = error.status().expect("no error of the method's own");
        (status.reason(), status.executed())
    };
    [
        door.knock().await.map_err(why),
        door.enter(7).await.map_err(why),
        door.lock(Uuid::new_v4()).await.map_err(why),
    ]
}

#[tokio::test(start_paused = true)]
async fn identities_times_methods() {
    let realm = Realm::new();
    let server = realm.end(1, &[SERVER]).allow_anonymous();
    let (addr, _serving) = realm.serve_with(server, rules).await;
    let (denied, unknown) =
        (Err((Reason::PermissionDenied, Executed::No)), Err((Reason::Unauthenticated, Executed::No)));
    let yes = |name: &str| Ok(name.to_owned());
    let anonymous = realm.end_with(9, None).roots(realm.authority.roots());
    let table = [
        (realm.end(2, &[BILLING]), [yes(BILLING), yes(BILLING), yes(BILLING)]),
        (realm.end(3, &[ANN]), [yes(ANN), denied.clone(), yes(ANN)]),
        // The URI says who it is, and not the name of the host beside it.
        (realm.end(4, &[HOST, ANN]), [yes(ANN), denied.clone(), yes(ANN)]),
        (realm.end(5, &[HOST]), [yes(HOST), denied.clone(), denied.clone()]),
        (realm.end(6, &["*.internal", "b.internal"]), [yes("b.internal"), denied.clone(), denied.clone()]),
        (realm.end(7, &["spiffe://test/billing"]), [denied.clone(), denied.clone(), denied.clone()]),
        // A certificate of ours for nobody in particular.
        (realm.end(8, &["10.0.0.8"]), [unknown.clone(), unknown.clone(), unknown.clone()]),
        (anonymous, [unknown.clone(), unknown.clone(), unknown]),
    ];
    for (number, (tls, expected)) in table.into_iter().enumerate() {
        let door = open(addr, tls).await.unwrap();
        assert_eq!(each(&door).await, expected, "caller {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_rules_whoever_gets_in_may_call_everything() {
    let realm = Realm::new();
    let addr = realm.serve(realm.end(1, &[SERVER])).await;
    let door = open(addr, realm.end(2, &["spiffe://test/x"])).await.unwrap();
    assert!(each(&door).await.iter().all(|answer| answer.as_deref() == Ok("spiffe://test/x")));
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_denied_before_its_arguments_are_looked_at() {
    let realm = Realm::new();
    let (addr, _serving) = realm.serve_with(realm.end(1, &[SERVER]), rules).await;
    let tls = realm.end(3, &[ANN]).build().unwrap();
    let channel = Channel::builder(addr).transport(tls).connect().await.unwrap();
    let garbage = |method: &'static str| {
        let call = channel.call(method, vec![0xff; 64]);
        async { call.await.expect_err("no arguments").status().expect("not the method's").reason() }
    };
    assert_eq!(garbage("Door/enter").await, Reason::PermissionDenied);
    assert_eq!(garbage("Door/lock").await, Reason::UndecodableArguments);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_remembered_is_not_given_to_who_may_not_ask() {
    let realm = Realm::new();
    let (addr, _serving) = realm.serve_with(realm.end(1, &[SERVER]), rules).await;
    let id = Uuid::from_u128(7);
    let ann = open(addr, realm.end(2, &[ANN])).await.unwrap();
    assert_eq!(ann.lock(id).await.unwrap(), ANN);
    assert_eq!(ann.lock(id).await.unwrap(), ANN);
    let host = open(addr, realm.end(3, &[HOST])).await.unwrap();
    let error = host.lock(id).await.expect_err("it may not");
    assert_eq!(error.status().map(rpcnet::Status::reason), Some(Reason::PermissionDenied));
    assert!(error.to_string().contains("build-7.internal may not call Door/lock"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_rule_for_what_is_not_there_is_an_error_that_says_what_is() {
    let server = || rpcnet::Server::builder().service(DoorServer::new(Porter));
    let network = MemoryNetwork::new(1);
    let bind = async |server: ServerBuilder| {
        let bound = server.transport(network.host([10, 0, 0, 1])).bind("10.0.0.1:0").await;
        bound.map(drop).expect_err("the rule means nothing").to_string()
    };
    let methods = "the server has Door/enter, Door/knock, Door/lock";
    assert_eq!(
        bind(server().allow("Door/open", ["*"])).await,
        format!("`allow` names Door/open, and there is no such method; {methods}")
    );
    assert_eq!(
        bind(server().allow("Dor/*", ["*"])).await,
        format!("`allow` names Dor/*, and there is no such method; {methods}")
    );
    let error = bind(server().allow("Door/lock", ["spiffe://*"])).await;
    assert!(error.starts_with("`allow` for Door/lock: `spiffe://*` is no pattern"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_id_guessed_by_another_identity_is_another_request() {
    let realm = Realm::new();
    let addr = realm.serve(realm.end(1, &[SERVER])).await;
    let ann = open(addr, realm.end(2, &[ANN])).await.unwrap();
    let thief = open(addr, realm.end(3, &[BILLING])).await.unwrap();
    let id = Uuid::from_u128(7);
    assert_eq!(ann.lock(id).await.unwrap(), ANN);
    let since = tokio::time::Instant::now().into_std();
    let as_a_repeat = thief.with(CallOptions::new().first_sent_at(since));
    assert_eq!(
        as_a_repeat.lock(id).await.unwrap(),
        BILLING,
        "it runs for itself, and reads nothing of others"
    );
    assert_eq!(thief.lock(id).await.unwrap(), BILLING);
    assert_eq!(ann.lock(id).await.unwrap(), ANN, "and changes nothing for them");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_ids_by_one_identity_is_refused_and_others_have_room() {
    let realm = Realm::new();
    let mut limits = rpcnet::CacheLimits::default();
    (limits.entries_max, limits.caller_percent) = (8, 50);
    let (addr, _serving) =
        realm.serve_with(realm.end(1, &[SERVER]), |server| server.cache_limits(limits)).await;
    let flood = open(addr, realm.end(2, &[ANN])).await.unwrap();
    for id in 0..4 {
        flood.lock(Uuid::from_u128(id)).await.unwrap();
    }
    for id in 4..20 {
        let error = flood.lock(Uuid::from_u128(id)).await.unwrap_err();
        assert_eq!((error.reason(), error.executed()), (Some(Reason::Overloaded), Executed::No));
        assert!(error.to_string().contains("caller_percent"), "{error}");
    }
    let other = open(addr, realm.end(3, &[BILLING])).await.unwrap();
    for id in 0..4 {
        assert_eq!(other.lock(Uuid::from_u128(id)).await.unwrap(), BILLING);
    }
    assert_eq!(flood.lock(Uuid::from_u128(0)).await.unwrap(), ANN, "what is known is answered still");
}
