//! Alerts on their way out: receivers as the configuration names them, the channels, and the threads that send.
//!
//! - [`config`]: what can be configured.
//! - [`mail`], [`webhook`], [`command`]: the channels.
//! - [`run`]: the threads of `sluis serve`.

pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod mail;
pub(crate) mod run;
pub(crate) mod webhook;

use desk::alert::Message;
use desk::alert::plan::Receiver;
use desk::alert::text::{self, Language, Text};
use model::calendar::Calendar;
use model::time::Time;
use serde::Serialize;

/// Alerts that are written out in one message of JSON.
const WRITTEN: usize = 100;

/// A receiver with its channel, ready to send.
pub(crate) struct Sender {
    /// Who, and when.
    pub(crate) receiver: Receiver,
    language: Language,
    channel: Channel,
}

/// How a receiver is told.
enum Channel {
    Mail(mail::Mail),
    Webhook(webhook::Webhook),
    Command(command::Command),
}

/// What every channel gets: the same when it is tried once more.
pub(crate) struct Parcel<'a> {
    /// What makes it one: a receiver that sees it twice has seen it.
    pub(crate) id: String,
    /// What it says to people.
    pub(crate) text: Text,
    /// What it says to machines.
    pub(crate) json: Vec<u8>,
    /// Now.
    pub(crate) now: Time,
    message: &'a Message,
}

impl Parcel<'_> {
    /// Whether it is about P0.
    pub(crate) fn is_urgent(&self) -> bool {
        self.message.urgent
    }
}

#[derive(Serialize)]
struct Json<'a> {
    version: u8,
    id: &'a str,
    node: &'a str,
    receiver: &'a str,
    urgent: bool,
    again: bool,
    subject: &'a str,
    alerts: Vec<JsonAlert<'a>>,
    /// Alerts that are not written out.
    more: usize,
}

#[derive(Serialize)]
struct JsonAlert<'a> {
    id: String,
    kind: &'static str,
    severity: &'static str,
    text: &'a str,
    raised: String,
    count: i64,
    due: Option<String>,
}

impl Sender {
    /// Tells the receiver. Blocks, within the bounds of the channel.
    ///
    /// # Errors
    /// Why not, in words that name nobody.
    pub(crate) fn send(&self, message: &Message, node: &str, calendar: &Calendar, now: Time) -> Result<(), String> {
        let text = text::text(message, node, self.language, calendar);
        let first = message.alerts.first().map_or_else(|| "test".to_owned(), |alert| alert.public.to_string());
        let id = format!("{first}.{}.{}", self.receiver.name, message.number);
        let alerts = message.alerts.iter().take(WRITTEN).map(|alert| JsonAlert {
            id: alert.public.to_string(),
            kind: alert.kind.word(),
            severity: alert.severity.word(),
            text: &alert.text,
            raised: alert.raised.to_string(),
            count: alert.count,
            due: alert.due.map(|due| due.to_string()),
        });
        let json = Json {
            version: 1,
            id: &id,
            node,
            receiver: &self.receiver.name,
            urgent: message.urgent,
            again: message.again,
            subject: &text.subject,
            alerts: alerts.collect(),
            more: message.alerts.len().saturating_sub(WRITTEN),
        };
        let json = serde_json::to_vec(&json).map_err(|_| "it cannot be written as JSON".to_owned())?;
        let parcel = Parcel { id, text, json, now, message };
        match &self.channel {
            Channel::Mail(mail) => mail.send(&parcel),
            Channel::Webhook(webhook) => webhook.send(&parcel),
            Channel::Command(command) => command.send(&parcel),
        }
    }

    /// What kind of channel it is, for people.
    pub(crate) fn channel(&self) -> &'static str {
        match self.channel {
            Channel::Mail(_) => "mail",
            Channel::Webhook(_) => "webhook",
            Channel::Command(_) => "command",
        }
    }
}

/// What this machine calls itself.
pub(crate) fn node_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name: String =
        name.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.')).take(64).collect();
    if name.is_empty() { "sluis".to_owned() } else { name }
}
