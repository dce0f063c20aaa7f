//! `sluis read --explain`: which format takes which part of a file, what becomes what, and what is not understood.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::ControlFlow;

use anyhow::{Context, Result};
use model::address::Address;
use model::report::{Batch, Core, Place, Report, Word};
use parsers::care::speaks_of_child_abuse;
use parsers::formats::csv::Declared;
use parsers::formats::{self, Fit};
use parsers::kinds::csv::header_of;
use parsers::read::Outcome;
use parsers::sink::{Finding, Form, Note, Part, Reject, Sink, Stop, Taker};
use parsers::source::{Hint, PREFIX, Prefix};
use serde::Serialize;

use super::taking::{self, FindingView};
use crate::output::report::{self, FieldView};
use crate::output::safe::{masked, short};
use crate::output::words::{count, counted, size};
use crate::output::{Screen, Style, Table, clean, json};

/// Parts, rejects, notes and shapes that are told; further ones are counted.
const TOLD: usize = 200;
/// Findings that are told.
const FINDINGS: usize = 1_000;
/// Characters of a value that a person is shown.
const SHOWN: usize = 160;

/// What reading a file came to, written out.
#[derive(Default, Serialize)]
struct View {
    file: String,
    parts: Vec<PartView>,
    format: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    set_aside: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    unreadable: String,
    reports: u64,
    first_reports: Vec<ReportView>,
    columns: Vec<ColumnsView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    map: Option<MapView>,
    rejects: u64,
    first_rejects: Vec<RejectView>,
    notes: Vec<NoteView>,
    findings: Vec<FindingView>,
}

#[derive(Serialize)]
struct PartView {
    place: String,
    depth: u8,
    content_type: String,
    /// A format, a container, or nothing.
    taken_by: String,
    why: String,
    also_likely: Vec<&'static str>,
    bytes: usize,
    all: bool,
}

#[derive(Serialize)]
struct ReportView {
    ordinal: u32,
    kind: String,
    observed: Option<String>,
    address: Option<String>,
    port: Option<u16>,
    confidence: Option<u8>,
    fields: Vec<FieldView>,
}

#[derive(Serialize)]
struct ColumnsView {
    format: &'static str,
    feed: String,
    columns: Vec<ColumnView>,
}

#[derive(Serialize)]
struct ColumnView {
    name: String,
    becomes: String,
}

#[derive(Serialize)]
struct MapView {
    mapped: Vec<(String, String)>,
    missing: Vec<MissingView>,
    unmapped: Vec<String>,
}

#[derive(Serialize)]
struct MissingView {
    column: String,
    meant_as: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    perhaps: Option<String>,
}

#[derive(Serialize)]
struct RejectView {
    place: String,
    reason: String,
    text: String,
}

#[derive(Serialize)]
struct NoteView {
    place: String,
    text: String,
}

/// Listens to a reader.
struct Listening {
    most: usize,
    view: View,
    shapes: Vec<(&'static str, String, Vec<String>)>,
    /// Names under which values are kept for want of a word.
    own: BTreeSet<String>,
    /// Words of XARF, and ours, that have values.
    words: BTreeSet<String>,
    findings: Vec<Finding>,
    hidden: bool,
}

impl Listening {
    /// Text that may name a location, as it may be shown once all has been read.
    fn screen(&mut self, text: &str) {
        self.hidden |= speaks_of_child_abuse(text);
    }

    fn report(&mut self, report: &Report<'_>) {
        self.hidden |= report.core.kind.is_child_abuse();
        self.view.reports += 1;
        // Which columns are kept is known after some hundred.
        if self.view.reports <= 500 {
            for (word, _) in report.fields() {
                let (name, place) = report.name(word);
                let names = if place == Place::Extra { &mut self.own } else { &mut self.words };
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        }
        if self.view.first_reports.len() < self.most {
            let core = report.core;
            let mut fields = report::fields(report);
            // Evidence is not for this: it is said that there is some.
            for field in fields.iter_mut().filter(|field| field.name == Word::KNOWN[usize::from(Word::EVIDENCE_PAYLOAD.0)].0) {
                let bytes = report.get(Word::EVIDENCE_PAYLOAD).map_or(0, |value| value.bytes.len());
                field.value = format!("({bytes} bytes, not shown)").into();
            }
            self.view.first_reports.push(ReportView {
                ordinal: core.ordinal,
                kind: core.kind.to_string(),
                observed: core.observed().map(|time| time.to_string()),
                address: (core.address != Address::NONE).then(|| core.address.to_string()),
                port: (core.port != 0).then_some(core.port),
                confidence: (core.confidence != Core::UNSTATED).then_some(core.confidence),
                fields,
            });
        }
    }
}

impl Sink for Listening {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        batch.reports().for_each(|report| self.report(&report));
        ControlFlow::Continue(())
    }

