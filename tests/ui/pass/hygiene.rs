//! Names of the user's that generated code uses too: none of them is touched.

#![deny(warnings)]
#![allow(dead_code, non_camel_case_types)]

use rpcnet::{Server, prelude::Uuid as Id, rpc_trait};

mod names {
    //! What generated code would meet if it named anything by a short name.

    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Vec;
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Option;
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct String;
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct C;
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct S;
    pub struct Arc;
    pub struct PhantomData;
    pub struct CallError;
    pub struct Stub;
    pub struct Routes;
    pub struct Method;
    pub trait Send {}
    pub trait Sync {}
    pub trait Future {}
    pub trait Clone {}
    pub trait Debug {}
    pub trait Into {}
    pub trait Service {}
    pub type Result = ();
    #[allow(non_snake_case)]
    pub fn Ok() {}
    #[allow(non_snake_case)]
    pub fn Some() {}
    pub mod rpcnet {}
    pub mod std {}
    pub mod core {}
}

/// Whatever is done to a value by method syntax, this does too, and first.
trait Grabby: Sized {
    fn unary(self) {}
    fn new(self) {}
    fn with(self) {}
    fn into_result(self) {}
}

impl<T> Grabby for T {}

mod service {
    #[allow(unused_imports)]
    use super::Grabby as _;
    use super::{Id as Uuid, names::*, rpc_trait};

    pub type Answer<T> = ::std::result::Result<T, u8>;

    #[rpc_trait]
    pub trait Names {
        async fn all(
            &self,
            request: u8,
            self_: u8,
            ctx_: u8,
            ctx: u8,
            context: u8,
            stub: u8,
            service: u8,
            routes: u8,
            call: u8,
            client: u8,
        ) -> Answer<u8>;

        async fn more(&self, options: u8, f: u8, caller: u8, address: u8, r#type: u8, r#async: u8) -> Answer<u8>;

        async fn keyed(&self, call: u8, request_id: Uuid, _context: u8) -> Answer<u8>;

        async fn types(&self, vec: Vec, option: Option, string: String, c: C, s: S) -> Answer<C>;

        async fn r#match(&self) -> Answer<()>;

        async fn unary(&self) -> Answer<()>;

        async fn fmt(&self) -> Answer<()>;

        async fn routes(&self) -> Answer<()>;

        async fn descriptor(&self) -> Answer<()>;
    }
}

use service::{Answer, Names, NamesClient, NamesServer};

struct Everything;

impl Names for Everything {
    async fn all(
        &self,
        request: u8,
        self_: u8,
        ctx_: u8,
        ctx: u8,
        context: u8,
        stub: u8,
        service: u8,
        routes: u8,
        call: u8,
        client: u8,
    ) -> Answer<u8> {
        Ok(request + self_ + ctx_ + ctx + context + stub + service + routes + call + client)
    }

    async fn more(&self, options: u8, f: u8, caller: u8, address: u8, r#type: u8, r#async: u8) -> Answer<u8> {
        Ok(options + f + caller + address + r#type + r#async)
    }

    async fn keyed(&self, call: u8, request_id: Id, _context: u8) -> Answer<u8> {
        Ok(call + request_id.as_bytes()[15])
    }

    async fn types(
        &self,
        _: names::Vec,
        _: names::Option,
        _: names::String,
        c: names::C,
        _: names::S,
    ) -> Answer<names::C> {
        Ok(c)
    }

    async fn r#match(&self) -> Answer<()> {
        Ok(())
    }

    async fn unary(&self) -> Answer<()> {
        Ok(())
    }

    async fn fmt(&self) -> Answer<()> {
        Ok(())
    }

    async fn routes(&self) -> Answer<()> {
        Ok(())
    }

    async fn descriptor(&self) -> Answer<()> {
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let server = Server::builder().service(NamesServer::new(Everything)).bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr();
    tokio::spawn(server.serve());
    let client = NamesClient::connect(address).await.unwrap();
    assert_eq!(client.all(1, 1, 1, 1, 1, 1, 1, 1, 1, 1).await.unwrap(), 10);
    assert_eq!(client.more(1, 1, 1, 1, 1, 1).await.unwrap(), 6);
    assert_eq!(client.keyed(1, Id::from_u128(2), 3).await.unwrap(), 3);
    client.types(names::Vec, names::Option, names::String, names::C, names::S).await.unwrap();
    client.r#match().await.unwrap();
    NamesClient::unary(&client).await.unwrap();
    client.fmt().await.unwrap();
    client.routes().await.unwrap();
    client.descriptor().await.unwrap();
}
