//! A service tested by itself.

use std::time::Duration;

use rpcnet::prelude::*;

#[rpc_trait]
trait Printer {
    #[rpc(timeout = "2s")]
    async fn print(&self, page: u32) -> rpcnet::Result<String>;
}

struct Office;

impl Printer for Office {
    async fn print(&self, page: u32) -> rpcnet::Result<String> {
        match page {
            0 => panic!("there is no page 0"),
            99 => tokio::time::sleep(Duration::from_secs(3600)).await,
            _ => {}
        }
        Ok(format!("page {page}"))
    }
}

// ANCHOR: test
#[tokio::test(start_paused = true)]
async fn the_printer_prints() {
    let printer = PrinterClient::local(Office);
    assert_eq!(printer.print(1).await.unwrap(), "page 1");

    // A panic is the end of its call, and of nothing else.
    let error = printer.print(0).await.unwrap_err();
    assert_eq!(error.reason(), Some(rpcnet::Reason::Panicked));

    // Deadlines hold. With a clock that jumps, this takes no time.
    let error = printer.print(99).await.unwrap_err();
    assert!(matches!(error, CallError::OutcomeUnknown(_)), "{error}");
}
// ANCHOR_END: test
