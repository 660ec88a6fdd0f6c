//! Where the workers keep their records.

/// Which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    Redb,
    Redis,
}

impl Kind {
    pub(crate) fn read(name: &str) -> Option<Self> {
        [Self::Memory, Self::Redb, Self::Redis].into_iter().find(|kind| kind.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redb => "redb",
            Self::Redis => "redis",
        }
    }
}
