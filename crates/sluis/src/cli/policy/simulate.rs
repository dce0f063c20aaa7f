//! `sluis policy simulate`: what a changed policy would have done over what is recorded here.

use anyhow::Result;
use desk::simulate::{Asked, Fate, Old, Simulated, Sum, Totals};
use model::time::{DAY, Time};
use serde_json::{Value, json};

use super::super::Globals;
use crate::output::words::{count, counted, moment};
use crate::output::{Screen, Style, Table, json as out};

/// Show what another policy would have done over recorded cases
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis policy simulate new.toml                       a new file against what held
  sluis policy simulate current --acting               what would have gone out, had every severity acted
  sluis policy simulate new.toml --against shipped --cases 20

What stays as it was recorded: how far reporters were believed, who held what, what people did. Runs of feeds are taken to
have kept their rhythm, and every restriction counts as proposed. A time line ends now.")]
pub(crate) struct Simulate {
    /// The policy: a file, the number of a version, 'current' or 'shipped'
    #[arg(value_name = "NEW")]
    new: String,
    /// Only cases opened since then; else of the last 90 days
    #[arg(long, value_name = "TIME", value_parser = super::super::time)]
    since: Option<Time>,
    /// What to compare with: a file, a version, 'current', 'shipped', or 'recorded' for what held at the time
    #[arg(long, value_name = "OLD", default_value = "recorded")]
    against: String,
    /// As if every severity acted, in both
    #[arg(long)]
    acting: bool,
    /// Name up to N cases that differ
    #[arg(long, value_name = "N", default_value_t = 0)]
    cases: usize,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Simulate, globals: &Globals) -> Result<u8> {
    let until = globals.clock().now();
    let since = args.since.unwrap_or(until.plus(-90 * DAY));
    let (new, new_title) = super::named(&args.new, globals)?;
    let (old, old_title) = if args.against == "recorded" {
        let versions = globals.reader()?.read(|transaction| transaction.policies())?;
        let mut policies = Vec::new();
        for version in &versions {
            policies.push((version.since, super::of_version(version)?));
        }
        if policies.is_empty() {
            policies.push((Time::MIN, desk::policy::shipped()));
        }
        (Old::Recorded(policies), "what held then".to_owned())
    } else {
        let (old, title) = super::named(&args.against, globals)?;
        (Old::One(Box::new(old)), title)
    };
    let data = globals.data()?;
    let asked = Asked { old, new, since, until, acting: args.acting, cases: args.cases };
    let simulated = desk::simulate::simulate(&|| data.reader(), &asked)?;
    let mut screen = Screen::new();
    if args.json {
        let view = json!({
            "since": since.to_string(), "until": until.to_string(), "cases": simulated.cases, "differ": simulated.differ,
            "old": totals(&simulated.old, &old_title), "new": totals(&simulated.new, &new_title),
            "named": simulated.named.iter().map(|one| json!({
                "case": one.public.to_string(), "number": one.case, "old": fate(&one.old), "new": fate(&one.new),
            })).collect::<Vec<_>>(),
        });
        out::line(&mut screen, &view)?;
        return super::super::done(screen, 0);
    }
    draw(&mut screen, &simulated, (&old_title, &new_title), since)?;
    super::super::done(screen, 0)
}

fn sum(sum: &Sum) -> Value {
    json!({
        "rule": sum.rule, "severity": sum.severity.map(|severity| severity.word()), "cases": sum.cases, "letters": sum.letters,
        "reminders": sum.reminders, "warnings": sum.warnings, "held": sum.held, "restrictions": sum.restrictions,
        "closed": sum.closed, "minutes_to_told": sum.minutes_to_told, "parties": sum.parties,
    })
}

fn totals(totals: &Totals, title: &str) -> Value {
    let worst = totals.worst_hour.map(|(hour, letters)| json!({ "hour": hour.to_string(), "letters": letters }));
    let rules: Vec<Value> = totals.rules.iter().filter(|one| one.cases > 0).map(sum).collect();
    json!({ "policy": title, "rules": rules, "worst_hour": worst, "brakes": totals.brakes })
}

