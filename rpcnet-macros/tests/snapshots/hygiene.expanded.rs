/// Names that generated code uses too.
trait Names: ::rpcnet::private::Send + ::rpcnet::private::Sync + 'static {
    fn all(
        &self,
        service: S,
        routes: C,
        call: Option<Vec<u8>>,
        request: String,
        self_: u8,
        ctx_: u8,
        context: u8,
        stub: u8,
        options: u8,
        ctx: u8,
    ) -> impl ::rpcnet::private::Future<
        Output = Result<(), Error>,
    > + ::rpcnet::private::Send;
}
/// A client of [`Names`]: each method is a call.
///
/// Cheap to clone. Generic over what carries the calls: one connection, or a whole cluster.
///
/// Names that generated code uses too.
#[allow(dead_code, reason = "generated: a crate may only serve")]
struct NamesClient<C2 = ::rpcnet::private::Channel> {
    stub: ::rpcnet::private::Stub<C2>,
}
/// Serves an implementation of [`Names`].
///
/// Names that generated code uses too.
#[allow(dead_code, reason = "generated: a crate may only call")]
struct NamesServer<S2> {
    service: ::rpcnet::private::Arc<S2>,
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
    static __RPCNET_all: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "all",
            "Names/all",
        )
        .arguments(
            &[
                ("service", "S"),
                ("routes", "C"),
                ("call", "Option<Vec<u8>>"),
                ("request", "String"),
                ("self_", "u8"),
                ("ctx_", "u8"),
                ("context", "u8"),
                ("stub", "u8"),
                ("options", "u8"),
                ("ctx", "u8"),
            ],
        )
        .answer("Result<(), Error>")
        .schemas(
            &[
                ::rpcnet::private::Probe::<S>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<C>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<Option<Vec<u8>>>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<String>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<()>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<Error>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_SERVICE: ::rpcnet::private::ServiceDescriptor = ::rpcnet::private::ServiceDescriptor::new(
        "Names",
        &[&__RPCNET_all],
        "Names that generated code uses too.",
    );
    fn __rpcnet_all() -> ::rpcnet::private::Method<
        (S, C, Option<Vec<u8>>, String, u8, u8, u8, u8, u8, u8),
        (),
        Error,
    > {
        ::rpcnet::private::Method::new(
            &__RPCNET_all,
            ::rpcnet::private::arguments_10::<
                S,
                C,
                Option<Vec<u8>>,
                String,
                u8,
                u8,
                u8,
                u8,
                u8,
                u8,
            >(),
            ::rpcnet::private::answer::<(), Error>(),
        )
    }
    #[allow(dead_code, reason = "generated: a crate may only serve")]
    impl NamesClient<::rpcnet::private::Channel> {
        /// A client of the one server at this address.
        ///
        /// # Errors
        ///
        /// When the address is none, or no connection to it can be made.
        async fn connect(
            address: impl ::rpcnet::private::Into<::rpcnet::private::Address>,
        ) -> ::rpcnet::private::Result<Self, ::rpcnet::private::ConnectError> {
            let channel = ::rpcnet::private::Channel::connect(address).await?;
            ::rpcnet::private::Result::Ok(Self::new(channel))
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call over a network")]
    impl NamesClient<::rpcnet::private::Local> {
        /// A client of an implementation in this process, without a network.
        #[must_use]
        fn local<S2: Names>(service: S2) -> Self {
            Self::new(::rpcnet::private::local(NamesServer::<S2>::new(service)))
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only serve, or call only some")]
    impl<C2: ::rpcnet::private::Caller> NamesClient<C2> {
        /// A client whose calls `caller` carries.
        #[must_use]
        fn new(caller: C2) -> Self {
            Self {
                stub: ::rpcnet::private::Stub::new(caller),
            }
        }
        /// The same client with other options: what `options` sets overrides what was set before.
        #[must_use]
        fn with(&self, options: ::rpcnet::private::CallOptions) -> Self {
            Self {
                stub: ::rpcnet::private::Stub::with(&self.stub, options),
            }
        }
        /// Calls [`Names::all`].
        async fn all(
            &self,
            service: S,
            routes: C,
            call: Option<Vec<u8>>,
            request: String,
            self_: u8,
            ctx_: u8,
            context: u8,
            stub: u8,
            options: u8,
            ctx: u8,
        ) -> ::rpcnet::private::Result<(), ::rpcnet::private::CallError<Error>> {
            let call = ::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_all(),
                ::rpcnet::private::Option::None,
                (
                    service,
                    routes,
                    call,
                    request,
                    self_,
                    ctx_,
                    context,
                    stub,
                    options,
                    ctx,
                ),
            );
            call.await
        }
    }
    impl<C2: ::rpcnet::private::Clone> ::rpcnet::private::Clone for NamesClient<C2> {
        fn clone(&self) -> Self {
            Self {
                stub: ::rpcnet::private::Clone::clone(&self.stub),
            }
        }
    }
    impl<C2: ::rpcnet::private::Debug> ::rpcnet::private::Debug for NamesClient<C2> {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_client(f, "NamesClient", &self.stub)
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call")]
    impl<S2: Names> NamesServer<S2> {
        /// Serves this implementation.
        #[must_use]
        fn new(service: S2) -> Self {
            Self::from_arc(::rpcnet::private::Arc::new(service))
        }
        /// Serves an implementation that is used elsewhere too.
        #[must_use]
        fn from_arc(service: ::rpcnet::private::Arc<S2>) -> Self {
            Self { service }
        }
    }
    impl<S2: Names> ::rpcnet::private::Service for NamesServer<S2> {
        fn descriptor(&self) -> &'static ::rpcnet::private::ServiceDescriptor {
            &__RPCNET_SERVICE
        }
        fn routes(self) -> ::rpcnet::private::Routes {
            let service = self.service;
            let routes = ::rpcnet::private::Routes::new(&__RPCNET_SERVICE);
            let routes = ::rpcnet::private::Routes::method(
                routes,
                __rpcnet_all(),
                &service,
                |
                    service,
                    _context,
                    (
                        service,
                        routes,
                        call,
                        request,
                        self_,
                        ctx_,
                        context,
                        stub,
                        options,
                        ctx,
                    )|
                async move {
                    <S2 as Names>::all(
                            &*service,
                            service,
                            routes,
                            call,
                            request,
                            self_,
                            ctx_,
                            context,
                            stub,
                            options,
                            ctx,
                        )
                        .await
                },
            );
            routes
        }
    }
    impl<S2> ::rpcnet::private::Clone for NamesServer<S2> {
        fn clone(&self) -> Self {
            Self {
                service: ::rpcnet::private::Clone::clone(&self.service),
            }
        }
    }
    impl<S2> ::rpcnet::private::Debug for NamesServer<S2> {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_server(f, "NamesServer")
        }
    }
};
