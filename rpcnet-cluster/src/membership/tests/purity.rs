//! The cores stay pure: no tasks, sockets, clocks, unseeded randomness, or maps of accidental order.

use std::path::{Path, PathBuf};

use super::super::NodeState;
use super::net::{Net, ms, secs};

/// What may not appear in the sources of the cores.
const FORBIDDEN: [&str; 10] = [
    "async ",
    ".await",
    "tokio",
    "UdpSocket",
    "TcpStream",
    "Instant::now",
    "SystemTime",
    "HashMap",
    "HashSet",
    "Rng::new",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "tests") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_sources_of_the_cores_name_nothing_impure() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    ["membership", "detector"].into_iter().for_each(|core| sources(&src.join(core), &mut files));
    assert!(files.len() > 20, "the sources were found");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // Examples in the docs and unit tests may use a clock.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for (number, line) in
            code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for word in FORBIDDEN {
                assert!(!line.contains(word), "{}:{}: `{word}` in a pure core", file.display(), number + 1);
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let story = |seed| {
        let mut net = Net::settled(8, seed);
        net.loss = 0.1;
        net.run_for(secs(5));
        net.exit(3);
        net.pause(4);
        net.run_for(secs(9) + ms(3));
        net.resume(4);
        net.run_for(secs(20));
        assert_eq!(net.state(0, 3), Some(NodeState::Failed));
        net.trace()
    };
    assert_eq!(story(11), story(11));
    assert_ne!(story(11), story(12), "the trace depends on what happened");
}
