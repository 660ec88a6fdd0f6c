//! Claims about every codec; each is one row of [`ALL`].

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

const ALL: [Codec; 1] = [Codec::Bincode];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    New(u64),
    Tuple(i8, String),
    Struct { names: Vec<String>, by_name: BTreeMap<String, f64>, raw: Bytes, none: Option<u8> },
    Boxed(Box<Shape>),
}

fn shapes() -> Vec<Shape> {
    vec![
        Shape::Unit,
        Shape::New(u64::MAX),
        Shape::Tuple(-1, "grüße".into()),
        Shape::Struct {
            names: vec!["a".into(), String::new()],
            by_name: [("x".to_owned(), 0.5)].into(),
            raw: Bytes::from_static(&[0, 255]),
            none: None,
        },
        Shape::Boxed(Box::new(Shape::Unit)),
    ]
}

#[test]
fn what_is_encoded_is_decoded() {
    for codec in ALL {
        for shape in shapes() {
            let bytes = codec.encode(&shape).unwrap();
            assert_eq!(codec.decode::<Shape>(&bytes).unwrap(), shape);
        }
    }
}

#[test]
fn every_truncation_and_every_trailing_byte_is_an_error() {
    for codec in ALL {
        for shape in shapes() {
            let mut bytes = codec.encode(&shape).unwrap().to_vec();
            for length in 0..bytes.len() {
                assert!(codec.decode::<Shape>(&bytes[..length]).is_err(), "{shape:?} cut to {length}");
            }
            bytes.push(0);
            let error = codec.decode::<Shape>(&bytes).unwrap_err();
            assert_eq!(error.to_string(), "1 bytes are left after the value");
        }
    }
}

#[test]
fn an_announced_length_allocates_nothing() {
    // A varint length of 2^62 and three bytes: bincode alone would ask for all of it at once, and abort.
    let bomb = [&[253][..], &(1u64 << 62).to_le_bytes(), b"abc"].concat();
    assert!(Codec::Bincode.decode::<String>(&bomb).is_err());
    assert!(Codec::Bincode.decode::<Bytes>(&bomb).is_err());
    assert!(Codec::Bincode.decode::<Vec<u64>>(&bomb).is_err());
    assert!(Codec::Bincode.decode::<Vec<Vec<String>>>(&bomb).is_err());
}

#[test]
fn elements_without_size_do_not_loop_for_ever() {
    let bomb = [&[253][..], &(1u64 << 62).to_le_bytes()].concat();
    let error = Codec::Bincode.decode::<Vec<()>>(&bomb).unwrap_err();
    assert_eq!(error.to_string(), "more elements than the message has bytes for");
}

#[test]
fn a_recursive_type_ends_with_an_error_before_the_stack_does() {
    for codec in ALL {
        let nest = |depth| (0..depth).fold(Shape::Unit, |shape, _| Shape::Boxed(Box::new(shape)));
        let deep = codec.encode(&nest(1_000)).unwrap();
        let error = codec.decode::<Shape>(&deep).unwrap_err();
        assert_eq!(error.to_string(), "nested deeper than 128 levels");
        let fine = nest(100);
        assert_eq!(codec.decode::<Shape>(&codec.encode(&fine).unwrap()).unwrap(), fine);
    }
}
