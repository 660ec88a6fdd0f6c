//! The calls the peer made: from the first frame of the arguments to the answer.

#[cfg(any(test, fuzzing))]
mod audit;
mod slot;

use std::time::Instant;

use bytes::Bytes;

use self::slot::{Due, Gathering, Running, Slot};
use super::{
    decode::Frame,
    flow::{Flow, Sending},
    frame::{Kind, flags},
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
///        CALL              END              reply, end of its stream, deadline
/// Free ───────▶ Gathering ──────▶ Running ─────────────────────────▶ Free
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
    /// Of the live ones, how many have streams.
    streams: u32,
    /// Bytes of messages in the state `Gathering`, and of incomplete items.
    buffered: usize,
    /// As in [`Opened`](super::opened::Opened).
    earliest: Option<Instant>,
    /// Calls with streams that are over: whoever still reads or writes one is to know.
    stopped: Vec<StreamId>,
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
    /// Items can be read, or the peer's stream has ended.
    Readable(StreamId),
    /// The peer's stream was cut at this end: the peer is to be told.
    Stop(StreamId),
}

impl Accepted {
    pub(super) fn new(by_acceptor: bool) -> Self {
        let last = StreamId::from_bits(0);
        Self {
            by_acceptor,
            slots: Vec::new(),
            last,
            live: 0,
            streams: 0,
            buffered: 0,
            earliest: None,
            stopped: Vec::new(),
        }
    }

    pub(super) fn last_accepted(&self) -> StreamId {
        self.last
    }

    pub(super) fn live_count(&self) -> usize {
        self.live
    }

    /// A call with streams that is over.
    pub(super) fn take_stopped(&mut self) -> Option<StreamId> {
        self.stopped.pop()
    }

