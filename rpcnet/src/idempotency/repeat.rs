//! What a call says of the attempts before it, in this process's time. Pure.

use std::time::Instant;

use crate::wire::RepeatHead;

/// What a call says of the attempts before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeat {
    /// When the first of them began, by this process's clock, and not later than it did.
    pub(crate) first_began: Instant,
    /// One of them may have reached another process than this.
    pub(crate) elsewhere: bool,
    /// It is older than any clock here.
    pub(crate) beyond: bool,
}

impl Repeat {
    /// Reads what came at `now` on a connection that was taken up at `accepted`.
    ///
    /// The client counts from when it saw the connection open, which was after it was taken up here: counted from then, the
    /// first attempt began no later than it did, however long the repeat was on its way. Where the two clocks do not
    /// run alike over a long connection, counting back from now may be the better bound; the earlier of both is taken.
    pub(crate) fn read(head: RepeatHead, accepted: Instant, now: Instant) -> Self {
        let RepeatHead { age, connected, elsewhere } = head;
        let Some(by_arrival) = now.checked_sub(age) else {
            // What is older than any clock here is older than this process.
            return Self { first_began: accepted, elsewhere: true, beyond: true };
        };
        let by_connection = match connected.checked_sub(age) {
            Some(after) => accepted.checked_add(after),
            None => accepted.checked_sub(age - connected),
        };
        let first_began = by_connection.map_or(by_arrival, |began| began.min(by_arrival));
        Self { first_began, elsewhere, beyond: false }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A first attempt was sent `first` seconds after its client saw the connection open, and a repeat 60 seconds after; it
    /// was `way` seconds on its way.
    fn read(first: i32, way: u32) -> (Repeat, Instant, Instant) {
        let accepted = Instant::now() + 1000 * SECOND;
        let opened = accepted + SECOND;
        let age = if first < 0 {
            60 * SECOND + first.unsigned_abs() * SECOND
        } else {
            (60 - first as u32) * SECOND
        };
        let began = opened + 60 * SECOND - age;
        let head = RepeatHead { age, connected: 60 * SECOND, elsewhere: false };
        (Repeat::read(head, accepted, opened + (60 + way) * SECOND), accepted, began)
    }

    #[test]
    fn time_on_the_way_makes_no_repeat_younger() {
        for first in [-100, -1, 0, 1, 30, 59] {
            for way in [0, 1, 30] {
                let (repeat, _, began) = read(first, way);
                assert!(repeat.first_began <= began, "sent at {first}, {way} on the way");
                assert!(began - repeat.first_began <= SECOND, "the handshake's time is all that is added");
            }
        }
    }

    #[test]
    fn what_was_sent_on_this_connection_did_not_begin_before_it() {
        let (repeat, accepted, _) = read(0, 30);
        assert_eq!(repeat, Repeat { first_began: accepted, elsewhere: false, beyond: false });
    }

    #[test]
    fn what_is_older_than_any_clock_may_have_gone_elsewhere() {
        let now = Instant::now();
        let head = RepeatHead { age: Duration::MAX, connected: Duration::ZERO, elsewhere: false };
        assert!(Repeat::read(head, now, now).elsewhere);
        let head = RepeatHead { age: SECOND, connected: Duration::MAX, elsewhere: false };
        assert_eq!(Repeat::read(head, now, now).first_began, now - SECOND, "nonsense makes nothing younger");
    }
}
