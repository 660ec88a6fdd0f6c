pub trait Refused: ::rpcnet::private::Send + ::rpcnet::private::Sync + 'static {
    fn good(
        &self,
        n: u8,
    ) -> impl ::rpcnet::private::Future<
        Output = Result<u8, Error>,
    > + ::rpcnet::private::Send;
    #[allow(async_fn_in_trait, reason = "refused, with an error that says why")]
    fn bad(&mut self, name: &str) -> Result<u8, Error>;
    type Assoc;
}
/// A client of [`Refused`]: each method is a call.
///
/// Cheap to clone. Generic over what carries the calls: one connection, or a whole cluster.
#[allow(dead_code, reason = "generated: a crate may only serve")]
pub struct RefusedClient<C = ::rpcnet::private::Channel> {
    stub: ::rpcnet::private::Stub<C>,
}
/// Serves an implementation of [`Refused`].
#[allow(dead_code, reason = "generated: a crate may only call")]
pub struct RefusedServer<S> {
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
    static __RPCNET_good: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "good",
            "Refused/good",
        )
        .arguments(&[("n", "u8")])
        .answer("Result<u8, Error>")
        .schemas(
            &[
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                ::rpcnet::private::Probe::<Error>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_SERVICE: ::rpcnet::private::ServiceDescriptor = ::rpcnet::private::ServiceDescriptor::new(
        "Refused",
        &[&__RPCNET_good],
        "",
    );
    fn __rpcnet_good() -> ::rpcnet::private::Method<(u8,), u8, Error> {
        ::rpcnet::private::Method::new(
            &__RPCNET_good,
            ::rpcnet::private::arguments_1::<u8>(),
            ::rpcnet::private::answer::<u8, Error>(),
        )
    }
    #[allow(dead_code, reason = "generated: a crate may only serve")]
    impl RefusedClient<::rpcnet::private::Channel> {
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
    impl RefusedClient<::rpcnet::private::Local> {
        /// A client of an implementation in this process, without a network.
        #[must_use]
        pub fn local<S: ::rpcnet::private::Send + ::rpcnet::private::Sync + 'static>(
            service: S,
        ) -> Self {
            Self::new(::rpcnet::private::local(RefusedServer::<S>::new(service)))
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only serve, or call only some")]
    impl<C: ::rpcnet::private::Caller> RefusedClient<C> {
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
        /// Calls [`Refused::good`].
        pub async fn good(
            &self,
            n: u8,
        ) -> ::rpcnet::private::Result<u8, ::rpcnet::private::CallError<Error>> {
            let call = ::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_good(),
                ::rpcnet::private::Option::None,
                (n,),
            );
            call.await
        }
        #[allow(unused_variables, reason = "refused, with an error that says why")]
        pub async fn bad(
            &self,
            name: &str,
        ) -> ::rpcnet::private::Result<u8, ::rpcnet::private::CallError<Error>> {
            ::rpcnet::private::refused()
        }
    }
    impl<C: ::rpcnet::private::Clone> ::rpcnet::private::Clone for RefusedClient<C> {
        fn clone(&self) -> Self {
            Self {
                stub: ::rpcnet::private::Clone::clone(&self.stub),
            }
        }
    }
    impl<C: ::rpcnet::private::Debug> ::rpcnet::private::Debug for RefusedClient<C> {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_client(f, "RefusedClient", &self.stub)
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call")]
    impl<
        S: ::rpcnet::private::Send + ::rpcnet::private::Sync + 'static,
    > RefusedServer<S> {
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
    impl<
        S: ::rpcnet::private::Send + ::rpcnet::private::Sync + 'static,
    > ::rpcnet::private::Service for RefusedServer<S> {
        fn descriptor(&self) -> &'static ::rpcnet::private::ServiceDescriptor {
            &__RPCNET_SERVICE
        }
        fn routes(self) -> ::rpcnet::private::Routes {
            let service = self.service;
            let routes = ::rpcnet::private::Routes::new(&__RPCNET_SERVICE);
            routes
        }
    }
    impl<S> ::rpcnet::private::Clone for RefusedServer<S> {
        fn clone(&self) -> Self {
            Self {
                service: ::rpcnet::private::Clone::clone(&self.service),
            }
        }
    }
    impl<S> ::rpcnet::private::Debug for RefusedServer<S> {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_server(f, "RefusedServer")
        }
    }
};
::core::compile_error! {
    "unknown argument `nmae` (did you mean `name`?): `#[rpc_trait(…)]` accepts `name = \"…\"`, `crate = path`"
}
::core::compile_error! {
    "an RPC method cannot be `const`: it runs in another process; remove this"
}
::core::compile_error! {
    "an RPC method is asynchronous: write `async fn`, or mark one that blocks its thread with `#[rpc(blocking)]`"
}
::core::compile_error! {
    "take `&self`: a service answers many calls at a time; keep what changes behind a lock"
}
::core::compile_error! {
    "use `String`: arguments cross the network"
}
::core::compile_error! {
    "an RPC trait has no associated types: a client cannot see them; make the trait generic instead"
}
