//! What a service looks like from outside: its methods, their ids, and what may be done with a call to them.

use std::fmt;

/// A method's name on the wire: 64 bits of the FNV-1a hash of `Service/method`.
///
/// Hashed rather than counted, so that adding, reordering or `cfg`-ing methods changes the id of none. Two methods of
/// one server whose names collide are refused when the server is built.
///
/// Source: Fowler, Noll, Vo, <https://datatracker.ietf.org/doc/html/rfc9923>.
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

/// What may happen when it is not known whether a call ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Idempotency {
    /// Never sent again once it may have run. What a method is when nothing is said.
    #[default]
    AtMostOnce,
    /// Doing it twice has the effect of doing it once: may be sent again, to any worker. `#[rpc(idempotent)]`.
    Idempotent,
    /// Each call carries a request id; the server answers a repeat from its cache. A parameter `request_id: Uuid`.
    Keyed,
}

/// One method of a service, as its trait declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodDescriptor {
    /// The method's name within its service.
    pub name: &'static str,
    /// Its full name, `Service/method`.
    pub path: &'static str,
    /// Its id on the wire.
    pub id: MethodId,
    /// What may be done when it is not known whether a call ran.
    pub idempotency: Idempotency,
    /// The arguments that cross the wire, in order: name and type as written.
    pub arguments: &'static [(&'static str, &'static str)],
    /// The type of the answer as written.
    pub answer: &'static str,
    /// The method's doc comment.
    pub docs: &'static str,
}

impl MethodDescriptor {
    /// Describes a method; its id follows from the path, `Service/method`.
    pub const fn new(name: &'static str, path: &'static str) -> Self {
        let (arguments, id) = (&[] as &[_], MethodId::of(path));
        Self { name, path, id, idempotency: Idempotency::AtMostOnce, arguments, answer: "", docs: "" }
    }

    /// With what may be done when it is not known whether a call ran.
    #[must_use]
    pub const fn idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// With the arguments' names and types as written.
    #[must_use]
    pub const fn arguments(mut self, arguments: &'static [(&'static str, &'static str)]) -> Self {
        self.arguments = arguments;
        self
    }

    /// With the type of the answer as written.
    #[must_use]
    pub const fn answer(mut self, answer: &'static str) -> Self {
        self.answer = answer;
        self
    }

    /// With the doc comment.
    #[must_use]
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }
}

/// A service, as its trait declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceDescriptor {
    /// The service's name, the first part of every method's path.
    pub name: &'static str,
    /// Its methods, in the order of the trait.
    pub methods: &'static [MethodDescriptor],
    /// The trait's doc comment.
    pub docs: &'static str,
}

impl ServiceDescriptor {
    /// Describes a service.
    pub const fn new(name: &'static str, methods: &'static [MethodDescriptor], docs: &'static str) -> Self {
        Self { name, methods, docs }
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
