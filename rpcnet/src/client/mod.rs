//! ① A call begins and ends here: options and stub, the channel to one server, the driver of its connection.

pub(crate) mod caller;
pub(crate) mod channel;
pub(crate) mod connect;
mod connection;
mod guard;
pub(crate) mod options;
pub(crate) mod sent;
pub(crate) mod stub;
