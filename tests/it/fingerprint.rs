//! What a method's fingerprint tells apart, and what it does not see.

/// The fingerprint of the one method of a trait, declared among the types given.
macro_rules! fingerprint {
    ({ $($item:item)* } $($method:tt)*) => {{
        mod version {
            #![allow(dead_code, unused_imports, unused_variables, unreachable_pub, reason = "only described")]
            use rpcnet::{Schema, Service, prelude::*};
            use serde::{Deserialize, Serialize};

            $($item)*

            #[rpc_trait]
            pub trait Shop {
                $($method)*
            }

            struct Nobody;

            impl Shop for Nobody {}

            pub fn fingerprint() -> u64 {
                ShopServer::new(Nobody).descriptor().methods[0].fingerprint()
            }
        }
        version::fingerprint()
    }};
}

#[test]
fn names_and_types_are_seen_as_written() {
    let versions = [
        fingerprint!({} async fn buy(&self, id: u64) -> Result<u32, String> { Ok(0) }),
        fingerprint!({} async fn buy(&self, id: u32) -> Result<u32, String> { Ok(0) }),
        fingerprint!({} async fn buy(&self, number: u64) -> Result<u32, String> { Ok(0) }),
        fingerprint!({} async fn buy(&self, id: u64, count: u8) -> Result<u32, String> { Ok(0) }),
        fingerprint!({} async fn buy(&self, id: u64) -> Result<u64, String> { Ok(0) }),
        fingerprint!({} async fn buy(&self, id: u64) -> Result<u32, u8> { Ok(0) }),
        fingerprint!({} async fn buy(&self, id: u64) -> Result<Streaming<u32>, String> { Ok(Streaming::empty()) }),
    ];
    for (index, version) in versions.iter().enumerate() {
        assert!(!versions[..index].contains(version), "version {index} looks like an earlier one");
    }
}

#[test]
fn what_does_not_cross_the_network_changes_nothing() {
    let plain = fingerprint!({} async fn buy(&self, id: u64) -> Result<u32, String> { Ok(0) });
    let same = [
        fingerprint!({} async fn buy(&self, ctx: Context, id: u64) -> Result<u32, String> { Ok(0) }),
        fingerprint!({} #[rpc(idempotent, timeout = "1s")] async fn buy(&self, id: u64) -> Result<u32, String> { Ok(0) }),
        fingerprint!({} #[rpc(rename = "buy")] async fn purchase(&self, id: u64) -> Result<u32, String> { Ok(0) }),
    ];
    assert_eq!(same, [plain; 3]);
}

#[test]
fn the_inside_of_a_type_is_seen_where_it_has_a_schema() {
    let before = fingerprint!({ #[derive(Serialize, Deserialize, Schema)] pub struct Order { pub id: u64 } }
        async fn buy(&self, order: Order) -> Result<(), String> { Ok(()) });
    let after = fingerprint!({ #[derive(Serialize, Deserialize, Schema)] pub struct Order { pub id: u32 } }
        async fn buy(&self, order: Order) -> Result<(), String> { Ok(()) });
    assert_ne!(before, after);
}

/// What the documentation warns of.
#[test]
fn the_inside_of_a_type_without_a_schema_is_not_seen() {
    let before = fingerprint!({ #[derive(Serialize, Deserialize)] pub struct Order { pub id: u64 } }
        async fn buy(&self, order: Order) -> Result<(), String> { Ok(()) });
    let after = fingerprint!({ #[derive(Serialize, Deserialize)] pub struct Order { pub id: u32 } }
        async fn buy(&self, order: Order) -> Result<(), String> { Ok(()) });
    assert_eq!(before, after);
}
