//! Claims about every codec; each is one row of [`ALL`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    net::IpAddr,
    time::Duration,
};

use proptest::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

use super::*;
use crate::AppError;

/// In the order of their numbers in the handshake.
const ALL: &[Codec] = &[
    Codec::Bincode,
    #[cfg(feature = "postcard")]
    Codec::Postcard,
    #[cfg(feature = "json")]
    Codec::Json,
];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    New(u64),
    Tuple(i8, String),
    Struct { names: Vec<String>, by_name: BTreeMap<String, f64>, raw: Bytes, none: Option<u8> },
    Boxed(Box<Shape>),
    Nothing(()),
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
        Shape::Nothing(()),
    ]
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Marker;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Colour {
    Red,
    Green,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Name(String);

/// Everything that all codecs carry, in one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Rich {
    unsigned: (u8, u16, u32, u64, u128),
    signed: (i8, i16, i32, i64, i128),
    floats: Vec<f64>,
    small_floats: [f32; 3],
    text: (char, String, Name),
    bytes: (Bytes, Vec<u8>, [u8; 4]),
    nested_option: Option<Vec<Option<u8>>>,
    options: (Option<String>, Option<Box<Colour>>),
    nothing: ((), Marker, [u8; 0], Vec<()>, Vec<Marker>),
    by_number: BTreeMap<i64, Vec<Colour>>,
    by_colour: BTreeMap<Colour, Colour>,
    by_name: BTreeMap<Name, BTreeMap<bool, char>>,
    set: BTreeSet<Vec<u16>>,
    results: Vec<Result<u8, String>>,
    shapes: Vec<Shape>,
    others: (Uuid, IpAddr, Duration, AppError),
    last: bool,
}

fn rich() -> Rich {
    Rich {
        unsigned: (u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX),
        signed: (i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN),
        floats: vec![0.0, -0.0, 0.1, -1e300, f64::MIN_POSITIVE / 3.0, f64::MAX, 5e-324, 1.0 / 3.0],
        small_floats: [f32::MAX, f32::EPSILON, 0.1],
        text: ('\u{10ffff}', "\0\t\"\\/\u{7f}\u{2028}grüße 🦀".into(), Name("a name".into())),
        bytes: (Bytes::from((0..=255).collect::<Vec<u8>>()), vec![0, 128, 255], *b"\r\n\r\n"),
        nested_option: Some(vec![Some(1), None]),
        options: (None, Some(Box::new(Colour::Green))),
        nothing: ((), Marker, [], vec![(); 3], vec![Marker; 2]),
        by_number: [(i64::MIN, vec![]), (-1, vec![Colour::Red, Colour::Green])].into(),
        by_colour: [(Colour::Red, Colour::Green), (Colour::Green, Colour::Red)].into(),
        by_name: [(Name(String::new()), [(true, 'é'), (false, '"')].into()), (Name("b".into()), [].into())]
            .into(),
        set: [vec![], vec![1, 2], vec![u16::MAX]].into(),
        results: vec![Ok(1), Err("no".into())],
        shapes: shapes(),
        others: (
            Uuid::from_u128(7),
            [127, 0, 0, 1].into(),
            Duration::new(u64::MAX, 999_999_999),
            AppError::msg("no such account"),
        ),
        last: true,
    }
}

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    for codec in ALL {
        let bytes = codec.encode(value).unwrap();
        assert_eq!(&codec.decode::<T>(&bytes).unwrap(), value, "{codec:?}");
    }
}

#[test]
fn what_is_encoded_is_decoded() {
    comes_back(&rich());
    shapes().iter().for_each(comes_back);
    comes_back(&());
    comes_back(&Marker);
    comes_back(&(u64::MAX, i64::MIN));
    comes_back(&String::new());
    comes_back(&Bytes::new());
    comes_back(&Vec::<String>::new());
    comes_back(&BTreeMap::<u8, u8>::new());
    comes_back(&(None::<u8>,));
}

#[test]
fn all_of_unicode_comes_back() {
    comes_back(&('\0'..=char::MAX).collect::<String>());
}

#[test]
fn a_float_comes_back_with_its_sign() {
    for codec in ALL {
        let zero: f64 = codec.decode(&codec.encode(&-0.0).unwrap()).unwrap();
        assert!(zero.is_sign_negative(), "{codec:?}");
    }
}

#[test]
fn the_numbers_in_the_handshake_are_those_of_the_codecs_there_are() {
    let known: Vec<_> = (0..=u8::MAX).filter_map(Codec::from_wire).collect();
    assert_eq!(known, ALL);
    assert!(ALL.iter().all(|&codec| Codec::from_wire(codec.to_wire()) == Some(codec)));
}

