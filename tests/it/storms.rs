//! Storms: calls of every kind, given up at any moment, while workers die, hang, fail, vanish and come back. Afterwards
//! nothing is left of it, and no promise was broken.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rpcnet::{CallOptions, Executed, prelude::*};
use rpcnet_cluster::{
    LoadBalancing, ResilientClient, Worker,
    testkit::{TestCluster, TestNode, for_each_seed},
};
use tokio::{task::JoinSet, time::Instant};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One method for each promise; each is given the number of its call.
#[rpc_trait]
trait Sea {
    #[rpc(idempotent)]
    async fn again(&self, call: u64) -> rpcnet::Result<u64>;

    async fn once(&self, call: u64) -> rpcnet::Result<u64>;

    async fn keyed(&self, request_id: Uuid, call: u64) -> rpcnet::Result<u64>;

    async fn many(&self, call: u64) -> rpcnet::Result<Streaming<u64>>;
}

/// What the workers do with calls, and how often each call was begun.
#[derive(Debug, Default, Clone)]
struct Sailor {
    begun: Arc<Mutex<BTreeMap<u64, u32>>>,
    running: Arc<Mutex<i64>>,
    weather: Arc<Mutex<Weather>>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Weather {
    #[default]
    Fair,
    Slow(Duration),
    Rough,
}

struct Running(Arc<Mutex<i64>>);

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
    }
}

impl Sailor {
    async fn work(&self, call: u64) -> rpcnet::Result<u64> {
        *self.begun.lock().entry(call).or_default() += 1;
        *self.running.lock() += 1;
        let _running = Running(Arc::clone(&self.running));
        let weather = *self.weather.lock();
        match weather {
            Weather::Fair => tokio::time::sleep(ms(call % 30)).await,
            Weather::Slow(by) => tokio::time::sleep(by).await,
            // Past the hook, which would print each of them.
            Weather::Rough => std::panic::resume_unwind(Box::new("man overboard")),
        }
        Ok(call)
    }
}

impl Sea for Sailor {
    async fn again(&self, call: u64) -> rpcnet::Result<u64> {
        self.work(call).await
    }

    async fn once(&self, call: u64) -> rpcnet::Result<u64> {
        self.work(call).await
    }

    async fn keyed(&self, _request_id: Uuid, call: u64) -> rpcnet::Result<u64> {
        self.work(call).await
    }

    async fn many(&self, call: u64) -> rpcnet::Result<Streaming<u64>> {
        self.work(call).await?;
        let (items, stream) = Streaming::channel(4);
        tokio::spawn(async move {
            for item in 0..100 {
                if items.send(item).await.is_err() {
                    return;
                }
                tokio::time::sleep(ms(1)).await;
            }
            items.finish();
        });
        Ok(stream)
    }
}

/// Workers and the node that calls them.
struct Storm {
    cluster: TestCluster,
    director: TestNode,
    workers: Vec<(TestNode, Sailor)>,
    /// All values of workers that were ever handed out.
    seen: Vec<Worker>,
    random: fastrand::Rng,
}

async fn start(cluster: &TestCluster, label: &str, sailor: &Sailor) -> TestNode {
    let service = SeaServer::new(sailor.clone());
    let node = cluster.node(label).tag("role", "worker").capacity(40);
    node.serve(|server| server.service(service).running_max(30).queued_max(10)).start().await
}

/// What a caller was told: the call's number, whether it may run again, and how it ended; nothing if he did not wait.
type Told = (u64, bool, Option<Result<u64, Executed>>);

impl Storm {
    async fn rise(seed: u64) -> Self {
        let strategies =
            [LoadBalancing::PeakEwma, LoadBalancing::LeastConnections, LoadBalancing::RoundRobin];
        let cluster = TestCluster::new(seed);
        let director = cluster.node("director").balancing(strategies[seed as usize % 3]).start().await;
        let mut workers = Vec::new();
        for label in ["a", "b", "c", "d"] {
            let sailor = Sailor::default();
            workers.push((start(&cluster, label, &sailor).await, sailor));
        }
        cluster.converged().await;
        Self { cluster, director, workers, seen: Vec::new(), random: fastrand::Rng::with_seed(seed) }
    }

    /// Something happens to somebody.
    async fn gust(&mut self) {
        self.seen.extend(self.director.registry().workers());
        let (number, what) = (self.random.usize(0..4), self.random.u8(0..9));
        let (node, sailor) = self.workers[number].clone();
        match what {
            0 => {
                node.kill();
                tokio::time::sleep(ms(self.random.u64(0..40))).await;
                self.workers[number].0 = start(&self.cluster, node.label(), &sailor).await;
            }
            1 => node.pause(),
            2 => node.resume(),
            3 => self.cluster.cut(&self.director, &node),
            4 => self.cluster.heal(),
            5 => *sailor.weather.lock() = Weather::Rough,
            6 => *sailor.weather.lock() = Weather::Slow(ms(self.random.u64(50..400))),
            7 => node.slow_down(ms(self.random.u64(0..100))),
            _ => *sailor.weather.lock() = Weather::Fair,
        }
    }

