//! What all fuzz targets share: reading a submission or an administration, and what has to hold of any bytes at all.

use model::administration::Snapshot;
use model::time::Time;
use parsers::administration::Finding;
use parsers::formats::Format;
use parsers::formats::csv::Declared;
use parsers::formats::shadowserver::Maps;
use parsers::read::read;
use parsers::sink::Collected;
use parsers::source::{Hint, Limits};
use parsers::write::xarf::{self, Ids};

/// How bytes are handed in.
#[derive(Clone, Copy, Default)]
pub struct As<'a> {
    /// The name they come under.
    pub name: &'a str,
    /// The media type a container would state.
    pub content_type: &'a str,
    /// Where they were fetched.
    pub location: &'a str,
    /// The format that is forced on them.
    pub format: Option<&'a str>,
    /// A description of a CSV.
    pub declared: Option<&'a Declared>,
}

/// Reads bytes, and asserts what holds of any submission: every statement is a report or a reject and is told once, a
/// reject gives a reason and at most 4 KiB of text, and every report can be written as a line of JSON.
pub fn submission(bytes: &[u8], how: As<'_>) {
    // Bounds that a few kilobytes of input can reach, so that what lies behind them is tried too.
    let limits = Limits { line: 4 << 10, whole: 1 << 20, parts: 50, unpacked: 4 << 20, ..Limits::default() };
    let received = Time(1_772_600_767_000);
    let As { name, content_type, location, format, declared } = how;
    let hint = Hint { name, content_type, location, kind: None, format, received, maps: Maps::builtin(), declared, limits };
    let mut collected = Collected::default();
    let outcome = match read(&mut &*bytes, &hint, &mut collected) {
        Ok(outcome) => outcome,
        Err(stop) => panic!("bytes in memory do not fail, and this sink never stops: {stop:?}"),
    };
    let mut places: Vec<u32> = collected.reports().map(|report| report.core.ordinal).collect();
    places.extend(collected.rejects.iter().map(|reject| reject.ordinal));
    places.sort_unstable();
    assert!(places.into_iter().eq(0..outcome.statements), "a statement is told twice or not at all");
    for reject in &collected.rejects {
        assert!(!reject.reason.is_empty() && reject.text.len() <= 3 * parsers::read::REJECT_TEXT, "{reject:?}");
    }
    let ids = Ids { fallback_report_id: "00000000-0000-4000-8000-000000000000".to_owned(), received };
    let mut line = Vec::new();
    for report in collected.reports() {
        line.clear();
        xarf::write(&report, &ids, &mut line);
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1, "a report is one line");
        if let Err(error) = serde_json::from_slice::<serde_json::Value>(&line) {
            panic!("{error}: {}", String::from_utf8_lossy(&line));
        }
    }
}

/// Asserts what holds of any administration: periods and ranges are in order, and findings say something.
pub fn administration((snapshot, findings): (Snapshot, Vec<Finding>)) {
    for assignment in &snapshot.assignments {
        assert!(!assignment.party.is_empty() && !assignment.period.is_empty(), "{assignment:?}");
    }
    for finding in &findings {
        assert!(!finding.reason.is_empty() && finding.text.len() <= 1024, "{finding:?}");
    }
    let changes = model::administration::compare(&model::administration::Known::default(), &snapshot, Time(1_772_600_767_000));
    assert!(changes.ended.is_empty() && changes.superseded.is_empty(), "nothing was known that could end");
}

/// The format that the first line names, and what follows that line. A name that is nobody's stands for any format.
pub fn named<'b>(bytes: &'b [u8], formats: &[&'static Format]) -> (&'static str, &'b [u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (name, rest) = bytes.split_at(end);
    let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    let any = name.iter().map(|byte| usize::from(*byte)).sum::<usize>() % formats.len().max(1);
    let found = formats.iter().find(|format| format.name.as_bytes() == name).or(formats.get(any));
    (found.map_or("", |format| format.name), rest)
}
