//! The sample service for those whose values are serde's: the baseline, RpcNet and tarpc.

use super::{File, counted, each, filled};
use crate::service::Method;

pub(super) fn baseline(methods: &[Method]) -> Vec<File> {
    let functions = each(methods, |method| format!("pub {}", implementation(method, "")));
    let calls = each(methods, |method| counted("Ok(_)", &call("", method, "")));
    crate_of(methods, include_str!("../templates/baseline.rs"), &[("methods", functions), ("calls", calls)])
}

pub(super) fn rpcnet(methods: &[Method]) -> Vec<File> {
    let declarations = each(methods, |method| format!("    {};", signature(method, "&self, ")));
    let methods_ = each(methods, |method| implementation(method, "&self, "));
    let calls = each(methods, |method| counted("Ok(_)", &call("client.", method, "")));
    let places = [("declarations", declarations), ("methods", methods_), ("calls", calls)];
    crate_of(methods, include_str!("../templates/rpcnet.rs"), &places)
}

pub(super) fn tarpc(methods: &[Method]) -> Vec<File> {
    let declarations = each(methods, |method| format!("    {};", signature(method, "")));
    let methods_ = each(methods, |method| implementation(method, "self, _: context::Context, "));
    // tarpc wraps the answer of the method in its own `Result`.
    let calls =
        each(methods, |method| counted("Ok(Ok(_))", &call("client.", method, "context::current(), ")));
    let places = [("declarations", declarations), ("methods", methods_), ("calls", calls)];
    crate_of(methods, include_str!("../templates/tarpc.rs"), &places)
}

fn crate_of(methods: &[Method], template: &str, places: &[(&str, String)]) -> Vec<File> {
    vec![("src/main.rs", filled(template, places)), ("src/types.rs", types(methods))]
}

/// A method's head; `before` are the parameters that are not arguments.
fn signature(method: Method, before: &str) -> String {
    format!("async fn {}({before}{}) -> {}", method.name(), method.parameters(), method.answer())
}

fn implementation(method: Method, before: &str) -> String {
    format!("{} {{\n    {}\n}}", signature(method, before), method.body())
}

fn call(receiver: &str, method: Method, before: &str) -> String {
    format!("{receiver}{}({before}{})", method.name(), method.values())
}

/// The error of the service, and an order and a receipt for each method that has its own.
fn types(methods: &[Method]) -> String {
    let structs: Vec<_> = methods.iter().filter(|method| method.has_structs()).map(|m| structs(*m)).collect();
    format!(
        "//! The values of the sample service.

use serde::{{Deserialize, Serialize}};

#[derive(Debug, Serialize, Deserialize)]
pub enum Failure {{
    TooLarge,
    Unknown(u64),
}}
{}",
        structs.concat()
    )
}

fn structs(Method { number, .. }: Method) -> String {
    format!(
        "
#[derive(Debug, Serialize, Deserialize)]
pub struct Order{number} {{
    pub id: u64,
    pub lines: Vec<String>,
    pub note: Option<String>,
    pub price: f64,
}}

#[derive(Debug, Serialize, Deserialize)]
pub struct Receipt{number} {{
    pub id: u64,
    pub total: f64,
    pub paid: bool,
}}
"
    )
}