    fn reject(&mut self, reject: Reject) {
        self.screen(&reject.text);
        self.screen(&reject.reason);
        self.view.rejects += 1;
        if self.view.first_rejects.len() < self.most.max(10) {
            let Reject { place, reason, text, .. } = reject;
            self.view.first_rejects.push(RejectView { place, reason, text });
        }
    }

    fn note(&mut self, note: Note) {
        self.screen(&note.text);
        if self.view.notes.len() < TOLD {
            self.view.notes.push(NoteView { place: note.place, text: note.text });
        }
    }

    fn finding(&mut self, finding: Finding) {
        self.screen(&finding.written);
        if self.findings.len() < FINDINGS {
            self.findings.push(finding);
        }
    }

    fn shape(&mut self, form: Form<'_>) {
        if self.shapes.len() < TOLD {
            let columns = form.columns.iter().take(1_000).map(|column| (*column).to_owned()).collect();
            self.shapes.push((form.format, form.feed.to_owned(), columns));
        }
    }

    fn wants_parts(&self) -> bool {
        true
    }

    fn part(&mut self, part: Part) {
        if self.view.parts.len() >= TOLD {
            return;
        }
        let (taken_by, why) = match part.taker {
            Taker::Format(format) => {
                let fit = part.fits.iter().find(|(other, _)| other.name == format.name).map(|(_, fit)| *fit);
                let why = match (part.forced, fit) {
                    (true, _) => "you said so with --format",
                    (_, Some(Fit::Certain)) => "certain: this format and no other",
                    _ => "likely, and no other format fits better",
                };
                (format.name.to_owned(), why)
            }
            Taker::Container(name) => (format!("{name}, opened"), "a container: what is in it is read by itself"),
            Taker::Nobody => ("nothing".to_owned(), "no format recognises it"),
        };
        let taken = match part.taker {
            Taker::Format(format) => format.name,
            _ => "",
        };
        let also = part.fits.iter().filter(|(format, _)| format.name != taken).map(|(format, _)| format.name).collect();
        let (bytes, all) = part.looked;
        let why = why.to_owned();
        let Part { place, depth, content_type, .. } = part;
        self.view.parts.push(PartView { place, depth, content_type, taken_by, why, also_likely: also, bytes, all });
    }
}

/// Reads a file and says how. Whether all of it was understood.
pub(super) fn explain(reader: &mut dyn Read, hint: &Hint<'_>, most: usize, as_json: bool, screen: &mut Screen) -> Result<bool> {
    let mut beginning = Vec::new();
    reader.take(PREFIX as u64).read_to_end(&mut beginning).context("it cannot be read")?;
    let mut listening = Listening {
        most,
        view: View { file: hint.name.to_owned(), ..View::default() },
        shapes: Vec::new(),
        own: BTreeSet::new(),
        words: BTreeSet::new(),
        findings: Vec::new(),
        hidden: speaks_of_child_abuse(&String::from_utf8_lossy(&beginning)),
    };
    let outcome = match parsers::read::read(&mut beginning.as_slice().chain(reader), hint, &mut listening) {
        Ok(outcome) => outcome,
        Err(Stop::Io(error)) => return Err(error).context("it cannot be read"),
        Err(Stop::Sink) => Outcome::default(),
    };
    let Listening { mut view, shapes, own, words, findings, hidden, .. } = listening;
    view.format = outcome.format;
    view.set_aside = outcome.aside;
    view.unreadable = outcome.unreadable;
    view.columns = shapes
        .into_iter()
        .map(|(format, feed, columns)| columns_of(format, feed, columns, hint.declared, (&own, &words)))
        .collect();
    view.map = hint.declared.map(|declared| map(declared, &beginning, hint, &view.columns));
    view.findings = taking::views(&desk::taking::Offered { findings, hidden }, 50);
    if hidden {
        hide(&mut view);
    }
    let understood = view.unreadable.is_empty() && view.rejects == 0;
    if as_json {
        json::line(screen, &view)?;
    } else {
        draw(&view, screen)?;
    }
    Ok(understood)
}

/// What becomes of each column.
fn columns_of(
    format: &'static str,
    feed: String,
    columns: Vec<String>,
    declared: Option<&Declared>,
    (own, words): (&BTreeSet<String>, &BTreeSet<String>),
) -> ColumnsView {
    let declared =
        declared.filter(|_| matches!(format, "csv" | "json" | "html_table")).map(|declared| declared.compare(&columns));
    let fields = formats::by_name(format).map_or(&[][..], |format| format.fields);
    let becomes = |name: &String| {
        let mapped = declared.as_ref().and_then(|compared| {
            let same = |(column, _): &&(String, String)| column.eq_ignore_ascii_case(name);
            compared.mapped.iter().find(same).map(|(_, means)| format!("{means}, as you described it"))
        });
        let known = || {
            let named = |names: &str| names.split(", ").any(|one| one.eq_ignore_ascii_case(name));
            fields.iter().find(|(names, _)| named(names)).map(|(_, becomes)| (*becomes).to_owned())
        };
        let same = |one: &&String| one.eq_ignore_ascii_case(name);
        let kept = || own.iter().find(same).map(|_| "kept under its own name".to_owned());
        let word = || words.iter().find(same).cloned();
        mapped
            .or_else(known)
            .or_else(kept)
            .or_else(word)
            .unwrap_or_else(|| "another word (see the reports), or it is empty".to_owned())
    };
    let columns = columns.iter().map(|name| ColumnView { name: name.clone(), becomes: becomes(name) }).collect();
    ColumnsView { format, feed, columns }
}

/// What a description and the file have in common. Where no format took it, its first line is its columns.
fn map(declared: &Declared, beginning: &[u8], hint: &Hint<'_>, columns: &[ColumnsView]) -> MapView {
    let met = columns.iter().find(|columns| matches!(columns.format, "csv" | "json" | "html_table"));
    let there: Vec<String> = match met {
        Some(met) => met.columns.iter().map(|column| column.name.clone()).collect(),
        None => {
            let prefix = Prefix::new(beginning, hint.name, "", hint);
            let members: Vec<String> = prefix.members().iter().map(|name| (*name).to_owned()).collect();
            if members.is_empty() { header_of(beginning) } else { members }
        }
    };
    let compared = declared.compare(&there);
    let missing = |(column, meant_as, perhaps)| MissingView { column, meant_as, perhaps };
    let missing = compared.missing.into_iter().map(missing).collect();
    MapView { mapped: compared.mapped, missing, unmapped: compared.unmapped }
}

/// Of what tells of child abuse material no location is shown, and no text.
fn hide(view: &mut View) {
    const HIDDEN: &str = "(not shown: it may tell where child abuse material is)";
    for reject in &mut view.first_rejects {
        reject.text = HIDDEN.to_owned();
        reject.reason = masked(&reject.reason);
    }
    view.notes.iter_mut().for_each(|note| note.text = masked(&note.text));
    view.unreadable = masked(&view.unreadable);
    for field in view.first_reports.iter_mut().flat_map(|report| &mut report.fields) {
        let text = field.value.as_str().map_or_else(|| field.value.to_string(), str::to_owned);
        let names_it = ["url", "source_identifier"].contains(&field.name.as_str());
        field.value = if field.own || (names_it && !text.contains("://")) { HIDDEN.into() } else { masked(&text).into() };
    }
}

fn draw(view: &View, screen: &mut Screen) -> Result<()> {
    let title = screen.paint(Style::Strong, if view.file.is_empty() { "standard input" } else { &view.file });
    screen.line(title)?;
    for part in &view.parts {
        let indent = "  ".repeat(usize::from(part.depth) + 1);
        let place = if part.place.is_empty() { "all of it".to_owned() } else { short(&part.place, 120) };
        let media = if part.content_type.is_empty() { String::new() } else { format!(" ({})", short(&part.content_type, 60)) };
        let more = if part.all { "" } else { " and more" };
        let taken = screen.paint(Style::Strong, &part.taken_by);
        screen.line(format_args!("{indent}{place}{media}, {}{more}: {taken}", size(part.bytes as u64)))?;
        let also = if part.also_likely.is_empty() {
            String::new()
        } else {
            format!("; also looked like {}", part.also_likely.join(", "))
        };
        let why = screen.paint(Style::Dim, &format!("{indent}  {}{also}", part.why));
        screen.line(why)?;
    }
    let came = match (view.format, view.set_aside, view.unreadable.as_str()) {
        (_, "", "") => format!("{}, {}", counted(view.reports, "report"), counted(view.rejects, "reject")),
        (_, aside, "") => format!("{aside}: it reports no abuse, and nobody has to look"),
        (_, _, why) => format!("a person has to look: {}", clean(why)),
    };
    let came = screen.paint(if view.unreadable.is_empty() { Style::Plain } else { Style::Alarm }, &came);
    screen.line(came)?;
    if let Some(map) = &view.map {
        draw_map(map, screen)?;
    }
    for shape in &view.columns {
        let feed = if shape.feed.is_empty() { String::new() } else { format!(" '{}'", short(&shape.feed, 60)) };
        screen.heading(&format!("Columns, as {}{feed} has them", shape.format))?;
        let mut table = Table::new(screen, &["the sender's name", "becomes"]);
        for column in &shape.columns {
            table.row([(Style::Strong, short(&column.name, 60)), (Style::Plain, short(&column.becomes, SHOWN))]);
        }
        table.write(screen)?;
    }
    for report in &view.first_reports {
        screen.heading(&format!("Report {} of {}", count(u64::from(report.ordinal) + 1), count(view.reports)))?;
        draw_report(report, screen)?;
    }
    if !view.first_rejects.is_empty() {
        screen.heading(&format!("Rejects: {}", count(view.rejects)))?;
        let mut table = Table::new(screen, &["place", "reason", "text"]);
        for reject in &view.first_rejects {
            table.row([
                (Style::Plain, short(&reject.place, 80)),
                (Style::Plain, short(&reject.reason, 200)),
                (Style::Dim, short(&reject.text, SHOWN)),
            ]);
        }
        table.write(screen)?;
    }
    if !view.notes.is_empty() {
        screen.heading("Notes")?;
        for note in &view.notes {
            let place = screen.paint(Style::Dim, &short(&note.place, 80));
            screen.line(format_args!("{place}  {}", short(&note.text, 400)))?;
        }
    }
    if !view.findings.is_empty() {
        screen.heading("What stands in its text, for a person to pick from")?;
        let mut table = Table::new(screen, &["=what", "value", ">sure", "place"]);
        for finding in &view.findings {
            let shown = finding.shown();
            table.row([
                (Style::Plain, shown.0.to_owned()),
                (Style::Plain, short(shown.1, SHOWN)),
                (Style::Dim, format!("{}%", shown.2)),
                (Style::Dim, short(shown.3, 80)),
            ]);
        }
        table.write(screen)?;
    }
    Ok(())
}

fn draw_report(report: &ReportView, screen: &mut Screen) -> Result<()> {
    let mut facts = vec![
        ("kind".to_owned(), report.kind.clone()),
        ("time".to_owned(), report.observed.clone().unwrap_or_else(|| "unknown".to_owned())),
        ("address".to_owned(), report.address.clone().unwrap_or_default()),
        ("port".to_owned(), report.port.map_or_else(String::new, |port| port.to_string())),
        ("confidence".to_owned(), report.confidence.map_or_else(String::new, |confidence| format!("{confidence}%"))),
    ];
    facts.extend(report.fields.iter().map(|field| {
        let value = field.value.as_str().map_or_else(|| field.value.to_string(), str::to_owned);
        let own = if field.own { " (its own name)" } else { "" };
        (format!("{}{own}", short(&field.name, 60)), short(&value, SHOWN))
    }));
    let facts: Vec<(&str, String)> = facts.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    Ok(screen.facts(&facts)?)
}

fn draw_map(map: &MapView, screen: &mut Screen) -> Result<()> {
    screen.heading("Your description")?;
    let mut table = Table::new(screen, &["column", "is"]);
    for (column, means) in &map.mapped {
        table.row([(Style::Strong, short(column, 60)), (Style::Plain, short(means, 60))]);
    }
    for missing in &map.missing {
        let perhaps = missing.perhaps.as_ref().map_or_else(String::new, |name| format!("; is it '{}'?", short(name, 60)));
        let what = format!("missing, to be {}{perhaps}", short(&missing.meant_as, 60));
        table.row([(Style::Strong, short(&missing.column, 60)), (Style::Alarm, what)]);
    }
    for column in &map.unmapped {
        table.row([(Style::Plain, short(column, 60)), (Style::Dim, "not described: kept under its own name".to_owned())]);
    }
    Ok(table.write(screen)?)
}
