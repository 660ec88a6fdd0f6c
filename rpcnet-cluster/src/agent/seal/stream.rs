//! Streams: frames that can be neither changed, reordered, repeated, reflected, nor left out at the end.

use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::key::{NONCE_BYTES, TAG_BYTES};
use super::{Cluster, HEAD_BYTES, Key, MARK, Ring, not_sealed};
use crate::membership::Unreadable;

/// Bytes drawn for each direction of a stream.
pub(crate) const SALT_BYTES: usize = 16;
/// Most text of a frame: what a stranger can make us hold before it is found out.
pub(crate) const FRAME_BYTES_MAX: usize = 16 * 1024;

const PREAMBLE_BYTES: usize = HEAD_BYTES + SALT_BYTES;
const LENGTH_BYTES: usize = 2;
/// Set in the length of a direction's last frame.
const LAST: u16 = 1 << 15;
/// The first byte of a connection of `rpcnet` that is not sealed.
const PLAIN: u8 = b'R';

type Preamble = [u8; PREAMBLE_BYTES];

/// One end of a sealed stream.
///
/// ```text
/// asker                                   answerer
///   │ preamble, frame 0 ───────────────────▶│  key, cluster and versions are checked, then the frame
///   │◀─────────────────── preamble, frame 0 │  sealed with the asker's key, bound to its preamble
///   │ frame 1 … last ──────────────────────▶│  bound to the answerer's preamble
///   │◀──────────────────────── frame 1 … last
/// ```
///
/// A frame is bound to its direction, its place, both preambles, and whether it is the last. The asker's first frame is the
/// exception, since it knows only its own preamble: recorded, it opens again elsewhere, so it must carry nothing but
/// a greeting. Everything after it is bound to the salts of both ends: a recorded conversation opens nowhere else.
///
/// The answerer uses the asker's key, not its own primary: while keys are changed, an answer opens wherever the question
/// came from. Nothing is sealed for an asker that has proved nothing.
#[derive(Debug)]
pub(crate) struct Line {
    cluster: Cluster,
    end: End,
    ours: [u8; SALT_BYTES],
    /// Known from the start to the asker, from the asker's preamble to the answerer.
    key: Option<Arc<Key>>,
    theirs: Option<Preamble>,
    sealed: u64,
    opened: u64,
    /// The peer's last frame was opened.
    ended: bool,
}

/// Who opened the stream and who accepted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Asker,
    Answerer,
}

impl End {
    fn other(self) -> Self {
        if self == Self::Asker { Self::Answerer } else { Self::Asker }
    }

    /// What is authenticated with the frames this end seals.
    fn purpose(self) -> &'static str {
        match self {
            Self::Asker => "rpcnet-cluster stream, asking",
            Self::Answerer => "rpcnet-cluster stream, answering",
        }
    }
}

impl Line {
    /// The end that opened the stream. `salt` must be random, and used for nothing else.
    pub(crate) fn asking(cluster: Cluster, ring: &Ring, salt: [u8; SALT_BYTES]) -> Self {
        Self::new(cluster, End::Asker, salt, Some(Arc::clone(ring.primary())))
    }

    /// The end that accepted it. `salt` as above.
    pub(crate) fn answering(cluster: Cluster, salt: [u8; SALT_BYTES]) -> Self {
        Self::new(cluster, End::Answerer, salt, None)
    }

    fn new(cluster: Cluster, end: End, ours: [u8; SALT_BYTES], key: Option<Arc<Key>>) -> Self {
        Self { cluster, end, ours, key, theirs: None, sealed: 0, opened: 0, ended: false }
    }

    /// Whether [`seal`](Self::seal) may be called: not before the peer's part, but for the asker's first frame.
    pub(crate) fn can_seal(&self) -> bool {
        match self.end {
            End::Asker => self.sealed == 0 || self.theirs.is_some(),
            End::Answerer => self.opened > 0,
        }
    }

    /// Whether the peer's last frame was opened: nothing of what it said is missing.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Appends a frame of `text`, at most [`FRAME_BYTES_MAX`]; before the first, the preamble.
    pub(crate) fn seal(&mut self, text: &[u8], last: bool, out: &mut BytesMut) {
        debug_assert!(self.can_seal() && text.len() <= FRAME_BYTES_MAX, "the caller asks and divides");
        let Some(key) = self.key.clone() else { return };
        let preamble = self.preamble(&key);
        if self.sealed == 0 {
            out.extend_from_slice(&preamble);
        }
        let length = (text.len() as u16 | if last { LAST } else { 0 }).to_be_bytes();
        out.extend_from_slice(&length);
        let text_at = out.len();
        out.extend_from_slice(text);
        let bound = self.theirs.filter(|_| !(self.end == End::Asker && self.sealed == 0));
        let associated = self.associated(self.end, &preamble, bound, length);
        let tag = key.seal(&nonce(&preamble, self.sealed), &associated, &mut out[text_at..]);
        out.extend_from_slice(&tag);
        self.sealed += 1;
    }

