//! The errors of a call: the method's own, and everything else.

use std::{error::Error as StdError, fmt};

use serde::{Deserialize, Serialize};

use crate::status::{Code, Executed, Reason, Status};

/// A result whose error is [`AppError`], for methods that need no error type of their own.
pub type Result<T, E = AppError> = std::result::Result<T, E>;

/// How a call failed.
///
/// The three variants answer the question that matters before a call is made again: was there an answer, is it known
/// whether the method ran, or is it not?
///
/// ```
/// # use rpcnet::{CallError, Executed};
/// fn may_charge_again(error: &CallError) -> bool {
///     match error {
///         CallError::App(_) => false,                                         // answered: it ran
///         CallError::Status(status) => status.executed() == Executed::No,    // known
///         CallError::OutcomeUnknown(_) => false,                              // ask the server's books first
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub enum CallError<E = AppError> {
    /// The method ran and answered `Err(E)`.
    App(E),
    /// The call failed outside the method, and it is known whether the method ran: see [`Status::executed`].
    Status(Status),
    /// The call was handed over and no answer came: it may have run, may be running, or may run yet. It is never sent
    /// again by this library unless its method says that repeating is safe.
    OutcomeUnknown(Status),
}

impl<E> CallError<E> {
    /// Whether the method ran.
    pub fn executed(&self) -> Executed {
        match self {
            CallError::App(_) => Executed::Yes,
            CallError::Status(status) | CallError::OutcomeUnknown(status) => status.executed(),
        }
    }

    /// The status of a failure outside the method.
    pub fn status(&self) -> Option<&Status> {
        match self {
            CallError::App(_) => None,
            CallError::Status(status) | CallError::OutcomeUnknown(status) => Some(status),
        }
    }

    /// The code of a failure outside the method.
    pub fn code(&self) -> Option<Code> {
        self.status().map(Status::code)
    }

    /// The precise cause of a failure outside the method.
    pub fn reason(&self) -> Option<Reason> {
        self.status().map(Status::reason)
    }
}

impl<E> From<Status> for CallError<E> {
    fn from(status: Status) -> Self {
        match status.executed() {
            Executed::Unknown => CallError::OutcomeUnknown(status),
            Executed::No | Executed::Yes => CallError::Status(status),
        }
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::App(error) => error.fmt(f),
            CallError::Status(status) => status.fmt(f),
            CallError::OutcomeUnknown(status) => {
                write!(f, "outcome unknown, the call may have run: {status}")
            }
        }
    }
}

impl<E: Cause> StdError for CallError<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            CallError::App(error) => error.cause(),
            CallError::Status(_) | CallError::OutcomeUnknown(_) => None,
        }
    }
}

/// What a method's error must be for [`CallError`] to be an error itself: a [`std::error::Error`], or [`AppError`], which
/// cannot be one.
pub trait Cause: fmt::Debug + fmt::Display {
    /// The error below this one.
    fn cause(&self) -> Option<&(dyn StdError + 'static)>;
}

impl<E: StdError + 'static> Cause for E {
    fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        self.source()
    }
}

impl Cause for AppError {
    fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        None
    }
}

/// An application error without a type: a message and the messages of its causes.
///
/// It crosses the wire and is made from any [`std::error::Error`] by `?`. Like `anyhow::Error` it does not implement
/// [`std::error::Error`] itself, which is what lets `?` convert every other error into it.
///
/// ```
/// async fn port(&self_: &(), text: String) -> rpcnet::Result<u16> {
///     Ok(text.parse()?)
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, crate::Schema)]
#[schema(crate = crate)]
pub struct AppError {
    message: String,
    causes: Vec<String>,
}

impl AppError {
    /// How many causes are kept of an error's chain; the rest is dropped, so that a cyclic or endless chain ends.
    const CAUSES_MAX: usize = 16;

    /// An error that consists of a message.
    pub fn msg(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), causes: Vec::new() }
    }

    /// The message of the error itself.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The messages of its causes, the nearest first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }
}

impl<E: StdError> From<E> for AppError {
    fn from(error: E) -> Self {
        let chain = std::iter::successors(error.source(), |cause| (*cause).source());
        Self {
            message: error.to_string(),
            causes: chain.take(Self::CAUSES_MAX).map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_keeps_the_message_and_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot read the port")]
        struct Outer(#[from] std::num::ParseIntError);
        let error: AppError = Outer("x".parse::<u16>().unwrap_err()).into();
        assert_eq!(error.to_string(), "cannot read the port");
        assert_eq!(error.causes(), ["invalid digit found in string"]);
        assert_eq!(format!("{error:?}"), "cannot read the port: invalid digit found in string");
    }

    #[test]
    fn the_error_of_a_call_can_be_passed_on_by_a_question_mark() {
        fn boxed(error: CallError) -> Result<(), Box<dyn StdError + Send + Sync>> {
            Err(error)?
        }
        fn app(error: CallError) -> Result<()> {
            Err(error)?
        }
        let error = || CallError::App(AppError::msg("no such account"));
        assert_eq!(boxed(error()).unwrap_err().to_string(), "no such account");
        assert_eq!(app(error()).unwrap_err().message(), "no such account");
    }

    #[test]
    fn what_is_not_known_to_have_run_is_an_outcome_unknown() {
        let error =
            |executed| CallError::<AppError>::from(Status::new(Reason::ConnectionLost, executed, "gone"));
        assert!(matches!(error(Executed::Unknown), CallError::OutcomeUnknown(_)));
        assert!(matches!(error(Executed::No), CallError::Status(_)));
        assert!(matches!(error(Executed::Yes), CallError::Status(_)));
    }
}
