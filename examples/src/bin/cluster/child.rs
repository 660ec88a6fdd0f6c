//! The end of a process that was started by another: it says where it listens, and ends when its parent does.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
};

/// Where a child can be reached: the line it writes to its standard output when it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ready {
    /// Where it takes calls.
    pub(crate) rpc: SocketAddr,
    /// Where it gossips.
    pub(crate) gossip: SocketAddr,
}

impl Ready {
    /// Tells the parent.
    pub(crate) fn tell(self) -> io::Result<()> {
        let Self { rpc, gossip } = self;
        writeln!(io::stdout(), "ready {rpc} {gossip}")
    }

    /// Reads the line.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut addrs = line.trim_end().strip_prefix("ready ")?.split(' ').map(|addr| addr.parse().ok());
        let ready = Self { rpc: addrs.next()??, gossip: addrs.next()?? };
        addrs.next().is_none().then_some(ready)
    }
}

/// Ends this process when the parent's does, however that ends: then the system closes the other end of the standard input.
///
/// In a thread of its own, so that nothing the process is busy with keeps it alive.
pub(crate) fn end_with_parent() {
    std::thread::spawn(|| {
        let mut stdin = io::stdin().lock();
        // Nobody writes anything; whatever might come is read over.
        while stdin.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
        std::process::exit(0);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_line_is_understood() {
        let ready = Ready { rpc: "127.0.0.1:1".parse().unwrap(), gossip: "[::1]:2".parse().unwrap() };
        assert_eq!(Ready::parse("ready 127.0.0.1:1 [::1]:2\n"), Some(ready));
        for line in ["", "ready", "ready 127.0.0.1:1", "ready 127.0.0.1:1 [::1]:2 3", "127.0.0.1:1 [::1]:2"] {
            assert_eq!(Ready::parse(line), None, "{line:?}");
        }
    }
}
