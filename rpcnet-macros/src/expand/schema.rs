//! The implementation that the `Schema` derive writes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use super::local;
use crate::{
    names,
    schema::{bounds, text::Text},
};

/// The implementation of `Schema` for a type, which writes this text.
pub(crate) fn implementation(input: &DeriveInput, private: &TokenStream, text: &Text) -> TokenStream {
    let (ident, name) = (&input.ident, names::plain(&input.ident));
    let generics = bounds::bounded(&input.generics, text.types(), private);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let to = local("to");
    let inside = text.calls(private, &to);
    quote! {
        #[automatically_derived]
        #[allow(
            deprecated, unused_qualifications, clippy::all, clippy::pedantic,
            reason = "generated: these are about what a person writes"
        )]
        impl #impl_generics #private::Schema for #ident #type_generics #where_clause {
            fn describe(#to: &mut #private::Describer) {
                if #private::Describer::name::<Self>(#to, #name) {
                    #inside
                }
            }
        }
    }
}
