//! Feeds, beside the records that IntelMQ's parser bots make of the same files.

mod described;
mod fields;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

pub(super) use described::of as declared;

use super::{Comparison, read_as, stated, word};

/// Where we mean to differ: the beginning of a path, a field, what the oracle has there (or nothing in particular), and why.
const INTENDED: &[(&str, &str, &str, &str)] = &[
    ("feeds/abusech/feodotracker", "time", "", "a report is of when the server was last seen; first_seen has the oracle's time"),
    ("feeds/alienvault/test_parser_otx", "time", "2016-11-01T22:02:00Z", "the oracle misreads times without a fraction"),
    ("feeds/alienvault/test_parser_otx", "time", "2016-11-03T20:01:00Z", "the oracle misreads times without a fraction"),
    ("feeds/alienvault/test_parser_otx", "time", "2017-06-15T05:01:00Z", "the oracle misreads times without a fraction"),
    ("feeds/bambenek/", "status", "", "a word of the oracle's own"),
    ("feeds/blocklistde/", "description", "", "a sentence of the oracle's own"),
    ("feeds/cleanmx/", "status", "online", "the oracle's word for the sender's 'up', which is kept"),
    ("feeds/cymru/certname", "destination_port", "0", "there is no port 0"),
    ("feeds/dataplane/", "description", "", "a sentence of the oracle's own"),
    ("feeds/dyn/", "description", "", "a sentence of the oracle's own"),
    ("feeds/fraunhofer/", "type", "", "names that malware makes up are foretold: nobody says that a server is there"),
    ("feeds/html_table/", "type", "", "a description says the kind in the words of XARF"),
    (
        "feeds/html_table/html_table.data",
        "time",
        "",
        "days after months are read as they are described; the oracle guessed months first",
    ),
    ("feeds/n6/", "identifier", "", "a word of the other program's own"),
    ("feeds/n6/", "malware", "", "the oracle leaves out what is not ASCII; the description has it whole, and so have we"),
    ("feeds/netlab_360/", "type", "", "names that malware makes up are foretold: nobody says that a server is there"),
    ("feeds/netlab_360/", "identifier", "", "the family is malware_family"),
    ("feeds/shodan/", "source_fqdn", "", "the domain of a host name is kept under its own name: a banner is no site"),
    ("feeds/spamhaus/", "type", "", "it is the listing that is told, and not spam of the whole system"),
    ("feeds/zoneh/", "application", "", "the scheme of the location says it"),
];

/// Where we mean to read another number of reports: a path, our number, and why.
const COUNTS: &[(&str, usize, &str)] = &[
    ("feeds/n6/n6stomp-test_blacklist.json", 1, "an event with addresses is not told once more without one"),
    ("feeds/surbl/test_surbl.data", 0, "its names have one label, so they lead to nobody and are rejects"),
    ("feeds/threatminer/test_threatminer.data", 20, "the addresses of the page are read beside its names"),
];

/// Compares each report with the record of the oracle at the same place.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let named = word(oracle, "path");
    let declared = declared(named);
    let (outcome, collected) = read_as(path, bytes, stated(oracle, declared.as_ref()));
    let none = Vec::new();
    let records = oracle["records"].as_array().unwrap_or(&none);
    let mut comparison = Comparison { total: records.len(), ..Comparison::default() };
    let reports: Vec<_> = collected.reports().collect();
    match COUNTS.iter().find(|(known, ..)| *known == named) {
        Some((_, count, why)) if *count == reports.len() => {
            comparison.excused = records.len().saturating_sub(reports.len());
            comparison.meant.push(format!("{count} reports for {} records: {why}", records.len()));
        }
        None if reports.len() == records.len() => {}
        _ => comparison.differences.push(format!(
            "{} reports for {} records, read as '{}' {} {}",
            reports.len(),
            records.len(),
            outcome.format,
            outcome.unreadable,
            collected.rejects.first().map_or("", |reject| reject.reason.as_str())
        )),
    }
    let mut meant: BTreeMap<String, usize> = BTreeMap::new();
    for (at, (report, record)) in reports.iter().zip(records).enumerate() {
        let mut alike = true;
        for (field, theirs, ours) in fields::differences(report, record) {
            let mut known = INTENDED.iter().filter(|(begin, known, ..)| named.starts_with(begin) && field == *known);
            if let Some((.., why)) = known.find(|(_, _, value, _)| value.is_empty() || theirs == *value) {
                *meant.entry(format!("{field}: {why}")).or_default() += 1;
                continue;
            }
            alike = false;
            comparison.differences.push(format!("record {at}: {field}: ours is {ours:?}, theirs {theirs:?}"));
        }
        comparison.matched += usize::from(alike);
    }
    comparison.meant.extend(meant.into_iter().map(|(what, count)| format!("{what} ({count} records)")));
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_feeds_become_the_records_of_the_oracle() {
        let Some(sum) = super::super::walk("feeds", compare) else { return };
        println!("feeds: {} of {} records, {} read in another way", sum.matched, sum.total, sum.excused);
        assert!(sum.differences.is_empty() && sum.matched + sum.excused == sum.total, "{:#?}", sum.differences);
    }
}
