//! The name of a method on the wire.

use std::fmt;

/// A method's name on the wire: 64 bits of the FNV-1a hash of `Service/method`.
///
/// Hashed rather than counted, so that adding, reordering or `cfg`-ing methods changes the id of none. Two methods of
/// one server whose names collide are refused when the server is built.
///
/// Source: Fowler, Noll, Vo, <https://datatracker.ietf.org/doc/html/rfc9923>.
///
/// ```
/// use rpcnet::MethodId;
///
/// assert_eq!(MethodId::of("Greeter/greet"), MethodId::of("Greeter/greet"));
/// assert_ne!(MethodId::of("Greeter/greet"), MethodId::of("Greeter/leave"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodId(u64);

impl MethodId {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    /// The id of a method by its full name, `Service/method`, or of an untyped one by the name it was registered under.
    pub const fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash = Self::OFFSET_BASIS;
        let mut index = 0;
        while index < bytes.len() {
            hash = (hash ^ bytes[index] as u64).wrapping_mul(Self::PRIME);
            index += 1;
        }
        Self(hash)
    }

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for MethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for MethodId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MethodId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_published_fnv_1a_vectors() {
        assert_eq!(MethodId::of("").to_bits(), 0xcbf2_9ce4_8422_2325);
        assert_eq!(MethodId::of("a").to_bits(), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(MethodId::of("foobar").to_bits(), 0x8594_4171_f739_67e8);
    }
}
