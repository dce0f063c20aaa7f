//! Mails of notifiers: every address and time in their texts is found, and reports say what other readers read of the mails.

mod slow;

use std::collections::BTreeMap;
use std::path::Path;

use model::address::Address;
use model::report::{Place, Report, Word};
use model::time::Time;
use parsers::formats::free_text::findings;
use parsers::sink::{Collected, Finding, Found};
use serde_json::Value;

use super::{Comparison, RECEIVED, read_as, texts};

/// Each address and each time that a slow search finds in a text of the mail is one record; so is each field that a library
/// for YAML (X-ARF) or XML (ACNS) reads of it.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    found_in_text(bytes, &mut comparison);
    if let Some(fields) = oracle["xarf_0"]["fields"].as_object().filter(|fields| !fields.is_empty()) {
        // Senders with a format of their own are read by it; here the part of YAML alone is compared.
        let (_, sink) = read_as(path, bytes, |hint| hint.format = Some("xarf_0"));
        let Some(report) = only(&sink, &mut comparison) else { return comparison };
        let ours = x_arf(&report);
        for (name, value) in fields {
            let value = value.as_str().unwrap_or_default();
            let found = ours.get(&name.to_ascii_lowercase()).cloned().unwrap_or_default();
            let address = Address::parse(value.as_bytes()).map(|address| address.to_string());
            let holds = found == value || address.as_ref() == Some(&found) || name == "Date";
            comparison.hold(holds, || format!("X-ARF {name}: ours is {found:?}, theirs {value:?}"));
        }
        if let Some(date) = fields.get("Date").and_then(Value::as_str) {
            comparison.same("X-ARF date", &report.core.observed(), &independently(date));
        }
    }
    if let Some(fields) = oracle["acns"]["fields"].as_object() {
        let (_, sink) = read_as(path, bytes, |_| {});
        let Some(report) = only(&sink, &mut comparison) else { return comparison };
        let mut said: Vec<String> = report.fields().map(|(_, value)| value.text().to_owned()).collect();
        said.extend([report.core.address.to_string(), report.core.port.to_string()]);
        for (name, values) in fields {
            for value in texts(values) {
                let is_time = name == "TimeStamp" && Time::parse(value.as_bytes()) == report.core.observed();
                comparison.hold(is_time || said.contains(&value), || format!("ACNS {name}: {value:?} is nowhere"));
            }
        }
        let stated = |name: &str| fields.get(name).and_then(|values| values[0].as_str()).unwrap_or_default();
        comparison.same("ACNS address", &report.core.address.to_string().as_str(), &stated("IP_Address"));
        comparison.same("ACNS port", &report.core.port.to_string().as_str(), &stated("Port"));
        comparison.same("ACNS time", &report.core.observed(), &Time::parse(stated("TimeStamp").as_bytes()));
        comparison.same("ACNS identifier", &report.text(Word::REPORT_ID).unwrap_or_default(), &stated("ID"));
        let kind = if stated("Type") == "BitTorrent" { "copyright/p2p" } else { "copyright/copyright" };
        comparison.same("ACNS kind", &report.core.kind.to_string().as_str(), &kind);
    }
    comparison
}

/// The one report of a mail that is one statement.
fn only<'s>(sink: &'s Collected, comparison: &mut Comparison) -> Option<Report<'s>> {
    comparison.same("reports", &sink.reports().count(), &1);
    sink.reports().next()
}

fn found_in_text(bytes: &[u8], comparison: &mut Comparison) {
    let all = findings(bytes, RECEIVED);
    for text in slow::texts(bytes) {
        for address in slow::addresses(&text) {
            let shown = address.to_string();
            let has = |finding: &Finding| {
                let value = finding.value.trim_start_matches('[');
                let rest = value.strip_prefix(&shown);
                matches!(finding.what, Found::Address | Found::Prefix)
                    && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', ' ', ']']))
            };
            comparison.hold(all.iter().any(has), || format!("{shown} stands in the text and is not found"));
        }
        for time in slow::times(&text) {
            let has = all.iter().any(|finding| finding.what == Found::Time && finding.value == time);
            comparison.hold(has, || format!("{time} stands in the text and is not found"));
        }
    }
}

/// A time by another library than ours.
fn independently(text: &str) -> Option<Time> {
    let stamp = text.parse::<jiff::Timestamp>().or_else(|_| jiff::fmt::rfc2822::parse(text).map(|zoned| zoned.timestamp()));
    Some(Time(stamp.ok()?.as_millisecond()))
}

/// The fields of an X-ARF report by the names that the sender gave them.
fn x_arf(report: &Report<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let text = |word: Word| report.text(word).unwrap_or_default().to_owned();
    let address = (report.core.address != Address::NONE).then(|| report.core.address.to_string());
    found.insert("source".to_owned(), address.unwrap_or_else(|| text(Word::URL)));
    found.insert("download-link".to_owned(), text(Word::URL));
    found.insert("domain".to_owned(), text(Word::DOMAIN));
    found.insert("report-id".to_owned(), text(Word::REPORT_ID));
    found.insert("service".to_owned(), text(Word::SERVICE));
    found.insert("reported-from".to_owned(), text(Word::REPORTER_CONTACT));
    let own = (report.core.port != 0).then(|| report.core.port.to_string());
    let port = own.unwrap_or_else(|| text(Word::DESTINATION_PORT));
    found.insert("port".to_owned(), port.clone());
    found.insert("download-port".to_owned(), port);
    for (word, value) in report.fields() {
        if let (name, Place::Extra) = report.name(word)
            && let Some(name) = name.strip_prefix("x-arf.")
        {
            found.insert(name.to_owned(), value.text().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_nothing_in_mails_of_notifiers_is_passed_over() {
        let Some(sum) = super::super::walk("mail-notifier", compare) else { return };
        println!("mail-notifier: {} of {}", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
