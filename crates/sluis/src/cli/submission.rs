//! `sluis submission`: what arrived, how often, and what became of it.

use std::collections::HashMap;
use std::io::{Read, Write};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use model::sender::{Proof, Sender, Silence};
use model::submission::{Progress, Submission};
use model::time::Time;
use serde::Serialize;
use store::Transaction;
use store::queues::{Queue, Queued, SetAside};
use store::senders::Heard;

use super::{Globals, Id, queue};
use crate::output::report::{self, ReportView};
use crate::output::safe::{masked, short};
use crate::output::words::{age, count, counted, moment, size};
use crate::output::{Screen, Style, Table, clean, json};

/// List and show submissions: what arrived, as it arrived
#[derive(Subcommand)]
pub(crate) enum Command {
    List(List),
    Show(Show),
    Findings(super::taking::Findings),
    Take(super::taking::Take),
    Dismiss(super::taking::Dismiss),
    Order(super::order::Order),
    Receipt(super::receipt::Args),
}

/// List submissions, newest first
#[derive(Args)]
pub(crate) struct List {
    /// Only those that nothing understood
    #[arg(long)]
    unreadable: bool,
    /// Only those before this number: the next page
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
    /// How many
    #[arg(short = 'n', value_name = "N", default_value_t = 25)]
    most: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Show a submission: where it came from, which format read it, its reports, rejects and notes
#[derive(Args)]
pub(crate) struct Show {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ID", value_parser = super::id)]
    id: Id,
    /// How many of its reports, rejects and notes
    #[arg(short = 'n', value_name = "N", default_value_t = 10)]
    most: u32,
    /// One JSON object
    #[arg(long, conflicts_with = "raw")]
    json: bool,
    /// Write the bytes as they came. Refused when they tell of child abuse material
    #[arg(long)]
    raw: bool,
}

/// A submission, written out.
#[derive(Serialize)]
pub(super) struct SubmissionView {
    id: String,
    number: i64,
    received: String,
    door: &'static str,
    name: String,
    size: u64,
    times: u32,
    format: String,
    progress: &'static str,
    reason: String,
    reports: u32,
    rejects: u32,
}

#[derive(Serialize)]
struct Entry {
    ordinal: u32,
    place: String,
    reason: String,
    text: String,
}

#[derive(Serialize)]
struct Note {
    place: String,
    text: String,
}

#[derive(Serialize)]
struct WholeView {
    #[serde(flatten)]
    submission: SubmissionView,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<SenderView>,
    /// What a person took from it; empty when nobody did.
    #[serde(skip_serializing_if = "String::is_empty")]
    taken: String,
    first_reports: Vec<ReportView>,
    first_rejects: Vec<Entry>,
    first_undated: Vec<Entry>,
    notes: Vec<Note>,
}

/// Who a mail is from.
#[derive(Serialize)]
struct SenderView {
    from: String,
    /// A word of [`model::sender::Proof`], or `asking` while it is still to be found out.
    proof: &'static str,
    domain: String,
    detail: String,
    silence: &'static str,
}

impl SenderView {
    fn of(heard: Heard) -> SenderView {
        let Sender { from, proof, domain, detail, silence } = heard.sender;
        let proof = if heard.next_try.is_some() { ASKING } else { proof.word() };
        SenderView { from, proof, domain, detail, silence: silence.word() }
    }

