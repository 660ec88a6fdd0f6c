//! The `#[rpc_trait]` attribute.
