//! The report for a terminal: a line for each hit, and one hit in full.

use super::words::{self, Language};
use super::{Report, rank};
use crate::provider::hits::{Hit, Status};

/// A table of the hits, and what to do next. Text of others is made safe for a terminal.
#[must_use]
pub fn table(report: &Report, language: Language) -> String {
    let mut out = format!("{} {}\n\n", report.tlp, report.pap);
    if !report.hits.is_empty() {
        let heading = language.say(
            ["treffer", "klant", "naam", "op de lijst", "hoe zeker", "stand", "besluit"],
            ["hit", "customer", "name", "on the list", "how sure", "status", "decision"],
        );
        let mut rows = vec![heading.map(str::to_owned)];
        rows.extend(report.hits.iter().map(|hit| row(hit, report.made, language)));
        out.push_str(&columns(&rows));
        out.push('\n');
    }
    let customers = &report.customers;
    for (count, nl, en) in [
        (customers.all, "klanten bekeken", "customers looked at"),
        (customers.looked_up, "kenmerken opgezocht", "tokens looked up"),
        (customers.unanswered, "kenmerken nog niet beantwoord", "tokens not answered yet"),
        (customers.without_tokens, "klanten zonder iets om te vergelijken", "customers with nothing to compare"),
        (customers.cells_refused, "cellen niet te gebruiken", "cells that could not be used"),
        (customers.unlike, "gingen open maar lijken niet: niet getoond", "opened but are not alike: not shown"),
        (customers.invalid, "niet geldig in het log: niet gebruikt", "not valid in the log: not used"),
    ] {
        if count > 0 {
            out.push_str(&format!("{count:>12}  {}\n", language.say(nl, en)));
        }
    }
    out.push('\n');
    for problem in &report.problems {
        out.push_str(&format!("! {}\n", clean(problem)));
    }
    for next in &report.next {
        out.push_str(&format!("→ {}\n", clean(&words::next(language, next))));
    }
    out.push_str(words::line_no_measure(language));
    out.push('\n');
    out
}

fn row(hit: &Hit, now: i64, language: Language) -> [String; 7] {
    let listed = hit.names.as_ref().map(|names| &names.listed).or(hit.entry.names.first());
    let decided = match (hit.days_left(now), hit.decided()) {
        (Some(days), _) => language.say(format!("heroverwegen, {days} dagen"), format!("reconsider, {days} days")),
        (None, Some(decision)) => words::decision(language, decision.what).to_owned(),
        (None, None) if rank(hit) == 4 => "–".to_owned(),
        (None, None) => language.say("nog niet", "not yet").to_owned(),
    };
    [
        hit.id.clone(),
        clip(&hit.customer.id),
        clip(hit.customer.names.first().map_or("–", String::as_str)),
        clip(listed.map_or("–", String::as_str)),
        if rank(hit) == 4 { "–" } else { words::sureness(language, hit.sureness) }.to_owned(),
        match hit.gone {
            Some(_) => language.say("klant weg", "customer left").to_owned(),
            None => words::status(language, hit.entry.status).to_owned(),
        },
        decided,
    ]
}

/// One hit in full.
#[must_use]
pub fn hit(hit: &Hit, language: Language, now: i64) -> String {
    let mut out = format!(
        "{}  {}  {} ({})\n",
        hit.id,
        words::sureness(language, hit.sureness),
        words::status(language, hit.entry.status),
        clean(&hit.entry.list)
    );
    let mut line = |name: &str, value: &str| {
        if !value.trim().is_empty() {
            let (name, value) = (clean(name), clean(value));
            out.push_str(&format!("  {name:<16} {value}\n"));
        }
    };
    line(language.say("klant", "customer"), &format!("{} {}", hit.customer.id, hit.customer.names.join(" / ")));
    line(language.say("op de lijst", "on the list"), &hit.entry.names.join(" / "));
    for why in words::why(language, hit) {
        line(language.say("waarom", "why"), &why);
    }
    if let Some(names) = &hit.names {
        line(language.say("namen", "names"), &words::likeness(language, names));
    }
    for fact in &hit.facts {
        let says = words::says(language, fact.says);
        line(&words::what(language, &fact.what), &format!("{says}: {} | {}", fact.customer, fact.listed));
    }
    if let Some(reason) = &hit.entry.reason {
        line(language.say("reden", "reason"), language.say(&reason.nl, &reason.en));
        line(language.say("bron", "source"), &format!("{} ({})", reason.source, reason.source_kind));
        line(language.say("grondslag", "legal basis"), &reason.legal_basis);
        line(language.say("criterium", "criterion"), &format!("{} ({})", reason.criterion, reason.protocol));
        line(language.say("herzien vóór", "review by"), &words::day(language, reason.review_by));
        line(language.say("niet verwarren", "not to confuse"), &reason.not_to_be_confused_with);
        line(language.say("bestrijden bij", "contest at"), &format!("{} {}", reason.contest_desk, reason.contest_url));
        line(language.say("delen", "sharing"), &format!("{} {}", reason.tlp, reason.pap));
    }
    for decision in &hit.decisions {
        line(language.say("besloten", "decided"), &words::decided(language, decision));
    }
    for step in words::advice(language, hit, now) {
        line("→", &step);
    }
    if hit.entry.status == Status::Live {
        line("", words::line_no_measure(language));
    }
    out
}

fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in rows {
        let line: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out.push_str(line.join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// A cell is at most 32 letters wide.
fn clip(text: &str) -> String {
    let text = clean(text);
    if text.chars().count() <= 32 { text } else { text.chars().take(31).chain(['…']).collect() }
}

/// Nothing that steers a terminal, one line.
fn clean(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() || !matching::bytes::is_plain(letter) { ' ' } else { letter }).collect()
}
