//! `sluis policy explain`: why a case stands where it stands, and what comes next, in whole sentences.

use anyhow::{Context, Result};
use model::assignment::Level;
use model::case::State;
use model::outbox::{Delivery, Hold};
use model::policy::{Mode, Policy, Rule, Speaker};
use model::sender::Proof;
use model::step::What;
use model::time::Time;
use serde_json::json;
use store::Transaction;
use store::cases::Filed;
use store::clocks::Standing;

use super::super::{Globals, Id};
use super::words;
use crate::output::chain::Kept;
use crate::output::words::{age, moment};
use crate::output::{Screen, json as out, report};

/// Letters of a case that are looked at.
const LETTERS: u32 = 50;
/// Moments that are looked ahead.
const AHEAD: usize = 6;

/// Explain a case: why this step, which rule, which clock, what is held back, and what comes next
#[derive(clap::Args)]
pub(crate) struct Explain {
    /// The case: its identifier, or its number in the list
    #[arg(value_name = "CASE", value_parser = super::super::id)]
    id: Id,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What is said, under headings.
#[derive(Default)]
struct Said {
    rule: Vec<String>,
    believed: Vec<String>,
    clocks: Vec<String>,
    done: Vec<String>,
    held: Vec<String>,
    next: Vec<String>,
}

pub(super) fn run(args: &Explain, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now();
    globals.reader()?.read(|transaction| {
        let filed = match args.id {
            Id::Row(row) => transaction.case(row)?,
            Id::Public(public) => transaction.case_by_public(public)?,
        };
        let filed = filed.context("there is no such case; 'sluis case list' shows those there are")?;
        let standing = transaction.standing(filed.case.id)?.context("there is no such case")?;
        let said = explain(transaction, &filed, &standing, now)?;
        let mut screen = Screen::new();
        let parts = [
            ("Which rule", &said.rule),
            ("How far it is believed", &said.believed),
            ("Its clocks", &said.clocks),
            ("What was done, and why", &said.done),
            ("What is held back, and why", &said.held),
            ("What comes next", &said.next),
        ];
        if args.json {
            let progress = standing.progress;
            let text = |time: Option<Time>| time.map(|time| time.to_string());
            out::line(
                &mut screen,
                &json!({
                    "case": filed.case.public.to_string(), "number": filed.case.id, "rule": standing.rule,
                    "policy": standing.policy, "severity": progress.severity.word(), "observing": progress.observed,
                    "rung": progress.rung.word(), "confidence": f64::from(standing.confidence) / 100.0,
                    "tell_by": text(progress.clocks.customer), "mend_by": text(progress.clocks.fix),
                    "force_by": text(progress.clocks.force), "look_again": text(standing.next_due),
                    "why": { "rule": said.rule, "believed": said.believed, "clocks": said.clocks, "done": said.done, "held": said.held, "next": said.next },
                }),
            )?;
            return super::super::done(screen, 0);
        }
        let about = report::about(&filed.case);
        let title = format!("Case {}: {} on {about}, {}", filed.case.id, filed.case.kind, standing.progress.severity);
        let title = screen.paint(crate::output::Style::Strong, &title);
        screen.line(title)?;
        for (heading, sentences) in parts {
            if !sentences.is_empty() {
                screen.heading(heading)?;
                for sentence in sentences {
                    screen.line(crate::output::clean(sentence))?;
                }
            }
        }
        super::super::done(screen, 0)
    })
}

fn explain(transaction: &Transaction<'_>, filed: &Filed, standing: &Standing, now: Time) -> Result<Said> {
    let mut said = Said::default();
    let newest = transaction.newest_policy()?;
    let held = if standing.policy > 0 { transaction.policy(standing.policy)? } else { newest.clone() };
    let Some(version) = held else {
        said.rule.push("No policy has been in force here yet, so nothing was decided.".to_owned());
        return Ok(said);
    };
    let policy = desk::policy::read_kept(&version).map_err(|wrong| anyhow::anyhow!("{wrong}"))?;
    let since = moment(version.since);
    if standing.decided().is_none() && !filed.case.history {
        said.rule.push("Nothing has been decided about it yet.".to_owned());
    } else {
        said.rule.push(format!("It was last decided by version {} of the policy, in force since {since}.", version.id));
    }
    let rule = policy.rules.iter().find(|rule| rule.name == standing.rule);
    match rule {
        Some(rule) => {
            of_rule(&mut said, rule, filed);
            of_exploited(&mut said, transaction, standing, rule, &policy)?;
        }
        None => {
            said.rule.push(format!("Rule '{}' is not in that policy; the desk finds another at the next look.", standing.rule))
        }
    }
    if let Some(newest) = newest.filter(|newest| newest.id != version.id) {
        let current = desk::policy::read_kept(&newest).ok();
        let now_says = current.as_ref().and_then(|policy| policy.rules.iter().find(|rule| rule.name == standing.rule));
        let since = moment(newest.since);
        said.rule.push(match now_says {
            Some(current) if Some(current) == rule => {
                format!("Version {} is in force since {since}; it says the same of this rule.", newest.id)
            }
            Some(_) => format!(
                "Version {} is in force since {since} and changes this rule; clocks that run go on as they are.",
                newest.id
            ),
            None => format!("Version {} is in force since {since} and has no such rule.", newest.id),
        });
    }
    believed(&mut said, transaction, filed, standing, &policy)?;
    clocks(&mut said, filed, standing, rule, &policy, now);
    for step in transaction.steps(filed.case.id)? {
        let why = match step.what {
            What::Reminded => format!(", {} % of its time to mend it after it was told", policy.remind),
            What::Warned => format!(", {} % of its time to mend it after it was told", policy.warn),
            _ => String::new(),
        };
        let by = match (step.person.as_str(), step.rule.as_str()) {
            ("", "") => String::new(),
            ("", rule) => format!(" (rule {rule})"),
            (person, _) => format!(" (by {person})"),
        };
        let text = if step.text.is_empty() { String::new() } else { format!(": {}", step.text) };
        said.done.push(format!("{}  {}{by}{text}{why}", moment(step.at), step.what.word()));
    }
    let mut names = Kept::new(transaction)?;
    for entry in transaction.entries_of_case(filed.case.id, LETTERS)? {
        if entry.delivery != Delivery::Waiting {
            continue;
        }
        let to = match entry.party {
            Some(party) => names.title(party)?,
            None => entry.subject.clone(),
        };
        let what = format!("{} for {to}", entry.purpose.word());
        said.held.push(match entry.hold {
            Hold::Free => format!("{what}: nothing holds it; it may go from {} on.", moment(entry.ready)),
            hold => format!("{what}: held. {}", reason(hold, standing, &policy)),
        });
    }
    next(&mut said, transaction, filed, standing, &policy, now)?;
    Ok(said)
}

/// What is known to be exploited, and what the policy makes of that.
fn of_exploited(said: &mut Said, transaction: &Transaction<'_>, standing: &Standing, rule: &Rule, policy: &Policy) -> Result<()> {
    let Some(exploited) = transaction.around()?.exploited_of(&standing.traits) else { return Ok(()) };
    let by = if exploited.ransomware { ", by ransomware too" } else { "" };
    let severity = policy.exploited.severity(rule.severity);
    said.rule.push(match severity == rule.severity {
        false => format!(
            "{} is known to be exploited{by}: [exploited] makes it {severity} in place of {}.",
            exploited.cve, rule.severity
        ),
        true => format!("{} is known to be exploited{by}; [exploited] leaves it at {severity}.", exploited.cve),
    });
    Ok(())
}

fn of_rule(said: &mut Said, rule: &Rule, filed: &Filed) {
    let conditions = words::conditions(rule);
    let because = if conditions.is_empty() { String::new() } else { format!(", and {conditions}") };
    said.rule.push(format!("Rule '{}' holds, the first that is about {}{because}.", rule.name, filed.case.kind));
    said.rule.push(format!("It comes from: {} ({}).", rule.source, words::mark(rule.mark)));
}

/// Who says it, what proves that, and which entry of the policy says how far that is believed.
fn believed(said: &mut Said, transaction: &Transaction<'_>, filed: &Filed, standing: &Standing, policy: &Policy) -> Result<()> {
    let confidence = standing.confidence;
    said.believed.push(format!("To {confidence} %, by the report of it that is believed most."));
    let (_, kept) = transaction.reports_of(&filed.case, filed.tail, 1)?;
    let Some(submission) = kept.first().map(|kept| kept.submission) else { return Ok(()) };
    let (Some(submission), Some(heard)) = (transaction.submission(submission)?, transaction.sender(submission)?) else {
        return Ok(());
    };
    let sender = &heard.sender;
    let who = if sender.from.is_empty() { "an address that is not told" } else { &sender.from };
    let proof = match sender.proof {
        Proof::None => "nobody was asked whether that is so".to_owned(),
        Proof::Unproven => "nothing proves it".to_owned(),
        Proof::Spf => format!("its envelope proves {} (SPF)", sender.domain),
        Proof::Dkim => format!("a signature proves {} (DKIM)", sender.domain),
        Proof::Failed => "its domain name says that it is not from it (DMARC)".to_owned(),
        Proof::Unknown => "it could not be found out in time".to_owned(),
    };
    said.believed.push(format!("The last mail about it says that it is from {who}; {proof}."));
    let (format, door) = (submission.format.as_str(), submission.door);
    let belief = policy.belief(&Speaker { reporter: "", format, door, sender: Some(sender), stated: None });
    if !belief.proven.is_empty() {
        said.believed.push(format!("The policy trusts {} when that is proven.", belief.proven));
    } else if !belief.claimed.is_empty() {
        said.believed.push(format!(
            "The policy trusts {} only when that is proven: this mail is believed as a stranger's is.",
            belief.claimed
        ));
    }
    Ok(())
}

fn clocks(said: &mut Said, filed: &Filed, standing: &Standing, rule: Option<&Rule>, policy: &Policy, now: Time) {
    if filed.case.history {
        said.clocks.push("Every report was old when it came: it is history, and no clock runs.".to_owned());
        return;
    }
    if standing.decided().is_none() {
        return;
    }
    let progress = standing.progress;
    said.clocks.push(format!("They began with the arrival of the first report, {}.", moment(standing.received)));
    let mut clock = |what: &str, at: Option<Time>, term: Option<model::calendar::Term>| {
        let Some(at) = at else { return };
        let term = term.map_or_else(String::new, |term| format!(" ({term})"));
        let left = if at > now { format!("in {}", age(now, at)) } else { format!("{} ago", age(at, now)) };
        said.clocks.push(format!("{what} by {}{term}, {left}.", moment(at)));
    };
    clock("The reporter is to be told", progress.clocks.acknowledge, None);
    clock("The party is to be told", progress.clocks.customer, rule.and_then(|rule| rule.customer));
    clock("It is to be mended", progress.clocks.fix, rule.and_then(|rule| rule.fix));
    clock("We act ourselves, if a person says so,", progress.clocks.force, rule.and_then(|rule| rule.force));
    if let Some(ordered) = standing.ordered {
        said.clocks.push(format!("An order or notice asks for it by {}; that only ever shortens a clock.", moment(ordered)));
    }
    match progress.told {
        Some(told) if progress.observed => {
            said.clocks.push(format!(
                "The party would have been told on {}; at {} the node only observes.",
                moment(told),
                progress.severity
            ));
        }
        Some(told) => said.clocks.push(format!("The party was told on {}.", moment(told))),
        None if rule.is_some_and(|rule| rule.customer.is_none()) => {
            said.clocks.push("The rule tells nobody: a person decides whether the party is told.".to_owned());
        }
        None if standing.confidence < policy.watch_below => {
            let (confidence, below) = (standing.confidence, policy.watch_below);
            said.clocks.push(format!(
                "Nobody is told: the report is believed to {confidence} %, and below {below} % a case is only watched."
            ));
        }
        None if filed.case.holder.is_none() => said.clocks.push("Nobody is told: nobody is known to have held it.".to_owned()),
        None => said.clocks.push("Nobody has been told yet.".to_owned()),
    }
}

/// Why an entry is held, and what would let it go.
fn reason(hold: Hold, standing: &Standing, policy: &Policy) -> String {
    let severity = standing.progress.severity;
    match hold {
        Hold::Free => String::new(),
        Hold::Observing if policy.care(severity).mode == Mode::Act => {
            format!("It was decided while {severity} only observed; the case begins anew now that it acts.")
        }
        Hold::Observing => format!(
            "{severity} only observes. 'mode = \"act\"' under [severity.{severity}] switches it on; the case then begins anew."
        ),
        Hold::Brake => "More than usual would go out this hour: a person looks and takes the brake off.".to_owned(),
        Hold::StaleSource => {
            "The source that names the party is older than it may be; it goes when that has been imported.".to_owned()
        }
        Hold::HolderChanged => "The administration was corrected: a person says first whose it is.".to_owned(),
        Hold::Unauthenticated => "Nobody has proved to be the sender: an answer might go to somebody who never wrote.".to_owned(),
        Hold::Person => "No restriction without a person: no rule says otherwise, or the evidence is not sure enough.".to_owned(),
        Hold::TwoPeople => "Others are on the same address: two people have to say so.".to_owned(),
        Hold::Protected => "The policy protects it; it is never restricted.".to_owned(),
        Hold::Restored => "The node was restored from a backup: it may have gone before; a person confirms first.".to_owned(),
    }
}

fn next(
    said: &mut Said,
    transaction: &Transaction<'_>,
    filed: &Filed,
    standing: &Standing,
    policy: &Policy,
    now: Time,
) -> Result<()> {
    if filed.case.state == State::Closed {
        let closure = standing.closure.map_or("closed", |closure| closure.word());
        said.next.push(format!("Nothing: it is closed ({closure}). A new report of it opens it again, or another."));
        return Ok(());
    }
    if let Some(until) = standing.snoozed.filter(|until| *until > now) {
        said.next.push(format!("A person put it off until {}: no letter goes and no clock is counted before.", moment(until)));
    }
    if let Some(since) = standing.disputed {
        let by = policy.calendar.after(since, policy.dispute);
        said.next.push(format!("It is disputed since {}; somebody else decides by {}.", moment(since), moment(by)));
    }
    let Some(rule) = policy.rule_named(&standing.rule) else { return Ok(()) };
    let chain = transaction.chain(filed.chain)?;
    let direct = chain.links.iter().find(|link| link.level != Level::Allocated).map(|link| link.party);
    let deepest = chain.holder().map(|link| link.party);
    let facts = desk::policy::facts_of(filed, standing, rule, direct, deepest, &transaction.around()?);
    let from = standing.next_due.unwrap_or(now).max(now);
    let ahead = desk::policy::outlook(facts, policy, from, AHEAD);
    for (at, decided) in &ahead {
        for step in &decided.steps {
            let text = if step.text.is_empty() { String::new() } else { format!(" ({})", step.text) };
            said.next.push(format!("{}  {}{text}", moment(*at), step.what.word()));
        }
    }
    match (ahead.is_empty(), standing.next_due) {
        (false, _) => said.next.push("That is if nothing happens in between: a report, a person, another policy.".to_owned()),
        (true, Some(due)) => said.next.push(format!("It is looked at again on {}; nothing is to happen by then.", moment(due))),
        (true, None) => said.next.push("Nothing, unless a report comes or a person does something.".to_owned()),
    }
    Ok(())
}
