//! ⑤ A call is served: a connection is accepted, the method found, its handler run, the answer sent.

mod accept;
mod access;
pub(crate) mod admission;
pub(crate) mod builder;
mod connection;
pub(crate) mod drain;
pub(crate) mod execution;
pub(crate) mod handler;
pub(crate) mod router;
pub(crate) mod routes;
pub(crate) mod services;
pub(crate) mod settings;

#[cfg(test)]
mod tests;
