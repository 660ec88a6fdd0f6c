//! What a failed attempt means for the call: may it be sent again, and where?
//!
//! Everything rests on one distinction: never sent, refused before it ran, or unknown. What is not provably one of the
//! first two is the third.

use rpcnet::{Code, Executed, Idempotency, Reason, Status};

use super::breaker::Verdict;

/// The kinds of failure, by what may be done about them.
///
/// | class | examples | sent again | draws on the budget |
/// |---|---|---|---|
/// | [`NotSent`](Self::NotSent) | refused, no connection in time, too many calls on the connection | always, elsewhere, at once | no |
/// | [`Draining`](Self::Draining) | a server that is leaving | like `NotSent` | no |
/// | [`Rejected`](Self::Rejected) | overloaded | always, elsewhere, heeding the hint when coming back | yes |
/// | [`Unknown`](Self::Unknown) | the connection broke, the attempt took too long | if it is safe: see [`resend`] | yes |
/// | [`Infrastructure`](Self::Infrastructure) | the handler panicked | if it is safe: see [`resend`] | yes |
/// | [`Caller`](Self::Caller) | unknown method, too large, undecodable, denied | never | no |
///
/// An answer is no failure, and neither is the method's own error: both are what was asked for.
///
/// The distinction is that of gRPC's proposal A6 ("transparent" retries apart from configured ones),
/// <https://github.com/grpc/proposal/blob/master/A6-client-retries.md>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    NotSent,
    Draining,
    Rejected,
    Unknown,
    Infrastructure,
    Caller,
}

impl Class {
    /// The class of a failed attempt.
    pub(crate) fn of(status: &Status) -> Self {
        match status.reason() {
            Reason::ConnectFailed | Reason::ConnectionLost | Reason::TooManyCalls | Reason::Deadline => {
                Self::unless_it_may_have_run(status, Class::NotSent)
            }
            Reason::Draining => Self::unless_it_may_have_run(status, Class::Draining),
            // A caller that reaches both sides of a split finds a worker that may write.
            Reason::Overloaded | Reason::QuorumLost => Self::unless_it_may_have_run(status, Class::Rejected),
            Reason::Panicked => Class::Infrastructure,
            Reason::UnknownMethod
            | Reason::UndecodableArguments
            | Reason::UndecodableAnswer
            | Reason::Unencodable
            | Reason::MessageTooLarge
            | Reason::RequestIdReused
            | Reason::AlreadyCompleted
            | Reason::OutcomeUnknown
            | Reason::DedupHorizonLost
            | Reason::InvalidSelector => Class::Caller,
            // The worker dispatched the call itself and had nobody. It has tried for as long as made sense: three tries in
            // each of five layers would be 243.
            Reason::NoWorkers => Class::Caller,
            _ => Self::of_code(status),
        }
    }

    fn of_code(status: &Status) -> Self {
        match status.code() {
            Code::Unavailable | Code::ResourceExhausted | Code::Aborted => {
                Self::unless_it_may_have_run(status, Class::Rejected)
            }
            Code::Internal | Code::DataLoss => Class::Infrastructure,
            Code::Unknown => match status.executed() {
                Executed::No => Class::Rejected,
                Executed::Unknown => Class::Unknown,
                Executed::Yes => Class::Infrastructure,
            },
            Code::DeadlineExceeded => Self::unless_it_may_have_run(status, Class::NotSent),
            _ => Class::Caller,
        }
    }

    fn unless_it_may_have_run(status: &Status, otherwise: Class) -> Self {
        if status.executed() == Executed::No { otherwise } else { Class::Unknown }
    }

    /// What the failure says of the worker. That it is full says nothing: it is well, and its load is counted elsewhere. That
    /// it could not be reached is known from the connection.
    pub(crate) fn verdict(self) -> Verdict {
        match self {
            Class::NotSent | Class::Draining | Class::Rejected => Verdict::Nothing,
            Class::Unknown | Class::Infrastructure => Verdict::Failed,
            Class::Caller => Verdict::Served,
        }
    }

    /// Whether the attempt reached a worker and cost it something. What did not is no retry, whatever it is repeated.
    pub(crate) fn was_sent(self) -> bool {
        !matches!(self, Class::NotSent | Class::Draining)
    }
}

/// Where a call may be sent again after an attempt has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resend {
    Never,
    /// To the process that may have it, which knows a repeat for one. Nobody else does, unless they share its store.
    ToItsKeeper,
    ToAnyone,
}

