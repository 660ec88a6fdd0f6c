use rpcnet::Schema;

/// A date.
pub struct Date(u32);

#[derive(Schema)]
pub struct Order {
    id: u64,
    due: Date,
    others: Vec<Option<Date>>,
}

#[derive(Schema)]
pub enum State {
    Open,
    Due(Date),
}

fn main() {}
