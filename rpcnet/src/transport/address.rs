//! Where a server is.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Where a server is: `host:port`, the host being a name or an IP address, or `unix:` and the path of a Unix domain socket.
///
/// A name is resolved each time a connection is opened. `unix:@name` has no file: it is a name that Linux keeps (an abstract
/// socket). A text that begins with `unix:` is never a host.
///
/// ```
/// use rpcnet::Address;
///
/// let address = Address::from("unix:/run/greeter.sock");
/// assert_eq!(address.path(), Some("/run/greeter.sock".as_ref()));
/// assert_eq!(address, Address::from(std::path::Path::new("/run/greeter.sock")));
/// assert_eq!(Address::from("127.0.0.1:7000").socket_addr(), Some(([127, 0, 0, 1], 7000).into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Place);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    Socket(SocketAddr),
    Name(String),
    /// As Linux writes it: a name without a file begins with a zero byte.
    Unix(PathBuf),
}

impl Address {
    /// The IP address and port, if it has them and not a name or a path.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.0 {
            Place::Socket(addr) => Some(addr),
            Place::Name(_) | Place::Unix(_) => None,
        }
    }

    /// The host of a name, without its port. None for an IP address and for a Unix domain socket.
    pub fn host(&self) -> Option<&str> {
        match &self.0 {
            Place::Name(name) => Some(name.rsplit_once(':').map_or(name.as_str(), |(host, _)| host)),
            Place::Socket(_) | Place::Unix(_) => None,
        }
    }

    /// The file of a Unix domain socket. None for any other address, and for a socket without a file.
    pub fn path(&self) -> Option<&Path> {
        self.unix_name().filter(|path| !is_abstract(path))
    }

    /// The file of a Unix domain socket, or its name after a zero byte.
    pub(crate) fn unix_name(&self) -> Option<&Path> {
        match &self.0 {
            Place::Unix(path) => Some(path),
            Place::Socket(_) | Place::Name(_) => None,
        }
    }
}

/// Whether it is the name of a socket that has no file.
pub(crate) fn is_abstract(name: &Path) -> bool {
    name.as_os_str().as_encoded_bytes().starts_with(b"\0")
}

/// A socket's path, or its name after an `@`, for people.
pub(crate) fn readable(name: &Path) -> String {
    let text = name.to_string_lossy();
    text.strip_prefix('\0').map_or_else(|| text.to_string(), |name| format!("@{name}"))
}

fn unix(text: &str) -> PathBuf {
    match text.strip_prefix('@') {
        Some(name) => format!("\0{name}").into(),
        None => text.into(),
    }
}

impl From<SocketAddr> for Address {
    fn from(addr: SocketAddr) -> Self {
        Self(Place::Socket(addr))
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        match text.strip_prefix("unix:") {
            Some(path) => Self(Place::Unix(unix(path))),
            None => Self(text.parse().map_or_else(|_| Place::Name(text.to_owned()), Place::Socket)),
        }
    }
}

impl From<&Path> for Address {
    /// The Unix domain socket with this file.
    fn from(path: &Path) -> Self {
        // A relative path may begin with the sign that means something else in a text.
        let text_is_another = path.as_os_str().as_encoded_bytes().starts_with(b"@");
        Self(Place::Unix(if text_is_another { Path::new(".").join(path) } else { path.to_owned() }))
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        path.as_path().into()
    }
}

impl From<&PathBuf> for Address {
    fn from(path: &PathBuf) -> Self {
        path.as_path().into()
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Address {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&Address> for Address {
    fn from(address: &Address) -> Self {
        address.clone()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Socket(addr) => addr.fmt(f),
            Place::Name(name) => name.fmt(f),
            Place::Unix(path) => write!(f, "unix:{}", readable(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_what_it_was_read_from() {
        let texts = [
            "127.0.0.1:80",
            "[::1]:80",
            "host:80",
            "unix:/run/x.sock",
            "unix:x",
            "unix:@x",
            "unix:",
            "unix:7000",
        ];
        for text in texts {
            assert_eq!(Address::from(text).to_string(), text);
        }
    }

    #[test]
    fn a_file_is_not_taken_for_a_name_without_one() {
        let file = Address::from(Path::new("@x"));
        assert_eq!((file.path(), file.to_string()), (Some(Path::new("./@x")), "unix:./@x".to_owned()));
        assert_eq!(Address::from(file.to_string()), file);
        assert_eq!((Address::from("unix:@x").path(), Address::from("host:80").path()), (None, None));
    }
}
