//! What a `TraceLayer` writes down.

use std::{
    fmt::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use rpcnet::{layer::TraceLayer, prelude::*};
use tower::ServiceBuilder;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use super::{ms, waiting};
use crate::world::{BenchClient, World, settle};

/// The fields of each span of a call, in the order of their recording.
#[derive(Clone, Default)]
struct Spans {
    spans: Arc<Mutex<Vec<String>>>,
    last: Arc<AtomicU64>,
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target() == "rpcnet::layer::trace"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = String::new();
        span.record(&mut Fields(&mut text));
        self.spans.lock().unwrap().push(text);
        Id::from_u64(self.last.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut spans = self.spans.lock().unwrap();
        values.record(&mut Fields(&mut spans[span.into_u64() as usize - 1]));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Spans {
    /// The fields of the span of the last call at one end, but for those of every call.
    fn last(&self, kind: &str) -> String {
        let spans = self.spans.lock().unwrap();
        let begin = format!("otel.kind=\"{kind}\" rpc.system=\"rpcnet\" rpc.service=\"Bench\" ");
        let span = spans.iter().rfind(|span| span.starts_with(&begin)).expect("there is one");
        span[begin.len()..].trim_end().to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn each_call_has_a_span_that_says_how_it_ended() {
    let spans = Spans::default();
    let _guard = tracing::subscriber::set_default(spans.clone());
    let layers = || ServiceBuilder::new().layer(TraceLayer::new()).timeout(ms(50));
    let world = World::with(|server| server.layer(layers())).await;
    let bench = BenchClient::new(world.channel().await.layer(TraceLayer::new()));

    bench.echo("x".into()).await.unwrap();
    let client = spans.last("client");
    assert!(client.starts_with(r#"rpc.method="echo" code="ok" executed="yes" latency_us="#), "{client}");
    let server = spans.last("server");
    assert!(server.starts_with(r#"rpc.method="echo" peer=10.0.0.2:"#), "{server}");
    assert!(server.ends_with(r#"code="ok" executed="yes" latency_us=0"#), "{server}");

    bench.refuse("x".into()).await.unwrap_err();
    assert!(spans.last("client").contains(r#"code="app error" executed="yes""#));

    bench.slow_echo("x".into()).await.unwrap_err();
    let server = spans.last("server");
    assert!(server.contains(r#"code="deadline exceeded" executed="unknown" latency_us=50"#), "{server}");

    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let traced = bench.with(CallOptions::new().trace(trace.parse().unwrap()));
    traced.echo("x".into()).await.unwrap();
    for end in ["client", "server"] {
        assert!(spans.last(end).contains(&format!(r#"trace={trace} "#)), "{end}");
    }

    waiting(&world, &bench).await.abort();
    settle().await;
    for end in ["client", "server"] {
        assert!(spans.last(end).contains(r#"code="cancelled" executed="unknown""#), "{end}");
    }
}