/// The value whose bytes are written down, once a codec.
fn golden() -> (Shape, Shape, Option<u16>, BTreeMap<u8, bool>) {
    let mut shapes = shapes();
    (shapes.swap_remove(3), Shape::Tuple(-1, "é".into()), Some(300), [(7, true)].into())
}

fn assert_golden(codec: Codec, expected: &[&[u8]]) {
    let bytes = codec.encode(&golden()).unwrap();
    assert_eq!(bytes.escape_ascii().to_string(), expected.concat().escape_ascii().to_string());
}

#[test]
fn the_bytes_of_bincode() {
    let expected: [&[u8]; 6] = [
        &[3, 2, 1, b'a', 0],                         // variant, names
        &[1, 1, b'x', 0, 0, 0, 0, 0, 0, 0xe0, 0x3f], // by_name
        &[2, 0, 255, 0],                             // raw, none
        &[2, 255, 2, 0xc3, 0xa9],                    // variant, a byte, a text
        &[1, 251, 44, 1],                            // some, a mark for 16 bits, 300
        &[1, 7, 1],                                  // the map
    ];
    assert_golden(Codec::Bincode, &expected);
}

#[cfg(feature = "postcard")]
#[test]
fn the_bytes_of_postcard() {
    let expected: [&[u8]; 6] = [
        &[3, 2, 1, b'a', 0],                         // variant, names
        &[1, 1, b'x', 0, 0, 0, 0, 0, 0, 0xe0, 0x3f], // by_name
        &[2, 0, 255, 0],                             // raw, none
        &[2, 255, 2, 0xc3, 0xa9],                    // variant, a byte, a text
        &[1, 0xac, 2],                               // some, 300 in groups of 7 bits
        &[1, 7, 1],                                  // the map
    ];
    assert_golden(Codec::Postcard, &expected);
}

#[cfg(feature = "json")]
#[test]
fn the_text_of_json() {
    let expected: [&[u8]; 4] = [
        br#"[{"Struct":{"names":["a",""],"by_name":{"x":0.5},"raw":[0,255],"none":null}},"#,
        "{\"Tuple\":[-1,\"é\"]},".as_bytes(),
        b"300,",
        br#"{"7":true}]"#,
    ];
    assert_golden(Codec::Json, &expected);
}

#[test]
fn every_truncation_and_every_trailing_byte_is_an_error() {
    for codec in ALL {
        let mut bytes = codec.encode(&rich()).unwrap().to_vec();
        for length in 0..bytes.len() {
            assert!(codec.decode::<Rich>(&bytes[..length]).is_err(), "{codec:?} cut to {length}");
        }
        for byte in [0, b'1', b'}', 255] {
            bytes.push(byte);
            assert!(codec.decode::<Rich>(&bytes).is_err(), "{codec:?} and {byte}");
            bytes.pop();
        }
        assert!(codec.decode::<()>(&[&codec.encode(&()).unwrap()[..], &[0]].concat()).is_err());
    }
}

#[test]
fn bytes_that_are_left_over_are_counted() {
    for codec in binary() {
        let error = codec.decode::<u8>(&[1, 2, 3]).unwrap_err();
        assert_eq!(error.to_string(), "2 bytes are left after the value");
    }
}

fn binary() -> impl Iterator<Item = Codec> {
    ALL.iter().copied().filter(|codec| codec.encode(&()).unwrap().is_empty())
}

/// A length of 2⁶² as the codec announces it. Whoever believes it asks for all of it at once, and aborts.
fn bomb(codec: Codec) -> Vec<u8> {
    if codec == Codec::Bincode {
        [&[253][..], &(1u64 << 62).to_le_bytes()].concat()
    } else {
        vec![0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]
    }
}

#[test]
fn an_announced_length_allocates_nothing() {
    for codec in binary() {
        let bomb = [&bomb(codec)[..], b"abc"].concat();
        assert!(codec.decode::<String>(&bomb).is_err());
        assert!(codec.decode::<Bytes>(&bomb).is_err());
        assert!(codec.decode::<Vec<u64>>(&bomb).is_err());
        assert!(codec.decode::<Vec<Vec<String>>>(&bomb).is_err());
        assert!(codec.decode::<Vec<[u64; 32]>>(&bomb).is_err());
        assert!(codec.decode::<BTreeMap<u8, String>>(&bomb).is_err());
        assert!(codec.decode::<std::collections::HashMap<u64, [u64; 32]>>(&bomb).is_err());
    }
}

#[test]
fn elements_without_size_do_not_loop_for_ever() {
    for codec in binary() {
        let error = codec.decode::<Vec<()>>(&bomb(codec)).unwrap_err();
        assert_eq!(error.to_string(), "more elements than the message has bytes for");
        assert!(codec.decode::<BTreeMap<(), ()>>(&bomb(codec)).is_err());
    }
}