    pub(super) fn has_stopped(&self) -> bool {
        !self.stopped.is_empty()
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
            Ok(head) if head.streaming && self.streams >= limits.streams_max => {
                let message = format!(
                    "{} calls with streams are under way on the connection, as many as the server takes \
                     (its `Limits::streams_max`)",
                    self.streams
                );
                drop(head);
                Ok(self.refuse(id, end, Status::new(Reason::TooManyCalls, Executed::No, message)))
            }
            Ok(head) => {
                let deadline = head.timeout.map(|timeout| later(now, timeout));
                self.earliest = self.earliest.into_iter().chain(deadline).min();
                if end && frame.header.payload_len <= limits.message_bytes_max as usize {
                    return Ok(self.run(id, head, deadline, frame.into_payload(), limits));
                }
                let gathering = Box::new(Gathering { id, head, deadline, message: Message::default() });
                Ok(self.begin(gathering, frame.into_payload(), end, limits))
            }
        }
    }

    /// A further frame of a call's arguments.
    pub(super) fn handle_data(&mut self, frame: Frame, limits: &Limits) -> Result<Step, CloseReason> {
        let (id, end) = (frame.header.stream, frame.header.has(flags::END));
        match self.slots.get_mut(id.slot()) {
            Some(slot @ Slot::Gathering(_)) if slot.is(id) && frame.header.kind == Kind::Data => {
                let Slot::Gathering(gathering) = std::mem::replace(slot, Slot::Free) else {
                    return Ok(Step::Wait);
                };
                self.buffered -= gathering.message.len();
                self.streams -= u32::from(gathering.head.streaming);
                Ok(self.begin(gathering, frame.into_payload(), end, limits))
            }
            Some(Slot::Running(Running { id: running, flow: Some(_), .. })) if *running == id => {
                self.handle_item(frame, limits)
            }
            Some(Slot::Discarding(discarding)) if *discarding == id => {
                if end {
                    self.free(id);
                }
                Ok(Step::Wait)
            }
            // It crossed with the answer.
            Some(slot) if id.sequence() <= self.last.sequence() && !slot.is(id) => Ok(Step::Wait),
            _ => Err(CloseReason::violation(format_args!("data for call {id:?}, which expects none"))),
        }
    }

    /// A piece of an item of the peer's stream.
    fn handle_item(&mut self, frame: Frame, limits: &Limits) -> Result<Step, CloseReason> {
        let (id, last) = (frame.header.stream, frame.ends_item());
        let others = self.buffered;
        let Some(flow) = self.flow(id) else { return Ok(Step::Wait) };
        let before = flow.receiving.partial_len();
        let cut = flow.receiving.handle_item(frame, limits.message_bytes_max)?;
        let buffered = others - before + flow.receiving.partial_len();
        let cut = cut.or_else(|| (buffered > limits.buffered_bytes_max).then(|| too_much_buffered(limits)));
        let step = match cut {
            Some(status) => {
                flow.receiving.end(Err(status));
                Step::Stop(id)
            }
            None if last => Step::Readable(id),
            None => Step::Wait,
        };
        self.buffered = others - before + flow.receiving.partial_len();
        Ok(step)
    }

    /// The peer's stream has ended.
    pub(super) fn handle_end_of_items(&mut self, id: StreamId, end: Result<(), Status>) -> Step {
        let Some(flow) = self.flow(id) else { return Step::Wait };
        let before = flow.receiving.partial_len();
        flow.receiving.end(end);
        self.buffered -= before;
        Step::Readable(id)
    }

    /// The streams of a call that runs.
    pub(super) fn flow(&mut self, id: StreamId) -> Option<&mut Flow> {
        match self.slots.get_mut(id.slot())? {
            Slot::Running(running) if running.id == id => running.flow.as_deref_mut(),
            _ => None,
        }
    }

    /// Nobody of this end reads the peer's stream any more. True if the peer is to be told.
    pub(super) fn stop_reading(&mut self, id: StreamId) -> bool {
        let Some(flow) = self.flow(id) else { return false };
        let (open, before) = (flow.receiving.is_open(), flow.receiving.partial_len());
        flow.receiving.discard();
        self.buffered -= before;
        open
    }

    /// The connection is over: the streams of the peer are cut. Gives the calls that have one.
    pub(super) fn cut_all(&mut self, status: &Status) -> Vec<StreamId> {
        let flows = self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Running(Running { id, flow: Some(flow), .. }) => Some((*id, flow)),
            _ => None,
        });
        flows
            .map(|(id, flow)| {
                flow.receiving.end(Err(status.clone()));
                flow.sending.close();
                id
            })
            .collect()
    }

    /// The peer gives a call up. One that has ended crossed with its answer.
    pub(super) fn handle_cancel(&mut self, id: StreamId) -> Step {
        match self.slots.get(id.slot()).filter(|slot| slot.is(id)) {
            None => Step::Wait,
            Some(Slot::Running(_)) => {
                self.free(id);
                Step::Abandon(id)
            }
            Some(Slot::Gathering(_) | Slot::Discarding(_) | Slot::Free) => {
                self.free(id);
                Step::Wait
            }
        }
    }

    /// Whether the call is to be run and the peer waits for its answer.
    pub(super) fn is_running(&self, id: StreamId) -> bool {
        matches!(self.slots.get(id.slot()), Some(Slot::Running(running)) if running.id == id)
    }

    /// The call is about to be answered: true when the peer still waits for it. With a `window` a stream follows, of
    /// which that much may be sent.
    pub(super) fn reply(&mut self, id: StreamId, window: Option<u32>) -> bool {
        let Some(Slot::Running(running)) = self.slots.get_mut(id.slot()).filter(|slot| slot.is(id)) else {
            return false;
        };
        if running.replied {
            return false;
        }
        match (window, &mut running.flow) {
            (Some(window), Some(flow)) => {
                flow.sending = Sending::open(window);
                running.replied = true;
            }
            _ => self.free(id),
        }
        true
    }

    /// The stream that followed the answer has ended, and the call with it. True when the peer still waited for it.
    pub(super) fn finish(&mut self, id: StreamId) -> bool {
        let replied = matches!(
            self.slots.get(id.slot()),
            Some(Slot::Running(Running { id: running, replied: true, .. })) if *running == id
        );
        if replied {
            self.free(id);
        }
        replied
    }

    /// The calls whose deadline has passed.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Due> {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return Vec::new();
        }
        let due: Vec<_> = self.slots.iter().filter_map(|slot| slot.due(now)).collect();
        for due in &due {
            if due.running {
                self.free(due.id);
            } else {
                self.discard(due.id);
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
    fn begin(&mut self, mut gathering: Box<Gathering>, piece: Bytes, end: bool, limits: &Limits) -> Step {
        let id = gathering.id;
        let length = gathering.message.len() + piece.len();
        if length > limits.message_bytes_max as usize {
            let message = format!(
                "the arguments are larger than the {} bytes this server accepts (`Limits::message_bytes_max`)",
                limits.message_bytes_max
            );
            return self.refuse(id, end, Status::new(Reason::MessageTooLarge, Executed::No, message));
        }
        if end {
            gathering.message.push(piece, true);
            let Gathering { head, deadline, message, .. } = *gathering;
            return self.run(id, head, deadline, message.finish(), limits);
        }
        if self.buffered + length > limits.buffered_bytes_max {
            return self.refuse(id, end, too_much_buffered(limits).with_executed(Executed::No));
        }
        gathering.message.push(piece, false);
        self.buffered += length;
        self.streams += u32::from(gathering.head.streaming);
        self.slots[id.slot()] = Slot::Gathering(gathering);
        Step::Wait
    }

    /// All of the arguments are here.
    fn run(
        &mut self,
        id: StreamId,
        head: CallHead,
        deadline: Option<Instant>,
        payload: Bytes,
        limits: &Limits,
    ) -> Step {
        let flow = head.streaming.then(|| Box::new(Flow::taking(head.items.then_some(limits.stream_window))));
        self.streams += u32::from(flow.is_some());
        self.slots[id.slot()] = Slot::Running(Running { id, deadline, replied: false, flow });
        Step::Run(IncomingCall { id, head, deadline, payload })
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
        self.replace(id, Slot::Discarding(id));
    }

    fn free(&mut self, id: StreamId) {
        self.replace(id, Slot::Free);
        self.live -= 1;
    }

    /// Puts another slot in place of one, and takes what it held out of the counts.
    fn replace(&mut self, id: StreamId, slot: Slot) {
        match std::mem::replace(&mut self.slots[id.slot()], slot) {
            Slot::Gathering(gathering) => {
                self.buffered -= gathering.message.len();
                self.streams -= u32::from(gathering.head.streaming);
            }
            Slot::Running(Running { id, flow: Some(flow), .. }) => {
                self.buffered -= flow.receiving.partial_len();
                self.streams -= 1;
                self.stopped.push(id);
            }
            Slot::Running(_) | Slot::Discarding(_) | Slot::Free => {}
        }
    }
}

fn too_much_buffered(limits: &Limits) -> Status {
    let message = format!(
        "incomplete messages of this connection exceed {} bytes (`Limits::buffered_bytes_max`)",
        limits.buffered_bytes_max
    );
    Status::new(Reason::Overloaded, Executed::Yes, message)
}

/// Reads the head of a call and what forbids running it.
fn read_head(frame: &Frame, admit: bool) -> Result<CallHead, Status> {
    if !admit {
        let message = "the server is shutting down and takes no new calls";
        return Err(Status::new(Reason::Draining, Executed::No, message));
    }
    let head = CallHead::decode(frame.head(), frame.header.flags).ok_or_else(|| {
        let message = "the head of the call is cut short, or says what cannot be";
        Status::new(Reason::UndecodableArguments, Executed::No, message)
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
