//! The trait as the user wrote it, taken apart but not judged.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{
    Attribute, Block, FnArg, GenericArgument, Item, ItemTrait, Pat, PathArguments, ReturnType, Signature,
    TraitItem, TraitItemFn, Type, TypeParamBound, Visibility,
    parse::{ParseStream, Parser},
};

use crate::{
    attr::{self, MethodOptions, TraitOptions},
    diagnostics::Errors,
    names,
};

/// A trait under `#[rpc_trait]`.
pub(crate) struct Service {
    /// The trait without its members.
    pub(crate) item: ItemTrait,
    /// Its members, in order.
    pub(crate) members: Vec<Member>,
    pub(crate) options: TraitOptions,
}

/// A member of the trait.
pub(crate) enum Member {
    Method(Box<Method>),
    /// What an RPC trait cannot have: an associated type, a constant, a macro.
    Other(Box<TraitItem>),
}

/// A method of the trait.
pub(crate) struct Method {
    /// Its attributes without `#[rpc(…)]`.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) options: MethodOptions,
    pub(crate) sig: Signature,
    /// Its parameters after `&self`.
    pub(crate) inputs: Vec<Input>,
    pub(crate) form: Form,
    /// The type of its answer, unless it has none.
    pub(crate) answer: Option<Type>,
    pub(crate) default: Option<Block>,
    /// Whether it can be called over a network. Found out by `check`.
    pub(crate) sound: bool,
}

/// A parameter of a method.
pub(crate) struct Input {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
    pub(crate) role: Role,
}

/// What a parameter is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Crosses the wire.
    Argument,
    /// `parts: Streaming<T>`: crosses the wire item by item.
    Stream,
    /// `request_id: Uuid`: travels in the call's header.
    RequestId,
    /// `ctx: Context`: made by the server, unknown to the client.
    Context,
}

/// How a method says that it is asynchronous.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `async fn … -> T`.
    Async,
    /// `fn … -> impl Future<Output = T>`.
    Future,
    /// Not at all: `fn … -> T`, which only a method that blocks may be.
    Plain,
}

impl Service {
    /// Takes a trait apart. What is not a trait is refused and handed back as it was.
    pub(crate) fn parse(
        arguments: TokenStream,
        input: TokenStream,
        errors: &mut Errors,
    ) -> Result<Self, TokenStream> {
        let options = TraitOptions::parse(arguments, errors);
        let mut item = match syn::parse2::<Item>(input.clone()) {
            Ok(Item::Trait(item)) => item,
            Ok(other) => {
                refuse_item(&other, errors);
                return Err(input);
            }
            Err(error) => {
                errors.push(error);
                return Err(input);
            }
        };
        attr::refuse_rpc_on_the_trait(&mut item.attrs, errors);
        let members = std::mem::take(&mut item.items);
        let members = members.into_iter().map(|member| Member::parse(member, errors)).collect();
        Ok(Self { item, members, options })
    }

    /// The methods, sound or not.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.members.iter().filter_map(|member| match member {
            Member::Method(method) => Some(&**method),
            Member::Other(_) => None,
        })
    }

    /// The service's name on the wire.
    pub(crate) fn wire_name(&self) -> String {
        self.options.name.as_ref().map_or_else(|| names::plain(&self.item.ident), syn::LitStr::value)
    }
}

fn refuse_item(item: &Item, errors: &mut Errors) {
    const MESSAGE: &str =
        "`#[rpc_trait]` goes on a trait: declare the methods in one, and implement it for the type";
    match item {
        Item::Struct(item) => errors.at(item.struct_token, MESSAGE),
        Item::Enum(item) => errors.at(item.enum_token, MESSAGE),
        Item::Union(item) => errors.at(item.union_token, MESSAGE),
        Item::Impl(item) => errors.at(item.impl_token, MESSAGE),
        Item::Fn(item) => errors.at(item.sig.fn_token, MESSAGE),
        Item::Mod(item) => errors.at(item.mod_token, MESSAGE),
        other => errors.at(other, MESSAGE),
    }
}

impl Member {
    fn parse(item: TraitItem, errors: &mut Errors) -> Self {
        match item {
            TraitItem::Fn(item) => Self::Method(Box::new(Method::parse(item, errors))),
            TraitItem::Verbatim(tokens) => match without_visibility.parse2(tokens.clone()) {
                Ok((visibility, item)) => {
                    errors.at(visibility, "a method is as visible as its trait: remove this");
                    Self::parse(item, errors)
                }
                Err(_) => Self::Other(Box::new(TraitItem::Verbatim(tokens))),
            },
            other => Self::Other(Box::new(other)),
        }
    }
}

/// A member that begins with `pub`, which syn does not take apart.
fn without_visibility(input: ParseStream<'_>) -> syn::Result<(Visibility, TraitItem)> {
    let attrs = input.call(Attribute::parse_outer)?;
    let visibility = input.parse()?;
    let mut item = input.parse()?;
    match (&visibility, &mut item) {
        (Visibility::Inherited, _) => Err(input.error("not a visibility")),
        (_, TraitItem::Fn(method)) => {
            method.attrs = attrs;
            Ok((visibility, item))
        }
        _ => Ok((visibility, item)),
    }
}

impl Method {
    fn parse(item: TraitItemFn, errors: &mut Errors) -> Self {
        let TraitItemFn { mut attrs, sig, default, .. } = item;
        attr::refuse_conditional_rpc(&mut attrs, errors);
        let options = MethodOptions::take(&mut attrs, errors);
        let inputs = sig.inputs.iter().filter_map(Input::parse).collect();
        let (form, answer) = answer(&sig);
        Self { attrs, options, sig, inputs, form, answer, default, sound: true }
    }

