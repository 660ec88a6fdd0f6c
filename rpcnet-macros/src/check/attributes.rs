//! Which words of `#[rpc(…)]` go together, with each other and with the signature.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Path;

use crate::{
    ast::{Form, Method, Role},
    diagnostics::Errors,
};

/// Judges what `#[rpc(…)]` says of a method.
pub(super) fn check(method: &mut Method, errors: &mut Errors) {
    check_idempotency(method, errors);
    check_keyed_streams(method, errors);
    check_keyed_order(method, errors);
    check_rerun(method, errors);
    check_blocking(method, errors);
    check_hedge(method, errors);
}

/// There is one answer to what a repeated call does.
fn check_idempotency(method: &Method, errors: &mut Errors) {
    let options = &method.options;
    if let (Some(_), Some(word)) = (&options.read, &options.idempotent) {
        errors.at(word, "`read` says this and more: remove `idempotent`");
    }
    let harmless = [("read", &options.read), ("idempotent", &options.idempotent)];
    for (name, word) in harmless.into_iter().filter_map(|(name, word)| Some((name, word.as_ref()?))) {
        contradict(name, word, method, errors);
    }
}

fn contradict(name: &str, word: &Path, method: &Method, errors: &mut Errors) {
    let keyed_by = match (&method.options.keyed, method.input(Role::RequestId)) {
        (Some(_), _) => "`keyed`",
        (None, Some(_)) => "the parameter `request_id`",
        (None, None) => return,
    };
    errors.at(
        word,
        format_args!(
            "`{name}` contradicts {keyed_by}: one says that repeating is harmless, the other that a repeat must be \
             recognised; remove one"
        ),
    );
}

/// The answer of a keyed call is kept for whoever repeats it, and its arguments are compared.
fn check_keyed_streams(method: &mut Method, errors: &mut Errors) {
    const MESSAGE: &str = "a keyed method has no streams: what it was asked and what it answered is kept for a repeat, and a stream is not; \
         take and return whole values, or let the method be at most once";
    if !method.is_keyed() || !method.is_streaming() {
        return;
    }
    method.sound = false;
    if let Some((input, _)) = method.taken_stream() {
        errors.at(&input.ty, MESSAGE);
    }
    if method.returned_stream().is_some() {
        errors.at(&method.answer, MESSAGE);
    }
}

/// The arguments of a repeat are compared with the first ones as bytes. A collection that is iterated in another order each
/// time would let a repeat pass for another request. What an alias or a struct hides, nobody sees here.
fn check_keyed_order(method: &mut Method, errors: &mut Errors) {
    if !method.is_keyed() {
        return;
    }
    let unordered: Vec<_> =
        method.arguments().filter_map(|argument| find_unordered(argument.ty.to_token_stream())).collect();
    for (word, ordered) in unordered {
        method.sound = false;
        let message = format!(
            "a repeat of a keyed call is known by its arguments having the same bytes, and a `{word}` is written in another order \
             each time it is filled: use `{ordered}`"
        );
        errors.at(word, message);
    }
}

/// The first word in a type that names a collection without an order, and what to write instead.
fn find_unordered(tokens: TokenStream) -> Option<(Ident, &'static str)> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Group(group) => find_unordered(group.stream()),
        TokenTree::Ident(ident) if ident == "HashMap" => Some((ident, "BTreeMap")),
        TokenTree::Ident(ident) if ident == "HashSet" => Some((ident, "BTreeSet")),
        _ => None,
    })
}

/// Only of a keyed method anything is remembered that can be unknown.
fn check_rerun(method: &Method, errors: &mut Errors) {
    if let Some(word) = &method.options.on_unknown
        && !method.is_keyed()
    {
        let message = "`on_unknown` is about the request id of a keyed method: write `keyed` too, declare `request_id: Uuid`, \
                       or write `idempotent` if running twice does no harm";
        errors.at(word, message);
    }
}

fn check_blocking(method: &Method, errors: &mut Errors) {
    let Some(word) = &method.options.blocking else { return };
    if method.form != Form::Plain {
        let message = "a `blocking` method blocks its thread and waits for nothing: write `fn` without `async`, or \
                       remove this";
        errors.at(word, message);
    }
    if method.is_streaming() {
        errors.at(word, "a `blocking` method has no streams: they are read and written by waiting");
    }
}

/// A hedge is a second execution on purpose.
fn check_hedge(method: &Method, errors: &mut Errors) {
    let Some(word) = &method.options.hedge else { return };
    if method.is_keyed() {
        let message = "a keyed method cannot be hedged: workers remember request ids each for itself, and two of them would run \
                       the call twice; remove `hedge`";
        errors.at(word, message);
    } else if method.options.read.is_none() && method.options.idempotent.is_none() {
        let message = "a method that runs at most once cannot be hedged: a hedge runs it twice; say `read` or `idempotent` if \
                       that does no harm, or remove `hedge`";
        errors.at(word, message);
    } else if method.is_streaming() {
        errors.at(word, "a method with streams is not hedged: a stream goes to one worker; remove `hedge`");
    }
}
