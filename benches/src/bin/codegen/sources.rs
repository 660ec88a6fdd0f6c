//! The source code of each sample crate: a template with the service's methods put in.

mod prost;
mod serde;

use crate::{framework::Framework, service::Method};

/// A file of a crate: its path in it, and its text.
pub(crate) type File = (&'static str, String);

/// The files of a crate, without its manifest.
pub(crate) fn files(framework: Framework, methods: &[Method]) -> Vec<File> {
    match framework {
        Framework::Baseline => serde::baseline(methods),
        Framework::RpcNet => serde::rpcnet(methods),
        Framework::Tarpc => serde::tarpc(methods),
        Framework::Tonic => prost::tonic(methods),
    }
}

/// A template with a text for each of its `// {places}`.
fn filled(template: &str, places: &[(&str, String)]) -> String {
    places
        .iter()
        .fold(template.to_owned(), |text, (place, content)| text.replace(&format!("// {{{place}}}"), content))
}

/// What is said of each method, one after the other.
fn each(methods: &[Method], text: impl Fn(Method) -> String) -> String {
    methods.iter().map(|method| text(*method)).collect::<Vec<_>>().join("\n")
}

/// A call that counts when it was answered with what matches `pattern`.
fn counted(pattern: &str, call: &str) -> String {
    format!("    if let {pattern} = {call}.await {{\n        answered += 1;\n    }}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_of_a_template_is_left_empty() {
        for framework in Framework::ALL {
            for (path, text) in files(framework, &Method::all(12)) {
                assert!(!text.contains("// {"), "{framework} {path}:\n{text}");
            }
        }
    }
}
