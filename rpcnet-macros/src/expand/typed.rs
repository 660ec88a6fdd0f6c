//! The types of each method, stated once: see `rpcnet::private::Method`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};

use super::{Plan, about, elements, tuple};
use crate::{ast::Method, names};

impl Plan<'_> {
    /// One function a method, which client and server call. A function, since a constant cannot be generic.
    pub(super) fn typed_methods(&self) -> TokenStream {
        let private = &self.private;
        let mut generics = self.generics.clone();
        self.bound_to_wire(&mut generics);
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        let methods = self.methods().map(|method| {
            let (cfgs, ident) = (method.cfgs(), &method.sig.ident);
            let (descriptor, typed) = (names::descriptor(ident), names::typed(ident));
            let (types, (ok, err)) = (argument_types(method), self.answer(method));
            let each = elements(types.clone());
            let (types, arguments) = (tuple(types), format_ident!("arguments_{}", each.len()));
            let stated = self.where_alias(method, quote!(#private::Method<#types, #ok, #err>));
            let answer = self.where_alias(method, quote!(#private::answer::<#ok, #err>()));
            quote! {
                #(#cfgs)*
                fn #typed #impl_generics() -> #stated #where_clause {
                    #private::Method::new(&#descriptor, #private::#arguments::<#(#each),*>(), #answer)
                }
            }
        });
        quote!(#(#methods)*)
    }

    /// The method with its types, where client or server needs it.
    pub(super) fn typed_method(&self, method: &Method) -> TokenStream {
        let (typed, params) = (names::typed(&method.sig.ident), self.generic_arguments());
        self.where_alias(method, quote!(#typed::<#(#params),*>()))
    }

    /// What a call answers.
    pub(super) fn call_result(&self, method: &Method) -> TokenStream {
        let (private, (ok, err)) = (&self.private, self.answer(method));
        self.where_alias(method, quote!(#private::Result<#ok, #private::CallError<#err>>))
    }

    /// An answer as a plain `Result`, which it is already where it is written so.
    pub(super) fn plain_result(&self, method: &Method, answer: TokenStream) -> TokenStream {
        if method.result().is_some() {
            return answer;
        }
        let (private, ty) = (&self.private, &method.answer);
        let into_result = self.where_alias(method, quote!(<#ty as #private::Reply>::into_result));
        quote!(#into_result(#answer))
    }

    /// The two sides of an answer: as written, or a projection through whatever alias it is.
    fn answer(&self, method: &Method) -> (TokenStream, TokenStream) {
        if let Some((ok, err)) = method.result() {
            return (ok.to_token_stream(), err.to_token_stream());
        }
        let (private, ty) = (&self.private, &method.answer);
        (quote!(<#ty as #private::Reply>::Ok), quote!(<#ty as #private::Reply>::Err))
    }

    /// Code that stands or falls with a type being an alias of `Result`.
    fn where_alias(&self, method: &Method, code: TokenStream) -> TokenStream {
        match method.result() {
            Some(_) => code,
            None => about(&method.answer.to_token_stream(), code),
        }
    }
}

/// The types of the arguments that cross the wire.
fn argument_types(method: &Method) -> Vec<TokenStream> {
    method.arguments().map(|input| input.ty.to_token_stream()).collect()
}
