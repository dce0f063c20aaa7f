//! Reports as people and programs read them. Of child abuse material no location is shown.

use std::io;

use model::address::Address;
use model::report::{Core, Place, Report, Shape, Word};
use serde::Serialize;
use serde_json::Value;
use store::reports::{Kept, report_id};

use super::safe::{masked, short};
use super::screen::{Screen, Style};
use super::words::{moment, since};

/// Characters of a value that a person is shown.
const SHOWN: usize = 300;

/// One report, written out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReportView {
    /// Its public identifier.
    pub(crate) id: String,
    /// That of the submission it came in.
    pub(crate) submission: String,
    /// Its place there, from 0.
    pub(crate) ordinal: u32,
    /// When that arrived.
    pub(crate) received: String,
    /// When the abuse was seen, as the source states it.
    pub(crate) observed: Option<String>,
    /// The kind of abuse.
    pub(crate) kind: String,
    /// The address that is the source.
    pub(crate) address: Option<String>,
    /// The port there.
    pub(crate) port: Option<u16>,
    /// How sure the source is, in percent.
    pub(crate) confidence: Option<u8>,
    /// Who may see it.
    pub(crate) tlp: &'static str,
    /// What may be done with it.
    pub(crate) pap: &'static str,
    /// The other fields, in the order they were read.
    pub(crate) fields: Vec<FieldView>,
}

/// A field of a report.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FieldView {
    /// XARF's word, ours, or the source's own column.
    pub(crate) name: String,
    /// Whether it is a column that XARF has no word for.
    pub(crate) own: bool,
    /// The value.
    pub(crate) value: Value,
}

/// Writes out a report.
pub(crate) fn view(report: &Report<'_>, kept: &Kept) -> ReportView {
    let core = report.core;
    ReportView {
        id: report_id(kept.submission_public, kept.ordinal),
        submission: kept.submission_public.to_string(),
        ordinal: kept.ordinal,
        received: kept.received.to_string(),
        observed: core.observed().map(|time| time.to_string()),
        kind: core.kind.to_string(),
        address: (core.address != Address::NONE).then(|| core.address.to_string()),
        port: (core.port != 0).then_some(core.port),
        confidence: (core.confidence != Core::UNSTATED).then_some(core.confidence),
        tlp: core.tlp.word(),
        pap: core.pap.word(),
        fields: fields(report),
    }
}

/// The fields of a report beside its core, as they may be shown.
pub(crate) fn fields(report: &Report<'_>) -> Vec<FieldView> {
    let hidden = report.core.kind.is_child_abuse();
    let field = report.fields().map(|(word, value)| {
        let (name, place) = report.name(word);
        let text = |text: &str| Value::String(if hidden { hide(word, text) } else { text.to_owned() });
        let value = match value.shape {
            Shape::Text => text(value.text()),
            // JSON may have a location anywhere in it.
            Shape::Json if hidden => text(value.text()),
            Shape::Json => serde_json::from_str(value.text()).unwrap_or_else(|_| text(value.text())),
            Shape::Bytes => Value::String(format!("({} bytes)", value.bytes.len())),
        };
        FieldView { name: name.to_owned(), own: place == Place::Extra, value }
    });
    field.collect()
}

/// A location may stand without its scheme in the field that is for it.
fn hide(word: Word, text: &str) -> String {
    let text = masked(text);
    match text.split_once('/') {
        Some((host, _)) if word == Word::SOURCE_IDENTIFIER && !text.contains("://") => format!("{host}/…"),
        _ => text,
    }
}

/// What a case is about, as people may see it.
pub(crate) fn about(case: &model::case::Case) -> String {
    let about = case.key.about();
    if case.kind.is_child_abuse() { hide(Word::SOURCE_IDENTIFIER, &about) } else { about }
}

/// What a report is about, on one line.
pub(crate) fn subject(report: &Report<'_>) -> String {
    let core = report.core;
    let hidden = core.kind.is_child_abuse();
    let text = |word: Word| report.text(word).map(|text| if hidden { hide(word, text) } else { text.to_owned() });
    match (core.address, core.port) {
        (Address::NONE, _) => {
            text(Word::URL).or_else(|| text(Word::DOMAIN)).or_else(|| text(Word::SOURCE_IDENTIFIER)).unwrap_or_default()
        }
        (address, 0) => address.to_string(),
        (address, port) => format!("{address} port {port}"),
    }
}

/// Shows a report: what it states in one line, its fields under it.
pub(crate) fn draw(screen: &mut Screen, report: &Report<'_>, kept: &Kept) -> io::Result<()> {
    let shown = view(report, kept);
    let observed = report.core.observed().map_or_else(|| "at an unknown time".to_owned(), since);
    let title = screen.paint(Style::Strong, &format!("{} {} {observed}", shown.kind, subject(report)));
    let from = format!("  received {} in {} as number {}", moment(kept.received), shown.submission, kept.ordinal);
    let from = screen.paint(Style::Dim, &from);
    screen.line(title)?;
    screen.line(from)?;
    let confidence = shown.confidence.map_or_else(String::new, |confidence| format!("{confidence}%"));
    let labels = [report.core.tlp.to_string(), report.core.pap.to_string()].join(" ");
    let mut facts = vec![("  report", shown.id), ("  confidence", confidence), ("  labels", labels.trim().to_owned())];
    let fields: Vec<(String, String)> = shown
        .fields
        .iter()
        .map(|field| {
            let value = field.value.as_str().map_or_else(|| field.value.to_string(), str::to_owned);
            (format!("  {}", short(&field.name, 40)), short(&value, SHOWN))
        })
        .collect();
    facts.extend(fields.iter().map(|(name, value)| (name.as_str(), value.clone())));
    screen.facts(&facts)
}
