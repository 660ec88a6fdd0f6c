//! The schemas of what serde has implementations for, and of the types of other crates that this one passes on.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque},
    ffi::OsString,
    marker::PhantomData,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    num::{NonZero, Saturating, Wrapping},
    ops::{Bound, Range, RangeFrom, RangeInclusive, RangeTo},
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex, RwLock, atomic},
    time::{Duration, SystemTime},
};

use super::{Describer, Schema};

/// Writes what encloses the schemas of these types, and parts them by commas.
macro_rules! enclose {
    ($to:ident, $open:literal, [$first:ty $(, $more:ty)*], $close:expr) => {
        $to.text($open);
        <$first>::describe($to);
        $($to.text(", "); <$more>::describe($to);)*
        $to.text($close);
    };
}

/// Types that nothing is inside of: `Text: Type, Type;`.
macro_rules! plain {
    ($($text:literal: $($type:ty),+;)*) => {$($(
        impl Schema for $type {
            fn describe(to: &mut Describer) {
                to.text($text);
            }
        }
    )+)*};
}

plain! {
    "bool": bool, atomic::AtomicBool;
    "char": char;
    "u8": u8, NonZero<u8>, atomic::AtomicU8;
    "u16": u16, NonZero<u16>, atomic::AtomicU16;
    "u32": u32, NonZero<u32>, atomic::AtomicU32;
    // A size is sent as 64 bits whatever the machine.
    "u64": u64, NonZero<u64>, atomic::AtomicU64, usize, NonZero<usize>, atomic::AtomicUsize;
    "u128": u128, NonZero<u128>;
    "i8": i8, NonZero<i8>, atomic::AtomicI8;
    "i16": i16, NonZero<i16>, atomic::AtomicI16;
    "i32": i32, NonZero<i32>, atomic::AtomicI32;
    "i64": i64, NonZero<i64>, atomic::AtomicI64, isize, NonZero<isize>, atomic::AtomicIsize;
    "i128": i128, NonZero<i128>;
    "f32": f32;
    "f64": f64;
    "String": str, String, Path, PathBuf;
    "OsString": OsString;
    "()": ();
    "Duration": Duration;
    "SystemTime": SystemTime;
    "IpAddr": IpAddr;
    "Ipv4Addr": Ipv4Addr;
    "Ipv6Addr": Ipv6Addr;
    "SocketAddr": SocketAddr;
    "SocketAddrV4": SocketAddrV4;
    "SocketAddrV6": SocketAddrV6;
    "Vec<u8>": bytes::Bytes, bytes::BytesMut;
    "Uuid": uuid::Uuid;
}

/// Types that are encoded as what they hold.
macro_rules! transparent {
    ($($type:ident),*) => {$(
        impl<T: Schema> Schema for $type<T> {
            fn describe(to: &mut Describer) {
                T::describe(to);
            }
        }
    )*};
    (?Sized: $($type:ident),*) => {$(
        impl<T: Schema + ?Sized> Schema for $type<T> {
            fn describe(to: &mut Describer) {
                T::describe(to);
            }
        }
    )*};
}

transparent!(Cell, Reverse, Saturating, Wrapping);
// `Arc` and `Rc` are serde's with its feature `rc`, which is the user's business.
transparent!(?Sized: Arc, Box, Mutex, Rc, RefCell, RwLock);

impl<B: Schema + ToOwned + ?Sized> Schema for Cow<'static, B> {
    fn describe(to: &mut Describer) {
        B::describe(to);
    }
}

/// Types with parameters, each under the name by which all that are encoded like it go.
macro_rules! generic {
    ($($open:literal: $(<$($param:ident),+> $type:ty),+;)*) => {$($(
        impl<$($param: Schema),+> Schema for $type {
            fn describe(to: &mut Describer) {
                enclose!(to, $open, [$($param),+], ">");
            }
        }
    )+)*};
}

generic! {
    "Vec<": <T> Vec<T>, <T> [T], <T> VecDeque<T>, <T> LinkedList<T>, <T> BinaryHeap<T>, <T> BTreeSet<T>;
    "Map<": <K, V> BTreeMap<K, V>;
    "Option<": <T> Option<T>;
    "Result<": <T, E> Result<T, E>;
    "Range<": <T> Range<T>, <T> RangeInclusive<T>;
    "RangeFrom<": <T> RangeFrom<T>;
    "RangeTo<": <T> RangeTo<T>;
    "Bound<": <T> Bound<T>;
}

impl<T: Schema, H: 'static> Schema for HashSet<T, H> {
    fn describe(to: &mut Describer) {
        enclose!(to, "Vec<", [T], ">");
    }
}

impl<K: Schema, V: Schema, H: 'static> Schema for HashMap<K, V, H> {
    fn describe(to: &mut Describer) {
        enclose!(to, "Map<", [K, V], ">");
    }
}

impl<T: Schema, const N: usize> Schema for [T; N] {
    fn describe(to: &mut Describer) {
        enclose!(to, "[", [T], "; ");
        to.text(&N.to_string());
        to.text("]");
    }
}

impl<T: ?Sized + 'static> Schema for PhantomData<T> {
    fn describe(to: &mut Describer) {
        to.text("()");
    }
}

impl<T: Schema> Schema for (T,) {
    fn describe(to: &mut Describer) {
        enclose!(to, "(", [T], ",)");
    }
}

/// Tuples of two to sixteen, as many as serde has.
macro_rules! tuples {
    ($last:ident) => {};
    ($first:ident $($rest:ident)+) => {
        impl<$first: Schema, $($rest: Schema),+> Schema for ($first, $($rest),+) {
            fn describe(to: &mut Describer) {
                enclose!(to, "(", [$first $(, $rest)+], ")");
            }
        }
        tuples!($($rest)+);
    };
}

tuples!(A B C D E F G H I J K L M N O P);
