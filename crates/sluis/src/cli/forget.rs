//! `sluis forget`: where a person is, and how it is forgotten there.

use anyhow::Result;

use super::Globals;
use crate::acts::{self, Act, By};
use crate::output::words::{count, counted};
use crate::output::{Screen, Style, Table, json};

/// Forget a person, in every place where it may stand
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis forget jan@shop.example 'Jan de Wit' '06 1234 5678' --dry-run     where the person is
  sluis forget jan@shop.example 'Jan de Wit' --reason 'request 2026-31'   take it out there
  sluis forget jan@shop.example --raw --reason 'request 2026-31'          and destroy the raw submissions that name it

Words are mail addresses, names, references, telephone numbers and IP addresses; each is found as a whole, in capitals and
small letters. Cases, counts and times stay. What is held for the law is not touched. A party that is in the administration
comes back with the next import: take it out there first.

Exit codes: 0 done, or nowhere; 1 not done; 2 the command line was wrong; 3 (--dry-run) the person is somewhere.")]
pub(crate) struct Args {
    /// Words for one person
    #[arg(value_name = "WORD", required = true)]
    words: Vec<String>,
    /// Only say where the person is
    #[arg(long)]
    dry_run: bool,
    /// Destroy the raw submissions and the waiting mails that name the person. What was read of them stays
    #[arg(long)]
    raw: bool,
    /// Though the party is in the administration, or has open cases
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why: a reference of the request, without the person
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,
    #[command(flatten)]
    by: By,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let act = Act::Forget {
        words: args.words.clone(),
        dry_run: args.dry_run,
        raw: args.raw,
        force: args.force,
        reason: args.reason.clone().unwrap_or_default(),
        by: if args.dry_run { String::new() } else { args.by.name()? },
    };
    let outcome = acts::ask(globals, &act)?;
    let number = |name: &str| outcome.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let list = |name: &str| outcome.get(name).and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    let is_nowhere = outcome.get("nowhere").and_then(serde_json::Value::as_bool).unwrap_or(false);
    let code = if args.dry_run && !is_nowhere { 3 } else { 0 };
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &outcome)?;
        return super::done(screen, code);
    }
    if is_nowhere {
        screen.line("the person is nowhere in this node")?;
    } else {
        let mut table = Table::new(&screen, &["=place", ">how many", "what becomes of it"]);
        let became = |then: &str, now: &str| if args.dry_run { then.to_owned() } else { now.to_owned() };
        for row in list("rows") {
            let place = row.get("place").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
            let found = row.get("rows").and_then(serde_json::Value::as_u64).unwrap_or(0);
            table.row([
                (Style::Strong, place),
                (Style::Plain, count(found)),
                (Style::Plain, became("to be taken out", "taken out")),
            ]);
        }
        for (place, name) in [("fields of reports", "reports"), ("addresses of reports", "addresses")] {
            if number(name) > 0 {
                let row = [(Style::Strong, place.to_owned()), (Style::Plain, count(number(name)))];
                let [place, found] = row;
                table.row([place, found, (Style::Plain, became("to be taken out", "taken out"))]);
            }
        }
        for (place, name) in [("fields of sealed records", "sealed"), ("reports sealed in batches", "sealed_reports")] {
            if number(name) > 0 {
                let became = match outcome.get("unfinished").and_then(serde_json::Value::as_str) {
                    Some(_) => "to be destroyed as soon as the log can say so".to_owned(),
                    None => became("to be destroyed", "their keys are destroyed"),
                };
                table.row([(Style::Strong, place.to_owned()), (Style::Plain, count(number(name))), (Style::Plain, became)]);
            }
        }
        let raws = list("raw").len() as u64;
        let destroyed = if args.raw { became("to be destroyed", "destroyed") } else { "left as it is: say --raw".to_owned() };
        for (place, found) in [("raw submissions", raws), ("waiting mails", number("spool"))] {
            if found > 0 {
                table.row([(Style::Strong, place.to_owned()), (Style::Plain, count(found)), (Style::Plain, destroyed.clone())]);
            }
        }
        table.write(&mut screen)?;
    }
    let alarm = |screen: &mut Screen, text: &str| -> Result<()> {
        let text = screen.paint(Style::Alarm, text);
        Ok(screen.line(text)?)
    };
    for party in list("present") {
        alarm(&mut screen, &format!("party {party} is in the administration: its source names it again at the next import"))?;
    }
    if !list("open").is_empty() {
        let open: Vec<String> = list("open").iter().take(10).map(ToString::to_string).collect();
        alarm(&mut screen, &format!("{} about it are open: {}", counted(list("open").len() as u64, "case"), open.join(", ")))?;
    }
    if number("unread") > 0 {
        let text =
            format!("{} could not be looked through: its key or file is gone", counted(number("unread"), "raw submission"));
        alarm(&mut screen, &text)?;
    }
    if number("unopened") > 0 {
        let text = format!("{} could not be opened: their keys are lost", counted(number("unopened"), "sealed record"));
        alarm(&mut screen, &text)?;
    }
    if let Some(why) = outcome.get("unfinished").and_then(serde_json::Value::as_str) {
        let why = crate::output::clean(why).into_owned();
        alarm(&mut screen, &format!("what was sealed is not destroyed yet, and it is tried again: {why}"))?;
    }
    if let Some(end) = outcome.get("copies_end").and_then(serde_json::Value::as_str) {
        screen.line(format_args!("backups of the keys, which open what was sealed, end on {end} at the latest"))?;
    }
    for backup in list("backups") {
        let backup = crate::output::clean(backup.as_str().unwrap_or_default()).into_owned();
        screen.line(format_args!(
            "backups in {backup} have it still: raw submissions until the next 'sluis backup' with keys, rows until the backups are gone"
        ))?;
    }
    super::done(screen, code)
}
