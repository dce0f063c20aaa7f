//! CSAF documents, beside the labels of the standard's own test suite and what each document states of itself.

use std::collections::BTreeSet;
use std::path::Path;

use model::time::Time;
use serde_json::Value;

use super::{Comparison, read_as, texts};

/// A document that its authors call valid is read whole, with the identifiers, times and counts that it states.
///
/// Documents that break a mandatory test of the standard may be refused; all others are valid.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let (outcome, sink) = read_as(path, bytes, |_| {});
    let mut comparison = Comparison::default();
    let kind = oracle["kind"].as_str().unwrap_or("csaf");
    if kind != "csaf" {
        let aside = outcome.format == "csaf" && !outcome.aside.is_empty() && sink.advisories.is_empty();
        comparison.hold(aside, || format!("a {kind} is set aside: {outcome:?}"));
        return comparison;
    }
    let valid = oracle["labels"].as_array().into_iter().flatten().all(|label| label["valid"] == true);
    if valid {
        let read = outcome.format == "csaf" && sink.rejects.is_empty() && !sink.advisories.is_empty();
        let reason = || sink.rejects.first().map_or(outcome.unreadable.as_str(), |reject| reject.reason.as_str()).to_owned();
        comparison.hold(read, || format!("it is valid, and not read: {}", reason()));
    }
    let ours = &sink.advisories;
    if let Some(count) = oracle["vulnerabilities"].as_u64() {
        comparison.same("vulnerabilities", &(ours.len() as u64), &count.max(1));
    }
    if oracle["cves"].is_array() {
        let found: BTreeSet<String> = ours.iter().filter_map(|one| Some(one.cve?.to_string())).collect();
        comparison.same("CVEs", &found, &texts(&oracle["cves"]).into_iter().collect());
    }
    if let Some(id) = oracle["tracking_id"].as_str() {
        comparison.hold(ours.iter().all(|one| one.id == id), || format!("the identifier is not {id}"));
    }
    if let Some(release) = oracle["current_release_date"].as_str().and_then(|date| Time::parse(date.as_bytes())) {
        comparison.hold(ours.iter().all(|one| one.released == Some(release)), || format!("not all are of {release}"));
    }
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_csaf_documents_are_read_as_their_authors_label_them() {
        let Some(sum) = super::super::walk("csaf", compare) else { return };
        println!("csaf: {} of {}", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
