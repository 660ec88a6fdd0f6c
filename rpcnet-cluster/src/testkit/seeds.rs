//! One test, many seeds, and the line that repeats the one that failed.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

/// The environment variable that picks one seed.
const VARIABLE: &str = "RPCNET_SEED";

/// Runs a test once for each seed, each time in a runtime of its own, on this thread, with a paused clock.
///
/// The seed is given to the test, for its [`TestCluster`](super::TestCluster), and to whatever the crates draw by themselves:
/// jitter, picks, gossip. When a run fails, the line that repeats it is printed before its panic goes on. With the environment
/// variable `RPCNET_SEED` only that seed is run.
///
/// ```
/// use rpcnet_cluster::testkit::{TestCluster, for_each_seed};
///
/// for_each_seed(0..3, |seed| async move {
///     let cluster = TestCluster::new(seed);
///     let (a, b) = (cluster.node("a").start().await, cluster.node("b").start().await);
///     a.sees(&["a", "b"]).await;
///     b.sees(&["a", "b"]).await;
/// });
/// ```
///
/// # Panics
///
/// When the test does; within a tokio runtime; and when `RPCNET_SEED` is not a number.
pub fn for_each_seed<T, F>(seeds: impl IntoIterator<Item = u64>, test: T)
where
    T: Fn(u64) -> F,
    F: Future<Output = ()>,
{
    match chosen() {
        Some(seed) => run(seed, &test),
        None => seeds.into_iter().for_each(|seed| run(seed, &test)),
    }
}

fn chosen() -> Option<u64> {
    let value = std::env::var(VARIABLE).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{VARIABLE} is {value:?}, which is not a seed: a whole number")),
    )
}

fn run<F: Future<Output = ()>>(seed: u64, test: &impl Fn(u64) -> F) {
    // What is not given a seed is drawn from this thread's generator.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.expect("a runtime of one thread needs nothing that could be lacking");
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| runtime.block_on(test(seed)))) {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        eprintln!("to repeat it: {VARIABLE}={seed} cargo test {name}");
        resume_unwind(panic);
    }
}
