//! From a judged trait to the code that stands in its place.

mod client;
pub(crate) mod schema;
mod server;
mod service;
mod typed;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, GenericParam, Generics, WherePredicate, parse_quote};

use crate::{
    ast::{self, Method, Service},
    check,
    diagnostics::Errors,
    names,
};

/// Everything `#[rpc_trait]` does.
pub(crate) fn rpc_trait(arguments: TokenStream, input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let expansion = match Service::parse(arguments, input, &mut errors) {
        Ok(mut service) => {
            check::check(&mut service, &mut errors);
            Plan::new(&service, errors.is_empty()).expand()
        }
        Err(item) => item,
    };
    let errors = errors.to_compile_errors();
    quote!(#expansion #errors)
}

/// What the three parts of the expansion agree on.
struct Plan<'s> {
    service: &'s Service,
    /// Whether nothing was refused. Otherwise the items are there, so that their users compile, and serve nothing.
    sound: bool,
    /// `::rpcnet::private`, wherever the user has it.
    private: TokenStream,
    client: Ident,
    server: Ident,
    /// The type parameter for the client's caller.
    caller: Ident,
    /// The type parameter for the server's implementation of the trait.
    state: Ident,
    /// The trait's generics as far as the client and the server share them.
    generics: Generics,
}

impl<'s> Plan<'s> {
    fn new(service: &'s Service, sound: bool) -> Self {
        let item = &service.item;
        let krate = service.options.krate.as_ref().map_or(quote!(::rpcnet), ToTokens::to_token_stream);
        let words = words(service);
        Self {
            service,
            sound,
            private: quote!(#krate::private),
            client: names::beside(&item.ident, "Client"),
            server: names::beside(&item.ident, "Server"),
            caller: names::fresh("C", &words),
            state: names::fresh("S", &words),
            generics: shared(&item.generics),
        }
    }

    fn expand(&self) -> TokenStream {
        let item = self.trait_item();
        let client = self.client_struct();
        let server = self.server_struct();
        let implementation =
            [self.descriptors(), self.typed_methods(), self.client_impls(), self.server_impls()];
        let cfgs = ast::cfgs(&self.service.item.attrs);
        quote! {
            #item
            #client
            #server
            #(#cfgs)*
            #[allow(
                deprecated, non_upper_case_globals, clippy::all, clippy::pedantic,
                reason = "generated: these are about what a person writes"
            )]
            const _: () = { #(#implementation)* };
        }
    }

    /// The methods that can be called.
    fn methods(&self) -> impl Iterator<Item = &'s Method> {
        self.service.methods().filter(|method| method.sound)
    }

    /// What is said of the trait that is as true of the items generated from it.
    fn carried(&self) -> impl Iterator<Item = &'s Attribute> {
        ast::carried(&self.service.item.attrs)
    }

    /// What parts our words from the trait's own, where it has any.
    fn blank_doc_line(&self) -> Option<TokenStream> {
        self.carried().any(|attr| attr.path().is_ident("doc")).then(|| quote!(#[doc = ""]))
    }

    /// The generics with one more parameter in front: `S` has no default, and the trait's may.
    fn generics_after(&self, first: GenericParam) -> Generics {
        let mut generics = self.generics.clone();
        generics.params.insert(0, first);
        generics
    }

    /// The generics with one more parameter at the end: `C` has a default, and the trait's may not.
    fn generics_before(&self, last: GenericParam) -> Generics {
        let mut generics = self.generics.clone();
        generics.params.push(last);
        generics
    }

    /// Adds that every type parameter of the trait can cross the network, as serde's derive would.
    fn bound_to_wire(&self, generics: &mut Generics) {
        let private = &self.private;
        let params: Vec<_> = self.generics.type_params().map(|param| param.ident.clone()).collect();
        for param in params {
            generics.make_where_clause().predicates.push(parse_quote!(#param: #private::Wire));
        }
    }

    /// The names of the trait's parameters.
    fn generic_arguments(&self) -> Vec<&Ident> {
        let params = self.generics.params.iter();
        params
            .filter_map(|param| match param {
                GenericParam::Type(param) => Some(&param.ident),
                GenericParam::Const(param) => Some(&param.ident),
                GenericParam::Lifetime(_) => None,
            })
            .collect()
    }

    /// The field that holds the trait's type parameters, where there are any, and its value.
    fn phantom(&self) -> Option<(TokenStream, TokenStream)> {
        let private = &self.private;
        let types: Vec<_> = self.generics.type_params().map(|param| &param.ident).collect();
        // A function type is `Send` and `Sync` whatever its types are.
        let field = quote!(types: #private::PhantomData<fn() -> (#(#types,)*)>);
        (!types.is_empty()).then(|| (field, quote!(types: #private::PhantomData)))
    }
}

/// A local of generated code that no name of the user can clash with.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The arguments of a method as one value, or as the pattern that takes it apart.
fn arguments(method: &Method) -> TokenStream {
    let values = tuple(method.arguments().map(|input| input.ident().to_token_stream()).collect());
    match method.taken_stream() {
        None => values,
        Some((stream, _)) => {
            let stream = stream.ident();
            quote!((#values, #stream))
        }
    }
}

/// Arguments as one value, type or pattern.
fn tuple(arguments: Vec<TokenStream>) -> TokenStream {
    let elements = elements(arguments);
    quote!((#(#elements,)*))
}

/// What the tuple of these arguments consists of: serde has tuples of up to 16, so that more are a tuple of tuples.
fn elements(arguments: Vec<TokenStream>) -> Vec<TokenStream> {
    const TUPLE_MAX: usize = 16;
    if arguments.len() <= TUPLE_MAX {
        return arguments;
    }
    elements(arguments.chunks(TUPLE_MAX).map(|chunk| quote!((#(#chunk,)*))).collect())
}

/// Code about a user's type, moved to where the type is: what the compiler finds fault with there, it underlines there,
/// and what it finds a second time in the same place, it does not repeat.
fn about(ty: &TokenStream, code: TokenStream) -> TokenStream {
    let mut tokens = ty.clone().into_iter();
    let first = tokens.next().map_or_else(Span::call_site, |token| token.span());
    let last = tokens.last().map_or(first, |token| token.span());
    let mut code: Vec<_> = respan(code, first).collect();
    if let Some(end) = code.last_mut() {
        end.set_span(last);
    }
    code.into_iter().collect()
}

/// These tokens at another place.
fn respan(tokens: TokenStream, span: Span) -> impl Iterator<Item = TokenTree> {
    tokens.into_iter().map(move |mut token| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), respan(group.stream(), span).collect()).into();
        }
        token.set_span(span);
        token
    })
}

/// Every word of the trait.
fn words(service: &Service) -> TokenStream {
    let mut words = service.item.to_token_stream();
    for method in service.methods() {
        method.sig.to_tokens(&mut words);
    }
    words
}

/// What of a trait's generics its client and server have too: not its lifetimes, which are refused, and not what is
/// said of `Self`, which is somebody else there.
fn shared(generics: &Generics) -> Generics {
    let params = generics.params.iter().filter(|param| !matches!(param, GenericParam::Lifetime(_)));
    let mut shared = Generics { params: params.cloned().collect(), ..Generics::default() };
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let of_types = predicates.filter(|predicate| {
        matches!(predicate, WherePredicate::Type(_)) && !names::mentions(&predicate.to_token_stream(), "Self")
    });
    for predicate in of_types {
        shared.make_where_clause().predicates.push(predicate.clone());
    }
    shared
}
