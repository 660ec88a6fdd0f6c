use rpcnet::Schema;

#[derive(Schema)]
#[schema(crat = rpcnet)]
pub struct Order {
    #[schema(opaqe)]
    id: u64,
}

fn main() {}
