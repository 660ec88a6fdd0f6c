//! ⑤ A call is served: a connection is accepted, the method found, its handler run, the answer sent.

pub(crate) mod handler;
pub(crate) mod routes;
