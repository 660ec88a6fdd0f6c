//! What a program of these tests prints, to a reader that may have gone away: `simulate … | head`.
//!
//! `println!` panics there. A Unix program is ended by a signal instead, silently, with the status 141 in a shell. Rust's programs
//! ignore that signal, so [`say!`](crate::say) does the same by hand.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Write};

/// The status of a program whose reader went away: what a shell makes of SIGPIPE, which is 13. Not 0, since nobody has read how it
/// ended, and a `set -o pipefail` is to notice.
pub const READER_GONE: u8 = 128 + 13;

/// Prints a line as `println!` does. Ends the program with [`READER_GONE`] when nobody reads it, without dropping anything: who
/// holds what must be cleared away takes [`line()`] and returns its error.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::out::say(format_args!($($text)*)) };
}

/// Writes a line to the standard output, at once.
///
/// # Errors
///
/// Those of the standard output; [`is_reader_gone`] knows the one that is not a failure.
pub fn line(text: fmt::Arguments<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// What [`say!`](crate::say) does.
pub fn say(text: fmt::Arguments<'_>) {
    let Err(error) = line(text) else { return };
    if is_reader_gone(&error) {
        std::process::exit(READER_GONE.into());
    }
    eprintln!("standard output: {error}");
    std::process::exit(1);
}

/// Whether an error is only that nobody reads the output any more.
pub fn is_reader_gone(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
