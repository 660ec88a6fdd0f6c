use rpcnet::Schema;

#[derive(Schema)]
pub union Number {
    integer: u64,
    float: f64,
}

fn main() {
    rpcnet::schema_of::<Number>();
}
