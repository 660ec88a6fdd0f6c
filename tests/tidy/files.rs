//! The files of the repository, and rules about all of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file of the repository.
pub(crate) struct File {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Its lines with their numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Whether it is code that users run, not a test of it.
    fn is_product(&self) -> bool {
        self.path.contains("/src/") && !self.is_test() && !self.path.starts_with("tests/")
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs") || self.path.starts_with("tests/")
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are a folder of the repository")
        .to_owned()
}

/// Every file with one of these endings, but for what is built and what begins with a dot.
pub(crate) fn files(endings: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    walk(&root(), &mut found);
    let ends = |path: &PathBuf| endings.iter().any(|ending| path.extension().is_some_and(|e| e == *ending));
    found.retain(ends);
    found.sort();
    let read = |path: PathBuf| File {
        text: fs::read_to_string(&path).expect("a text file"),
        path: path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/"),
    };
    found.into_iter().map(read).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let built = folder == root() && name == "target" || folder == root().join("book") && name == "book";
        if built || name.starts_with('.') {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

/// Fails with every line that `wrong` complains about.
pub(crate) fn expect_none(what: &str, wrong: impl IntoIterator<Item = String>) {
    let wrong: Vec<_> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    // The cases of the compile-fail suite are programs of users: theirs begin as users' do.
    let undocumented = files(&["rs"])
        .into_iter()
        .filter(|file| !file.path.starts_with("tests/ui/") || file.path == "tests/ui/main.rs")
        .filter(|file| !file.path.contains("/snapshots/"))
        .filter(|file| !file.text.starts_with("//!"));
    expect_none("files without a first line of documentation", undocumented.map(|file| file.path));
}

#[test]
fn no_test_is_ignored_or_sleeps_in_real_time() {
    let this = file!();
    let found = files(&["rs"]).into_iter().filter(|file| !this.ends_with(&file.path)).flat_map(|file| {
        let ignored =
            |line: &str| line.trim_start().starts_with("#[ignore") || line.contains("thread::sleep(");
        let test = file.is_test();
        let lines: Vec<_> = file
            .lines()
            .filter(|(_, line)| test && ignored(line))
            .map(|(n, _)| format!("{}:{n}", file.path))
            .collect();
        lines
    });
    expect_none("ignored or sleeping tests", found);
}

#[test]
fn nothing_is_left_to_be_done_in_the_code() {
    let this = file!();
    let found = files(&["rs", "md", "toml"]).into_iter().filter(|file| !this.ends_with(&file.path)).flat_map(
        |file| {
            let marks = ["TODO", "FIXME", "XXX", "HACK", "todo!(", "unimplemented!("];
            let marked = |line: &str| marks.iter().any(|mark| line.contains(mark));
            file.lines()
                .filter(|(_, line)| marked(line))
                .map(|(n, _)| format!("{}:{n}", file.path))
                .collect::<Vec<_>>()
        },
    );
    expect_none("leftover markers", found);
}

#[test]
fn lints_are_expected_with_a_reason_and_never_just_allowed() {
    // What the macro writes into a user's crate must be quiet there, where an `expect` could be unfulfilled.
    let written = |file: &File| !file.path.starts_with("rpcnet-macros/src/expand/");
    let found = files(&["rs"]).into_iter().filter(File::is_product).filter(written).flat_map(|file| {
        let allowed = |line: &str| {
            let line = line.trim_start();
            line.starts_with("#[allow(") || line.starts_with("#![allow(")
        };
        file.lines()
            .filter(|(_, line)| allowed(line))
            .map(|(n, _)| format!("{}:{n}", file.path))
            .collect::<Vec<_>>()
    });
    expect_none("`allow` where `expect` with a reason belongs", found);
}

#[test]
fn every_case_of_misuse_has_its_message() {
    let cases = root().join("tests/ui/fail");
    let cases: Vec<_> = fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    let (rust, other): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|path| path.extension().unwrap() == "rs");
    assert!(rust.len() >= 10, "the suite is there");
    let missing = rust.iter().filter(|case| !case.with_extension("stderr").exists());
    let orphans = other.iter().filter(|message| !message.with_extension("rs").exists());
    expect_none(
        "cases without a message, or messages without a case",
        missing.chain(orphans).map(|p| p.display().to_string()),
    );
}

#[test]
fn programs_of_the_tests_print_what_a_reader_may_leave_unread() {
    let found =
        files(&["rs"]).into_iter().filter(|file| file.path.starts_with("tests/src/")).flat_map(|file| {
            let panics = |line: &str| line.contains(" println!(") || line.contains(" print!(");
            let lines: Vec<_> = file
                .lines()
                .filter(|(_, line)| panics(line))
                .map(|(n, _)| format!("{}:{n}", file.path))
                .collect();
            lines
        });
    expect_none("`println!` where `say!` belongs: it panics under `| head`", found);
}
