//! From a definition to its text: what stands after the type's name where it is met for the first time.

use quote::ToTokens;
use syn::{Data, DataEnum, DeriveInput, Field, Fields, Variant};

use super::{
    options::{self, FieldOptions},
    serde::Serde,
    text::Text,
};
use crate::{diagnostics::Errors, names};

/// Writes what a type consists of.
pub(super) fn write(input: &DeriveInput, text: &mut Text, errors: &mut Errors) {
    let serde = Serde::of(&input.attrs);
    if !serde.is_empty() {
        text.push(&format!(" {}", serde.text()));
    }
    for proxy in serde.proxies(errors) {
        text.push(" as ");
        text.push_type(&proxy);
    }
    // `into` leaves the encoding to another type. With `from` alone, the fields are still what is encoded.
    let mut unseen = Text::default();
    let text = if serde.has("into") { &mut unseen } else { text };
    match &input.data {
        Data::Struct(data) => write_fields(&data.fields, false, text, errors),
        Data::Enum(data) => write_variants(data, text, errors),
        Data::Union(_) => {}
    }
}

/// `(A | B(u8))`. With one variant `(A |)`, so that it is not taken for a struct's field.
fn write_variants(data: &DataEnum, text: &mut Text, errors: &mut Errors) {
    text.push("(");
    for (index, variant) in data.variants.iter().enumerate() {
        text.push(if index > 0 { " | " } else { "" });
        write_variant(variant, text, errors);
    }
    text.push(match data.variants.len() {
        0 => "|)",
        1 => " |)",
        _ => ")",
    });
}

fn write_variant(variant: &Variant, text: &mut Text, errors: &mut Errors) {
    options::refuse_on_variant(&variant.attrs, errors);
    let serde = Serde::of(&variant.attrs);
    serde.write_before(text);
    text.push(&names::plain(&variant.ident));
    // A skipped variant is never encoded, but those after it are numbered as if it were.
    let mut unseen = Text::default();
    let text = if serde.is_skipped() { &mut unseen } else { text };
    write_fields(&variant.fields, serde.is_custom(), text, errors);
}

/// ` { a: u8 }`, `(u8)`, or nothing. With the types as they are spelled, if how they are encoded cannot be seen.
fn write_fields(fields: &Fields, spelled: bool, text: &mut Text, errors: &mut Errors) {
    let all = fields
        .iter()
        .map(|field| (field, FieldOptions::parse(&field.attrs, errors), Serde::of(&field.attrs)));
    let kept: Vec<_> = all.filter(|(_, _, serde)| !serde.is_skipped()).collect();
    let (open, close) = match fields {
        Fields::Named(_) if kept.is_empty() => (" {", "}"),
        Fields::Named(_) => (" { ", " }"),
        Fields::Unnamed(_) => ("(", ")"),
        Fields::Unit => ("", ""),
    };
    text.push(open);
    for (index, (field, options, serde)) in kept.iter().enumerate() {
        text.push(if index > 0 { ", " } else { "" });
        serde.write_before(text);
        write_field(field, spelled || serde.is_custom() || options.opaque.is_some(), text);
    }
    text.push(close);
}

/// `name: Type`, or `Type` in a tuple.
fn write_field(field: &Field, spelled: bool, text: &mut Text) {
    if let Some(ident) = &field.ident {
        text.push(&names::plain(ident));
        text.push(": ");
    }
    if spelled {
        text.push(&names::type_text(field.ty.to_token_stream()));
    } else {
        text.push_type(&field.ty);
    }
}