    /// Takes one frame from `input`, if it is all there, and appends its text; `false` when more has to arrive.
    ///
    /// # Errors
    ///
    /// Why the stream cannot be read. It is over then.
    pub(crate) fn open(
        &mut self,
        ring: &Ring,
        input: &mut BytesMut,
        text: &mut BytesMut,
    ) -> Result<bool, Unreadable> {
        let (Some(theirs), Some(key)) = (self.greeting(ring, input)?, self.key.clone()) else {
            return Ok(false);
        };
        let Some(&length) = input.first_chunk::<LENGTH_BYTES>() else { return Ok(false) };
        let (size, last) = (usize::from(u16::from_be_bytes(length) & !LAST), length[0] >> 7 == 1);
        if size > FRAME_BYTES_MAX || self.ended {
            return Err(Unreadable::Malformed);
        }
        if input.len() < LENGTH_BYTES + size + TAG_BYTES {
            return Ok(false);
        }
        input.advance(LENGTH_BYTES);
        let mut frame = input.split_to(size + TAG_BYTES);
        let (sealed, tag) = frame.split_last_chunk_mut::<TAG_BYTES>().ok_or(Unreadable::Malformed)?;
        let bound = (!(self.end == End::Answerer && self.opened == 0)).then(|| self.preamble(&key));
        let associated = self.associated(self.end.other(), &theirs, bound, length);
        if !key.open(&nonce(&theirs, self.opened), &associated, sealed, tag) {
            return Err(Unreadable::Forged);
        }
        text.extend_from_slice(sealed);
        self.opened += 1;
        self.ended = last;
        Ok(true)
    }

    /// What to tell an asker that speaks in plain text, or names a key or a cluster that is not ours: our own preamble,
    /// which is as public. So a person at the other end learns which of the settings is wrong.
    pub(crate) fn refusal(&self, ring: &Ring, why: Unreadable) -> Option<[u8; PREAMBLE_BYTES]> {
        let mistake = matches!(
            why,
            Unreadable::Plaintext | Unreadable::UnknownKey | Unreadable::OtherCluster | Unreadable::Version
        );
        (self.end == End::Answerer && mistake).then(|| self.preamble(ring.primary()))
    }

    /// The peer's preamble, when it is all there.
    fn greeting(&mut self, ring: &Ring, input: &mut BytesMut) -> Result<Option<Preamble>, Unreadable> {
        if self.theirs.is_some() {
            return Ok(self.theirs);
        }
        match input.first() {
            Some(&MARK) | None => {}
            Some(&PLAIN) => return Err(Unreadable::Plaintext),
            Some(&other) => return Err(not_sealed(other)),
        }
        let (Some(head), Some(&preamble)) = (input.first_chunk(), input.first_chunk()) else {
            return Ok(None);
        };
        let id = self.cluster.read_head(head)?;
        let key = match self.end {
            End::Asker => self.key.take().filter(|key| key.id() == id),
            End::Answerer => ring.find(id).cloned(),
        };
        self.key = Some(key.ok_or(Unreadable::UnknownKey)?);
        self.theirs = Some(preamble);
        input.advance(PREAMBLE_BYTES);
        Ok(self.theirs)
    }

    fn preamble(&self, key: &Key) -> Preamble {
        let mut preamble = [0; PREAMBLE_BYTES];
        let (head, salt) = preamble.split_at_mut(HEAD_BYTES);
        head.copy_from_slice(&self.cluster.head(key));
        salt.copy_from_slice(&self.ours);
        preamble
    }

    fn associated(&self, by: End, own: &Preamble, bound: Option<Preamble>, length: [u8; 2]) -> Vec<u8> {
        self.cluster.associated(by.purpose(), &[own, &bound.unwrap_or([0; PREAMBLE_BYTES]), &length])
    }
}

/// The salt of whoever seals, and the frame's place.
fn nonce(preamble: &Preamble, place: u64) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    let (salt, counter) = nonce.split_at_mut(SALT_BYTES);
    salt.copy_from_slice(&preamble[HEAD_BYTES..]);
    counter.copy_from_slice(&place.to_be_bytes());
    nonce
}
