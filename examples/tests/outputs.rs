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
