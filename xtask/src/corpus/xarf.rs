//! XARF samples: our verdict beside that of the specification's schemas, and whether what is valid becomes a report.

use std::path::Path;

use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::formats::xarf::check::{Verdict, verdict, verdict_v3};
use parsers::read::read;
use parsers::sink::Collected;
use parsers::source::{Hint, Limits};
use parsers::write::xarf::{Ids, write};
use serde_json::Value;

use super::Comparison;

type Judge = fn(&[u8]) -> Verdict;

/// Compares one sample with its line of the oracle.
///
/// The oracle holds a verdict by each schema that fits the sample's version, and what another converter made of a
/// version 3. Each is one record. A valid sample that does not become exactly one report is a difference.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    let mut valid = false;
    let schemas: [(&str, Judge); 2] = [("jsonschema_v4_master", verdict), ("jsonschema_v3_legacy", verdict_v3)];
    for (name, judge) in schemas {
        let Some(theirs) = oracle[name]["valid"].as_bool() else { continue };
        let ours = judge(bytes);
        valid |= ours.valid;
        let broken = ours.violations.first().map(ToString::to_string).unwrap_or_default();
        record(&mut comparison, ours.valid == theirs, || {
            format!("{name}: valid is {theirs} there and {} here {broken}", ours.valid)
        });
    }
    let (reports, rejects) = reports(path, bytes);
    if valid && (reports.len() != 1 || !rejects.is_empty()) {
        comparison.differences.push(format!("it is valid, but is not one report: {}", rejects.join("; ")));
    }
    let converted = &oracle["v3_to_v4"];
    if converted["category"].is_string() {
        let ours = reports.first().unwrap_or(&Value::Null);
        let differing: Vec<_> = ["category", "type", "source_identifier", "timestamp", "reporter"]
            .into_iter()
            .filter(|name| {
                ours[*name] != converted[*name] && !(*name == "timestamp" && same_time(&ours[*name], &converted[*name]))
            })
            .map(|name| format!("{name} is {} there and {} here", converted[name], ours[name]))
            .collect();
        record(&mut comparison, differing.is_empty(), || format!("converted: {}", differing.join(", ")));
    }
    comparison
}

/// Whether two texts are one instant, however they spell it.
fn same_time(one: &Value, other: &Value) -> bool {
    let time = |value: &Value| value.as_str().and_then(|text| Time::parse(text.as_bytes()));
    time(one).is_some() && time(one) == time(other)
}

fn record(comparison: &mut Comparison, equal: bool, difference: impl FnOnce() -> String) {
    comparison.total += 1;
    if equal {
        comparison.matched += 1;
    } else {
        comparison.differences.push(difference());
    }
}

/// The reports that we read, as we write them, and the reasons of what we reject.
fn reports(path: &Path, bytes: &[u8]) -> (Vec<Value>, Vec<String>) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let maps = Maps::default();
    let hint = Hint {
        name: &name,
        content_type: "",
        location: "",
        kind: None,
        format: None,
        received: Time(0),
        maps: &maps,
        declared: None,
        limits: Limits::default(),
    };
    let mut sink = Collected::default();
    if read(&mut { bytes }, &hint, &mut sink).is_err() {
        return (Vec::new(), vec!["reading stopped".to_owned()]);
    }
    let ids = Ids { fallback_report_id: "00000000-0000-4000-8000-000000000000".to_owned(), received: Time(0) };
    let written = sink.reports().map(|report| {
        let mut line = Vec::new();
        write(&report, &ids, &mut line);
        serde_json::from_slice(&line).unwrap_or(Value::Null)
    });
    let written = written.collect();
    (written, sink.rejects.into_iter().map(|reject| reject.reason).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_wrong_verdict_is_a_difference() {
        let oracle = json!({"jsonschema_v4_master": {"valid": true}, "v3_to_v4": {"error": "none"}});
        let comparison = compare(Path::new("a.json"), b"{\"xarf_version\":\"4.2.0\"}", &oracle);
        assert_eq!((comparison.matched, comparison.total, comparison.differences.len()), (0, 1, 1));
    }

    #[test]
    fn shared_vectors_agree() {
        let Some(all) = crate::corpus::walk("xarf", compare) else { return };
        println!("{} of {} in {} files", all.matched, all.total, all.files);
        assert!(all.differences.is_empty(), "{:#?}", all.differences);
    }
}