/// Whether a value was refused for its nesting, by this crate or by serde_json.
fn is_too_deep(error: &CodecError) -> bool {
    let text = error.to_string();
    text == "nested deeper than 128 levels" || text.starts_with("recursion limit exceeded")
}

#[test]
fn a_recursive_type_ends_with_an_error_before_the_stack_does() {
    for codec in ALL {
        let nest = |depth| (0..depth).fold(Shape::Unit, |shape, _| Shape::Boxed(Box::new(shape)));
        let deep = codec.encode(&nest(1_000)).unwrap();
        let error = codec.decode::<Shape>(&deep).unwrap_err();
        assert!(is_too_deep(&error), "{codec:?}: {error}");
        let fine = nest(100);
        assert_eq!(codec.decode::<Shape>(&codec.encode(&fine).unwrap()).unwrap(), fine);
    }
}

/// In JSON a level of it takes no text at all.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

#[test]
fn a_type_that_nests_without_brackets_ends_with_an_error_too() {
    for codec in ALL {
        // Some of some of some; and in JSON a number, which is no `null` however often one looks.
        let link: &[u8] = if codec.encode(&()).unwrap().is_empty() { &[1; 1_000] } else { b"1" };
        let error = codec.decode::<Chain>(link).unwrap_err();
        assert_eq!(error.to_string(), "nested deeper than 128 levels", "{codec:?}");
    }
}

#[test]
fn a_message_that_quotes_the_peer_is_cut() {
    for codec in ALL {
        let Ok(long) = codec.encode(&"é".repeat(100_000)) else { continue };
        let error = codec.decode::<Colour>(&long).unwrap_err();
        assert!(error.to_string().len() <= CodecError::MESSAGE_BYTES_MAX + '…'.len_utf8());
    }
}

#[cfg(feature = "json")]
mod json {
    use super::*;

