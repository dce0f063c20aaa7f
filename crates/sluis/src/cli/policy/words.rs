//! Rules as people and programs read them.

use std::io;

use model::calendar::Term;
use model::category::Kind;
use model::policy::{Acknowledge, Addressee, Mark, Mode, Policy, Rule, When};
use model::severity::Severity;
use serde_json::{Value, json};

use crate::output::{Screen, Style, Table};

/// `12 hours`, or a dash.
fn term(term: Option<Term>) -> String {
    term.map_or_else(|| "-".to_owned(), |term| term.to_string())
}

fn acknowledge(acknowledge: Acknowledge) -> String {
    match acknowledge {
        Acknowledge::Never => "never".to_owned(),
        Acknowledge::Digest => "digest".to_owned(),
        Acknowledge::Within(Term::Elapsed(0)) => "at once".to_owned(),
        Acknowledge::Within(term) => term.to_string(),
    }
}

fn addressee(addressee: Addressee) -> &'static str {
    match addressee {
        Addressee::Direct => "direct",
        Addressee::Deepest => "deepest",
        Addressee::Both => "both",
    }
}

/// What a mark means.
pub(super) fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Primary => "P: primary text, read in full",
        Mark::Verified => "V: read in an excerpt of the page cited",
        Mark::Known => "K: general knowledge, not verified",
        Mark::Design => "D: a proposal of ours, not an obligation",
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Act => "act",
    }
}

/// The kinds of a rule, as short as they can be said.
fn kinds(rule: &Rule) -> String {
    if rule.kinds.len() == Kind::ALL.len() {
        return "every kind".to_owned();
    }
    let mut words = Vec::new();
    let mut done = Vec::new();
    for kind in &rule.kinds {
        let category = kind.category();
        let all = Kind::ALL.iter().filter(|other| other.category() == category);
        let is_whole = all.clone().count() > 1 && all.clone().all(|other| rule.kinds.contains(other));
        match (is_whole, done.contains(&category)) {
            (true, true) => {}
            (true, false) => {
                done.push(category);
                words.push(format!("{category}/*"));
            }
            (false, _) => words.push(kind.to_string()),
        }
    }
    words.join(", ")
}

/// One condition in words.
fn condition(when: &When) -> String {
    let mut parts = Vec::new();
    if when.order {
        parts.push("it is an order that a person has confirmed".to_owned());
    }
    if !when.ports.is_empty() {
        let ports: Vec<String> = when.ports.iter().map(u16::to_string).collect();
        parts.push(format!("its port is {}", ports.join(", ")));
    }
    if !when.traits.is_empty() {
        parts.push(format!("it says {}", when.traits.join(" or ")));
    }
    parts.join(" and ")
}

/// The conditions of a rule in words; empty when it has none.
pub(super) fn conditions(rule: &Rule) -> String {
    rule.when.iter().map(condition).collect::<Vec<_>>().join("; or ")
}

/// When a rule closes a case by itself.
fn closes(rule: &Rule) -> String {
    let quiet = rule.quiet.map(|quiet| format!("quiet for {quiet}"));
    let absent = rule.absent_runs.map(|runs| format!("{runs} runs without it"));
    quiet.into_iter().chain(absent).collect::<Vec<_>>().join(", ")
}

pub(super) fn rule_json(rule: &Rule) -> Value {
    let text = |term: Option<Term>| term.map(|term| term.to_string());
    json!({
        "name": rule.name,
        "kinds": rule.kinds.iter().map(Kind::to_string).collect::<Vec<_>>(),
        "when": rule.when.iter().map(|when| json!({ "ports": when.ports, "says": when.traits, "order": when.order })).collect::<Vec<_>>(),
        "severity": rule.severity.word(),
        "acknowledge": acknowledge(rule.acknowledge),
        "customer": text(rule.customer),
        "fix": text(rule.fix),
        "force": text(rule.force),
        "automatic": rule.automatic,
        "addressee": addressee(rule.addressee),
        "quiet": text(rule.quiet),
        "absent_runs": rule.absent_runs,
        "source": rule.source,
        "mark": rule.mark.letter(),
    })
}

