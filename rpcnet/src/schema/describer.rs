//! Where schemas are written to: a text, and which types it has spoken of.

use std::any::TypeId;

/// Takes the text of a [`Schema`](crate::Schema), and writes each type out only once.
///
/// A type that is met again is written by its name: one that contains itself comes to an end, and one that is used in
/// many places does not multiply. Where several types have one name, as instances of a generic type do, the second of
/// them is `Name#2`, the third `Name#3`.
///
/// ```
/// use rpcnet::{Describer, Schema, schema_of};
///
/// struct Tree {
///     value: u8,
///     children: Vec<Tree>,
/// }
///
/// // What the derive writes.
/// impl Schema for Tree {
///     fn describe(to: &mut Describer) {
///         if to.name::<Self>("Tree") {
///             to.text(" { value: ");
///             u8::describe(to);
///             to.text(", children: ");
///             Vec::<Tree>::describe(to);
///             to.text(" }");
///         }
///     }
/// }
///
/// assert_eq!(schema_of::<Tree>(), "Tree { value: u8, children: Vec<Tree> }");
/// ```
#[derive(Debug, Default)]
pub struct Describer {
    text: String,
    /// The types met so far, in that order. One program's types: looked through rather than hashed, to keep the order.
    met: Vec<(TypeId, &'static str)>,
}

impl Describer {
    /// With nothing written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes this.
    pub fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Writes the name of a type. Whether the type is met for the first time, so that what it consists of is to follow.
    #[must_use = "what a type consists of is written once"]
    pub fn name<T: ?Sized + 'static>(&mut self, name: &'static str) -> bool {
        let id = TypeId::of::<T>();
        let known = self.met.iter().position(|(met, _)| *met == id);
        let end = known.unwrap_or(self.met.len());
        let namesakes = self.met[..end].iter().filter(|(_, met)| *met == name).count();
        self.text.push_str(name);
        if namesakes > 0 {
            self.text.push('#');
            self.text.push_str(&(namesakes + 1).to_string());
        }
        if known.is_none() {
            self.met.push((id, name));
        }
        known.is_none()
    }

    /// What was written.
    pub fn into_text(self) -> String {
        self.text
    }
}
