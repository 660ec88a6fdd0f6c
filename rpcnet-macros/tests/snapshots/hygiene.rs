/// Names that generated code uses too.
#[rpc_trait]
trait Names {
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
    ) -> Result<(), Error>;
}
