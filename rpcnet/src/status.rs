//! What went wrong with a call outside its method: a code people know, whether it ran, and when to come back.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

/// The kind of a failure: gRPC's sixteen codes, with gRPC's numbers and meanings.
///
/// Source: <https://grpc.github.io/grpc/core/md_doc_statuscodes.html>. A code says what kind of thing happened; whether
/// the method ran is a different question, answered by [`Executed`].
///
/// ```
/// use rpcnet::{Code, Executed, Reason, Status};
///
/// let status = Status::new(Reason::Overloaded, Executed::No, "try the other one");
/// assert_eq!(status.code(), Code::ResourceExhausted);
/// assert_eq!(Code::ResourceExhausted as u8, 8, "as in gRPC");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The caller went away or gave up.
    Cancelled = 1,
    /// A failure nobody classified, among them a code this version does not know.
    Unknown = 2,
    /// The call itself is wrong, whatever the state of the server: arguments that do not decode.
    InvalidArgument = 3,
    /// The deadline passed first.
    DeadlineExceeded = 4,
    /// What was asked for does not exist.
    NotFound = 5,
    /// What was to be created exists.
    AlreadyExists = 6,
    /// The caller is known and may not do this.
    PermissionDenied = 7,
    /// A limit was reached: message size, calls in flight, a quota.
    ResourceExhausted = 8,
    /// The system is not in the state the call needs.
    FailedPrecondition = 9,
    /// A conflict with another call.
    Aborted = 10,
    /// Past the valid range.
    OutOfRange = 11,
    /// The server has no such method.
    Unimplemented = 12,
    /// A broken invariant: a handler that panicked, a peer that broke the protocol.
    Internal = 13,
    /// Nobody there to serve the call now; a later try may succeed.
    Unavailable = 14,
    /// Data was lost for good.
    DataLoss = 15,
    /// The caller is not known.
    Unauthenticated = 16,
}

impl Code {
    const ALL: [Code; 16] = [
        Code::Cancelled,
        Code::Unknown,
        Code::InvalidArgument,
        Code::DeadlineExceeded,
        Code::NotFound,
        Code::AlreadyExists,
        Code::PermissionDenied,
        Code::ResourceExhausted,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unimplemented,
        Code::Internal,
        Code::Unavailable,
        Code::DataLoss,
        Code::Unauthenticated,
    ];

    /// The code of a number on the wire. A number of a later version is [`Code::Unknown`], never an error.
    pub(crate) fn from_wire(number: u8) -> Self {
        Self::ALL.into_iter().find(|code| code.to_wire() == number).unwrap_or(Code::Unknown)
    }

    pub(crate) const fn to_wire(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Code::Cancelled => "cancelled",
            Code::Unknown => "unknown",
            Code::InvalidArgument => "invalid argument",
            Code::DeadlineExceeded => "deadline exceeded",
            Code::NotFound => "not found",
            Code::AlreadyExists => "already exists",
            Code::PermissionDenied => "permission denied",
            Code::ResourceExhausted => "resource exhausted",
            Code::FailedPrecondition => "failed precondition",
            Code::Aborted => "aborted",
            Code::OutOfRange => "out of range",
            Code::Unimplemented => "unimplemented",
            Code::Internal => "internal",
            Code::Unavailable => "unavailable",
            Code::DataLoss => "data loss",
            Code::Unauthenticated => "unauthenticated",
        })
    }
}

/// Whether the method ran.
///
/// Every decision to send a call again rests on this. `No` is only said by whoever can prove it: a client that never
/// handed the call to a connection, or a server that refused it before the handler was polled for the first time.
///
/// ```
/// use rpcnet::{Executed, Reason, Status};
///
/// /// Nobody needs to know a method to send this one again.
/// fn is_surely_not_done(status: &Status) -> bool {
///     status.executed() == Executed::No
/// }
///
/// assert!(is_surely_not_done(&Status::new(Reason::ConnectFailed, Executed::No, "refused")));
/// assert!(!is_surely_not_done(&Status::new(Reason::ConnectionLost, Executed::Unknown, "gone")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Executed {
    /// It did not run, and nothing of it will: sending it again cannot do the work twice.
    No,
    /// It may have run, may be running, or may yet run.
    Unknown,
    /// It ran, wholly or in part.
    Yes,
}

