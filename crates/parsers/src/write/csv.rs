//! Reports as CSV, in columns that `formats/csv.rs` reads again.
//!
//! Spreadsheets take a cell that begins with `=`, `+`, `-` or `@` for a formula, and what comes from outside may be one: such a
//! cell gets a leading `'`, also where another separator would make a cell begin.

use model::report::{Place, Word};

use super::Ids;
use super::facts::Facts;
use model::report::Report;

/// The columns, in their order.
pub const COLUMNS: &[&str] = &[
    "time",
    "ip",
    "port",
    "kind",
    "url",
    "domain",
    "malware",
    "cve",
    "service",
    "protocol",
    "description",
    "confidence",
    "tlp",
    "pap",
    "first_seen",
    "last_seen",
    "incidents",
    "asn",
    "country",
    "reverse_dns",
    "destination_ip",
    "destination_port",
    "report_id",
    "reporter_org",
    "reporter_contact",
    "tags",
    "received",
];

/// Writes the line that names the columns.
pub fn header(out: &mut Vec<u8>) {
    out.extend_from_slice(COLUMNS.join(",").as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes a report as one record (RFC 4180). The time is empty when the source gave none.
pub fn write(report: &Report<'_>, ids: &Ids, out: &mut Vec<u8>) {
    let facts = Facts::of(report, ids);
    let place = facts.address.map(|address| address.to_string()).or_else(|| facts.range.map(|range| range.to_string()));
    let words =
        |words: &[Word]| words.iter().map(|word| facts.text(*word)).find(|text| !text.is_empty()).unwrap_or("").to_owned();
    let tags: Vec<&str> =
        report.fields().filter(|(word, _)| report.name(*word).1 == Place::Tag).map(|(_, tag)| tag.text()).collect();
    let name = facts.name.as_ref().map(|name| name.to_string());
    for (at, column) in COLUMNS.iter().enumerate() {
        let cell = match *column {
            "time" if facts.dated => facts.time.to_string(),
            "ip" => place.clone().unwrap_or_default(),
            "port" if facts.port != 0 => facts.port.to_string(),
            "kind" => facts.kind.to_string(),
            "url" => facts.url.as_ref().map(|url| url.as_str().to_owned()).unwrap_or_default(),
            "domain" => name.clone().unwrap_or_default(),
            "malware" => words(&[Word::MALWARE_FAMILY]),
            "cve" => words(&[Word::CVE_ID]),
            "service" => words(&[Word::SERVICE]),
            "protocol" => words(&[Word::TRANSPORT, Word::PROTOCOL]),
            "description" => words(&[Word::DESCRIPTION]),
            "confidence" => facts.confidence.map(|percent| percent.to_string()).unwrap_or_default(),
            "tlp" => facts.tlp.to_string(),
            "pap" => facts.pap.to_string(),
            "first_seen" => words(&[Word::FIRST_SEEN]),
            "last_seen" => words(&[Word::LAST_SEEN]),
            "incidents" => words(&[Word::INCIDENTS]),
            "asn" => words(&[Word::ASN]),
            "country" => words(&[Word::COUNTRY]),
            "reverse_dns" => words(&[Word::REVERSE_DNS]),
            "destination_ip" => words(&[Word::DESTINATION_IP]),
            "destination_port" => words(&[Word::DESTINATION_PORT]),
            "report_id" => facts.id.clone(),
            "reporter_org" => words(&[Word::REPORTER_ORG]),
            "reporter_contact" => words(&[Word::REPORTER_CONTACT]),
            "tags" => tags.join(" "),
            "received" => facts.received.to_string(),
            _ => String::new(),
        };
        if at > 0 {
            out.push(b',');
        }
        write_cell(&cell, out);
    }
    out.extend_from_slice(b"\r\n");
}

fn write_cell(text: &str, out: &mut Vec<u8>) {
    let text = defused(text);
    if !text.contains([',', '"', ';', ' ', '\'']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

/// The text on one line, and no formula wherever a cell may begin.
fn defused(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 1);
    // Tabs and line ends have become blanks, so only the separators of other countries are left.
    let mut begins = true;
    for char in text.chars() {
        let char = if char.is_control() { ' ' } else { char };
        if begins && matches!(char, '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}') {
            safe.push('\'');
        }
        // Blanks and quotation marks before a formula do not keep it from being one.
        begins = matches!(char, ';' | '|') || begins && matches!(char, ' ' | '"' | '\'');
        safe.push(char);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let cell = |text: &str| {
            let mut out = Vec::new();
            write_cell(text, &mut out);
            String::from_utf8(out).unwrap()
        };
        for (text, expected) in [
            ("=HYPERLINK(\"http://a.example\")", "\"'=HYPERLINK(\"\"http://a.example\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\" '=1\""),
            ("\r\n=1", "\"  '=1\""),
            ("a;=1", "\"a;'=1\""),
            ("a=1", "a=1"),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("2001:db8::1", "2001:db8::1"),
            ("a,b", "\"a,b\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}
