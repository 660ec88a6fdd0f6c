//! Calls that fail, and what to make of it.

// ANCHOR: own-error
use std::time::Duration;

use rpcnet::{Executed, prelude::*};
use sums::{ComputeClient, ComputeError};

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7001".into());
    let compute = ComputeClient::connect(address).await?;

    // The method's own error.
    match compute.square(i64::MAX).await {
        Err(CallError::App(ComputeError::Overflow)) => println!("too large to be squared"),
        other => println!("not expected: {other:?}"),
    }
    // ANCHOR_END: own-error

    // ANCHOR: deadline
    // A deadline that is too short: `add` takes 500 ms.
    let hasty = compute.with(CallOptions::timeout(Duration::from_millis(250)));
    let id = Uuid::new_v4();
    match hasty.add(id, 5).await {
        Err(error) => println!("not added in time: {}", advice(&error)),
        Ok(total) => println!("not expected: {total}"),
    }

    // The same request, not a second one: the same id.
    println!("the total is {}", compute.add(id, 5).await?);
    println!("the total is {}", compute.add(id, 5).await?);
    // ANCHOR_END: deadline

    // ANCHOR: nobody
    // A server that is not there. `lazy` leaves the connecting to the first call.
    let nobody = ComputeClient::new(Channel::builder("127.0.0.1:1").lazy());
    match nobody.square(3).await {
        Err(error) => println!("{error}\nnot squared: {}", advice(&error)),
        Ok(squared) => println!("not expected: {squared:?}"),
    }
    Ok(())
}
// ANCHOR_END: nobody

// ANCHOR: advice
/// Whether a call that failed may be made again.
fn advice(error: &CallError<ComputeError>) -> &'static str {
    match error {
        CallError::App(_) => "it ran, and this is its answer",
        CallError::Status(status) if status.executed() == Executed::No => "it did not run: may be made again",
        CallError::Status(_) => "it ran, and the answer is lost",
        CallError::OutcomeUnknown(_) => "it may have run: made again only if that does no harm",
    }
}
// ANCHOR_END: advice
