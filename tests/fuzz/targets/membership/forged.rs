//! Messages in the protocol's form, of whatever content: written here from the description of the format.

use arbitrary::Arbitrary;

/// A message of anybody.
#[derive(Debug, Arbitrary)]
pub(crate) struct Message {
    from: u8,
    generation: u8,
    incarnation: u8,
    root: u64,
    health: u8,
    body: Body,
    updates: [Option<Update>; 3],
}

#[derive(Debug, Arbitrary)]
enum Body {
    Nonce { kind: u8, nonce: u8 },
    Relay { nonce: u8, target: u8 },
    Gossip,
    YouAre { state: u8, generation: u8, incarnation: u8 },
    Other { kind: u8, bytes: [u8; 4] },
}

/// News of somebody.
#[derive(Debug, Arbitrary)]
struct Update {
    id: u8,
    generation: u8,
    incarnation: u8,
    state: u8,
    accusers: [Option<(u8, bool)>; 4],
    facts: Option<Facts>,
}

#[derive(Debug, Arbitrary)]
struct Facts {
    version: u8,
    port: u8,
    rpc: bool,
    label: u8,
    tags: [Option<(u8, u8)>; 2],
}

/// The node of this number. A few, so that they meet again.
pub(crate) fn id(number: u8) -> [u8; 16] {
    let mut id = [0x10; 16];
    id[0] = number % 24;
    id
}

/// Where that node gossips.
pub(crate) fn port(number: u8) -> u16 {
    7000 + u16::from(number % 24)
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Small numbers, and the largest there may be.
fn number(drawn: u8, max: u32) -> u64 {
    if drawn < 250 { u64::from(drawn) } else { (1 << max) - u64::from(255 - drawn) }
}

impl Message {
    /// As a datagram. `cluster` is what each message of the cluster begins with.
    pub(crate) fn datagram(&self, cluster: &[u8]) -> Vec<u8> {
        let (kind, body) = self.body.encode();
        let mut out = self.envelope(cluster, kind);
        out.push(body.len() as u8);
        out.extend(body);
        out.push(self.updates.iter().flatten().count() as u8);
        for update in self.updates.iter().flatten() {
            let bytes = update.encode();
            out.extend((bytes.len() as u16).to_be_bytes());
            out.extend(bytes);
        }
        out
    }

    /// As a request over a stream.
    pub(crate) fn request(&self, cluster: &[u8]) -> Vec<u8> {
        let (kind, body) = match self.body {
            // The first update is the joiner's own record.
            Body::Nonce { .. } => {
                let own = self.updates[0].as_ref().map(Update::encode).unwrap_or_default();
                (16, prefixed(&own))
            }
            Body::Relay { nonce, .. } => (17, [nonce].repeat(256 * 8)),
            Body::Gossip | Body::Other { .. } => (18, self.page()),
            Body::YouAre { .. } => (19, Vec::new()),
        };
        self.framed(cluster, kind, &body)
    }

    /// As an answer over a stream.
    pub(crate) fn reply(&self, cluster: &[u8]) -> Vec<u8> {
        let page = [vec![self.health; 256 / 8], self.page()].concat();
        match self.body {
            Body::Gossip => self.framed(cluster, 33, &[]),
            _ => self.framed(cluster, 32, &page),
        }
    }

    fn framed(&self, cluster: &[u8], kind: u8, body: &[u8]) -> Vec<u8> {
        [self.envelope(cluster, kind), prefixed(body)].concat()
    }

    fn page(&self) -> Vec<u8> {
        let updates: Vec<_> =
            self.updates.iter().flatten().map(|update| prefixed(&update.encode())).collect();
        [vec![updates.len() as u8], updates.concat()].concat()
    }

    fn envelope(&self, cluster: &[u8], kind: u8) -> Vec<u8> {
        let mut out = cluster.to_vec();
        out.push(kind);
        out.extend(id(self.from));
        varint(&mut out, number(self.generation, 48));
        varint(&mut out, number(self.incarnation, 32));
        out.extend(self.root.to_be_bytes());
        out.push(self.health);
        out
    }
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(&mut out, bytes.len() as u64);
    out.extend(bytes);
    out
}

impl Body {
    fn encode(&self) -> (u8, Vec<u8>) {
        let nonce = |nonce: u8| u64::from(nonce).to_be_bytes().to_vec();
        match *self {
            Body::Nonce { kind, nonce: number } => ([1, 2, 4][usize::from(kind % 3)], nonce(number)),
            Body::Relay { nonce: number, target } => (3, [nonce(number), id(target).to_vec()].concat()),
            Body::Gossip => (5, Vec::new()),
            Body::YouAre { state, generation, incarnation } => {
                let mut body = vec![state % 4];
                varint(&mut body, number(generation, 48));
                varint(&mut body, number(incarnation, 32));
                (6, body)
            }
            Body::Other { kind, bytes } => (kind, bytes.to_vec()),
        }
    }
}

impl Update {
    fn encode(&self) -> Vec<u8> {
        let mut out = vec![u8::from(self.facts.is_some())];
        out.extend(id(self.id));
        varint(&mut out, number(self.generation, 48));
        varint(&mut out, number(self.incarnation, 32));
        out.push(self.state % 4);
        out.push(self.accusers.iter().flatten().count() as u8);
        for (accuser, gone) in self.accusers.iter().flatten() {
            out.extend(id(*accuser));
            out.push((*gone).into());
        }
        if let Some(facts) = &self.facts {
            facts.encode(&mut out);
        }
        out
    }
}

impl Facts {
    fn encode(&self, out: &mut Vec<u8>) {
        varint(out, number(self.version, 48));
        let addr = [&[4, 127, 0, 0, 1][..], &port(self.port).to_be_bytes()].concat();
        out.extend(&addr);
        out.extend(if self.rpc { &addr[..] } else { &[0] });
        out.extend(prefixed(&vec![b'l'; usize::from(self.label % 64)]));
        varint(out, 7);
        out.push(self.tags.iter().flatten().count() as u8);
        for (key, value) in self.tags.iter().flatten() {
            out.extend(prefixed(&[b'a' + key % 4]));
            out.extend(prefixed(&vec![b'v'; usize::from(*value)]));
        }
    }
}
