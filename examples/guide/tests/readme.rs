//! The README's code, as a program: one trait, one client over a connection, and the same over a cluster.

#![expect(missing_docs, reason = "the trait is shown without")]

use rpcnet::prelude::*;
use rpcnet_cluster::prelude::*;

#[rpc_trait]
pub trait Compute {
    /// The same answer however often it is asked: may be sent again, to another worker.
    #[rpc(idempotent)]
    async fn square(&self, n: i64) -> rpcnet::Result<i64>;
}

struct Worker;

impl Compute for Worker {
    async fn square(&self, n: i64) -> rpcnet::Result<i64> {
        Ok(n * n)
    }
}

/// What it shows of one connection.
async fn one_server() -> Result<i64, Box<dyn std::error::Error>> {
    let compute = ComputeClient::connect("127.0.0.1:7001").await?;
    let nine = compute.square(3).await?;
    Ok(nine)
}

/// What it shows of a cluster.
async fn whoever_is_there() -> Result<i64, Box<dyn std::error::Error>> {
    let cluster = ClusterMembership::builder().bind("127.0.0.1:0").seeds(["127.0.0.1:7946"]).join().await?;
    let registry = WorkerRegistry::new(&cluster, LoadBalancing::LeastConnections);
    let compute = ComputeClient::new(ResilientClient::new(registry).select("role=worker"));
    let nine = compute.square(3).await?;
    Ok(nine)
}

#[tokio::test]
async fn the_code_of_the_readme_is_that_of_this_program() {
    assert_eq!(ComputeClient::local(Worker).square(3).await.ok(), Some(9));
    // Their addresses are a reader's own: it is enough that they compile.
    let _ = (one_server, whoever_is_there);

    let (readme, program) = (include_str!("../../../README.md"), include_str!("readme.rs"));
    let program: Vec<_> = program.lines().map(str::trim).collect();
    let mut checked = 0;
    for block in readme.split("```rust").skip(1).filter_map(|rest| rest.split("```").next()) {
        // Behind the language, and without a remark at the end of a line.
        let lines = block.lines().skip(1).map(|line| line.split("   //").next().unwrap_or(line).trim());
        for line in lines.filter(|line| !line.is_empty()) {
            assert!(program.contains(&line), "not here: {line}");
            checked += 1;
        }
    }
    assert!(checked >= 10, "only {checked} lines were found in the README");
}
