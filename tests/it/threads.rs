//! A handler that keeps its thread: the other calls of its connection go on.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use rpcnet::{Channel, Server};
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

/// Longer than what a method may take where its calls are read.
const LONG: Duration = Duration::from_millis(1);

/// Long enough for any machine; the test does not wait for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// `work` computes for a while; asked to, it says that it keeps its thread, and does until `go` is called.
fn server() -> (Runtime, std::net::SocketAddr, UnboundedReceiver<()>) {
    let ((go, gone), (keeps, kept)) = (mpsc::channel(), unbounded_channel());
    let gone = Arc::new(Mutex::new(gone));
    let work = move |keep: bytes::Bytes| {
        let (gone, keeps) = (Arc::clone(&gone), keeps.clone());
        async move {
            if keep.is_empty() {
                let begun = Instant::now();
                while begun.elapsed() < LONG {
                    std::hint::spin_loop();
                }
            } else {
                keeps.send(()).unwrap();
                gone.lock().unwrap().recv_timeout(PATIENCE).expect("the other call is served meanwhile");
            }
            Ok(keep)
        }
    };
    let go = move |bytes| {
        let go = go.clone();
        async move {
            go.send(()).unwrap();
            Ok(bytes)
        }
    };
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = Server::builder().register("work", work).register("go", go).bind("127.0.0.1:0");
    let server = runtime.block_on(server).unwrap();
    let address = server.local_addr();
    runtime.spawn(server.serve());
    (runtime, address, kept)
}

#[test]
fn a_handler_that_keeps_its_thread_holds_up_no_other_call_of_its_connection() {
    let (_runtime, address, mut kept) = server();
    let client = Builder::new_current_thread().enable_all().build().unwrap();
    client.block_on(async {
        let channel = Channel::connect(address).await.unwrap();
        // By now the server knows that the method may run long.
        for _ in 0..3 {
            channel.call("work", Vec::new()).await.unwrap();
        }
        for _ in 0..20 {
            let work = tokio::spawn({
                let channel = channel.clone();
                async move { channel.call("work", vec![1]).await }
            });
            kept.recv().await.unwrap();
            channel.call("go", Vec::new()).await.unwrap();
            work.await.unwrap().unwrap();
        }
    });
}
