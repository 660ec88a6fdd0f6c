/// Does sums.
pub trait Compute: ::rpcnet::private::Send + ::rpcnet::private::Sync + 'static {
    /// The same answer however often it is asked.
    fn square(
        &self,
        n: i64,
    ) -> impl ::rpcnet::private::Future<
        Output = Result<i64, ComputeError>,
    > + ::rpcnet::private::Send;
    /// Charges an account once.
    fn charge(
        &self,
        request_id: Uuid,
        account: String,
        cents: u64,
    ) -> impl ::rpcnet::private::Future<
        Output = Result<Receipt, ComputeError>,
    > + ::rpcnet::private::Send;
    fn launch(
        &self,
        ctx: Context,
        target: String,
    ) -> impl ::rpcnet::private::Future<
        Output = rpcnet::Result<()>,
    > + ::rpcnet::private::Send;
}
/// A client of [`Compute`]: each method is a call.
///
/// Cheap to clone. Generic over what carries the calls: one connection, or a whole cluster.
///
/// Does sums.
#[allow(dead_code, reason = "generated: a crate may only serve")]
pub struct ComputeClient<C = ::rpcnet::private::Channel> {
    stub: ::rpcnet::private::Stub<C>,
}
/// Serves an implementation of [`Compute`].
///
/// Does sums.
#[allow(dead_code, reason = "generated: a crate may only call")]
pub struct ComputeServer<S> {
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
    static __RPCNET_square: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "square",
            "Compute/square",
        )
        .idempotency(::rpcnet::private::Idempotency::Idempotent)
        .arguments(&[("n", "i64")])
        .answer("Result<i64, ComputeError>")
        .docs("The same answer however often it is asked.")
        .schemas(
            &[
                ::rpcnet::private::Probe::<i64>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<i64>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<ComputeError>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_charge: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "charge",
            "Compute/charge",
        )
        .idempotency(::rpcnet::private::Idempotency::Keyed)
        .arguments(&[("account", "String"), ("cents", "u64")])
        .answer("Result<Receipt, ComputeError>")
        .docs("Charges an account once.")
        .schemas(
            &[
                ::rpcnet::private::Probe::<String>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u64>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<Receipt>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<ComputeError>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_launch: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "launch",
            "Compute/launch",
        )
        .arguments(&[("target", "String")])
        .answer("rpcnet::Result<()>")
        .schemas(
            &[
                ::rpcnet::private::Probe::<String>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<rpcnet::Result<()>>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_SERVICE: ::rpcnet::private::ServiceDescriptor = ::rpcnet::private::ServiceDescriptor::new(
        "Compute",
        &[&__RPCNET_square, &__RPCNET_charge, &__RPCNET_launch],
        "Does sums.",
    );
    fn __rpcnet_square() -> ::rpcnet::private::Method<(i64,), i64, ComputeError> {
        ::rpcnet::private::Method::new(
            &__RPCNET_square,
            ::rpcnet::private::arguments_1::<i64>(),
            ::rpcnet::private::answer::<i64, ComputeError>(),
        )
    }
    fn __rpcnet_charge() -> ::rpcnet::private::Method<
        (String, u64),
        Receipt,
        ComputeError,
    > {
        ::rpcnet::private::Method::new(
            &__RPCNET_charge,
            ::rpcnet::private::arguments_2::<String, u64>(),
            ::rpcnet::private::answer::<Receipt, ComputeError>(),
        )
    }
    fn __rpcnet_launch() -> ::rpcnet::private::Method<
        (String,),
        <rpcnet::Result<()> as ::rpcnet::private::Reply>::Ok,
        <rpcnet::Result<()> as ::rpcnet::private::Reply>::Err,
    > {
        ::rpcnet::private::Method::new(
            &__RPCNET_launch,
            ::rpcnet::private::arguments_1::<String>(),
            ::rpcnet::private::answer::<
                <rpcnet::Result<()> as ::rpcnet::private::Reply>::Ok,
                <rpcnet::Result<()> as ::rpcnet::private::Reply>::Err,
            >(),
        )
    }
    #[allow(dead_code, reason = "generated: a crate may only serve")]
    impl ComputeClient<::rpcnet::private::Channel> {
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
    impl ComputeClient<::rpcnet::private::Local> {
        /// A client of an implementation in this process, without a network.
        #[must_use]
        pub fn local<S: Compute>(service: S) -> Self {
            Self::new(::rpcnet::private::local(ComputeServer::<S>::new(service)))
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only serve, or call only some")]
    impl<C: ::rpcnet::private::Caller> ComputeClient<C> {
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
        /// The same answer however often it is asked.
        pub async fn square(
            &self,
            n: i64,
        ) -> ::rpcnet::private::Result<i64, ::rpcnet::private::CallError<ComputeError>> {
            let call = ::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_square(),
                ::rpcnet::private::Option::None,
                (n,),
            );
            call.await
        }
        /// Charges an account once.
        pub async fn charge(
            &self,
            request_id: Uuid,
            account: String,
            cents: u64,
        ) -> ::rpcnet::private::Result<
            Receipt,
            ::rpcnet::private::CallError<ComputeError>,
        > {
            let call = ::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_charge(),
                ::rpcnet::private::Option::Some(request_id),
                (account, cents),
            );
            call.await
        }
        /// Calls [`Compute::launch`].
        pub async fn launch(
            &self,
            target: String,
        ) -> ::rpcnet::private::Result<
            <rpcnet::Result<()> as ::rpcnet::private::Reply>::Ok,
            ::rpcnet::private::CallError<
                <rpcnet::Result<()> as ::rpcnet::private::Reply>::Err,
            >,
        > {
            let call = ::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_launch(),
                ::rpcnet::private::Option::None,
                (target,),
            );
            call.await
        }
    }
    impl<C: ::rpcnet::private::Clone> ::rpcnet::private::Clone for ComputeClient<C> {
        fn clone(&self) -> Self {
            Self {
                stub: ::rpcnet::private::Clone::clone(&self.stub),
            }
        }
    }
    impl<C: ::rpcnet::private::Debug> ::rpcnet::private::Debug for ComputeClient<C> {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_client(f, "ComputeClient", &self.stub)
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call")]
    impl<S: Compute> ComputeServer<S> {
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
    impl<S: Compute> ::rpcnet::private::Service for ComputeServer<S> {
        fn descriptor(&self) -> &'static ::rpcnet::private::ServiceDescriptor {
            &__RPCNET_SERVICE
        }
        fn routes(self) -> ::rpcnet::private::Routes {
            let service = self.service;
            let routes = ::rpcnet::private::Routes::new(&__RPCNET_SERVICE);
            let routes = ::rpcnet::private::Routes::method(
                routes,
                __rpcnet_square(),
                &service,
                |service, _context, (n,)| async move {
                    <S as Compute>::square(&*service, n).await
                },
            );
            let routes = ::rpcnet::private::Routes::method(
                routes,
                __rpcnet_charge(),
                &service,
                |service, context, (account, cents)| async move {
                    let request_id = ::rpcnet::private::request_id(&context);
                    <S as Compute>::charge(&*service, request_id, account, cents).await
                },
            );
            let routes = ::rpcnet::private::Routes::method(
                routes,
                __rpcnet_launch(),
                &service,
                |service, context, (target,)| async move {
                    <rpcnet::Result<
                        (),
                    > as ::rpcnet::private::Reply>::into_result(
                        <S as Compute>::launch(&*service, context, target).await,
                    )
                },
            );
            routes
        }
    }
    impl<S> ::rpcnet::private::Clone for ComputeServer<S> {
        fn clone(&self) -> Self {
            Self {
                service: ::rpcnet::private::Clone::clone(&self.service),
            }
        }
    }
    impl<S> ::rpcnet::private::Debug for ComputeServer<S> {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_server(f, "ComputeServer")
        }
    }
};
