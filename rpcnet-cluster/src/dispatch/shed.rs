//! Which workers have room for one more call. Pure.

/// Whether a worker with so many calls in flight has room for another, when no more than `max_load` of its capacity is to be
/// used.
///
/// One that has not said what it can carry has room always, and so has one that has nothing to do: a small worker under a
/// small `max_load` would otherwise never get a call.
pub(crate) fn has_room(in_flight: u32, capacity: u32, max_load: f64) -> bool {
    in_flight == 0 || capacity == 0 || f64::from(in_flight) + 1.0 <= max_load * f64::from(capacity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_has_room_up_to_its_load_and_no_capacity_is_no_division_by_zero() {
        let table = [
            (9, 10, 1.0, true),
            (10, 10, 1.0, false),
            (7, 10, 0.8, true),
            (8, 10, 0.8, false),
            (0, 1, 0.5, true),
            (1, 1, 0.5, false),
            (1, 1, 2.0, true),
            (1_000_000, 0, 0.5, true),
            (0, 0, 0.0, true),
            (0, 10, 0.0, true),
            (1, 10, 0.0, false),
            (u32::MAX, u32::MAX, 1.0, false),
        ];
        for (in_flight, capacity, max_load, room) in table {
            let found = has_room(in_flight, capacity, max_load);
            assert_eq!(found, room, "{in_flight} of {capacity} under {max_load}");
        }
    }
}
