//! What can be seen of a type from its spelling. The rest is for the compiler to say.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Type, TypeReference};

use super::signature::Verdict;
use crate::{ast, names};

/// Judges the type of an argument.
pub(super) fn check_argument(ty: &Type, verdict: &mut Verdict<'_>) {
    match ty {
        Type::Reference(reference) => {
            let owned = owned(reference);
            verdict.refuse(ty, format_args!("use `{owned}`: arguments cross the network"));
        }
        Type::ImplTrait(_) => {
            verdict.refuse(ty, "name the type: the server must know what it decodes, and `impl` hides it");
        }
        _ => check(ty, "arguments cross the network", verdict),
    }
}

/// Judges the type of an argument that is a stream.
pub(super) fn check_stream(ty: &Type, verdict: &mut Verdict<'_>) {
    if let Some(item) = ast::stream_item(ty) {
        check(item, "the items of a stream cross the network", verdict);
    }
}

/// Judges the type of an answer, and of the items of its stream.
pub(super) fn check_answer(ty: &Type, items: Option<&Type>, verdict: &mut Verdict<'_>) {
    match ty {
        _ if ast::stream_item(ty).is_some() => {
            verdict
                .refuse(ty, "return `Result<Streaming<T>, E>`: every call can fail before its stream begins");
        }
        Type::ImplTrait(_) => {
            verdict.refuse(
                ty,
                "return `Result<T, E>`: the caller must know what it decodes, and `impl` hides it",
            );
        }
        _ => match items {
            Some(item) => {
                check(item, "the items of a stream cross the network", verdict);
                ast::later_arguments(ty).for_each(|ty| check(ty, "answers cross the network", verdict));
            }
            None => check(ty, "answers cross the network", verdict),
        },
    }
}

/// Refuses what cannot be anywhere inside of a type.
fn check(ty: &Type, because: &str, verdict: &mut Verdict<'_>) {
    match find(ty.to_token_stream()) {
        None => {}
        Some((span, Flaw::Borrow)) => {
            verdict.refuse_at(
                span,
                format_args!("own what is borrowed here (`String`, `Vec<T>`, `T`): {because}"),
            );
        }
        Some((span, Flaw::Hidden)) => {
            verdict.refuse_at(span, format_args!("name the type: {because}, and both ends must know it"));
        }
        Some((span, Flaw::SelfType)) => {
            verdict.refuse_at(span, "name the type: `Self` is the service, which the client does not know");
        }
        Some((span, Flaw::Stream)) => {
            verdict.refuse_at(
                span,
                "a stream is an argument by itself, or the whole `Ok` side of the answer, and is not part of a value",
            );
        }
    }
}

/// What is wrong with a type.
enum Flaw {
    Borrow,
    Hidden,
    SelfType,
    Stream,
}

/// The first flaw of a type, by its tokens: types nest in too many ways to visit them all by hand.
fn find(tokens: TokenStream) -> Option<(Span, Flaw)> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match &token {
            TokenTree::Group(group) => find(group.stream()),
            TokenTree::Ident(ident) if ident == "Self" => Some((ident.span(), Flaw::SelfType)),
            TokenTree::Ident(ident) if ident == "impl" => Some((ident.span(), Flaw::Hidden)),
            TokenTree::Ident(ident) if ident == "Streaming" && is(tokens.peek(), '<') => {
                Some((ident.span(), Flaw::Stream))
            }
            TokenTree::Punct(punct) if punct.as_char() == '&' => Some((punct.span(), Flaw::Borrow)),
            TokenTree::Punct(punct) if punct.as_char() == '\'' => match tokens.peek() {
                Some(TokenTree::Ident(ident)) if ident != "static" => Some((ident.span(), Flaw::Borrow)),
                _ => None,
            },
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn is(token: Option<&TokenTree>, punct: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == punct)
}

/// The owned form of a borrowed type, as text.
fn owned(reference: &TypeReference) -> String {
    let owned = match &*reference.elem {
        Type::Slice(slice) => {
            let elem = &slice.elem;
            quote!(Vec<#elem>)
        }
        Type::Path(path) if path.path.is_ident("str") => quote!(String),
        Type::Path(path) if path.path.is_ident("Path") => quote!(PathBuf),
        other => other.to_token_stream(),
    };
    names::type_text(owned)
}
