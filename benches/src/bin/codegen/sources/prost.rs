//! The sample service for tonic: one message in, one message out.
//!
//! Methods whose arguments are no struct of their own share a message by shape, where a `.proto` file by the book would
//! have one for each method. So tonic has as many types to compile as the others.

use super::{File, counted, each, filled};
use crate::service::{Method, Shape};

pub(super) fn tonic(methods: &[Method]) -> Vec<File> {
    let implementations = each(methods, implementation);
    let calls =
        each(methods, |method| counted("Ok(_)", &format!("client.{}({})", method.name(), request(method))));
    let main =
        filled(include_str!("../templates/tonic.rs"), &[("methods", implementations), ("calls", calls)]);
    let build = filled(include_str!("../templates/tonic_build.rs"), &[("methods", each(methods, entry))]);
    vec![("src/main.rs", main), ("src/types.rs", types(methods)), ("build.rs", build)]
}

/// The method in the list of the build script.
fn entry(method: Method) -> String {
    let (name, request, answer) = (method.name(), request_type(method), answer_type(method));
    // The name on the wire has capitals, as in a `.proto` file.
    let route = name[..1].to_uppercase() + &name[1..].replace('_', "");
    format!("    [\"{name}\", \"{route}\", \"{request}\", \"{answer}\"],")
}

fn implementation(method: Method) -> String {
    let (name, request, answer) = (method.name(), request_type(method), answer_type(method));
    format!(
        "async fn {name}(&self, request: Request<{request}>) -> Result<Response<{answer}>, Status> {{
    let request = request.into_inner();
    {}
}}",
        body(method)
    )
}

fn body(method: Method) -> String {
    let number = method.number;
    match method.shape {
        Shape::Number => "let n = request.n.checked_mul(request.n);
    n.map(|n| Response::new(Number { n })).ok_or_else(|| Status::out_of_range(\"too large\"))"
            .to_owned(),
        Shape::Text => "if request.text.is_empty() { Err(Status::invalid_argument(\"empty\")) } \
                        else { Ok(Response::new(request)) }"
            .to_owned(),
        Shape::Triple => {
            "let sum = u64::from(request.left) + u64::from(request.right) + u64::from(request.wide);
    Ok(Response::new(Sum { sum }))"
                .to_owned()
        }
        Shape::List => "if request.id == 0 { Err(Status::not_found(\"unknown\")) } \
                        else { Ok(Response::new(Tags { tags: request.tags })) }"
            .to_owned(),
        Shape::Order => {
            format!(
                "Ok(Response::new(Receipt{number} {{ id: request.id, total: request.price, paid: true }}))"
            )
        }
        Shape::Mixed => format!(
            "let order = request.order.ok_or_else(|| Status::invalid_argument(\"no order\"))?;
    let paid = request.urgent && !request.name.is_empty();
    Ok(Response::new(Receipt{number} {{ id: order.id, total: order.price, paid }}))"
        ),
    }
}

fn request_type(method: Method) -> String {
    match method.shape {
        Shape::Number => "Number".to_owned(),
        Shape::Text => "Text".to_owned(),
        Shape::Triple => "Triple".to_owned(),
        Shape::Order => format!("Order{}", method.number),
        Shape::List => "List".to_owned(),
        Shape::Mixed => format!("Mixed{}", method.number),
    }
}

fn answer_type(method: Method) -> String {
    match method.shape {
        Shape::Number => "Number".to_owned(),
        Shape::Text => "Text".to_owned(),
        Shape::Triple => "Sum".to_owned(),
        Shape::List => "Tags".to_owned(),
        Shape::Order | Shape::Mixed => format!("Receipt{}", method.number),
    }
}

/// The message of a call that succeeds.
fn request(method: Method) -> String {
    match method.shape {
        Shape::Number => "Number { n: 3 }".to_owned(),
        Shape::Text => "Text { text: String::from(\"text\") }".to_owned(),
        Shape::Triple => "Triple { left: 1, right: 2, wide: true }".to_owned(),
        Shape::Order => method.order(),
        Shape::List => "List { id: 7, tags: vec![String::from(\"tag\")] }".to_owned(),
        Shape::Mixed => {
            let (number, order) = (method.number, method.order());
            format!("Mixed{number} {{ name: String::from(\"name\"), order: Some({order}), urgent: true }}")
        }
    }
}

/// The messages, as prost's generator would write them.
fn types(methods: &[Method]) -> String {
    let shared = [
        message("Number", &[("int64", "n: i64")]),
        message("Text", &[("string", "text: String")]),
        message("Triple", &[("uint32", "left: u32"), ("uint32", "right: u32"), ("bool", "wide: bool")]),
        message("Sum", &[("uint64", "sum: u64")]),
        message("List", &[("uint64", "id: u64"), ("string, repeated", "tags: Vec<String>")]),
        message("Tags", &[("string, repeated", "tags: Vec<String>")]),
    ];
    let own = methods.iter().filter(|method| method.has_structs()).map(|method| structs(*method));
    let messages: Vec<_> = shared.into_iter().chain(own).collect();
    format!("//! The messages of the sample service.\n{}", messages.concat())
}

fn structs(Method { number, shape }: Method) -> String {
    let order = [
        ("uint64", "id: u64"),
        ("string, repeated", "lines: Vec<String>"),
        ("string, optional", "note: Option<String>"),
        ("double", "price: f64"),
    ];
    let receipt = [("uint64", "id: u64"), ("double", "total: f64"), ("bool", "paid: bool")];
    let mut text =
        message(&format!("Order{number}"), &order) + &message(&format!("Receipt{number}"), &receipt);
    if shape == Shape::Mixed {
        let order = format!("order: Option<Order{number}>");
        let fields = [("string", "name: String"), ("message, optional", &order), ("bool", "urgent: bool")];
        text += &message(&format!("Mixed{number}"), &fields);
    }
    text
}

/// A message with its fields: prost's type, and the field.
fn message(name: &str, fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().enumerate().map(|(index, (kind, field))| {
        format!("    #[prost({kind}, tag = \"{}\")]\n    pub {field},\n", index + 1)
    });
    let fields: String = fields.collect();
    format!("\n#[derive(Clone, PartialEq, prost::Message)]\npub struct {name} {{\n{fields}}}\n")
}
