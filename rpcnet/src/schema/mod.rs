//! What a type looks like to an encoder, as text: so that two programs can find out whether they mean the same by it.

mod describer;
mod impls;
pub(crate) mod probe;
#[cfg(test)]
mod tests;

pub use describer::Describer;

/// A type that can say what it consists of. Derive it: `#[derive(rpcnet::Schema)]`.
///
/// Encoded values do not say what they are. When a client and a server were built with different versions of a type,
/// the bytes of one decode as nonsense of the other, or worse: as something plausible. A macro on a trait sees only how
/// a type is *spelled*, which is the same on both sides. The text of a schema says what is *inside*, and is written
/// anew by each build.
///
/// ```
/// use rpcnet::Schema;
///
/// #[derive(Schema)]
/// struct Order {
///     id: u64,
///     lines: Vec<Line>,
///     state: State,
///     last: Option<Line>,
/// }
///
/// #[derive(Schema)]
/// struct Line {
///     sku: String,
///     count: u32,
/// }
///
/// #[derive(Schema)]
/// enum State {
///     Open,
///     Shipped(String),
///     Lost { when: u64 },
/// }
///
/// assert_eq!(
///     rpcnet::schema_of::<Order>(),
///     "Order { id: u64, lines: Vec<Line { sku: String, count: u32 }>, \
///      state: State(Open | Shipped(String) | Lost { when: u64 }), last: Option<Line> }",
/// );
/// ```
///
/// # What changes the text
///
/// - A field or variant that is added, removed, renamed, moved or has another type, however deep inside.
/// - The name of a type that derives this, though not the module it is in.
/// - An `#[serde(…)]` attribute, on the type, a variant or a field, that has a say in how values are encoded.
///
/// # What does not
///
/// Types that are encoded alike have the same text, since one may take the other's place: `Box<T>`, `Arc<T>`, `Cow<T>`,
/// `Mutex<T>` and their kind are `T`; every list, set and heap is `Vec<T>`, and so are `Bytes`, with `u8`; every map is
/// `Map<K, V>`; `usize` is `u64`; a path is a `String`.
///
/// # What it cannot see
///
/// - **Types without a schema**, where it is left out on purpose: a field under `#[schema(opaque)]` is known by its
///   type's spelling, and an argument of a method likewise if its type has no schema.
/// - **What code does**: an implementation of `Serialize` by hand, a function named by `#[serde(with = "…")]`. Such a field
///   is known by the attribute and its type's spelling.
/// - **Meaning**: a price that was in euros and is in cents now, a number whose range was widened.
///
/// # By hand
///
/// A type whose `Serialize` is written by hand describes what that writes:
///
/// ```
/// use rpcnet::{Describer, Schema, schema_of};
///
/// /// Encoded as its degrees.
/// struct Angle(f64);
///
/// impl Schema for Angle {
///     fn describe(to: &mut Describer) {
///         f64::describe(to);
///     }
/// }
///
/// assert_eq!(schema_of::<Vec<Angle>>(), "Vec<f64>");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema",
    label = "what this consists of is not known",
    note = "derive `rpcnet::Schema` for it; a field of somebody else's type can be `#[schema(opaque)]`"
)]
pub trait Schema: 'static {
    /// Writes what the type looks like to an encoder.
    fn describe(to: &mut Describer);
}

/// What a type looks like to an encoder, as text.
///
/// Deterministic: the same on every machine and in every build, as long as the types are the same.
///
/// ```
/// assert_eq!(rpcnet::schema_of::<(u8, [Option<Box<str>>; 4])>(), "(u8, [Option<String>; 4])");
/// ```
pub fn schema_of<T: Schema + ?Sized>() -> String {
    let mut describer = Describer::new();
    T::describe(&mut describer);
    describer.into_text()
}
