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
            let (types, arguments) = self.arguments(method);
            let (ok, err) = self.answer(method);
            let stated = self.where_alias(method, quote!(#private::Method<#types, #ok, #err>));
            let answer = self.where_alias(method, self.answer_evidence(method));
            quote! {
                #(#cfgs)*
                fn #typed #impl_generics() -> #stated #where_clause {
                    #private::Method::new(&#descriptor, #arguments, #answer)
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

    /// The arguments as one type, and the evidence that they can cross the network.
    fn arguments(&self, method: &Method) -> (TokenStream, TokenStream) {
        let private = &self.private;
        let types: Vec<_> = method.arguments().map(|input| input.ty.to_token_stream()).collect();
        let each = elements(types.clone());
        let types = tuple(types);
        match method.taken_stream() {
            None => {
                let arguments = format_ident!("arguments_{}", each.len());
                (types, quote!(#private::#arguments::<#(#each),*>()))
            }
            Some((_, item)) => {
                let upload = format_ident!("upload_{}", each.len());
                let evidence = quote!(#private::#upload::<#(#each,)* #item>());
                (quote!((#types, #private::Streaming<#item>)), evidence)
            }
        }
    }

    /// The evidence that an answer can cross the network.
    fn answer_evidence(&self, method: &Method) -> TokenStream {
        let (private, ty) = (&self.private, &method.answer);
        match (method.returned_stream(), method.result()) {
            (None, _) => {
                let (ok, err) = self.answer(method);
                quote!(#private::answer::<#ok, #err>())
            }
            (Some(item), Some((_, err))) => quote!(#private::answer_stream::<#item, #err>()),
            (Some(_), None) => quote! {
                #private::answer_stream::<<#ty as #private::StreamReply>::Item, <#ty as #private::StreamReply>::Err>()
            },
        }
    }

    /// An answer as a plain `Result`, which it is already where it is written so.
    pub(super) fn plain_result(&self, method: &Method, answer: TokenStream) -> TokenStream {
        if method.result().is_some() {
            return answer;
        }
        let (private, ty, reply) = (&self.private, &method.answer, reply_trait(method));
        let into_result = self.where_alias(method, quote!(<#ty as #private::#reply>::into_result));
        quote!(#into_result(#answer))
    }

    /// The two sides of an answer: as written, or a projection through whatever alias it is.
    fn answer(&self, method: &Method) -> (TokenStream, TokenStream) {
        if let Some((ok, err)) = method.result() {
            return (ok.to_token_stream(), err.to_token_stream());
        }
        let (private, ty, reply) = (&self.private, &method.answer, reply_trait(method));
        let ok = match method.returned_stream() {
            None => quote!(<#ty as #private::#reply>::Ok),
            Some(_) => quote!(#private::Streaming<<#ty as #private::#reply>::Item>),
        };
        (ok, quote!(<#ty as #private::#reply>::Err))
    }

    /// Code that stands or falls with a type being an alias of `Result`.
    fn where_alias(&self, method: &Method, code: TokenStream) -> TokenStream {
        match method.result() {
            Some(_) => code,
            None => about(&method.answer.to_token_stream(), code),
        }
    }
}

/// What asks an alias for the sides of the `Result` it is.
fn reply_trait(method: &Method) -> TokenStream {
    if method.returned_stream().is_some() { quote!(StreamReply) } else { quote!(Reply) }
}
