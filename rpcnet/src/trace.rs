//! Where in a distributed trace a call belongs: the W3C trace context.

use std::{fmt, str::FromStr};

/// The trace a call belongs to and the span it is made from, as `traceparent` has them.
///
/// A call made inside of a handler belongs to the trace of the call that is served, unless its
/// [options](crate::CallOptions::trace) name another.
///
/// ```
/// # use rpcnet::TraceContext;
/// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let trace: TraceContext = text.parse()?;
/// assert!(trace.is_sampled());
/// assert_eq!(trace.to_string(), text);
/// # Ok::<(), rpcnet::InvalidTrace>(())
/// ```
///
/// Source: <https://www.w3.org/TR/trace-context/>, version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

/// A `traceparent` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a `traceparent`: 00-, 32 hex digits, -, 16 hex digits, -, 2 hex digits; ids are not zero, digits in lower case"
)]
pub struct InvalidTrace;

impl TraceContext {
    const SAMPLED: u8 = 1;

    /// A trace and a span of it. `None` if one of the ids is zero, which stands for no id.
    pub const fn new(trace_id: u128, span_id: u64, sampled: bool) -> Option<Self> {
        Self::from_parts(trace_id, span_id, if sampled { Self::SAMPLED } else { 0 })
    }

    pub(crate) const fn from_parts(trace_id: u128, span_id: u64, flags: u8) -> Option<Self> {
        if trace_id == 0 || span_id == 0 { None } else { Some(Self { trace_id, span_id, flags }) }
    }

    /// The id of the whole trace.
    pub const fn trace_id(&self) -> u128 {
        self.trace_id
    }

    /// The id of the span that makes the call.
    pub const fn span_id(&self) -> u64 {
        self.span_id
    }

    pub(crate) const fn flags(&self) -> u8 {
        self.flags
    }

    /// Whether whoever began the trace records it.
    pub const fn is_sampled(&self) -> bool {
        self.flags & Self::SAMPLED != 0
    }

    /// The same trace, from another of its spans.
    #[must_use]
    pub const fn from_span(self, span_id: u64) -> Self {
        if span_id == 0 { self } else { Self { span_id, ..self } }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTrace;

    fn from_str(text: &str) -> Result<Self, InvalidTrace> {
        let fields: Vec<&str> = text.split('-').collect();
        let [version, trace_id, span_id, flags, ..] = fields[..] else { return Err(InvalidTrace) };
        // A later version may go on after the flags; this one may not.
        let known = version == "00" && fields.len() == 4 || version != "00" && version != "ff";
        let lengths = (version.len(), trace_id.len(), span_id.len(), flags.len()) == (2, 32, 16, 2);
        let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !known || !lengths || ![version, trace_id, span_id, flags].into_iter().all(hex) {
            return Err(InvalidTrace);
        }
        let trace_id = u128::from_str_radix(trace_id, 16).map_err(|_| InvalidTrace)?;
        let span_id = u64::from_str_radix(span_id, 16).map_err(|_| InvalidTrace)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| InvalidTrace)?;
        Self::from_parts(trace_id, span_id, flags).ok_or(InvalidTrace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    #[test]
    fn the_examples_of_the_standard_are_read() {
        let trace: TraceContext = GOOD.parse().unwrap();
        assert_eq!((trace.span_id(), trace.is_sampled()), (0xb7ad_6b71_6920_3331, false));
        assert_eq!(trace.to_string(), GOOD);
        let later = format!("cc{}-what-comes", &GOOD[2..]);
        assert_eq!(later.parse::<TraceContext>().map(|trace| trace.to_string()), Ok(GOOD.to_owned()));
    }

    #[test]
    fn what_the_standard_forbids_is_refused() {
        let upper = GOOD.to_uppercase();
        let zero = "00-00000000000000000000000000000000-b7ad6b7169203331-00";
        let longer = format!("{GOOD}-more");
        for text in ["", "00", &upper, zero, &longer, &format!("ff{}", &GOOD[2..]), &GOOD.replace('b', "é")]
        {
            assert_eq!(text.parse::<TraceContext>(), Err(InvalidTrace), "{text}");
        }
    }
}