pub(super) fn policy_json(policy: &Policy, title: &str) -> Value {
    let share = |percent: u8| f64::from(percent) / 100.0;
    let care: serde_json::Map<String, Value> = Severity::ALL
        .into_iter()
        .map(|severity| {
            let care = policy.care(severity);
            let gather = Term::Elapsed(care.gather).to_string();
            (severity.word().to_owned(), json!({ "mode": mode(care.mode), "gather": gather }))
        })
        .collect();
    json!({
        "name": policy.name,
        "from": title,
        "severity": care,
        "remind": policy.remind,
        "warn": policy.warn,
        "watch_below": share(policy.watch_below),
        "unknown": share(policy.unknown),
        "dispute": policy.dispute.to_string(),
        "rules": policy.rules.iter().map(rule_json).collect::<Vec<_>>(),
    })
}

/// A whole policy in tables.
pub(super) fn policy(screen: &mut Screen, policy: &Policy, title: &str) -> io::Result<()> {
    let title = screen.paint(Style::Strong, &format!("Policy '{}', {title}", policy.name));
    screen.line(title)?;
    screen.line("")?;
    let mut table = Table::new(screen, &["=severity", "=mode", "=gathers for", ">rules"]);
    for severity in Severity::ALL {
        let care = policy.care(severity);
        let rules = policy.rules.iter().filter(|rule| rule.severity == severity).count();
        let style = if care.mode == Mode::Act { Style::Strong } else { Style::Dim };
        table.row([
            (Style::Strong, severity.word().to_owned()),
            (style, mode(care.mode).to_owned()),
            (Style::Plain, Term::Elapsed(care.gather).to_string()),
            (Style::Plain, rules.to_string()),
        ]);
    }
    table.write(screen)?;
    screen.line("")?;
    let names = ["=rule", "=", "=tell by", "=mend by", "=force by", "=to", "about", "if", "closes"];
    let mut table = Table::new(screen, &names);
    for rule in &policy.rules {
        let force = format!("{}{}", term(rule.force), if rule.automatic { " by itself" } else { "" });
        table.row([
            (Style::Strong, rule.name.clone()),
            (Style::Plain, rule.severity.word().to_owned()),
            (Style::Plain, term(rule.customer)),
            (Style::Plain, term(rule.fix)),
            (if rule.automatic { Style::Alarm } else { Style::Plain }, force),
            (Style::Plain, addressee(rule.addressee).to_owned()),
            (Style::Plain, kinds(rule)),
            (Style::Dim, crate::output::safe::short(&conditions(rule), 60)),
            (Style::Dim, closes(rule)),
        ]);
    }
    table.write(screen)
}

/// One rule with everything it says.
pub(super) fn whole_rule(screen: &mut Screen, rule: &Rule, policy: &Policy) -> io::Result<()> {
    let title = screen.paint(Style::Strong, &format!("Rule {} ({})", rule.name, rule.severity));
    screen.line(title)?;
    let ends = |term: Option<Term>, none: &str| term.map_or_else(|| none.to_owned(), |term| format!("within {term}"));
    let automatic = if rule.automatic { ", by itself where nothing speaks against it" } else { ", proposed to a person" };
    let force =
        rule.force.map_or_else(|| "never; a person decides what is next".to_owned(), |term| format!("after {term}{automatic}"));
    screen.facts(&[
        ("about", kinds(rule)),
        ("only if", conditions(rule)),
        ("mode", mode(policy.care(rule.severity).mode).to_owned()),
        ("reporter told", acknowledge(rule.acknowledge)),
        ("party told", format!("{} ({})", ends(rule.customer, "a person decides"), addressee(rule.addressee))),
        ("mended", ends(rule.fix, "no term")),
        ("we act", force),
        ("closes when", closes(rule)),
        ("source", rule.source.clone()),
        ("mark", mark(rule.mark).to_owned()),
    ])
}
