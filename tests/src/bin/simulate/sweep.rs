//! Many seeds at once, one a core, handed over in the order of the seeds: what is printed is the same on any machine.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use rpcnet_tests::sim::{Core, Outcome, run};

use super::args::Args;

/// Runs each seed, and calls `each` with its outcome as soon as those of all smaller seeds are there.
///
/// A run is a thread's own from beginning to end, so as many worlds are in memory as there are cores.
///
/// # Errors
/// The first that a run or `each` returns; what is being run then is run to its end.
pub(crate) fn sweep<C: Core>(
    args: &Args,
    mut each: impl FnMut(Outcome) -> Result<(), String>,
) -> Result<(), String> {
    let Range { start, end } = args.seeds;
    let next = AtomicU64::new(start);
    thread::scope(|scope| {
        let (found, outcomes) = mpsc::channel();
        for _ in 0..jobs(end - start) {
            let (found, next) = (found.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    // Nobody listens any more once a run has failed: then there is nothing left to do here.
                    if seed >= end || found.send((seed, run::<C>(&args.wish(seed)))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(found);
        let (mut due, mut early) = (start, BTreeMap::new());
        for (seed, outcome) in outcomes {
            early.insert(seed, outcome);
            while let Some(outcome) = early.remove(&due) {
                each(outcome?)?;
                due += 1;
            }
        }
        Ok(())
    })
}

fn jobs(seeds: u64) -> u64 {
    thread::available_parallelism().map_or(1, |cores| cores.get() as u64).min(seeds)
}
