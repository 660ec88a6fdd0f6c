use rpcnet::Schema;

#[derive(Schema)]
#[schema(version = 2)]
pub struct Order {
    id: u64,
}

fn main() {}
