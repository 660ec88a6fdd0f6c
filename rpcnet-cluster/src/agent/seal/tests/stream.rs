//! Sealed streams: both ends, and somebody between them.

use bytes::BytesMut;
use proptest::prelude::*;

use super::super::{Cluster, FRAME_BYTES_MAX, Line, Ring};
use super::{cluster, hex, key, namesake, ring};
use crate::membership::Unreadable;

/// An end, with what it has heard so far.
struct Side {
    line: Line,
    ring: Ring,
    input: BytesMut,
    heard: BytesMut,
}

impl Side {
    fn asking(salt: u8) -> Self {
        Self::new(Line::asking(cluster(), &ring(7), [salt; 16]), ring(7))
    }

    fn answering(salt: u8) -> Self {
        Self::new(Line::answering(cluster(), [salt; 16]), ring(7))
    }

    fn new(line: Line, ring: Ring) -> Self {
        Self { line, ring, input: BytesMut::new(), heard: BytesMut::new() }
    }

    fn say(&mut self, text: &[u8]) -> Vec<u8> {
        self.frame(text, false)
    }

    fn frame(&mut self, text: &[u8], last: bool) -> Vec<u8> {
        let mut out = BytesMut::new();
        self.line.seal(text, last, &mut out);
        out.to_vec()
    }

    /// Everything that can be opened of what has arrived.
    fn hear(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        self.input.extend_from_slice(bytes);
        while self.line.open(&self.ring, &mut self.input, &mut self.heard)? {}
        Ok(())
    }
}

/// Two ends that have greeted each other, and what they sent for it.
fn greeted(asker_salt: u8, answerer_salt: u8) -> (Side, Side, Vec<u8>, Vec<u8>) {
    let (mut asker, mut answerer) = (Side::asking(asker_salt), Side::answering(answerer_salt));
    let question = asker.say(b"hello");
    answerer.hear(&question).unwrap();
    let answer = answerer.say(b"welcome");
    asker.hear(&answer).unwrap();
    assert_eq!((&*asker.heard, &*answerer.heard), (&b"welcome"[..], &b"hello"[..]));
    (asker, answerer, question, answer)
}

proptest! {
    #[test]
    fn texts_arrive_as_they_were_however_the_bytes_are_cut(
        texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..8),
        pieces in 1_usize..50,
    ) {
        let (mut asker, mut answerer, ..) = greeted(1, 2);
        for (from, to) in [(&mut asker, &mut answerer)] {
            let mut wire: Vec<u8> = texts.iter().flat_map(|text| from.say(text)).collect();
            wire.extend(from.frame(&[], true));
            to.heard.clear();
            for piece in wire.chunks(pieces) {
                to.hear(piece).unwrap();
            }
            prop_assert_eq!(&*to.heard, &*texts.concat());
            prop_assert!(to.line.is_ended());
        }
        asker.heard.clear();
        let wire: Vec<u8> = texts.iter().flat_map(|text| answerer.say(text)).collect();
        wire.chunks(pieces).try_for_each(|piece| asker.hear(piece)).unwrap();
        prop_assert_eq!(&*asker.heard, &*texts.concat());
        prop_assert!(!asker.line.is_ended(), "more may come");
    }

    #[test]
    fn garbage_never_opens(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for mut side in [Side::asking(1), Side::answering(2)] {
            let _ = side.hear(&bytes);
            prop_assert!(side.heard.is_empty() && !side.line.is_ended());
        }
    }
}

#[test]
fn a_stream_changed_in_any_bit_gives_no_text_that_was_not_sent_and_no_end() {
    let wire = |side: &mut Side| [side.say(b"one"), side.say(b"two"), side.frame(b"", true)];
    let (mut asker, _, greeting, _) = greeted(1, 2);
    let frames = wire(&mut asker);
    let bytes: Vec<u8> = [&greeting].into_iter().chain(&frames).flatten().copied().collect();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            let mut answerer = Side::answering(2);
            let result = answerer.hear(&changed);
            // A longer length waits for bytes that never come: the stream's end then finds it cut.
            assert!(result.is_err() || !answerer.line.is_ended(), "byte {place}, bit {bit}");
            assert!(b"helloonetwo".starts_with(&answerer.heard), "byte {place}, bit {bit}");
        }
    }
}

#[test]
fn frames_cannot_be_left_out_repeated_or_exchanged() {
    for order in [&[1][..], &[0, 0], &[1, 0], &[0, 2], &[2]] {
        let (mut asker, mut answerer, ..) = greeted(1, 2);
        let frames = [asker.say(b"one"), asker.say(b"two"), asker.frame(b"", true)];
        let result = order.iter().try_for_each(|&place: &usize| answerer.hear(&frames[place]));
        assert_eq!(result, Err(Unreadable::Forged), "{order:?}");
        assert!(!answerer.line.is_ended());
    }
}

#[test]
fn the_end_is_said_and_nothing_comes_after_it() {
    let (mut asker, mut answerer, ..) = greeted(1, 2);
    answerer.hear(&asker.say(b"all of it")).unwrap();
    assert!(!answerer.line.is_ended(), "cut here, the stream is not whole");
    answerer.hear(&asker.frame(b"", true)).unwrap();
    assert!(answerer.line.is_ended());
    assert_eq!(answerer.hear(&asker.say(b"more")), Err(Unreadable::Malformed));
}

