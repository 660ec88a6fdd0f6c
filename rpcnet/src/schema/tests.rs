//! The texts of std's types, what a describer does with names, and the probe.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::{
        BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque, hash_map::RandomState,
    },
    fmt::Debug,
    marker::PhantomData,
    net::SocketAddr,
    num::{NonZeroU16, Wrapping},
    path::PathBuf,
    sync::{Arc, Mutex, RwLock, atomic::AtomicU32},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::*;
use crate::{
    AppError, Codec,
    private::{Probe, Undescribed as _},
};

/// A type whose name is not its own.
struct Namesake<T>(PhantomData<T>);

impl<T: Schema> Schema for Namesake<T> {
    fn describe(to: &mut Describer) {
        if to.name::<Self>("Namesake") {
            to.text("(");
            T::describe(to);
            to.text(")");
        }
    }
}

struct Unknown;

#[test]
fn types_of_std_are_written_as_one_writes_them() {
    assert_eq!(schema_of::<(bool, char, i8, i16, i32, i64)>(), "(bool, char, i8, i16, i32, i64)");
    assert_eq!(schema_of::<(i128, u8, u16, u32, u64)>(), "(i128, u8, u16, u32, u64)");
    assert_eq!(schema_of::<(u128, f32, f64, String, ())>(), "(u128, f32, f64, String, ())");
    assert_eq!(schema_of::<(u8,)>(), "(u8,)");
    assert_eq!(schema_of::<Result<Option<u8>, [u16; 3]>>(), "Result<Option<u8>, [u16; 3]>");
    assert_eq!(schema_of::<BTreeMap<Uuid, Vec<SocketAddr>>>(), "Map<Uuid, Vec<SocketAddr>>");
    assert_eq!(schema_of::<(Duration, SystemTime)>(), "(Duration, SystemTime)");
    type Sixteen = (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u16);
    assert_eq!(schema_of::<Sixteen>(), format!("({}u16)", "u8, ".repeat(15)));
    assert_eq!(schema_of::<AppError>(), "AppError { message: String, causes: Vec<String> }");
}

/// That a value of each type has the same text and the same bytes.
#[track_caller]
fn alike<A, B>(a: &A, b: &B)
where
    A: Schema + Serialize + ?Sized,
    B: Schema + Serialize + DeserializeOwned + PartialEq + Debug,
{
    assert_eq!(schema_of::<A>(), schema_of::<B>());
    let bytes = Codec::Bincode.encode(a).unwrap();
    assert_eq!(bytes, Codec::Bincode.encode(b).unwrap());
    assert_eq!(&Codec::Bincode.decode::<B>(&bytes).unwrap(), b);
}

#[test]
fn what_holds_a_value_is_encoded_and_written_as_the_value() {
    alike(&Box::new(7_u32), &7_u32);
    alike(&Cell::new(7_u32), &7_u32);
    alike(&RefCell::new(7_u32), &7_u32);
    alike(&Mutex::new(7_u32), &7_u32);
    alike(&RwLock::new(7_u32), &7_u32);
    alike(&AtomicU32::new(7), &7_u32);
    alike(&Wrapping(7_u32), &7_u32);
    alike(&Reverse(7_u32), &7_u32);
    alike(&NonZeroU16::MAX, &u16::MAX);
    alike(&Cow::Borrowed("seven"), &"seven".to_owned());
    alike(&usize::MAX, &u64::MAX);
    alike(&isize::MIN, &i64::MIN);
    alike(&PathBuf::from("seven"), &"seven".to_owned());
    alike(&PhantomData::<Unknown>, &());
    assert_eq!(schema_of::<Arc<str>>(), "String");
}

#[test]
fn what_holds_many_values_is_encoded_and_written_as_a_list_or_a_map() {
    let list = vec![7_u8];
    alike(&VecDeque::from([7_u8]), &list);
    alike(&LinkedList::from([7_u8]), &list);
    alike(&BinaryHeap::from([7_u8]), &list);
    alike(&BTreeSet::from([7_u8]), &list);
    alike(&HashSet::<u8, RandomState>::from([7_u8]), &list);
    alike(&Box::<[u8]>::from([7_u8]), &list);
    alike(&Bytes::from_static(&[7_u8]), &list);
    alike(&HashMap::<u8, (), RandomState>::from([(7_u8, ())]), &BTreeMap::from([(7_u8, ())]));
}

#[test]
fn namesakes_are_told_apart_when_they_are_met_and_when_they_are_met_again() {
    type Three = (Namesake<u8>, Namesake<u16>, Namesake<u32>);
    assert_eq!(schema_of::<Three>(), "(Namesake(u8), Namesake#2(u16), Namesake#3(u32))");
    assert_eq!(
        schema_of::<(Namesake<u8>, Namesake<u16>, Namesake<u8>, Namesake<u16>)>(),
        "(Namesake(u8), Namesake#2(u16), Namesake, Namesake#2)"
    );
    assert_eq!(schema_of::<Namesake<Namesake<u8>>>(), "Namesake(Namesake#2(u8))");
}

#[test]
fn the_probe_finds_a_schema_where_there_is_one() {
    const DESCRIBED: Option<fn() -> String> = Probe::<Vec<Namesake<u8>>>::__RPCNET_SCHEMA;
    const UNDESCRIBED: Option<fn() -> String> = Probe::<Unknown>::__RPCNET_SCHEMA;
    assert_eq!(DESCRIBED.map(|text| text()).as_deref(), Some("Vec<Namesake(u8)>"));
    assert!(UNDESCRIBED.is_none());
    assert!(Probe::<Vec<Unknown>>::__RPCNET_SCHEMA.is_none());
    assert!(Probe::<[Unknown]>::__RPCNET_SCHEMA.is_none());
    assert!(Probe::<dyn Debug>::__RPCNET_SCHEMA.is_none());
    assert!(Probe::<[u8]>::__RPCNET_SCHEMA.is_some());
}

#[test]
fn the_probe_knows_of_a_parameter_only_what_is_said_of_it() {
    fn nothing_said<T>() -> Option<String> {
        Probe::<Vec<T>>::__RPCNET_SCHEMA.map(|text| text())
    }
    fn said<T: Schema>() -> Option<String> {
        Probe::<Vec<T>>::__RPCNET_SCHEMA.map(|text| text())
    }
    assert_eq!(nothing_said::<u8>(), None);
    assert_eq!(said::<u8>().as_deref(), Some("Vec<u8>"));
}
