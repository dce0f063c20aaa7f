//! XARF verdicts against oracles: those recorded beside samples, and the specification's own schemas on mutated reports.
//!
//! Both live in the folder that `SLUIS_SHARED` names; without it the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::print_stdout)]
#![recursion_limit = "512"]

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use parsers::formats::xarf::check::{verdict, verdict_v3};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

fn shared() -> Option<PathBuf> {
    let shared = std::env::var_os("SLUIS_SHARED").map(PathBuf::from);
    if shared.is_none() {
        println!("skipped: SLUIS_SHARED is not set");
    }
    shared
}

/// Lines of the oracle, with the bytes of their samples.
fn samples(shared: &Path) -> Vec<(Value, Vec<u8>)> {
    let corpus = shared.join("corpus");
    let Ok(oracle) = std::fs::read_to_string(corpus.join("xarf/ORACLE.jsonl")) else { return Vec::new() };
    let lines = oracle.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter_map(|line| {
            let bytes = std::fs::read(corpus.join(line["path"].as_str()?)).ok()?;
            Some((line, bytes))
        })
        .collect()
}

#[test]
fn verdicts_equal_those_of_the_oracle_in_the_vectors() {
    let Some(shared) = shared() else { return };
    let (mut compared, mut differences) = (0, Vec::new());
    for (line, bytes) in samples(&shared) {
        let path = line["path"].as_str().unwrap_or_default();
        for (key, ours) in [("jsonschema_v4_master", verdict(&bytes)), ("jsonschema_v3_legacy", verdict_v3(&bytes))] {
            let Some(valid) = line[key]["valid"].as_bool() else { continue };
            compared += 1;
            if ours.valid != valid {
                differences.push(format!("{path}: {key} says {valid}, we {:?}", ours.violations));
            }
        }
    }
    println!("{compared} verdicts compared");
    assert!(differences.is_empty(), "{differences:#?}");
}

/// The schemas as the specification ships them. Types whose schema is not there are allowed anything.
fn schema(shared: &Path, version: &str, name: &str) -> Option<Validator> {
    fn add(folder: &Path, registry: &mut Vec<(String, Value)>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                add(&path, registry);
            } else if let Ok(schema) = serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()) {
                registry.push((schema["$id"].as_str().unwrap_or_default().to_owned(), schema));
            }
        }
    }
    struct Local(Vec<(String, Value)>);
    impl jsonschema::Retrieve for Local {
        fn retrieve(&self, uri: &jsonschema::Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
            Ok(self.0.iter().find(|(id, _)| id == uri.as_str()).map_or(json!({}), |(_, schema)| schema.clone()))
        }
    }
    let folder = shared.join("corpus/schemas/xarf").join(version);
    let mut main: Value = serde_json::from_slice(&std::fs::read(folder.join(name)).ok()?).ok()?;
    // The definitions of the legacy schema are prose in the shape of a schema, and refer to nothing.
    if version == "v3" {
        main.as_object_mut()?.remove("$defs");
    }
    let mut registry = Vec::new();
    add(&folder, &mut registry);
    let options = jsonschema::options().should_validate_formats(true).with_retriever(Local(registry));
    Some(options.build(&main).unwrap())
}

