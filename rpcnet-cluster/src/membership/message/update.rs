//! News about a member, as bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::accusers::{Accuser, Accusers};
use super::super::held::Held;
use super::super::limits::{ACCUSERS_MAX, LABEL_BYTES_MAX, TAG_VERSION_MAX, TAGS_BYTES_MAX, TAGS_MAX};
use super::super::record::{Profile, Record, Standing, Update};
use super::super::tags::{Tags, bytes_of};
use super::super::{Generation, NodeId, NodeState};
use super::{Malformed, Reader, Writer};

const BRIEF: u8 = 0;
const FULL: u8 = 1;
/// Stands beside the state, which needs two bits.
const DEGRADED: u8 = 0x80;

/// The bytes of an update, without the length that precedes them in a message.
pub(crate) fn update_bytes(update: &Update) -> Cow<'_, [u8]> {
    match update {
        Update::Brief { id, generation, standing } => {
            let mut out = Writer::default();
            out.u8(BRIEF);
            encode_standing(*id, *generation, standing, &mut out);
            out.into_bytes().into()
        }
        Update::Full(record) => record.bytes().into(),
    }
}

/// The bytes of an update that says all of a member.
pub(crate) fn record_bytes(record: &Record) -> Vec<u8> {
    let mut out = Writer::default();
    out.u8(FULL);
    encode_standing(record.id, record.generation, &record.standing, &mut out);
    encode_facts(record, &mut out);
    out.into_bytes()
}

fn encode_standing(id: NodeId, generation: Generation, standing: &Standing, out: &mut Writer) {
    out.id(id);
    out.varint(generation.0);
    out.varint(standing.incarnation.0);
    out.u8(state_code(standing.state) | if standing.degraded { DEGRADED } else { 0 });
    out.u8(standing.accusers.len() as u8);
    for accuser in standing.accusers.iter() {
        out.id(accuser.id);
        out.u8(u8::from(accuser.gone));
    }
}

fn encode_facts(record: &Record, out: &mut Writer) {
    out.varint(record.tags.version);
    out.addr(Some(record.profile.addr));
    out.addr(record.profile.rpc_addr);
    out.bytes(record.profile.label.as_bytes());
    out.varint(u64::from(record.profile.capacity));
    out.u8(record.tags.map.len() as u8);
    for (key, value) in record.tags.map.iter() {
        out.bytes(key.as_bytes());
        out.bytes(value.as_bytes());
    }
}

/// What the reader of a message holds already: the record of exactly these bytes, of this member. Most of a page is no news, and
/// need not be read.
pub(crate) type Recall<'a> = &'a dyn Fn(NodeId, &[u8]) -> Option<Held>;

/// Reads one update; what follows its known fields is ignored.
pub(super) fn decode_update(bytes: &[u8], recall: Recall<'_>) -> Result<Update, Malformed> {
    let mut input = Reader::new(bytes);
    let tag = input.u8()?;
    let id = input.id()?;
    if let Some(record) = recall(id, bytes) {
        return Ok(Update::Full(record));
    }
    let generation = input.generation()?;
    let standing = decode_standing(&mut input)?;
    match tag {
        BRIEF => Ok(Update::Brief { id, generation, standing }),
        FULL => {
            let (profile, tags) = decode_facts(&mut input)?;
            Ok(Update::Full(Record { id, generation, standing, profile, tags }.into()))
        }
        _ => Err(Malformed::Value("update")),
    }
}

fn decode_standing(input: &mut Reader<'_>) -> Result<Standing, Malformed> {
    let incarnation = input.incarnation()?;
    let code = input.u8()?;
    let (state, degraded) = (state_of(code & !DEGRADED)?, code & DEGRADED != 0);
    let count = usize::from(input.u8()?);
    if count > ACCUSERS_MAX {
        return Err(Malformed::Value("accusers"));
    }
    let mut accusers = Accusers::default();
    for _ in 0..count {
        accusers.add(Accuser { id: input.id()?, gone: input.u8()? != 0 });
    }
    let mut standing = Standing { incarnation, state, accusers, degraded };
    standing.normalise();
    Ok(standing)
}

fn decode_facts(input: &mut Reader<'_>) -> Result<(Profile, Tags), Malformed> {
    let version = input.varint_max(TAG_VERSION_MAX, "tag version")?;
    let profile = Profile {
        addr: input.addr()?.ok_or(Malformed::Value("address"))?,
        rpc_addr: input.addr()?,
        label: input.text(LABEL_BYTES_MAX, "label")?.into(),
        capacity: input.varint_max(u64::from(u32::MAX), "capacity")? as u32,
    };
    Ok((profile, Tags { version, map: Arc::new(decode_tags(input)?) }))
}

fn decode_tags(input: &mut Reader<'_>) -> Result<BTreeMap<String, String>, Malformed> {
    let count = usize::from(input.u8()?);
    if count > TAGS_MAX {
        return Err(Malformed::Value("tags"));
    }
    let mut map = BTreeMap::new();
    for _ in 0..count {
        let key = input.text(TAGS_BYTES_MAX, "tag key")?.to_owned();
        map.insert(key, input.text(TAGS_BYTES_MAX, "tag value")?.to_owned());
    }
    if bytes_of(&map) > TAGS_BYTES_MAX { Err(Malformed::Value("tags")) } else { Ok(map) }
}

pub(super) fn encode_state(state: NodeState, out: &mut Writer) {
    out.u8(state_code(state));
}

pub(super) fn decode_state(input: &mut Reader<'_>) -> Result<NodeState, Malformed> {
    state_of(input.u8()?)
}

fn state_code(state: NodeState) -> u8 {
    match state {
        NodeState::Alive => 0,
        NodeState::Suspect => 1,
        NodeState::Failed => 2,
        NodeState::Left => 3,
    }
}

fn state_of(code: u8) -> Result<NodeState, Malformed> {
    Ok(match code {
        0 => NodeState::Alive,
        1 => NodeState::Suspect,
        2 => NodeState::Failed,
        3 => NodeState::Left,
        _ => return Err(Malformed::Value("state")),
    })
}
