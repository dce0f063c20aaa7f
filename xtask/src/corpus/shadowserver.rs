//! Shadowserver CSV against the records that IntelMQ's parser reads of the same file.
//!
//! Compared is what a field means, not how it is written: names of malware, hosts and labels without regard to case.
//! A value the oracle does not have, and we do, is a difference too, except where its maps have no place for it
//! ([`ours_alone`]).

use std::path::Path;

use model::address::Address;
use model::report::{Place, Report, Word};
use model::resource::DomainName;
use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::sink::Collected;
use parsers::source::{Hint, Limits};
use serde_json::Value;

use super::Comparison;

/// Fields that are compared, by the oracle's names.
const FIELDS: [&str; 24] = [
    "time",
    "source_ip",
    "source_port",
    "source_reverse_dns",
    "asn",
    "cc",
    "transport",
    "application",
    "malware",
    "taxonomy",
    "type",
    "identifier",
    "source_fqdn",
    "source_url",
    "source_network",
    "destination_ip",
    "destination_port",
    "destination_fqdn",
    "destination_url",
    "tag",
    "infection",
    "description",
    "md5",
    "sha256",
];

/// Reads a sample as `sluis read` does.
pub(crate) fn read(path: &Path, bytes: &[u8]) -> (String, Collected) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let hint = Hint {
        name: &name,
        content_type: "",
        location: "",
        kind: None,
        format: None,
        received: Time(1_767_225_600_000),
        maps: Maps::builtin(),
        declared: None,
        limits: Limits::default(),
    };
    let mut sink = Collected::default();
    let format = match parsers::read::read(&mut &bytes[..], &hint, &mut sink) {
        Ok(outcome) => outcome.format.to_owned(),
        Err(error) => format!("{error:?}"),
    };
    (format, sink)
}

/// Compares a sample with its line of `ORACLE.jsonl`. Lines without `count` have no records to compare: there, every row
/// must be a report or a reject.
pub(crate) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    if oracle["count"].is_null() && oracle["records"].is_null() {
        return rows(path, bytes, oracle);
    }
    let empty = Vec::new();
    let expected = oracle["records"].as_array().unwrap_or(&empty);
    let total = oracle["count"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(expected.len());
    let mut comparison = Comparison { total, ..Comparison::default() };
    let (format, sink) = read(path, bytes);
    if format != "shadowserver" {
        comparison.differences.push(format!("read as '{format}'"));
    }
    let reports: Vec<Report<'_>> = sink.reports().collect();
    if reports.len() != total {
        comparison.differences.push(format!("{} reports, the oracle has {total}", reports.len()));
        comparison.differences.extend(sink.rejects.iter().map(|reject| format!("rejected: {}: {}", reject.place, reject.reason)));
    }
    for (at, (report, expected)) in reports.iter().zip(expected).enumerate() {
        let before = comparison.differences.len();
        let others = expected.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        let others = others.filter(|key| !FIELDS.contains(key) && *key != "feed");
        for field in FIELDS.into_iter().chain(others) {
            let theirs = text(&expected[field]);
            let ours = ours(report, field);
            let ours_only = theirs.is_empty() && ours_alone(field, &ours, expected);
            if !same(field, &ours, &theirs) && !ours_only {
                comparison.differences.push(format!("record {at}: {field} is '{ours}', the oracle has '{theirs}'"));
            }
        }
        comparison.matched += usize::from(comparison.differences.len() == before);
    }
    comparison
}

fn rows(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let (_, sink) = read(path, bytes);
    let (reports, rejects) = (sink.reports().count(), sink.rejects.len());
    let mut comparison = Comparison::default();
    if oracle["csv"]["data_rows"].as_u64().is_some_and(|rows| rows != (reports + rejects) as u64) {
        let rows = &oracle["csv"]["data_rows"];
        comparison.differences.push(format!("{reports} reports and {rejects} rejects for {rows} rows"));
    }
    comparison
}

/// What we read that the oracle rightly lacks, for want of a place in its maps:
/// the page that refers to a sinkhole (its host is who must act), the name that malware looked up, an application named
/// by the row where the map keeps that column aside, labels that it uses for another field only, and names in reverse
/// DNS that are not domain names.
fn ours_alone(field: &str, ours: &str, expected: &Value) -> bool {
    match field {
        "source_ip" | "asn" | "cc" | "source_url" => expected["identifier"] == "sinkhole-http-referer",
        "source_fqdn" => expected["identifier"] == "sandbox-dns",
        "application" => true,
        "tag" => ["malware", "application", "identifier"].iter().any(|other| same("tag", ours, &text(&expected[*other]))),
        "infection" => same("identifier", ours, &text(&expected["identifier"])),
        "source_reverse_dns" => DomainName::parse(ours).is_none(),
        _ => false,
    }
}

