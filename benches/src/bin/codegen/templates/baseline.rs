//! The sample service without a framework: its types and plain functions, called in one process.

mod types;

use types::*;

// {methods}

async fn calls() -> usize {
    let mut answered = 0;
    // {calls}
    answered
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("answered={}", calls().await);
}
