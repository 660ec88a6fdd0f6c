#[rpc_trait(nmae = "x")]
pub trait Refused {
    async fn good(&self, n: u8) -> Result<u8, Error>;

    const fn bad(&mut self, name: &str) -> Result<u8, Error>;

    type Assoc;
}
