//! Payments that are made once, however often they are asked for: repeats, a caller that gives up, another amount under a known
//! id, and a server that ends and forgets.
//!
//! Each claim is checked, so that the program fails where one does not hold.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rpcnet::{Reason, prelude::*};
use serde::{Deserialize, Serialize};
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

// ANCHOR: trait
#[rpc_trait]
trait Bank {
    /// Moves money, once for each `request_id`. Where the server has forgotten an id, the ledger has not.
    #[rpc(on_unknown = "rerun")]
    async fn pay(&self, request_id: Uuid, to: String, cents: u64) -> Result<Receipt, PaymentError>;

    /// Prints a cheque. A printer cannot be asked what it has printed.
    async fn print(&self, request_id: Uuid, to: String, cents: u64) -> Result<Receipt, PaymentError>;

    /// What was paid to somebody.
    #[rpc(read)]
    async fn paid(&self, to: String) -> rpcnet::Result<u64>;
}
// ANCHOR_END: trait

/// That money was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Receipt {
    number: u64,
    cents: u64,
}

/// An answer, like a receipt: a repeat gets the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
enum PaymentError {
    #[error("{0} cents are more than may be paid at once")]
    TooMuch(u64),
}

/// What outlives the server: in a real bank, a database.
#[derive(Debug, Default)]
struct Ledger {
    paid: BTreeMap<String, u64>,
    receipts: BTreeMap<Uuid, Receipt>,
    /// How often a method ran.
    runs: u32,
}

#[derive(Clone, Default)]
struct Counter(Arc<Mutex<Ledger>>);

// ANCHOR: service
impl Bank for Counter {
    async fn pay(&self, request_id: Uuid, to: String, cents: u64) -> Result<Receipt, PaymentError> {
        sleep(Duration::from_millis(100)).await; // whatever a payment has to wait for
        let mut ledger = self.0.lock(); // a transaction
        ledger.runs += 1;
        if let Some(receipt) = ledger.receipts.get(&request_id) {
            return Ok(receipt.clone()); // this server has forgotten it, or another one made it
        }
        ledger.enter(request_id, to, cents)
    }
    // ANCHOR_END: service

    async fn print(&self, request_id: Uuid, to: String, cents: u64) -> Result<Receipt, PaymentError> {
        let mut ledger = self.0.lock();
        ledger.runs += 1;
        ledger.enter(request_id, to, cents)
    }

    async fn paid(&self, to: String) -> rpcnet::Result<u64> {
        Ok(self.0.lock().paid.get(&to).copied().unwrap_or_default())
    }
}

impl Ledger {
    /// The id goes in with the money, in one transaction: neither is there without the other.
    fn enter(&mut self, id: Uuid, to: String, cents: u64) -> Result<Receipt, PaymentError> {
        if cents > 1_000_000 {
            return Err(PaymentError::TooMuch(cents));
        }
        *self.paid.entry(to).or_default() += cents;
        let receipt = Receipt { number: self.receipts.len() as u64 + 1, cents };
        self.receipts.insert(id, receipt.clone());
        Ok(receipt)
    }
}

// ANCHOR: client
/// What somebody wants to pay. It is written down, with its id, before it is first asked for.
struct Order {
    id: Uuid,
    to: &'static str,
    cents: u64,
}

/// Pays, and comes back when it is known whether that was done.
async fn settle(bank: &BankClient, order: &Order) -> Result<Receipt, CallError<PaymentError>> {
    let mut pause = Duration::from_millis(50);
    loop {
        let error = match bank.pay(order.id, order.to.into(), order.cents).await {
            Ok(receipt) => return Ok(receipt),
            Err(error) => error,
        };
        let known = matches!(&error, CallError::App(_)) || error.reason() == Some(Reason::RequestIdReused);
        if known || pause > Duration::from_secs(60) {
            return Err(error);
        }
        // Whether it ran or not, to ask again under the same id does no harm.
        println!("asked again: {error}");
        sleep(pause).await;
        pause *= 2;
    }
}
// ANCHOR_END: client

/// A server, and how it is ended.
struct Running {
    addr: SocketAddr,
    end: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    async fn start(counter: &Counter, addr: SocketAddr) -> rpcnet::Result<Self> {
        let server = Server::builder().service(BankServer::new(counter.clone())).bind(addr).await?;
        let (addr, (end, ending)) = (server.local_addr(), oneshot::channel::<()>());
        let ended = tokio::spawn(async move {
            let _ = server
                .serve_with_shutdown(async {
                    let _ = ending.await;
                })
                .await;
        });
        Ok(Self { addr, end, ended })
    }

    /// Ends it, and starts another at the same address, which remembers nothing.
    async fn restart(self, counter: &Counter) -> rpcnet::Result<Self> {
        let _ = self.end.send(());
        self.ended.await?;
        Self::start(counter, self.addr).await
    }
}

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    let counter = Counter::default();
    let server = Running::start(&counter, SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let bank = BankClient::connect(server.addr).await?;
    let runs = || counter.0.lock().runs;

    let order = Order { id: Uuid::new_v4(), to: "ann", cents: 500 };
    let receipt = settle(&bank, &order).await?;
    assert_eq!(settle(&bank, &order).await?, receipt);
    assert_eq!((bank.paid("ann".into()).await?, runs()), (500, 1));
    println!("a repeat has the receipt of the first, and did not run");

    let other = Order { cents: 600, ..order };
    let error = settle(&bank, &other).await.expect_err("another payment under a known id");
    assert_eq!(error.reason(), Some(Reason::RequestIdReused));
    println!("another amount under the same id is refused");

    let order = Order { id: Uuid::new_v4(), to: "bob", cents: 700 };
    let hurried = bank.with(CallOptions::timeout(Duration::from_millis(20)));
    let error = hurried.pay(order.id, order.to.into(), order.cents).await.expect_err("it takes 100 ms");
    assert!(matches!(error, CallError::OutcomeUnknown(_)), "{error}");
    settle(&bank, &order).await?;
    assert_eq!((bank.paid("bob".into()).await?, runs()), (700, 2));
    println!("a payment whose caller gave up was made, and the repeat was told");

    let cheque = Uuid::new_v4();
    bank.print(cheque, "cem".into(), 900).await?;
    let server = server.restart(&counter).await?;
    settle(&bank, &order).await?;
    assert_eq!((bank.paid("bob".into()).await?, runs()), (700, 4));
    println!("a server that has forgotten the payment ran it again, and the ledger knew it");

    // ANCHOR: unknown
    match bank.print(cheque, "cem".into(), 900).await {
        Ok(receipt) => println!("printed: {receipt:?}"),
        Err(CallError::OutcomeUnknown(status)) => println!("for somebody to look at the printer: {status}"),
        Err(error) => println!("not printed: {error}"),
    }
    // ANCHOR_END: unknown
    assert_eq!((bank.paid("cem".into()).await?, runs()), (900, 4));

    let _ = server.end.send(());
    server.ended.await?;
    let ledger = counter.0.lock();
    println!("summary: paid={} runs={}", ledger.paid.values().sum::<u64>(), ledger.runs);
    Ok(())
}
