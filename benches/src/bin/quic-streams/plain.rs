//! Quinn alone: a fresh stream a call, as one would write it by hand.

use std::{net::SocketAddr, sync::Arc};

use quinn::{
    ClientConfig, Connection, Endpoint, RecvStream, SendStream, ServerConfig, TransportConfig,
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
};
use rpcnet::transport::tls::{Pem, development::Issued};
use rustls::{
    RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::TLS13,
};

use crate::subject::{Failure, PAYLOAD};

/// More streams than there are callers.
const STREAMS_MAX: u32 = 4096;

/// Serves on a port that the system chooses.
pub(crate) fn serve(own: &Issued) -> Result<SocketAddr, Failure> {
    let chain = CertificateDer::pem_slice_iter(&own.chain.to_vec()?).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(&own.key.to_vec()?)?;
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    let mut transport = TransportConfig::default();
    transport.max_concurrent_bidi_streams(STREAMS_MAX.into());
    config.transport_config(Arc::new(transport));
    let endpoint = Endpoint::server(config, ([127, 0, 0, 1], 0).into())?;
    let address = endpoint.local_addr()?;
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            if let Ok(connection) = incoming.await {
                tokio::spawn(answer_all(connection));
            }
        }
    });
    Ok(address)
}

async fn answer_all(connection: Connection) {
    while let Ok((send, recv)) = connection.accept_bi().await {
        tokio::spawn(answer(send, recv));
    }
}

async fn answer(mut send: SendStream, mut recv: RecvStream) -> Result<(), Failure> {
    let bytes = recv.read_to_end(PAYLOAD.len()).await?;
    send.write_all(&bytes).await?;
    Ok(send.finish()?)
}

/// A connection, with what keeps its socket.
pub(crate) async fn connect(to: SocketAddr, roots: &Pem) -> Result<(Endpoint, Connection), Failure> {
    let mut store = RootCertStore::empty();
    store.add(CertificateDer::from_pem_slice(&roots.to_vec()?)?)?;
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(store)
        .with_no_client_auth();
    let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    let endpoint = Endpoint::client(([127, 0, 0, 1], 0).into())?;
    let connection = endpoint.connect_with(config, to, "127.0.0.1")?.await?;
    Ok((endpoint, connection))
}

/// One call.
pub(crate) async fn call(connection: &Connection) -> Result<Vec<u8>, Failure> {
    let (mut send, mut recv) = connection.open_bi().await?;
    send.write_all(PAYLOAD).await?;
    send.finish()?;
    Ok(recv.read_to_end(PAYLOAD.len()).await?)
}
