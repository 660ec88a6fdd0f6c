//! Methods that exist under a condition, or are deprecated.

#![deny(warnings)]

use rpcnet::{Service, prelude::*};

#[rpc_trait]
trait Shapes {
    #[cfg(all())]
    async fn area(&self, side: u32) -> rpcnet::Result<u32>;

    #[cfg(any())]
    async fn area(&self, radius: NoSuchType) -> rpcnet::Result<NoSuchType>;

    #[cfg_attr(all(), cfg(any()))]
    async fn gone(&self, radius: NoSuchType) -> NoSuchType;

    #[deprecated = "ask for the area"]
    #[cfg_attr(all(), doc = "The old way.")]
    #[allow(clippy::too_many_arguments)]
    async fn size(&self, side: u32) -> rpcnet::Result<u32>;
}

#[cfg(any())]
#[rpc_trait]
trait Nowhere {
    async fn nothing(&self, what: NoSuchType) -> rpcnet::Result<()>;
}

#[rpc_trait]
#[cfg(any())]
trait NowhereEither {
    async fn nothing(&self, what: NoSuchType) -> rpcnet::Result<()>;
}

struct Flat;

impl Shapes for Flat {
    async fn area(&self, side: u32) -> rpcnet::Result<u32> {
        Ok(side * side)
    }

    async fn size(&self, side: u32) -> rpcnet::Result<u32> {
        Ok(side)
    }
}

#[tokio::main]
async fn main() {
    let service = ShapesServer::new(Flat);
    let names: Vec<_> = service.descriptor().methods.iter().map(|method| method.name).collect();
    assert_eq!(names, ["area", "size"]);
    let server = Server::builder().service(service).bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr();
    tokio::spawn(server.serve());
    let client = ShapesClient::connect(address).await.unwrap();
    assert_eq!(client.area(3).await.unwrap(), 9);
    #[allow(deprecated)]
    let size = client.size(3).await.unwrap();
    assert_eq!(size, 3);
}