fn fate(fate: &Fate) -> Value {
    json!({
        "rule": fate.rule, "severity": fate.severity.map(|severity| severity.word()), "letters": fate.letters,
        "reminders": fate.reminders, "warnings": fate.warnings, "restrictions": fate.restrictions, "closed": fate.closed,
    })
}

/// Minutes as people say them.
fn minutes(minutes: Option<u32>) -> String {
    match minutes {
        None => "-".to_owned(),
        Some(minutes) if minutes < 120 => format!("{minutes} min"),
        Some(minutes) if minutes < 48 * 60 => format!("{} h", minutes / 60),
        Some(minutes) => format!("{} d", minutes / 1_440),
    }
}

/// `12 -> 15`, or one of them when they are the same.
fn both(old: &str, new: &str) -> (Style, String) {
    if old == new { (Style::Plain, new.to_owned()) } else { (Style::Strong, format!("{old} -> {new}")) }
}

fn draw(screen: &mut Screen, simulated: &Simulated, (old, new): (&str, &str), since: Time) -> Result<()> {
    let cases = counted(simulated.cases, "case");
    let title = format!("{cases} since {}: {old} -> {new}", moment(since));
    let title = screen.paint(Style::Strong, &title);
    screen.line(title)?;
    screen.line("")?;
    let names = [
        "=rule",
        "=",
        ">cases",
        ">letters",
        ">reminders",
        ">warnings",
        ">held",
        ">restrictions",
        ">closed",
        ">told in",
        ">parties",
    ];
    let mut table = Table::new(screen, &names);
    for (before, after) in simulated.old.rules.iter().zip(&simulated.new.rules) {
        if before.cases + after.cases == 0 {
            continue;
        }
        let severity = |sum: &Sum| sum.severity.map_or("-", |severity| severity.word()).to_owned();
        let severity = match (before.severity, after.severity) {
            (Some(_), Some(_)) => both(&severity(before), &severity(after)),
            (Some(_), None) => (Style::Plain, severity(before)),
            _ => (Style::Plain, severity(after)),
        };
        let number = |of: fn(&Sum) -> u64| both(&count(of(before)), &count(of(after)));
        table.row([
            (Style::Strong, after.rule.clone()),
            severity,
            number(|sum| sum.cases),
            number(|sum| sum.letters),
            number(|sum| sum.reminders),
            number(|sum| sum.warnings),
            number(|sum| sum.held),
            number(|sum| sum.restrictions),
            number(|sum| sum.closed),
            both(&minutes(before.minutes_to_told), &minutes(after.minutes_to_told)),
            number(|sum| sum.parties),
        ]);
    }
    table.write(screen)?;
    screen.line("")?;
    let worst = |totals: &Totals| {
        totals.worst_hour.map_or("none".to_owned(), |(hour, letters)| format!("{} ({})", count(letters), moment(hour)))
    };
    let facts = [
        ("cases that differ", count(simulated.differ)),
        ("most letters in an hour", both(&worst(&simulated.old), &worst(&simulated.new)).1),
        ("hours with the brake", both(&count(simulated.old.brakes), &count(simulated.new.brakes)).1),
    ];
    screen.facts(&facts)?;
    if !simulated.named.is_empty() {
        screen.heading("Cases that differ")?;
        let said = |fate: &Fate| {
            let severity = fate.severity.map_or("", |severity| severity.word());
            let (letters, more) = (fate.letters, fate.reminders + fate.warnings);
            format!(
                "{} {severity}, {letters} told, {more} reminded, {} restricted, {} closed",
                fate.rule, fate.restrictions, fate.closed
            )
        };
        for one in &simulated.named {
            screen.line(crate::output::clean(&format!("{}  {} -> {}", one.case, said(&one.old), said(&one.new))))?;
        }
    }
    Ok(())
}
