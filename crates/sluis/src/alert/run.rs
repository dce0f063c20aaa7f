//! The threads of alerts: one that looks at the state of the node, and one for each receiver, so that a mail server that
//! hangs holds up nobody else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::alert::plan::Receiver;
use desk::alert::{Machine, Message};

use super::{Sender, node_name};
use crate::serve::{Node, logs};

/// How often it is looked for what is to be told.
const LOOK: Duration = Duration::from_secs(3);
/// How often the state of the node is looked at.
const CHECK: Duration = Duration::from_secs(30);
/// How often it is looked whether to stop.
const TICK: Duration = Duration::from_millis(100);

/// Starts the threads. They end soon after the desk is asked to stop; a message under way is sent once more after the next
/// start, if nobody knows whether it went out.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn start(node: &Arc<Node>, senders: Vec<Sender>) -> std::io::Result<()> {
    let receivers: Arc<Vec<Receiver>> = Arc::new(senders.iter().map(|sender| sender.receiver.clone()).collect());
    if receivers.is_empty() {
        tracing::warn!(
            hint = "name somebody under [[alert]]; until then 'sluis alert list' shows them",
            "nobody is told of alerts"
        );
    }
    let own = Arc::clone(node);
    std::thread::Builder::new().name("alarms".to_owned()).spawn(move || watch(&own))?;
    for sender in senders {
        let (own, receivers) = (Arc::clone(node), Arc::clone(&receivers));
        let name = format!("alert-{}", sender.receiver.name);
        std::thread::Builder::new().name(name).spawn(move || {
            let mut telling = Telling { node: &own, sender: &sender, receivers: &receivers, failing: false, unkept: None };
            repeat(&own, LOOK, || telling.tell());
        })?;
    }
    Ok(())
}

/// Looks at the state of the node, and writes new alerts into the log: there they are seen whoever can be reached.
fn watch(node: &Node) {
    let mut checked: Option<Instant> = None;
    let mut logged: Option<i64> = None;
    let mut failing = false;
    repeat(node, LOOK, || {
        if checked.is_none_or(|at| at.elapsed() >= CHECK) {
            checked = Some(Instant::now());
            let machine = Machine { free: node.free_bytes(), least: node.min_free };
            let result = node.desk.check_alarms(&machine);
            failing = said(result.map_err(|error| error.to_string()), failing);
        }
        if let Ok(alerts) = node.desk.newest_alerts() {
            let newest = alerts.iter().map(|alert| alert.id).max().unwrap_or(0);
            // What was there when the process began is in the log of the one before.
            if let Some(before) = logged {
                for alert in alerts.iter().rev().filter(|alert| alert.id > before) {
                    tracing::warn!(alert = %alert.public, kind = alert.kind.word(), severity = alert.severity.word(), "alert");
                }
            }
            logged = Some(newest);
        }
    });
}

/// One receiver's thread.
struct Telling<'a> {
    node: &'a Node,
    sender: &'a Sender,
    receivers: &'a [Receiver],
    failing: bool,
    /// What became of a message, when the database would not keep it.
    unkept: Option<(Message, Result<(), String>)>,
}

impl Telling<'_> {
    /// Sends what is due.
    fn tell(&mut self) {
        if let Some((message, outcome)) = self.unkept.take() {
            // Until this is kept nothing is sent: it would be sent again and again.
            self.keep(message, outcome);
            return;
        }
        let messages = match self.node.desk.due_messages(&self.sender.receiver, self.receivers) {
            Ok(messages) => messages,
            Err(error) => {
                self.failing = said(Err(error.to_string()), self.failing);
                return;
            }
        };
        for message in messages {
            let name = &self.sender.receiver.name;
            let calendar = self.node.desk.alert_calendar();
            let outcome = self.sender.send(&message, &node_name(), &calendar, self.node.desk.now());
            match &outcome {
                Ok(()) => tracing::info!(receiver = name, alerts = message.alerts.len(), again = message.again, "alerts told"),
                Err(reason) if !self.failing => {
                    let hint = "it is tried again; 'sluis alert test' shows whether it works";
                    tracing::error!(receiver = name, reason, hint, "alerts not told");
                }
                Err(_) => {}
            }
            self.failing = outcome.is_err();
            self.keep(message, outcome);
            if self.failing || self.unkept.is_some() || self.node.desk.is_stopping() {
                return;
            }
        }
    }

    fn keep(&mut self, message: Message, outcome: Result<(), String>) {
        let trouble = outcome.as_ref().err().map(String::as_str);
        if let Err(error) = self.node.desk.message_sent(&self.sender.receiver.name, &message, trouble) {
            self.failing = said(Err(error.to_string()), self.failing);
            self.unkept = Some((message, outcome));
        }
    }
}

/// Says once that something does not work; whether it does not.
fn said(result: Result<(), String>, failing: bool) -> bool {
    match result {
        Ok(()) => false,
        Err(_) if failing => true,
        Err(error) => {
            let (reason, hint) = logs::cause(&error);
            tracing::error!(reason, hint, "alerts cannot be looked at, and are tried again");
            true
        }
    }
}

/// Does something again and again until the desk is asked to stop. A mistake in it costs that one time.
fn repeat(node: &Node, every: Duration, mut work: impl FnMut()) {
    while !node.desk.is_stopping() {
        let _ = catch_unwind(AssertUnwindSafe(&mut work));
        let begun = Instant::now();
        while begun.elapsed() < every && !node.desk.is_stopping() {
            std::thread::sleep(TICK);
        }
    }
}
