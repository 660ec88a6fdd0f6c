//! The expansion, reviewed: each `tests/snapshots/x.rs` against its `x.expanded.rs`.
//!
//! `BLESS=1 cargo test -p rpcnet-macros` writes what is expanded now, for the diff to be read.

use std::{fs, path::Path, path::PathBuf};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Item, Meta};

use crate::expand;

/// What `#[rpc_trait]` makes of a source file whose one item is a trait under it.
fn expansion_of(source: &str) -> String {
    let mut file = syn::parse_file(source).expect("a snapshot's input is Rust");
    let Some(Item::Trait(item)) = file.items.first_mut() else { panic!("a snapshot's input is a trait") };
    let position = item.attrs.iter().position(|attr| attr.path().is_ident("rpc_trait"));
    let attr = item.attrs.remove(position.expect("a snapshot's trait is under `#[rpc_trait]`"));
    let arguments = match attr.meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    let expansion = expand::rpc_trait(arguments, item.to_token_stream());
    prettyplease::unparse(&syn::parse2(expansion).expect("an expansion is Rust"))
}

fn inputs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let entries = fs::read_dir(folder).expect("the folder of snapshots can be read");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    paths.filter(|path| !path.to_string_lossy().ends_with(".expanded.rs")).collect()
}

#[test]
fn expansions_are_as_reviewed() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut changed = Vec::new();
    for input in inputs() {
        let reviewed = input.with_extension("expanded.rs");
        let expansion = expansion_of(&fs::read_to_string(&input).expect("a snapshot can be read"));
        if bless {
            fs::write(&reviewed, expansion).expect("a snapshot can be written");
        } else if fs::read_to_string(&reviewed).unwrap_or_default() != expansion {
            changed.push(input);
        }
    }
    assert!(changed.is_empty(), "expanded otherwise than reviewed (BLESS=1 writes them anew): {changed:?}");
}

/// The descriptors of an expansion, in the order of their names.
fn descriptors(source: &str) -> Vec<String> {
    let expansion = expansion_of(source);
    let mut paths: Vec<_> =
        expansion.split('"').filter(|text| text.starts_with("Ordered/")).map(str::to_owned).collect();
    paths.sort();
    paths
}

#[test]
fn names_on_the_wire_do_not_depend_on_order_or_neighbours() {
    let written = "#[rpc_trait] trait Ordered { async fn a(&self) -> R; async fn b(&self) -> R; }";
    let turned =
        "#[rpc_trait] trait Ordered { #[cfg(unix)] async fn b(&self) -> R; async fn a(&self) -> R; }";
    assert_eq!(descriptors(written), ["Ordered/a", "Ordered/b"]);
    assert_eq!(descriptors(written), descriptors(turned));
}