#[test]
fn what_an_end_said_cannot_be_sent_back_to_it() {
    let mut asker = Side::asking(1);
    let question = asker.say(b"hello");
    assert_eq!(asker.hear(&question), Err(Unreadable::Forged), "to the asker");
    let (mut asker, mut answerer, _, welcome) = greeted(1, 2);
    let said = answerer.say(b"more");
    assert_eq!(answerer.hear(&said), Err(Unreadable::Forged), "to the answerer");
    let asked = asker.say(b"more");
    assert_eq!(asker.hear(&asked), Err(Unreadable::Forged), "in the middle");
    assert_eq!(Side::answering(3).hear(&welcome), Err(Unreadable::Forged), "as a question");
}

#[test]
fn a_recorded_question_opens_again_only_as_far_as_its_greeting() {
    let (mut asker, _, hello, _) = greeted(1, 2);
    let question = asker.say(b"join me");
    let mut another = Side::answering(3);
    another.hear(&hello).unwrap();
    assert_eq!((another.hear(&question), &*another.heard), (Err(Unreadable::Forged), &b"hello"[..]));
}

#[test]
fn a_recorded_answer_answers_no_other_question() {
    let (_, mut answerer, _, welcome) = greeted(1, 2);
    let more = answerer.say(b"more");
    let mut other = Side::asking(3);
    other.say(b"hello");
    assert_eq!(other.hear(&welcome), Err(Unreadable::Forged));
    let (mut third, ..) = greeted(4, 5);
    assert_eq!(third.hear(&more), Err(Unreadable::Forged));
}

#[test]
fn nothing_is_sealed_for_an_asker_that_has_proved_nothing() {
    let (mut asker, mut answerer) = (Side::asking(1), Side::answering(2));
    assert!(asker.line.can_seal() && !answerer.line.can_seal());
    let hello = asker.say(b"hello");
    assert!(!asker.line.can_seal(), "what follows is bound to the answer");
    answerer.hear(&hello[..hello.len() - 1]).unwrap();
    assert!(!answerer.line.can_seal(), "a preamble proves nothing");
    answerer.hear(&hello[hello.len() - 1..]).unwrap();
    assert!(answerer.line.can_seal());
}

#[test]
fn why_a_stream_does_not_open_is_told_apart_and_public_mistakes_are_answered() {
    let hello = Side::asking(1).say(b"hello");
    let heard = |cluster: Cluster, ring: Ring, bytes: &[u8]| {
        let mut side = Side::new(Line::answering(cluster, [2; 16]), ring);
        let why = side.hear(bytes).unwrap_err();
        (why, side.line.refusal(&side.ring, why).map(|preamble| preamble.to_vec()))
    };
    let (why, refusal) = heard(cluster(), ring(8), &hello);
    assert_eq!(why, Unreadable::UnknownKey);
    assert_eq!(
        Side::asking(1).hear(&refusal.unwrap()),
        Err(Unreadable::UnknownKey),
        "and so the asker hears"
    );
    let (why, refusal) = heard(Cluster::new("other"), ring(7), &hello);
    assert_eq!(why, Unreadable::OtherCluster);
    assert_eq!(Side::asking(1).hear(&refusal.unwrap()), Err(Unreadable::OtherCluster));
    let (why, refusal) = heard(cluster(), ring(7), b"RpcN");
    assert_eq!((why, refusal.is_some()), (Unreadable::Plaintext, true));
    assert_eq!(
        heard(namesake(), ring(7), &hello),
        (Unreadable::Forged, None),
        "silence is all a forger hears"
    );
    assert_eq!(heard(cluster(), ring(7), b"GET / HTTP/1.1"), (Unreadable::Malformed, None));
    assert_eq!(heard(cluster(), ring(7), &[0xf2; 30]).0, Unreadable::Version);
}

#[test]
fn the_answerer_uses_the_askers_key_even_if_its_own_primary_is_another() {
    let mut both = ring(8);
    both.add(key(7)).unwrap();
    let mut answerer = Side::new(Line::answering(cluster(), [2; 16]), both);
    let mut asker = Side::asking(1);
    answerer.hear(&asker.say(b"hello")).unwrap();
    asker.hear(&answerer.say(b"welcome")).unwrap();
    assert_eq!(&*asker.heard, b"welcome");
}

#[test]
fn a_length_beyond_the_largest_frame_is_refused_before_it_is_waited_for() {
    let (mut asker, mut answerer, ..) = greeted(1, 2);
    let full = asker.say(&vec![0; FRAME_BYTES_MAX]);
    answerer.hear(&full).unwrap();
    let length = (FRAME_BYTES_MAX as u16 + 1).to_be_bytes();
    assert_eq!(answerer.hear(&length), Err(Unreadable::Malformed));
}

#[test]
fn a_sealed_conversation_has_these_bytes() {
    // As computed by a second implementation, from RFC 8439 and the XChaCha draft.
    let (mut asker, mut answerer, hello, welcome) = greeted(1, 2);
    assert_eq!(
        hex(&hello),
        "f111801a58ddb02e010101010101010101010101010101010005ce6cb80b07a4f52983ef54a285a707cb38440d6593"
    );
    assert_eq!(
        hex(&welcome),
        "f111801a58ddb02e0202020202020202020202020202020200078d24694ada9d22e09850389616ed74492b2b7da0fbd1\
         41"
    );
    assert_eq!(hex(&asker.say(b"ask")), "00035fb617b9c28cb36f060044d296e0b10cb19861");
    assert_eq!(hex(&answerer.frame(b"", true)), "8000d612112bae4b954dd9f7ddd7d98737d5");
}
