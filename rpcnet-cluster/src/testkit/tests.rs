//! Claims about the kit: a stopped node is failed and comes back, and a seed repeats.

use super::*;
use crate::ClusterEvent;

async fn three(seed: u64) -> (TestCluster, [TestNode; 3]) {
    let cluster = TestCluster::new(seed);
    let nodes =
        [cluster.node("a").start().await, cluster.node("b").start().await, cluster.node("c").start().await];
    cluster.converged().await;
    (cluster, nodes)
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_stopped_is_failed_and_comes_back_when_it_goes_on() {
    let (_cluster, [a, b, c]) = three(1).await;
    c.pause();
    a.sees(&["a", "b"]).await;
    b.sees(&["a", "b"]).await;
    c.resume();
    a.sees(&["a", "b", "c"]).await;
    let about = |told: &Told| match &told.event {
        ClusterEvent::NodeFailed(node) => Some(("failed", node.label.to_string())),
        ClusterEvent::NodeRecovered(node) => Some(("recovered", node.label.to_string())),
        _ => None,
    };
    let told: Vec<_> = a.told().iter().filter_map(about).collect();
    assert_eq!(told, [("failed", "c".to_owned()), ("recovered", "c".to_owned())]);
}

#[test]
fn the_same_seed_tells_the_same_at_the_same_time() {
    let runs = Mutex::new(Vec::new());
    for_each_seed([7, 7, 8], |seed| {
        let runs = &runs;
        async move {
            let (cluster, [a, _, c]) = three(seed).await;
            cluster.lose(0.2);
            c.kill();
            a.sees(&["a", "b"]).await;
            let times: Vec<_> = a.told().iter().map(|told| told.after).collect();
            runs.lock().push(times);
        }
    });
    let runs = runs.into_inner();
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[test]
#[should_panic = "of seed 2"]
fn a_panic_is_that_of_the_run_that_failed() {
    for_each_seed(0..5, |seed| async move { assert!(seed < 2, "of seed {seed}") });
}
