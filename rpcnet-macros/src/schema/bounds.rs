//! What must hold of a type's parameters for it to have a schema.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Generics, Type, parse_quote};

/// How a type speaks of a parameter `T`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    None,
    /// `T`, `Vec<T>`.
    Plain,
    /// `T::Item`, `<T as Trait>::Item`.
    Projection,
}

/// The generics with what is demanded of them: like serde's derive, `T: Schema` of each parameter a value consists of.
///
/// Not that each field's type has a schema, which would say it better: of a recursive type the compiler could not
/// prove it. It is said where a type belonging to a parameter is used, since `T: Schema` says nothing of `T::Item`.
pub(crate) fn bounded<'t>(
    generics: &Generics,
    described: impl Iterator<Item = &'t Type>,
    private: &TokenStream,
) -> Generics {
    let mut bounded = generics.clone();
    if generics.params.is_empty() {
        return bounded;
    }
    let mut params: Vec<_> = generics.type_params().map(|param| (&param.ident, false)).collect();
    let predicates = &mut bounded.make_where_clause().predicates;
    predicates.push(parse_quote!(Self: 'static));
    for ty in described.filter(|ty| !is_phantom(ty)) {
        let tokens = ty.to_token_stream();
        for (param, plain) in &mut params {
            match use_of(param, tokens.clone()) {
                Use::None => {}
                Use::Plain => *plain = true,
                Use::Projection => predicates.push(parse_quote!(#ty: #private::Schema)),
            }
        }
    }
    for (param, _) in params.iter().filter(|(_, plain)| *plain) {
        predicates.push(parse_quote!(#param: #private::Schema));
    }
    bounded
}

/// Whether this is `PhantomData<T>`, which has a schema whatever `T` is.
fn is_phantom(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "PhantomData")
}

/// How these tokens speak of a parameter.
fn use_of(param: &Ident, tokens: TokenStream) -> Use {
    let mut found = Use::None;
    let mut after_colon = false;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let this = match &token {
            TokenTree::Group(group) => use_of(param, group.stream()),
            // `module::T` is something else.
            TokenTree::Ident(ident) if ident == param && !after_colon => match tokens.peek() {
                Some(TokenTree::Punct(next)) if next.as_char() == ':' => Use::Projection,
                Some(TokenTree::Ident(next)) if next == "as" => Use::Projection,
                _ => Use::Plain,
            },
            _ => Use::None,
        };
        after_colon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
        found = found.max(this);
    }
    found
}