fn same(field: &str, ours: &str, theirs: &str) -> bool {
    match field {
        "time" => Time::parse(ours.as_bytes()) == Time::parse(theirs.as_bytes()),
        "source_ip" | "destination_ip" => Address::parse(ours.as_bytes()) == Address::parse(theirs.as_bytes()),
        // Zero is no port.
        "source_port" | "destination_port" => ours.trim_start_matches('0') == theirs.trim_start_matches('0'),
        _ => ours.trim().trim_end_matches('.').eq_ignore_ascii_case(theirs.trim().trim_end_matches('.')),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Our value of the oracle's field; empty when there is none.
pub(crate) fn ours(report: &Report<'_>, field: &str) -> String {
    let core = report.core;
    let word = |word: Word| report.text(word).unwrap_or_default().to_owned();
    let named = |name: &str, place: Place| {
        let found = report.fields().find(|(word, _)| report.name(*word) == (name, place));
        found.map(|(_, value)| value.text().to_owned()).unwrap_or_default()
    };
    let extra = |name: &str| named(name, Place::Extra);
    let rsit = word(Word::RSIT);
    match field {
        "time" => core.observed().map(|time| time.to_string()).unwrap_or_default(),
        "source_ip" if core.address == Address::NONE => String::new(),
        "source_ip" => core.address.to_string(),
        "source_port" if core.port == 0 => String::new(),
        "source_port" => core.port.to_string(),
        "source_reverse_dns" => word(Word::REVERSE_DNS),
        "asn" => word(Word::ASN),
        "cc" => word(Word::COUNTRY),
        "transport" => word(Word::TRANSPORT),
        "application" => named("application", Place::Property),
        "malware" => word(Word::MALWARE_FAMILY),
        "taxonomy" => rsit.split('/').next().unwrap_or_default().to_owned(),
        "type" => rsit.split('/').nth(1).unwrap_or_default().to_owned(),
        "identifier" => word(Word::RSIT_IDENTIFIER),
        "source_fqdn" => word(Word::DOMAIN),
        "source_url" => word(Word::URL),
        "source_network" => Some(word(Word::SOURCE_IDENTIFIER)).filter(|text| text.contains('/')).unwrap_or_default(),
        "destination_ip" => word(Word::DESTINATION_IP),
        "destination_port" => word(Word::DESTINATION_PORT),
        "destination_fqdn" => named("destination_domain", Place::Property),
        "destination_url" => named("destination_url", Place::Property),
        "description" => word(Word::DESCRIPTION),
        "md5" | "sha1" | "sha256" => named(&format!("file_hashes.{field}"), Place::Property),
        "feed" => word(Word::FEED),
        "tag" => match extra("tag") {
            text if !text.is_empty() => text,
            _ => {
                let tags = report.fields().filter(|(word, _)| *word == Word::TAG);
                let labels: Vec<_> = tags.map(|(_, value)| value.text().trim_start_matches("shadowserver:")).collect();
                labels.join(";")
            }
        },
        // A column that a role took is found under that role.
        "family" => Some(extra("family")).filter(|text| !text.is_empty()).unwrap_or_else(|| word(Word::MALWARE_FAMILY)),
        "infection" => Some(extra("infection")).filter(|text| !text.is_empty()).unwrap_or_else(|| word(Word::RSIT_IDENTIFIER)),
        other => extra(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    fn shared() -> Option<PathBuf> {
        let shared = std::env::var_os("SLUIS_SHARED").map(PathBuf::from);
        if shared.is_none() {
            println!("skipped: SLUIS_SHARED names no folder with samples");
        }
        shared
    }

    #[test]
    fn vectors_shadowserver_csv() {
        let Some(shared) = shared() else { return };
        let corpus = shared.join("corpus");
        let (mut matched, mut total, mut differences) = (0, 0, Vec::new());
        let oracle = fs::read_to_string(corpus.join("shadowserver-csv/ORACLE.jsonl")).unwrap_or_default();
        for line in oracle.lines() {
            let oracle: Value = serde_json::from_str(line).unwrap();
            let path = corpus.join(oracle["path"].as_str().unwrap());
            let bytes = fs::read(&path).unwrap();
            if oracle["count"].is_null() {
                every_row_is_accounted_for(&path, &bytes);
                continue;
            }
            let comparison = compare(&path, &bytes, &oracle);
            matched += comparison.matched;
            total += comparison.total;
            let short = path.strip_prefix(&corpus).unwrap().display();
            differences.extend(comparison.differences.iter().map(|difference| format!("{short}: {difference}")));
        }
        println!("{matched} of {total} records");
        assert!(differences.is_empty() && matched == total, "{matched} of {total}\n{}", differences.join("\n"));
    }

    fn every_row_is_accounted_for(path: &Path, bytes: &[u8]) {
        let (format, sink) = read(path, bytes);
        let (reports, rejects) = (sink.reports().count(), sink.rejects.len());
        println!("{}: '{format}', {reports} reports, {rejects} rejects", path.display());
        if let Some(reject) = sink.rejects.first() {
            println!("   {}", reject.reason);
        }
        assert!(format != "shadowserver" || reports + rejects > 0);
    }

    /// Reads one row that has a telling value in every column the peer's map names, and compares where each went.
    #[test]
    fn vectors_shadowserver_maps() {
        let Some(shared) = shared() else { return };
        let folder = shared.join("corpus/schemas/shadowserver");
        let (mut types, mut fields, mut differences) = (0, 0, Vec::new());
        for entry in fs::read_dir(folder).unwrap() {
            let maps: Value = serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
            for (name, variants) in maps.as_object().unwrap() {
                let one = [variants.clone()];
                for variant in variants.as_array().map_or(&one[..], Vec::as_slice) {
                    types += 1;
                    fields += compare_map(name, variant, &mut differences);
                }
            }
        }
        println!("{types} maps, {fields} fields");
        assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
    }

    fn compare_map(name: &str, map: &Value, differences: &mut Vec<String>) -> usize {
        let listed = ["required_fields", "optional_fields"].into_iter().flat_map(|key| map[key].as_array().into_iter().flatten());
        let fields: Vec<(&str, &str)> =
            listed.filter_map(|field| Some((field.get(0)?.as_str()?, field.get(1)?.as_str()?))).collect();
        let mut columns: Vec<(&str, String)> = Vec::new();
        for (at, (field, column)) in fields.iter().enumerate() {
            if !columns.iter().any(|(name, _)| name == column) {
                columns.push((column, telling(field, column, at)));
            }
        }
        let header: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
        let row: Vec<&str> = columns.iter().map(|(_, value)| value.as_str()).collect();
        let text = format!("{}\n{}\n", header.join(","), row.join(","));
        let (format, sink) = read(Path::new(&format!("{name}.csv")), text.as_bytes());
        let Some(report) = sink.reports().next() else {
            differences.push(format!("{name}: read as '{format}', no report: {:?}", sink.rejects));
            return 0;
        };
        // Without a telling name, a header is known by its marks or not at all: never as another type's.
        let (_, by_header) = read(Path::new("report.csv"), text.as_bytes());
        let taken_for = by_header.reports().next().map(|report| ours(&report, "feed")).unwrap_or_default();
        let constant = text_of(&map["constant_fields"]["classification.identifier"]);
        if let Some(rules) = Maps::builtin().by_name(&taken_for)
            && !constant.is_empty()
            && rules.identifier != constant
        {
            differences.push(format!("{name}: by its header it is taken for {taken_for}"));
        }
        let value = |column: &str| columns.iter().find(|(name, _)| *name == column).map_or("", |(_, value)| value.as_str());
        for (field, column) in &fields {
            let key = match *field {
                "time.source" => "time",
                "source.ip" => "source_ip",
                "source.port" => "source_port",
                "source.asn" => "asn",
                "source.geolocation.cc" => "cc",
                "source.reverse_dns" => "source_reverse_dns",
                "source.fqdn" => "source_fqdn",
                "source.url" => "source_url",
                "protocol.transport" => "transport",
                "protocol.application" => "application",
                "malware.name" => "malware",
                "malware.hash.md5" => "md5",
                "malware.hash.sha256" => "sha256",
                "destination.ip" => "destination_ip",
                "destination.port" => "destination_port",
                "destination.fqdn" => "destination_fqdn",
                "destination.url" => "destination_url",
                "event_description.text" => "description",
                // Which identifier a vulnerable Exchange has is worked out from the label, not copied.
                "classification.identifier" if !name.ends_with("_exchange") => "identifier",
                _ => continue,
            };
            let (ours, theirs) = (ours(&report, key), value(column));
            if !same(key, &ours, theirs) {
                differences.push(format!("{name}: {key} is '{ours}', the map takes '{theirs}' of '{column}'"));
            }
        }
        for (key, field) in [
            ("classification.taxonomy", "taxonomy"),
            ("classification.type", "type"),
            ("classification.identifier", "identifier"),
            ("protocol.transport", "transport"),
            ("protocol.application", "application"),
        ] {
            let theirs = text_of(&map["constant_fields"][key]);
            if !theirs.is_empty() && !same(field, &ours(&report, field), &theirs) {
                differences.push(format!("{name}: {field} is '{}', the map says '{theirs}'", ours(&report, field)));
            }
        }
        // And nothing is lost: every value stands somewhere.
        let everything: Vec<String> = report.fields().map(|(_, value)| value.text().to_ascii_lowercase()).collect();
        let core =
            [ours(&report, "time").replace('T', " ").replace('Z', ""), ours(&report, "source_ip"), ours(&report, "source_port")];
        for (column, value) in &columns {
            let value = value.to_ascii_lowercase();
            if !everything.iter().any(|other| other.contains(&value)) && !core.contains(&value) {
                differences.push(format!("{name}: '{value}' of '{column}' is lost"));
            }
        }
        fields.len()
    }

    /// A value of the form that a field of the peer's map asks for, unlike that of other columns.
    fn telling(field: &str, column: &str, at: usize) -> String {
        match field {
            "time.source" => "2026-03-04 05:06:07".to_owned(),
            "source.ip" => format!("192.0.2.{at}"),
            "destination.ip" => format!("198.51.100.{at}"),
            "source.port" | "destination.port" => format!("{}", 1_000 + at),
            "source.asn" => format!("{}", 64_500 + at),
            "source.geolocation.cc" => "NL".to_owned(),
            "source.reverse_dns" | "source.fqdn" | "destination.fqdn" => format!("name{at}.example"),
            "source.url" | "destination.url" => format!("http://url{at}.example/x"),
            "malware.hash.md5" => format!("{at:032x}"),
            "malware.hash.sha256" => format!("{at:064x}"),
            "source.network" | "destination.network" => "203.0.113.0/24".to_owned(),
            "protocol.transport" => "udp".to_owned(),
            _ if column == "http_referer_ip" => format!("192.0.2.{at}"),
            _ => format!("{}-{at}", column.replace('_', "-")),
        }
    }

    fn text_of(value: &Value) -> String {
        text(value)
    }

    /// Whatever a sample says, its reports have the properties that XARF v4 requires of their kind.
    #[test]
    fn vectors_shadowserver_xarf() {
        let Some(shared) = shared() else { return };
        let mut required: Vec<(String, Vec<String>)> = Vec::new();
        for entry in fs::read_dir(shared.join("corpus/schemas/xarf/v4/types")).into_iter().flatten() {
            let schema: Value = serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
            let parts = || std::iter::once(&schema).chain(schema["allOf"].as_array().into_iter().flatten());
            let constant = |name: &str| parts().find_map(|part| part["properties"][name]["const"].as_str()).unwrap_or("content");
            let names = parts().flat_map(|part| part["required"].as_array().into_iter().flatten());
            let names = names.filter_map(|name| name.as_str().map(str::to_owned)).collect();
            required.push((format!("{}/{}", constant("category"), constant("type")), names));
        }
        assert!(!required.is_empty());
        let mut missing = std::collections::BTreeMap::new();
        for folder in fs::read_dir(shared.join("corpus/shadowserver-csv")).unwrap().map(|entry| entry.unwrap().path()) {
            for path in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
                let (_, sink) = read(&path, &fs::read(&path).unwrap());
                for report in sink.reports() {
                    let kind = report.core.kind.to_string();
                    let names = required.iter().filter(|(other, _)| *other == kind).flat_map(|(_, names)| names);
                    let content = if kind.starts_with("content/") { Some("url".to_owned()) } else { None };
                    for name in names.chain(content.iter()) {
                        let has = report.fields().any(|(word, _)| report.name(word) == (name.as_str(), Place::Property));
                        if !has {
                            let short = path.file_name().unwrap().to_string_lossy().into_owned();
                            *missing.entry(format!("{short}: {kind} without {name}")).or_insert(0) += 1;
                        }
                    }
                }
            }
        }
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
