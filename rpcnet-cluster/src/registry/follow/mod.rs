//! A registry for whoever is no member: it follows the picture of any node that offers it.
//!
//! ```text
//! a member's events ─▶ feed (view, version; each change encoded once) ─▶ a stream for each follower
//!                                                                              ║
//! registry ◀─ source ◀─ fold (snapshot: the difference; change: the next version) ◀═╝
//! ```

mod builder;
mod client;
mod feed;
mod fold;
mod protocol;
mod service;
#[cfg(all(test, feature = "testkit"))]
mod tests;

pub use builder::Follow;

pub(super) use service::service;
