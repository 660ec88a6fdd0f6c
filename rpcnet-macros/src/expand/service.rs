//! The user's trait, and the description of the service.

use std::time::Duration;

use proc_macro2::{Literal, TokenStream};
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
            quote!(#(#cfgs)* &#descriptor)
        });
        let (name, docs) = (self.service.wire_name(), docs(&self.service.item.attrs));
        quote! {
            #[allow(unused_imports, reason = "generated: all types may have schemas")]
            use #private::Undescribed as _;
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
        let said = self.said_of(method);
        let arguments: Vec<_> = method
            .inputs
            .iter()
            .filter(|input| matches!(input.role, Role::Argument | Role::Stream))
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
        let schemas = self.schemas(method);
        quote! {
            #(#cfgs)*
            static #descriptor: #private::MethodDescriptor = #private::MethodDescriptor::new(#name, #path)
                #said #arguments .answer(#answer) #docs #schemas;
        }
    }

    /// What the types of a method consist of, as far as they say. A parameter of the trait is not known here, nor is what it
    /// is part of.
    fn schemas(&self, method: &Method) -> Option<TokenStream> {
        let private = &self.private;
        let arguments = method.arguments().map(|input| &input.ty);
        let taken = method.taken_stream().map(|(_, item)| item);
        let answer = match (method.returned_stream(), method.result()) {
            (Some(item), Some((_, err))) => vec![item, err],
            (None, Some((ok, err))) => vec![ok, err],
            (Some(item), None) => vec![item],
            (None, None) => method.answer.iter().collect(),
        };
        let params = self.generic_arguments();
        let known = |ty: &&Type| {
            let tokens = ty.to_token_stream();
            !params.iter().any(|param| names::mentions(&tokens, &param.to_string()))
        };
        let types: Vec<_> = arguments.chain(taken).chain(answer).filter(known).collect();
        (!types.is_empty()).then(|| quote!(.schemas(&[#(#private::Probe::<#types>::__RPCNET_SCHEMA),*])))
    }

    /// What a description says of a method besides its names and types, where that is not what is true of most.
    fn said_of(&self, method: &Method) -> TokenStream {
        let (private, options) = (&self.private, &method.options);
        let kind = match (method.taken_stream(), method.returned_stream()) {
            (None, None) => None,
            (None, Some(_)) => Some(quote!(ServerStreaming)),
            (Some(_), None) => Some(quote!(ClientStreaming)),
            (Some(_), Some(_)) => Some(quote!(Bidirectional)),
        };
        let kind = kind.map(|kind| quote!(.kind(#private::CallKind::#kind)));
        let idempotency = match (method.is_keyed(), &options.read, &options.idempotent) {
            (true, _, _) => Some(quote!(Keyed)),
            (false, Some(_), _) => Some(quote!(Read)),
            (false, None, Some(_)) => Some(quote!(Idempotent)),
            (false, None, None) => None,
        };
        let idempotency = idempotency.map(|it| quote!(.idempotency(#private::Idempotency::#it)));
        let timeout = options.timeout.map(|timeout| self.timeout(timeout));
        let aliases =
            options.aliases.iter().map(|alias| format!("{}/{}", self.service.wire_name(), alias.value()));
        let aliases: Vec<_> = aliases.collect();
        let aliases = (!aliases.is_empty()).then(|| quote!(.aliases(&[#(#aliases),*])));
        let reruns = options.on_unknown.is_some().then(|| quote!(.reruns()));
        let blocking = options.blocking.is_some().then(|| quote!(.blocking()));
        let no_cancel = options.no_cancel.is_some().then(|| quote!(.no_cancel()));
        let hedge = options.hedge.is_some().then(|| quote!(.hedge()));
        quote!(#kind #idempotency #reruns #timeout #aliases #blocking #no_cancel #hedge)
    }

    fn timeout(&self, timeout: Duration) -> TokenStream {
        let private = &self.private;
        // It was read from a whole number of microseconds.
        let micros = timeout.as_micros() as u64;
        let (made, number) = match (micros % 1_000_000, micros % 1_000) {
            (0, _) => (quote!(from_secs), micros / 1_000_000),
            (_, 0) => (quote!(from_millis), micros / 1_000),
            _ => (quote!(from_micros), micros),
        };
        let number = Literal::u64_unsuffixed(number);
        quote!(.timeout(#private::Duration::#made(#number)))
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