/// One change to a document.
#[derive(Clone, Debug)]
enum Change {
    /// Takes a member or item away.
    Drop(Index),
    /// Puts another value in its place.
    Replace(Index, Value),
    /// Adds a member of this name.
    Add(Index, &'static str, Value),
    /// Alters a text a little.
    Bend(Index, Index, char),
    /// Makes it another type, with what that type requires or not.
    Become(&'static str, &'static str),
}

const PAIRS: &[(&str, &str)] = &[
    ("messaging", "spam"),
    ("messaging", "bulk_messaging"),
    ("connection", "ddos"),
    ("connection", "login_attack"),
    ("connection", "port_scan"),
    ("connection", "infected_host"),
    ("connection", "reconnaissance"),
    ("connection", "scraping"),
    ("connection", "sql_injection"),
    ("connection", "vulnerability_scan"),
    ("content", "phishing"),
    ("content", "malware"),
    ("content", "fraud"),
    ("content", "exposed_data"),
    ("content", "brand_infringement"),
    ("content", "suspicious_registration"),
    ("content", "remote_compromise"),
    ("copyright", "copyright"),
    ("copyright", "cyberlocker"),
    ("copyright", "link_site"),
    ("copyright", "p2p"),
    ("copyright", "ugc_platform"),
    ("copyright", "usenet"),
    ("infrastructure", "botnet"),
    ("infrastructure", "compromised_server"),
    ("reputation", "blocklist"),
    ("reputation", "threat_intelligence"),
    ("vulnerability", "cve"),
    ("vulnerability", "misconfiguration"),
    ("vulnerability", "open_service"),
    ("content", "spam"),
    ("nothing", "at_all"),
];

const NAMES: &[&str] = &[
    "source_port",
    "url",
    "protocol",
    "first_seen",
    "smtp_from",
    "service",
    "service_port",
    "cve_id",
    "cve_ids",
    "threat_type",
    "confidence",
    "tags",
    "legacy_version",
    "description",
    "_internal",
    "infringing_url",
    "recipient_count",
    "bot_type",
    "scan_type",
    "total_requests",
    "data_types",
    "swarm_info",
    "message_info",
    "destination_ip",
    "domain",
    "unheard_of",
];

fn values() -> impl Strategy<Value = Value> {
    let words: Vec<Value> = [
        json!("smtp"),
        json!("tcp"),
        json!("192.0.2.7"),
        json!("2001:db8::7"),
        json!("192.0.2.07"),
        json!("shop.example"),
        json!("Shop.example"),
        json!("-shop.example"),
        json!("https://shop.example/a b"),
        json!("https://shop.example/?a=b#c"),
        json!("abuse@shop.example"),
        json!("abuse at shop.example"),
        json!("2026-11-21T23:47:54Z"),
        json!("2026-11-21T23:47:54+01:00"),
        json!("2026-11-21 23:47:54"),
        json!("2026-02-30T00:00:00Z"),
        json!("2026-11-21"),
        json!("00000000-0000-4000-8000-00000000000a"),
        json!("00000000-0000-4000-8000-00000000000z"),
        json!("tlp:amber"),
        json!("TLP:AMBER"),
        json!("CVE-2026-1"),
        json!("CVE-2026-12345"),
        json!("sha256:00ff"),
        json!("4.2.0"),
        json!("3"),
        json!("other"),
        json!("x".repeat(201)),
        json!("é".repeat(200)),
        json!("x".repeat(501)),
        json!("x".repeat(1001)),
        json!(""),
        json!(0),
        json!(1),
        json!(25.0),
        json!(0.5),
        json!(99),
        json!(100),
        json!(65535),
        json!(65536),
        json!(-1),
        json!(1e30),
        json!(true),
        json!(null),
        json!([]),
        json!({}),
        json!(["other", "other"]),
        json!(["CVE-2026-1", "CVE-2026-1"]),
        json!(["CVE-2026-1"]),
        json!([1, 2, 3]),
        json!({"info_hash": "0123456789012345678901234567890123456789"}),
        json!({"message_id": "<1@shop.example>"}),
        json!({"org": "A", "contact": "a@shop.example", "domain": "shop.example"}),
        json!([{"content_type": "text/plain", "payload": "eA=="}]),
    ]
    .into();
    prop::sample::select(words)
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        any::<Index>().prop_map(Change::Drop),
        (any::<Index>(), values()).prop_map(|(at, value)| Change::Replace(at, value)),
        (any::<Index>(), prop::sample::select(NAMES), values()).prop_map(|(at, name, value)| Change::Add(at, name, value)),
        (any::<Index>(), any::<Index>(), prop::sample::select(vec!['a', '-', '.', ' ', ':', '0', 'Z', '"', 'é', '@', '%']))
            .prop_map(|(at, place, char)| Change::Bend(at, place, char)),
        prop::sample::select(PAIRS).prop_map(|(category, name)| Change::Become(category, name)),
    ];
    prop::collection::vec(change, 0..4)
}

