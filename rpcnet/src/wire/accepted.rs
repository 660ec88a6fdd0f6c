//! The calls the peer made: from the first frame of the arguments to the answer.

use std::time::Instant;

use bytes::Bytes;

use super::{
    decode::Frame,
    frame::flags,
    head::CallHead,
    limits::Limits,
    message::Message,
    output::{CloseReason, IncomingCall},
    stream_id::StreamId,
};
use crate::{
    status::{Executed, Reason, Status},
    time::later,
};

/// The calls of the peer, by slot.
///
/// ```text
///        CALL              END                 reply, deadline
/// Free ───────▶ Receiving ──────▶ Running ───────────────────────▶ Free
///                   │ refused, deadline                              ▲
///                   └──────────────────▶ Discarding ─────────────────┘
///                                                   END or CANCEL
/// ```
///
/// CANCEL frees a slot from any state.
#[derive(Debug)]
pub(super) struct Accepted {
    by_acceptor: bool,
    slots: Vec<Slot>,
    last: StreamId,
    live: usize,
    /// Bytes of messages in the state `Receiving`.
    buffered: usize,
    /// As in [`Opened`](super::opened::Opened).
    earliest: Option<Instant>,
}

#[derive(Debug)]
enum Slot {
    Free,
    Receiving(Receiving),
    Running { id: StreamId, deadline: Option<Instant> },
    Discarding(StreamId),
}

#[derive(Debug)]
struct Receiving {
    id: StreamId,
    head: CallHead,
    deadline: Option<Instant>,
    message: Message,
}

/// What a frame of the peer leads to.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing to do yet.
    Wait,
    /// All of the arguments are here.
    Run(IncomingCall),
    /// The call is answered with this and not run.
    Refuse(StreamId, Status),
    /// Stop working on the call.
    Abandon(StreamId),
}

impl Accepted {
    pub(super) fn new(by_acceptor: bool) -> Self {
        let last = StreamId::from_bits(0);
        Self { by_acceptor, slots: Vec::new(), last, live: 0, buffered: 0, earliest: None }
    }

    pub(super) fn last_accepted(&self) -> StreamId {
        self.last
    }

    pub(super) fn live_count(&self) -> usize {
        self.live
    }

    /// The first frame of a call. `admit` false refuses it because this end is leaving.
    pub(super) fn handle_call(
        &mut self,
        now: Instant,
        frame: Frame,
        limits: &Limits,
        admit: bool,
    ) -> Result<Step, CloseReason> {
        let (id, end) = (frame.header.stream, frame.header.has(flags::END));
        self.check_new(id, limits)?;
        self.last = id;
        if id.slot() == self.slots.len() {
            self.slots.push(Slot::Free);
        }
        self.live += 1;
        match read_head(&frame, admit) {
            Err(status) => Ok(self.refuse(id, end, status)),
            Ok(head) => {
                let deadline = head.timeout.map(|timeout| later(now, timeout));
                self.earliest = self.earliest.into_iter().chain(deadline).min();
                Ok(self.begin(
                    Receiving { id, head, deadline, message: Message::default() },
                    frame.payload,
                    end,
                    limits,
                ))
            }
        }
    }

    /// A further frame of a call's arguments.
    pub(super) fn handle_data(&mut self, frame: Frame, limits: &Limits) -> Result<Step, CloseReason> {
        let (id, end) = (frame.header.stream, frame.header.has(flags::END));
        match self.slots.get_mut(id.slot()) {
            Some(slot @ Slot::Receiving(_)) if slot.is(id) => {
                let Slot::Receiving(receiving) = std::mem::replace(slot, Slot::Free) else {
                    return Ok(Step::Wait);
                };
                self.buffered -= receiving.message.len();
                Ok(self.begin(receiving, frame.payload, end, limits))
            }
            Some(Slot::Discarding(discarding)) if *discarding == id => {
                if end {
                    self.free(id);
                }
                Ok(Step::Wait)
            }
            _ => Err(CloseReason::violation(format_args!("data for call {id:?}, which expects none"))),
        }
    }

    /// The peer gives a call up. One that has ended crossed with its answer.
    pub(super) fn handle_cancel(&mut self, id: StreamId) -> Step {
        match self.slots.get(id.slot()).filter(|slot| slot.is(id)) {
            None => return Step::Wait,
            Some(Slot::Running { .. }) => {
                self.free(id);
                return Step::Abandon(id);
            }
            Some(Slot::Receiving(receiving)) => self.buffered -= receiving.message.len(),
            Some(Slot::Discarding(_) | Slot::Free) => {}
        }
        self.free(id);
        Step::Wait
    }

    /// Whether the call is to be run and the peer waits for its answer.
    pub(super) fn is_running(&self, id: StreamId) -> bool {
        matches!(self.slots.get(id.slot()), Some(Slot::Running { id: running, .. }) if *running == id)
    }

    /// The call is about to be answered: true when the peer still waits for it.
    pub(super) fn finish(&mut self, id: StreamId) -> bool {
        let running = self.is_running(id);
        if running {
            self.free(id);
        }
        running
    }

