//! Settings of QUIC.

use std::time::Duration;

use super::{Quic, settings::Settings};
use crate::transport::tls::Tls;

/// Settings of [`Quic`]. Those of handshakes are [`TlsBuilder`](crate::transport::tls::TlsBuilder)'s.
///
/// | setting | default | reason |
/// |---|---|---|
/// | [`window`](Self::window) | 2 MiB | what a path of 1 Gbit/s carries in 16 ms, or one of 160 Mbit/s in 100 ms |
/// | [`idle_timeout`](Self::idle_timeout) | 30 s | twice as long as the protocol is patient with a silent peer that owes an answer |
#[derive(Debug, Clone)]
#[must_use]
pub struct QuicBuilder {
    tls: Tls,
    settings: Settings,
}

impl QuicBuilder {
    pub(super) fn new(tls: Tls) -> Self {
        Self { tls, settings: Settings { window: 2 << 20, idle_timeout: Duration::from_secs(30) } }
    }

    /// How many bytes of a connection may be under way, or arrived and unread, in each direction: what one connection can make
    /// an end hold. At least 64 KiB.
    pub fn window(mut self, bytes: u32) -> Self {
        self.settings.window = bytes.max(64 << 10);
        self
    }

    /// How long nothing may come from the peer before the connection is given up: the smaller of both ends' counts. A client
    /// sends a packet after a third of it without one, so that a connection without calls stays open, also through a translator
    /// of addresses that forgets after half a minute. At least a second.
    ///
    /// A peer that vanishes while a call waits for it is noticed earlier, by
    /// [`Limits::keepalive_interval`](crate::Limits::keepalive_interval) and `keepalive_timeout`.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        // The protocol's largest is 2⁶² ms: what a user means by that is served by a century.
        let century = Duration::from_secs(100 * 365 * 86_400);
        self.settings.idle_timeout = timeout.clamp(Duration::from_secs(1), century);
        self
    }

    /// The transport.
    #[must_use]
    pub fn build(self) -> Quic {
        Quic::with(self.tls, self.settings)
    }
}
