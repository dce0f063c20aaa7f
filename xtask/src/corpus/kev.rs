//! CISA's catalogue of exploited vulnerabilities, beside its own count, and its CSV beside its JSON of the same commit.

use std::path::Path;

use parsers::sink::Collected;
use serde_json::Value;

use super::{Comparison, read_as, word};

/// Every entry of the catalogue is read, and both of its forms say the same.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let (outcome, sink) = read_as(path, bytes, |_| {});
    let mut comparison = Comparison::default();
    comparison.same("format", &outcome.format, &"kev");
    comparison.hold(sink.rejects.is_empty(), || format!("rejected: {:?}", sink.rejects.first()));
    let ours = &sink.advisories;
    comparison.same("entries", &Some(ours.len() as u64), &oracle["count"].as_u64());
    let complete = ours.iter().all(|one| one.exploited && one.released.is_some() && one.due.is_some());
    comparison.hold(complete, || "an entry is not exploited, or has no date".to_owned());
    if oracle["first"].is_string() {
        let ends = [ours.first(), ours.last()].map(|one| one.map_or("", |one| one.id.as_str()));
        comparison.same("first and last", &ends, &["first", "last"].map(|name| word(oracle, name)));
    }
    let other = path.with_extension(if path.extension().is_some_and(|end| end == "csv") { "json" } else { "csv" });
    if let Ok(bytes) = std::fs::read(&other) {
        let (_, others) = read_as(&other, &bytes, |_| {});
        // The JSON states when all of it was released, the CSV when each entry was added.
        let list = |sink: &Collected| {
            let all = sink.advisories.iter();
            super::misp::sorted(all.map(|one| format!("{} {} {:?} {}", one.id, one.title, one.due, one.ransomware)).collect())
        };
        let (ours, theirs): (Vec<String>, Vec<String>) = (list(&sink), list(&others));
        let differing = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        comparison.hold(ours == theirs, || format!("its other form says something else: {differing:?}"));
    }
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_kev_has_as_many_entries_as_it_states_in_both_forms() {
        let Some(sum) = super::super::walk("kev", compare) else { return };
        println!("kev: {} of {}", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
