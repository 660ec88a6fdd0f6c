//! Two loops that measure the same service, and see different things.

use std::{sync::Arc, time::Duration};

use rpcnet::prelude::*;
use tokio::{sync::Mutex, task::JoinSet, time::Instant};

#[rpc_trait]
trait Ledger {
    #[rpc(read)]
    async fn balance(&self, account: u64) -> rpcnet::Result<u64>;
}

/// One request at a time, a millisecond each; every thousandth meets a pause of half a second.
#[derive(Default)]
struct Slow {
    served: Arc<Mutex<u32>>,
}

impl Ledger for Slow {
    async fn balance(&self, account: u64) -> rpcnet::Result<u64> {
        let mut served = self.served.lock().await;
        *served += 1;
        let pause = *served % 1_000 == 500;
        tokio::time::sleep(Duration::from_millis(if pause { 500 } else { 1 })).await;
        Ok(account)
    }
}

// ANCHOR: closed
/// One caller, one call after the other: while a call waits, no other is made, and none is counted.
async fn closed_loop(client: &LedgerClient<impl rpcnet::Caller>, calls: u32) -> Vec<Duration> {
    let mut latencies = Vec::new();
    for account in 0..calls {
        let begun = Instant::now();
        if client.balance(account.into()).await.is_ok() {
            latencies.push(begun.elapsed());
        }
    }
    latencies
}
// ANCHOR_END: closed

// ANCHOR: open
/// A call every so often, whatever became of those before; each counts from when it was due.
async fn open_loop(
    client: &LedgerClient<impl rpcnet::Caller + 'static>,
    calls: u32,
    every: Duration,
) -> Vec<Duration> {
    let (begun, mut running) = (Instant::now(), JoinSet::new());
    for account in 0..calls {
        let (client, due) = (client.clone(), begun + every * account);
        tokio::time::sleep_until(due).await;
        running.spawn(async move { client.balance(account.into()).await.map(|_| due.elapsed()) });
    }
    running.join_all().await.into_iter().flatten().collect()
}

/// What so many of a hundred calls do not exceed.
fn percentile(latencies: &mut [Duration], percent: usize) -> Duration {
    latencies.sort_unstable();
    latencies[(latencies.len() - 1) * percent / 100]
}
// ANCHOR_END: open

#[tokio::test(start_paused = true)]
async fn an_open_loop_sees_the_pause_that_a_closed_loop_leaves_out() {
    let client = LedgerClient::local(Slow::default());
    let mut closed = closed_loop(&client, 1_000).await;
    let mut open = open_loop(&client, 1_000, Duration::from_millis(2)).await;
    assert_eq!((closed.len(), open.len()), (1_000, 1_000));
    // One call in a thousand was slow, says the one; the other, that half of all calls waited behind it.
    assert!(percentile(&mut closed, 99) <= Duration::from_millis(2));
    assert!(percentile(&mut open, 75) >= Duration::from_millis(100));
    assert!(percentile(&mut open, 99) >= Duration::from_millis(450));
}
