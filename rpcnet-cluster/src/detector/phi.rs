//! φ(y) = −log10(½·erfc(y/√2)): the phi accrual failure detector's suspicion level (Hayashibara et al., SRDS 2004).
//!
//! `y` is the distance from the mean in standard deviations. Computed from `erfc`, not as `1 − cdf`, which is infinite
//! from y = 8.3 on; past y = 30, where even `erfc` nears the smallest double, the tail's asymptote takes over. The
//! probability is never floored: a φ that cannot grow makes every threshold above the floor unreachable.

use std::f64::consts::{LOG10_E, PI, SQRT_2};

/// Where the asymptote takes over; its relative error there is below 10⁻⁵.
const ASYMPTOTIC_FROM: f64 = 30.0;

/// The suspicion level `y` standard deviations after the mean. 0.301 at the mean, 8 at y = 5.612; grows without end.
pub(crate) fn phi(y: f64) -> f64 {
    if y < ASYMPTOTIC_FROM {
        // At y ≪ 0 the probability is 1 and its logarithm −0: the sum makes it +0.
        -(0.5 * libm::erfc(y / SQRT_2)).log10() + 0.0
    } else {
        y * y / 2.0 * LOG10_E + (y * (2.0 * PI).sqrt()).log10()
    }
}

/// The `y` at which φ reaches `threshold`, by bisection: φ is strictly increasing where it is positive.
pub(crate) fn crossing(threshold: f64) -> f64 {
    let (mut low, mut high) = (-8.0, 64.0);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if phi(middle) < threshold { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_threshold_is_crossed_where_the_tables_say() {
        assert!((crossing(8.0) - 5.612).abs() < 0.001, "{}", crossing(8.0));
        assert!((phi(0.0) - std::f64::consts::LOG10_2).abs() < 1e-5);
        assert!((phi(3.0) - 2.8697).abs() < 1e-3, "{}", phi(3.0));
    }

    #[test]
    fn phi_grows_without_a_ceiling_and_without_a_jump() {
        let mut last = phi(-10.0);
        for step in -99..20_000 {
            let next = phi(f64::from(step) / 10.0);
            assert!(next.is_finite() && next >= last, "at {step}: {last} then {next}");
            last = next;
        }
        assert!(last > 800_000.0);
        let (before, after) = (phi(ASYMPTOTIC_FROM - 1e-9), phi(ASYMPTOTIC_FROM));
        assert!((after - before).abs() < 0.001, "{before} then {after}");
    }

    #[test]
    fn a_peer_long_before_its_mean_is_not_suspicious() {
        assert!(phi(-15.0) < 1e-12);
        assert!(phi(-15.0).is_sign_positive());
    }
}
