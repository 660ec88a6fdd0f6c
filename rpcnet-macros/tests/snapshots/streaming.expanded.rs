pub trait Feed: ::rpcnet::private::Send + ::rpcnet::private::Sync + 'static {
    /// What happens from now on.
    fn watch(
        &self,
        prefix: String,
    ) -> impl ::rpcnet::private::Future<
        Output = Result<Streaming<Change>, FeedError>,
    > + ::rpcnet::private::Send;
    fn upload(
        &self,
        name: String,
        parts: Streaming<Bytes>,
    ) -> impl ::rpcnet::private::Future<
        Output = Result<Digest, FeedError>,
    > + ::rpcnet::private::Send;
    /// Both ways, through an alias of `Result`.
    fn chat(
        &self,
        ctx: Context,
        lines: Streaming<Line>,
    ) -> impl ::rpcnet::private::Future<
        Output = Answer<Streaming<Line>>,
    > + ::rpcnet::private::Send;
    fn publish(
        &self,
        change: Change,
    ) -> impl ::rpcnet::private::Future<
        Output = Result<(), FeedError>,
    > + ::rpcnet::private::Send;
    /// Blocks its thread.
    fn hash(&self, ctx: Context, data: Bytes) -> Result<Digest, FeedError>;
}
/// A client of [`Feed`]: each method is a call.
///
/// Cheap to clone. Generic over what carries the calls: one connection, or a whole cluster.
#[allow(dead_code, reason = "generated: a crate may only serve")]
pub struct FeedClient<C = ::rpcnet::private::Channel> {
    stub: ::rpcnet::private::Stub<C>,
}
/// Serves an implementation of [`Feed`].
#[allow(dead_code, reason = "generated: a crate may only call")]
pub struct FeedServer<S> {
    service: ::rpcnet::private::Arc<S>,
}
#[allow(
    deprecated,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    reason = "generated: these are about what a person writes"
)]
const _: () = {
    #[allow(unused_imports, reason = "generated: all types may have schemas")]
    use ::rpcnet::private::Undescribed as _;
    static __RPCNET_watch: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "watch",
            "feed.v1/watch",
        )
        .kind(::rpcnet::private::CallKind::ServerStreaming)
        .idempotency(::rpcnet::private::Idempotency::Read)
        .timeout(::rpcnet::private::Duration::from_secs(60))
        .arguments(&[("prefix", "String")])
        .answer("Result<Streaming<Change>, FeedError>")
        .docs("What happens from now on.")
        .schemas(
            &[
                ::rpcnet::private::Probe::<String>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<Change>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<FeedError>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_upload: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "upload",
            "feed.v1/upload",
        )
        .kind(::rpcnet::private::CallKind::ClientStreaming)
        .arguments(&[("name", "String"), ("parts", "Streaming<Bytes>")])
        .answer("Result<Digest, FeedError>")
        .schemas(
            &[
                ::rpcnet::private::Probe::<String>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<Bytes>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<Digest>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<FeedError>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_chat: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "chat",
            "feed.v1/chat",
        )
        .kind(::rpcnet::private::CallKind::Bidirectional)
        .aliases(&["feed.v1/talk"])
        .arguments(&[("lines", "Streaming<Line>")])
        .answer("Answer<Streaming<Line>>")
        .docs("Both ways, through an alias of `Result`.")
        .schemas(
            &[
                ::rpcnet::private::Probe::<Line>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<Line>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_publish: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "publish",
            "feed.v1/publish",
        )
        .idempotency(::rpcnet::private::Idempotency::Keyed)
        .no_cancel()
        .arguments(&[("change", "Change")])
        .answer("Result<(), FeedError>")
        .schemas(
            &[
                ::rpcnet::private::Probe::<Change>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<()>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<FeedError>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_hash: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "hash",
            "feed.v1/hash",
        )
        .timeout(::rpcnet::private::Duration::from_millis(250))
        .blocking()
        .arguments(&[("data", "Bytes")])
        .answer("Result<Digest, FeedError>")
        .docs("Blocks its thread.")
        .schemas(
            &[
                ::rpcnet::private::Probe::<Bytes>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<Digest>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<FeedError>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_SERVICE: ::rpcnet::private::ServiceDescriptor = ::rpcnet::private::ServiceDescriptor::new(
        "feed.v1",
        &[
            &__RPCNET_watch,
            &__RPCNET_upload,
            &__RPCNET_chat,
            &__RPCNET_publish,
            &__RPCNET_hash,
        ],
        "",
    );
    fn __rpcnet_watch() -> ::rpcnet::private::Method<
        (String,),
        Streaming<Change>,
        FeedError,
    > {
        ::rpcnet::private::Method::new(
            &__RPCNET_watch,
            ::rpcnet::private::arguments_1::<String>(),
            ::rpcnet::private::answer_stream::<Change, FeedError>(),
        )
    }
    fn __rpcnet_upload() -> ::rpcnet::private::Method<
        ((String,), ::rpcnet::private::Streaming<Bytes>),
        Digest,
        FeedError,
    > {
        ::rpcnet::private::Method::new(
            &__RPCNET_upload,
            ::rpcnet::private::upload_1::<String, Bytes>(),
            ::rpcnet::private::answer::<Digest, FeedError>(),
        )
    }
    fn __rpcnet_chat() -> ::rpcnet::private::Method<
        ((), ::rpcnet::private::Streaming<Line>),
        ::rpcnet::private::Streaming<
            <Answer<Streaming<Line>> as ::rpcnet::private::StreamReply>::Item,
        >,
        <Answer<Streaming<Line>> as ::rpcnet::private::StreamReply>::Err,
    > {
        ::rpcnet::private::Method::new(
            &__RPCNET_chat,
            ::rpcnet::private::upload_0::<Line>(),
            ::rpcnet::private::answer_stream::<
                <Answer<Streaming<Line>> as ::rpcnet::private::StreamReply>::Item,
                <Answer<Streaming<Line>> as ::rpcnet::private::StreamReply>::Err,
            >(),
        )
    }
    fn __rpcnet_publish() -> ::rpcnet::private::Method<(Change,), (), FeedError> {
        ::rpcnet::private::Method::new(
            &__RPCNET_publish,
            ::rpcnet::private::arguments_1::<Change>(),
            ::rpcnet::private::answer::<(), FeedError>(),
        )
    }
    fn __rpcnet_hash() -> ::rpcnet::private::Method<(Bytes,), Digest, FeedError> {
        ::rpcnet::private::Method::new(
            &__RPCNET_hash,
            ::rpcnet::private::arguments_1::<Bytes>(),
            ::rpcnet::private::answer::<Digest, FeedError>(),
        )
    }
    #[allow(dead_code, reason = "generated: a crate may only serve")]
    impl FeedClient<::rpcnet::private::Channel> {
        /// A client of the one server at this address.
        ///
        /// # Errors
        ///
        /// When the address is none, or no connection to it can be made.
        pub async fn connect(
            address: impl ::rpcnet::private::Into<::rpcnet::private::Address>,
        ) -> ::rpcnet::private::Result<Self, ::rpcnet::private::ConnectError> {
            let channel = ::rpcnet::private::Channel::connect(address).await?;
            ::rpcnet::private::Result::Ok(Self::new(channel))
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call over a network")]
    impl FeedClient<::rpcnet::private::Local> {
        /// A client of an implementation in this process, without a network.
        #[must_use]
        pub fn local<S: Feed>(service: S) -> Self {
            Self::new(::rpcnet::private::local(FeedServer::<S>::new(service)))
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only serve, or call only some")]
    impl<C: ::rpcnet::private::Caller> FeedClient<C> {
        /// A client whose calls `caller` carries.
        #[must_use]
        pub fn new(caller: C) -> Self {
            Self {
                stub: ::rpcnet::private::Stub::new(caller),
            }
        }
        /// The same client with other options: what `options` sets overrides what was set before.
        #[must_use]
        pub fn with(&self, options: ::rpcnet::private::CallOptions) -> Self {
            Self {
                stub: ::rpcnet::private::Stub::with(&self.stub, options),
            }
        }
        /// What happens from now on.
        pub async fn watch(
            &self,
            prefix: String,
        ) -> ::rpcnet::private::Result<
            Streaming<Change>,
            ::rpcnet::private::CallError<FeedError>,
        > {
            let call = ::rpcnet::private::Stub::streaming(
                &self.stub,
                __rpcnet_watch(),
                (prefix,),
            );
            call.await
        }
        /// Calls [`Feed::upload`].
        pub async fn upload(
            &self,
            name: String,
            parts: Streaming<Bytes>,
        ) -> ::rpcnet::private::Result<Digest, ::rpcnet::private::CallError<FeedError>> {
            let call = ::rpcnet::private::Stub::streaming(
                &self.stub,
                __rpcnet_upload(),
                ((name,), parts),
            );
            call.await
        }
        /// Both ways, through an alias of `Result`.
        pub async fn chat(
            &self,
            lines: Streaming<Line>,
        ) -> ::rpcnet::private::Result<
            ::rpcnet::private::Streaming<
                <Answer<Streaming<Line>> as ::rpcnet::private::StreamReply>::Item,
            >,
            ::rpcnet::private::CallError<
                <Answer<Streaming<Line>> as ::rpcnet::private::StreamReply>::Err,
            >,
        > {
            let call = ::rpcnet::private::Stub::streaming(
                &self.stub,
                __rpcnet_chat(),
                ((), lines),
            );
            call.await
        }
        /// Calls [`Feed::publish`].
        pub async fn publish(
            &self,
            change: Change,
        ) -> ::rpcnet::private::Result<(), ::rpcnet::private::CallError<FeedError>> {
            let call = ::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_publish(),
                ::rpcnet::private::Option::Some(::rpcnet::private::new_request_id()),
                (change,),
            );
            call.await
        }
        /// Blocks its thread.
        pub async fn hash(
            &self,
            data: Bytes,
        ) -> ::rpcnet::private::Result<Digest, ::rpcnet::private::CallError<FeedError>> {
            let call = ::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_hash(),
                ::rpcnet::private::Option::None,
                (data,),
            );
            call.await
        }
    }
    impl<C: ::rpcnet::private::Clone> ::rpcnet::private::Clone for FeedClient<C> {
        fn clone(&self) -> Self {
            Self {
                stub: ::rpcnet::private::Clone::clone(&self.stub),
            }
        }
    }
    impl<C: ::rpcnet::private::Debug> ::rpcnet::private::Debug for FeedClient<C> {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_client(f, "FeedClient", &self.stub)
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call")]
    impl<S: Feed> FeedServer<S> {
        /// Serves this implementation.
        #[must_use]
        pub fn new(service: S) -> Self {
            Self::from_arc(::rpcnet::private::Arc::new(service))
        }
        /// Serves an implementation that is used elsewhere too.
        #[must_use]
        pub fn from_arc(service: ::rpcnet::private::Arc<S>) -> Self {
            Self { service }
        }
    }
    impl<S: Feed> ::rpcnet::private::Service for FeedServer<S> {
        fn descriptor(&self) -> &'static ::rpcnet::private::ServiceDescriptor {
            &__RPCNET_SERVICE
        }
        fn routes(self) -> ::rpcnet::private::Routes {
            let service = self.service;
            let routes = ::rpcnet::private::Routes::new(&__RPCNET_SERVICE);
            let routes = ::rpcnet::private::Routes::method(
                routes,
                __rpcnet_watch(),
                &service,
                |service, _context, (prefix,)| async move {
                    <S as Feed>::watch(&*service, prefix).await
                },
            );
            let routes = ::rpcnet::private::Routes::method(
                routes,
                __rpcnet_upload(),
                &service,
                |service, _context, ((name,), parts)| async move {
                    <S as Feed>::upload(&*service, name, parts).await
                },
            );
            let routes = ::rpcnet::private::Routes::method(
                routes,
                __rpcnet_chat(),
                &service,
                |service, context, ((), lines)| async move {
                    <Answer<
                        Streaming<Line>,
                    > as ::rpcnet::private::StreamReply>::into_result(
                        <S as Feed>::chat(&*service, context, lines).await,
                    )
                },
            );
            let routes = ::rpcnet::private::Routes::method(
                routes,
                __rpcnet_publish(),
                &service,
                |service, _context, (change,)| async move {
                    <S as Feed>::publish(&*service, change).await
                },
            );
            let routes = ::rpcnet::private::Routes::blocking(
                routes,
                __rpcnet_hash(),
                &service,
                |service, context, (data,)| {
                    <S as Feed>::hash(&*service, context, data)
                },
            );
            routes
        }
    }
    impl<S> ::rpcnet::private::Clone for FeedServer<S> {
        fn clone(&self) -> Self {
            Self {
                service: ::rpcnet::private::Clone::clone(&self.service),
            }
        }
    }
    impl<S> ::rpcnet::private::Debug for FeedServer<S> {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_server(f, "FeedServer")
        }
    }
};
