//! Twelve processes, what is done to them, and what they see.

use std::fs;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::Outcome;
use crate::lab::{Lab, addr};
use crate::node::NODE;
use crate::told::{Told, View, What};

/// Nodes of the cluster, numbered from 1.
pub(crate) const NODES: usize = 12;
const PORT: u16 = 7_946;
/// Lines that wait; a process that says more waits too.
const LINES_WAITING_MAX: usize = 10_000;

/// The cluster. Dropping it ends its processes and removes its network.
pub(crate) struct Field {
    // In this order: processes end before their hosts go.
    processes: Vec<Process>,
    pub(crate) lab: Lab,
    folder: PathBuf,
    lines: mpsc::Receiver<Told>,
    sender: mpsc::Sender<Told>,
    /// What was said since the fault.
    pub(crate) log: Vec<Told>,
}

struct Process {
    child: Option<Child>,
    start: u32,
    id: String,
    at: SocketAddr,
    view: View,
    /// What its ledger does at present, and with which error.
    ledger: Option<(What, String)>,
}

impl Field {
    /// The hosts; nothing runs yet.
    pub(crate) fn new(mut lab: Lab) -> Outcome<Self> {
        for node in 1..=NODES {
            lab.add(node, node > NODES / 2)?;
        }
        let folder = std::env::temp_dir().join(format!("rpcnet-netns-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder)?;
        let (sender, lines) = mpsc::channel(LINES_WAITING_MAX);
        let process = |node| Process {
            child: None,
            start: 0,
            id: String::new(),
            at: SocketAddr::from((addr(node), PORT)),
            view: View::default(),
            ledger: None,
        };
        let processes = (1..=NODES).map(process).collect();
        Ok(Self { processes, lab, folder, lines, sender, log: Vec::new() })
    }

    /// Starts a process of a node, at an address that its host has.
    pub(crate) fn start(&mut self, node: usize, ip: std::net::Ipv4Addr) -> Outcome<()> {
        let on = self.lab.on(node);
        let process = &mut self.processes[node - 1];
        process.start += 1;
        process.at = SocketAddr::from((ip, PORT));
        process.view = View::default();
        process.ledger = None;
        let mut command = Command::new(&on[0]);
        command.args(&on[1..]).arg(std::env::current_exe()?).arg(NODE).arg(process.at.to_string());
        command.arg(self.folder.join(node.to_string()));
        command.args([1, 2, NODES].map(|seed| SocketAddr::from((addr(seed), PORT)).to_string()));
        // A group of its own: an interruption from the keyboard is for this process alone, which then ends the others.
        command.process_group(0).kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (out, start) = (child.stdout.take().ok_or("no standard output")?, process.start);
        process.child = Some(child);
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(out).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let Some(told) = Told::read(&line, node, start) else { continue };
                if sender.send(told).await.is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    /// `kill −9`.
    pub(crate) async fn kill(&mut self, node: usize) -> Outcome<()> {
        if let Some(mut child) = self.processes[node - 1].child.take() {
            child.kill().await?;
        }
        self.processes[node - 1].view = View::default();
        Ok(())
    }

    pub(crate) fn signal(&self, node: usize, signal: Signal) -> Outcome<()> {
        let pid = self.processes[node - 1].child.as_ref().and_then(Child::id).ok_or("it does not run")?;
        let pid = Pid::from_raw(pid.try_into()?).ok_or("no process has that number")?;
        Ok(kill_process(pid, signal)?)
    }

    pub(crate) fn id(&self, node: usize) -> &str {
        &self.processes[node - 1].id
    }

    pub(crate) fn view(&self, node: usize) -> &View {
        &self.processes[node - 1].view
    }

    /// What these nodes' ledgers do at present, and with which errors.
    pub(crate) fn ledgers(&self, nodes: RangeInclusive<usize>) -> impl Iterator<Item = &(What, String)> {
        nodes.filter_map(|node| self.processes[node - 1].ledger.as_ref())
    }

    /// All of these nodes' ledgers take writes, or all refuse them for want of the quorum.
    pub(crate) fn all(&self, nodes: RangeInclusive<usize>, what: What) -> bool {
        let count = nodes.clone().count();
        let so = |(now, why): &&(What, String)| {
            *now == what && (what == What::Writes || why.contains("the quorum is lost"))
        };
        self.ledgers(nodes).filter(so).count() == count
    }

    /// Everybody sees everybody where he is, and suspects nobody.
    pub(crate) fn is_whole(&self) -> bool {
        let whole = |process: &Process| {
            let there = |other: &Process| process.view.has_at(&other.id, &other.at.to_string());
            process.view.len() == NODES && process.view.is_calm() && self.processes.iter().all(there)
        };
        self.processes.iter().all(whole)
    }

    /// Forgets what was said: whatever comes now is of the next fault.
    pub(crate) fn begin(&mut self) -> Instant {
        while let Ok(told) = self.lines.try_recv() {
            self.take_in(told);
        }
        self.log.clear();
        Instant::now()
    }

    /// Listens until it is so; since when it is, or `None` at the end of the time.
    pub(crate) async fn until(&mut self, limit: Duration, is_so: impl Fn(&Self) -> bool) -> Option<Instant> {
        let end = tokio::time::Instant::now() + limit;
        let mut last = Instant::now();
        while !is_so(self) {
            let told = tokio::time::timeout_at(end, self.lines.recv()).await.ok().flatten()?;
            last = told.at;
            self.take_in(told);
        }
        Some(last)
    }

    /// Listens for so long.
    pub(crate) async fn listen(&mut self, time: Duration) {
        self.until(time, |_| false).await;
    }

    fn take_in(&mut self, told: Told) {
        let process = &mut self.processes[told.observer - 1];
        // The last words of a process that was replaced say nothing of its successor.
        if told.start == process.start {
            if told.what == What::Id {
                process.id.clone_from(&told.id);
            }
            process.view.take_in(&told);
            if matches!(told.what, What::Writes | What::Refuses | What::Unread) {
                process.ledger = Some((told.what, told.id.clone()));
            }
            self.log.push(told);
        }
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        for child in self.processes.iter_mut().filter_map(|process| process.child.as_mut()) {
            let pid = child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
            // A namespace goes with its last process: wait until it is gone. One that ended before has no number here.
            if child.start_kill().is_ok() && pid.is_some() {
                let _ = waitpid(pid, WaitOptions::empty());
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}
