//! The derive's code: where it says its names from, and what it demands of parameters.

use quote::quote;

use super::schema;

/// The code for a type, on one line and without the spaces a printer would choose.
fn expansion(input: proc_macro2::TokenStream) -> String {
    schema(input).to_string().replace(' ', "")
}

/// What is demanded of the parameters of a type.
fn bounds(input: proc_macro2::TokenStream) -> String {
    let code = expansion(input);
    let (_, after) = code.split_once("where").unwrap_or_default();
    after.split('{').next().unwrap_or_default().to_owned()
}

#[test]
fn the_runtime_is_where_the_user_says() {
    let code = expansion(quote! {
        #[schema(crate = wires::inner)]
        struct Order { id: u64 }
    });
    assert!(code.contains("implwires::inner::private::SchemaforOrder"), "{code}");
    assert!(!code.contains("rpcnet"), "{code}");
    let code = expansion(quote!(
        struct Order;
    ));
    assert!(code.contains("impl::rpcnet::private::SchemaforOrder"), "{code}");
}

#[test]
fn a_schema_is_demanded_of_parameters_that_a_value_consists_of() {
    let demanded = bounds(quote! {
        struct Page<A, B, C, D, E> {
            a: Vec<A>,
            b: PhantomData<B>,
            #[serde(skip)] c: C,
            #[serde(with = "d")] d: D,
            e: (m::E, m::T<u8>),
        }
    });
    assert_eq!(demanded, "Self:'static,A:::rpcnet::private::Schema");
    assert_eq!(
        bounds(quote!(
            struct Plain(u8);
        )),
        ""
    );
}

#[test]
fn of_what_belongs_to_a_parameter_it_is_demanded_by_itself() {
    let demanded = bounds(quote!(
        struct Page<I: Iterator>(Vec<I::Item>, <I as Iterator>::Item);
    ));
    let expected = "Self:'static,Vec<I::Item>:::rpcnet::private::Schema,\
                    <IasIterator>::Item:::rpcnet::private::Schema";
    assert_eq!(demanded, expected);
}

#[test]
fn text_that_stands_side_by_side_is_one_call() {
    let code = expansion(quote!(
        enum State {
            Open,
            Shipped(String),
            Lost,
        }
    ));
    assert_eq!(code.matches("Describer::text").count(), 2, "{code}");
    assert!(
        !expansion(quote!(
            struct Marker;
        ))
        .contains("Describer::text")
    );
}