impl Executed {
    pub(crate) const fn to_wire(self) -> u8 {
        match self {
            Executed::No => 0,
            Executed::Unknown => 1,
            Executed::Yes => 2,
        }
    }

    /// Anything but a clear word is `Unknown`.
    pub(crate) const fn from_wire(number: u8) -> Self {
        match number {
            0 => Executed::No,
            2 => Executed::Yes,
            _ => Executed::Unknown,
        }
    }
}

/// Why a call failed outside its method.
///
/// [`Display`](fmt::Display) gives code and message. The error that caused it, where there is one, is part of the message and
/// therefore not its [`source`](StdError::source); [`cause`](Status::cause) has it for programs.
/// Read by a caller, and made by whoever refuses a call, such as a layer:
///
/// ```
/// use rpcnet::{Code, Executed, Reason, Status};
///
/// let status = Status::new(Reason::Overloaded, Executed::No, "five audits are running already");
/// assert_eq!(status.code(), Code::ResourceExhausted);
/// assert_eq!(status.executed(), Executed::No, "it may be done again");
/// assert_eq!(status.to_string(), "resource exhausted: five audits are running already");
/// ```
#[derive(Debug, Clone)]
pub struct Status {
    // One pointer, so that `Result<T, CallError<E>>` stays as small as `T`.
    inner: Box<Inner>,
}

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    reason: Reason,
    executed: Executed,
    message: String,
    retry_after: Option<Duration>,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The precise cause within a [`Code`], for programs that must tell causes of one code apart.
///
/// ```
/// use rpcnet::{Reason, Status};
///
/// fn advice(status: &Status) -> &'static str {
///     match status.reason() {
///         Reason::ConnectFailed => "is it started, and is this its address?",
///         Reason::MessageTooLarge => "send it as a stream",
///         Reason::Overloaded => "later",
///         // There may be more in later versions.
///         _ => "see the message",
///     }
/// }
/// # let status = Status::new(Reason::Overloaded, rpcnet::Executed::No, "full");
/// # assert_eq!(advice(&status), "later");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// No cause beyond the code.
    Unspecified,
    /// The connection could not be opened: refused, unreachable, or not speaking this protocol.
    ConnectFailed,
    /// The connection ended while the call was under way.
    ConnectionLost,
    /// The server is leaving and takes no new calls.
    Draining,
    /// The server has no method of that name.
    UnknownMethod,
    /// The arguments do not decode to the method's types.
    UndecodableArguments,
    /// The answer does not decode to the method's types. The method ran.
    UndecodableAnswer,
    /// The value does not encode, or the codec refuses it.
    Unencodable,
    /// The message is larger than one of the two ends accepts.
    MessageTooLarge,
    /// Too many calls are in flight on the connection.
    TooManyCalls,
    /// The server is at its limit and refused the call before it ran.
    Overloaded,
    /// The handler panicked.
    Panicked,
    /// The deadline of the call passed.
    Deadline,
    /// The request id was used before with other arguments, or for a method that takes none.
    RequestIdReused,
    /// The request of this id was completed, and its answer was not kept. It is not run again.
    AlreadyCompleted,
    /// No worker matched, for as long as the call could wait.
    NoWorkers,
    /// The selector of a cluster's client cannot be read.
    InvalidSelector,
    /// The stream ended before its writer said that it was complete. What was read is not the whole.
    StreamCut,
    /// An item of a stream does not decode to the method's type.
    UndecodableItem,
    /// The two ends mean different things by the same name: one has a method with streams, or other arguments.
    IncompatibleMethod,
    /// Whoever carries the call carries no streams.
    StreamsUnsupported,
    /// Whoever makes the call has to say who they are, and did not: no identity, no credentials, or none that are accepted.
    Unauthenticated,
    /// The caller is known and may not make the call.
    PermissionDenied,
    /// The server is on a side of a split network that may not go on as the cluster, and the method writes. Nothing ran.
    QuorumLost,
    /// The request of this id began and was cut short. It is not run again: look at what it was to change.
    OutcomeUnknown,
    /// The call is a repeat, and older than what the server remembers: whether it ran is not known, and it is not run now.
    DedupHorizonLost,
    /// Where the server keeps what it ran is away, full or broken: a repeat could not be told from a new request, and nothing ran.
    RecordsUnavailable,
}

