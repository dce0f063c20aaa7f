//! STIX bundles, beside plain counts of what stands in them.

use std::path::Path;

use model::report::{Report, Word};
use parsers::formats::exchange::stix;
use serde_json::Value;

use super::misp::{DEPTH, canonical, numbers, place, sorted};
use super::{Comparison, read_as, word};

/// Compares the counts of a bundle, and looks for a report or a reject of every value of its patterns that is about the network.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let (outcome, sink) = read_as(path, bytes, |_| {});
    let mut comparison = Comparison::default();
    comparison.same("format", &outcome.format, &"stix");
    let Some(counts) = stix::count(&String::from_utf8_lossy(bytes), DEPTH) else {
        comparison.hold(false, || "it is no bundle".to_owned());
        return comparison;
    };
    comparison.same("objects", &Some(counts.objects as u64), &oracle["objects"].as_u64());
    comparison.same("types", &counts.by_type, &numbers(&oracle["by_type"]));
    let of = |name: &str, words: &[&str]| -> Vec<Vec<String>> {
        let all = oracle[name].as_array().into_iter().flatten();
        sorted(all.map(|one| words.iter().map(|name| word(one, name).to_owned()).collect()).collect())
    };
    let ours = counts.patterns.iter().map(|(id, pattern, from)| vec![id.clone(), pattern.clone(), from.clone()]);
    comparison.same("patterns", &sorted(ours.collect()), &of("patterns", &["id", "pattern", "valid_from"]));
    let ours = counts.network.iter().map(|(kind, value)| vec![kind.clone(), value.clone()]);
    comparison.same("observables", &sorted(ours.collect()), &of("network_observables", &["type", "value"]));
    let domain = |report: &Report<'_>| report.text(Word::DOMAIN).unwrap_or("").to_owned();
    let places: Vec<String> = sink.reports().flat_map(|report| [place(&report), domain(&report)]).collect();
    for (id, pattern, _) in &counts.patterns {
        for value in network_values(pattern) {
            let wanted = canonical(&value);
            let read = places.iter().any(|place| *place == wanted || place.starts_with(&format!("{wanted}:")));
            let refused = sink.rejects.iter().any(|reject| reject.text == value);
            comparison.hold(read || refused, || format!("{value} of {id} in {pattern} is nowhere"));
        }
    }
    comparison
}

/// Values in a pattern that are compared with a place on the network, found without our reader of patterns.
fn network_values(pattern: &str) -> Vec<String> {
    let paths = ["ipv4-addr:value = '", "domain-name:value = '", "url:value = '", "dst_ref.value = '"];
    let mut values = Vec::new();
    for path in paths {
        let after = pattern.split(path).skip(1);
        values.extend(after.filter_map(|rest| rest.split('\'').next()).map(str::to_owned));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_stix_counts_are_those_of_others() {
        let Some(sum) = super::super::walk("stix", compare) else { return };
        println!("stix: {} of {}", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
