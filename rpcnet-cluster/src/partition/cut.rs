//! Crashes, or a cut? What a loss looks like from the number, the moments and the evidence.

use std::time::Instant;

use super::baseline::{BURST, Baseline, Gone};

/// What the missing look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nobody is missing.
    None,
    /// Fewer than would be reported, and not half of all.
    Few,
    /// Many, one after the other.
    Trickle,
    /// Many at once, whose processes are known to be gone.
    Crashed,
    /// Many at once, silent.
    Cut,
}

/// Judges the members of the baseline that are gone; `threshold` is a share of it.
pub(crate) fn loss(baseline: &Baseline, threshold: f64) -> Loss {
    let (lost, total) = (baseline.gone.len(), baseline.total());
    if lost == 0 {
        return Loss::None;
    }
    if !is_large(lost, total, threshold) {
        return Loss::Few;
    }
    if baseline.gone.values().filter(|gone| gone.crashed).count() * 2 > lost {
        return Loss::Crashed;
    }
    if is_burst(baseline.gone.values()) { Loss::Cut } else { Loss::Trickle }
}

/// At least two and the threshold's share; or what is left is no majority, however few that makes.
fn is_large(lost: usize, total: usize, threshold: f64) -> bool {
    let share = (threshold * total as f64).ceil() as usize;
    lost >= share.max(2) || (total - lost) * 2 <= total
}

/// Four fifths of them fell silent within one window.
fn is_burst<'a>(gone: impl Iterator<Item = &'a Gone>) -> bool {
    let mut silent: Vec<Instant> = gone.map(|gone| gone.silent).collect();
    silent.sort_unstable();
    let needed = (silent.len() * 4).div_ceil(5).max(1);
    silent.windows(needed).any(|window| window[needed - 1].saturating_duration_since(window[0]) <= BURST)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_loss_is_large_from_two_and_a_tenth_or_when_half_are_gone() {
        let table = [
            // (lost, of, large)
            (1, 10, false),
            (2, 10, true),
            (1, 3, false),
            (1, 2, true),
            (2, 3, true),
            (9, 100, false),
            (10, 100, true),
            (2, 5, true),
        ];
        for (lost, total, large) in table {
            assert_eq!(is_large(lost, total, 0.1), large, "{lost} of {total}");
        }
    }

    #[test]
    fn a_fifth_of_the_lost_may_fall_silent_at_another_time() {
        let start = Instant::now();
        let gone = |secs: u64| Gone {
            silent: start + Duration::from_secs(secs),
            failed: start,
            crashed: false,
            counts: true,
            addr: std::net::SocketAddr::from(([10, 0, 0, 1], 1)),
        };
        let burst =
            |moments: &[u64]| is_burst(moments.iter().map(|&secs| gone(secs)).collect::<Vec<_>>().iter());
        assert!(burst(&[0, 1, 2, 5, 60]));
        assert!(!burst(&[0, 1, 2, 59, 60]));
        assert!(!burst(&[0, 2, 4, 6, 8, 10]));
        assert!(burst(&[7]));
    }
}
