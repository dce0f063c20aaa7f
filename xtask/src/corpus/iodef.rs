//! IODEF documents, beside what an XML library reads of them.

use std::collections::BTreeSet;
use std::path::Path;

use model::report::Word;
use model::time::Time;
use serde_json::Value;

use super::{Comparison, extra, read_as, texts};

/// Compares the addresses of all reports, and what the document says of its incident as the first report has it.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let (outcome, sink) = read_as(path, bytes, |_| {});
    let mut comparison = Comparison::default();
    comparison.same("format", &outcome.format, &"iodef");
    let reports: Vec<_> = sink.reports().collect();
    let addresses: Vec<String> = reports.iter().map(|report| report.core.address.to_string()).collect();
    comparison.same("addresses", &addresses, &texts(&oracle["addresses"]));
    let Some(report) = reports.first() else { return comparison };
    let mut ids = vec![report.text(Word::REPORT_ID).unwrap_or("").to_owned()];
    for name in ["iodef_alternative_ids", "iodef_related_ids"] {
        ids.extend(extra(report, name).split(", ").map(str::to_owned));
    }
    comparison.same("identifiers", &ids, &texts(&oracle["incident_ids"]));
    comparison.same("ports", &extra(report, "iodef_ports").to_owned(), &texts(&oracle["ports"]).join(","));
    let impacts: BTreeSet<String> = extra(report, "iodef_impact").split(", ").map(str::to_owned).collect();
    comparison.same("impacts", &impacts, &texts(&oracle["impacts"]).into_iter().collect());
    let times = texts(&oracle["report_time_utc"]);
    let theirs = times.first().and_then(|time| Time::parse(time.as_bytes()));
    comparison.same("time", &Time::parse(extra(report, "iodef_report_time").as_bytes()), &theirs);
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_iodef_is_read_as_others_read_it() {
        let Some(sum) = super::super::walk("iodef", compare) else { return };
        println!("iodef: {} of {}", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
