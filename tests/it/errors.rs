//! The book's reference of errors, held against the code.

use std::{collections::BTreeSet, fs, path::Path};

const CHAPTER: &str = include_str!("../../book/src/reference/errors.md");
/// What the wire's own tests hold against the code.
const REASONS: &str = include_str!("../../rpcnet/src/wire/tests/golden/reasons.md");

/// The cells of each row of the tables in a text.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with("| "))
        .map(|row| row.split('|').map(str::trim).skip(1).collect())
}

#[test]
fn the_book_has_every_reason_with_its_code() {
    let section = CHAPTER.split("## Reasons").nth(1).unwrap().split("\n## ").next().unwrap();
    let said: Vec<_> =
        rows(section).filter(|row| row[0].starts_with('`')).map(|row| (row[0], row[1])).collect();
    let there: Vec<_> =
        rows(REASONS).filter(|row| row[1].starts_with('`')).map(|row| (row[1], row[2])).collect();
    assert_eq!(said, there);
}

#[test]
fn the_book_has_every_error_type() {
    let mut there = BTreeSet::from(["CallError".to_owned(), "AppError".to_owned()]);
    let known = there.clone();
    for krate in ["../rpcnet/src", "../rpcnet-cluster/src"] {
        error_types(&Path::new(env!("CARGO_MANIFEST_DIR")).join(krate), &mut there);
    }
    assert!(there.len() > 10, "{there:?}");
    let section = CHAPTER.split("## Errors outside calls").nth(1).unwrap();
    let said: BTreeSet<_> = rows(section)
        .filter_map(|row| Some(row[0].strip_prefix('`')?.strip_suffix('`')?.to_owned()))
        .collect();
    assert_eq!(said, there.difference(&known).cloned().collect());
}

/// The names of public types that end in `Error`, in all files below.
fn error_types(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            error_types(&path, names);
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let name = line.strip_prefix("pub enum ").or_else(|| line.strip_prefix("pub struct "));
            let name = name.and_then(|rest| rest.split([' ', '<', '(', ';']).next());
            names.extend(name.filter(|name| name.ends_with("Error")).map(str::to_owned));
        }
    }
}
