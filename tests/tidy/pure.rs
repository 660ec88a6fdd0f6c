//! The pure cores: time, bytes and randomness are arguments there.

use crate::files::{expect_none, files};

/// Where no line may know of clocks, sockets, tasks or chance. ARCHITECTURE.md, "What always holds".
const PURE: [&str; 23] = [
    "rpcnet/src/idempotency/table/",
    "rpcnet/src/wire/",
    "rpcnet/src/codec/",
    "rpcnet-cluster/src/membership/",
    "rpcnet-cluster/src/agent/seal/",
    "rpcnet-cluster/src/detector/",
    "rpcnet-cluster/src/partition/",
    "rpcnet-cluster/src/balance/",
    "rpcnet-cluster/src/registry/follow/fold.rs",
    "rpcnet-cluster/src/registry/losses.rs",
    "rpcnet-cluster/src/registry/picture.rs",
    "rpcnet-cluster/src/registry/selector",
    "rpcnet-cluster/src/dispatch/backoff.rs",
    "rpcnet-cluster/src/dispatch/budget.rs",
    "rpcnet-cluster/src/dispatch/breaker.rs",
    "rpcnet-cluster/src/dispatch/record.rs",
    "rpcnet-cluster/src/dispatch/shed.rs",
    "rpcnet-cluster/src/dispatch/throttle.rs",
    "rpcnet-cluster/src/dispatch/field.rs",
    "rpcnet-cluster/src/dispatch/hedge.rs",
    "rpcnet-cluster/src/dispatch/latency.rs",
    "rpcnet-cluster/src/dispatch/outcome.rs",
    "rpcnet-cluster/src/dispatch/retry",
];

/// What gives impurity away.
const IMPURE: [&str; 12] = [
    "async ",
    ".await",
    "tokio",
    "std::net::Tcp",
    "std::net::Udp",
    "Instant::now",
    "SystemTime",
    "fastrand::Rng::new()",
    "fastrand::u",
    "HashMap",
    "HashSet",
    "std::thread",
];

#[test]
fn the_pure_folders_are_there() {
    let files = files(&["rs"]);
    let gone = PURE.iter().filter(|place| !files.iter().any(|file| file.path.starts_with(**place)));
    expect_none("places that are listed as pure and do not exist", gone.map(ToString::to_string));
}

#[test]
fn the_pure_cores_know_no_clock_no_socket_no_task_and_no_chance() {
    let pure =
        files(&["rs"]).into_iter().filter(|file| PURE.iter().any(|place| file.path.starts_with(place)));
    let found = pure.filter(|file| !file.path.contains("/tests")).flat_map(|file| {
        let code = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        let impure = |line: &str| {
            let code = line.split("//").next().unwrap_or_default();
            IMPURE.iter().find(|word| code.contains(**word)).copied()
        };
        let lines = code.lines().enumerate();
        lines
            .filter_map(|(n, line)| Some(format!("{}:{}: {}", file.path, n + 1, impure(line)?)))
            .collect::<Vec<_>>()
    });
    expect_none("impure lines in pure cores", found);
}
