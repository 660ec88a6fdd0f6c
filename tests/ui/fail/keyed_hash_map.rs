use rpcnet::prelude::*;
use std::collections::HashMap;

#[rpc_trait]
pub trait Shop {
    async fn order(&self, request_id: Uuid, items: HashMap<String, u32>) -> rpcnet::Result<u64>;
}

fn main() {}
