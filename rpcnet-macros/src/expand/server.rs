//! `XServer`: an implementation of the trait, ready to be served.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse_quote;

use super::{Plan, arguments, local};
use crate::ast::{Method, Role};

impl Plan<'_> {
    pub(super) fn server_struct(&self) -> TokenStream {
        let (private, state, server) = (&self.private, &self.state, &self.server);
        let generics = self.generics_after(parse_quote!(#state));
        let where_clause = &generics.where_clause;
        let (vis, carried) = (&self.service.item.vis, self.carried());
        let docs = format!(" Serves an implementation of [`{}`].", self.service.item.ident);
        let (blank, phantom) = (self.blank_doc_line(), self.phantom().map(|(field, _)| field));
        quote! {
            #[doc = #docs]
            #blank
            #(#carried)*
            #[allow(dead_code, reason = "generated: a crate may only call")]
            #vis struct #server #generics #where_clause {
                service: #private::Arc<#state>,
                #phantom
            }
        }
    }

    pub(super) fn server_impls(&self) -> TokenStream {
        let (private, server, vis) = (&self.private, &self.server, &self.service.item.vis);
        let state = &self.state;
        let generics = self.generics_after(self.state_param());
        let (impl_generics, args, where_clause) = generics.split_for_impl();
        let phantom = self.phantom().map(|(_, value)| value);
        let (service, traits) = (self.service_impl(), self.server_traits());
        quote! {
            #[allow(dead_code, reason = "generated: a crate may only call")]
            impl #impl_generics #server #args #where_clause {
                /// Serves this implementation.
                #[must_use]
                #vis fn new(service: #state) -> Self {
                    Self::from_arc(#private::Arc::new(service))
                }

                /// Serves an implementation that is used elsewhere too.
                #[must_use]
                #vis fn from_arc(service: #private::Arc<#state>) -> Self {
                    Self { service, #phantom }
                }
            }

            #service
            #traits
        }
    }

    /// `S: Trait`. After an error the trait may not be one that anything implements, and `S` is whatever it is.
    pub(super) fn state_param(&self) -> syn::GenericParam {
        let (state, private) = (&self.state, &self.private);
        let (ident, (_, args, _)) = (&self.service.item.ident, self.generics.split_for_impl());
        if self.sound {
            parse_quote!(#state: #ident #args)
        } else {
            parse_quote!(#state: #private::Send + #private::Sync + 'static)
        }
    }

    fn service_impl(&self) -> TokenStream {
        let (private, server) = (&self.private, &self.server);
        let mut generics = self.generics_after(self.state_param());
        self.bound_to_wire(&mut generics);
        if !self.sound {
            generics.make_where_clause();
        }
        let (impl_generics, args, where_clause) = generics.split_for_impl();
        let (service, routes) = (local("service"), local("routes"));
        let methods = self.methods().filter(|_| self.sound).map(|method| self.route(method));
        quote! {
            impl #impl_generics #private::Service for #server #args #where_clause {
                fn descriptor(&self) -> &'static #private::ServiceDescriptor {
                    &__RPCNET_SERVICE
                }

                fn routes(self) -> #private::Routes {
                    let #service = self.service;
                    let #routes = #private::Routes::new(&__RPCNET_SERVICE);
                    #(#methods)*
                    #routes
                }
            }
        }
    }

    fn route(&self, method: &Method) -> TokenStream {
        let (private, state, cfgs) = (&self.private, &self.state, method.cfgs());
        let (ident, (_, args, _)) = (&self.service.item.ident, self.generics.split_for_impl());
        let (name, typed) = (&method.sig.ident, self.typed_method(method));
        let (service, routes, request_id) = (local("service"), local("routes"), local("request_id"));
        let takes_id = method.input(Role::RequestId).is_some();
        let context = if takes_id || method.input(Role::Context).is_some() { "context" } else { "_context" };
        let context = local(context);
        // Before the context is given away.
        let take_id = takes_id.then(|| quote!(let #request_id = #private::request_id(&#context);));
        let names = arguments(method);
        let passed = method.inputs.iter().map(|input| match input.role {
            Role::Argument | Role::Stream => input.ident().to_token_stream(),
            Role::RequestId => request_id.to_token_stream(),
            Role::Context => context.to_token_stream(),
        });
        let answer = quote!(<#state as #ident #args>::#name(&*#service, #(#passed),*));
        let (added, body) = if method.options.blocking.is_some() {
            let answer = self.plain_result(method, answer);
            (quote!(blocking), quote!({ #take_id #answer }))
        } else {
            let answer = self.plain_result(method, quote!(#answer.await));
            (quote!(method), quote!(async move { #take_id #answer }))
        };
        quote! {
            #(#cfgs)*
            let #routes = #private::Routes::#added(
                #routes,
                #typed,
                &#service,
                |#service, #context, #names| #body,
            );
        }
    }

    /// By hand: the service need be neither `Clone` nor `Debug`.
    fn server_traits(&self) -> TokenStream {
        let (private, server, state) = (&self.private, &self.server, &self.state);
        let generics = self.generics_after(parse_quote!(#state));
        let (impl_generics, args, where_clause) = generics.split_for_impl();
        let phantom = self.phantom().map(|(_, value)| value);
        let name = server.to_string();
        quote! {
            impl #impl_generics #private::Clone for #server #args #where_clause {
                fn clone(&self) -> Self {
                    Self { service: #private::Clone::clone(&self.service), #phantom }
                }
            }

            impl #impl_generics #private::Debug for #server #args #where_clause {
                fn fmt(&self, f: &mut #private::Formatter<'_>) -> #private::fmt::Result {
                    #private::debug_server(f, #name)
                }
            }
        }
    }
}
