//! The book's guide and the code it shows: each chapter shows only what is checked, and all that is there to be shown.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn guide() -> PathBuf {
    folder().join("../../book/src/guide")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The chapters of the guide, and those about migration: their code is all checked.
fn chapters() -> Vec<String> {
    let pages = |folder: PathBuf| fs::read_dir(folder).expect("a folder of the book");
    let pages = [guide(), guide().join("../migration")].into_iter().flat_map(pages);
    let pages = pages.map(|page| page.expect("a page of the book").path());
    pages.filter(|path| path.extension().is_some_and(|ending| ending == "md")).map(read).collect()
}

/// The chapter of the macro's messages.
const ERRORS: &str = "macro-errors.md";

/// What a chapter includes: a path, and an anchor if it is a part of the file that has a name.
fn includes(chapter: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let includes = chapter.split("{{#include ").skip(1).filter_map(|rest| rest.split("}}").next());
    includes.map(|include| match include.split_once(':') {
        // Lines have numbers, and are there if the file is.
        Some((path, anchor)) => (path, Some(anchor).filter(|anchor| !anchor.starts_with(char::is_numeric))),
        None => (include, None),
    })
}

/// The anchors that begin in a file.
fn anchors(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim().strip_prefix("// ANCHOR: "))
}

#[test]
fn what_the_chapters_include_is_there() {
    for chapter in chapters() {
        for (path, anchor) in includes(&chapter) {
            let text = read(guide().join(path));
            let Some(anchor) = anchor else { continue };
            let (begin, end) = (format!("// ANCHOR: {anchor}\n"), format!("// ANCHOR_END: {anchor}\n"));
            assert!(text.contains(&begin) && text.contains(&end), "{path} has no {anchor}");
        }
    }
}

#[test]
fn every_anchor_is_shown() {
    let chapters = chapters().concat();
    for entry in fs::read_dir(folder().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for anchor in anchors(&read(&path)) {
            let include = format!("examples/guide/src/{name}:{anchor}}}}}");
            assert!(chapters.contains(&include), "{name}: {anchor} is not shown");
        }
    }
}

#[test]
fn no_chapter_has_code_of_its_own() {
    for chapter in chapters() {
        for block in chapter.split("```rust").skip(1) {
            let code = block.split("```").next().unwrap().split_once('\n').unwrap().1;
            let included = code
                .lines()
                .all(|line| line.is_empty() || line.starts_with("{{#include ") && line.ends_with("}}"));
            assert!(included, "not included from a file that is checked:\n{code}");
        }
    }
}

#[test]
fn every_mistake_is_shown_with_its_message() {
    let chapter = read(guide().join(ERRORS));
    let mut shown = 0;
    for (path, _) in includes(&chapter).filter(|(path, _)| path.contains("/fail/")) {
        let (case, _) = path.rsplit_once('.').unwrap();
        for ending in ["rs", "stderr"] {
            assert!(chapter.contains(&format!("{{{{#include {case}.{ending}}}}}")), "{case}.{ending}");
        }
        shown += 1;
    }
    assert!(shown >= 2 * 15, "{shown}");
}

/// Source text without what is only layout, and without the path that all generated names have.
fn squeezed(text: &str) -> String {
    let text: String = text.split_whitespace().collect();
    [("::rpcnet::private::", ""), (",)", ")"), (",>", ">")]
        .into_iter()
        .fold(text, |text, (from, to)| text.replace(from, to))
}

#[test]
fn the_abridged_expansion_is_part_of_the_real_one() {
    let real = squeezed(&read(folder().join("../../rpcnet-macros/tests/snapshots/compute.expanded.rs")));
    let mut rest = &real[..];
    for piece in read(folder().join("expansion.txt")).split('…') {
        let piece = squeezed(piece);
        let at = rest.find(&piece);
        let at =
            at.unwrap_or_else(|| panic!("expansion.txt: not, or not there, in compute.expanded.rs: {piece}"));
        rest = &rest[at + piece.len()..];
    }
}
