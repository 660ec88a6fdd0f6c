#[rpc_trait]
trait Many {
    async fn seventeen(
        &self,
        a1: u8, a2: u8, a3: u8, a4: u8, a5: u8, a6: u8, a7: u8, a8: u8,
        b1: u8, b2: u8, b3: u8, b4: u8, b5: u8, b6: u8, b7: u8, b8: u8,
        c1: String,
    ) -> Result<u8, Error>;
}
