//! What the server does to its connections, counted in its own process from what it reports through `tracing`.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::Mutex,
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// The different texts that are kept: numbers in them do not count, so there are few.
const TEXTS_MAX: usize = 32;

/// Events by their text.
static EVENTS: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// Listens to the library, and to nothing else.
pub(crate) struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("rpcnet")
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let Text { message, why } = text;
        let text = without_numbers(&if why.is_empty() { message } else { why });
        if let Ok(mut events) = EVENTS.lock()
            && (events.len() < TEXTS_MAX || events.contains_key(&text))
        {
            *events.entry(text).or_default() += 1;
        }
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

/// A line for each, the number first, and one that is empty.
pub(crate) fn told() -> String {
    let mut lines = String::new();
    for (text, times) in EVENTS.lock().iter().flat_map(|events| events.iter()) {
        let _ = writeln!(lines, "{times} {text}");
    }
    lines + "\n"
}

/// An event's message, and the field that says why.
#[derive(Default)]
struct Text {
    message: String,
    why: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "reason" | "error" => self.why = format!("{value:?}"),
            _ => {}
        }
    }
}

/// Each number becomes `#`: ids and lengths are of one connection.
fn without_numbers(text: &str) -> String {
    let mut shorter = String::new();
    for letter in text.chars() {
        match letter {
            '0'..='9' if shorter.ends_with('#') => {}
            '0'..='9' => shorter.push('#'),
            '\n' => shorter.push(' '),
            letter => shorter.push(letter),
        }
    }
    shorter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_by_numbers_alone_is_one_text() {
        assert_eq!(without_numbers("call 12:7 of 300"), without_numbers("call 1:88 of 4"));
    }
}
