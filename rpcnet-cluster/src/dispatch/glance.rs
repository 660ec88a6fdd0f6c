//! What all calls want to know of a circuit breaker, and few change.

use std::sync::atomic::{AtomicU64, Ordering};

use super::breaker::{Breaker, Ticket};

/// A breaker's state at a glance, without its lock: calls look at each worker they could go to.
#[derive(Debug)]
pub(super) struct Glance(AtomicU64);

impl Glance {
    /// In place of a ticket: the breaker is not closed, and has to be asked.
    const NOT_CLOSED: u64 = u64::MAX;

    pub(super) fn of(breaker: &Breaker) -> Self {
        let glance = Self(AtomicU64::new(Self::NOT_CLOSED));
        glance.set(breaker);
        glance
    }

    /// The breaker may have changed.
    pub(super) fn set(&self, breaker: &Breaker) {
        let ticket = breaker.ticket_if_closed().map_or(Self::NOT_CLOSED, Ticket::to_bits);
        self.0.store(ticket, Ordering::Release);
    }

    /// The ticket of whoever is picked now; nothing unless the breaker is closed.
    pub(super) fn closed(&self) -> Option<Ticket> {
        let bits = self.0.load(Ordering::Acquire);
        (bits != Self::NOT_CLOSED).then_some(Ticket::from_bits(bits))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::dispatch::breaker::Verdict;

    #[test]
    fn a_closed_breaker_gives_the_ticket_it_would_give_itself_and_an_open_one_has_to_be_asked() {
        let (now, mut breaker) = (Instant::now(), Breaker::default());
        let glance = Glance::of(&breaker);
        let later = now + Duration::from_secs(1);
        assert_eq!(glance.closed(), Some(breaker.handle_picked(now, later, later)));
        breaker.handle_refused(now, 0.5);
        glance.set(&breaker);
        assert_eq!(glance.closed(), None);
        breaker.handle_connected();
        glance.set(&breaker);
        let ticket = glance.closed().expect("it is closed again");
        breaker.handle_ended(now, ticket, Verdict::Served, 0.5);
        assert_eq!(ticket, breaker.handle_picked(now, later, later), "and not one from before it opened");
    }
}
