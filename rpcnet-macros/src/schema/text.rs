//! A text with types in it, which the types write themselves when the program runs.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Type;

/// Literal text and types, in turn.
#[derive(Default)]
pub(crate) struct Text {
    pieces: Vec<Piece>,
}

enum Piece {
    Literal(String),
    Type(Box<Type>),
}

impl Text {
    /// Writes this.
    pub(super) fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        // One call for what stands side by side.
        match self.pieces.last_mut() {
            Some(Piece::Literal(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Literal(text.to_owned())),
        }
    }

    /// Writes what a type has for a schema.
    pub(super) fn push_type(&mut self, ty: &Type) {
        self.pieces.push(Piece::Type(Box::new(ty.clone())));
    }

    /// The types that must have a schema.
    pub(crate) fn types(&self) -> impl Iterator<Item = &Type> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Type(ty) => Some(&**ty),
        })
    }

    /// The code that writes all of it. No method syntax: the user may have traits with methods for everything.
    pub(crate) fn calls(&self, private: &TokenStream, to: &Ident) -> TokenStream {
        let calls = self.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => quote!(#private::Describer::text(#to, #text);),
            Piece::Type(ty) => quote!(<#ty as #private::Schema>::describe(#to);),
        });
        quote!(#(#calls)*)
    }
}
