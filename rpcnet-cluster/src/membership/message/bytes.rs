//! Reading and writing the fields of a message.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::super::limits::{GENERATION_MAX, INCARNATION_MAX};
use super::super::{Generation, Incarnation, NodeId};
use super::Malformed;

/// Appends fields to a buffer.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.raw(&value.to_be_bytes());
    }

    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8);
    }

    pub(crate) fn id(&mut self, id: NodeId) {
        self.raw(&id.to_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(crate) fn addr(&mut self, addr: Option<SocketAddr>) {
        match addr {
            None => self.u8(0),
            Some(addr) => {
                match addr.ip() {
                    IpAddr::V4(ip) => {
                        self.u8(4);
                        self.raw(&ip.octets());
                    }
                    IpAddr::V6(ip) => {
                        self.u8(6);
                        self.raw(&ip.octets());
                    }
                }
                self.u16(addr.port());
            }
        }
    }
}

/// Takes fields from a message; every one may turn out to be missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(Malformed::Truncated)?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, tail) = self.0.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.0 = tail;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(Malformed::Value("integer"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::Value("integer"))
    }

    /// A varint that must not exceed `max`.
    pub(crate) fn varint_max(&mut self, max: u64, field: &'static str) -> Result<u64, Malformed> {
        let value = self.varint()?;
        if value > max { Err(Malformed::Value(field)) } else { Ok(value) }
    }

    pub(crate) fn id(&mut self) -> Result<NodeId, Malformed> {
        self.array().map(NodeId::from_bytes)
    }

    pub(crate) fn generation(&mut self) -> Result<Generation, Malformed> {
        self.varint_max(GENERATION_MAX, "generation").map(Generation)
    }

    pub(crate) fn incarnation(&mut self) -> Result<Incarnation, Malformed> {
        self.varint_max(INCARNATION_MAX, "incarnation").map(Incarnation)
    }

    /// A length and as many bytes, at most `max`.
    pub(crate) fn bytes(&mut self, max: usize, field: &'static str) -> Result<&'a [u8], Malformed> {
        let length = self.varint_max(max as u64, field)? as usize;
        self.take(length)
    }

    pub(crate) fn text(&mut self, max: usize, field: &'static str) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes(max, field)?).map_err(|_| Malformed::Value(field))
    }

    pub(crate) fn addr(&mut self) -> Result<Option<SocketAddr>, Malformed> {
        let ip = match self.u8()? {
            0 => return Ok(None),
            4 => IpAddr::from(Ipv4Addr::from(self.array::<4>()?)),
            6 => IpAddr::from(Ipv6Addr::from(self.array::<16>()?)),
            _ => return Err(Malformed::Value("address")),
        };
        Ok(Some(SocketAddr::new(ip, self.u16()?)))
    }
}
