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
        ("format = \"xml\"\n", "line 1: 'xml' is not a format: csv or json"),
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

proptest::proptest! {
    #[test]
    fn any_description_and_any_file_are_safe(mapping in "[ -~\n]{0,200}", text in "[ -~\n]{0,200}") {
        let _ = Mapping::parse(&mapping);
        let _ = read_text("format = \"json\"\n[columns]\nparty = \"a\"\n", text.as_bytes());
        let _ = read_text(PANEL, text.as_bytes());
    }
}
