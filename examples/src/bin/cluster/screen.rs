//! What a person sees: a table that is drawn anew on a terminal, lines anywhere else.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
    time::Duration,
};

use crate::table::Table;

/// Where the program shows what it does.
#[derive(Debug)]
pub(crate) struct Screen<W> {
    out: W,
    /// How many lines of the table are on the terminal, below everything else; `None` if this is no terminal.
    drawn: Option<u16>,
    next_line: Duration,
}

/// How far the run is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) now: Duration,
    pub(crate) length: Duration,
    /// Calls a second that are made, once that is known.
    pub(crate) rate: Option<f64>,
}

impl Screen<io::Stdout> {
    /// The standard output: a live table if it is a terminal that can move its cursor.
    pub(crate) fn stdout() -> Self {
        let out = io::stdout();
        let live = out.is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        Self::new(out, live)
    }
}

impl<W: Write> Screen<W> {
    /// The time between two lines where there is no table: little enough to read afterwards.
    const LINE_EVERY: Duration = Duration::from_secs(2);

    fn new(out: W, live: bool) -> Self {
        Self { out, drawn: live.then_some(0), next_line: Duration::ZERO }
    }

    /// Shows a line that stays.
    pub(crate) fn note(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        let mut frame = self.erase();
        let _ = writeln!(frame, "{text}");
        self.write(&frame)
    }

    /// Shows how things are.
    pub(crate) fn show(&mut self, progress: Progress, table: &Table) -> io::Result<()> {
        if self.drawn.is_some() {
            return self.draw(&lines(progress, table));
        }
        if progress.now < self.next_line {
            return Ok(());
        }
        while self.next_line <= progress.now {
            self.next_line += Self::LINE_EVERY;
        }
        self.write(&format!("{}\n", line(progress, table)))
    }

    /// The table stays as it is; what comes next comes below.
    pub(crate) fn leave(&mut self) {
        self.drawn = self.drawn.map(|_| 0);
    }

    fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        let mut frame = self.erase();
        // A line that is too long for the terminal must not become two: it is cut off instead. Switched on again in the same
        // write, so that the terminal is as it was whenever the program ends.
        frame.push_str("\x1b[?7l");
        lines.iter().for_each(|line| {
            let _ = writeln!(frame, "{line}");
        });
        frame.push_str("\x1b[?7h");
        self.drawn = Some(u16::try_from(lines.len()).unwrap_or(u16::MAX));
        self.write(&frame)
    }

    /// What takes the table away.
    fn erase(&mut self) -> String {
        match &mut self.drawn {
            Some(drawn @ 1..) => format!("\x1b[{}A\x1b[J", std::mem::take(drawn)),
            Some(0) | None => String::new(),
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// How things are, as a table over a bar.
fn lines(progress: Progress, table: &Table) -> Vec<String> {
    let mut lines = vec![format!(
        "{:<10} {:<8} {:>6} {:>10} {:>7} {:>9}",
        "worker", "state", "phi", "in flight", "share", "calls/s"
    )];
    lines.extend(table.rows.iter().map(|row| {
        let (label, state, phi, in_flight) = (&row.label, &row.state, row.phi, row.in_flight);
        let (share, per_second) = (row.share * 100.0, row.per_second);
        format!("{label:<10} {state:<8} {phi:>6.1} {in_flight:>10} {share:>6.0}% {per_second:>9.0}")
    }));
    let (now, length) = (progress.now.as_secs(), progress.length.as_secs());
    lines.push(format!("[{}] {now} of {length} s", bar(progress)));
    lines.push(totals(progress, table));
    lines
}

fn bar(progress: Progress) -> String {
    const WIDTH: usize = 40;
    let over = (progress.now.as_secs_f64() / progress.length.as_secs_f64()).clamp(0.0, 1.0);
    let done = (over * WIDTH as f64).round() as usize;
    format!("{}{}", "#".repeat(done), "-".repeat(WIDTH - done))
}

/// The same as one line.
fn line(progress: Progress, table: &Table) -> String {
    let mut line = format!("{:5.1} s  {}", progress.now.as_secs_f64(), totals(progress, table));
    for row in &table.rows {
        let (label, state, phi, in_flight, share) =
            (&row.label, &row.state, row.phi, row.in_flight, row.share * 100.0);
        let _ = write!(line, " | {label} {state} phi={phi:.1} in_flight={in_flight} share={share:.0}%");
    }
    line
}

fn totals(progress: Progress, table: &Table) -> String {
    let (counts, per_second) = (&table.counts, table.per_second);
    let rate = match progress.rate {
        Some(rate) => format!("{per_second:.0}/s (half load: {rate:.0}/s)"),
        None => format!("{per_second:.0}/s (finding the rate)"),
    };
    let (calls, failed, wrong) = (counts.calls(), counts.failed, counts.wrong);
    format!("calls={calls} failed={failed} wrong={wrong} {rate} slowest={} ms", table.slowest.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure::Counts, table::Row};

    fn table() -> Table {
        let row = |label: &str, state: &str, phi, in_flight, share| Row {
            label: label.into(),
            state: state.into(),
            phi,
            in_flight,
            share,
            per_second: 400.0 * share,
        };
        let rows = vec![row("worker-1", "alive", 0.04, 2, 1.0), row("worker-2", "suspect", 9.26, 0, 0.0)];
        let slowest = Duration::from_millis(12);
        Table { rows, per_second: 400.0, slowest, counts: Counts { ok: 4000, wrong: 1, ..Counts::default() } }
    }

    fn progress(seconds: u64) -> Progress {
        Progress { now: Duration::from_secs(seconds), length: Duration::from_secs(40), rate: Some(405.0) }
    }

    fn shown(live: bool, show: impl FnOnce(&mut Screen<&mut Vec<u8>>)) -> String {
        let mut out = Vec::new();
        show(&mut Screen::new(&mut out, live));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_has_a_row_for_each_worker_and_a_bar() {
        assert_eq!(
            lines(progress(10), &table()),
            [
                "worker     state       phi  in flight   share   calls/s",
                "worker-1   alive       0.0          2    100%       400",
                "worker-2   suspect     9.3          0      0%         0",
                "[##########------------------------------] 10 of 40 s",
                "calls=4001 failed=0 wrong=1 400/s (half load: 405/s) slowest=12 ms",
            ]
        );
    }

    #[test]
    fn where_there_is_no_terminal_lines_come_now_and_then_and_without_escapes() {
        let text = shown(false, |screen| {
            for second in 0..5 {
                screen.show(progress(second), &table()).unwrap();
            }
            screen.note("done").unwrap();
        });
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert_eq!(
            lines[1],
            "  2.0 s  calls=4001 failed=0 wrong=1 400/s (half load: 405/s) slowest=12 ms | worker-1 alive \
             phi=0.0 in_flight=2 share=100% | worker-2 suspect phi=9.3 in_flight=0 share=0%"
        );
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn on_a_terminal_a_note_goes_above_the_table() {
        let text = shown(true, |screen| {
            screen.note("begun").unwrap();
            screen.show(progress(1), &table()).unwrap();
            screen.note("killed").unwrap();
            screen.show(progress(2), &table()).unwrap();
            screen.leave();
            screen.note("done").unwrap();
        });
        let parts: Vec<_> = text.split("\x1b[5A\x1b[J").collect();
        assert_eq!(parts.len(), 2, "{text:?}");
        assert!(parts[0].starts_with("begun\n\x1b[?7lworker "), "{text:?}");
        assert!(parts[1].starts_with("killed\n\x1b[?7lworker "), "{text:?}");
        assert!(text.ends_with("\x1b[?7hdone\n"), "{text:?}");
    }
}
