//! Traits wherever a trait may stand, and a runtime that goes by another name.

#![deny(warnings, missing_docs, unreachable_pub)]

/// Another crate's copy of everything.
pub mod vendored {
    pub use rpcnet;
}

mod inner {
    use crate::vendored::rpcnet::{self as transport, rpc_trait};

    /// Only for this crate.
    #[rpc_trait(crate = crate::vendored::rpcnet)]
    pub(crate) trait Restricted {
        /// Answers.
        async fn answer(&self) -> transport::Result<u8>;
    }

    pub(super) mod deeper {
        /// Only for the parent.
        #[rpcnet::rpc_trait]
        pub(in crate::inner) trait Scoped {
            async fn answer(&self, number: super::Number) -> rpcnet::Result<super::Number>;
        }
    }

    pub(super) type Number = u8;

    #[allow(dead_code)]
    fn scoped(client: &deeper::ScopedClient) -> impl Future + '_ {
        client.answer(1)
    }
}

macro_rules! declare {
    ($(#[$attr:meta])* $vis:vis $name:ident in $krate:path { $($method:ident($argument:ident: $ty:ty) -> $answer:ty;)* }) => {
        #[rpcnet::rpc_trait(crate = $krate)]
        $(#[$attr])*
        $vis trait $name {
            $(
                /// Made by a macro.
                async fn $method(&self, $argument: $ty) -> $answer;
            )*
        }
    };
}

declare! {
    /// Declared by a macro.
    pub Declared in crate::vendored::rpcnet {
        shout(text: String) -> Result<String, Vec<u8>>;
        count(text: Vec<String>) -> rpcnet::Result<usize>;
    }
}

/// No method at all.
#[rpcnet::rpc_trait]
pub trait Empty {}

struct Nobody;

impl Empty for Nobody {}

impl inner::Restricted for Nobody {
    async fn answer(&self) -> rpcnet::Result<u8> {
        Ok(42)
    }
}

fn main() {
    use rpcnet::Service as _;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Local;

    #[rpcnet::rpc_trait]
    trait InAFunction {
        async fn echo(&self, local: Local) -> rpcnet::Result<Local>;
    }

    impl InAFunction for Nobody {
        async fn echo(&self, local: Local) -> rpcnet::Result<Local> {
            Ok(local)
        }
    }

    assert_eq!(InAFunctionServer::new(Nobody).descriptor().methods.len(), 1);
    assert_eq!(EmptyServer::new(Nobody).descriptor().methods.len(), 0);
    assert_eq!(inner::RestrictedServer::new(Nobody).descriptor().name, "Restricted");
}
