//! The table of the protocol's settings in the book, held against the code.

use std::collections::BTreeMap;
use std::time::Duration;

use rpcnet_cluster::membership::Config;

const CHAPTER: &str = include_str!("../../book/src/guide/health-and-phi.md");

/// Name, default and range of each row.
fn table() -> BTreeMap<&'static str, (&'static str, &'static str)> {
    let rows = CHAPTER.split("## Settings").nth(1).unwrap().split("\n## ").next().unwrap();
    let cells = |row: &'static str| row.split('|').map(str::trim).skip(1).collect::<Vec<_>>();
    let rows = rows.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|row| (row[0].trim_matches('`'), (row[1], row[2]))).collect()
}

/// What a `Config` holds, by name, as text: `phi_threshold` → `8.0`.
fn fields(config: &Config) -> BTreeMap<String, String> {
    let text = format!("{config:?}");
    let inside = text.split_once('{').unwrap().1.trim_end_matches('}');
    let pairs = inside.split(", ").filter_map(|pair| pair.split_once(':'));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

/// `24 000`, `1.5 s` and `8` as `Debug` prints them.
fn plain(text: &str) -> String {
    text.replace(' ', "").trim_end_matches(".0").to_owned()
}

/// The least and the most that a setting takes.
fn extremes(name: &str) -> (Config, Config) {
    let (config, long) = (|| Config::new("x"), Duration::from_secs(1 << 40));
    match name {
        "phi_threshold" => (config().phi_threshold(-1e9), config().phi_threshold(1e9)),
        "acceptable_pause" => (config().acceptable_pause(Duration::ZERO), config().acceptable_pause(long)),
        "suspicion_min" => (config().suspicion_min(Duration::ZERO), config().suspicion_min(long)),
        "partition_threshold" => (config().partition_threshold(-1.0), config().partition_threshold(9.0)),
        "gossip_bytes_per_second" => {
            (config().gossip_bytes_per_second(0), config().gossip_bytes_per_second(usize::MAX))
        }
        other => panic!("the book has a setting `{other}`, and this test does not know how to set it"),
    }
}

#[test]
fn the_book_has_every_setting_with_its_default() {
    let mut fields = fields(&Config::new("x"));
    // The heartbeat cannot be set, and the others have builder methods of their own.
    for name in ["heartbeat", "cluster", "quorum", "reconciles"] {
        fields.remove(name);
    }
    let defaults: BTreeMap<_, _> = fields.iter().map(|(name, value)| (name.as_str(), plain(value))).collect();
    let said: BTreeMap<_, _> = table().into_iter().map(|(name, (value, _))| (name, plain(value))).collect();
    assert_eq!(said, defaults);
}

#[test]
fn the_book_has_the_range_of_each_setting() {
    for (name, (_, range)) in table() {
        let (least, most) = extremes(name);
        let value = |config: &Config| plain(&fields(config)[name]);
        match range.strip_prefix("from ") {
            Some(from) => assert_eq!(plain(from), value(&least), "{name}"),
            None => {
                let (from, to) = range.split_once(" to ").unwrap();
                let unit = if to.ends_with(" s") { "s" } else { "" };
                let from = format!("{}{unit}", plain(from));
                assert_eq!((from, plain(to)), (value(&least).replace("0ns", "0s"), value(&most)), "{name}");
            }
        }
    }
}
