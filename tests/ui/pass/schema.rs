//! `#[derive(Schema)]` among names of the user's that generated code uses too, and from a crate by another name.

#![deny(warnings, unused_qualifications, unused_lifetimes, clippy::pedantic)]
#![allow(non_camel_case_types)]

extern crate rpcnet as wires;

mod names {
    //! What generated code would meet if it named anything by a short name.
    #![allow(dead_code, non_camel_case_types, non_snake_case)]

    #[derive(rpcnet_schema::Schema)]
    pub struct Vec;
    #[derive(rpcnet_schema::Schema)]
    pub struct Option;
    #[derive(rpcnet_schema::Schema)]
    pub struct String;
    #[derive(rpcnet_schema::Schema)]
    pub struct Describer(pub String);
    pub trait Schema {}
    pub struct str;
    pub struct bool;
    pub fn Some() {}
    pub fn None() {}
    pub fn describe() {}
    pub mod rpcnet {}
    pub mod std {}
    pub mod core {}
    use ::rpcnet as rpcnet_schema;
}

/// Whatever is done to a value by method syntax, this does too, and first.
trait Grabby: Sized {
    const SCHEMA: u8 = 0;
    fn name(self) {}
    fn text(self) {}
    fn describe(self) {}
    fn map(self) {}
}

impl<T> Grabby for T {}

mod hygiene {
    #[allow(unused_imports)]
    use super::Grabby as _;
    use super::names::*;

    #[derive(::rpcnet::Schema)]
    pub struct Names<to> {
        pub vec: Vec,
        pub option: Option,
        pub string: String,
        pub describer: Describer,
        pub r#type: u8,
        pub to: to,
    }

    // What generated code asks of a type it knows nothing about.
    pub const DESCRIBED: ::std::option::Option<fn() -> ::std::string::String> = {
        #[allow(unused_imports)]
        use ::rpcnet::private::Undescribed as _;
        ::rpcnet::private::Probe::<Names<u8>>::__RPCNET_SCHEMA
    };
    pub const UNDESCRIBED: ::std::option::Option<fn() -> ::std::string::String> = {
        #[allow(unused_imports)]
        use ::rpcnet::private::Undescribed as _;
        ::rpcnet::private::Probe::<str>::__RPCNET_SCHEMA
    };
}

mod renamed {
    pub mod reexported {
        pub use wires::*;
    }

    #[derive(wires::Schema)]
    #[schema(crate = wires)]
    pub struct Order(pub Line);

    #[derive(wires::Schema)]
    #[schema(crate = crate::renamed::reexported)]
    pub struct Line(pub u8);
}

/// In a user's `macro_rules!`.
macro_rules! described {
    ($krate:path, $name:ident, $ty:ty) => {
        #[derive(wires::Schema)]
        #[schema(crate = $krate)]
        pub struct $name {
            pub inside: $ty,
        }
    };
}

described!(wires, Generated, Option<hygiene::Names<u8>>);

#[deprecated]
#[derive(wires::Schema)]
pub enum Old {
    #[deprecated]
    Odd,
}

fn main() {
    assert_eq!(
        wires::schema_of::<Generated>(),
        "Generated { inside: Option<Names { vec: Vec, option: Option, string: String, \
         describer: Describer(String), type: u8, to: u8 }> }"
    );
    assert_eq!(wires::schema_of::<renamed::Order>(), "Order(Line(u8))");
    assert!(hygiene::DESCRIBED.is_some_and(|text| text().starts_with("Names { ")));
    assert!(hygiene::UNDESCRIBED.is_none());
}
