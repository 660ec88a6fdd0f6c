//! What the documents say, held against the tree.

use std::{collections::BTreeSet, fs};

use rpcnet_tests::{resilience, sim};

use crate::files::{expect_none, files, root};

/// What a heading is linked to by, as mdBook and GitHub make it of its words.
fn anchor_of(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

fn has_anchor(text: &str, anchor: &str) -> bool {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    headings.map(|rest| rest.trim_start_matches('#')).any(|heading| anchor_of(heading) == anchor)
}

#[test]
fn links_between_documents_lead_somewhere() {
    let broken = files(&["md"]).into_iter().flat_map(|file| {
        let folder = root().join(&file.path).parent().unwrap().to_owned();
        let links =
            file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned);
        let leads = |link: &String| {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { root().join(&file.path) } else { folder.join(path) };
            let has = |anchor| fs::read_to_string(&target).is_ok_and(|text| has_anchor(&text, anchor));
            target.exists() && (anchor.is_empty() || has(anchor))
        };
        let broken = links.filter(|link| !link.contains("://") && !link.contains(' ') && !leads(link));
        broken.map(|link| format!("{}: {link}", file.path)).collect::<Vec<_>>()
    });
    expect_none("broken links", broken);
}

/// mdBook makes an `index.html` of it, and leaves the links to it as they are.
#[test]
fn no_page_of_the_book_is_a_readme() {
    let pages = files(&["md"]).into_iter().map(|file| file.path);
    expect_none(
        "name it `index.md`",
        pages.filter(|path| path.starts_with("book/src/") && path.ends_with("README.md")),
    );
}

/// The words that follow an option, wherever a document names it.
fn named_after<'a>(option: &'a str, text: &'a str) -> impl Iterator<Item = &'a str> {
    let ends = |c: char| !c.is_alphanumeric() && c != '-' && c != '_';
    text.split(option).skip(1).filter_map(move |rest| rest.split(ends).next())
}

#[test]
fn programs_and_scenarios_named_in_the_documents_are_there() {
    let programs = files(&["rs"]).into_iter().filter_map(|file| {
        let (_, name) = file.path.split_once("/src/bin/")?;
        Some(name.split(['/', '.']).next()?.to_owned())
    });
    let programs: BTreeSet<_> = programs.collect();
    let played = resilience::SCENARIOS.iter().map(|scenario| scenario.name);
    let scenarios: BTreeSet<_> = played.chain(sim::NAMES.iter().map(|(name, _)| *name)).collect();
    let missing = files(&["md"]).into_iter().flat_map(|file| {
        let bins = named_after("--bin ", &file.text).filter(|name| !programs.contains(*name));
        let plays = named_after("--scenario ", &file.text).filter(|name| !scenarios.contains(name));
        // In capitals stands what the reader chooses.
        let missing = bins.chain(plays).filter(|name| name.chars().any(char::is_lowercase));
        missing.map(|name| format!("{}: {name}", file.path)).collect::<Vec<_>>()
    });
    expect_none("programs or scenarios that there are not", missing);
}

#[test]
fn the_toolchain_named_in_the_documents_is_the_one_of_the_manifest() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version =
        manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(
        readme.contains(&format!("{version} or later")),
        "README.md names another toolchain than {version}"
    );
}

#[test]
fn the_version_of_the_crates_is_the_newest_of_the_changelog() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version =
        manifest.lines().find_map(|line| line.strip_prefix("version = ")).unwrap().trim_matches('"');
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let newest = changelog.lines().find_map(|line| line.strip_prefix("## ")).unwrap();
    assert!(newest.starts_with(version), "CHANGELOG.md begins with {newest}, Cargo.toml says {version}");
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let own = |line: &str| line.starts_with("rpcnet");
    let mut explained = false;
    let mut silent = Vec::new();
    for line in section.lines() {
        if line.is_empty() {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if !explained && !own(line) {
            silent.push(line.to_owned());
        }
    }
    expect_none("dependencies without a comment above them", silent);
}

#[test]
fn every_diagram_is_shown_can_be_read_aloud_and_has_the_colour_of_its_page() {
    let pages: String = files(&["md"]).into_iter().map(|file| file.text).collect();
    let mut seen = 0;
    let wanting =
        files(&["svg"]).into_iter().filter(|file| file.path.contains("/diagrams/")).filter(|file| {
            seen += 1;
            let name = file.path.rsplit('/').next().unwrap_or_default();
            let shown = pages.contains(&format!("diagrams/{name}}}}}"));
            let told = ["<title", "<desc", "currentColor"].iter().all(|part| file.text.contains(part));
            // A colour of its own is lost in one of the themes.
            let own = file.text.contains("=\"#") || file.text.contains("=\"rgb");
            !shown || !told || own
        });
    expect_none("diagrams that are not", wanting.map(|file| file.path).collect::<Vec<_>>());
    assert!(seen >= 3, "{seen}");
}