    /// The calls whose deadline has passed, each with what to answer and whether it was running.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<(StreamId, Status, bool)> {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return Vec::new();
        }
        let due: Vec<_> = self.slots.iter().filter_map(|slot| slot.due(now)).collect();
        for (id, _, running) in &due {
            if *running {
                self.free(*id);
            } else {
                self.discard(*id);
            }
        }
        self.earliest = self.slots.iter().filter_map(Slot::deadline).min();
        due
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        if self.live == 0 { None } else { self.earliest }
    }

    fn check_new(&self, id: StreamId, limits: &Limits) -> Result<(), CloseReason> {
        let what = if id.by_acceptor() != self.by_acceptor {
            "is of the other end"
        } else if id.sequence() <= self.last.sequence() {
            "does not follow the last"
        } else if id.slot() >= limits.calls_max as usize {
            "names a slot past the limit of calls"
        } else if id.slot() > self.slots.len() {
            // Openers take the lowest new slot: memory grows with calls, not with the numbers that a peer writes.
            "skips a slot"
        } else if !matches!(self.slots.get(id.slot()), None | Some(Slot::Free)) {
            "names a slot that is taken"
        } else {
            return Ok(());
        };
        Err(CloseReason::violation(format_args!("the id {id:?} of a new call {what}")))
    }

    /// Takes in a piece of the arguments.
    fn begin(&mut self, mut receiving: Receiving, piece: Bytes, end: bool, limits: &Limits) -> Step {
        let id = receiving.id;
        let length = receiving.message.len() + piece.len();
        if length > limits.message_bytes_max as usize {
            let message = format!(
                "the arguments are larger than the {} bytes this server accepts (`Limits::message_bytes_max`)",
                limits.message_bytes_max
            );
            return self.refuse(id, end, Status::new(Reason::MessageTooLarge, Executed::No, message));
        }
        if end {
            receiving.message.push(piece, true);
            let Receiving { head, deadline, message, .. } = receiving;
            self.slots[id.slot()] = Slot::Running { id, deadline };
            return Step::Run(IncomingCall { id, head, deadline, payload: message.finish() });
        }
        if self.buffered + length > limits.buffered_bytes_max {
            let message = format!(
                "incomplete messages of this connection exceed {} bytes (`Limits::buffered_bytes_max`)",
                limits.buffered_bytes_max
            );
            return self.refuse(id, end, Status::new(Reason::Overloaded, Executed::No, message));
        }
        receiving.message.push(piece, false);
        self.buffered += length;
        self.slots[id.slot()] = Slot::Receiving(receiving);
        Step::Wait
    }

    /// Does not run the call; what is still to come of its arguments is not looked at.
    fn refuse(&mut self, id: StreamId, end: bool, status: Status) -> Step {
        if end {
            self.free(id);
        } else {
            self.slots[id.slot()] = Slot::Discarding(id);
        }
        Step::Refuse(id, status)
    }

    fn discard(&mut self, id: StreamId) {
        let slot = std::mem::replace(&mut self.slots[id.slot()], Slot::Discarding(id));
        if let Slot::Receiving(receiving) = slot {
            self.buffered -= receiving.message.len();
        }
    }

    fn free(&mut self, id: StreamId) {
        self.slots[id.slot()] = Slot::Free;
        self.live -= 1;
    }
}

/// Reads the head of a call and what forbids running it.
fn read_head(frame: &Frame, admit: bool) -> Result<CallHead, Status> {
    if !admit {
        let message = "the server is shutting down and takes no new calls";
        return Err(Status::new(Reason::Draining, Executed::No, message));
    }
    let head = CallHead::decode(&frame.head, frame.header.has(flags::KEYED)).ok_or_else(|| {
        Status::new(Reason::UndecodableArguments, Executed::No, "the head of the call is cut short")
    })?;
    if head.timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Err(Status::new(
            Reason::Deadline,
            Executed::No,
            "the deadline had passed when the call arrived",
        ));
    }
    Ok(head)
}

impl Slot {
    fn id(&self) -> Option<StreamId> {
        match self {
            Slot::Free => None,
            Slot::Receiving(Receiving { id, .. }) | Slot::Running { id, .. } | Slot::Discarding(id) => {
                Some(*id)
            }
        }
    }

    fn is(&self, id: StreamId) -> bool {
        self.id() == Some(id)
    }

    fn deadline(&self) -> Option<Instant> {
        match self {
            Slot::Receiving(Receiving { deadline, .. }) | Slot::Running { deadline, .. } => *deadline,
            Slot::Free | Slot::Discarding(_) => None,
        }
    }

    fn due(&self, now: Instant) -> Option<(StreamId, Status, bool)> {
        self.deadline().filter(|deadline| *deadline <= now)?;
        let (running, executed, when) = match self {
            Slot::Running { .. } => (true, Executed::Unknown, "while the method ran"),
            _ => (false, Executed::No, "before the arguments were complete"),
        };
        Some((
            self.id()?,
            Status::new(Reason::Deadline, executed, format!("the deadline passed {when}")),
            running,
        ))
    }
}
