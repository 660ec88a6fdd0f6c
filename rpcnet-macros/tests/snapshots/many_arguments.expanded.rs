trait Many: ::rpcnet::private::Send + ::rpcnet::private::Sync + 'static {
    fn seventeen(
        &self,
        a1: u8,
        a2: u8,
        a3: u8,
        a4: u8,
        a5: u8,
        a6: u8,
        a7: u8,
        a8: u8,
        b1: u8,
        b2: u8,
        b3: u8,
        b4: u8,
        b5: u8,
        b6: u8,
        b7: u8,
        b8: u8,
        c1: String,
    ) -> impl ::rpcnet::private::Future<
        Output = Result<u8, Error>,
    > + ::rpcnet::private::Send;
}
/// A client of [`Many`]: each method is a call.
///
/// Cheap to clone. Generic over what carries the calls: one connection, or a whole cluster.
#[allow(dead_code, reason = "generated: a crate may only serve")]
struct ManyClient<C = ::rpcnet::private::Channel> {
    stub: ::rpcnet::private::Stub<C>,
}
/// Serves an implementation of [`Many`].
#[allow(dead_code, reason = "generated: a crate may only call")]
struct ManyServer<S> {
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
    static __RPCNET_seventeen: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "seventeen",
            "Many/seventeen",
        )
        .arguments(
            &[
                ("a1", "u8"),
                ("a2", "u8"),
                ("a3", "u8"),
                ("a4", "u8"),
                ("a5", "u8"),
                ("a6", "u8"),
                ("a7", "u8"),
                ("a8", "u8"),
                ("b1", "u8"),
                ("b2", "u8"),
                ("b3", "u8"),
                ("b4", "u8"),
                ("b5", "u8"),
                ("b6", "u8"),
                ("b7", "u8"),
                ("b8", "u8"),
                ("c1", "String"),
            ],
        )
        .answer("Result<u8, Error>")
        .schemas(
            &[
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<String>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<Error>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_SERVICE: ::rpcnet::private::ServiceDescriptor = ::rpcnet::private::ServiceDescriptor::new(
        "Many",
        &[&__RPCNET_seventeen],
        "",
    );
    fn __rpcnet_seventeen() -> ::rpcnet::private::Method<
        ((u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8), (String,)),
        u8,
        Error,
    > {
        ::rpcnet::private::Method::new(
            &__RPCNET_seventeen,
            ::rpcnet::private::arguments_2::<
                (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8),
                (String,),
            >(),
            ::rpcnet::private::answer::<u8, Error>(),
        )
    }
    #[allow(dead_code, reason = "generated: a crate may only serve")]
    impl ManyClient<::rpcnet::private::Channel> {
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
    impl ManyClient<::rpcnet::private::Local> {
        /// A client of an implementation in this process, without a network.
        #[must_use]
        fn local<S: Many>(service: S) -> Self {
            Self::new(::rpcnet::private::local(ManyServer::<S>::new(service)))
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only serve, or call only some")]
    impl<C: ::rpcnet::private::Caller> ManyClient<C> {
        /// A client whose calls `caller` carries.
        #[must_use]
        fn new(caller: C) -> Self {
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
        /// Calls [`Many::seventeen`].
        async fn seventeen(
            &self,
            a1: u8,
            a2: u8,
            a3: u8,
            a4: u8,
            a5: u8,
            a6: u8,
            a7: u8,
            a8: u8,
            b1: u8,
            b2: u8,
            b3: u8,
            b4: u8,
            b5: u8,
            b6: u8,
            b7: u8,
            b8: u8,
            c1: String,
        ) -> ::rpcnet::private::Result<u8, ::rpcnet::private::CallError<Error>> {
            let call = ::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_seventeen(),
                ::rpcnet::private::Option::None,
                ((a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8), (c1,)),
            );
            call.await
        }
    }
    impl<C: ::rpcnet::private::Clone> ::rpcnet::private::Clone for ManyClient<C> {
        fn clone(&self) -> Self {
            Self {
                stub: ::rpcnet::private::Clone::clone(&self.stub),
            }
        }
    }
    impl<C: ::rpcnet::private::Debug> ::rpcnet::private::Debug for ManyClient<C> {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_client(f, "ManyClient", &self.stub)
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call")]
    impl<S: Many> ManyServer<S> {
        /// Serves this implementation.
        #[must_use]
        fn new(service: S) -> Self {
            Self::from_arc(::rpcnet::private::Arc::new(service))
        }
        /// Serves an implementation that is used elsewhere too.
        #[must_use]
        fn from_arc(service: ::rpcnet::private::Arc<S>) -> Self {
            Self { service }
        }
    }
    impl<S: Many> ::rpcnet::private::Service for ManyServer<S> {
        fn descriptor(&self) -> &'static ::rpcnet::private::ServiceDescriptor {
            &__RPCNET_SERVICE
        }
        fn routes(self) -> ::rpcnet::private::Routes {
            let service = self.service;
            let routes = ::rpcnet::private::Routes::new(&__RPCNET_SERVICE);
            let routes = ::rpcnet::private::Routes::method(
                routes,
                __rpcnet_seventeen(),
                &service,
                |
                    service,
                    _context,
                    (
                        (a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8),
                        (c1,),
                    )|
                async move {
                    <S as Many>::seventeen(
                            &*service,
                            a1,
                            a2,
                            a3,
                            a4,
                            a5,
                            a6,
                            a7,
                            a8,
                            b1,
                            b2,
                            b3,
                            b4,
                            b5,
                            b6,
                            b7,
                            b8,
                            c1,
                        )
                        .await
                },
            );
            routes
        }
    }
    impl<S> ::rpcnet::private::Clone for ManyServer<S> {
        fn clone(&self) -> Self {
            Self {
                service: ::rpcnet::private::Clone::clone(&self.service),
            }
        }
    }
    impl<S> ::rpcnet::private::Debug for ManyServer<S> {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_server(f, "ManyServer")
        }
    }
};