/// Pointers to all that can be changed.
fn pointers(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                out.push(at.clone());
                pointers(value, at, out);
            }
        }
        Value::Array(items) => {
            for (place, value) in items.iter().enumerate() {
                let at = format!("{at}/{place}");
                out.push(at.clone());
                pointers(value, at, out);
            }
        }
        _ => {}
    }
}

fn apply(document: &mut Value, change: &Change) {
    let mut all = Vec::new();
    pointers(document, String::new(), &mut all);
    if all.is_empty() {
        return;
    }
    match change {
        Change::Drop(at) => {
            let pointer = at.get(&all).clone();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            match document.pointer_mut(parent) {
                Some(Value::Object(members)) => drop(members.remove(name)),
                Some(Value::Array(items)) => drop(items.remove(name.parse().unwrap())),
                _ => {}
            }
        }
        Change::Replace(at, value) => *document.pointer_mut(at.get(&all).as_str()).unwrap() = value.clone(),
        Change::Add(at, name, value) => {
            let objects: Vec<_> = all.iter().filter(|at| document.pointer(at).is_some_and(Value::is_object)).cloned().collect();
            // Mostly at the top, where most rules are.
            let pointer = if objects.is_empty() || at.index(3) > 0 { String::new() } else { at.get(&objects).clone() };
            if let Some(members) = document.pointer_mut(&pointer).and_then(Value::as_object_mut) {
                members.insert((*name).to_owned(), value.clone());
            }
        }
        Change::Bend(at, place, char) => {
            if let Some(Value::String(text)) = document.pointer_mut(at.get(&all).as_str()) {
                let places: Vec<usize> = text.char_indices().map(|(place, _)| place).chain([text.len()]).collect();
                text.insert(*place.get(&places), *char);
            }
        }
        Change::Become(category, name) => {
            document["category"] = json!(category);
            document["type"] = json!(name);
        }
    }
}

#[test]
fn verdicts_equal_those_of_the_schemas_on_mutated_vectors() {
    let Some(shared) = shared() else { return };
    for (version, name, key) in
        [("v4", "xarf-v4-master.json", "jsonschema_v4_master"), ("v3", "xarf-v3-legacy.json", "jsonschema_v3_legacy")]
    {
        let Some(schema) = schema(&shared, version, name) else { continue };
        let mut seeds: Vec<Value> = Vec::new();
        for (line, bytes) in samples(&shared) {
            if line[key]["valid"] == json!(true) {
                seeds.push(serde_json::from_slice(&bytes).unwrap());
            }
        }
        if version == "v3" {
            seeds.push(legacy_seed());
        } else {
            seeds.extend(type_seeds());
        }
        let mut runner = TestRunner::new(Config { cases: cases(), failure_persistence: None, ..Config::default() });
        let (mut valid, mut all) = (0, 0);
        let result = runner.run(&(any::<Index>(), changes()), |(seed, changes)| {
            let mut document = seed.get(&seeds).clone();
            for change in &changes {
                apply(&mut document, change);
            }
            let bytes = document.to_string().into_bytes();
            let ours = if version == "v4" { verdict(&bytes) } else { verdict_v3(&bytes) };
            let theirs = schema.is_valid(&document);
            prop_assert_eq!(ours.valid, theirs, "{} {:?}", document, ours.violations);
            Ok(())
        });
        for seed in &seeds {
            all += 1;
            valid += usize::from(schema.is_valid(seed));
        }
        println!("{version}: {valid} of {all} seeds are valid");
        if let Err(error) = result {
            panic!("{error}");
        }
    }
}

/// How many mutations; `PROPTEST_CASES` asks for another number, as in other property tests.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4_000)
}

