//! The attribute `#[schema(…)]`, on a type and on its fields.

use syn::{Attribute, Meta, Path};

use crate::{
    attr::{Accepted, flag, path_value, set},
    diagnostics::Errors,
};

const ON_A_TYPE: Accepted =
    Accepted { attribute: "`#[schema(…)]` on a type", words: &["crate"], list: "`crate = path`" };
const ON_A_FIELD: Accepted =
    Accepted { attribute: "`#[schema(…)]` on a field", words: &["opaque"], list: "`opaque`" };

/// What `#[schema(…)]` says of the whole type.
#[derive(Default)]
pub(super) struct TypeOptions {
    /// Where the runtime is, if it is not `::rpcnet`.
    pub(super) krate: Option<Path>,
}

/// What `#[schema(…)]` says of one field.
#[derive(Default)]
pub(super) struct FieldOptions {
    /// The word `opaque`, where it was written.
    pub(super) opaque: Option<Path>,
}

impl TypeOptions {
    pub(super) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for meta in arguments(attrs, &ON_A_TYPE, errors) {
            match ON_A_TYPE.word(&meta) {
                Some("crate") => set(&mut options.krate, path_value(&meta, errors), &meta, errors),
                _ => ON_A_TYPE.refuse(&meta, errors),
            }
        }
        options
    }
}

impl FieldOptions {
    pub(super) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for meta in arguments(attrs, &ON_A_FIELD, errors) {
            match ON_A_FIELD.word(&meta) {
                Some("opaque") => set(&mut options.opaque, flag(&meta, errors), &meta, errors),
                _ => ON_A_FIELD.refuse(&meta, errors),
            }
        }
        options
    }
}

/// Refuses a `#[schema(…)]` where it can say nothing.
pub(super) fn refuse_on_variant(attrs: &[Attribute], errors: &mut Errors) {
    for attr in ours(attrs) {
        errors.at(attr.path(), "`#[schema(…)]` belongs on the type or on a field, not on a variant");
    }
}

/// What is said in all of the attributes.
fn arguments(attrs: &[Attribute], accepted: &Accepted, errors: &mut Errors) -> Vec<Meta> {
    let mut arguments = Vec::new();
    for attr in ours(attrs) {
        match &attr.meta {
            Meta::List(list) if !list.tokens.is_empty() => {
                arguments.extend(accepted.parse(list.tokens.clone(), errors));
            }
            other => {
                let (attribute, list) = (accepted.attribute, accepted.list);
                errors.at(other, format_args!("`#[schema]` says nothing: {attribute} accepts {list}"));
            }
        }
    }
    arguments
}

fn ours(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("schema"))
}
