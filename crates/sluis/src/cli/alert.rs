//! `sluis alert`: what wakes people, who cares for it, and whether those who are told can be reached.

use anyhow::{Result, bail, ensure};
use clap::{Args, Subcommand};
use desk::alert::Message;
use model::calendar::Calendar;
use model::policy::Alarm;
use model::severity::Severity;
use model::submission::PublicId;
use serde::Serialize;
use store::alerts::{Alert, Channel};

use super::{Globals, Id};
use crate::acts::{self, Act, By};
use crate::alert::node_name;
use crate::output::words::{age, count, moment};
use crate::output::{Screen, Style, Table, clean, json};
use crate::serve::config::Config;

/// See what wakes people, say that you care for it, and try whether they can be reached
#[derive(Subcommand)]
#[command(after_help = "Examples:
  sluis alert list                            what is open, the worst first
  sluis alert acknowledge 12 --by anna        it is cared for: nobody is told of it any more
  sluis alert test                            send a message to every receiver of the settings, now")]
pub(crate) enum Command {
    List(List),
    Acknowledge(Acknowledge),
    Test(Test),
}

/// List alerts that are open, the worst first
#[derive(Args)]
pub(crate) struct List {
    /// Those that are over too, newest first
    #[arg(long)]
    all: bool,
    /// How many
    #[arg(short = 'n', value_name = "N", default_value_t = 50)]
    most: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Say that an alert is cared for, so that it is told no more
#[derive(Args)]
pub(crate) struct Acknowledge {
    /// Identifiers, or numbers in the list
    #[arg(value_name = "ID", value_parser = super::id, required = true)]
    ids: Vec<Id>,
    #[command(flatten)]
    by: By,
}

/// Send a message to a receiver of the settings, or to all of them, whatever the hour
#[derive(Args)]
pub(crate) struct Test {
    /// Its name in the settings
    #[arg(value_name = "RECEIVER")]
    receiver: Option<String>,
}

#[derive(Serialize)]
struct View {
    id: String,
    number: i64,
    kind: &'static str,
    severity: &'static str,
    state: &'static str,
    text: String,
    raised: String,
    last: String,
    count: i64,
    due: Option<String>,
    acknowledged: Option<String>,
    person: String,
    ended: Option<String>,
}

/// Runs it; the exit code.
pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    match command {
        Command::List(args) => list(args, globals),
        Command::Acknowledge(args) => acknowledge(args, globals),
        Command::Test(args) => test(args, globals),
    }
}

fn state(alert: &Alert) -> &'static str {
    match (alert.ended, alert.acknowledged) {
        (Some(_), Some(_)) => "done",
        (Some(_), None) => "over",
        (None, Some(_)) => "acknowledged",
        (None, None) => "open",
    }
}

fn list(args: &List, globals: &Globals) -> Result<u8> {
    let (alerts, more, channels) = globals.reader()?.read(|transaction| {
        let mut alerts = if args.all { transaction.alerts(args.most)? } else { transaction.open_alerts()? };
        let more = alerts.len().saturating_sub(args.most as usize);
        alerts.truncate(args.most as usize);
        Ok::<_, anyhow::Error>((alerts, more, transaction.channels()?))
    })?;
    let mut screen = Screen::new();
    if args.json {
        for alert in &alerts {
            json::line(&mut screen, &view(alert))?;
        }
        return super::done(screen, 0);
    }
    if alerts.is_empty() {
        screen.line("no alert is open")?;
    } else {
        let now = globals.clock().now();
        let mut table = Table::new(&screen, &[">number", "=state", "=severity", "=kind", "=raised", ">times", "=before", "what"]);
        for alert in &alerts {
            let style = if state(alert) == "open" { Style::Alarm } else { Style::Dim };
            table.row([
                (Style::Strong, alert.id.to_string()),
                (style, state(alert).to_owned()),
                (style, alert.severity.word().to_owned()),
                (Style::Plain, alert.kind.word().to_owned()),
                (Style::Plain, format!("{} ago", age(alert.raised, now))),
                (Style::Dim, count(alert.count)),
                (Style::Plain, alert.due.map(moment).unwrap_or_default()),
                (Style::Plain, clean(&alert.text).into_owned()),
            ]);
        }
        table.write(&mut screen)?;
        if more > 0 {
            screen.line(format_args!("and {} more: -n {}", count(more), alerts.len() + more))?;
        }
    }
    for channel in channels.iter().filter(|channel| channel.failing > 0) {
        screen.line(unreachable(channel))?;
    }
    super::done(screen, 0)
}

