//! A set of node numbers, a bit each: the views of 10 000 nodes fit 12.5 MB.

/// A set of small numbers that knows how many it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    pub(crate) fn for_nodes(nodes: usize) -> Self {
        Self { words: vec![0; nodes.div_ceil(64)], len: 0 }
    }

    /// `true` if it was not there.
    pub(crate) fn insert(&mut self, number: u32) -> bool {
        let (word, bit) = place(number);
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.len += usize::from(new);
        new
    }

    /// `true` if it was there.
    pub(crate) fn remove(&mut self, number: u32) -> bool {
        let (word, bit) = place(number);
        let held = self.words[word] & bit != 0;
        self.words[word] &= !bit;
        self.len -= usize::from(held);
        held
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        let (word, bit) = place(number);
        self.words[word] & bit != 0
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// What one of the two sets has and the other has not, as far as it is worth printing.
    pub(crate) fn difference(&self, other: &Self) -> Vec<u32> {
        let differs = |number: &u32| self.contains(*number) != other.contains(*number);
        (0..self.words.len() as u32 * 64).filter(differs).take(8).collect()
    }
}

fn place(number: u32) -> (usize, u64) {
    (number as usize / 64, 1 << (number % 64))
}
