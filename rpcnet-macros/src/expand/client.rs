//! `XClient`: each method is a call.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use super::{Plan, arguments, local};
use crate::{
    ast::{self, Input, Method, Role},
    check, names,
};

impl Plan<'_> {
    pub(super) fn client_struct(&self) -> TokenStream {
        let (private, caller, client) = (&self.private, &self.caller, &self.client);
        let generics = self.generics_before(parse_quote!(#caller = #private::Channel));
        let where_clause = &generics.where_clause;
        let (vis, carried) = (&self.service.item.vis, self.carried());
        let docs = format!(" A client of [`{}`]: each method is a call.", self.service.item.ident);
        let (blank, phantom) = (self.blank_doc_line(), self.phantom().map(|(field, _)| field));
        quote! {
            #[doc = #docs]
            ///
            /// Cheap to clone. Generic over what carries the calls: one connection, or a whole cluster.
            #blank
            #(#carried)*
            #[allow(dead_code, reason = "generated: a crate may only serve")]
            #vis struct #client #generics #where_clause {
                stub: #private::Stub<#caller>,
                #phantom
            }
        }
    }

    pub(super) fn client_impls(&self) -> TokenStream {
        let (connect, in_process, traits) =
            (self.client_connect(), self.client_local(), self.client_traits());
        let (private, caller, client, vis) =
            (&self.private, &self.caller, &self.client, &self.service.item.vis);
        let mut generics = self.generics_before(parse_quote!(#caller: #private::Caller));
        self.bound_to_wire(&mut generics);
        let (impl_generics, args, where_clause) = generics.split_for_impl();
        let cfgs = ast::cfgs(&self.service.item.attrs);
        let phantom = self.phantom().map(|(_, value)| value);
        let methods = self.service.methods().filter_map(|method| match method.sound {
            true => Some(self.client_method(method)),
            false => self.refused_client_method(method),
        });
        quote! {
            #connect

            #in_process

            #(#cfgs)*
            #[allow(dead_code, reason = "generated: a crate may only serve, or call only some")]
            impl #impl_generics #client #args #where_clause {
                /// A client whose calls `caller` carries.
                #[must_use]
                #vis fn new(caller: #caller) -> Self {
                    Self { stub: #private::Stub::new(caller), #phantom }
                }

                /// The same client with other options: what `options` sets overrides what was set before.
                #[must_use]
                #vis fn with(&self, options: #private::CallOptions) -> Self {
                    Self { stub: #private::Stub::with(&self.stub, options), #phantom }
                }

                #(#methods)*
            }

            #traits
        }
    }

    fn client_connect(&self) -> TokenStream {
        let (private, client, vis) = (&self.private, &self.client, &self.service.item.vis);
        let (impl_generics, _, _) = self.generics.split_for_impl();
        let mut generics = self.generics.clone();
        self.bound_to_wire(&mut generics);
        let where_clause = generics.where_clause;
        let params = self.generic_arguments();
        quote! {
            #[allow(dead_code, reason = "generated: a crate may only serve")]
            impl #impl_generics #client<#(#params,)* #private::Channel> #where_clause {
                /// A client of the one server at this address.
                ///
                /// # Errors
                ///
                /// When the address is none, or no connection to it can be made.
                #vis async fn connect(
                    address: impl #private::Into<#private::Address>,
                ) -> #private::Result<Self, #private::ConnectError> {
                    let channel = #private::Channel::connect(address).await?;
                    #private::Result::Ok(Self::new(channel))
                }
            }
        }
    }

    fn client_local(&self) -> TokenStream {
        let (private, client, server, state) = (&self.private, &self.client, &self.server, &self.state);
        let vis = &self.service.item.vis;
        let (impl_generics, _, _) = self.generics.split_for_impl();
        let mut generics = self.generics.clone();
        self.bound_to_wire(&mut generics);
        let where_clause = generics.where_clause;
        let (params, state_param, service) = (self.generic_arguments(), self.state_param(), local("service"));
        quote! {
            #[allow(dead_code, reason = "generated: a crate may only call over a network")]
            impl #impl_generics #client<#(#params,)* #private::Local> #where_clause {
                /// A client of an implementation in this process, without a network.
                #[must_use]
                #vis fn local<#state_param>(#service: #state) -> Self {
                    Self::new(#private::local(#server::<#state, #(#params),*>::new(#service)))
                }
            }
        }
    }

    /// By hand: a derive would ask the trait's type parameters to be `Clone` and `Debug` too.
    fn client_traits(&self) -> TokenStream {
        let (private, caller, client) = (&self.private, &self.caller, &self.client);
        let phantom = self.phantom().map(|(_, value)| value);
        let generics = self.generics_before(parse_quote!(#caller: #private::Clone));
        let (clone_generics, args, where_clause) = generics.split_for_impl();
        let debug_generics = self.generics_before(parse_quote!(#caller: #private::Debug));
        let (debug_generics, _, _) = debug_generics.split_for_impl();
        let name = client.to_string();
        quote! {
            impl #clone_generics #private::Clone for #client #args #where_clause {
                fn clone(&self) -> Self {
                    Self { stub: #private::Clone::clone(&self.stub), #phantom }
                }
            }

            impl #debug_generics #private::Debug for #client #args #where_clause {
                fn fmt(&self, f: &mut #private::Formatter<'_>) -> #private::fmt::Result {
                    #private::debug_client(f, #name, &self.stub)
                }
            }
        }
    }

    fn client_method(&self, method: &Method) -> TokenStream {
        let (private, vis, ident) = (&self.private, &self.service.item.vis, &method.sig.ident);
        let (carried, docs) = (ast::carried(&method.attrs), self.default_docs(method));
        let inputs = client_inputs(method).map(|(ident, ty)| quote!(#ident: #ty));
        let (arguments, request_id) = (arguments(method), self.request_id(method));
        let (typed, result) = (self.typed_method(method), self.call_result(method));
        let begun = if method.is_streaming() {
            quote!(#private::Stub::streaming(&self.stub, #typed, #arguments))
        } else {
            quote!(#private::Stub::unary(&self.stub, #typed, #request_id, #arguments))
        };
        let call = local("call");
        quote! {
            #(#carried)*
            #docs
            #vis async fn #ident(&self, #(#inputs),*) -> #result {
                let #call = #begun;
                #call.await
            }
        }
    }

    /// The id of a call that may be a repeat: what the caller gives, or a new one.
    fn request_id(&self, method: &Method) -> TokenStream {
        let private = &self.private;
        match method.input(Role::RequestId).and_then(Input::ident) {
            Some(request_id) => quote!(#private::Option::Some(#request_id)),
            None if method.is_keyed() => quote!(#private::Option::Some(#private::new_request_id())),
            None => quote!(#private::Option::None),
        }
    }

    /// A refused method, as far as it makes sense, so that its callers get no error of their own.
    fn refused_client_method(&self, method: &Method) -> Option<TokenStream> {
        let (private, vis, ident) = (&self.private, &self.service.item.vis, &method.sig.ident);
        let (ok, err) = method.result()?;
        let inputs: Vec<_> = client_inputs(method).map(|(ident, ty)| quote!(#ident: #ty)).collect();
        let types = quote!(#(#inputs,)* #ok, #err);
        let unknown = ["Self", "impl"].iter().any(|word| names::mentions(&types, word));
        let hidden = self.service.item.generics.lifetimes().next().is_some();
        if check::RESERVED.contains(&names::plain(ident).as_str()) || unknown || hidden {
            return None;
        }
        let (cfgs, generics, where_clause) =
            (method.cfgs(), &method.sig.generics, &method.sig.generics.where_clause);
        Some(quote! {
            #(#cfgs)*
            #[allow(unused_variables, reason = "refused, with an error that says why")]
            #vis async fn #ident #generics(&self, #(#inputs),*) -> #private::Result<#ok, #private::CallError<#err>>
            #where_clause
            {
                #private::refused()
            }
        })
    }

    /// What is said of a method that its trait says nothing about.
    fn default_docs(&self, method: &Method) -> Option<TokenStream> {
        let documented = ast::carried(&method.attrs).any(|attr| attr.path().is_ident("doc"));
        let docs = format!(" Calls [`{0}::{1}`].", self.service.item.ident, method.sig.ident);
        (!documented).then(|| quote!(#[doc = #docs]))
    }
}

/// The parameters of a client's method: those of the trait's without the context.
fn client_inputs(method: &Method) -> impl Iterator<Item = (&syn::Ident, &syn::Type)> {
    let inputs = method.inputs.iter().filter(|input| input.role != Role::Context);
    inputs.filter_map(|input| Some((input.ident()?, &input.ty)))
}
