//! The payload of a PACK: whole items one behind the other, each behind its length, a `u16`.

/// The bytes of an item's length.
pub(super) const LENGTH_BYTES: usize = 2;

/// Why a pack is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unpackable {
    /// It has no item, or ends in the middle of one.
    Malformed,
    /// An item is longer than it may be.
    TooLarge,
}

/// The length of the first item.
pub(super) fn first_len(pack: &[u8]) -> Option<usize> {
    pack.first_chunk().map(|length| u16::from_le_bytes(*length).into())
}

/// How many bytes the first items take up: as many as fit into `room`, up to the first that is longer than `longest`.
pub(super) fn prefix(pack: &[u8], room: usize, longest: usize) -> usize {
    let mut end = 0;
    while let Some(length) = pack.get(end..).and_then(first_len) {
        let next = end + LENGTH_BYTES + length;
        if next > room.min(pack.len()) || length > longest {
            break;
        }
        end = next;
    }
    end
}

/// Holds a pack that came against what it may be.
pub(super) fn check(pack: &[u8], longest: usize) -> Result<(), Unpackable> {
    let whole = prefix(pack, pack.len(), longest);
    match first_len(&pack[whole..]) {
        None if whole == pack.len() && whole > 0 => Ok(()),
        Some(length) if length > longest && whole + LENGTH_BYTES + length <= pack.len() => {
            Err(Unpackable::TooLarge)
        }
        _ => Err(Unpackable::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACK: [u8; 9] = [1, 0, b'a', 0, 0, 2, 0, b'b', b'c'];

    #[test]
    fn a_pack_is_whole_items() {
        assert_eq!(check(&PACK, 2), Ok(()));
        assert_eq!(check(&PACK[..5], 2), Ok(()), "an empty item is one");
        for cut in [0, 1, 2, 4, 6, 7, 8] {
            assert_eq!(check(&PACK[..cut], 2), Err(Unpackable::Malformed), "{cut} bytes of it");
        }
    }

    #[test]
    fn an_item_that_is_too_long_is_told_from_one_that_is_cut() {
        assert_eq!(check(&PACK, 1), Err(Unpackable::TooLarge));
        assert_eq!(check(&PACK[..8], 1), Err(Unpackable::Malformed));
    }

    #[test]
    fn what_fits_is_whole_items() {
        let fits: Vec<_> = (0..=PACK.len()).map(|room| prefix(&PACK, room, 2)).collect();
        assert_eq!(fits, [0, 0, 0, 3, 3, 5, 5, 5, 5, 9]);
        assert_eq!(prefix(&PACK, PACK.len(), 1), 5);
    }
}
