//! Authentication by metadata: whoever calls shows a token, and the server knows which ones are good.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use siphasher::sip128::{Hasher128, SipHasher13};
use tower::{Layer, Service};
use uuid::Uuid;

use super::{Answering, AuthorizeLayer, BoxError, Outgoing, fate::Fate};
use crate::{
    body::Streamed,
    metadata::{InvalidMetadata, Metadata},
    status::{Executed, Reason, Status},
};

/// The metadata a token travels in, as in HTTP and gRPC.
const KEY: &str = "authorization";

/// What stands before the token (RFC 6750).
const SCHEME: &str = "Bearer";

/// Shows a token with every call that goes out; the other side is [`AuthorizeLayer::bearer`].
///
/// The token travels as the metadata `authorization`, `Bearer` before it, readable by whoever can read the connection. A call
/// whose options already have that metadata keeps its own.
///
/// ```
/// use rpcnet::{layer::{AuthorizeLayer, BearerLayer}, prelude::*};
///
/// #[rpc_trait]
/// trait Vault {
///     async fn open(&self) -> rpcnet::Result<String>;
/// }
///
/// struct Gold;
///
/// impl Vault for Gold {
///     async fn open(&self) -> rpcnet::Result<String> {
///         Ok("gold".to_owned())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder().service(VaultServer::new(Gold)).layer(AuthorizeLayer::bearer(["s3cret"])?);
/// let caller = server.local()?;
///
/// let stranger = VaultClient::new(caller.clone());
/// let error = stranger.open().await.unwrap_err();
/// assert_eq!(error.code(), Some(rpcnet::Code::Unauthenticated));
///
/// let owner = VaultClient::new(caller.layer(BearerLayer::new("s3cret")?));
/// assert_eq!(owner.open().await?, "gold");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct BearerLayer {
    /// The token as metadata, for calls that have none; shared by all of them.
    metadata: Arc<Metadata>,
}

/// A text that cannot be a bearer token. It is not shown: it may be a secret with a misprint.
///
/// ```
/// use rpcnet::layer::{BearerLayer, TokenError};
///
/// assert_eq!(BearerLayer::new("two words").unwrap_err(), TokenError::Character { at: 3 });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is empty.
    #[error("an empty bearer token would let nobody in, or anybody")]
    Empty,
    /// It has a space or another character that does not travel: RFC 6750 allows letters, digits and `-._~+/=`.
    #[error(
        "a bearer token has a character that it cannot have, at byte {at}: letters, digits and -._~+/= only"
    )]
    Character {
        /// Where.
        at: usize,
    },
    /// It is longer than what travels with a call.
    #[error("a bearer token is too long: {0}")]
    TooLong(InvalidMetadata),
}

fn check(token: &str) -> Result<(), TokenError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    match token.bytes().position(|byte| !allowed(byte)) {
        Some(at) => Err(TokenError::Character { at }),
        None if token.is_empty() => Err(TokenError::Empty),
        None => Ok(()),
    }
}

impl BearerLayer {
    /// Shows this token.
    ///
    /// # Errors
    ///
    /// When it cannot be one.
    pub fn new(token: &str) -> Result<Self, TokenError> {
        check(token)?;
        let metadata = Metadata::new().with(KEY, &format!("{SCHEME} {token}"));
        Ok(Self { metadata: Arc::new(metadata.map_err(TokenError::TooLong)?) })
    }
}

impl<S> Layer<S> for BearerLayer {
    type Service = Bearer<S>;

    fn layer(&self, inner: S) -> Bearer<S> {
        Bearer { inner, layer: self.clone() }
    }
}

impl fmt::Debug for BearerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerLayer")
    }
}

/// What a [`BearerLayer`] makes of a service.
#[derive(Debug, Clone)]
pub struct Bearer<S> {
    inner: S,
    layer: BearerLayer,
}

impl<S> Bearer<S> {
    fn attach(&self, call: &mut Outgoing) -> Result<(), InvalidMetadata> {
        let token = &self.layer.metadata;
        match call.request().options.metadata_set() {
            Some(metadata) if metadata.get(KEY).is_some() => Ok(()),
            Some(metadata) if !metadata.is_empty() => {
                call.metadata_mut().insert(KEY, token.get(KEY).unwrap_or_default())
            }
            _ => {
                call.request_mut().options.set_metadata(Arc::clone(token));
                Ok(())
            }
        }
    }
}

impl<S> Service<Outgoing> for Bearer<S>
where
    S: Service<Outgoing, Response = Streamed>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Streamed;
    type Error = Status;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.inner.poll_ready(cx).map_err(|error| Fate::new(None).status(error))
    }

    fn call(&mut self, mut call: Outgoing) -> Answering {
        if let Err(error) = self.attach(&mut call) {
            let message = format!("the bearer token does not fit: {error}");
            let status = Status::new(Reason::MessageTooLarge, Executed::No, message).caused_by(error);
            return Box::pin(std::future::ready(Err(call.fate.named(status))));
        }
        let fate = call.fate.clone();
        let answering = self.inner.call(call);
        Box::pin(async move { answering.await.map_err(|error| fate.status(error)) })
    }
}

impl AuthorizeLayer {
    /// Lets calls through that show one of these bearer tokens: several, so that a new one can be introduced before the old one
    /// goes. With none, nobody is let through.
    ///
    /// Others fail with [`Reason::Unauthenticated`] and a message that says what is missing, and never what was shown. Only keyed
    /// hashes of tokens are kept and compared, under a key made when the layer is: how long it takes says nothing about
    /// how much of a guess was right.
    ///
    /// # Errors
    ///
    /// When one of them cannot be a token.
    pub fn bearer<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Result<Self, TokenError> {
        let key = Uuid::new_v4().as_u64_pair();
        let accepted = tokens.into_iter().map(|token| check(token).map(|()| hash(key, token)));
        let accepted = accepted.collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(move |call| {
            let token = shown(call.context().metadata())?;
            let hash = hash(key, token);
            match accepted.iter().fold(false, |known, accepted| known | (*accepted == hash)) {
                true => Ok(()),
                false => Err(refused("is not one that is accepted")),
            }
        }))
    }
}

/// The token of a call. The scheme's name may be written in capitals or not (RFC 9110 §11.1).
fn shown(metadata: &Metadata) -> Result<&str, Status> {
    let value = metadata.get(KEY).ok_or_else(|| refused("is missing; it is to be `Bearer` and a token"))?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => Ok(token),
        _ => Err(refused("is not `Bearer` and a token")),
    }
}

fn refused(how: &str) -> Status {
    Status::new(Reason::Unauthenticated, Executed::No, format!("the metadata `{KEY}` {how}"))
}

fn hash((k0, k1): (u64, u64), token: &str) -> u128 {
    let mut hasher = SipHasher13::new_with_keys(k0, k1);
    std::hash::Hasher::write(&mut hasher, token.as_bytes());
    hasher.finish128().as_u128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_token_is_refused_and_not_shown() {
        assert_eq!(BearerLayer::new("").unwrap_err(), TokenError::Empty);
        let error = AuthorizeLayer::bearer(["good", "hunter2 "]).unwrap_err();
        assert_eq!(error, TokenError::Character { at: 7 });
        assert!(!error.to_string().contains("hunter"), "{error}");
        assert!(matches!(BearerLayer::new(&"x".repeat(9000)), Err(TokenError::TooLong(_))));
    }

    #[test]
    fn a_layer_shown_for_debugging_keeps_its_token_to_itself() {
        let layer = BearerLayer::new("hunter2").unwrap();
        assert!(!format!("{:?}", layer.layer(())).contains("hunter2"));
    }
}
