#[cfg(feature = "shapes")]
#[rpc_trait(crate = crate::vendored::rpcnet)]
trait Shapes {
    #[cfg(unix)]
    async fn area(&self, shape: Shape) -> Result<f64, Error>;

    #[cfg(not(unix))]
    #[deprecated = "use a better system"]
    async fn area(&self, shape: Shape, scale: f64) -> Result<f64, Error>;

    fn r#type(&self, r#struct: u8) -> impl Future<Output = Answer> + Send;

    async fn twice(&self, mut n: u8) -> Answer {
        n *= 2;
        Ok(n)
    }
}
