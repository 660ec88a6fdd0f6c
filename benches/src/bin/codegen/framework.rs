//! What is compared.

use std::{fmt, path::Path};

/// What a sample crate is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framework {
    /// None: the types and plain functions.
    Baseline,
    RpcNet,
    Tarpc,
    Tonic,
}

impl Framework {
    pub(crate) const ALL: [Self; 4] = [Self::Baseline, Self::RpcNet, Self::Tarpc, Self::Tonic];

    /// Its name, which is that of its folder.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::RpcNet => "rpcnet",
            Self::Tarpc => "tarpc",
            Self::Tonic => "tonic",
        }
    }

    /// The name of its sample crate.
    pub(crate) fn package(self) -> String {
        format!("sample-{}", self.name())
    }

    /// The dependencies whose versions are reported.
    pub(crate) const fn reported(self) -> &'static [&'static str] {
        match self {
            Self::Baseline => &["tokio", "serde"],
            Self::RpcNet => &["rpcnet"],
            Self::Tarpc => &["tarpc"],
            Self::Tonic => &["tonic", "prost"],
        }
    }

    /// The manifest of its sample crate; `rpcnet` is where RpcNet is.
    pub(crate) fn manifest(self, rpcnet: &Path) -> String {
        let manifest = match self {
            Self::Baseline => include_str!("templates/baseline.toml"),
            Self::RpcNet => include_str!("templates/rpcnet.toml"),
            Self::Tarpc => include_str!("templates/tarpc.toml"),
            Self::Tonic => include_str!("templates/tonic.toml"),
        };
        manifest.replace("{rpcnet}", &rpcnet.to_string_lossy())
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
