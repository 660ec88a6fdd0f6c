//! A method with its types, and the evidence that they can cross the network.
//!
//! The evidence is taken once, where a [`Method`] is made, and handed on as functions. Generated clients and servers need no
//! bounds of their own, so that a type which is not `Serialize` is one error, at that type, and not one in every
//! function it passes through.

use std::any::TypeId;

use bytes::Bytes;

use crate::{
    body::{Body, decoded, encoded},
    codec::{Codec, CodecError},
    descriptor::MethodDescriptor,
    error::AppError,
    private::Wire,
    streaming::Streaming,
};

/// A method that takes the arguments `A`, a tuple, and answers `Result<T, E>`.
pub struct Method<A, T, E> {
    pub(crate) descriptor: &'static MethodDescriptor,
    pub(crate) arguments: Wired<A>,
    pub(crate) ok: Wired<T>,
    pub(crate) err: Wired<E>,
    /// Whether `E` is [`AppError`], which those can read who do not know the method.
    pub(crate) err_is_app_error: bool,
}

impl<A, T, E> Method<A, T, E> {
    /// The method with this description, arguments that cross the network like this, and an answer [like that](answer).
    pub fn new(
        descriptor: &'static MethodDescriptor,
        arguments: Wired<A>,
        (ok, err, err_is_app_error): (Wired<T>, Wired<E>, bool),
    ) -> Self {
        Self { descriptor, arguments, ok, err, err_is_app_error }
    }
}

/// How the two sides of an answer cross the network.
pub fn answer<T: Wire, E: Wire>() -> (Wired<T>, Wired<E>, bool) {
    (Wired::new(), Wired::new(), TypeId::of::<E>() == TypeId::of::<AppError>())
}

impl<A, T, E> Clone for Method<A, T, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, T, E> Copy for Method<A, T, E> {}

/// How the two sides of an answer cross the network when the `Ok` side is a stream of `T`.
pub fn answer_stream<T: Wire, E: Wire>() -> (Wired<Streaming<T>>, Wired<E>, bool) {
    let items = Wired {
        encode: |codec, items| Ok(Body { payload: Bytes::new(), items: Some(encoded(codec, items)) }),
        decode: |codec, body| Ok(decoded(codec, body.items)),
    };
    (items, Wired::new(), TypeId::of::<E>() == TypeId::of::<AppError>())
}

/// How values of a type cross the network.
pub struct Wired<T> {
    pub(crate) encode: fn(Codec, T) -> Result<Body, CodecError>,
    pub(crate) decode: fn(Codec, Body) -> Result<T, CodecError>,
}

impl<T> Clone for Wired<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Wired<T> {}

impl<T: Wire> Wired<T> {
    fn new() -> Self {
        Self {
            encode: |codec, value| codec.encode(&value).map(Body::from),
            decode: |codec, body| codec.decode(&body.payload),
        }
    }
}

/// How the arguments of a method cross the network: one function for each number of them that serde has a tuple of,
/// and one more for as many and a stream.
///
/// Each type is a parameter of its own, so that the compiler points at the one it finds fault with.
macro_rules! arguments {
    ($arguments:ident $upload:ident: $($types:ident)*) => {
        /// How this many arguments cross the network.
        pub fn $arguments<$($types: Wire),*>() -> Wired<($($types,)*)> {
            Wired::new()
        }

        /// How this many arguments and a stream of `I` cross the network.
        pub fn $upload<$($types: Wire,)* I: Wire>() -> Wired<(($($types,)*), Streaming<I>)> {
            Wired {
                encode: |codec, (arguments, items)| {
                    Ok(Body { payload: codec.encode(&arguments)?, items: Some(encoded(codec, items)) })
                },
                decode: |codec, body| Ok((codec.decode(&body.payload)?, decoded(codec, body.items))),
            }
        }
    };
}

/// How no argument crosses the network: as an empty list, in a codec that shows the difference.
pub fn arguments_0() -> Wired<()> {
    Wired {
        encode: |codec, ()| codec.encode(&NONE).map(Body::from),
        decode: |codec, body| codec.decode::<[(); 0]>(&body.payload).map(drop),
    }
}

/// How a stream of `I` alone crosses the network.
pub fn upload_0<I: Wire>() -> Wired<((), Streaming<I>)> {
    Wired {
        encode: |codec, ((), items)| {
            Ok(Body { payload: codec.encode(&NONE)?, items: Some(encoded(codec, items)) })
        },
        decode: |codec, body| {
            codec.decode::<[(); 0]>(&body.payload)?;
            Ok(((), decoded(codec, body.items)))
        },
    }
}

/// No argument.
const NONE: [(); 0] = [];

arguments!(arguments_1 upload_1: T1);
arguments!(arguments_2 upload_2: T1 T2);
arguments!(arguments_3 upload_3: T1 T2 T3);
arguments!(arguments_4 upload_4: T1 T2 T3 T4);
arguments!(arguments_5 upload_5: T1 T2 T3 T4 T5);
arguments!(arguments_6 upload_6: T1 T2 T3 T4 T5 T6);
arguments!(arguments_7 upload_7: T1 T2 T3 T4 T5 T6 T7);
arguments!(arguments_8 upload_8: T1 T2 T3 T4 T5 T6 T7 T8);
arguments!(arguments_9 upload_9: T1 T2 T3 T4 T5 T6 T7 T8 T9);
arguments!(arguments_10 upload_10: T1 T2 T3 T4 T5 T6 T7 T8 T9 T10);
arguments!(arguments_11 upload_11: T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11);
arguments!(arguments_12 upload_12: T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12);
arguments!(arguments_13 upload_13: T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13);
arguments!(arguments_14 upload_14: T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14);
arguments!(arguments_15 upload_15: T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T15);
arguments!(arguments_16 upload_16: T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T15 T16);