fn legacy_seed() -> Value {
    json!({
        "Version": "3",
        "ReporterInfo": {"ReporterOrg": "Example Watch", "ReporterOrgEmail": "a@watch.example", "ReporterOrgDomain": "watch.example"},
        "Report": {
            "ReportClass": "Activity", "ReportType": "Spam", "Date": "2026-11-21T23:47:54Z", "SourceIp": "192.0.2.7",
            "SourcePort": 25, "Protocol": "smtp", "SmtpMailFromAddress": "a@shop.example", "Url": "http://shop.example/",
            "AttackCount": 3, "Samples": [{"ContentType": "text/plain", "Payload": "eA==", "Description": "one"}]
        }
    })
}

/// A report of each pair, with many members of all types, so that most are valid and many members are checked.
fn type_seeds() -> Vec<Value> {
    let core = json!({
        "xarf_version": "4.2.0", "report_id": "00000000-0000-4000-8000-000000000001", "timestamp": "2026-11-21T23:47:54Z",
        "reporter": {"org": "Example Watch", "contact": "a@watch.example", "domain": "watch.example"},
        "sender": {"org": "Example Watch", "contact": "a@watch.example", "domain": "watch.example"},
        "source_identifier": "192.0.2.7", "source_port": 4444, "category": "", "type": "", "confidence": 0.9,
        "tags": ["tlp:amber"], "evidence": [{"content_type": "text/plain", "payload": "eA==", "size": 1, "hash": "md5:00"}],
        "protocol": "tcp", "first_seen": "2026-11-21T23:00:00Z", "url": "https://shop.example/x", "domain": "shop.example",
        "infringing_url": "https://shop.example/x", "service": "ftp", "service_port": 21, "cve_id": "CVE-2026-0001",
        "threat_type": "spam", "compromise_method": "x", "compromise_evidence": "x", "newsgroup": "alt.example",
        "message_info": {"message_id": "<1@shop.example>"}, "p2p_protocol": "bittorrent",
        "swarm_info": {"info_hash": "0123456789012345678901234567890123456789"}, "platform_name": "x", "site_name": "x",
        "hosting_service": "x", "scan_type": "mixed", "total_requests": 1, "probed_resources": ["/"], "bot_type": "malicious",
        "fraud_type": "other", "compromise_type": "other", "data_types": ["other"], "exposure_method": "other",
        "legitimate_site": "https://real.example/", "registration_date": "2026-11-21T23:00:00Z",
        "suspicious_indicators": ["other"], "recipient_count": 100, "smtp_from": "a@shop.example", "cve_ids": ["CVE-2026-0001"],
        "dns_records": {"a": ["192.0.2.7"], "aaaa": ["2001:db8::1"]}, "ssl_certificate": {"valid_from": "2026-11-21T23:00:00Z"},
        "whois": {"registrar_abuse_contact": "a@shop.example"}, "dns_response": {"response_code": "NOERROR"},
        "file_hashes": {"md5": "00000000000000000000000000000000"}, "c2_servers": [{"port": 80, "protocol": "http"}],
        "cryptocurrency_addresses": [{"currency": "bitcoin", "address": "x"}], "loss_amount": {"currency": "EUR", "amount": 1},
        "previous_enforcement": [{"date": "2026-11-21", "action": "takedown_notice"}], "related_domains": [{"domain": "x"}],
        "compromise_indicators": [{"type": "process", "value": "x"}], "linked_content": [],
        "impact_assessment": {"integrity": "low"}, "bulk_indicators": {"high_volume": true}
    });
    PAIRS
        .iter()
        .map(|(category, name)| {
            let mut seed = core.clone();
            seed["category"] = json!(category);
            seed["type"] = json!(name);
            if *category == "messaging" {
                seed["protocol"] = json!("smtp");
            }
            match *name {
                "brand_infringement" => seed["infringement_type"] = json!("logo_misuse"),
                "copyright" => seed["infringement_type"] = json!("download"),
                _ => {}
            }
            seed
        })
        .collect()
}
