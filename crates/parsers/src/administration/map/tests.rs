//! Descriptions as people write and miswrite them, and the files they describe.

use std::io::Read;

use super::*;
use crate::administration::{Finding, Limits};
use model::administration::Snapshot;

fn read_text(mapping: &str, text: &[u8]) -> (Snapshot, Vec<Finding>) {
    let mut reader = text;
    read(&mut reader, &Mapping::parse(mapping).unwrap(), &Limits::default())
}

fn rows(snapshot: &Snapshot) -> Vec<String> {
    let text = |row: &model::assignment::Assignment| format!("{} {} {} {}", row.resource, row.party, row.product, row.period);
    snapshot.assignments.iter().map(text).collect()
}

const PANEL: &str = r#"
format = "csv"
separator = ";"
date_format = "%d/%m/%Y %H:%M"
[columns]
resource = "{start}-{end}"
party = "Client ID"
party_name = "client"
from = "sold"
level = { value = "assigned" }
product = { from = "type", map = { "1" = "vps", "2" = "web" }, otherwise = "other" }
[skip_when]
status = ["terminated", "fraud"]
"#;

#[test]
fn a_csv_of_another_system() {
    let text = b"Start;End;client id;Client;Sold;Type;status;rootpw\n\
        192.0.2.0;192.0.2.9;7;Oak;31/12/2025 23:59;1;active;hunter2\n\
        192.0.2.20;192.0.2.29;8;Elm;;9;active;hunter2\n\
        192.0.2.30;192.0.2.39;9;Ash;01/01/2026 00:00;1;terminated;hunter2\n\
        192.0.2.40;192.0.2.49;9;Ash;2026-01-01;1;active;hunter2\n";
    let (snapshot, findings) = read_text(PANEL, text);
    assert_eq!(
        rows(&snapshot),
        ["192.0.2.0 - 192.0.2.9 7 vps 2025-12-31T23:59:00Z until now", "192.0.2.20 - 192.0.2.29 8 other unknown until now"]
    );
    assert_eq!((findings[0].place.as_str(), snapshot.complete), ("line 5", false));
    let all = format!("{snapshot:?}{findings:?}");
    assert!(!all.contains("hunter2"));
}

#[test]
fn zeros_of_a_database_are_no_date_in_any_format() {
    for (format, zero) in
        [("%d/%m/%Y", "00/00/0000"), ("%Y-%m-%d %H:%M:%S", "0000-00-00 00:00:00"), ("unix", "0"), ("unix", "NULL")]
    {
        let mapping = format!(
            "format = \"csv\"\ndate_format = \"{format}\"\n[columns]\nresource = \"ip\"\nparty = \"who\"\nto = \"end\"\n"
        );
        let (snapshot, _) = read_text(&mapping, format!("ip,who,end\n192.0.2.1,A,{zero}\n").as_bytes());
        assert_eq!(
            (rows(&snapshot).as_slice(), snapshot.complete),
            (&["192.0.2.1 A  unknown until now".to_owned()][..], true),
            "{zero}"
        );
    }
    let plain = "format = \"csv\"\n[columns]\nresource = \"ip\"\nparty = \"who\"\nto = \"end\"\n";
    assert!(read_text(plain, b"ip,who,end\n192.0.2.1,A,00-00-0000\n").0.complete);
}

