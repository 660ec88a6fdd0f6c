//! The place of one of the peer's calls: what has come of it, and what it waits for.

use std::time::Instant;

use crate::{
    status::{Executed, Reason, Status},
    wire::{flow::Flow, head::CallHead, message::Message, stream_id::StreamId},
};

/// See the diagram at [`Accepted`](super::Accepted).
#[derive(Debug)]
pub(super) enum Slot {
    Free,
    /// In a box, since most calls are one frame and never gather.
    Gathering(Box<Gathering>),
    Running(Running),
    Discarding(StreamId),
}

/// A call whose arguments are whole.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) id: StreamId,
    pub(super) deadline: Option<Instant>,
    /// Its answer has been sent, and its stream is being sent.
    pub(super) replied: bool,
    /// Of a call with streams.
    pub(super) flow: Option<Box<Flow>>,
}

#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) id: StreamId,
    pub(super) head: CallHead,
    pub(super) deadline: Option<Instant>,
    pub(super) message: Message,
}

/// A call whose deadline has passed.
#[derive(Debug)]
pub(in crate::wire) struct Due {
    pub(in crate::wire) id: StreamId,
    pub(in crate::wire) status: Status,
    pub(in crate::wire) running: bool,
    /// Its answer has been sent: only its stream is cut.
    pub(in crate::wire) replied: bool,
}

impl Slot {
    pub(super) fn id(&self) -> Option<StreamId> {
        match self {
            Slot::Free => None,
            Slot::Gathering(gathering) => Some(gathering.id),
            Slot::Running(Running { id, .. }) | Slot::Discarding(id) => Some(*id),
        }
    }

    pub(super) fn is(&self, id: StreamId) -> bool {
        self.id() == Some(id)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Slot::Gathering(gathering) => gathering.deadline,
            Slot::Running(Running { deadline, .. }) => *deadline,
            Slot::Free | Slot::Discarding(_) => None,
        }
    }

    pub(super) fn due(&self, now: Instant) -> Option<Due> {
        self.deadline().filter(|deadline| *deadline <= now)?;
        let (running, replied) = match self {
            Slot::Running(running) => (true, running.replied),
            _ => (false, false),
        };
        let (executed, when) = match (running, replied) {
            (true, true) => (Executed::Yes, "before the stream was complete"),
            (true, false) => (Executed::Unknown, "while the method ran"),
            (false, _) => (Executed::No, "before the arguments were complete"),
        };
        let status = Status::new(Reason::Deadline, executed, format!("the deadline passed {when}"));
        Some(Due { id: self.id()?, status, running, replied })
    }
}
