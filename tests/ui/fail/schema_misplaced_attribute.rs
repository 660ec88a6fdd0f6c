use rpcnet::Schema;

#[derive(Schema)]
#[schema(opaque)]
pub enum State {
    Open,
    #[schema(opaque)]
    Shipped(#[schema(crate = rpcnet)] u8),
}

fn main() {}
