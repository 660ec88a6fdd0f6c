#[cfg(feature = "shapes")]
trait Shapes: crate::vendored::rpcnet::private::Send + crate::vendored::rpcnet::private::Sync + 'static {
    #[cfg(unix)]
    fn area(
        &self,
        shape: Shape,
    ) -> impl crate::vendored::rpcnet::private::Future<
        Output = Result<f64, Error>,
    > + crate::vendored::rpcnet::private::Send;
    #[cfg(not(unix))]
    #[deprecated = "use a better system"]
    fn area(
        &self,
        shape: Shape,
        scale: f64,
    ) -> impl crate::vendored::rpcnet::private::Future<
        Output = Result<f64, Error>,
    > + crate::vendored::rpcnet::private::Send;
    fn r#type(&self, r#struct: u8) -> impl Future<Output = Answer> + Send;
    fn twice(
        &self,
        mut n: u8,
    ) -> impl crate::vendored::rpcnet::private::Future<
        Output = Answer,
    > + crate::vendored::rpcnet::private::Send {
        async move {
            n *= 2;
            Ok(n)
        }
    }
}
/// A client of [`Shapes`]: each method is a call.
///
/// Cheap to clone. Generic over what carries the calls: one connection, or a whole cluster.
#[cfg(feature = "shapes")]
#[allow(dead_code, reason = "generated: a crate may only serve")]
struct ShapesClient<C = crate::vendored::rpcnet::private::Channel> {
    stub: crate::vendored::rpcnet::private::Stub<C>,
}
/// Serves an implementation of [`Shapes`].
#[cfg(feature = "shapes")]
#[allow(dead_code, reason = "generated: a crate may only call")]
struct ShapesServer<S> {
    service: crate::vendored::rpcnet::private::Arc<S>,
}
#[cfg(feature = "shapes")]
#[allow(
    deprecated,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    reason = "generated: these are about what a person writes"
)]
const _: () = {
    #[allow(unused_imports, reason = "generated: all types may have schemas")]
    use crate::vendored::rpcnet::private::Undescribed as _;
    #[cfg(unix)]
    static __RPCNET_area: crate::vendored::rpcnet::private::MethodDescriptor = crate::vendored::rpcnet::private::MethodDescriptor::new(
            "area",
            "Shapes/area",
        )
        .arguments(&[("shape", "Shape")])
        .answer("Result<f64, Error>")
        .schemas(
            &[
                crate::vendored::rpcnet::private::Probe::<Shape>::__RPCNET_SCHEMA,
                crate::vendored::rpcnet::private::Probe::<f64>::__RPCNET_SCHEMA,
                crate::vendored::rpcnet::private::Probe::<Error>::__RPCNET_SCHEMA,
            ],
        );
    #[cfg(not(unix))]
    static __RPCNET_area: crate::vendored::rpcnet::private::MethodDescriptor = crate::vendored::rpcnet::private::MethodDescriptor::new(
            "area",
            "Shapes/area",
        )
        .arguments(&[("shape", "Shape"), ("scale", "f64")])
        .answer("Result<f64, Error>")
        .schemas(
            &[
                crate::vendored::rpcnet::private::Probe::<Shape>::__RPCNET_SCHEMA,
                crate::vendored::rpcnet::private::Probe::<f64>::__RPCNET_SCHEMA,
                crate::vendored::rpcnet::private::Probe::<f64>::__RPCNET_SCHEMA,
                crate::vendored::rpcnet::private::Probe::<Error>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_type: crate::vendored::rpcnet::private::MethodDescriptor = crate::vendored::rpcnet::private::MethodDescriptor::new(
            "type",
            "Shapes/type",
        )
        .arguments(&[("struct", "u8")])
        .answer("Answer")
        .schemas(
            &[
                crate::vendored::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                crate::vendored::rpcnet::private::Probe::<Answer>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_twice: crate::vendored::rpcnet::private::MethodDescriptor = crate::vendored::rpcnet::private::MethodDescriptor::new(
            "twice",
            "Shapes/twice",
        )
        .arguments(&[("n", "u8")])
        .answer("Answer")
        .schemas(
            &[
                crate::vendored::rpcnet::private::Probe::<u8>::__RPCNET_SCHEMA,
                crate::vendored::rpcnet::private::Probe::<Answer>::__RPCNET_SCHEMA,
            ],
        );
    static __RPCNET_SERVICE: crate::vendored::rpcnet::private::ServiceDescriptor = crate::vendored::rpcnet::private::ServiceDescriptor::new(
        "Shapes",
        &[
            #[cfg(unix)]
            &__RPCNET_area,
            #[cfg(not(unix))]
            &__RPCNET_area,
            &__RPCNET_type,
            &__RPCNET_twice,
        ],
        "",
    );
    #[cfg(unix)]
    fn __rpcnet_area() -> crate::vendored::rpcnet::private::Method<
        (Shape,),
        f64,
        Error,
    > {
        crate::vendored::rpcnet::private::Method::new(
            &__RPCNET_area,
            crate::vendored::rpcnet::private::arguments_1::<Shape>(),
            crate::vendored::rpcnet::private::answer::<f64, Error>(),
        )
    }
    #[cfg(not(unix))]
    fn __rpcnet_area() -> crate::vendored::rpcnet::private::Method<
        (Shape, f64),
        f64,
        Error,
    > {
        crate::vendored::rpcnet::private::Method::new(
            &__RPCNET_area,
            crate::vendored::rpcnet::private::arguments_2::<Shape, f64>(),
            crate::vendored::rpcnet::private::answer::<f64, Error>(),
        )
    }
    fn __rpcnet_type() -> crate::vendored::rpcnet::private::Method<
        (u8,),
        <Answer as crate::vendored::rpcnet::private::Reply>::Ok,
        <Answer as crate::vendored::rpcnet::private::Reply>::Err,
    > {
        crate::vendored::rpcnet::private::Method::new(
            &__RPCNET_type,
            crate::vendored::rpcnet::private::arguments_1::<u8>(),
            crate::vendored::rpcnet::private::answer::<
                <Answer as crate::vendored::rpcnet::private::Reply>::Ok,
                <Answer as crate::vendored::rpcnet::private::Reply>::Err,
            >(),
        )
    }
    fn __rpcnet_twice() -> crate::vendored::rpcnet::private::Method<
        (u8,),
        <Answer as crate::vendored::rpcnet::private::Reply>::Ok,
        <Answer as crate::vendored::rpcnet::private::Reply>::Err,
    > {
        crate::vendored::rpcnet::private::Method::new(
            &__RPCNET_twice,
            crate::vendored::rpcnet::private::arguments_1::<u8>(),
            crate::vendored::rpcnet::private::answer::<
                <Answer as crate::vendored::rpcnet::private::Reply>::Ok,
                <Answer as crate::vendored::rpcnet::private::Reply>::Err,
            >(),
        )
    }
    #[allow(dead_code, reason = "generated: a crate may only serve")]
    impl ShapesClient<crate::vendored::rpcnet::private::Channel> {
        /// A client of the one server at this address.
        ///
        /// # Errors
        ///
        /// When the address is none, or no connection to it can be made.
        async fn connect(
            address: impl crate::vendored::rpcnet::private::Into<
                crate::vendored::rpcnet::private::Address,
            >,
        ) -> crate::vendored::rpcnet::private::Result<
            Self,
            crate::vendored::rpcnet::private::ConnectError,
        > {
            let channel = crate::vendored::rpcnet::private::Channel::connect(address)
                .await?;
            crate::vendored::rpcnet::private::Result::Ok(Self::new(channel))
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call over a network")]
    impl ShapesClient<crate::vendored::rpcnet::private::Local> {
        /// A client of an implementation in this process, without a network.
        #[must_use]
        fn local<S: Shapes>(service: S) -> Self {
            Self::new(
                crate::vendored::rpcnet::private::local(ShapesServer::<S>::new(service)),
            )
        }
    }
    #[cfg(feature = "shapes")]
    #[allow(dead_code, reason = "generated: a crate may only serve, or call only some")]
    impl<C: crate::vendored::rpcnet::private::Caller> ShapesClient<C> {
        /// A client whose calls `caller` carries.
        #[must_use]
        fn new(caller: C) -> Self {
            Self {
                stub: crate::vendored::rpcnet::private::Stub::new(caller),
            }
        }
        /// The same client with other options: what `options` sets overrides what was set before.
        #[must_use]
        fn with(&self, options: crate::vendored::rpcnet::private::CallOptions) -> Self {
            Self {
                stub: crate::vendored::rpcnet::private::Stub::with(&self.stub, options),
            }
        }
        #[cfg(unix)]
        /// Calls [`Shapes::area`].
        async fn area(
            &self,
            shape: Shape,
        ) -> crate::vendored::rpcnet::private::Result<
            f64,
            crate::vendored::rpcnet::private::CallError<Error>,
        > {
            let call = crate::vendored::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_area(),
                crate::vendored::rpcnet::private::Option::None,
                (shape,),
            );
            call.await
        }
        #[cfg(not(unix))]
        #[deprecated = "use a better system"]
        /// Calls [`Shapes::area`].
        async fn area(
            &self,
            shape: Shape,
            scale: f64,
        ) -> crate::vendored::rpcnet::private::Result<
            f64,
            crate::vendored::rpcnet::private::CallError<Error>,
        > {
            let call = crate::vendored::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_area(),
                crate::vendored::rpcnet::private::Option::None,
                (shape, scale),
            );
            call.await
        }
        /// Calls [`Shapes::r#type`].
        async fn r#type(
            &self,
            r#struct: u8,
        ) -> crate::vendored::rpcnet::private::Result<
            <Answer as crate::vendored::rpcnet::private::Reply>::Ok,
            crate::vendored::rpcnet::private::CallError<
                <Answer as crate::vendored::rpcnet::private::Reply>::Err,
            >,
        > {
            let call = crate::vendored::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_type(),
                crate::vendored::rpcnet::private::Option::None,
                (r#struct,),
            );
            call.await
        }
        /// Calls [`Shapes::twice`].
        async fn twice(
            &self,
            n: u8,
        ) -> crate::vendored::rpcnet::private::Result<
            <Answer as crate::vendored::rpcnet::private::Reply>::Ok,
            crate::vendored::rpcnet::private::CallError<
                <Answer as crate::vendored::rpcnet::private::Reply>::Err,
            >,
        > {
            let call = crate::vendored::rpcnet::private::Stub::unary(
                &self.stub,
                __rpcnet_twice(),
                crate::vendored::rpcnet::private::Option::None,
                (n,),
            );
            call.await
        }
    }
    impl<
        C: crate::vendored::rpcnet::private::Clone,
    > crate::vendored::rpcnet::private::Clone for ShapesClient<C> {
        fn clone(&self) -> Self {
            Self {
                stub: crate::vendored::rpcnet::private::Clone::clone(&self.stub),
            }
        }
    }
    impl<
        C: crate::vendored::rpcnet::private::Debug,
    > crate::vendored::rpcnet::private::Debug for ShapesClient<C> {
        fn fmt(
            &self,
            f: &mut crate::vendored::rpcnet::private::Formatter<'_>,
        ) -> crate::vendored::rpcnet::private::fmt::Result {
            crate::vendored::rpcnet::private::debug_client(f, "ShapesClient", &self.stub)
        }
    }
    #[allow(dead_code, reason = "generated: a crate may only call")]
    impl<S: Shapes> ShapesServer<S> {
        /// Serves this implementation.
        #[must_use]
        fn new(service: S) -> Self {
            Self::from_arc(crate::vendored::rpcnet::private::Arc::new(service))
        }
        /// Serves an implementation that is used elsewhere too.
        #[must_use]
        fn from_arc(service: crate::vendored::rpcnet::private::Arc<S>) -> Self {
            Self { service }
        }
    }
    impl<S: Shapes> crate::vendored::rpcnet::private::Service for ShapesServer<S> {
        fn descriptor(
            &self,
        ) -> &'static crate::vendored::rpcnet::private::ServiceDescriptor {
            &__RPCNET_SERVICE
        }
        fn routes(self) -> crate::vendored::rpcnet::private::Routes {
            let service = self.service;
            let routes = crate::vendored::rpcnet::private::Routes::new(
                &__RPCNET_SERVICE,
            );
            #[cfg(unix)]
            let routes = crate::vendored::rpcnet::private::Routes::method(
                routes,
                __rpcnet_area(),
                &service,
                |service, _context, (shape,)| async move {
                    <S as Shapes>::area(&*service, shape).await
                },
            );
            #[cfg(not(unix))]
            let routes = crate::vendored::rpcnet::private::Routes::method(
                routes,
                __rpcnet_area(),
                &service,
                |service, _context, (shape, scale)| async move {
                    <S as Shapes>::area(&*service, shape, scale).await
                },
            );
            let routes = crate::vendored::rpcnet::private::Routes::method(
                routes,
                __rpcnet_type(),
                &service,
                |service, _context, (r#struct,)| async move {
                    <Answer as crate::vendored::rpcnet::private::Reply>::into_result(
                        <S as Shapes>::r#type(&*service, r#struct).await,
                    )
                },
            );
            let routes = crate::vendored::rpcnet::private::Routes::method(
                routes,
                __rpcnet_twice(),
                &service,
                |service, _context, (n,)| async move {
                    <Answer as crate::vendored::rpcnet::private::Reply>::into_result(
                        <S as Shapes>::twice(&*service, n).await,
                    )
                },
            );
            routes
        }
    }
    impl<S> crate::vendored::rpcnet::private::Clone for ShapesServer<S> {
        fn clone(&self) -> Self {
            Self {
                service: crate::vendored::rpcnet::private::Clone::clone(&self.service),
            }
        }
    }
    impl<S> crate::vendored::rpcnet::private::Debug for ShapesServer<S> {
        fn fmt(
            &self,
            f: &mut crate::vendored::rpcnet::private::Formatter<'_>,
        ) -> crate::vendored::rpcnet::private::fmt::Result {
            crate::vendored::rpcnet::private::debug_server(f, "ShapesServer")
        }
    }
};