#[test]
fn json_nested_in_lines_and_in_an_array() {
    let nested = "format = \"json\"\nrows = \"data.items\"\ndate_format = \"unix\"\n[columns]\nresource = \"net.ip\"\nparty = \"client.id\"\nfrom = \"since\"\nmails = \"client.mails\"\n";
    let text = br#"{"version": 3, "skip": [[[{}]]], "data": {"next": null, "items": [
        {"net": {"ip": "192.0.2.1"}, "client": {"id": 17, "mails": ["a@oak.example", "b@oak.example"]}, "since": 1700000000},
        {"net": {"ip": null}, "client": {"id": 18}},
        {"net": {"ip": "192.0.2.999"}, "client": {"id": 19}},
        7
    ], "total": 4}}"#;
    let (snapshot, findings) = read_text(nested, text);
    assert_eq!(rows(&snapshot), ["192.0.2.1 17  2023-11-14T22:13:20Z until now"]);
    assert_eq!(snapshot.parties.len(), 3);
    assert_eq!(snapshot.parties[0].mails, ["a@oak.example", "b@oak.example"]);
    let places: Vec<&str> = findings.iter().map(|finding| finding.place.as_str()).collect();
    assert_eq!(places, ["row 3", "row 4", "the file"]);

    let plain = "format = \"json\"\n[columns]\nresource = \"ip\"\nparty = \"who\"\n";
    let (snapshot, _) =
        read_text(plain, b" [ {\"ip\": \"192.0.2.1\", \"who\": \"A\"}, {\"ip\": \"192.0.2.2\", \"who\": \"B\"} ]");
    assert_eq!((snapshot.assignments.len(), snapshot.complete), (2, true));
    let (snapshot, findings) =
        read_text(plain, b"{\"ip\": \"192.0.2.1\", \"who\": \"A\"}\n\n{broken\n{\"ip\": \"192.0.2.2\", \"who\": \"B\"}\n");
    assert_eq!((snapshot.assignments.len(), snapshot.complete), (2, false));
    assert_eq!(findings[0].place, "line 3");
}

