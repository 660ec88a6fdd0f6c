//! Names: of generated items, of methods on the wire, of types as the user wrote them.

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use quote::format_ident;
use syn::ext::IdentExt;

/// An identifier as text, without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The name of an item generated beside the trait: `ComputeClient` of `Compute`.
pub(crate) fn beside(service: &Ident, suffix: &str) -> Ident {
    format_ident!("{}{suffix}", service.unraw(), span = service.span())
}

/// The name of a method's descriptor. Not in capitals: two methods may differ only in case.
pub(crate) fn descriptor(method: &Ident) -> Ident {
    format_ident!("__RPCNET_{}", method.unraw())
}

/// The name of the function that states a method's types.
pub(crate) fn typed(method: &Ident) -> Ident {
    format_ident!("__rpcnet_{}", method.unraw())
}

/// A type parameter's name that occurs nowhere in the trait: `C`, unless the user has a `C`.
///
/// Types have no hygiene: a generated parameter `C` would hide a user's own type of that name.
pub(crate) fn fresh(wanted: &str, taken: &TokenStream) -> Ident {
    let numbered = (2..).map(|number| format!("{wanted}{number}"));
    let free = std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !mentions(taken, name));
    format_ident!("{}", free.expect("a trait has finitely many words"))
}

/// Whether a word occurs in these tokens.
pub(crate) fn mentions(tokens: &TokenStream, word: &str) -> bool {
    find(tokens, &|ident| ident == word).is_some()
}

/// The first identifier that is wanted.
pub(crate) fn find(tokens: &TokenStream, wanted: &dyn Fn(&Ident) -> bool) -> Option<Ident> {
    tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if wanted(&ident) => Some(ident),
        TokenTree::Group(group) => find(&group.stream(), wanted),
        _ => None,
    })
}

/// The id of a method on the wire, as the runtime computes it: FNV-1a of `Service/method`.
pub(crate) fn method_id(path: &str) -> u64 {
    path.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A type as a person writes it: `Result<Vec<u8>, Error>`.
///
/// `TokenStream::to_string` puts spaces wherever it likes, and differently from one compiler to the next; what is
/// compared across machines must not depend on that.
pub(crate) fn type_text(tokens: TokenStream) -> String {
    let mut text = String::new();
    write_type(tokens, &mut text);
    text
}

fn write_type(tokens: TokenStream, text: &mut String) {
    let mut joint = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => write_group(group.delimiter(), group.stream(), text),
            TokenTree::Punct(punct) => {
                write_punct(punct.as_char(), joint, text);
                joint = punct.spacing() == Spacing::Joint;
                continue;
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                if text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                    text.push(' ');
                }
                text.push_str(&token.to_string());
            }
        }
        joint = false;
    }
}

fn write_group(delimiter: Delimiter, inside: TokenStream, text: &mut String) {
    let (open, close) = match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Brace => ("{ ", " }"),
        Delimiter::None => ("", ""),
    };
    text.push_str(open);
    write_type(inside, text);
    text.push_str(close);
}

/// Spaces after `,` and `;`, around `+`, `=` and `->`, nowhere else.
fn write_punct(punct: char, joint: bool, text: &mut String) {
    match punct {
        ',' | ';' => {
            text.push(punct);
            text.push(' ');
        }
        '+' | '=' => {
            text.push(' ');
            text.push(punct);
            text.push(' ');
        }
        '-' => text.push_str(" -"),
        '>' if joint && text.ends_with(" -") => text.push_str("> "),
        _ => text.push(punct),
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn types_are_written_as_a_person_writes_them() {
        let written = |tokens| type_text(tokens);
        assert_eq!(written(quote!(Result<Vec<u8>, my::Error>)), "Result<Vec<u8>, my::Error>");
        assert_eq!(written(quote!([u8; 4])), "[u8; 4]");
        assert_eq!(written(quote!((i64, Option<&'static str>))), "(i64, Option<&'static str>)");
        assert_eq!(written(quote!(Box<dyn Fn(u8) -> u8 + Send>)), "Box<dyn Fn(u8) -> u8 + Send>");
        assert_eq!(written(quote!(<T as Trait<Out = u8>>::Out)), "<T as Trait<Out = u8>>::Out");
        assert_eq!(written(quote!(())), "()");
    }

    #[test]
    fn ids_are_the_published_fnv_1a_vectors() {
        assert_eq!(method_id(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(method_id("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(method_id("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_generated_parameter_avoids_every_word_of_the_trait() {
        assert_eq!(fresh("C", &quote!(fn a(b: B))), "C");
        assert_eq!(fresh("C", &quote!(fn a(b: (C, C2)))), "C3");
    }
}
