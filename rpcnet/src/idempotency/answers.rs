//! What callers are told of requests that are not run: what is known, and what to do.

use std::time::Duration;

use uuid::Uuid;

use super::{limits::CacheLimits, store::StoreError};
use crate::status::{Executed, Reason, Status};

pub(super) fn completed(id: Uuid) -> Status {
    let message = format!(
        "request {id} was completed, and its answer was not kept: it was too large, or made room for others (`CacheLimits`); \
         it is not run again. Read the result where the method left it"
    );
    Status::new(Reason::AlreadyCompleted, Executed::Yes, message)
}

pub(super) fn unknown(id: Uuid) -> Status {
    let message = format!(
        "request {id} began and was cut short: what it did is not known, and it is not run again. Look at what it was to \
         change, then repeat it with a new id or leave it; a method that may safely run again says \
         `#[rpc(on_unknown = \"rerun\")]`"
    );
    Status::new(Reason::OutcomeUnknown, Executed::Unknown, message)
}

pub(super) fn forgotten(id: Uuid) -> Status {
    let message = format!(
        "request {id} is a repeat, and its first attempt may have reached a process that has ended, another one, or this one \
         longer ago than it remembers: nothing was run now, and what was run then is not known here. Look at what it \
         was to change before repeating it with a new id"
    );
    Status::new(Reason::DedupHorizonLost, Executed::Unknown, message)
}

pub(super) fn reused(id: Uuid) -> Status {
    let message = format!(
        "the request id {id} was used with other arguments, or in another codec; nothing was run. A new request needs a new \
         id, a repeat the same arguments"
    );
    Status::new(Reason::RequestIdReused, Executed::No, message)
}

pub(super) fn full(limits: &CacheLimits, of_caller: bool, retry_after: Duration) -> Status {
    let max = limits.entries_max;
    let whose = if of_caller {
        format!("{}% of {max} (`CacheLimits::caller_percent`) of one caller", limits.caller_percent)
    } else {
        format!("{max} (`CacheLimits::entries_max`)")
    };
    let message = format!(
        "as many requests are remembered as may be, {whose}; forgetting one could run it twice. Try again later"
    );
    Status::new(Reason::Overloaded, Executed::No, message).retry_after(retry_after)
}

/// Nothing runs of which it cannot be known whether it ran: the store is asked first, and says nothing.
pub(super) fn away(error: StoreError) -> Status {
    let message =
        format!("{error}; nothing was run now, since a repeat could not be told from a new request");
    Status::new(Reason::RecordsUnavailable, Executed::No, message)
}

pub(super) fn refused() -> Status {
    let message = "the request this call was attached to was refused before it ran; try again";
    Status::new(Reason::Overloaded, Executed::No, message)
}
