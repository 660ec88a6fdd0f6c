/// Does sums.
#[rpc_trait]
pub trait Compute {
    /// The same answer however often it is asked.
    #[rpc(idempotent)]
    async fn square(&self, n: i64) -> Result<i64, ComputeError>;

    /// Charges an account once.
    async fn charge(&self, request_id: Uuid, account: String, cents: u64) -> Result<Receipt, ComputeError>;

    async fn launch(&self, ctx: Context, target: String) -> rpcnet::Result<()>;
}
