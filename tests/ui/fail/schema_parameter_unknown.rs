use rpcnet::{Schema, schema_of};

pub struct Date(u32);

#[derive(Schema)]
pub struct Page<T> {
    items: Vec<T>,
}

fn main() {
    schema_of::<Page<u8>>();
    schema_of::<Page<Date>>();
}
