//! What an RPC trait may be: every rule, and what is said to whoever breaks it.
//!
//! A method with an impossible signature is marked unsound and left out of what is generated; everything else is
//! generated as if it were right, so that one mistake gives one error and not forty.

mod attributes;
mod signature;
mod types;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{GenericParam, TraitItem};

use crate::{
    ast::{Member, Method, Service},
    diagnostics::Errors,
    names,
};

/// What a generated client has by itself, or will have.
pub(crate) const RESERVED: [&str; 5] = ["new", "with", "connect", "clone", "local"];

/// Judges a trait and everything in it.
pub(crate) fn check(service: &mut Service, errors: &mut Errors) {
    check_trait(service, errors);
    let client = names::beside(&service.item.ident, "Client");
    for member in &mut service.members {
        match member {
            Member::Method(method) => {
                signature::check(method, errors);
                attributes::check(method, errors);
                check_reserved(method, &client, errors);
            }
            Member::Other(item) => refuse_member(item, errors),
        }
    }
    remove_repeated(service, errors);
    check_wire_names(service, errors);
}

fn check_trait(service: &Service, errors: &mut Errors) {
    let item = &service.item;
    if let Some(unsafety) = &item.unsafety {
        errors.at(
            unsafety,
            "an RPC trait cannot be `unsafe`: callers in other processes cannot promise anything",
        );
    }
    if let Some(auto) = &item.modifiers.auto_token {
        errors.at(auto, "an RPC trait cannot be `auto`: remove this");
    }
    for param in &item.generics.params {
        if let GenericParam::Lifetime(param) = param {
            errors
                .at(param, "an RPC trait has no lifetimes: a service owns its state and arguments are owned");
        }
    }
}

fn refuse_member(item: &TraitItem, errors: &mut Errors) {
    match item {
        TraitItem::Type(item) => errors.at(
            item.type_token,
            "an RPC trait has no associated types: a client cannot see them; make the trait generic instead",
        ),
        TraitItem::Const(item) => errors.at(
            item.const_token,
            "an RPC trait has no constants: a client cannot see them; make it a method, or a constant of the module",
        ),
        TraitItem::Macro(item) => {
            errors.at(&item.mac.path, "an RPC trait has only methods: a macro here hides them; write them out");
        }
        other => errors.at(other, "an RPC trait has only methods: `async fn name(&self, …) -> Result<T, E>`"),
    }
}

fn check_reserved(method: &mut Method, client: &Ident, errors: &mut Errors) {
    let name = names::plain(&method.sig.ident);
    if RESERVED.contains(&name.as_str()) {
        method.sound = false;
        errors.at(
            &method.sig.ident,
            format_args!(
                "`{client}` has a `{name}` of its own: choose another name; `#[rpc(rename = \"{name}\")]` keeps this \
                 one on the wire"
            ),
        );
    }
}

/// Refuses a second method of one name, unless both are under a `#[cfg]`, and removes it: the compiler would repeat
/// the error for everything generated.
fn remove_repeated(service: &mut Service, errors: &mut Errors) {
    let mut seen: Vec<(Ident, bool)> = Vec::new();
    service.members.retain(|member| {
        let Member::Method(method) = member else { return true };
        let (ident, conditional) = (&method.sig.ident, method.cfgs().next().is_some());
        let repeats = seen
            .iter()
            .any(|(other, other_conditional)| other == ident && !(conditional && *other_conditional));
        if repeats {
            errors.at(
                ident,
                format_args!("`{ident}` is declared twice: give each its name, or each its own `#[cfg(…)]`"),
            );
        }
        seen.push((ident.clone(), conditional));
        !repeats
    });
}

/// A name that a method is called by on the wire.
struct WireName<'s> {
    method: &'s Method,
    name: String,
    id: u64,
    /// The name or alias that was written, if it is not the method's own.
    written: Option<&'s syn::LitStr>,
}

/// Two methods must differ on the wire, in all of their names and in the ids that are hashed from them.
fn check_wire_names(service: &Service, errors: &mut Errors) {
    let mut seen: Vec<WireName<'_>> = Vec::new();
    for wire_name in wire_names(service) {
        let other =
            seen.iter().find(|other| other.id == wire_name.id && !exclusive(wire_name.method, other.method));
        if let Some(other) = other {
            refuse_wire_name(&wire_name, other, errors);
        }
        seen.push(wire_name);
    }
}

/// The names of all methods, and then what else they are called by.
fn wire_names(service: &Service) -> impl Iterator<Item = WireName<'_>> {
    let service_name = service.wire_name();
    let wire_name = move |method, name: String, written| {
        let id = names::method_id(&format!("{service_name}/{name}"));
        WireName { method, name, id, written }
    };
    let names = service.methods().map(|method| (method, method.wire_name(), method.options.rename.as_ref()));
    let aliases = service.methods().flat_map(|method| {
        method.options.aliases.iter().map(move |alias| (method, alias.value(), Some(alias)))
    });
    names.chain(aliases).map(move |(method, name, written)| wire_name(method, name, written))
}

fn refuse_wire_name(wire_name: &WireName<'_>, other: &WireName<'_>, errors: &mut Errors) {
    let WireName { method, name, id, written } = wire_name;
    let word = written.map_or(method.sig.ident.to_token_stream(), |written| written.to_token_stream());
    let (other_name, other_method) = (&other.name, names::plain(&other.method.sig.ident));
    if name != other_name {
        let message = format_args!(
            "the ids of `{name}` and `{other_name}` collide ({id:016x}): choose another name, or `#[rpc(rename = \"…\")]`"
        );
        errors.at(word, message);
    } else if std::ptr::eq(*method, other.method) {
        errors.at(word, format_args!("`{name}` is what this method is called already: remove this"));
    } else {
        let message = format_args!(
            "`{name}` is the name of the method `{other_method}` on the wire already: choose another"
        );
        errors.at(word, message);
    }
}

/// Whether two methods may be meant never to exist together. Only the compiler can evaluate a `#[cfg]`.
fn exclusive(one: &Method, other: &Method) -> bool {
    one.cfgs().next().is_some() && other.cfgs().next().is_some()
}
