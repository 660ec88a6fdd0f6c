//! More arguments than serde has tuples for.

#![deny(warnings)]

use rpcnet::prelude::*;

#[rpc_trait]
#[allow(clippy::too_many_arguments)]
trait Many {
    async fn sixteen(
        &self,
        a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: String,
    ) -> rpcnet::Result<String>;

    async fn seventeen(
        &self,
        a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: u8,
        q: String,
    ) -> rpcnet::Result<String>;
}

struct Last;

#[rustfmt::skip]
impl Many for Last {
    async fn sixteen(
        &self,
        _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, p: String,
    ) -> rpcnet::Result<String> {
        Ok(p)
    }

    async fn seventeen(
        &self,
        _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, p: u8,
        q: String,
    ) -> rpcnet::Result<String> {
        Ok(format!("{p}{q}"))
    }
}

#[tokio::main]
async fn main() {
    let server = Server::builder().service(ManyServer::new(Last)).bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr();
    tokio::spawn(server.serve());
    let client = ManyClient::connect(address).await.unwrap();
    let last = client.sixteen(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "p".to_owned()).await;
    assert_eq!(last.unwrap(), "p");
    let last = client.seventeen(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, "q".to_owned()).await;
    assert_eq!(last.unwrap(), "16q");
}