#[test]
fn descriptions_are_refused_with_line_and_hint() {
    for (text, expected) in [
        ("format = \"csv\"\ncolums = {}\n", "line 2: 'colums' is not a known key; did you mean 'columns'?"),
        ("format = \"yaml\"\n", "line 1: 'yaml' is not a format: csv, json, xml, pairs or settings"),
        ("format = \"xml\"\n[columns]\nparty = \"id\"\n", "line 1: 'rows' is missing"),
        (
            "format = \"csv\"\n[columns]\n\"Client ID\" = \"party\"\n",
            "line 3: it is the other way round: write party = \"Client ID\"",
        ),
        ("format = \"csv\"\n[columns]\nparty = []\n", "line 3: an empty list"),
        ("format = \"csv\"\n[columns]\nparty = { from = \"x\", sole = true }\n", "line 3: 'sole' and 'maybe' are for resources"),
        (
            "format = \"csv\"\n[columns]\nparty = \"@stam\"\n",
            "line 3: '@stam' is not a known fact about a row; did you mean '@stem'?",
        ),
        (
            "format = \"csv\"\n[columns]\nparty = { from = \"x\", setting = \"api_key\" }\n",
            "line 3: 'api_key' looks like a secret",
        ),
        ("format = \"csv\"\n[columns]\nparty = \"x\"\n[[also]]\nparent = \"y\"\n", "line 1: each [[also]] tells of a party"),
        ("format = \"json\"\nrows = \"a.b\"\ntotal = \"a.n\"\n[columns]\nparty = \"x\"\n", "line 1: 'total' and 'rows' begin"),
        ("format = \"csv\"\n[columns]\nresourc = \"ip\"\n", "line 3: 'resourc' is not a known column; did you mean 'resource'?"),
        (
            "format = \"csv\"\n[columns]\nparty = \"id\"\naccount = \"root_password\"\n",
            "line 4: 'root_password' looks like a secret",
        ),
        ("format = \"json\"\n[columns]\nparty = \"{api.token}\"\n", "line 3: 'api.token' looks like a secret"),
        ("format = \"csv\"\n[columns]\nparty = \"{id\"\n", "line 3: a brace is not closed"),
        ("format = \"csv\"\n[columns]\nparty = { vlaue = \"x\" }\n", "line 3: 'vlaue' is not a known key; did you mean 'value'?"),
        ("format = \"csv\"\n[columns]\nparty = 7\n", "line 3: a table is wanted here"),
        ("format = \"csv\"\n[columns]\nresource = \"ip\"\n", "line 1: [columns] says nothing of the party"),
        ("[columns]\nparty = \"id\"\n", "line 1: it has no format"),
        ("format = \"csv\"\nseparator = \";;\"\n", "line 2: a separator is one character"),
        ("format = \"csv\"\n\n= 3\n", "line 3: "),
    ] {
        let error = Mapping::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
}

#[test]
fn hostile_json_is_bounded() {
    let mapping = Mapping::parse("format = \"json\"\nrows = \"data\"\n[columns]\nresource = \"ip\"\nparty = \"who\"\n").unwrap();
    let limits = Limits::default();
    let check = |why: &str, reader: &mut dyn Read| {
        let (snapshot, findings) = read(reader, &mapping, &limits);
        assert!(!snapshot.complete && !findings.is_empty(), "{why}");
        findings[0].reason.clone()
    };
    check("nested ten million deep", &mut (&b"{\"data\": "[..]).chain(std::io::repeat(b'[').take(10_000_000)));
    check("nested ten million deep beside the rows", &mut (&b"{\"x\": "[..]).chain(std::io::repeat(b'[').take(10_000_000)));
    let endless = check("a text without end", &mut (&b"{\"data\": [{\"ip\": \""[..]).chain(std::io::repeat(b'x').take(1 << 28)));
    assert!(endless.contains("larger than allowed"), "{endless}");
    check("a key without end", &mut (&b"{\""[..]).chain(std::io::repeat(b'x').take(1 << 28)));
    check("no rows", &mut &b"{\"date\": []}"[..]);
    check("NULs", &mut &b"\0\0\0"[..]);
    check("nothing", &mut &b""[..]);
    check("cut short", &mut &b"{\"data\": [{\"ip\": \"192.0.2.1\", \"who\": \"A\"}, {"[..]);
    check("invalid UTF-8", &mut &b"{\"data\": [{\"ip\": \"\xff\xfe\"}]}"[..]);
}

#[test]
fn hostile_xml_is_bounded() {
    let mapping = Mapping::parse("format = \"xml\"\nrows = \"a.b\"\n[columns]\nresource = \"ip\"\nparty = \"who\"\n").unwrap();
    let check = |why: &str, reader: &mut dyn Read| {
        let (snapshot, findings) = read(reader, &mapping, &Limits::default());
        assert!(!snapshot.complete && !findings.is_empty(), "{why}");
    };
    check("a tag without end", &mut (&b"<a><b "[..]).chain(std::io::repeat(b'x').take(1 << 28)));
    check("a text without end", &mut (&b"<a><b><ip>"[..]).chain(std::io::repeat(b'x').take(1 << 28)));
    check("a comment without end", &mut (&b"<a><!--"[..]).chain(std::io::repeat(b'x').take(1 << 28)));
    check("deep", &mut "<a>".repeat(100_000).as_bytes());
    check("many children", &mut format!("<a><b>{}", "<c/>".repeat(100_000)).as_bytes());
    check("no rows", &mut &b"<a></a>"[..]);
    check("two ends", &mut &b"<a></b></a>"[..]);
    check("nothing", &mut &b""[..]);
    check("invalid UTF-8", &mut &b"<a><b><ip>\xff\xfe</ip></b></a>"[..]);
}

#[test]
fn one_row_may_have_many_resources_and_only_those_of_one_party_alone() {
    let mapping = Mapping::parse(
        "format = \"csv\"\n[columns]\nparty = \"who\"\nresource = [\"name\", { from = \"ips\", split = \", \", sole = true }]\n",
    )
    .unwrap();
    let text = b"who,name,ips\nA,a.example,\"192.0.2.1, 192.0.2.2\"\nB,b.example,192.0.2.2\nA,a2.example,192.0.2.1\n";
    let (snapshot, findings) = read(&mut &text[..], &mapping, &Limits::default());
    assert_eq!(
        rows(&snapshot),
        [
            "a.example A  unknown until now",
            "b.example B  unknown until now",
            "a2.example A  unknown until now",
            "192.0.2.1 A  unknown until now"
        ]
    );
    assert!(snapshot.complete && findings[0].reason.contains("nobody's: 1"), "{findings:?}");
}

#[test]
fn a_page_is_not_everything() {
    let mapping =
        Mapping::parse("format = \"json\"\nrows = \"items\"\ntotal = \"meta.total\"\n[columns]\nparty = \"who\"\n").unwrap();
    let (one, two) = (br#"{"meta": {"total": "2"}, "items": [{"who": 1}]}"#, br#"{"items": [{"who": 2}], "meta": {"total": 2}}"#);
    let limits = Limits::default();
    assert!(!read(&mut &one[..], &mapping, &limits).0.complete);
    let mut both = Rows::default();
    both.add(&mut &one[..], &FileName::default(), &mapping, &limits);
    both.add(&mut &two[..], &FileName::default(), &mapping, &limits);
    let (snapshot, findings) = both.finish();
    assert!(snapshot.complete && snapshot.parties.len() == 2, "{findings:?}");
}

proptest::proptest! {
    #[test]
    fn any_description_and_any_file_are_safe(mapping in "[ -~\n]{0,200}", text in "[ -~\n]{0,200}") {
        let _ = Mapping::parse(&mapping);
        let _ = read_text("format = \"json\"\n[columns]\nparty = \"a\"\n", text.as_bytes());
        let _ = read_text(PANEL, text.as_bytes());
        let _ = read_text("format = \"xml\"\nrows = \"a\"\n[columns]\nparty = \"a\"\n", text.as_bytes());
        let _ = read_text("format = \"settings\"\n[columns]\nparty = \"a\"\n", text.as_bytes());
    }
}

#[test]
fn dates_of_a_clock_on_the_wall_are_those_of_its_zone() {
    let from = |description: &str, date: &str| {
        let text = format!("format = \"csv\"\n{description}\n[columns]\nresource = \"ip\"\nparty = \"who\"\nfrom = \"since\"\n");
        let mapping = Mapping::parse(&text).unwrap();
        let rows = format!("ip,who,since\n192.0.2.7,c1,{date}\n");
        let (said, findings) = read(&mut rows.as_bytes(), &mapping, &Limits::default());
        assert!(findings.is_empty(), "{findings:?}");
        said.assignments[0].period.from.unwrap().to_string()
    };
    let zone = "zone = \"Europe/Amsterdam\"";
    for (description, date, expected) in [
        (zone, "2026-07-01 12:00", "2026-07-01T10:00:00Z"),
        (zone, "2026-01-01 12:00:00", "2026-01-01T11:00:00Z"),
        (zone, "01-07-2026", "2026-06-30T22:00:00Z"),
        (zone, "2026-07-01T12:00:00Z", "2026-07-01T12:00:00Z"),
        (zone, "2026-07-01 12:00 +0500", "2026-07-01T07:00:00Z"),
        ("date_format = \"%d/%m/%Y %H:%M\"\nzone = \"Europe/Amsterdam\"", "01/07/2026 12:00", "2026-07-01T10:00:00Z"),
        ("date_format = \"unix\"\nzone = \"Europe/Amsterdam\"", "1782907200", "2026-07-01T12:00:00Z"),
        ("", "2026-07-01 12:00", "2026-07-01T12:00:00Z"),
    ] {
        assert_eq!(from(description, date), expected, "{description} {date}");
    }
    let error = Mapping::parse("format = \"csv\"\nzone = \"Europe/Amsterdm\"\n[columns]\nparty = \"who\"\n").unwrap_err();
    assert!(error.to_string().contains("time zone"), "{error}");
}