    fn text<T: Serialize>(value: T) -> Result<String, String> {
        let text = Codec::Json.encode(&value).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(text.to_vec()).unwrap())
    }

    fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        Codec::Json.decode(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_client_in_another_language_sends_and_gets() {
        assert_eq!(text(()).unwrap(), "null");
        assert_eq!(text(("Ann".to_owned(),)).unwrap(), r#"["Ann"]"#);
        assert_eq!(text(("Ann".to_owned(), 3)).unwrap(), r#"["Ann",3]"#);
        assert_eq!(text(((),)).unwrap(), "[null]");
        let error = AppError::from(std::io::Error::other("disk full"));
        assert_eq!(text(error).unwrap(), r#"{"message":"disk full","causes":[]}"#);
        assert_eq!(text(Shape::Unit).unwrap(), r#""Unit""#);
        assert_eq!(text(Shape::New(u64::MAX)).unwrap(), r#"{"New":18446744073709551615}"#);
        assert_eq!(parsed::<(String, i32)>(" [\"Ann\" ,\t3 ]\r\n").unwrap(), ("Ann".to_owned(), 3));
        assert_eq!(parsed::<Bytes>(r#""text""#).unwrap(), "text");
    }

    #[test]
    fn members_may_be_missing_unknown_and_in_any_order() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Order {
            count: u8,
            note: Option<String>,
        }
        let order = Order { count: 2, note: None };
        assert_eq!(parsed::<Order>(r#"{"new":[{}],"count":2}"#).unwrap(), order);
        assert!(parsed::<Order>(r#"{"count":2,"count":2}"#).is_err());
    }

    #[test]
    fn types_that_look_at_the_value_first_are_carried_by_json_alone() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        enum Tagged {
            Circle { radius: f64 },
        }
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        #[serde(untagged)]
        enum Untagged {
            Number(u64),
            Text(String),
        }
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Flat {
            #[serde(flatten)]
            rest: BTreeMap<String, Untagged>,
        }
        let rest =
            [("a".to_owned(), Untagged::Number(u64::MAX)), ("b".to_owned(), Untagged::Text("x".into()))];
        let value = (Tagged::Circle { radius: 0.5 }, Flat { rest: rest.into() });
        let json = r#"[{"kind":"Circle","radius":0.5},{"a":18446744073709551615,"b":"x"}]"#;
        assert_eq!(text(&value).unwrap(), json);
        assert_eq!(parsed::<(Tagged, Flat)>(json).unwrap(), value);
        for codec in binary() {
            assert!(codec.decode::<Tagged>(&codec.encode(&value.0).unwrap()).is_err());
            assert!(codec.decode::<Untagged>(&codec.encode(&Untagged::Number(1)).unwrap()).is_err());
            assert!(codec.encode(&value.1).is_err());
        }
    }

    #[test]
    fn what_would_arrive_as_another_value_is_refused() {
        assert_eq!(text(f64::NAN).unwrap_err(), "JSON has no NaN");
        assert_eq!(text([f32::NEG_INFINITY]).unwrap_err(), "JSON has no -inf");
        let ambiguous = "JSON has one `null`: a `Some` of it would be read as `None`";
        assert_eq!(text(Some(None::<u8>)).unwrap_err(), ambiguous);
        assert_eq!(text((1, Some(()))).unwrap_err(), ambiguous);
        assert_eq!(text([Some(Marker)]).unwrap_err(), ambiguous);
        assert_eq!(text(Some(Chain(None))).unwrap_err(), ambiguous);
        assert_eq!(text(Some(Some(1))).unwrap(), "1");
        assert_eq!(text(Some(Shape::Nothing(()))).unwrap(), r#"{"Nothing":null}"#);
        assert_eq!(text(Some([None::<u8>])).unwrap(), "[null]");
        let pairs: BTreeMap<(u8, u8), u8> = [((1, 2), 3)].into();
        assert_eq!(text(pairs).unwrap_err(), "key must be a string");
        let optional: BTreeMap<Option<u8>, u8> = [(None, 3)].into();
        assert_eq!(text(optional).unwrap_err(), "key must be a string");
    }

    #[test]
    fn text_that_is_not_json_is_refused_and_the_place_is_named() {
        assert_eq!(parsed::<u8>("").unwrap_err(), "EOF while parsing a value at line 1 column 0");
        for wrong in
            ["1 2", "01", "+1", "1.", "NaN", "1e999", "256", "-1", "null", "[1]", "1,", "1/**/", "\u{feff}1"]
        {
            assert!(parsed::<u8>(wrong).is_err(), "{wrong}");
        }
        for wrong in [r#""\ud800""#, r#""\x41""#, "\"\n\"", "\"", "'a'"] {
            assert!(parsed::<String>(wrong).is_err(), "{wrong}");
        }
        assert!(Codec::Json.decode::<String>(b"\"\xff\"").is_err());
        assert!(Codec::Json.decode::<String>(b"\"\xed\xa0\x80\"").is_err());
        assert_eq!(parsed::<(u8,)>("[1,2]").unwrap_err(), "trailing characters at line 1 column 4");
    }

    #[test]
    fn arrays_objects_and_skipped_members_nest_so_deep_and_no_deeper() {
        #[derive(Debug, Deserialize)]
        #[serde(untagged)]
        enum Any {
            #[expect(dead_code, reason = "read by nobody")]
            List(Vec<Any>),
            Null(()),
        }
        let nested = |depth| format!("{}null{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parsed::<Any>(&nested(60)).is_ok());
        for depth in [128, 100_000] {
            let error = parsed::<Any>(&nested(depth)).unwrap_err();
            assert!(is_too_deep(&CodecError::new(&error)), "{error}");
            assert!(parsed::<Any>(&"{\"\":".repeat(depth)).is_err());
        }
        // A member that is skipped takes no stack.
        #[derive(Debug, Deserialize)]
        struct Empty {}
        let skipped = format!(r#"{{"other":{}}}"#, nested(100_000));
        assert!(parsed::<Empty>(&skipped).is_ok());
        assert!(parsed::<Empty>(&skipped[..100_000]).is_err());
    }
}

/// Bytes that begin like a value and go on like none.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8);
    (0..ALL.len(), changes).prop_map(|(codec, changes)| {
        let mut bytes = ALL[codec].encode(&rich()).unwrap().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

fn decode_as_everything(bytes: &[u8]) {
    for codec in ALL {
        // Whether it decodes is chance; that it ends is the claim.
        let _ = codec.decode::<Rich>(bytes);
        let _ = codec.decode::<Shape>(bytes);
        let _ = codec.decode::<Chain>(bytes);
        let _ = codec.decode::<Vec<Vec<()>>>(bytes);
        let _ = codec.decode::<BTreeMap<String, Option<u128>>>(bytes);
        let _ = codec.decode::<(Bytes, char, f32)>(bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        decode_as_everything(&bytes);
    }

    #[test]
    fn garbage_that_looks_like_json_never_panics(text in r#"[\[\]{}",:0-9eE.\\unull \-]{0,200}"#) {
        decode_as_everything(text.as_bytes());
    }

    #[test]
    fn a_damaged_value_never_panics(bytes in damaged()) {
        decode_as_everything(&bytes);
    }

    #[test]
    fn every_float_and_every_integer_comes_back(
        float in any::<f64>(), small in any::<f32>(), wide in any::<i128>(), text in any::<String>(),
    ) {
        comes_back(&(Some(float).filter(|f| f.is_finite()), Some(small).filter(|f| f.is_finite()), wide, text));
    }
}
