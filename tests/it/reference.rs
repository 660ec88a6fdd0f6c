//! The book's reference of settings, held against the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use rpcnet::{CacheLimits, CallOptions, Channel, Limits, Server, transport::tls::Tls};
use rpcnet_cluster::{CircuitBreaker, ClusterMembership, Resilience, ResilientClient, membership::Config};

const CHAPTER: &str = include_str!("../../book/src/reference/settings.md");

/// Each type of the chapter with the file it is in, and what looks like a setting of it and is none.
const TYPES: [(&str, &str, &[&str]); 12] = [
    ("ServerBuilder", "rpcnet/src/server/builder.rs", &[]),
    ("Limits", "rpcnet/src/wire/limits.rs", &[]),
    ("CacheLimits", "rpcnet/src/idempotency/limits.rs", &[]),
    ("ChannelBuilder", "rpcnet/src/client/channel/builder.rs", &[]),
    ("CallOptions", "rpcnet/src/client/options.rs", &["new", "or"]),
    ("ResilientClient", "rpcnet-cluster/src/dispatch/resilient.rs", &["new"]),
    ("Resilience", "rpcnet-cluster/src/dispatch/settings.rs", &[]),
    ("CircuitBreaker", "rpcnet-cluster/src/dispatch/circuit.rs", &["new"]),
    ("Balancer", "rpcnet-cluster/src/balance/balancer.rs", &["new", "custom"]),
    ("TlsBuilder", "rpcnet/src/transport/tls/builder.rs", &[]),
    ("QuicBuilder", "rpcnet/src/transport/quic/builder.rs", &[]),
    ("ClusterMembershipBuilder", "rpcnet-cluster/src/agent/builder.rs", &[]),
];

/// The names in the first column of a type's table, with the second column.
fn rows(section: &str) -> BTreeMap<&'static str, &'static str> {
    let heading = format!("\n## `{section}`\n");
    let table = CHAPTER.split(heading.as_str()).nth(1).expect(section).split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let (names, default) = (cells.next().unwrap(), cells.next().unwrap());
        names.split(", ").map(move |name| (name.trim_matches('`'), default))
    })
    .collect()
}

/// The public methods of a type that return the type itself, and its public fields.
fn settings(name: &str, file: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = fs::read_to_string(path).unwrap();
    let (mut inside, mut names) = (false, BTreeSet::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if !line.starts_with([' ', '}', '\t']) && !line.is_empty() {
            inside = [format!("impl {name} {{"), format!("pub struct {name} {{")].contains(&line.to_owned());
        }
        let Some(item) = line.strip_prefix("    pub ").filter(|_| inside) else { continue };
        let Some(function) = item.strip_prefix("fn ") else {
            let field = item.split_once(':').map(|(field, _)| field).filter(|field| !field.contains(' '));
            names.extend(field.map(str::to_owned));
            continue;
        };
        let mut signature = function.to_owned();
        while !signature.contains('{') {
            signature.push_str(lines.next().unwrap());
        }
        if signature.contains("-> Self") || signature.contains("-> Result<Self") {
            names.insert(signature.split(['(', '<']).next().unwrap().to_owned());
        }
    }
    names
}

/// `name: value` anywhere in a `Debug` text, and the value of a constant's name.
fn value_in<'a>(debug: &'a str, name: &str) -> Option<&'a str> {
    let at = debug.find(&format!(" {name}: "))? + name.len() + 3;
    debug[at..].split([',', ' ', '}']).next()
}

/// `16 MiB`, `1 000`, `5 min` and `1.5 s` as `Debug` prints them.
fn plain(said: &str) -> String {
    let units = [(" KiB", 1 << 10), (" MiB", 1 << 20)];
    if let Some((number, unit)) = units.iter().find_map(|(name, unit)| Some((said.strip_suffix(name)?, unit)))
    {
        return (number.parse::<u64>().unwrap() * unit).to_string();
    }
    if let Some(minutes) = said.strip_suffix(" min") {
        return format!("{}s", minutes.parse::<u64>().unwrap() * 60);
    }
    said.replace([' ', '`'], "")
}

#[test]
fn the_book_has_every_setting() {
    for (name, file, others) in TYPES {
        let mut there = settings(name, file);
        assert!(there.len() > 1, "{name}: {there:?}");
        for other in others {
            assert!(there.remove(*other), "{name} has no `{other}` any more");
        }
        let said: BTreeSet<_> = rows(name).into_keys().map(str::to_owned).collect();
        assert_eq!(said, there, "{name}");
    }
}

#[test]
fn the_book_has_the_defaults() {
    let defaults = [
        ("ServerBuilder", format!("{:?}", Server::builder())),
        ("Limits", format!("{:?}", Limits::default())),
        ("CacheLimits", format!("{:?}", CacheLimits::default())),
        ("Resilience", format!("{:?}", Resilience::default())),
        ("TlsBuilder", format!("{:?}", Tls::builder())),
        ("ClusterMembershipBuilder", format!("{:?}", ClusterMembership::builder())),
        ("Config", format!("{:?}", Config::new("rpcnet"))),
    ];
    let mut compared = 0;
    for (name, debug) in defaults {
        for (setting, said) in rows(name) {
            let Some(value) =
                value_in(&debug, setting).filter(|value| value.starts_with(|c: char| c.is_ascii_digit()))
            else {
                continue;
            };
            assert_eq!(plain(said), value.trim_end_matches(".0"), "{name}::{setting}");
            compared += 1;
        }
    }
    assert!(compared >= 25, "{compared}");
}

#[test]
fn the_book_has_the_defaults_that_are_constants() {
    let constants = [
        ("ChannelBuilder", "connect_timeout", Channel::CONNECT_TIMEOUT_DEFAULT),
        ("CallOptions", "timeout", CallOptions::TIMEOUT_DEFAULT),
        ("ResilientClient", "wait_for_ready", ResilientClient::WAIT_FOR_READY_DEFAULT),
        ("CircuitBreaker", "probe_timeout", CircuitBreaker::PROBE_TIMEOUT_DEFAULT),
    ];
    for (name, setting, value) in constants {
        assert_eq!(plain(rows(name)[setting]), format!("{value:?}"), "{name}::{setting}");
    }
}

const TUNING: &str = include_str!("../../book/src/guide/tuning.md");

#[test]
fn the_chapter_on_tuning_has_the_same_settings_with_the_same_defaults() {
    let table = TUNING.split("\n## The settings\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut compared = 0;
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let (name, default) = (cells.next().unwrap().trim_matches('`'), cells.next().unwrap());
        let (owner, setting) = name.split_once("::").unwrap();
        assert_eq!(rows(owner).get(setting), Some(&default), "{name}");
        compared += 1;
    }
    assert!(compared > 10, "{compared}");
}
