//! What `#[derive(Schema)]` writes of a program's types, and which changes of theirs it tells apart.

use std::{borrow::Cow, collections::HashMap, marker::PhantomData};

use rpcnet::{Schema, schema_of};
use serde::{Deserialize, Serialize};

/// A type as it was, and after a change that may need to be told apart: `before` and `after` are modules, so that the
/// types have one name.
macro_rules! versions {
    ({ $($before:item)* } { $($after:item)* }) => {{
        mod before {
            #![allow(dead_code, unreachable_pub, reason = "only described")]
            use rpcnet::Schema;
            $(#[derive(Schema)] $before)*
        }
        mod after {
            #![allow(dead_code, unreachable_pub, reason = "only described")]
            use rpcnet::Schema;
            $(#[derive(Schema)] $after)*
        }
        (schema_of::<before::Order>(), schema_of::<after::Order>())
    }};
}

#[track_caller]
fn told_apart((before, after): (String, String)) {
    assert_ne!(before, after);
}

#[derive(Serialize, Deserialize, Schema)]
struct Order {
    id: u64,
    lines: Vec<Line>,
    state: State,
    notes: HashMap<String, Line>,
}

#[derive(Serialize, Deserialize, Schema)]
struct Line {
    sku: String,
    count: u32,
}

#[derive(Serialize, Deserialize, Schema)]
enum State {
    Open,
    Shipped(String),
    Lost { when: u64 },
}

#[test]
fn a_type_is_written_out_once_and_by_its_name_from_then_on() {
    assert_eq!(
        schema_of::<Order>(),
        "Order { id: u64, lines: Vec<Line { sku: String, count: u32 }>, \
         state: State(Open | Shipped(String) | Lost { when: u64 }), notes: Map<String, Line> }"
    );
}

#[test]
#[expect(dead_code, reason = "only described")]
fn recursive_types_come_to_an_end() {
    #[derive(Schema)]
    struct Tree {
        children: Vec<Tree>,
        parent: Option<Box<Self>>,
    }
    #[derive(Schema)]
    struct Folder(Vec<Entry>);
    #[derive(Schema)]
    enum Entry {
        File(String),
        Folder(Box<Folder>),
    }
    #[derive(Schema)]
    struct List<T> {
        value: T,
        next: Option<Box<List<T>>>,
    }
    assert_eq!(schema_of::<Tree>(), "Tree { children: Vec<Tree>, parent: Option<Tree> }");
    assert_eq!(schema_of::<Folder>(), "Folder(Vec<Entry(File(String) | Folder(Folder))>)");
    assert_eq!(schema_of::<Entry>(), "Entry(File(String) | Folder(Folder(Vec<Entry>)))");
    assert_eq!(schema_of::<List<u8>>(), "List { value: u8, next: Option<List> }");
}

#[test]
#[expect(dead_code, reason = "only described")]
fn every_shape_has_a_text_of_its_own() {
    #[derive(Schema)]
    struct Unit;
    #[derive(Schema)]
    struct Empty {}
    #[derive(Schema)]
    struct EmptyTuple();
    #[derive(Schema)]
    struct Tuple(Unit, r#Raw);
    #[derive(Schema)]
    struct Raw {
        r#type: u8,
    }
    #[derive(Schema)]
    enum One {
        Unit,
    }
    #[derive(Schema)]
    enum Never {}
    assert_eq!(schema_of::<Unit>(), "Unit");
    assert_eq!(schema_of::<Empty>(), "Empty {}");
    assert_eq!(schema_of::<EmptyTuple>(), "EmptyTuple()");
    assert_eq!(schema_of::<Tuple>(), "Tuple(Unit, Raw { type: u8 })");
    assert_eq!(schema_of::<One>(), "One(Unit |)");
    assert_eq!(schema_of::<Never>(), "Never(|)");
}

#[test]
#[expect(dead_code, reason = "only described")]
fn generic_types_are_told_apart_by_what_they_hold() {
    #[derive(Schema)]
    struct Page<T, const N: usize = 2> {
        items: [T; N],
        of: PhantomData<fn() -> T>,
    }
    #[derive(Schema)]
    struct Items<I: Iterator>(Vec<I::Item>)
    where
        I: Clone;
    #[derive(Schema)]
    struct Borrowed<'a> {
        name: Cow<'a, str>,
    }
    #[derive(Schema)]
    struct Marked<T>(PhantomData<T>);
    struct Unknown;

    assert_eq!(
        schema_of::<(Page<u8>, Page<Line, 3>, Page<u8>)>(),
        "(Page { items: [u8; 2], of: () }, \
         Page#2 { items: [Line { sku: String, count: u32 }; 3], of: () }, Page)"
    );
    assert_eq!(schema_of::<Items<std::ops::Range<u8>>>(), "Items(Vec<u8>)");
    assert_eq!(schema_of::<Borrowed<'static>>(), "Borrowed { name: String }");
    assert_eq!(schema_of::<Marked<Unknown>>(), "Marked(())");
}

/// A type without a schema.
#[derive(Serialize, Deserialize, Default)]
struct Unknown;

mod spelled {
    //! Functions for `#[serde(with = "…")]`.

    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<T, S: Serializer>(_: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }

    pub(super) fn deserialize<'d, T: Default, D: Deserializer<'d>>(_: D) -> Result<T, D::Error> {
        Ok(T::default())
    }
}

#[derive(Serialize, Deserialize, Schema)]
#[expect(dead_code, reason = "`hidden` is skipped")]
#[serde(rename_all = "camelCase", rename = "Attributed", deny_unknown_fields)]
struct Attributes {
    #[serde(default, alias = "number")]
    #[serde(rename(serialize = "n", deserialize = "m"))]
    count: u32,
    #[serde(skip)]
    hidden: Unknown,
    #[serde(with = "spelled")]
    custom: Option<Unknown>,
    #[schema(opaque)]
    foreign: Vec<Unknown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rarely: Option<u8>,
}

#[derive(Serialize, Deserialize, Schema)]
#[expect(dead_code, reason = "`Hidden` is skipped")]
#[serde(tag = "kind", content = "value")]
enum Tagged {
    #[serde(rename = "a")]
    First,
    #[serde(skip)]
    Hidden(Unknown),
    #[serde(with = "spelled")]
    Custom(Unknown),
}

#[test]
fn what_serde_is_told_is_part_of_the_text_as_far_as_it_is_about_the_encoding() {
    assert_eq!(
        schema_of::<Attributes>(),
        "Attributes #[serde(rename = \"Attributed\", rename_all = \"camelCase\")] { \
         #[serde(default, rename(serialize = \"n\", deserialize = \"m\"))] count: u32, \
         #[serde(with = \"spelled\")] custom: Option<Unknown>, foreign: Vec<Unknown>, \
         #[serde(skip_serializing_if = \"Option::is_none\")] rarely: Option<u8> }"
    );
    assert_eq!(
        schema_of::<Tagged>(),
        "Tagged #[serde(content = \"value\", tag = \"kind\")](#[serde(rename = \"a\")] First | \
         #[serde(skip)] Hidden | #[serde(with = \"spelled\")] Custom(Unknown))"
    );
}

#[derive(Clone, Serialize, Deserialize, Schema)]
#[serde(from = "Line", into = "Line")]
struct Proxied {
    unseen: (),
}

impl From<Line> for Proxied {
    fn from(_: Line) -> Self {
        Self { unseen: () }
    }
}

impl From<Proxied> for Line {
    fn from(Proxied { unseen: () }: Proxied) -> Self {
        Self { sku: String::new(), count: 0 }
    }
}

#[test]
fn a_type_that_is_encoded_as_another_is_written_as_that() {
    assert_eq!(
        schema_of::<Proxied>(),
        "Proxied #[serde(from = \"Line\", into = \"Line\")] as Line { sku: String, count: u32 }"
    );
}

#[test]
fn a_change_of_what_is_inside_changes_the_text() {
    // Another type.
    told_apart(versions!({ pub struct Order { id: u32 } } { pub struct Order { id: u64 } }));
    // Another order.
    told_apart(versions!({ pub struct Order { a: u8, b: u8 } } { pub struct Order { b: u8, a: u8 } }));
    told_apart(versions!({ pub enum Order { A, B } } { pub enum Order { B, A } }));
    // Another name.
    told_apart(versions!({ pub struct Order { count: u8 } } { pub struct Order { number: u8 } }));
    told_apart(versions!({ pub enum Order { Open } } { pub enum Order { Closed } }));
    // One more.
    told_apart(versions!({ pub struct Order { a: u8 } } { pub struct Order { a: u8, b: u8 } }));
    told_apart(versions!({ pub enum Order { A } } { pub enum Order { A, B } }));
    // Another shape.
    told_apart(versions!({ pub struct Order(A); pub struct A; } { pub enum Order { A } }));
}

#[test]
fn a_change_of_what_serde_is_told_changes_the_text() {
    told_apart(versions!(
        { pub struct Order { id: u8 } }
        { pub struct Order { #[serde(rename = "number")] id: u8 } }
    ));
    told_apart(versions!(
        { pub struct Order { id: u8, n: u8 } }
        { pub struct Order { id: u8, #[serde(skip)] n: u8 } }
    ));
    told_apart(versions!({ pub struct Order(u8); } { #[serde(transparent)] pub struct Order(u8); }));
}

#[test]
fn a_change_deep_inside_and_one_behind_a_namesake_change_the_text() {
    told_apart(versions!(
        { pub struct Order { lines: Vec<Option<Line>> } pub struct Line { count: u8 } }
        { pub struct Order { lines: Vec<Option<Line>> } pub struct Line { count: u16 } }
    ));
    told_apart(versions!(
        { pub struct Order(Id<u8>, Id<u16>, Id<u8>); pub struct Id<T>(T); }
        { pub struct Order(Id<u8>, Id<u16>, Id<u16>); pub struct Id<T>(T); }
    ));
}

#[test]
fn what_is_encoded_alike_is_written_alike() {
    let (before, after) = versions!(
        { pub struct Order { lines: Vec<u8>, note: Box<str>, #[serde(alias = "a")] size: usize } }
        { pub struct Order { lines: std::collections::VecDeque<u8>, note: String, size: u64 } }
    );
    assert_eq!(before, after);
}