fn unreachable(channel: &Channel) -> String {
    format!("'{}' cannot be reached: {}; 'sluis alert test {}' tries it", channel.name, clean(&channel.trouble), channel.name)
}

fn view(alert: &Alert) -> View {
    View {
        id: alert.public.to_string(),
        number: alert.id,
        kind: alert.kind.word(),
        severity: alert.severity.word(),
        state: state(alert),
        text: alert.text.clone(),
        raised: alert.raised.to_string(),
        last: alert.last.to_string(),
        count: alert.count,
        due: alert.due.map(|due| due.to_string()),
        acknowledged: alert.acknowledged.map(|at| at.to_string()),
        person: alert.person.clone(),
        ended: alert.ended.map(|at| at.to_string()),
    }
}

fn acknowledge(args: &Acknowledge, globals: &Globals) -> Result<u8> {
    let by = args.by.name()?;
    let mut reader = globals.reader()?;
    let mut screen = Screen::new();
    for id in &args.ids {
        let public = match *id {
            Id::Public(public) => public,
            Id::Row(row) => match reader.read(|transaction| transaction.alert(row))? {
                Some(alert) => alert.public,
                None => bail!("there is no alert {row}; 'sluis alert list' shows them"),
            },
        };
        acts::ask(globals, &Act::AcknowledgeAlert { alert: public.to_string(), by: by.clone() })?;
        screen.line(format_args!("{public} is cared for by {}", clean(&by)))?;
    }
    super::done(screen, 0)
}

fn test(args: &Test, globals: &Globals) -> Result<u8> {
    let directory = crate::data::directory(globals.data.as_deref())?;
    let config = Config::load(globals.config.as_deref(), &directory)?;
    let wanted: Vec<_> =
        config.alert.iter().filter(|own| args.receiver.as_ref().is_none_or(|receiver| *receiver == own.name)).collect();
    ensure!(!config.alert.is_empty(), "no receiver is configured: name one under [[alert]]; docs/manual/alerts.md shows how");
    if let (Some(receiver), true) = (&args.receiver, wanted.is_empty()) {
        let names: Vec<_> = config.alert.iter().map(|own| own.name.as_str()).collect();
        bail!("there is no receiver '{}' in the settings: {}", clean(receiver), names.join(", "));
    }
    let now = globals.clock().now();
    let message = Message { alerts: vec![of_test(now)?], urgent: false, again: false, number: 1 };
    let mut screen = Screen::new();
    let mut code = 0;
    for own in wanted {
        let outcome = match own.sender() {
            Ok(sender) => sender.send(&message, &node_name(), &Calendar::default(), now).map(|()| sender.channel()),
            Err(error) => Err(format!("{error:#}")),
        };
        match outcome {
            Ok(channel) => screen.line(format_args!("{}: told by {channel}", own.name))?,
            Err(reason) => {
                code = 1;
                screen.line(format_args!("{}: {}", own.name, clean(&reason)))?;
            }
        }
    }
    super::done(screen, code)
}

/// An alert about nothing. It is in no list.
fn of_test(now: model::time::Time) -> Result<Alert> {
    Ok(Alert {
        id: 0,
        public: store::keys::public_id(now)?,
        kind: Alarm::Review,
        key: String::new(),
        severity: Severity::P4,
        text: "This is a test: somebody wants to know whether alerts reach you. There is nothing to do.".to_owned(),
        raised: now,
        last: now,
        count: 1,
        due: None,
        acknowledged: None,
        person: String::new(),
        ended: None,
    })
}

/// Has the desk do it. What comes of it is nothing to show.
///
/// # Errors
/// [`desk::Error`].
pub(crate) fn perform_acknowledge(desk: &desk::Desk, alert: &str, by: &str) -> Result<serde_json::Value, desk::Error> {
    let alert = PublicId::parse(alert).ok_or_else(|| desk::Error::Invalid(format!("'{alert}' is no identifier")))?;
    desk.acknowledge_alert(alert, by).map(|()| serde_json::Value::Null)
}
