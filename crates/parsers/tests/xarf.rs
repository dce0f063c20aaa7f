//! Reading XARF and writing it back: nothing is lost, nothing panics, and what cannot be used says why.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;

use model::address::Address;
use model::category::Kind;
use model::label::{Pap, Tlp};
use model::report::{Core, Report, Word};
use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::formats::xarf::check::{verdict, verdict_v3};
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::{Hint, Limits};
use parsers::write::xarf::{Ids, write};
use proptest::prelude::*;
use serde_json::{Value, json};

fn collect_as(bytes: &[u8], format: Option<&str>) -> (Collected, Outcome) {
    let maps = Maps::default();
    let hint = Hint {
        name: "",
        content_type: "",
        location: "",
        kind: None,
        format,
        received: Time(0),
        maps: &maps,
        declared: None,
        limits: Limits::default(),
    };
    let mut sink = Collected::default();
    let outcome = read(&mut { bytes }, &hint, &mut sink).unwrap();
    (sink, outcome)
}

fn collect(bytes: &[u8]) -> Collected {
    let (sink, outcome) = collect_as(bytes, None);
    assert_eq!(outcome.format, "xarf", "{}", outcome.unreadable);
    sink
}

fn written(report: &Report<'_>) -> Value {
    let mut out = Vec::new();
    let ids = Ids { fallback_report_id: "00000000-0000-4000-8000-0000000000ff".to_owned(), received: Time(0) };
    write(report, &ids, &mut out);
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
    serde_json::from_slice(&out).unwrap()
}

/// Numbers as `f64`, so that `1` and `1.0` are one.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

/// What must come back: all but the version, which becomes the writer's, and `_internal`, which is dropped.
fn kept(document: &Value) -> Value {
    let mut document = plain(document);
    if let Some(members) = document.as_object_mut() {
        members.remove("_internal");
        members.insert("xarf_version".to_owned(), json!("4.2.0"));
    }
    document
}

fn seed() -> Value {
    json!({
        "xarf_version": "4.2.0", "report_id": "00000000-0000-4000-8000-000000000001", "timestamp": "2026-11-21T23:47:54Z",
        "reporter": {"org": "Example Watch", "contact": "a@watch.example", "domain": "watch.example"},
        "sender": {"org": "Example Relay", "contact": "b@relay.example", "domain": "relay.example"},
        "source_identifier": "192.0.2.7", "source_port": 4444, "category": "content", "type": "phishing",
        "confidence": 0.9, "url": "https://shop.example/login", "tags": ["tlp:amber", "pap:green", "kit:x"],
        "evidence": [{"content_type": "text/plain", "payload": "eA==", "description": "one"}, {"content_type": "a/b", "payload": ""}]
    })
}

fn reading(document: &Value) -> Collected {
    collect(document.to_string().as_bytes())
}

#[test]
fn a_report_has_its_core() {
    let read = reading(&seed());
    let report = read.reports().next().unwrap();
    assert_eq!(report.core.address, Address::parse(b"192.0.2.7").unwrap());
    assert_eq!(report.core.observed().unwrap().to_string(), "2026-11-21T23:47:54Z");
    assert_eq!((report.core.port, report.core.confidence), (4444, 90));
    assert_eq!((report.core.kind, report.core.tlp, report.core.pap), (Kind::Phishing, Tlp::Amber, Pap::Green));
    assert_eq!(report.text(Word::REPORTER_ORG), Some("Example Watch"));
    assert_eq!(report.text(Word::SENDER_DOMAIN), Some("relay.example"));
    assert!(read.notes.is_empty(), "{:?}", read.notes);
}