    /// All is well again.
    async fn calm(&mut self) {
        self.cluster.heal();
        for (node, sailor) in &self.workers {
            node.resume();
            node.slow_down(Duration::ZERO);
            *sailor.weather.lock() = Weather::Fair;
        }
        self.seen.extend(self.director.registry().workers());
    }

    /// A call of some kind, by somebody with so much patience.
    fn call(&mut self, call: u64, client: &ResilientClient, calls: &mut JoinSet<Told>) {
        let (timeout, kind) = (ms(self.random.u64(1..500)), self.random.u8(0..5));
        let patience = if self.random.bool() { ms(self.random.u64(0..600)) } else { ms(10_000) };
        let mut options = CallOptions::timeout(timeout);
        if self.random.bool() {
            options = options.hedge_after(ms(self.random.u64(1..50)));
        }
        if self.random.bool() {
            options = options.max_load(0.9);
        }
        let sea = SeaClient::new(client.with(options));
        calls.spawn(async move {
            let (begun, may_run_again) = (Instant::now(), kind < 2);
            let answer = async {
                match kind {
                    0 | 1 => sea.again(call).await,
                    2 => sea.once(call).await,
                    3 => sea.keyed(Uuid::from_u128(call.into()), call).await,
                    _ => read(sea.many(call).await?, call).await,
                }
            };
            let told = tokio::time::timeout(patience, answer).await;
            assert!(begun.elapsed() <= timeout + ms(3), "call {call}: {:?} of {timeout:?}", begun.elapsed());
            (call, may_run_again, told.ok().map(|told| told.map_err(|error| error.executed())))
        });
    }

    fn begun(&self, call: u64) -> u32 {
        self.workers.iter().filter_map(|(_, sailor)| sailor.begun.lock().get(&call).copied()).sum()
    }

    /// Holds what callers were told against what was done.
    fn hold_to_account(&self, told: &[Told]) {
        for (call, may_run_again, told) in told {
            let begun = self.begun(*call);
            assert!(*may_run_again || begun <= 1, "call {call} was run {begun} times");
            match told {
                Some(Ok(answer)) => {
                    assert!(answer == call && begun > 0, "call {call} was answered by nobody");
                }
                Some(Err(Executed::No)) => assert_eq!(begun, 0, "call {call} was told not to have run"),
                Some(Err(_)) | None => {}
            }
        }
    }

    fn nothing_is_left(&self) {
        for worker in &self.seen {
            assert_eq!(worker.active_connections(), 0, "{worker}");
        }
        for (node, sailor) in &self.workers {
            assert_eq!(*sailor.running.lock(), 0, "{}", node.label());
        }
    }
}

/// The first items of a stream, or all of them.
async fn read(mut stream: Streaming<u64>, call: u64) -> Result<u64, CallError<rpcnet::AppError>> {
    for _ in 0..call % 150 {
        match stream.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(CallError::OutcomeUnknown(error)),
            None => break,
        }
    }
    Ok(call)
}

#[test]
fn a_storm_of_cancelled_calls_and_failing_workers_breaks_no_promise_and_leaves_nothing_behind() {
    for_each_seed(0..4, |seed| async move {
        let mut storm = Storm::rise(seed).await;
        let client = ResilientClient::new(storm.director.registry()).select("role=worker");
        let (mut calls, mut told) = (JoinSet::new(), Vec::new());
        for call in 0..1_200 {
            storm.call(call, &client, &mut calls);
            tokio::time::sleep(ms(storm.random.u64(0..8))).await;
            if call % 20 == 0 {
                storm.gust().await;
            }
        }
        storm.calm().await;
        while let Some(ended) = calls.join_next().await {
            told.push(ended.unwrap());
        }
        tokio::time::sleep(ms(2_000)).await;
        storm.nothing_is_left();
        storm.hold_to_account(&told);
        let answered = told.iter().filter(|(_, _, told)| matches!(told, Some(Ok(_)))).count();
        let given_up = told.iter().filter(|(_, _, told)| told.is_none()).count();
        let failed = told.len() - answered - given_up;
        assert!(answered > 200 && given_up > 50 && failed > 50, "{answered}, {given_up}, {failed}");

        // No breaker has kept a probe that was given up, and no worker is avoided for ever.
        storm.cluster.converged().await;
        let before: Vec<_> = storm.workers.iter().map(|(_, sailor)| sailor.begun.lock().len()).collect();
        let sea = SeaClient::new(client);
        for call in 10_000..10_800 {
            assert_eq!(sea.again(call).await.unwrap(), call);
            tokio::time::sleep(ms(120)).await;
        }
        let registry = storm.director.registry();
        assert!(registry.worker_count() == 4 && registry.workers().iter().all(Worker::is_healthy));
        for ((node, sailor), before) in storm.workers.iter().zip(before) {
            assert!(sailor.begun.lock().len() > before + 20, "{} gets none", node.label());
        }
    });
}
