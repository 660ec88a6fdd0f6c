use rpcnet::prelude::*;

pub enum Result<T, E> {
    Fine(T),
    Bad(E),
}

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: String) -> Result<String, String>;
}

fn main() {}
