//! Whether a type has a schema, asked by generated code that cannot demand one.

use std::marker::PhantomData;

use super::{Schema, schema_of};

/// Asks a type for its schema, without a bound.
///
/// `Probe::<T>::__RPCNET_SCHEMA`, with [`Undescribed`] in scope, is a constant: a function that gives the text if
/// `T: Schema` is known where that is written, and `None` otherwise.
///
/// An associated constant of the type itself goes before one of a trait, if its bounds hold. Where they do not, or
/// cannot be known since `T` is a parameter, only the trait's is there. Unlike the trick with references to call a
/// method on, this works in constants, and no method of the user's can come between.
pub struct Probe<T: ?Sized>(PhantomData<T>);

impl<T: Schema + ?Sized> Probe<T> {
    /// The schema of a type that has one.
    pub const __RPCNET_SCHEMA: Option<fn() -> String> = Some(schema_of::<T>);
}

/// What a [`Probe`] falls back to.
pub trait Undescribed {
    /// No schema.
    const __RPCNET_SCHEMA: Option<fn() -> String> = None;
}

impl<T: ?Sized> Undescribed for Probe<T> {}
