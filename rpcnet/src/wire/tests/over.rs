//! A connection that is over: it has said so, and says nothing more.

use super::*;
use crate::wire::flow::Items;

fn streaming(pair: &mut Pair, timeout: Option<Duration>) -> StreamId {
    let head = CallHead { streaming: true, items: true, ..head(timeout) };
    pair.client.connection.open(pair.now, &Call { head, payload: Bytes::new() }).unwrap()
}

#[test]
fn a_deadline_that_passes_after_the_end_is_nobodys_business() {
    let mut pair = Pair::new();
    streaming(&mut pair, Some(Duration::from_secs(1)));
    pair.open_with("", Some(Duration::from_secs(1)));
    pair.exchange();
    pair.server.connection.handle_end(&[], None);
    assert!(matches!(pair.server.drain().last(), Some(Output::Closed(CloseReason::Ended))));
    pair.server.connection.handle_timeout(pair.now + Duration::from_secs(2));
    assert!(pair.server.drain().is_empty(), "`Closed` is the last output");
    assert!(pair.server.transmit().is_empty(), "nothing is said to a peer that is gone");
}

#[test]
fn a_writer_that_is_held_back_is_not_told_to_go_on_after_the_end() {
    let mut pair = Pair::new();
    let id = streaming(&mut pair, None);
    let others: Vec<_> = (0..40).map(|_| pair.open_with("", None)).collect();
    pair.exchange();
    pair.server.drain();
    pair.server.connection.reply(id, Ok(ok("")), true);
    // More than one write: the item has to wait.
    for other in others {
        pair.server.connection.reply(other, Ok(ok(vec![1; 10_000])), false);
    }
    let mut items = Items::from_iter([Bytes::from_static(b"item")]);
    assert_eq!(pair.server.connection.write(id, &mut items), Writing::Wait);
    pair.server.connection.handle_end(&[], None);
    pair.server.drain();
    pair.server.transmit();
    assert!(pair.server.drain().is_empty(), "`Closed` is the last output");
}

/// A call with a stream and the cancel of it, in one read.
#[test]
fn a_call_that_is_over_before_anything_was_told_is_told_of_in_order() {
    let mut pair = Pair::new();
    let id = streaming(&mut pair, None);
    let mut bytes = pair.client.transmit();
    pair.client.connection.close(id);
    bytes.extend_from_slice(&pair.client.transmit());
    pair.server.connection.handle_bytes(pair.now, &mut bytes);
    let said = pair.server.drain();
    assert!(matches!(said.first(), Some(Output::Called(_))), "{said:?}");
    assert!(
        matches!(said[1..], [Output::Abandoned(_), Output::Readable(_), Output::Writable(_)]),
        "{said:?}"
    );
}

#[test]
fn whoever_writes_a_stream_is_told_of_the_end_before_it() {
    let mut pair = Pair::new();
    let id = streaming(&mut pair, None);
    pair.exchange();
    pair.client.drain();
    pair.client.connection.handle_end(&[], None);
    let said = pair.client.drain();
    assert!(said.iter().any(|output| matches!(output, Output::Writable(told) if *told == id)), "{said:?}");
    assert!(matches!(said.last(), Some(Output::Closed(_))), "{said:?}");
    pair.client.connection.close(id);
    assert!(pair.client.drain().is_empty() && !pair.client.connection.has_output());
}