/// Where a call of this kind may be sent again after a failure of this class.
///
/// A keyed call that may have run goes to the process it went to before: there it meets its record. Whoever answers at
/// that process's address by now and is another refuses what is older than itself. One whose handler panicked is not sent
/// again: its record says that the outcome is not known, and would say so again.
pub(crate) fn resend(class: Class, idempotency: Idempotency) -> Resend {
    match class {
        Class::NotSent | Class::Draining | Class::Rejected => Resend::ToAnyone,
        Class::Unknown | Class::Infrastructure if idempotency.is_repeatable() => Resend::ToAnyone,
        Class::Unknown if idempotency == Idempotency::Keyed => Resend::ToItsKeeper,
        Class::Unknown | Class::Infrastructure | Class::Caller => Resend::Never,
    }
}

/// Whether the call ran, when `attempt` is added to what is known of the attempts `before`: one that ran is enough, and so is
/// one that may have run for not knowing.
pub(crate) fn executed_by_either(before: Executed, attempt: Executed) -> Executed {
    match (before, attempt) {
        (Executed::Yes, _) | (_, Executed::Yes) => Executed::Yes,
        (Executed::Unknown, _) | (_, Executed::Unknown) => Executed::Unknown,
        (Executed::No, Executed::No) => Executed::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO: Executed = Executed::No;
    const MAYBE: Executed = Executed::Unknown;
    const YES: Executed = Executed::Yes;

    #[test]
    fn the_class_follows_from_the_reason_and_from_what_may_have_run() {
        let table = [
            (Reason::ConnectFailed, NO, Class::NotSent),
            (Reason::ConnectionLost, NO, Class::NotSent),
            (Reason::ConnectionLost, MAYBE, Class::Unknown),
            (Reason::TooManyCalls, NO, Class::NotSent),
            (Reason::Deadline, NO, Class::NotSent),
            (Reason::Deadline, MAYBE, Class::Unknown),
            (Reason::Draining, NO, Class::Draining),
            (Reason::Draining, MAYBE, Class::Unknown),
            (Reason::Overloaded, NO, Class::Rejected),
            (Reason::Overloaded, YES, Class::Unknown),
            (Reason::QuorumLost, NO, Class::Rejected),
            (Reason::Panicked, YES, Class::Infrastructure),
            (Reason::UnknownMethod, NO, Class::Caller),
            (Reason::UndecodableArguments, NO, Class::Caller),
            (Reason::UndecodableAnswer, YES, Class::Caller),
            (Reason::Unencodable, YES, Class::Caller),
            (Reason::MessageTooLarge, NO, Class::Caller),
            (Reason::RequestIdReused, NO, Class::Caller),
            (Reason::AlreadyCompleted, YES, Class::Caller),
            (Reason::NoWorkers, NO, Class::Caller),
            (Reason::Unspecified, NO, Class::Rejected),
            (Reason::Unspecified, MAYBE, Class::Unknown),
            (Reason::Unspecified, YES, Class::Infrastructure),
        ];
        for (reason, executed, class) in table {
            let status = Status::new(reason, executed, "");
            assert_eq!(Class::of(&status), class, "{reason:?}, executed: {executed:?}");
        }
    }

    #[test]
    fn what_may_have_run_is_repeated_only_where_that_is_safe() {
        use Idempotency::{AtMostOnce, Idempotent, Keyed};
        use Resend::{Never, ToAnyone, ToItsKeeper};
        let table = [
            (Class::NotSent, [ToAnyone, ToAnyone, ToAnyone]),
            (Class::Draining, [ToAnyone, ToAnyone, ToAnyone]),
            (Class::Rejected, [ToAnyone, ToAnyone, ToAnyone]),
            (Class::Unknown, [Never, ToAnyone, ToItsKeeper]),
            (Class::Infrastructure, [Never, ToAnyone, Never]),
            (Class::Caller, [Never, Never, Never]),
        ];
        for (class, expected) in table {
            let found = [AtMostOnce, Idempotent, Keyed].map(|idempotency| resend(class, idempotency));
            assert_eq!(found, expected, "{class:?}");
        }
    }

    #[test]
    fn one_attempt_that_may_have_run_is_enough_for_the_call_to_be_unknown() {
        for (before, attempt, both) in
            [(NO, NO, NO), (NO, MAYBE, MAYBE), (MAYBE, NO, MAYBE), (MAYBE, YES, YES), (YES, NO, YES)]
        {
            assert_eq!(executed_by_either(before, attempt), both);
        }
    }
}