/// One change to the seed, and what reading makes of it: a part of the reason, or of the note, or silence.
#[test]
fn what_cannot_be_used_is_rejected_and_what_can_is_kept_with_a_note() {
    enum Fate {
        Reject(&'static str),
        Note(&'static str),
        Silent,
    }
    use Fate::{Note, Reject, Silent};
    let drop = Value::Null;
    for (name, value, fate) in [
        ("source_identifier", json!("not a source"), Note("the URL stands for it")),
        ("source_identifier", drop.clone(), Note("'source_identifier' is missing")),
        ("source_identifier", json!("192.0.2.7:80"), Silent),
        ("source_identifier", json!("::"), Note("the URL stands for it")),
        ("category", json!("weather"), Reject("no category 'weather'")),
        ("type", json!("rain"), Reject("has no type 'rain'; it has phishing")),
        ("type", drop.clone(), Reject("'type' is missing")),
        ("timestamp", json!("yesterday"), Note("kept undated")),
        ("timestamp", drop.clone(), Note("'timestamp' is missing")),
        ("timestamp", json!(["2026"]), Note("kept undated")),
        ("reporter", json!("Example Watch"), Note("reporter: is not an object")),
        ("reporter", json!({"org": "x", "phone": "1"}), Note("'phone' is not expected here")),
        ("source_port", json!("4444"), Note("source_port")),
        ("source_port", json!(70000), Note("is more than 65535")),
        ("confidence", json!(85), Note("confidence: is more than 1")),
        ("tags", json!(["TLP:RED", 5]), Note("tags/0")),
        ("evidence", json!({"x": 1}), Note("evidence: is not an array")),
        ("evidence", json!([1, {"payload": "eA==", "more": 1}]), Note("evidence/0")),
        ("type", json!("Remote-Compromise"), Note("has no type")),
    ] {
        let mut document = seed();
        match &value {
            Value::Null => drop_member(&mut document, name),
            value => document[name] = value.clone(),
        }
        let read = reading(&document);
        let notes: Vec<_> = read.notes.iter().map(|note| note.text.as_str()).collect();
        match fate {
            Reject(reason) => {
                assert!(read.rejects.len() == 1 && read.reports().count() == 0, "{name} {value}");
                assert!(read.rejects[0].reason.contains(reason), "{}", read.rejects[0].reason);
            }
            Note(note) => {
                assert!(notes.iter().any(|text| text.contains(note)), "{name} {value}: {notes:?}");
                let all = written(&read.reports().next().unwrap()).to_string();
                assert!(all.len() > 300, "{all}");
            }
            Silent => assert!(notes.is_empty() && read.rejects.is_empty(), "{name} {value}: {notes:?}"),
        }
    }
}

fn drop_member(document: &mut Value, name: &str) {
    document.as_object_mut().unwrap().remove(name);
}

#[test]
fn an_undated_report_is_written_with_its_receipt_and_a_tag_and_keeps_what_was_said() {
    let mut document = seed();
    document["timestamp"] = json!("yesterday");
    let read = reading(&document);
    let report = read.reports().next().unwrap();
    assert_eq!(report.core.observed(), None);
    let out = written(&report);
    assert_eq!(out["timestamp"], "1970-01-01T00:00:00Z");
    assert!(out["tags"].as_array().unwrap().contains(&json!("sluis:undated")));
    assert_eq!(out["evidence"][2]["payload"], "eyJ0aW1lc3RhbXAiOiJ5ZXN0ZXJkYXkifQ==");
    assert!(verdict(out.to_string().as_bytes()).valid, "{:?}", verdict(out.to_string().as_bytes()));
}

#[test]
fn no_payload_about_child_abuse_is_kept() {
    let mut document = seed();
    document["type"] = json!("csam");
    document["classification"] = json!("baseline");
    document["detection_method"] = json!("hash");
    document["evidence"][0]["hash"] = json!("md5:00112233445566778899aabbccddeeff");
    document["evidence"][0]["payload"] = json!("c2VjcmV0");
    document["picture"] = json!("c2VjcmV0".repeat(1000));
    let read = reading(&document);
    let report = read.reports().next().unwrap();
    let out = written(&report).to_string();
    assert!(!out.contains("c2VjcmV0"), "{out}");
    assert!(out.contains("00112233445566778899aabbccddeeff"));
    assert!(read.notes.iter().any(|note| note.text.contains("child abuse")), "{:?}", read.notes);
    document["source_identifier"] = json!(5);
    drop_member(&mut document, "url");
    let read = reading(&document);
    assert!(!format!("{:?}", read.rejects).contains("c2VjcmV0"));
    let shape = json!({"Version": "3", "ReporterInfo": {}, "Report": {"ReportType": "ChildSexualAbuseMaterial",
        "SourceUrl": "http://shop.example/", "Samples": [{"ContentType": "a/b", "Payload": "c2VjcmV0"}]}});
    assert!(!written(&reading(&shape).reports().next().unwrap()).to_string().contains("c2VjcmV0"));
}

#[test]
fn of_two_names_the_last_counts() {
    let text =
        seed().to_string().replacen('{', r#"{"url":5,"x":1,"y":2,"x":{"z":[3]},"source_identifier":"no","type":"spam","#, 1);
    let read = collect(text.as_bytes());
    assert!(read.notes.is_empty(), "{:?}", read.notes);
    let out = written(&read.reports().next().unwrap());
    assert_eq!(plain(&out), kept(&serde_json::from_str(&text).unwrap()));
}

#[test]
fn hostile_documents_cost_little() {
    let start = std::time::Instant::now();
    let names: String = (0..60_000).map(|name| format!("\"n{name}\":1,")).collect();
    let many = seed().to_string().replacen('{', &format!("{{{names}"), 1);
    let (read, _) = collect_as(many.as_bytes(), Some("xarf"));
    let out = written(&read.reports().next().unwrap());
    assert_eq!(out["other_properties"]["n59999"], json!(1));
    let same = seed().to_string().replacen('{', &format!("{{\"reporter\":{{{}}},", names.trim_end_matches(',')), 1);
    assert_eq!(collect_as(same.as_bytes(), Some("xarf")).0.reports().count(), 1);
    for bad in [
        "[".repeat(1_000_000),
        format!("{{\"xarf_version\":{}", "{\"a\":".repeat(100_000)),
        format!("{{\"xarf_version\":\"{}", "\\ud800".repeat(100_000)),
        format!("{{\"xarf_version\":[{}1]}}", "1,".repeat(2_000_000)),
        format!("{{\"xarf_version\":{}}}", "9".repeat(1_000_000)),
        "{\"xarf_version\":\"4.2.0\u{0}\"}".to_owned(),
        "{\"xarf_version\":null,\"category\":\"\\u0000\"}".to_owned(),
    ] {
        let (read, _) = collect_as(bad.as_bytes(), Some("xarf"));
        assert_eq!((read.reports().count(), read.rejects.len()), (0, 1), "{:.40}", bad);
    }
    let odd = seed().to_string().replace("Example Watch", "a\\u0000\\ud800").replace("\"x\"", "1e999");
    assert_eq!(collect(odd.as_bytes()).reports().count(), 1);
    println!("{:?}", start.elapsed());
}

#[test]
fn a_stream_of_lines_loses_only_its_bad_ones() {
    let good = seed().to_string();
    let text = format!("{good}\n{{\"xarf_version\":\n\n{good}\r\n[1]\n{good}");
    let read = collect(text.as_bytes());
    assert_eq!(read.reports().map(|report| report.core.ordinal).collect::<Vec<_>>(), [0, 2, 4]);
    assert_eq!(read.rejects.iter().map(|reject| reject.place.as_str()).collect::<Vec<_>>(), ["line 2", "line 5"]);
    let read = collect(format!("[{good},\n{good}]").as_bytes());
    assert_eq!(read.reports().count(), 2);
    let read = collect(serde_json::to_string_pretty(&seed()).unwrap().as_bytes());
    assert_eq!((read.reports().count(), read.rejects.len()), (1, 0));
    let latin = good.replace("Example Watch", "caf\u{e9}").replace('\u{e9}', "#").into_bytes();
    let latin: Vec<u8> = latin.into_iter().map(|byte| if byte == b'#' { 0xe9 } else { byte }).collect();
    let read = collect(&latin);
    assert_eq!(read.reports().next().unwrap().text(Word::REPORTER_ORG), Some("caf\u{fffd}"));
    assert!(read.notes[0].text.contains("not UTF-8"));
}

#[test]
fn the_writer_never_breaks_the_schema_for_want_of_words() {
    let mut batch = model::report::Batch::new();
    let column = batch.word("Weird Column", model::report::Place::Extra);
    batch.text(column, "a\nb");
    batch.text(column, "c");
    batch.bytes(column, b"\xff");
    let tag = batch.word("feed", model::report::Place::Tag);
    batch.text(tag, "Open Rsync");
    for at in 0..30 {
        batch.text(Word::TAG, format!("a:{at}"));
    }
    batch.text(Word::REPORT_ID, "42");
    batch.text(Word::DESTINATION_PORT, "80");
    batch.text(Word::ASN, "64496");
    batch.text(Word::DESCRIPTION, "é".repeat(1_001));
    let (scalar, inner) = (batch.word("a", model::report::Place::Property), batch.word("a.b", model::report::Place::Property));
    batch.text(scalar, "1");
    batch.text(inner, "2");
    batch.json(Word::SUBJECT, "{broken");
    batch.text(Word::SERVICE, "ftp");
    let mut core = Core::new(Kind::OpenService, 0);
    (core.tlp, core.pap) = (Tlp::AmberStrict, Pap::Red);
    core.set_observed(Time::parse(b"2026-11-21"));
    core.address = Address::parse(b"2001:db8::1").unwrap();
    batch.finish(core);
    let out = written(&batch.report(0));
    let judged = verdict(out.to_string().as_bytes());
    assert!(judged.valid, "{:?}", judged.violations);
    assert_eq!(out["tags"].as_array().unwrap().len(), 20);
    for tag in ["tlp:amber+strict", "pap:red", "feed:open-rsync"] {
        assert!(out["tags"].as_array().unwrap().contains(&json!(tag)), "{tag}");
    }
    assert_eq!((&out["destination_port"], &out["source_asn"], &out["a"]), (&json!(80), &json!(64496), &json!("1")));
    assert_eq!(out["reporter"]["contact"], "unknown@unknown.invalid");
    assert_eq!(out["report_id"], "00000000-0000-4000-8000-0000000000ff");
    assert_eq!(out["evidence"].as_array().unwrap().len(), 1);
}

/// Every sample whose verdict is valid becomes a report and comes back as it was; others become reports or rejects.
#[test]
fn samples_come_back_as_they_were_in_the_vectors() {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else { return println!("skipped: SLUIS_SHARED is not set") };
    let corpus = Path::new(&shared).join("corpus");
    let oracle = std::fs::read_to_string(corpus.join("xarf/ORACLE.jsonl")).unwrap_or_default();
    let (mut equal, mut converted, mut reports, mut rejects) = (0, 0, 0, 0);
    for line in oracle.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let path = line["path"].as_str().unwrap();
        let Ok(bytes) = std::fs::read(corpus.join(path)) else { continue };
        let (read, outcome) = collect_as(&bytes, None);
        if outcome.format.is_empty() {
            // An empty object is no more XARF than it is anything else.
            assert!(!verdict(&bytes).valid && !verdict_v3(&bytes).valid, "{path}: {}", outcome.unreadable);
            println!("{path}: {}", outcome.unreadable);
            continue;
        }
        let (found, set_aside) = (read.reports().count(), read.rejects.len());
        reports += found;
        rejects += set_aside;
        assert!(found + set_aside > 0, "{path}: nothing was found");
        if set_aside > 0 {
            println!("{path} ({}): {}", line["upstream_label"], read.rejects[0].reason);
        }
        let valid = verdict(&bytes).valid;
        if valid || verdict_v3(&bytes).valid {
            assert_eq!(set_aside, 0, "{path}: {:?}", read.rejects);
        }
        if valid {
            let ours = written(&read.reports().next().unwrap());
            assert_eq!(plain(&ours), kept(&serde_json::from_slice(&bytes).unwrap()), "{path}");
            equal += 1;
        }
        let theirs = &line["v3_to_v4"];
        if theirs["category"].is_string() {
            let ours = written(&read.reports().next().unwrap());
            for name in ["category", "type", "source_identifier", "timestamp", "reporter"] {
                assert_eq!(ours[name], theirs[name], "{path}: {name}");
            }
            converted += 1;
        }
    }
    println!("{equal} came back equal, {converted} converted as by the oracle; {reports} reports, {rejects} rejects");
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i32>().prop_map(|value| json!(value)),
        (-1000i32..1000).prop_map(|value| json!(f64::from(value) / 8.0)),
        "\\PC{0,12}".prop_map(|value| json!(value)),
        any::<String>().prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("[a-z.\\\\\"é]{0,6}", inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn reports_come_back_as_they_were(
        own in prop::collection::vec(("[a-z.\\\\ é_]{0,10}", json_value()), 0..6),
        source in prop_oneof![
            Just("192.0.2.7"), Just("2001:DB8::1"), Just("shop.example"), Just("https://shop.example/x"), Just("AS64496"),
            Just("192.0.2.0/24"), Just("::ffff:192.0.2.7"), Just(" 192.0.2.7")
        ],
        time in prop_oneof![
            Just("2026-11-21T23:47:54Z"), Just("2026-11-21T23:47:54.123456Z"), Just("2026-11-21t23:47:54+01:00")
        ],
        confidence in 0u32..=1000,
        tags in prop::collection::vec("[a-z0-9][a-z0-9_+-]{0,4}:[a-z0-9][a-z0-9_+-]{0,4}", 0..21),
        kind in prop::sample::select(Kind::ALL),
        evidence in prop::collection::vec(("\\PC{0,9}", "[a-zA-Z0-9+/]{0,8}"), 0..4),
    ) {
        prop_assume!(!kind.is_child_abuse());
        let mut document = seed();
        let members = document.as_object_mut().unwrap();
        for (name, value) in own {
            let ours = ["class", "other_properties", "destination_port", "service_port", "source_asn", "incidents"];
            if !members.contains_key(&name) && !ours.contains(&name.as_str()) {
                members.insert(name, value);
            }
        }
        members.insert("category".to_owned(), json!(kind.category()));
        members.insert("type".to_owned(), json!(kind.type_name()));
        members.insert("source_identifier".to_owned(), json!(source));
        members.insert("timestamp".to_owned(), json!(time));
        members.insert("confidence".to_owned(), json!(f64::from(confidence) / 1000.0));
        members.insert("tags".to_owned(), json!(tags));
        let items: Vec<_> = evidence.iter().map(|(kind, payload)| json!({"payload": payload, "content_type": kind})).collect();
        members.insert("evidence".to_owned(), json!(items));
        let read = reading(&document);
        prop_assert!(read.rejects.is_empty(), "{:?}", read.rejects);
        let mut expected = kept(&document);
        // An evidence item without a media type gets the one that says nothing.
        for item in expected["evidence"].as_array_mut().unwrap() {
            if item["content_type"] == "" {
                item["content_type"] = json!("application/octet-stream");
            }
        }
        prop_assert_eq!(plain(&written(&read.reports().next().unwrap())), expected);
    }

    #[test]
    fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..200), format in any::<bool>()) {
        let (read, _) = collect_as(&bytes, format.then_some("xarf"));
        let _ = (verdict(&bytes), verdict_v3(&bytes));
        for report in read.reports() {
            written(&report);
        }
    }

    #[test]
    fn any_json_is_safe(value in json_value(), which in 0..3) {
        let mut document = match which {
            0 => seed(),
            1 => json!({"Version": "3", "ReporterInfo": {}, "Report": {"ReportType": "Spam", "SourceIp": "192.0.2.7"}}),
            _ => value.clone(),
        };
        let mut all = Vec::new();
        if let Some(members) = document.as_object_mut() {
            all.extend(members.keys().cloned());
            for name in all {
                let mut changed = document.clone();
                changed[&name] = value.clone();
                let (read, _) = collect_as(changed.to_string().as_bytes(), Some("xarf"));
                prop_assert_eq!(read.reports().count() + read.rejects.len(), 1);
                for report in read.reports() {
                    written(&report);
                }
            }
        }
        if let Some(report) = document.get_mut("Report").filter(|report| report.is_object()) {
            for name in ["Samples", "Source", "Date", "AdditionalInfo", "SourcePort", "Url", "Custom"] {
                report[name] = value.clone();
            }
            let (read, _) = collect_as(document.to_string().as_bytes(), Some("xarf"));
            prop_assert_eq!(read.reports().count() + read.rejects.len(), 1);
            for report in read.reports() {
                written(&report);
            }
        }
    }

    #[test]
    fn damaged_reports_are_safe(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = seed().to_string().into_bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            let (read, _) = collect_as(bytes, Some("xarf"));
            for report in read.reports() {
                written(&report);
            }
        }
    }
}
