//! `sluis case show`: everything that is known of one case.

use anyhow::{Result, bail};
use model::case::State;
use model::step::Step;
use model::time::Time;
use serde::Serialize;
use store::Transaction;
use store::cases::{Filed, marks};
use store::clocks::Standing;
use store::outbox::Entry;

use super::{CaseView, find, is_overdue, view};
use crate::cli::{Id, done, id};
use crate::output::chain::{self, Kept, LinkView};
use crate::output::report::{self, ReportView};
use crate::output::words::{age, count, counted, moment};
use crate::output::{Screen, Style, Table, json};

/// Entries of the outbox that are shown.
const ENTRIES: u32 = 50;

/// Show everything that is known of a case
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ID", value_parser = id)]
    id: Id,
    /// How many of its reports
    #[arg(short = 'n', value_name = "REPORTS", default_value_t = 3)]
    most: u32,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct StepView {
    ordinal: u32,
    what: &'static str,
    at: String,
    text: String,
    person: String,
    rule: String,
    due: Option<String>,
}

#[derive(Serialize)]
struct ClocksView {
    acknowledge_by: Option<String>,
    tell_by: Option<String>,
    mend_by: Option<String>,
    force_by: Option<String>,
    told: Option<String>,
    rung: &'static str,
    observing: bool,
    snoozed_until: Option<String>,
    disputed_since: Option<String>,
    ordered_by: Option<String>,
    look_again: Option<String>,
    policy: i64,
}

#[derive(Serialize)]
struct EntryView {
    id: String,
    number: i64,
    purpose: &'static str,
    party: String,
    hold: &'static str,
    delivery: &'static str,
    ready: String,
    reason: String,
}

#[derive(Serialize)]
struct WholeView {
    #[serde(flatten)]
    case: CaseView,
    clocks: ClocksView,
    holder_changed: bool,
    chain: Vec<LinkView>,
    steps: Vec<StepView>,
    outbox: Vec<EntryView>,
    /// Cases that are part of this one.
    merged: Vec<String>,
    /// The case that this one is part of.
    merged_into: Option<String>,
    /// Advice about the weak points that it is about.
    advice: Vec<crate::output::advice::View>,
    latest_reports: Vec<ReportView>,
}

fn clocks(standing: &Standing) -> ClocksView {
    let text = |time: Option<Time>| time.map(|time| time.to_string());
    let progress = standing.progress;
    ClocksView {
        acknowledge_by: text(progress.clocks.acknowledge),
        tell_by: text(progress.clocks.customer),
        mend_by: text(progress.clocks.fix),
        force_by: text(progress.clocks.force),
        told: text(progress.told),
        rung: progress.rung.word(),
        observing: progress.observed,
        snoozed_until: text(standing.snoozed),
        disputed_since: text(standing.disputed),
        ordered_by: text(standing.ordered),
        look_again: text(standing.next_due),
        policy: standing.policy,
    }
}

fn entry(entry: &Entry, names: &mut Kept<'_>) -> Result<EntryView> {
    let party = match entry.party {
        Some(party) => names.title(party)?,
        None => entry.subject.clone(),
    };
    Ok(EntryView {
        id: entry.public.to_string(),
        number: entry.id,
        purpose: entry.purpose.word(),
        party,
        hold: entry.hold.word(),
        delivery: entry.delivery.word(),
        ready: entry.ready.to_string(),
        reason: entry.reason.clone(),
    })
}

pub(super) fn run(args: &Args, transaction: &Transaction<'_>, now: Time) -> Result<u8> {
    let filed = find(transaction, args.id)?;
    let case = &filed.case;
    let Some(standing) = transaction.standing(case.id)? else { bail!("there is no such case") };
    let mut names = Kept::new(transaction)?;
    let links = chain::view(&transaction.chain(filed.chain)?, &mut names)?;
    let steps = transaction.steps(case.id)?;
    let entries = transaction.entries_of_case(case.id, ENTRIES)?;
    let entries: Vec<EntryView> = entries.iter().map(|one| entry(one, &mut names)).collect::<Result<_>>()?;
    let merged = transaction.merged(case.id)?;
    let merged: Vec<Filed> = merged.into_iter().filter_map(|id| transaction.case(id).transpose()).collect::<Result<_, _>>()?;
    let merged_into = match transaction.merged_into(case.id)? {
        Some(into) => transaction.case(into)?,
        None => None,
    };
    let (batch, kept) = transaction.reports_with_merged(&filed, args.most as usize)?;
    if batch.len() != kept.len() {
        bail!("the reports of case {} do not fit their rows; run 'sluis db check'", case.id);
    }
    let advice = crate::output::advice::about(transaction, std::iter::once(standing.traits.as_str()), false)?;
    let mut screen = Screen::new();
    if args.json {
        let latest_reports = batch.reports().zip(&kept).map(|(one, kept)| report::view(&one, kept)).collect();
        let view = WholeView {
            case: view(case, &standing, &mut names, now)?,
            clocks: clocks(&standing),
            holder_changed: standing.has(marks::HOLDER_CHANGED),
            chain: links,
            steps: steps.into_iter().map(step).collect(),
            outbox: entries,
            merged: merged.iter().map(|part| part.case.public.to_string()).collect(),
            merged_into: merged_into.map(|whole| whole.case.public.to_string()),
            advice: advice.iter().map(crate::output::advice::View::of).collect(),
            latest_reports,
        };
        json::line(&mut screen, &view)?;
        return done(screen, 0);
    }
    let title = format!("Case {}: {} on {}", case.id, case.kind, report::about(case));
    screen.line(screen.paint(Style::Strong, &title))?;
    let mut facts = facts(&filed, &standing, now);
    if let Some(whole) = &merged_into {
        facts.push(("part of", format!("case {}", whole.case.id)));
    }
    if !merged.is_empty() {
        let parts = merged.iter().map(|part| format!("{} ({})", part.case.id, counted(part.case.reports, "report")));
        facts.push(("merged into it", parts.collect::<Vec<_>>().join(", ")));
    }
    screen.facts(&facts)?;
    screen.heading("Who held it when the abuse was first seen")?;
    chain::draw(&mut screen, &links, now)?;
    if !advice.is_empty() {
        screen.heading("What helps")?;
        crate::output::advice::draw(&mut screen, &advice)?;
    }
    if !entries.is_empty() {
        screen.heading("In the outbox")?;
        outbox(&mut screen, &entries)?;
    }
    screen.heading("What happened")?;
    journal(&mut screen, &steps)?;
    let all = case.reports + merged.iter().map(|part| part.case.reports).sum::<u64>();
    screen.heading(&match all > kept.len() as u64 {
        true => format!("Latest {} of {}", kept.len(), counted(all, "report")),
        false => counted(all, "report"),
    })?;
    for (number, (one, kept)) in batch.reports().zip(&kept).enumerate() {
        if number > 0 {
            screen.line("")?;
        }
        report::draw(&mut screen, &one, kept)?;
    }
    done(screen, 0)
}

