pub(crate) trait Store<
    K,
    V = String,
    const N: usize = 4,
>: Audit + ::rpcnet::private::Send + ::rpcnet::private::Sync + 'static
where
    K: Ord,
    Self: Sized,
{
    fn get(
        &self,
        key: K,
    ) -> impl ::rpcnet::private::Future<
        Output = Result<Option<V>, [u8; N]>,
    > + ::rpcnet::private::Send;
}
/// A client of [`Store`]: each method is a call.
///
/// Cheap to clone. Generic over what carries the calls: one connection, or a whole cluster.
#[allow(dead_code, reason = "generated: a crate may only serve")]
pub(crate) struct StoreClient<
    K,
    V = String,
    const N: usize = 4,
    C = ::rpcnet::private::Channel,
>
where
    K: Ord,
{
    stub: ::rpcnet::private::Stub<C>,
    types: ::rpcnet::private::PhantomData<fn() -> (K, V)>,
}
/// Serves an implementation of [`Store`].
#[allow(dead_code, reason = "generated: a crate may only call")]
pub(crate) struct StoreServer<S, K, V = String, const N: usize = 4>
where
    K: Ord,
{
    service: ::rpcnet::private::Arc<S>,
    types: ::rpcnet::private::PhantomData<fn() -> (K, V)>,
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
    static __RPCNET_get: ::rpcnet::private::MethodDescriptor = ::rpcnet::private::MethodDescriptor::new(
            "fetch",
            "kv.v2/fetch",
        )
        .arguments(&[("key", "K")])
        .answer("Result<Option<V>, [u8; N]>");
    static __RPCNET_SERVICE: ::rpcnet::private::ServiceDescriptor = ::rpcnet::private::ServiceDescriptor::new(
        "kv.v2",
        &[&__RPCNET_get],
        "",
    );
    fn __rpcnet_get<K, V, const N: usize>() -> ::rpcnet::private::Method<
        (K,),
        Option<V>,
        [u8; N],
    >
    where
        K: Ord,
        K: ::rpcnet::private::Wire,
        V: ::rpcnet::private::Wire,
    {
        ::rpcnet::private::Method::new(
            &__RPCNET_get,
            ::rpcnet::private::arguments_1::<K>(),
            ::rpcnet::private::answer::<Option<V>, [u8; N]>(),
        )
    }
    #[allow(dead_code, reason = "generated: a crate may only serve")]
    impl<K, V, const N: usize> StoreClient<K, V, N, ::rpcnet::private::Channel>
    where
        K: Ord,
        K: ::rpcnet::private::Wire,
        V: ::rpcnet::private::Wire,
    {
        /// A client of the one server at this address.
        ///
        /// # Errors
        ///
        /// When the address is none, or no connection to it can be made.
        pub(crate) async fn connect(
            address: impl ::rpcnet::private::Into<::rpcnet::private::Address>,
        ) -> ::rpcnet::private::Result<Self, ::rpcnet::private::ConnectError> {
            let channel = ::rpcnet::private::Channel::connect(address).await?;
            ::rpcnet::private::Result::Ok(Self::new(channel))
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call over a network")]
    impl<K, V, const N: usize> StoreClient<K, V, N, ::rpcnet::private::Local>
    where
        K: Ord,
        K: ::rpcnet::private::Wire,
        V: ::rpcnet::private::Wire,
    {
        /// A client of an implementation in this process, without a network.
        #[must_use]
        pub(crate) fn local<S: Store<K, V, N>>(service: S) -> Self {
            Self::new(::rpcnet::private::local(StoreServer::<S, K, V, N>::new(service)))
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only serve, or call only some")]
    impl<K, V, const N: usize, C: ::rpcnet::private::Caller> StoreClient<K, V, N, C>
    where
        K: Ord,
        K: ::rpcnet::private::Wire,
        V: ::rpcnet::private::Wire,
    {
        /// A client whose calls `caller` carries.
        #[must_use]
        pub(crate) fn new(caller: C) -> Self {
            Self {
                stub: ::rpcnet::private::Stub::new(caller),
                types: ::rpcnet::private::PhantomData,
            }
        }
        /// The same client with other options: what `options` sets overrides what was set before.
        #[must_use]
        pub(crate) fn with(&self, options: ::rpcnet::private::CallOptions) -> Self {
            Self {
                stub: ::rpcnet::private::Stub::with(&self.stub, options),
                types: ::rpcnet::private::PhantomData,
            }
        }
        /// Calls [`Store::get`].
        pub(crate) async fn get(
            &self,
            key: K,
        ) -> ::rpcnet::private::Result<
            Option<V>,
            ::rpcnet::private::CallError<[u8; N]>,
        > {
            let call = ::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_get::<K, V, N>(),
                ::rpcnet::private::Option::None,
                (key,),
            );
            call.await
        }
    }
    impl<K, V, const N: usize, C: ::rpcnet::private::Clone> ::rpcnet::private::Clone
    for StoreClient<K, V, N, C>
    where
        K: Ord,
    {
        fn clone(&self) -> Self {
            Self {
                stub: ::rpcnet::private::Clone::clone(&self.stub),
                types: ::rpcnet::private::PhantomData,
            }
        }
    }
    impl<K, V, const N: usize, C: ::rpcnet::private::Debug> ::rpcnet::private::Debug
    for StoreClient<K, V, N, C>
    where
        K: Ord,
    {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_client(f, "StoreClient", &self.stub)
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call")]
    impl<S: Store<K, V, N>, K, V, const N: usize> StoreServer<S, K, V, N>
    where
        K: Ord,
    {
        /// Serves this implementation.
        #[must_use]
        pub(crate) fn new(service: S) -> Self {
            Self::from_arc(::rpcnet::private::Arc::new(service))
        }
        /// Serves an implementation that is used elsewhere too.
        #[must_use]
        pub(crate) fn from_arc(service: ::rpcnet::private::Arc<S>) -> Self {
            Self {
                service,
                types: ::rpcnet::private::PhantomData,
            }
        }
    }
    impl<S: Store<K, V, N>, K, V, const N: usize> ::rpcnet::private::Service
    for StoreServer<S, K, V, N>
    where
        K: Ord,
        K: ::rpcnet::private::Wire,
        V: ::rpcnet::private::Wire,
    {
        fn descriptor(&self) -> &'static ::rpcnet::private::ServiceDescriptor {
            &__RPCNET_SERVICE
        }
        fn routes(self) -> ::rpcnet::private::Routes {
            let service = self.service;
            let routes = ::rpcnet::private::Routes::new(&__RPCNET_SERVICE);
            let routes = ::rpcnet::private::Routes::method(
                routes,
                __rpcnet_get::<K, V, N>(),
                &service,
                |service, _context, (key,)| async move {
                    <S as Store<K, V, N>>::get(&*service, key).await
                },
            );
            routes
        }
    }
    impl<S, K, V, const N: usize> ::rpcnet::private::Clone for StoreServer<S, K, V, N>
    where
        K: Ord,
    {
        fn clone(&self) -> Self {
            Self {
                service: ::rpcnet::private::Clone::clone(&self.service),
                types: ::rpcnet::private::PhantomData,
            }
        }
    }
    impl<S, K, V, const N: usize> ::rpcnet::private::Debug for StoreServer<S, K, V, N>
    where
        K: Ord,
    {
        fn fmt(
            &self,
            f: &mut ::rpcnet::private::Formatter<'_>,
        ) -> ::rpcnet::private::fmt::Result {
            ::rpcnet::private::debug_server(f, "StoreServer")
        }
    }
};
