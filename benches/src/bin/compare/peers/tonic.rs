//! tonic without TLS: one connection, as its generated client has, and what its generator would write for the service.

use std::{
    convert::Infallible,
    net::SocketAddr,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{StreamExt, future::BoxFuture, stream};
use http::uri::PathAndQuery;
use tonic::{
    Request, Response, Status,
    body::Body,
    client::Grpc as Client,
    server::{Grpc, NamedService, ServerStreamingService, UnaryService},
    transport::{
        Channel, Endpoint,
        server::{Server, TcpIncoming},
    },
};
use tonic_prost::ProstCodec;
use tower::Service;

use super::super::{
    Failure,
    load::Caller,
    process::System,
    streams::{ITEM_BYTES, ITEMS},
};

/// The message of both ways.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Payload {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: Bytes,
}

/// The service: an echo, and a stream.
#[derive(Clone)]
struct Echo;

type Messages = stream::BoxStream<'static, Result<Payload, Status>>;

impl UnaryService<Payload> for Echo {
    type Response = Payload;
    type Future = BoxFuture<'static, Result<Response<Payload>, Status>>;

    fn call(&mut self, request: Request<Payload>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

impl ServerStreamingService<Payload> for Echo {
    type Response = Payload;
    type ResponseStream = Messages;
    type Future = BoxFuture<'static, Result<Response<Messages>, Status>>;

    fn call(&mut self, request: Request<Payload>) -> Self::Future {
        let item = request.into_inner();
        Box::pin(async move {
            let items: Messages = Box::pin(stream::iter(std::iter::repeat_n(item, ITEMS).map(Ok)));
            Ok(Response::new(items))
        })
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "bench.Echo";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::default());
            Ok(match request.uri().path() {
                ECHO => grpc.unary(Echo, request).await,
                STREAM => grpc.server_streaming(Echo, request).await,
                _ => Status::unimplemented("neither of the two").into_http(),
            })
        })
    }
}

const ECHO: &str = "/bench.Echo/Echo";
const STREAM: &str = "/bench.Echo/Stream";

/// Which of its methods is called.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tonic {
    Echo,
    Stream,
}

/// One of the callers of a connection.
#[derive(Clone)]
pub(crate) struct Connection {
    client: Client<Channel>,
    method: Tonic,
}

impl System for Tonic {
    type Caller = Connection;

    async fn serve(&self) -> Result<SocketAddr, Failure> {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
        let address = incoming.local_addr()?;
        tokio::spawn(Server::builder().add_service(Echo).serve_with_incoming(incoming));
        Ok(address)
    }

    async fn connect(&self, to: SocketAddr, callers: usize) -> Result<Vec<Connection>, Failure> {
        let channel = Endpoint::from_shared(format!("http://{to}"))?.tcp_nodelay(true).connect().await?;
        Ok(vec![Connection { client: Client::new(channel), method: *self }; callers])
    }
}

impl Caller for Connection {
    async fn call(&mut self, payload: &Bytes) -> Result<usize, Failure> {
        self.client.ready().await?;
        let request = Request::new(Payload { bytes: payload.clone() });
        let codec = ProstCodec::<Payload, Payload>::default();
        match self.method {
            Tonic::Echo => {
                let path = PathAndQuery::from_static(ECHO);
                Ok(self.client.unary(request, path, codec).await?.into_inner().bytes.len())
            }
            Tonic::Stream => {
                let path = PathAndQuery::from_static(STREAM);
                let mut items = self.client.server_streaming(request, path, codec).await?.into_inner();
                let mut came = 0;
                while let Some(item) = items.next().await {
                    came += item?.bytes.len();
                }
                if came == ITEMS * ITEM_BYTES { Ok(ITEM_BYTES) } else { Err("a stream was cut".into()) }
            }
        }
    }
}