fn step(step: Step) -> StepView {
    StepView {
        ordinal: step.ordinal,
        what: step.what.word(),
        at: step.at.to_string(),
        text: step.text,
        person: step.person,
        rule: step.rule,
        due: step.due.map(|due| due.to_string()),
    }
}

fn facts(filed: &Filed, standing: &Standing, now: Time) -> Vec<(&'static str, String)> {
    let (case, progress) = (&filed.case, standing.progress);
    let mut state = match (case.state, case.history) {
        (State::Open, true) => "open, history: every report was old when it came, so no clock runs".to_owned(),
        (State::Open, false) => "open".to_owned(),
        (State::Closed, _) => match (standing.closed, standing.closure) {
            (Some(at), Some(closure)) => format!("closed {}: {}", moment(at), closure.word()),
            _ => "closed".to_owned(),
        },
    };
    if let Some(since) = standing.disputed {
        state.push_str(&format!(", disputed since {}", moment(since)));
    }
    if let Some(until) = standing.snoozed.filter(|until| *until > now) {
        state.push_str(&format!(", put off until {}", moment(until)));
    }
    if standing.has(marks::HOLDER_CHANGED) {
        state.push_str(", waiting in the queue holder-changed");
    }
    let notice = match case.first_valid_notice {
        Some(time) => format!("{time}, {} ago", age(time, now)),
        None => "none yet: no report names a source, a time and a reporter".to_owned(),
    };
    let handler = if standing.handler.is_empty() { "nobody".to_owned() } else { standing.handler.clone() };
    let mut facts = vec![
        ("identifier", case.public.to_string()),
        ("severity", progress.severity.word().to_owned()),
        ("state", state),
        ("handler", handler),
        ("reports", count(case.reports)),
        ("first seen", case.first_seen.to_string()),
        ("last seen", format!("{}, {} ago", case.last_seen, age(case.last_seen, now))),
        ("opened", case.opened.to_string()),
        ("first valid notice", notice),
    ];
    if !standing.rule.is_empty() {
        facts.push(("rule", format!("{} (policy {})", standing.rule, standing.policy)));
        let mode = if progress.observed { ", only shown: this node observes at this severity" } else { "" };
        facts.push(("ladder", format!("{}{mode}", progress.rung.word())));
    }
    let left = |at: Time| match at > now {
        true => format!("{at}, in {}", age(now, at)),
        false => format!("{at}, {} ago", age(at, now)),
    };
    let clocks = [("tell by", progress.clocks.customer), ("mend by", progress.clocks.fix), ("act by", progress.clocks.force)];
    for (name, clock) in clocks {
        let Some(clock) = clock.filter(|_| case.state == State::Open) else { continue };
        let late = if name == "mend by" && is_overdue(case, standing, now) { ": overdue" } else { "" };
        facts.push((name, left(clock) + late));
    }
    if let Some(next) = standing.next_due {
        facts.push(("next look", left(next)));
    }
    facts
}

fn outbox(screen: &mut Screen, entries: &[EntryView]) -> Result<()> {
    let mut table = Table::new(screen, &[">entry", "purpose", "to", "=ready", "what holds it, or became of it"]);
    for entry in entries {
        let what = match (entry.delivery, entry.reason.as_str()) {
            ("waiting", _) if entry.hold == "free" => (Style::Plain, "would go".to_owned()),
            ("waiting", _) => (Style::Remark, format!("held: {}", entry.hold)),
            (delivery, "") => (Style::Dim, delivery.to_owned()),
            (delivery, reason) => (Style::Dim, format!("{delivery}: {reason}")),
        };
        let ready = Time::parse(entry.ready.as_bytes()).map(moment).unwrap_or_default();
        table.row([
            (Style::Strong, entry.number.to_string()),
            (Style::Plain, entry.purpose.to_owned()),
            (Style::Plain, entry.party.clone()),
            (Style::Plain, ready),
            what,
        ]);
    }
    table.write(screen)?;
    Ok(())
}

fn journal(screen: &mut Screen, steps: &[Step]) -> Result<()> {
    for step in steps {
        let mut text = step.what.word().to_owned();
        if !step.person.is_empty() {
            text.push_str(&format!(" by {}", step.person));
        }
        if !step.text.is_empty() {
            text.push_str(&format!(": {}", step.text));
        }
        let at = screen.paint(Style::Dim, &moment(step.at));
        let text = crate::output::clean(&text);
        screen.line(format_args!("{at}  {text}"))?;
    }
    Ok(())
}
