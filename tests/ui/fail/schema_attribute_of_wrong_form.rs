use rpcnet::Schema;

#[derive(Schema)]
#[schema(crate = "rpcnet")]
#[schema]
pub struct Order {
    #[schema(opaque = true)]
    id: u64,
    #[schema(opaque, opaque)]
    count: u64,
    #[schema()]
    name: String,
}

#[derive(Schema)]
#[schema(crate = rpcnet, crate = rpcnet)]
pub struct Twice;

fn main() {}
