//! The attributes: `#[rpc_trait(…)]` on the trait, `#[rpc(…)]` on its methods.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, Lit, LitStr, Meta, Path, Token, parse::Parser, punctuated::Punctuated,
    spanned::Spanned,
};

use crate::{
    diagnostics::{Errors, did_you_mean},
    names,
};

/// What `#[rpc_trait(…)]` says of the whole service.
#[derive(Default)]
pub(crate) struct TraitOptions {
    /// The service's name on the wire, if it is not the trait's.
    pub(crate) name: Option<LitStr>,
    /// Where the runtime is, if it is not `::rpcnet`.
    pub(crate) krate: Option<Path>,
}

/// What `#[rpc(…)]` says of one method.
#[derive(Default)]
pub(crate) struct MethodOptions {
    /// The word `idempotent`, where it was written.
    pub(crate) idempotent: Option<Path>,
    /// The method's name on the wire, if it is not the method's.
    pub(crate) rename: Option<LitStr>,
}

const ON_A_TRAIT: Accepted = Accepted {
    attribute: "`#[rpc_trait(…)]`",
    words: &["name", "crate"],
    list: "`name = \"…\"`, `crate = path`",
};
const ON_A_METHOD: Accepted = Accepted {
    attribute: "`#[rpc(…)]`",
    words: &["idempotent", "rename"],
    list: "`idempotent`, `rename = \"…\"`",
};

impl TraitOptions {
    pub(crate) fn parse(arguments: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for meta in ON_A_TRAIT.parse(arguments, errors) {
            match ON_A_TRAIT.word(&meta) {
                Some("name") => set(&mut options.name, wire_name(&meta, errors), &meta, errors),
                Some("crate") => set(&mut options.krate, path_value(&meta, errors), &meta, errors),
                _ => ON_A_TRAIT.refuse(&meta, errors),
            }
        }
        options
    }
}

impl MethodOptions {
    /// Takes the `#[rpc(…)]` attributes out of a method's.
    pub(crate) fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for attr in attrs.extract_if(.., |attr| attr.path().is_ident("rpc")) {
            match attr.meta {
                Meta::List(list) if !list.tokens.is_empty() => options.add(list.tokens, errors),
                other => errors.at(other, format_args!("`#[rpc]` says nothing: write `#[rpc(idempotent)]`")),
            }
        }
        options
    }

    fn add(&mut self, tokens: TokenStream, errors: &mut Errors) {
        for meta in ON_A_METHOD.parse(tokens, errors) {
            match ON_A_METHOD.word(&meta) {
                Some("idempotent") => set(&mut self.idempotent, flag(&meta, errors), &meta, errors),
                Some("rename") => set(&mut self.rename, wire_name(&meta, errors), &meta, errors),
                _ => ON_A_METHOD.refuse(&meta, errors),
            }
        }
    }
}

/// Refuses an `#[rpc]` where there is no method for it, and takes it away.
pub(crate) fn refuse_rpc_on_the_trait(attrs: &mut Vec<Attribute>, errors: &mut Errors) {
    for attr in attrs.extract_if(.., |attr| attr.path().is_ident("rpc")) {
        errors.at(attr.path(), "`#[rpc(…)]` belongs on a method; of the trait, `#[rpc_trait(…)]` speaks");
    }
}

/// Refuses `#[cfg_attr(…, rpc(…))]`, which this macro cannot evaluate, and takes it away.
pub(crate) fn refuse_conditional_rpc(attrs: &mut Vec<Attribute>, errors: &mut Errors) {
    let conditional = |attr: &mut Attribute| attr.path().is_ident("cfg_attr") && applies(attr, "rpc");
    for attr in attrs.extract_if(.., conditional) {
        let message =
            "`#[rpc(…)]` cannot be conditional: declare the method twice, each under its own `#[cfg(…)]`";
        errors.at(attr.path(), message);
    }
}

/// Whether a `#[cfg_attr(condition, word…)]` applies this word.
pub(crate) fn applies(attr: &Attribute, word: &str) -> bool {
    let Meta::List(list) = &attr.meta else { return false };
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone());
    metas.is_ok_and(|metas| metas.iter().skip(1).any(|meta| meta.path().is_ident(word)))
}

/// The words that one of the two attributes knows.
struct Accepted {
    attribute: &'static str,
    words: &'static [&'static str],
    list: &'static str,
}

impl Accepted {
    fn parse(&self, tokens: TokenStream, errors: &mut Errors) -> Punctuated<Meta, Token![,]> {
        Punctuated::parse_terminated.parse2(tokens).unwrap_or_else(|error: syn::Error| {
            errors.at_span(error.span(), format_args!("{} accepts {}", self.attribute, self.list));
            Punctuated::new()
        })
    }

    /// The word an argument begins with, if it is an accepted one.
    fn word(&self, meta: &Meta) -> Option<&'static str> {
        self.words.iter().copied().find(|word| meta.path().is_ident(word))
    }

    fn refuse(&self, meta: &Meta, errors: &mut Errors) {
        let word = names::type_text(meta.path().to_token_stream());
        let guess = did_you_mean(&word, self.words);
        let (attribute, list) = (self.attribute, self.list);
        errors.at(meta.path(), format_args!("unknown argument `{word}`{guess}: {attribute} accepts {list}"));
    }
}

/// Keeps the first of an argument and refuses the second.
fn set<T>(slot: &mut Option<T>, value: Option<T>, meta: &Meta, errors: &mut Errors) {
    if slot.is_some() {
        let word = names::type_text(meta.path().to_token_stream());
        errors.at(meta.path(), format_args!("`{word}` is given twice: remove one"));
    } else {
        *slot = value;
    }
}

/// An argument that is only a word.
fn flag(meta: &Meta, errors: &mut Errors) -> Option<Path> {
    if let Meta::Path(path) = meta {
        return Some(path.clone());
    }
    let word = names::type_text(meta.path().to_token_stream());
    errors.at(meta, format_args!("`{word}` takes no value: write only the word"));
    // It is clear what was meant, and saying it again for the method's other mistakes helps nobody.
    Some(meta.path().clone())
}

/// The `"…"` of `word = "…"`, fit to be part of a method's path.
fn wire_name(meta: &Meta, errors: &mut Errors) -> Option<LitStr> {
    let word = names::type_text(meta.path().to_token_stream());
    let Some(Expr::Lit(ExprLit { lit: Lit::Str(name), .. })) = value(meta) else {
        errors.at(meta, format_args!("`{word}` takes a string: write `{word} = \"…\"`"));
        return None;
    };
    let text = name.value();
    if text.is_empty() {
        errors.at(name, "a name on the wire cannot be empty");
    } else if text.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control()) {
        errors.at(
            name,
            "a name on the wire has neither `/` nor white space: `Service/method` must be readable",
        );
    }
    Some(name.clone())
}

/// The `path` of `word = path`.
fn path_value(meta: &Meta, errors: &mut Errors) -> Option<Path> {
    match value(meta) {
        Some(Expr::Path(path)) if path.qself.is_none() => Some(path.path.clone()),
        _ => {
            errors.at_span(meta.span(), "`crate` takes a path: write `crate = path::to::rpcnet`");
            None
        }
    }
}

fn value(meta: &Meta) -> Option<&Expr> {
    let Meta::NameValue(pair) = meta else { return None };
    let mut value = &pair.value;
    // A `$path` of a user's `macro_rules!` arrives in invisible parentheses.
    while let Expr::Group(group) = value {
        value = &group.expr;
    }
    Some(value)
}
