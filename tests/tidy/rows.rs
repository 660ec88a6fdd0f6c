//! The book's walk through the failures, held against the tests that show each of them.

use std::{collections::BTreeSet, fs};

use crate::files::{expect_none, files, root};

/// The situations that the chapter walks through.
const ROWS: usize = 18;

fn chapter() -> String {
    fs::read_to_string(root().join("book/src/guide/failures.md")).unwrap()
}

/// Each row's number and text: what follows its heading.
fn rows(chapter: &str) -> Vec<(usize, &str)> {
    let sections = chapter.split("\n## ").skip(1);
    sections.filter_map(|section| Some((section.split('.').next()?.parse().ok()?, section))).collect()
}

/// What a text names in backticks.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The tests of `tests/it`, each with its file.
fn tests() -> BTreeSet<(String, String)> {
    let files = files(&["rs"]).into_iter().filter(|file| file.path.starts_with("tests/it/"));
    let tests = files.flat_map(|file| {
        let names = file.text.split("fn row_").skip(1).filter_map(|rest| rest.split('(').next());
        names.map(|name| (file.path.clone(), format!("row_{name}"))).collect::<Vec<_>>()
    });
    tests.collect()
}

#[test]
fn the_chapter_of_failures_has_every_row_in_order_and_a_test_for_each() {
    let chapter = chapter();
    let rows = rows(&chapter);
    assert!(rows.iter().map(|(number, _)| *number).eq(1..=ROWS), "the rows are not 1 to {ROWS}");
    let shown = |number: &usize, text| named(text).any(|name| name.starts_with(&format!("row_{number}_")));
    let untested = rows.iter().filter(|(number, text)| !shown(number, text));
    expect_none("rows that name no test of theirs", untested.map(|(number, _)| number.to_string()));
}

#[test]
fn every_test_named_in_the_chapter_of_failures_is_in_the_file_named_before_it() {
    let (chapter, tests) = (chapter(), tests());
    let mut missing = Vec::new();
    for (number, text) in rows(&chapter) {
        let mut file = "";
        for name in named(text) {
            if name.starts_with("tests/it/") {
                file = name;
            } else if name.starts_with("row_") && !tests.contains(&(file.to_owned(), name.to_owned())) {
                missing.push(format!("row {number}: {name} in {file}"));
            }
        }
    }
    expect_none("tests that the chapter of failures names and that are not there", missing);
}
