//! The `Schema` derive: writes down how a type's values are encoded, as far as its definition shows.
//!
//! `options` reads `#[schema(…)]` and `serde` reads `#[serde(…)]`; `shape` turns the definition into a `text`; `bounds` says
//! what must hold of type parameters for it. `expand::schema` writes the implementation.

pub(crate) mod bounds;
mod options;
mod serde;
mod shape;
#[cfg(test)]
mod tests;
pub(crate) mod text;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput};

use crate::{diagnostics::Errors, expand};
use options::TypeOptions;
use text::Text;

/// Everything `#[derive(Schema)]` does.
pub(crate) fn schema(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let expansion = match syn::parse2::<DeriveInput>(input) {
        Ok(input) => expand(&input, &mut errors),
        Err(error) => {
            errors.push(error);
            TokenStream::new()
        }
    };
    let errors = errors.to_compile_errors();
    quote!(#expansion #errors)
}

/// The implementation. It is there for what was refused too, so that the users of the type compile.
fn expand(input: &DeriveInput, errors: &mut Errors) -> TokenStream {
    let options = TypeOptions::parse(&input.attrs, errors);
    let krate = options.krate.map_or(quote!(::rpcnet), ToTokens::into_token_stream);
    let private = quote!(#krate::private);
    let mut text = Text::default();
    if let Data::Union(union) = &input.data {
        errors.at(
            union.union_token,
            "a union has no schema, since nothing says which of its fields is encoded: use an `enum`",
        );
    } else {
        shape::write(input, &mut text, errors);
    }
    expand::schema::implementation(input, &private, &text)
}
