//! What is asked for on the command line.

use std::{fmt, path::PathBuf, time::Duration};

use crate::{Failure, subject::Subject};

/// The settings of a comparison.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) rounds: usize,
    /// Of one measurement; a quarter as long is called before it, to warm up.
    pub(crate) length: Duration,
    pub(crate) subjects: Vec<Subject>,
    /// Of echoes.
    pub(crate) points: Vec<Point>,
    /// A file that the table is written to as well.
    pub(crate) table: Option<PathBuf>,
    /// A file for the figures of a plot: calls over callers.
    pub(crate) plot: Option<PathBuf>,
}

/// What is measured of each system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    /// Of a call's argument, and of its answer.
    pub(crate) bytes: usize,
    pub(crate) callers: usize,
}

impl Point {
    const ALL: [Point; 8] = [
        Point { bytes: 64, callers: 1 },
        Point { bytes: 64, callers: 16 },
        Point { bytes: 64, callers: 64 },
        Point { bytes: 64, callers: 512 },
        Point { bytes: 1 << 10, callers: 16 },
        Point { bytes: 1 << 10, callers: 64 },
        Point { bytes: 64 << 10, callers: 16 },
        Point { bytes: 64 << 10, callers: 64 },
    ];

    fn parse(text: &str) -> Result<Self, Failure> {
        let (bytes, callers) = text.split_once('x').ok_or("a point is bytes x callers, such as 64x512")?;
        Ok(Self { bytes: bytes.parse()?, callers: callers.parse()? })
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} B, {} callers", self.bytes, self.callers)
    }
}

impl Args {
    pub(crate) fn parse(words: &[&str]) -> Result<Self, Failure> {
        let mut args = Self {
            rounds: 5,
            length: Duration::from_millis(500),
            subjects: Subject::ALL.to_vec(),
            points: Point::ALL.to_vec(),
            table: None,
            plot: None,
        };
        for word in words {
            match word.split_once('=') {
                Some(("rounds", rounds)) => args.rounds = rounds.parse()?,
                Some(("millis", millis)) => args.length = Duration::from_millis(millis.parse()?),
                Some(("systems", names)) => {
                    args.subjects = names.split(',').map(Subject::named).collect::<Result<_, _>>()?;
                }
                Some(("points", points)) => {
                    args.points = points.split(',').map(Point::parse).collect::<Result<_, _>>()?;
                }
                Some(("table", file)) => args.table = Some(file.into()),
                Some(("plot", file)) => args.plot = Some(file.into()),
                _ => {
                    return Err(
                        format!("{word}: one of rounds=, millis=, systems=, points=, table=, plot=").into()
                    );
                }
            }
        }
        Ok(args)
    }
}
