//! The user's trait, and the description of the service.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Expr, ExprLit, FnArg, Lit, Meta, Pat, Signature, Type, TypeParamBound, parse_quote};

use super::Plan;
use crate::{
    ast::{Form, Member, Method, Role},
    names,
};

impl Plan<'_> {
    /// The trait as written, with futures that are `Send`.
    pub(super) fn trait_item(&self) -> TokenStream {
        let private = &self.private;
        let item = &self.service.item;
        let (attrs, vis, unsafety, ident) = (&item.attrs, &item.vis, &item.unsafety, &item.ident);
        let (generics, where_clause) = (&item.generics, &item.generics.where_clause);
        let supertraits = item.supertraits.iter();
        let members = self.service.members.iter().map(|member| match member {
            Member::Method(method) if method.sound => self.trait_method(method),
            Member::Method(method) => refused_method(method),
            Member::Other(item) => item.to_token_stream(),
        });
        quote! {
            #(#attrs)*
            #vis #unsafety trait #ident #generics: #(#supertraits +)* #private::Send + #private::Sync + 'static
            #where_clause
            {
                #(#members)*
            }
        }
    }

    fn trait_method(&self, method: &Method) -> TokenStream {
        let private = &self.private;
        let (attrs, ident, inputs) = (&method.attrs, &method.sig.ident, &method.sig.inputs);
        let output = match method.form {
            Form::Async => {
                let answer = &method.answer;
                quote!(impl #private::Future<Output = #answer> + #private::Send)
            }
            Form::Future | Form::Plain => self.with_send(&method.sig.output),
        };
        let body = match (&method.default, method.form) {
            (None, _) => quote!(;),
            (Some(block), Form::Async) => quote!({ async move #block }),
            (Some(block), _) => block.to_token_stream(),
        };
        quote!(#(#attrs)* fn #ident(#inputs) -> #output #body)
    }

    /// `impl Future<…> + Send` of what may be written without the `Send`.
    fn with_send(&self, output: &syn::ReturnType) -> TokenStream {
        let syn::ReturnType::Type(_, ty) = output else { return quote!(()) };
        let mut ty = ty.clone();
        if let Type::ImplTrait(future) = &mut *ty {
            let private = &self.private;
            let is_send = |bound: &TypeParamBound| match bound {
                TypeParamBound::Trait(bound) => {
                    bound.path.segments.last().is_some_and(|last| last.ident == "Send")
                }
                _ => false,
            };
            if !future.bounds.iter().any(is_send) {
                future.bounds.push(parse_quote!(#private::Send));
            }
        }
        ty.into_token_stream()
    }

    /// One constant a method, and the service that lists them.
    pub(super) fn descriptors(&self) -> TokenStream {
        let private = &self.private;
        let methods = self.methods().map(|method| self.method_descriptor(method));
        let listed = self.methods().map(|method| {
            let (cfgs, descriptor) = (method.cfgs(), names::descriptor(&method.sig.ident));
            quote!(#(#cfgs)* #descriptor)
        });
        let (name, docs) = (self.service.wire_name(), docs(&self.service.item.attrs));
        quote! {
            #(#methods)*
            static __RPCNET_SERVICE: #private::ServiceDescriptor =
                #private::ServiceDescriptor::new(#name, &[#(#listed),*], #docs);
        }
    }

    fn method_descriptor(&self, method: &Method) -> TokenStream {
        let private = &self.private;
        let (cfgs, descriptor) = (method.cfgs(), names::descriptor(&method.sig.ident));
        let name = method.wire_name();
        let path = format!("{}/{name}", self.service.wire_name());
        let idempotency = match (method.input(Role::RequestId), &method.options.idempotent) {
            (Some(_), _) => Some(quote!(.idempotency(#private::Idempotency::Keyed))),
            (None, Some(_)) => Some(quote!(.idempotency(#private::Idempotency::Idempotent))),
            (None, None) => None,
        };
        let arguments: Vec<_> = method
            .arguments()
            .map(|input| {
                let name = input.ident().map(names::plain).unwrap_or_default();
                let ty = names::type_text(input.ty.to_token_stream());
                quote!((#name, #ty))
            })
            .collect();
        let arguments = (!arguments.is_empty()).then(|| quote!(.arguments(&[#(#arguments),*])));
        let answer = names::type_text(method.answer.to_token_stream());
        let docs = docs(&method.attrs);
        let docs = (!docs.is_empty()).then(|| quote!(.docs(#docs)));
        quote! {
            #(#cfgs)*
            const #descriptor: #private::MethodDescriptor = #private::MethodDescriptor::new(#name, #path)
                #idempotency #arguments .answer(#answer) #docs;
        }
    }
}

/// A method that was refused, as far as the compiler takes it: an `impl` that has it shall not fail for that.
fn refused_method(method: &Method) -> TokenStream {
    let mut sig = method.sig.clone();
    sig.constness = None;
    sig.variadic = None;
    if names::mentions(&sig.to_token_stream(), "Self") {
        sig.generics.make_where_clause().predicates.push(parse_quote!(Self: Sized));
    }
    if method.default.is_none() {
        name_patterns(&mut sig);
    }
    let attrs = &method.attrs;
    let body = method.default.as_ref().map_or(quote!(;), ToTokens::to_token_stream);
    quote! {
        #(#attrs)*
        #[allow(async_fn_in_trait, reason = "refused, with an error that says why")]
        #sig #body
    }
}

/// Gives every parameter a plain name: without a body there is nothing else it may have.
fn name_patterns(sig: &mut Signature) {
    for (number, input) in sig.inputs.iter_mut().enumerate() {
        let FnArg::Typed(input) = input else { continue };
        let name = match &*input.pat {
            Pat::Ident(pat) => pat.ident.clone(),
            _ => format_ident!("argument_{number}"),
        };
        input.pat = parse_quote!(#name);
    }
}

/// Doc comments as text.
fn docs(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if attr.path().is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<_> = lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect();
    lines.join("\n").trim().to_owned()
}
