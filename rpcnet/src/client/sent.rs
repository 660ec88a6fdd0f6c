//! Which request ids a client has sent, and when first: how a repeat is known for one.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use parking_lot::Mutex;
use uuid::Uuid;

/// What a repeat says of the attempts before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted {
    /// When the first of them was sent, or earlier.
    pub first: Instant,
    /// One of them may have reached another process than the one the call goes to now, which cannot know of it.
    pub elsewhere: bool,
}

/// The request ids a client has sent, each with when it was first sent and to whom, so that a repeat carries its age.
///
/// A server that was started after the first attempt, or has forgotten what is that old, then refuses the repeat instead of
/// running it a second time. For whoever implements a [`Caller`](crate::Caller).
///
/// The last [`IDS_MAX`](Self::IDS_MAX) are known, for as long as the client lives. Who repeats an older one, or one of
/// another client's, says so: [`CallOptions::first_sent_at`](crate::CallOptions::first_sent_at).
///
/// ```
/// use rpcnet::SentIds;
/// use uuid::Uuid;
///
/// # use std::time::Instant;
/// let (sent, id) = (SentIds::new(), Uuid::from_u128(7));
/// assert!(sent.send(Instant::now(), id, "worker-1", None).is_none(), "the first attempt");
/// assert!(sent.send(Instant::now(), id, "worker-2", None).unwrap().elsewhere, "a repeat, at another worker");
/// ```
#[derive(Debug)]
pub struct SentIds<W> {
    ids: Mutex<Ids<W>>,
}

#[derive(Debug)]
struct Ids<W> {
    first: HashMap<Uuid, Sent<W>>,
    order: VecDeque<Uuid>,
}

#[derive(Debug)]
struct Sent<W> {
    first: Instant,
    /// Who may have it, of those this client sent it to the first.
    whom: W,
    /// Others may have it too.
    elsewhere: bool,
    /// More than one attempt was made.
    repeated: bool,
}

impl<W: Copy + PartialEq> SentIds<W> {
    /// How many ids are known: at a thousand keyed calls a second those of the last minute, in some 6 MB at most.
    pub const IDS_MAX: usize = 65_536;

    /// Knows none.
    pub fn new() -> Self {
        Self { ids: Mutex::new(Ids { first: HashMap::new(), order: VecDeque::new() }) }
    }

    /// A request is about to be sent to `whom`; `since` is what its caller says of when it was first sent.
    ///
    /// `None` if it is the first attempt: then [`take_back`](Self::take_back) makes it undone, if it turns out not to have
    /// been taken.
    pub fn send(&self, now: Instant, id: Uuid, whom: W, since: Option<Instant>) -> Option<Attempted> {
        let mut ids = self.ids.lock();
        if let Some(sent) = ids.first.get_mut(&id) {
            sent.repeated = true;
            // An attempt before the first that is known here went nobody here knows where.
            let earlier = since.is_some_and(|since| since < sent.first);
            sent.elsewhere |= sent.whom != whom || earlier;
            sent.first = since.map_or(sent.first, |since| since.min(sent.first));
            return Some(Attempted { first: sent.first, elsewhere: sent.elsewhere });
        }
        if ids.order.len() >= Self::IDS_MAX
            && let Some(oldest) = ids.order.pop_front()
        {
            ids.first.remove(&oldest);
        }
        ids.order.push_back(id);
        // Of attempts that somebody else made it is not known where they went.
        let sent = Sent { first: since.unwrap_or(now), whom, elsewhere: since.is_some(), repeated: false };
        ids.first.insert(id, sent);
        since.map(|first| Attempted { first, elsewhere: true })
    }

    /// To whom a request was sent first, if that is known: it may have run there, and there a repeat is known for one.
    pub fn whom(&self, id: Uuid) -> Option<W> {
        self.ids.lock().first.get(&id).map(|sent| sent.whom)
    }

    /// The first attempt provably did not run: the next one is the first, unless another was made beside it, which may have.
    pub fn take_back(&self, id: Uuid) {
        let mut ids = self.ids.lock();
        if ids.first.get(&id).is_some_and(|sent| !sent.repeated)
            && ids.first.remove(&id).is_some()
            && let Some(at) = ids.order.iter().rposition(|other| *other == id)
        {
            ids.order.remove(at);
        }
    }
}

impl<W: Copy + PartialEq> Default for SentIds<W> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ID: Uuid = Uuid::from_u128(7);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_repeat_says_when_it_was_first_sent_and_whether_to_somebody_else() {
        let (sent, began) = (SentIds::new(), Instant::now());
        assert_eq!(sent.send(began, ID, 'a', None), None);
        let attempted = |elsewhere| Some(Attempted { first: began, elsewhere });
        assert_eq!(sent.send(began + SECOND, ID, 'a', None), attempted(false));
        assert_eq!(sent.send(began + SECOND, ID, 'b', None), attempted(true));
        assert_eq!(sent.send(began + SECOND, ID, 'a', None), attempted(true), "b may have it too");
    }

    #[test]
    fn what_was_not_taken_was_not_sent() {
        let (sent, began) = (SentIds::new(), Instant::now());
        sent.send(began, ID, 'a', None);
        sent.take_back(ID);
        assert_eq!(sent.send(began + SECOND, ID, 'b', None), None);
    }

    #[test]
    fn what_was_sent_twice_at_once_is_known_when_one_was_not_taken() {
        let (sent, began) = (SentIds::new(), Instant::now());
        sent.send(began, ID, 'a', None);
        assert!(sent.send(began, ID, 'a', None).is_some());
        sent.take_back(ID);
        assert!(sent.send(began + SECOND, ID, 'b', None).is_some_and(|attempted| attempted.elsewhere));
    }

    #[test]
    fn what_the_caller_knows_counts() {
        let (sent, began) = (SentIds::new(), Instant::now());
        let attempted = Some(Attempted { first: began, elsewhere: true });
        assert_eq!(sent.send(began + SECOND, ID, 'a', Some(began)), attempted);
        assert_eq!(sent.send(began + SECOND, ID, 'a', None), attempted, "and is not forgotten");
    }

    #[test]
    fn an_attempt_before_those_that_are_known_may_have_gone_anywhere() {
        let (sent, began) = (SentIds::new(), Instant::now());
        sent.send(began + SECOND, ID, 'a', None);
        let attempted = Some(Attempted { first: began, elsewhere: true });
        assert_eq!(sent.send(began + 2 * SECOND, ID, 'a', Some(began)), attempted);
        assert_eq!(sent.send(began + 3 * SECOND, ID, 'a', None), attempted, "and is not forgotten");
    }

    #[test]
    fn a_repeat_is_for_whoever_had_the_first() {
        let (sent, began) = (SentIds::new(), Instant::now());
        assert_eq!(sent.whom(ID), None);
        sent.send(began, ID, 'a', None);
        sent.send(began, ID, 'b', None);
        assert_eq!(sent.whom(ID), Some('a'));
    }

    #[test]
    fn no_more_ids_are_known_than_may_be() {
        let (sent, now) = (SentIds::new(), Instant::now());
        for n in 0..=SentIds::<char>::IDS_MAX as u128 {
            assert_eq!(sent.send(now, Uuid::from_u128(n), 'a', None), None);
        }
        assert!(sent.send(now, Uuid::from_u128(1), 'a', None).is_some());
        assert_eq!(sent.send(now, Uuid::from_u128(0), 'a', None), None, "the oldest made room");
    }
}
