#[rpc_trait(name = "feed.v1")]
pub trait Feed {
    /// What happens from now on.
    #[rpc(read, timeout = "1m")]
    async fn watch(&self, prefix: String) -> Result<Streaming<Change>, FeedError>;

    async fn upload(&self, name: String, parts: Streaming<Bytes>) -> Result<Digest, FeedError>;

    /// Both ways, through an alias of `Result`.
    #[rpc(alias = "talk")]
    async fn chat(&self, ctx: Context, lines: Streaming<Line>) -> Answer<Streaming<Line>>;

    #[rpc(keyed, no_cancel)]
    async fn publish(&self, change: Change) -> Result<(), FeedError>;

    /// Blocks its thread.
    #[rpc(blocking, timeout = "250ms")]
    fn hash(&self, ctx: Context, data: Bytes) -> Result<Digest, FeedError>;
}
