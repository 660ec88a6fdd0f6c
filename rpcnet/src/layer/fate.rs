//! What became of a call behind the layers, and what a layer's error therefore says to the caller.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::time::Instant;
use tower::{load_shed::error::Overloaded, timeout::error::Elapsed};

use super::BoxError;
use crate::{
    body::Streamed,
    client::caller::Name,
    status::{Code, Executed, Reason, Status},
};

/// Shared by whoever has to do with one call: its layers, and what is inside of them.
#[derive(Debug, Clone)]
pub struct Fate {
    /// How often the call was let through and is not known not to have run: a layer may repeat it, even at the same time.
    may_have_run: Arc<AtomicUsize>,
    since: Instant,
    /// Where the call goes, for messages; `None` at the server, whose client names it.
    name: Option<Name>,
}

impl Fate {
    pub(super) fn new(name: Option<Name>) -> Self {
        Self { may_have_run: Arc::default(), since: Instant::now(), name }
    }

    /// When the call came to the first layer.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Lets the call through. If the future is dropped it may have run.
    pub(super) async fn through(
        self,
        call: impl Future<Output = Result<Streamed, Status>>,
    ) -> Result<Streamed, Status> {
        self.may_have_run.fetch_add(1, Ordering::AcqRel);
        let result = call.await;
        if matches!(&result, Err(status) if status.executed() == Executed::No) {
            self.may_have_run.fetch_sub(1, Ordering::AcqRel);
        }
        result
    }

    /// Whether the call ran, when no answer came from inside.
    pub(super) fn executed(&self) -> Executed {
        match self.may_have_run.load(Ordering::Acquire) {
            0 => Executed::No,
            _ => Executed::Unknown,
        }
    }

    /// What an error of a layer says to the caller.
    pub(super) fn status(&self, error: impl Into<BoxError>) -> Status {
        let executed = self.executed();
        let error = match error.into().downcast::<Status>() {
            // A layer cannot know that a call did not run which was let through, unless it was told so from inside.
            Ok(status) if status.executed() == Executed::No => return status.with_executed(executed),
            Ok(status) => return *status,
            Err(error) => error,
        };
        let status = if error.is::<Elapsed>() {
            Status::new(Reason::Deadline, executed, "the time a layer gives calls has passed")
        } else if error.is::<Overloaded>() {
            Status::new(Reason::Overloaded, executed, "a layer refused the call: too many are under way")
        } else {
            Status::with_code(Code::Internal, Reason::Unspecified, executed, error.to_string())
        };
        self.named(status.caused_by_shared(error.into()))
    }

    /// A failure of the layers themselves, with the call's name where nobody else gives it.
    pub(super) fn named(&self, status: Status) -> Status {
        match &self.name {
            Some(name) => status.at(name),
            None => status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(executed: Executed) -> Status {
        Status::new(Reason::Overloaded, executed, "as asked")
    }

    #[tokio::test]
    async fn a_call_may_have_run_from_when_it_is_let_through_until_it_is_known_not_to_have() {
        let fate = Fate::new(None);
        assert_eq!(fate.status("out of luck").executed(), Executed::No);
        let refused = fate.clone().through(std::future::ready(Err(failed(Executed::No)))).await;
        assert_eq!(fate.status(refused.unwrap_err()).executed(), Executed::No);
        drop(fate.clone().through(std::future::pending()));
        assert_eq!(fate.executed(), Executed::No, "a future that was never polled did nothing");

        let mut dropped = Box::pin(fate.clone().through(std::future::pending()));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(dropped.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        drop(dropped);
        let _ = fate.clone().through(std::future::ready(Err(failed(Executed::No)))).await;
        for error in [BoxError::from("gave up"), failed(Executed::No).into()] {
            assert_eq!(fate.status(error).executed(), Executed::Unknown);
        }
        assert_eq!(fate.status(failed(Executed::Yes)).executed(), Executed::Yes, "it was told");
    }

    #[test]
    fn an_error_nobody_knows_keeps_its_text_and_is_the_cause() {
        let status = Fate::new(Some(Name::Static("Bench/echo"))).status("no more tea");
        assert_eq!((status.code(), status.reason()), (Code::Internal, Reason::Unspecified));
        assert_eq!(status.message(), "Bench/echo: no more tea");
        assert_eq!(status.cause().map(ToString::to_string).as_deref(), Some("no more tea"));
    }
}
