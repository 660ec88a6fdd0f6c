//! What kind of call a method takes, and what a repeated one does.

/// What may happen when it is not known whether a call ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Idempotency {
    /// Never sent again once it may have run. What a method is when nothing is said.
    #[default]
    AtMostOnce,
    /// It changes nothing: may be sent again, to any worker, and where writing is not allowed. `#[rpc(read)]`.
    Read,
    /// Doing it twice has the effect of doing it once: may be sent again, to any worker. `#[rpc(idempotent)]`.
    Idempotent,
    /// Each call carries a request id; the server answers a repeat from its cache. A parameter `request_id: Uuid`, or
    /// `#[rpc(keyed)]`, with which the client makes the id.
    Keyed,
}

impl Idempotency {
    /// Whether a call that may have run may be sent again as it is, to anybody.
    pub const fn is_repeatable(self) -> bool {
        matches!(self, Idempotency::Read | Idempotency::Idempotent)
    }
}

/// Which of the two ends of a call streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum CallKind {
    /// One request, one answer.
    #[default]
    Unary,
    /// The method answers a stream.
    ServerStreaming,
    /// The method takes a stream.
    ClientStreaming,
    /// Both.
    Bidirectional,
}

impl CallKind {
    /// Whether there is a stream in one direction at least.
    pub const fn is_streaming(self) -> bool {
        !matches!(self, CallKind::Unary)
    }
}
