//! How unlikely it is that a silent peer still lives: pure arithmetic over probe round trips.

mod phi;
mod window;

pub(crate) use phi::{crossing, phi};
pub(crate) use window::Window;
