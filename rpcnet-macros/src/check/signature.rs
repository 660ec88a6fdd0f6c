//! What a method's signature may be.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{GenericParam, Pat, ReceiverKind, Safety, Type};

use super::types;
use crate::{
    ast::{Form, Input, Method, Role, last_segment_is},
    diagnostics::Errors,
    names,
};

/// Judges a signature; an impossible one makes the method unsound.
pub(super) fn check(method: &mut Method, errors: &mut Errors) {
    let mut verdict = Verdict { sound: true, errors };
    check_qualifiers(method, &mut verdict);
    check_generics(method, &mut verdict);
    check_receiver(method, &mut verdict);
    check_inputs(method, &mut verdict);
    check_answer(method, &mut verdict);
    method.sound = verdict.sound;
}

/// Collects errors, each of which makes the signature impossible.
pub(super) struct Verdict<'e> {
    sound: bool,
    errors: &'e mut Errors,
}

impl Verdict<'_> {
    pub(super) fn refuse(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.sound = false;
        self.errors.at(tokens, message);
    }

    pub(super) fn refuse_at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.sound = false;
        self.errors.at_span(span, message);
    }
}

fn check_qualifiers(method: &Method, verdict: &mut Verdict<'_>) {
    let sig = &method.sig;
    if let Some(constness) = &sig.constness {
        verdict.refuse(constness, "an RPC method cannot be `const`: it runs in another process; remove this");
    }
    if let Safety::Unsafe(unsafety) = &sig.safety {
        verdict
            .refuse(unsafety, "an RPC method cannot be `unsafe`: a caller elsewhere cannot promise anything");
    }
    if let Some(abi) = &sig.abi {
        verdict.refuse(abi, "an RPC method has no ABI: calls arrive as messages; remove this");
    }
    if let Some(variadic) = &sig.variadic {
        verdict.refuse(variadic, "an RPC method has a fixed list of arguments: take a `Vec`");
    }
    if method.form == Form::Plain && method.options.blocking.is_none() {
        let message = "an RPC method is asynchronous: write `async fn`, or mark one that blocks its thread with \
                       `#[rpc(blocking)]`";
        verdict.refuse(sig.fn_token, message);
    }
}

fn check_generics(method: &Method, verdict: &mut Verdict<'_>) {
    for param in &method.sig.generics.params {
        match param {
            GenericParam::Lifetime(param) => {
                verdict.refuse(param, "an RPC method has no lifetimes: arguments cross the network and are owned");
            }
            GenericParam::Type(param) => verdict.refuse(
                &param.ident,
                "an RPC method cannot be generic: the server must know the type; name it, or make the trait generic",
            ),
            GenericParam::Const(param) => verdict.refuse(
                &param.ident,
                "an RPC method cannot be generic: the server must know the value; make it an argument",
            ),
        }
    }
    if let Some(clause) =
        method.sig.generics.where_clause.as_ref().filter(|_| method.sig.generics.params.is_empty())
    {
        verdict.refuse(clause.where_token, "an RPC method has no `where`: put bounds on the trait");
    }
}

fn check_receiver(method: &Method, verdict: &mut Verdict<'_>) {
    let Some(receiver) = method.sig.receiver() else {
        let message = "an RPC method is called on a service: add `&self`";
        return verdict.refuse(&method.sig.ident, message);
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, _, Some(mutability)) => verdict.refuse(
            mutability,
            "take `&self`: a service answers many calls at a time; keep what changes behind a lock",
        ),
        ReceiverKind::Reference(_, Some(lifetime), None) => {
            verdict.refuse(lifetime, "take `&self`: a call's lifetime is not the caller's to choose");
        }
        _ => verdict.refuse(receiver.self_token, "take `&self`: a service answers more than one call"),
    }
}

fn check_inputs(method: &Method, verdict: &mut Verdict<'_>) {
    let mut seen: Vec<String> = Vec::new();
    for second in method.inputs.iter().filter(|input| input.role == Role::Stream).skip(1) {
        verdict.refuse(&second.ty, "a method takes one stream: make the two one, of an enum");
    }
    for input in &method.inputs {
        if let Some(attr) = input.attrs.first() {
            verdict.refuse(attr, "a parameter of an RPC method has no attributes: remove this");
        }
        check_pattern(input, method.default.is_some(), verdict);
        check_role(input, verdict);
        if let Some(name) = input.ident().map(names::plain) {
            if seen.contains(&name) {
                refuse_repeated(input, &name, verdict);
            }
            seen.push(name);
        }
    }
}

fn check_pattern(input: &Input, has_body: bool, verdict: &mut Verdict<'_>) {
    match &input.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
            if let Some(mutability) = pat.mutability.filter(|_| !has_body) {
                verdict.refuse(
                    mutability,
                    "`mut` is about a body, and there is none here: write it in the `impl`",
                );
            }
        }
        pattern => {
            verdict.refuse(
                pattern,
                "a parameter of an RPC method is a name: take it apart in the method's body",
            );
        }
    }
}

fn check_role(input: &Input, verdict: &mut Verdict<'_>) {
    let name = input.ident().map(names::plain).unwrap_or_default();
    match input.role {
        Role::Context => {}
        Role::Stream => types::check_stream(&input.ty, verdict),
        Role::RequestId if last_segment_is(&input.ty, "Uuid") => {}
        Role::RequestId => verdict.refuse(
            &input.ty,
            "`request_id` is the id by which a repeated call is recognised: make it a `Uuid`, or rename the parameter",
        ),
        Role::Argument if name == "_request_id" && last_segment_is(&input.ty, "Uuid") => {
            verdict.refuse(&input.pat, "a keyed method's parameter is called `request_id`: remove the underscore");
        }
        Role::Argument => types::check_argument(&input.ty, verdict),
    }
}

fn refuse_repeated(input: &Input, name: &str, verdict: &mut Verdict<'_>) {
    if input.role == Role::RequestId {
        verdict.refuse(&input.pat, "a call has one `request_id`: rename or remove this one");
    } else {
        verdict.refuse(&input.pat, format_args!("two parameters are called `{name}`: rename one"));
    }
}

fn check_answer(method: &Method, verdict: &mut Verdict<'_>) {
    match &method.answer {
        // An `impl Future` without an output, or no future at all: that it is not `async` has been said.
        Some(Type::ImplTrait(_)) if method.form == Form::Plain => {}
        Some(answer) => types::check_answer(answer, method.returned_stream(), verdict),
        None => verdict.refuse_at(
            method.sig.ident.span(),
            "an RPC method returns a `Result`, if only `Result<(), E>`: it tells the caller that the work is done",
        ),
    }
}
