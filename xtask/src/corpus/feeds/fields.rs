//! Compares reports with what another program made of the same rows.

use model::address::Address;
use model::report::{Report, Word};
use model::resource::Url;
use model::time::Time;
use serde_json::Value;

/// The fields in which a report differs from a record of the oracle: the field, what the oracle has, what the report has.
pub(super) fn differences(report: &Report<'_>, record: &Value) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for (field, value) in record.as_object().into_iter().flatten() {
        let expected = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if let Some(found) = differs(report, field, &expected) {
            all.push((field.clone(), expected, found));
        }
    }
    all
}

/// What the report has instead; `None` when it has the same.
fn differs(report: &Report<'_>, field: &str, expected: &str) -> Option<String> {
    let text = |word: Word| report.text(word).unwrap_or_default().to_owned();
    let named = |name: &str| {
        let found = report.fields().find(|(word, _)| report.name(*word).0 == name);
        found.map_or(String::new(), |(_, value)| value.text().to_owned())
    };
    let same = |found: String| (!found.eq_ignore_ascii_case(expected)).then_some(found);
    match field {
        // What the operator of the other program called the feed.
        "feed" => None,
        "time" => {
            let wanted = Time::parse(expected.as_bytes());
            // What a program keeps of a second is its own affair; milliseconds are the finest that we keep.
            let whole = |time: Time| if expected.contains('.') { time } else { Time(time.0.div_euclid(1_000) * 1_000) };
            let found = report.core.observed().map(whole);
            let near = wanted.zip(found).is_some_and(|(wanted, found)| (wanted.0 - found.0).abs() <= 1);
            (!near).then(|| found.map_or(String::new(), |time| time.to_string()))
        }
        "source_ip" => {
            let wanted = Address::parse(expected.as_bytes());
            (wanted != Some(report.core.address)).then(|| report.core.address.to_string())
        }
        "source_port" => same(report.core.port.to_string()),
        "source_network" => same(text(Word::SOURCE_IDENTIFIER)).and_then(|_| same(named("source.network"))),
        "source_url" => same(text(Word::URL)),
        // The name may be said by the location alone.
        "source_fqdn" => same(text(Word::DOMAIN)).and_then(|found| {
            let host = Url::parse(&text(Word::URL)).map(|url| url.host().to_string());
            (!host.is_some_and(|host| host.eq_ignore_ascii_case(expected))).then_some(found)
        }),
        "source_reverse_dns" => same(text(Word::REVERSE_DNS)),
        "asn" => same(text(Word::ASN)),
        "cc" => same(text(Word::COUNTRY)),
        "destination_ip" => same(text(Word::DESTINATION_IP)),
        "destination_port" => same(text(Word::DESTINATION_PORT)),
        "destination_fqdn" => same(named("destination_domain")),
        "destination_url" => same(named("destination_url")),
        "transport" => same(text(Word::TRANSPORT)),
        "application" => same(named("application")),
        "malware" => same(text(Word::MALWARE_FAMILY)),
        "md5" | "sha1" | "sha256" => same(named(&format!("file_hashes.{field}"))),
        "type" => same(text(Word::RSIT).split_once('/').map_or(String::new(), |(_, name)| name.to_owned())),
        "taxonomy" => same(text(Word::RSIT).split_once('/').map_or(String::new(), |(name, _)| name.to_owned())),
        "identifier" => same(text(Word::RSIT_IDENTIFIER)),
        // What the source says in its own words stands somewhere.
        _ => {
            let wanted = expected.to_lowercase();
            let somewhere = report.fields().any(|(_, value)| value.text().to_lowercase().contains(&wanted));
            (!somewhere).then(|| "(nowhere)".to_owned())
        }
    }
}
