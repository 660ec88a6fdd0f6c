use rpcnet::prelude::*;
use std::{marker::PhantomData, rc::Rc};

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Name(pub PhantomData<Rc<()>>);

#[rpc_trait]
pub trait Greeter {
    async fn greet(&self, name: Name) -> rpcnet::Result<String>;
}

fn main() {}
