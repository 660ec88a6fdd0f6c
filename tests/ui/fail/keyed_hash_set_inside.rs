use rpcnet::prelude::*;

#[rpc_trait]
pub trait Shop {
    #[rpc(keyed)]
    async fn order(&self, boxes: Vec<(String, std::collections::HashSet<u32>)>) -> rpcnet::Result<u64>;
}

fn main() {}
