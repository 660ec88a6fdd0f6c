//! A method's id follows from its name, and from nothing around it.

use rpcnet::{Service, prelude::*};

mod written {
    #[rpcnet::rpc_trait]
    pub trait Ordered {
        async fn first(&self) -> rpcnet::Result<()>;
        async fn second(&self) -> rpcnet::Result<()>;
        async fn third(&self, argument: u8) -> rpcnet::Result<()>;
    }
}

mod changed {
    #[rpcnet::rpc_trait]
    pub trait Ordered {
        async fn added(&self) -> rpcnet::Result<()>;
        #[rpc(rename = "third")]
        async fn called_otherwise(&self) -> rpcnet::Result<()>;
        #[cfg(any())]
        async fn first(&self) -> rpcnet::Result<()>;
        #[rpc(idempotent)]
        async fn second(&self, more: String) -> Result<u8, u8>;
    }
}

#[rpc_trait(name = "billing.v2")]
trait Billing {
    async fn charge(&self, request_id: Uuid, cents: Vec<u64>) -> rpcnet::Result<()>;
}

struct Nobody;

impl written::Ordered for Nobody {
    async fn first(&self) -> rpcnet::Result<()> {
        Ok(())
    }

    async fn second(&self) -> rpcnet::Result<()> {
        Ok(())
    }

    async fn third(&self, _argument: u8) -> rpcnet::Result<()> {
        Ok(())
    }
}

impl changed::Ordered for Nobody {
    async fn added(&self) -> rpcnet::Result<()> {
        Ok(())
    }

    async fn called_otherwise(&self) -> rpcnet::Result<()> {
        Ok(())
    }

    async fn second(&self, _more: String) -> Result<u8, u8> {
        Ok(0)
    }
}

impl Billing for Nobody {
    async fn charge(&self, _request_id: Uuid, _cents: Vec<u64>) -> rpcnet::Result<()> {
        Ok(())
    }
}

fn ids(service: &impl Service) -> Vec<(&'static str, String)> {
    let methods = service.descriptor().methods.iter();
    methods.map(|method| (method.path, method.id.to_string())).collect()
}

fn main() {
    let golden = |path: &'static str, id: &str| (path, id.to_owned());
    assert_eq!(
        ids(&written::OrderedServer::new(Nobody)),
        [
            golden("Ordered/first", "5a1a5e2a37030e2f"),
            golden("Ordered/second", "5a7d904369b01863"),
            golden("Ordered/third", "83508044518c04cc"),
        ]
    );
    let changed = ids(&changed::OrderedServer::new(Nobody));
    assert_eq!(changed[1..], [
        golden("Ordered/third", "83508044518c04cc"),
        golden("Ordered/second", "5a7d904369b01863"),
    ]);

    let billing = BillingServer::new(Nobody);
    assert_eq!(ids(&billing), [golden("billing.v2/charge", "7e6faee97b45127b")]);
    let charge = &billing.descriptor().methods[0];
    assert_eq!(charge.arguments, [("cents", "Vec<u64>")]);
    assert_eq!(charge.answer, "rpcnet::Result<()>");
    assert_eq!(charge.idempotency, rpcnet::Idempotency::Keyed);
}
