//! Generates tonic's client and server, without protoc.

use tonic_build::manual::{Builder, Method, Service};

/// Name, name on the wire, request and answer of each method.
const METHODS: &[[&str; 4]] = &[
    // {methods}
];

fn main() {
    // Generated once, as in a project whose .proto files did not change.
    println!("cargo::rerun-if-changed=build.rs");
    let service = METHODS.iter().fold(Service::builder().package("sample").name("Sample"), |service, method| {
        let [name, route, input, output] = method;
        let method = Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::types::{input}"))
            .output_type(format!("crate::types::{output}"))
            .codec_path("tonic_prost::ProstCodec");
        service.method(method.build())
    });
    Builder::new().compile(&[service.build()]);
}
