//! Walks every fixture: each input, with either line ending, becomes what stands beside it as `*.expected.json`.
//!
//! A folder is named after a format (or a container). Beside an input `NAME.EXT` stand `NAME.EXT.expected.json`, and
//! where they are needed `NAME.EXT.crlf.expected.json` (when the other line ending rightly changes values, such as
//! sizes and hashes) and `NAME.EXT.declared.toml` (the user's description of a CSV). `UPDATE_EXPECT=1` rewrites what
//! is expected; read the difference before you commit it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use model::category::Kind;
use model::report::{Place, Report, Shape};
use model::time::Time;
use parsers::formats::csv::Declared;
use parsers::formats::{Fit, Proven, all};
use parsers::read::{BATCH_REPORTS, read};
use parsers::sink::Collected;
use parsers::source::{Hint, Prefix};
use serde_json::{Map, Value, json};

/// When all fixtures "arrive": reports that stand for now get this time.
const RECEIVED: &str = "2026-03-04T05:06:07Z";

#[test]
fn fixtures_are_read_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut failures = Vec::new();
    for input in inputs() {
        let bytes = fs::read(&input).unwrap();
        let plain = outcome(&input, &bytes);
        check(&input, "expected.json", &plain, update, &mut failures);
        let Some(other) = other_line_ending(&input, &bytes) else { continue };
        let mut other = outcome(&input, &other);
        if mend(&mut other.clone()) == mend(&mut plain.clone()) && !beside(&input, "crlf.expected.json").exists() {
            continue;
        }
        mend(&mut other);
        check(&input, "crlf.expected.json", &other, update, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn formats_are_listed_and_have_fixtures() {
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/formats");
    // The folders' own lists are no formats.
    let lists = ["aside", "exchange", "feeds", "notifiers"];
    let mut files = BTreeSet::new();
    for folder in std::iter::once(formats.clone()).chain(lists.iter().map(|list| formats.join(list))) {
        let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        let sources = entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        let names = sources.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
        files.extend(names.filter(|name| !lists.contains(&name.as_str())));
    }
    let listed: BTreeSet<String> = all().map(|format| format.name.to_owned()).collect();
    assert_eq!(files, listed, "each file in src/formats and its folders is one format in formats::all()");
    assert_eq!(all().count(), listed.len(), "no two formats have one name");
    for format in all() {
        let (Proven::By(who) | Proven::After(who)) = format.proven;
        assert!(!format.title.is_empty() && !format.fields.is_empty() && !who.is_empty(), "{} describes itself", format.name);
        for kind in ["plain", "bad-row", "hostile"] {
            let found = inputs_of(format.name).iter().any(|path| name(path).starts_with(kind));
            assert!(found, "fixtures/{}/{kind}* is missing", format.name);
        }
        let plain = inputs_of(format.name).into_iter().find(|path| name(path).starts_with("plain"));
        let Some(plain) = plain else { continue };
        let outcome = outcome(&plain, &fs::read(&plain).unwrap());
        // Free text reads nothing: it offers, and leaves the submission to a person.
        let reads = if format.name == "free_text" { "" } else { format.name };
        assert_eq!(outcome["outcome"]["format"], *reads, "{}", plain.display());
    }
}

#[test]
fn at_most_one_format_is_certain() {
    for input in inputs() {
        let bytes = fs::read(&input).unwrap();
        let declared = declared(&input);
        let prefix = Prefix::new(&bytes, name(&input), "", &hint(&input, declared.as_ref()));
        let certain: Vec<_> = all().filter(|format| (format.detect)(&prefix) == Fit::Certain).map(|format| format.name).collect();
        assert!(certain.len() <= 1, "{}: {certain:?}", input.display());
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Every input of every folder, in order.
fn inputs() -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(root()).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let inputs: Vec<_> = folders.iter().flat_map(|folder| inputs_of(name(folder))).collect();
    assert!(!inputs.is_empty(), "no fixtures found under {}", root().display());
    inputs
}

fn inputs_of(folder: &str) -> Vec<PathBuf> {
    let is_input = |path: &PathBuf| {
        path.is_file()
            && !name(path).ends_with(".expected.json")
            && !name(path).ends_with(".declared.toml")
            && !name(path).ends_with(".md")
            && ![".location", ".kind", ".format"].iter().any(|end| name(path).ends_with(end))
    };
    let entries = fs::read_dir(root().join(folder)).into_iter().flatten();
    let mut inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(is_input).collect();
    inputs.sort();
    inputs
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn beside(input: &Path, suffix: &str) -> PathBuf {
    input.with_file_name(format!("{}.{suffix}", name(input)))
}

fn declared(input: &Path) -> Option<Declared> {
    let text = fs::read_to_string(beside(input, "declared.toml")).ok()?;
    Some(Declared::parse(&text).unwrap())
}

/// The input with LF made CRLF, or CRLF made LF; none for files that are not text.
fn other_line_ending(input: &Path, bytes: &[u8]) -> Option<Vec<u8>> {
    if [".zip", ".gz"].iter().any(|extension| name(input).ends_with(extension)) {
        return None;
    }
    let mut other = Vec::with_capacity(bytes.len() * 2);
    let crlf = bytes.windows(2).any(|pair| pair == b"\r\n");
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' if crlf && bytes.get(at + 1) == Some(&b'\n') => {}
            b'\n' if !crlf => other.extend(b"\r\n"),
            _ => other.push(byte),
        }
    }
    Some(other)
}

fn check(input: &Path, suffix: &str, found: &Value, update: bool, failures: &mut Vec<String>) {
    let path = beside(input, suffix);
    let found = format!("{}\n", serde_json::to_string_pretty(found).unwrap());
    if update {
        fs::write(&path, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    if expected == found {
        return;
    }
    let at = expected.lines().zip(found.lines()).position(|(a, b)| a != b).unwrap_or(expected.lines().count());
    failures.push(format!(
        "{} differs from line {} on:\n  expected: {}\n  found:    {}\n  (UPDATE_EXPECT=1 rewrites it)",
        path.display(),
        at + 1,
        expected.lines().nth(at).unwrap_or("(end)"),
        found.lines().nth(at).unwrap_or("(end)"),
    ));
}

/// Makes line endings inside values one.
fn mend(value: &mut Value) -> &Value {
    match value {
        Value::String(text) => *text = text.replace("\r\n", "\n").trim_end_matches('\r').to_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| {
            mend(item);
        }),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, item)| {
            mend(item);
        }),
        _ => {}
    }
    value
}

/// What is known of an input: `NAME.EXT.location` holds the URL that a list was fetched from, `NAME.EXT.kind` the kind that
/// the operator configured for it, and `NAME.EXT.format` the format when it was configured.
fn hint<'a>(input: &'a Path, declared: Option<&'a Declared>) -> Hint<'a> {
    let beside = |suffix: &str| fs::read_to_string(beside(input, suffix)).map(|text| text.trim().to_owned()).ok();
    let location: &'a str = beside("location").map_or("", |text| Box::leak(text.into_boxed_str()));
    let format: Option<&'a str> = beside("format").map(|text| &*Box::leak(text.into_boxed_str()));
    let kind =
        beside("kind").map(|text| text.split_once('/').and_then(|(category, name)| Kind::from_words(category, name)).unwrap());
    let received = Time::parse(RECEIVED.as_bytes()).unwrap();
    Hint { location, kind, format, declared, ..Hint::new(name(input), received) }
}

/// Everything that reading comes to, as JSON. Reading never fails for what the bytes say.
fn outcome(input: &Path, bytes: &[u8]) -> Value {
    let declared = declared(input);
    let hint = hint(input, declared.as_ref());
    let mut sink = Collected::default();
    let outcome = read(&mut &bytes[..], &hint, &mut sink).unwrap();
    assert!(sink.batches.iter().all(|batch| batch.len() <= BATCH_REPORTS));
    let mut ordinals: Vec<u32> = sink.rejects.iter().map(|reject| reject.ordinal).collect();
    ordinals.extend(sink.reports().map(|report| report.core.ordinal));
    ordinals.sort_unstable();
    let counted: Vec<u32> = (0..outcome.statements).collect();
    assert_eq!(ordinals, counted, "{}: every statement is one report or one reject", input.display());
    json!({
        "outcome": {"format": outcome.format, "statements": outcome.statements, "unreadable": outcome.unreadable, "aside": outcome.aside},
        "reports": sink.reports().map(|report| flat(&report)).collect::<Vec<_>>(),
        "rejects": sink.rejects.iter().map(|reject| json!({
            "ordinal": reject.ordinal, "place": reject.place, "text": reject.text, "reason": reject.reason,
        })).collect::<Vec<_>>(),
        "notes": sink.notes.iter().map(|note| json!({"place": note.place, "text": note.text})).collect::<Vec<_>>(),
        "findings": sink.findings.iter().map(|found| json!({
            "place": found.place, "what": format!("{:?}", found.what), "value": found.value, "written": found.written,
            "confidence": found.confidence,
        })).collect::<Vec<_>>(),
        "advisories": sink.advisories.iter().map(|advisory| format!("{advisory:?}")).collect::<Vec<_>>(),
    })
}

/// A report as a flat object: what is in its core, and its fields. Extra columns are `extra.NAME`; a field that is
/// there more than once is an array.
fn flat(report: &Report<'_>) -> Value {
    let mut object = Map::new();
    let core = report.core;
    object.insert("ordinal".into(), json!(core.ordinal));
    object.insert("kind".into(), json!(core.kind.to_string()));
    object.insert("address".into(), json!(core.address.to_string()));
    object.insert("port".into(), json!(core.port));
    object.insert("observed".into(), json!(core.observed().map(|time| time.to_string())));
    for (key, label) in [("tlp", core.tlp.word()), ("pap", core.pap.word())] {
        if !label.is_empty() {
            object.insert(key.into(), json!(label));
        }
    }
    if core.confidence != model::report::Core::UNSTATED {
        object.insert("confidence".into(), json!(core.confidence));
    }
    for (word, value) in report.fields() {
        let (name, place) = report.name(word);
        let key = if place == Place::Extra { format!("extra.{name}") } else { name.to_owned() };
        let value = match value.shape {
            Shape::Text => json!(value.text()),
            Shape::Json => serde_json::from_slice(value.bytes).expect("a JSON field holds one JSON value"),
            Shape::Bytes => json!({"hex": value.bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()}),
        };
        match object.get_mut(&key) {
            None => drop(object.insert(key, value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    Value::Object(object)
}
