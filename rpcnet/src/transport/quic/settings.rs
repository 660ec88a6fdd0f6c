//! What quinn is told: every bound of a connection, with its reason.

use std::{sync::Arc, time::Duration};

use quinn::{IdleTimeout, TransportConfig, VarInt};

/// What does not change while QUIC is used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) window: u32,
    pub(super) idle_timeout: Duration,
}

/// Which end a connection is configured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// The bytes of one client's hello beyond its first packet that are kept while the handshake waits to be begun. A hello is one
/// packet, or two with a key exchange for after quantum computers.
pub(super) const HELLO_BYTES_MAX: u64 = 16 << 10;

impl Settings {
    /// Everything else is as quinn has it: how losses are noticed and made good, and the size of packets.
    pub(super) fn transport(self, side: Side) -> Arc<TransportConfig> {
        let mut config = TransportConfig::default();
        let (none, one, window) = (VarInt::from_u32(0), VarInt::from_u32(1), VarInt::from_u32(self.window));
        let patience =
            IdleTimeout::try_from(self.idle_timeout).expect("the builder keeps it below a century");
        config
            // One stream, opened by the client, carries everything; what else a peer opens is a violation.
            .max_concurrent_bidi_streams(if side == Side::Server { one } else { none })
            .max_concurrent_uni_streams(none)
            .datagram_receive_buffer_size(None)
            .datagram_send_buffer_size(0)
            // The same for the stream and the connection, for they are the same; quinn's own connection window has no bound.
            .stream_receive_window(window)
            .receive_window(window)
            .send_window(self.window.into())
            .max_idle_timeout(Some(patience))
            // One end is enough, and a server has more connections than a client.
            .keep_alive_interval((side == Side::Client).then_some(self.idle_timeout / 3));
        Arc::new(config)
    }
}