    /// The method's name on the wire.
    pub(crate) fn wire_name(&self) -> String {
        self.options.rename.as_ref().map_or_else(|| names::plain(&self.sig.ident), syn::LitStr::value)
    }

    /// The parameter with this role.
    pub(crate) fn input(&self, role: Role) -> Option<&Input> {
        self.inputs.iter().find(|input| input.role == role)
    }

    /// The parameters that cross the wire as values.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Input> {
        self.inputs.iter().filter(|input| input.role == Role::Argument)
    }

    /// The parameter that is a stream, and the type of its items.
    pub(crate) fn taken_stream(&self) -> Option<(&Input, &Type)> {
        let input = self.input(Role::Stream)?;
        Some((input, stream_item(&input.ty)?))
    }

    /// The type of the items of an answer that is written `Result<Streaming<T>, …>`, or so through an alias.
    pub(crate) fn returned_stream(&self) -> Option<&Type> {
        stream_item(first_argument(self.answer.as_ref()?)?)
    }

    /// Whether it has a stream in one direction at least.
    pub(crate) fn is_streaming(&self) -> bool {
        self.taken_stream().is_some() || self.returned_stream().is_some()
    }

    /// Whether a repeated call is recognised.
    pub(crate) fn is_keyed(&self) -> bool {
        self.options.keyed.is_some() || self.input(Role::RequestId).is_some()
    }

    /// The `T` and `E` of an answer that is written `Result<T, E>`.
    pub(crate) fn result(&self) -> Option<(&Type, &Type)> {
        let Some(Type::Path(path)) = &self.answer else { return None };
        let last = path.path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        let mut arguments = arguments.args.iter();
        match (last.ident == "Result", arguments.next(), arguments.next(), arguments.next()) {
            (true, Some(GenericArgument::Type(ok)), Some(GenericArgument::Type(error)), None) => {
                Some((ok, error))
            }
            _ => None,
        }
    }

    /// The attributes that decide whether the method exists.
    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        cfgs(&self.attrs)
    }
}

/// The `T` of a type that is written `Streaming<T>`.
pub(crate) fn stream_item(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().filter(|last| last.ident == "Streaming")?;
    first_argument(ty)
}

/// The `T` of `Anything<T, …>`.
fn first_argument(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// The types after `T` in `Anything<T, …>`.
pub(crate) fn later_arguments(ty: &Type) -> impl Iterator<Item = &Type> {
    let arguments = match ty {
        Type::Path(path) => path.path.segments.last().map(|last| &last.arguments),
        _ => None,
    };
    let arguments = arguments.into_iter().filter_map(|arguments| match arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    });
    arguments.flatten().skip(1).filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The attributes that decide whether an item exists.
pub(crate) fn cfgs(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| is_or_applies(attr, &["cfg"]))
}

/// The attributes that are about the item in whatever form: whether it exists, what it is, whether to use it.
pub(crate) fn carried(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| is_or_applies(attr, &["cfg", "doc", "deprecated", "allow"]))
}

fn is_or_applies(attr: &Attribute, words: &[&str]) -> bool {
    let conditional = attr.path().is_ident("cfg_attr");
    words.iter().any(|word| attr.path().is_ident(word) || conditional && attr::applies(attr, word))
}

/// What a method answers, and how.
fn answer(sig: &Signature) -> (Form, Option<Type>) {
    let output = match &sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(&**ty),
    };
    if sig.asyncness.is_some() {
        return (Form::Async, output.cloned());
    }
    match output.and_then(future_output) {
        Some(ty) => (Form::Future, Some(ty.clone())),
        None => (Form::Plain, output.cloned()),
    }
}

/// The `T` of `impl Future<Output = T>`.
fn future_output(ty: &Type) -> Option<&Type> {
    let Type::ImplTrait(future) = ty else { return None };
    future.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(&assoc.ty),
            _ => None,
        })
    })
}

impl Input {
    fn parse(argument: &FnArg) -> Option<Self> {
        let FnArg::Typed(typed) = argument else { return None };
        let (pat, ty) = ((*typed.pat).clone(), (*typed.ty).clone());
        let role = match &pat {
            Pat::Ident(pat) => role(&pat.ident, &ty),
            _ => Role::Argument,
        };
        Some(Self { attrs: typed.attrs.clone(), pat, ty, role })
    }

    /// The parameter's name, unless it is a pattern.
    pub(crate) fn ident(&self) -> Option<&Ident> {
        match &self.pat {
            Pat::Ident(pat) => Some(&pat.ident),
            _ => None,
        }
    }
}

/// A request id is known by its name, so that a wrong type is a mistake and not an argument. A context is known by its
/// name and type together: `ctx` is a name that people give to things of their own.
fn role(ident: &Ident, ty: &Type) -> Role {
    match names::plain(ident).as_str() {
        "request_id" => Role::RequestId,
        "ctx" | "_ctx" if last_segment_is(ty, "Context") => Role::Context,
        _ if stream_item(ty).is_some() => Role::Stream,
        _ => Role::Argument,
    }
}

/// Whether a type is a path that ends in this name, without arguments.
pub(crate) fn last_segment_is(ty: &Type, name: &str) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == name && last.arguments.is_none())
}

impl ToTokens for Input {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (pat, ty) = (&self.pat, &self.ty);
        quote::quote!(#pat: #ty).to_tokens(tokens);
    }
}
