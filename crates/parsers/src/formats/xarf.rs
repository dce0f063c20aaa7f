//! XARF version 4, and version 3 converted to its words: JSON documents, arrays of them, or one a line.
//!
//! Reading is milder than the [`check::verdict`]: a report with a readable source and a known kind is a report even when
//! it breaks the schema, with a note that says how. Where an object has a name twice, the last one counts.

use std::borrow::Cow;

use memchr::memmem;

use super::{Fit, Format, Proven};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

pub mod check;
pub(crate) mod feed;
mod fields;
pub(crate) mod json;
mod rules;
mod rules_content;
mod rules_copyright;
mod shape;
pub(crate) mod text;
mod v3;
mod v4;

pub(crate) use json::compact;

use feed::{Feed, Layout, Piece};

/// XARF.
pub const FORMAT: Format = Format {
    name: "xarf",
    title: "XARF 4, and 1 to 3, JSON (https://xarf.org, xarf-spec 4.2)",
    senders: &["Abusix"],
    fields: &[
        ("source_identifier, SourceIp", "address"),
        ("source_port", "port"),
        ("timestamp, Date", "time"),
        ("category and type, ReportType", "kind"),
        ("every other", "its own name"),
    ],
    proven: Proven::By("XARF's authors, Abusix"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    let start = prefix.bytes.strip_prefix(feed::BOM).unwrap_or(prefix.bytes).trim_ascii_start();
    if !matches!(start.first(), Some(b'{' | b'[')) {
        return Fit::No;
    }
    let has = |name: &str| memmem::find(start, name.as_bytes()).is_some();
    let legacy =
        has("\"ReporterInfo\"") || has("\"Report\"") && (has("\"ReportType\"") || has("\"ReportClass\"") || has("\"Version\""));
    if has("\"xarf_version\"") || legacy {
        return Fit::Certain;
    }
    let current = has("\"source_identifier\"") && (has("\"category\"") || has("\"class\"") || has("\"report_id\""));
    let named = prefix.name.to_ascii_lowercase().contains("xarf");
    if current || named { Fit::Likely } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let limits = reading.hint.limits;
    let layout = Layout::of(source.prefix(), limits.json_depth);
    // One report is one place; more than one is told apart by line or by number.
    let alone = source.is_whole() && layout == Layout::Lines && !source.prefix().trim_ascii().contains(&b'\n');
    let mut feed = Feed::new(source);
    let mut reader = Reader::default();
    let (mut number, most) = (0u64, limits.whole.max(limits.line));
    loop {
        let piece = feed.next(layout, most)?;
        number += 1;
        let place = Where { layout, number, alone };
        match piece {
            Piece::End => {
                if feed.is_cut() {
                    reading.note("", "the array of reports has no end; some may be missing");
                }
                return Ok(());
            }
            Piece::TooLong(beginning) => {
                let ordinal = reading.ordinal();
                let reason = match layout {
                    Layout::Lines => format!("the line is longer than {most} bytes"),
                    _ => format!("the report is longer than {most} bytes, or does not end; nothing after it can be read"),
                };
                reading.reject(ordinal, &place.write(), &beginning, reason);
            }
            Piece::Report(range) => {
                let bytes = feed.bytes(&range).trim_ascii();
                if !bytes.is_empty() {
                    reader.statement(reading, bytes, place)?;
                }
            }
        }
    }
}

/// Where a report stands in its submission.
#[derive(Clone, Copy)]
struct Where {
    layout: Layout,
    number: u64,
    alone: bool,
}

impl Where {
    fn write(&self) -> String {
        match self.layout {
            _ if self.alone => String::new(),
            Layout::Lines => format!("line {}", self.number),
            Layout::Documents if self.number == 1 => String::new(),
            Layout::Array | Layout::Documents => format!("report {}", self.number),
        }
    }
}

/// What is reused from report to report.
#[derive(Default)]
struct Reader {
    document: json::Document,
    words: fields::Words,
    members: check::Members,
    violations: Vec<check::Violation>,
}

/// What became of a statement: the report's core, or the reason why there is none.
type Read = Result<model::report::Core, String>;

impl Reader {
    fn statement(&mut self, reading: &mut Reading<'_>, bytes: &[u8], place: Where) -> Result<(), Stop> {
        let ordinal = reading.ordinal();
        let text = String::from_utf8_lossy(bytes);
        let mut remarks = Vec::new();
        if matches!(text, Cow::Owned(_)) {
            remarks.push("it has bytes that are not UTF-8; they are replaced".to_owned());
        }
        if let Err(fault) = self.document.scan(&text, reading.hint.limits.json_depth) {
            let reason = format!("it is not JSON: byte {}: {}", fault.at, fault.what);
            reject(reading, ordinal, place, bytes, reason);
            return Ok(());
        }
        if self.document.is_mended() {
            remarks.push("it has halves of characters or numbers too large; they are replaced or kept as text".to_owned());
        }
        let read = if self.is_legacy(&text) {
            v3::read(self, reading.batch(), &text, ordinal, &mut remarks)
        } else {
            v4::read(self, reading.batch(), &text, ordinal, &mut remarks)
        };
        match read {
            Ok(core) => {
                if !remarks.is_empty() {
                    let place = place.write();
                    for remark in remarks {
                        reading.note(&place, remark);
                    }
                }
                reading.report(core)
            }
            Err(reason) => {
                reject(reading, ordinal, place, bytes, reason);
                Ok(())
            }
        }
    }

    fn is_legacy(&self, text: &str) -> bool {
        let has = |name| self.document.member(text, 0, name).is_some();
        !has("xarf_version") && (has("Report") || has("ReporterInfo"))
    }

    /// One note of all that breaks the schema.
    fn remark_violations(&self, remarks: &mut Vec<String>) {
        if !self.violations.is_empty() {
            let all: Vec<_> = self.violations.iter().map(ToString::to_string).collect();
            remarks.push(format!("it breaks XARF's schema: {}", all.join("; ")));
        }
    }
}

/// Sets a statement aside; the text of one that speaks of child abuse is not kept, as its evidence may stand in it.
fn reject(reading: &mut Reading<'_>, ordinal: u32, place: Where, bytes: &[u8], reason: String) {
    let lower = bytes.to_ascii_lowercase();
    let speaks = ["\"csam\"", "\"csem\"", "childsexual"].iter().any(|word| memmem::find(&lower, word.as_bytes()).is_some());
    let bytes: &[u8] = if speaks { b"(withheld: it speaks of child abuse material)" } else { bytes };
    reading.reject(ordinal, &place.write(), bytes, reason);
}