    /// As people are told.
    fn facts(&self) -> [(&'static str, String); 3] {
        let from = if self.from.is_empty() { "no single address in its From".to_owned() } else { clean(&self.from).into_owned() };
        let proof = match Proof::parse(self.proof) {
            Some(Proof::None) => "nobody was asked".to_owned(),
            Some(Proof::Unproven) => "nothing proves it".to_owned(),
            Some(Proof::Spf) => format!("proven by its envelope (SPF): {}", self.domain),
            Some(Proof::Dkim) => format!("proven by a signature (DKIM): {}", self.domain),
            Some(Proof::Failed) => "its domain name says that it is not from it (DMARC)".to_owned(),
            Some(Proof::Unknown) => "it could not be found out in time".to_owned(),
            None => "still being asked".to_owned(),
        };
        let detail = if self.detail.is_empty() { String::new() } else { format!("; {}", clean(&self.detail)) };
        let silence =
            if self.silence == Silence::Answer.word() { self.silence.to_owned() } else { format!("never: {}", self.silence) };
        [("from", from), ("proof", format!("{proof}{detail}")), ("answer", silence)]
    }
}

/// The proof of a mail that is still to be asked about.
const ASKING: &str = "asking";

/// Writes out a submission.
pub(super) fn view(submission: &Submission) -> SubmissionView {
    SubmissionView {
        id: submission.public.to_string(),
        number: submission.id,
        received: submission.received.to_string(),
        door: submission.door.word(),
        name: submission.name.clone(),
        size: submission.size,
        times: submission.times,
        format: submission.format.clone(),
        progress: submission.progress.word(),
        reason: submission.reason.clone(),
        reports: submission.reports,
        rejects: submission.rejects,
    }
}

/// Whether a text that no reader understood speaks of child abuse material.
pub(super) fn tells_of_child_abuse(text: &str) -> bool {
    parsers::care::speaks_of_child_abuse(text)
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    match command {
        Command::Order(args) => return super::order::run(args, globals),
        Command::Receipt(args) => return super::receipt::run(args, globals),
        Command::Findings(args) => return super::taking::findings(args, globals),
        Command::Take(args) => return super::taking::take(args, globals),
        Command::Dismiss(args) => return super::taking::dismiss(args, globals),
        Command::List(_) | Command::Show(_) => {}
    }
    let now = globals.clock().now();
    let mut reader = globals.reader()?;
    let directory = reader.directory().to_owned();
    reader.read(|transaction| match command {
        Command::List(args) => list(args, transaction),
        Command::Show(args) => {
            let found = find(transaction, args.id)?;
            if args.raw {
                return raw(transaction, &found, &directory);
            }
            show(args, transaction, &found, now)
        }
        // They are done: some ask the owner of the data, who is not to be kept waiting by a reader of ours.
        _ => Ok(0),
    })
}

/// The submission of an identifier.
pub(super) fn find(transaction: &Transaction<'_>, id: Id) -> Result<Submission> {
    let found = match id {
        Id::Row(row) => transaction.submission(row)?,
        Id::Public(public) => transaction.submission_by_public(public)?,
    };
    found.context("there is no such submission; 'sluis submission list' shows those there are")
}

fn list(args: &List, transaction: &Transaction<'_>) -> Result<u8> {
    let progress = args.unreadable.then_some(Progress::Unreadable);
    let found = transaction.submissions(progress, args.before.unwrap_or(i64::MAX), args.most)?;
    let mut screen = Screen::new();
    if args.json {
        for submission in &found {
            json::line(&mut screen, &view(submission))?;
        }
        return super::done(screen, 0);
    }
    if found.is_empty() {
        screen.line("no such submissions")?;
        return super::done(screen, 0);
    }
    let mut table =
        Table::new(&screen, &[">submission", "=received", "=door", "name", ">times", "=format", ">reports", ">rejects"]);
    for submission in &found {
        let format = match submission.progress {
            Progress::Read if submission.format.is_empty() => (Style::Dim, "a person".to_owned()),
            Progress::Read => (Style::Plain, submission.format.clone()),
            Progress::Received => (Style::Remark, "not read yet".to_owned()),
            Progress::Unreadable => (Style::Alarm, "unreadable".to_owned()),
        };
        let rejects = if submission.rejects > 0 { Style::Alarm } else { Style::Dim };
        table.row([
            (Style::Strong, submission.id.to_string()),
            (Style::Plain, moment(submission.received)),
            (Style::Plain, submission.door.word().to_owned()),
            (Style::Plain, short(&submission.name, 80)),
            (Style::Dim, count(submission.times)),
            format,
            (Style::Plain, count(submission.reports)),
            (rejects, count(submission.rejects)),
        ]);
    }
    table.write(&mut screen)?;
    if let Some(last) = found.last().filter(|_| found.len() == args.most as usize) {
        let text = screen.paint(Style::Dim, &format!("more: --before {}", last.id));
        screen.line(text)?;
    }
    super::done(screen, 0)
}

fn raw(transaction: &Transaction<'_>, submission: &Submission, directory: &std::path::Path) -> Result<u8> {
    if transaction.holds_child_abuse(submission.id)? || transaction.became_child_abuse(submission)? {
        bail!("submission {} tells of child abuse material: its bytes are not shown", submission.public);
    }
    if submission.progress == Progress::Received {
        bail!("submission {} is not read to its end, so nobody knows yet what it holds", submission.public);
    }
    let rejects = transaction.queued(Queue::Rejects, Some(submission.id), u32::MAX)?;
    if rejects.iter().any(|queued| tells_of_child_abuse(&queued.entry.text)) {
        bail!("a reject of submission {} seems to tell of child abuse material: its bytes are not shown", submission.public);
    }
    let keys = store::keys::Keys::open_to_read(&directory.join("keys.db"))?;
    let key = keys.get(submission.public)?.context("its key is gone: the bytes can no longer be read")?;
    let mut reader = transaction.open_raw(submission, &key, directory)?;
    let mut out = std::io::stdout().lock();
    let mut part = vec![0; 256 << 10];
    loop {
        match reader.read(&mut part)? {
            0 => break,
            count => out.write_all(part.get(..count).unwrap_or_default())?,
        }
    }
    out.flush()?;
    Ok(0)
}

fn show(args: &Show, transaction: &Transaction<'_>, submission: &Submission, now: Time) -> Result<u8> {
    let (batch, kept) = transaction.reports_from(submission.id, args.most as usize)?;
    let rejects = transaction.queued(Queue::Rejects, Some(submission.id), args.most)?;
    let undated = transaction.queued(Queue::Undated, Some(submission.id), args.most)?;
    let notes = transaction.notes(submission.id, args.most)?;
    let hidden = transaction.holds_child_abuse(submission.id)?;
    let sender = transaction.sender(submission.id)?.map(SenderView::of);
    let taken = super::taking::told(transaction, submission.id)?;
    let mut screen = Screen::new();
    if args.json {
        let mut known = HashMap::from([(submission.id, hidden)]);
        let mut entries = |list: &[Queued]| -> Result<Vec<Entry>> {
            let entry = |queued| {
                let SetAside { ordinal, place, reason, text, .. } = queue::hide(transaction, queued, &mut known)?;
                Ok(Entry { ordinal, place, reason, text })
            };
            list.iter().map(entry).collect()
        };
        let whole = WholeView {
            submission: view(submission),
            sender,
            taken,
            first_reports: batch.reports().zip(&kept).map(|(one, kept)| report::view(&one, kept)).collect(),
            first_rejects: entries(&rejects)?,
            first_undated: entries(&undated)?,
            notes: notes
                .into_iter()
                .map(|(place, text)| Note { place, text: if hidden { masked(&text) } else { text } })
                .collect(),
        };
        json::line(&mut screen, &whole)?;
        return super::done(screen, 0);
    }
    let name = if submission.name.is_empty() { submission.door.word() } else { &submission.name };
    let title = screen.paint(Style::Strong, &format!("Submission {}: {name}", submission.id));
    screen.line(title)?;
    let times = if submission.times > 1 {
        format!("{}: the same bytes, counted and not repeated", submission.times)
    } else {
        "once".to_owned()
    };
    let became = match submission.progress {
        Progress::Received => "not read to its end yet".to_owned(),
        Progress::Unreadable => format!("unreadable: {}", submission.reason),
        Progress::Read if submission.format.is_empty() => "read by a person".to_owned(),
        Progress::Read => format!("read as {}", submission.format),
    };
    let mut facts = vec![
        ("identifier", submission.public.to_string()),
        ("received", format!("{}, {} ago", submission.received, age(submission.received, now))),
        ("door", submission.door.word().to_owned()),
    ];
    facts.extend(sender.iter().flat_map(SenderView::facts));
    facts.extend([
        ("size", size(submission.size)),
        ("came", times),
        ("became", became),
        ("taken", taken),
        ("reports", count(submission.reports)),
        ("rejects", count(submission.rejects)),
    ]);
    screen.facts(&facts)?;
    if !batch.is_empty() {
        screen.heading(&first(batch.len(), submission.reports, "report"))?;
        let mut table = Table::new(&screen, &[">number", "kind", "about", "=seen"]);
        for (one, kept) in batch.reports().zip(&kept) {
            let seen = one.core.observed().map_or_else(|| "unknown".to_owned(), moment);
            table.row([
                (Style::Dim, kept.ordinal.to_string()),
                (Style::Plain, one.core.kind.to_string()),
                (Style::Plain, short(&report::subject(&one), 100)),
                (Style::Plain, seen),
            ]);
        }
        table.write(&mut screen)?;
    }
    if !rejects.is_empty() {
        screen.heading(&first(rejects.len(), submission.rejects, "reject"))?;
        queue::table(&mut screen, transaction, &rejects)?;
    }
    if !undated.is_empty() {
        screen.heading("Without a credible time")?;
        queue::table(&mut screen, transaction, &undated)?;
    }
    if !notes.is_empty() {
        screen.heading("Notes")?;
        for (place, text) in &notes {
            let text = if hidden { masked(text) } else { text.clone() };
            let place = screen.paint(Style::Dim, place);
            let text = clean(&text);
            screen.line(format_args!("{place}  {text}"))?;
        }
    }
    super::done(screen, 0)
}

fn first(shown: usize, all: u32, thing: &str) -> String {
    if shown < all as usize { format!("First {shown} of {}", counted(all, thing)) } else { counted(all, thing) }
}