impl Reason {
    /// Numbers on the wire. They are part of the protocol: append, never renumber.
    const WIRE: [(Reason, u8); 27] = [
        (Reason::Unspecified, 0),
        (Reason::ConnectFailed, 1),
        (Reason::ConnectionLost, 2),
        (Reason::Draining, 3),
        (Reason::UnknownMethod, 4),
        (Reason::UndecodableArguments, 5),
        (Reason::UndecodableAnswer, 6),
        (Reason::Unencodable, 7),
        (Reason::MessageTooLarge, 8),
        (Reason::TooManyCalls, 9),
        (Reason::Overloaded, 10),
        (Reason::Panicked, 11),
        (Reason::Deadline, 12),
        (Reason::RequestIdReused, 13),
        (Reason::AlreadyCompleted, 14),
        (Reason::NoWorkers, 15),
        (Reason::InvalidSelector, 16),
        (Reason::StreamCut, 17),
        (Reason::UndecodableItem, 18),
        (Reason::IncompatibleMethod, 19),
        (Reason::StreamsUnsupported, 20),
        (Reason::Unauthenticated, 21),
        (Reason::PermissionDenied, 22),
        (Reason::QuorumLost, 23),
        (Reason::OutcomeUnknown, 24),
        (Reason::DedupHorizonLost, 25),
        (Reason::RecordsUnavailable, 26),
    ];

    pub(crate) fn to_wire(self) -> u8 {
        Self::WIRE.iter().find(|(reason, _)| *reason == self).map_or(0, |(_, number)| *number)
    }

    pub(crate) fn from_wire(number: u8) -> Self {
        Self::WIRE.iter().find(|(_, n)| *n == number).map_or(Reason::Unspecified, |(reason, _)| *reason)
    }

    /// The code that goes with the reason, where a caller does not choose another.
    const fn code(self) -> Code {
        match self {
            Reason::Unspecified | Reason::OutcomeUnknown => Code::Unknown,
            Reason::ConnectFailed
            | Reason::ConnectionLost
            | Reason::Draining
            | Reason::NoWorkers
            | Reason::RecordsUnavailable => Code::Unavailable,
            Reason::DedupHorizonLost => Code::FailedPrecondition,
            Reason::UnknownMethod | Reason::IncompatibleMethod | Reason::StreamsUnsupported => {
                Code::Unimplemented
            }
            Reason::StreamCut => Code::Cancelled,
            Reason::UndecodableArguments
            | Reason::Unencodable
            | Reason::RequestIdReused
            | Reason::InvalidSelector => Code::InvalidArgument,
            Reason::UndecodableAnswer | Reason::UndecodableItem | Reason::Panicked => Code::Internal,
            Reason::MessageTooLarge | Reason::TooManyCalls | Reason::Overloaded => Code::ResourceExhausted,
            Reason::Deadline => Code::DeadlineExceeded,
            Reason::AlreadyCompleted => Code::AlreadyExists,
            Reason::Unauthenticated => Code::Unauthenticated,
            Reason::PermissionDenied => Code::PermissionDenied,
            Reason::QuorumLost => Code::FailedPrecondition,
        }
    }
}

