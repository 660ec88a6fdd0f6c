//! The examples print what their page says.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{fs, path::Path, process::Command};

/// The first block of text in an example's section of the page.
fn said(name: &str) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let section = page.split(&format!("\n## {name}\n")).nth(1).expect("each example has a section");
    let block = section.split("```text\n").nth(1).expect("with what it prints");
    block.split("```").next().unwrap().to_owned()
}

fn prints_what_is_said(name: &str, program: &str) {
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), said(name), "{name}");
}

#[test]
fn hello() {
    prints_what_is_said("hello", env!("CARGO_BIN_EXE_hello"));
}

#[test]
fn kinds() {
    prints_what_is_said("kinds", env!("CARGO_BIN_EXE_kinds"));
}

#[test]
fn middleware() {
    prints_what_is_said("middleware", env!("CARGO_BIN_EXE_middleware"));
}

#[test]
fn ledger() {
    prints_what_is_said("ledger", env!("CARGO_BIN_EXE_ledger"));
}

#[test]
fn light() {
    prints_what_is_said("light", env!("CARGO_BIN_EXE_light"));
}

#[test]
fn listed() {
    prints_what_is_said("listed", env!("CARGO_BIN_EXE_listed"));
}

#[test]
fn minority() {
    prints_what_is_said("minority", env!("CARGO_BIN_EXE_minority"));
}

#[test]
fn counter() {
    prints_what_is_said("counter", env!("CARGO_BIN_EXE_counter"));
}

#[test]
fn errors() {
    prints_what_is_said("errors", env!("CARGO_BIN_EXE_errors"));
}

#[test]
fn deadlines() {
    prints_what_is_said("deadlines", env!("CARGO_BIN_EXE_deadlines"));
}

#[test]
fn identity() {
    prints_what_is_said("identity", env!("CARGO_BIN_EXE_identity"));
}

#[test]
fn hedging() {
    prints_what_is_said("hedging", env!("CARGO_BIN_EXE_hedging"));
}

#[test]
fn strategy() {
    prints_what_is_said("strategy", env!("CARGO_BIN_EXE_strategy"));
}

/// Addresses and ids differ each time: what lies between the lines of the page is left out.
#[test]
fn payments() {
    let output = Command::new(env!("CARGO_BIN_EXE_payments")).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let page = said("payments");
    let (begin, end) = page.split_once("…\n").expect("something is left out");
    assert!(printed.starts_with(begin) && printed.ends_with(end), "{printed}");
}

#[test]
fn the_tests_with_the_kit_are_those_of_the_page() {
    let source = include_str!("kit.rs").split("#[tokio::test").skip(1);
    let name = |test: &str| test.split("fn ").nth(1)?.split('(').next().map(str::to_owned);
    let mut names: Vec<_> = source.filter_map(name).map(|name| format!("test {name} ... ok\n")).collect();
    names.sort();
    assert_eq!(names.concat(), said("kit"));
}

#[test]
fn every_program_is_in_the_list_and_has_a_section() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in fs::read_dir(folder.join("src/bin")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(page.contains(&format!("--bin {name}`")), "{name} is not in the list");
        assert!(page.contains(&format!("\n## {name}\n")), "{name} has no section");
    }
}