impl Status {
    /// A failure of a known cause; the code follows from it.
    pub fn new(reason: Reason, executed: Executed, message: impl Into<String>) -> Self {
        Self::with_code(reason.code(), reason, executed, message)
    }

    pub(crate) fn with_code(
        code: Code,
        reason: Reason,
        executed: Executed,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        Self { inner: Box::new(Inner { code, reason, executed, message, retry_after: None, cause: None }) }
    }

    /// The same failure with the error that caused it.
    #[must_use]
    pub fn caused_by(self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.caused_by_shared(Arc::new(cause))
    }

    pub(crate) fn caused_by_shared(mut self, cause: Arc<dyn StdError + Send + Sync>) -> Self {
        self.inner.cause = Some(cause);
        self
    }

    /// The same failure with a hint when to try again.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.inner.retry_after = Some(delay);
        self
    }

    /// The same failure, its message preceded by where it happened.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.inner.message = format!("{place}: {}", self.inner.message);
        self
    }

    /// The same failure in other words.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.inner.message = message.into();
        self
    }

    /// The same failure with another answer to "did it run?".
    #[must_use]
    pub fn with_executed(mut self, executed: Executed) -> Self {
        self.inner.executed = executed;
        self
    }

    /// The kind of the failure.
    pub fn code(&self) -> Code {
        self.inner.code
    }

    /// The precise cause.
    pub fn reason(&self) -> Reason {
        self.inner.reason
    }

    /// Whether the method ran.
    pub fn executed(&self) -> Executed {
        self.inner.executed
    }

    /// What happened, where, and what to do about it, for a person.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The error that caused the failure, such as a [`ConnectError`](crate::ConnectError), to be looked at by
    /// `downcast_ref`.
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.inner.cause.as_deref()
    }

    /// When the one who refused thinks another try makes sense.
    pub fn retry_hint(&self) -> Option<Duration> {
        self.inner.retry_after
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.inner.code, self.inner.message)
    }
}

impl StdError for Status {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_reasons_survive_the_wire() {
        for code in Code::ALL {
            assert_eq!(Code::from_wire(code.to_wire()), code);
        }
        for (reason, number) in Reason::WIRE {
            assert_eq!((reason.to_wire(), Reason::from_wire(number)), (number, reason));
        }
        for executed in [Executed::No, Executed::Unknown, Executed::Yes] {
            assert_eq!(Executed::from_wire(executed.to_wire()), executed);
        }
    }

    /// The first cells of each row of a table that the book shows.
    fn rows<const N: usize>(table: &str) -> Vec<[String; N]> {
        let row = |line: &str| {
            let mut cells = line.split('|').skip(1).map(|cell| cell.trim().replace('`', ""));
            std::array::from_fn(|_| cells.next().expect("a cell"))
        };
        table.lines().skip(2).map(row).collect()
    }

    #[test]
    fn the_tables_in_the_book_are_these() {
        let codes = Code::ALL.map(|code| [code.to_wire().to_string(), format!("{code:?}")]);
        assert_eq!(rows(include_str!("wire/tests/golden/codes.md")), codes);
        let reasons = Reason::WIRE.map(|(reason, number)| {
            [number.to_string(), format!("{reason:?}"), format!("{:?}", reason.code())]
        });
        assert_eq!(rows(include_str!("wire/tests/golden/reasons.md")), reasons);
        let executed = [Executed::No, Executed::Unknown, Executed::Yes];
        let executed = executed.map(|executed| [executed.to_wire().to_string(), format!("{executed:?}")]);
        assert_eq!(rows(include_str!("wire/tests/golden/executed.md")), executed);
    }

    #[test]
    fn what_a_later_version_says_is_read_as_unknown() {
        assert_eq!(Code::from_wire(99), Code::Unknown);
        assert_eq!(Reason::from_wire(99), Reason::Unspecified);
        assert_eq!(Executed::from_wire(99), Executed::Unknown);
    }
}
