//! What is written for others is what our own readers read again, and nothing in it is more than a value.

#![allow(clippy::unwrap_used)]

use model::address::{Address, Range};
use model::category::Kind;
use model::label::{Pap, Tlp};
use model::report::{Batch, Core, Report, Word};
use model::time::Time;
use parsers::read::read;
use parsers::sink::Collected;
use parsers::source::Hint;
use parsers::write::{As, Ids, Whole, Writer};
use proptest::prelude::*;
use serde_json::Value;

/// Where a report is about.
#[derive(Clone, Debug)]
enum Spot {
    Address(u32, u16),
    Address6(u64),
    Name(String, u16),
    NameAndAddress(String, u32),
    Url(String),
    UrlAndAddress(String, u32, u16),
    Net(u8),
}

#[derive(Clone, Debug)]
struct Sample {
    kind: Kind,
    spot: Spot,
    time: i64,
    tlp: Tlp,
    pap: Pap,
    confidence: u8,
    family: String,
    incidents: u32,
    text: String,
}

fn spots() -> impl Strategy<Value = Spot> {
    let name = || "[a-z]{1,8}(\\.[a-z]{1,8}){0,2}\\.example";
    let url = "https?://[a-z]{1,8}\\.example(:8[0-9]{3})?/[a-zA-Z0-9/_.~%'()*+,;=@-]{0,20}(\\?[a-z]=[a-z'\"\\\\<>]{0,8})?";
    let address = || 0xc000_0200_u32..=0xc000_02ff;
    prop_oneof![
        (address(), 0u16..).prop_map(|(address, port)| Spot::Address(address, port)),
        (1u64..).prop_map(Spot::Address6),
        (name(), 0u16..).prop_map(|(name, port)| Spot::Name(name, port)),
        (name(), address()).prop_map(|(name, address)| Spot::NameAndAddress(name, address)),
        url.prop_map(Spot::Url),
        (url, address(), 0u16..).prop_map(|(url, address, port)| Spot::UrlAndAddress(url, address, port)),
        (1u8..28).prop_map(Spot::Net),
    ]
}

fn samples() -> impl Strategy<Value = Sample> {
    let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| !kind.is_child_abuse()).collect();
    let labels = (proptest::sample::select(&Tlp::ALL[1..]), proptest::sample::select(&Pap::ALL[..]));
    let rest = (0u8..=101, "[A-Za-z][A-Za-z0-9 ._-]{0,12}[a-z]|", 0u32..500, ".{0,40}");
    (proptest::sample::select(kinds), spots(), 1_600_000_000_000..1_800_000_000_000i64, labels, rest).prop_map(
        |(kind, spot, time, (tlp, pap), (confidence, family, incidents, text))| Sample {
            kind,
            spot,
            time,
            tlp,
            pap,
            confidence,
            family,
            incidents,
            text,
        },
    )
}

const ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

fn v4(address: u32) -> Address {
    Address::parse(std::net::Ipv4Addr::from(address).to_string().as_bytes()).unwrap()
}

fn batch(sample: &Sample) -> Batch {
    let mut batch = Batch::new();
    let mut core = Core::new(sample.kind, 0);
    core.set_observed(Some(Time(sample.time)));
    (core.tlp, core.pap) = (sample.tlp, sample.pap);
    core.confidence = if sample.confidence > 100 { Core::UNSTATED } else { sample.confidence };
    match &sample.spot {
        Spot::Address(address, port) => (core.address, core.port) = (v4(*address), *port),
        Spot::Address6(low) => core.address = Address((0x2001_0db8 << 96) | u128::from(*low)),
        Spot::Name(name, port) => {
            core.port = *port;
            batch.text(Word::DOMAIN, name);
            batch.text(Word::SOURCE_IDENTIFIER, name);
        }
        Spot::NameAndAddress(name, address) => {
            core.address = v4(*address);
            batch.text(Word::DOMAIN, name);
        }
        Spot::Url(url) => {
            core.port = model::resource::Url::parse(url).unwrap().port().unwrap_or(0);
            batch.text(Word::URL, url);
            batch.text(Word::SOURCE_IDENTIFIER, url);
        }
        Spot::UrlAndAddress(url, address, port) => {
            let of_url = model::resource::Url::parse(url).unwrap().port();
            (core.address, core.port) = (v4(*address), if *port == 0 { of_url.unwrap_or(0) } else { *port });
            batch.text(Word::URL, url);
        }
        Spot::Net(length) => {
            let host = (1u32 << (32 - length)) - 1;
            let range = Range::prefix(v4(0xc633_6400 & !host), *length).unwrap();
            batch.text(Word::SOURCE_IDENTIFIER, range.to_string());
        }
    }
    for (word, value) in [
        (Word::MALWARE_FAMILY, sample.family.trim().to_owned()),
        (Word::INCIDENTS, sample.incidents.to_string()),
        (Word::DESCRIPTION, sample.text.clone()),
    ] {
        if !value.is_empty() && value != "0" {
            batch.text(word, value);
        }
    }
    batch.finish(core);
    batch
}

fn whole() -> Whole {
    Whole {
        organisation: "Example Desk".into(),
        contact: "abuse@desk.example".into(),
        title: "Cases of 4 March".into(),
        identifier: "1".into(),
        at: Time::parse(b"2030-03-04T05:06:07Z").unwrap(),
    }
}

fn written(format: As, batch: &Batch) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut writer = Writer::new(format, whole(), &mut out);
    let ids = Ids { fallback_report_id: ID.into(), received: Time::parse(b"2030-01-01T00:00:00Z").unwrap() };
    let taken = batch.reports().all(|report| writer.report(&report, &ids, &mut out).is_ok());
    writer.end(&mut out);
    taken.then_some(out)
}

fn read_back(bytes: &[u8], format: Option<&'static str>) -> Collected {
    let mut sink = Collected::default();
    let hint = Hint { format, ..Hint::new("", Time::parse(b"2030-01-01T00:00:00Z").unwrap()) };
    read(&mut &bytes[..], &hint, &mut sink).unwrap();
    sink
}

/// What must be the same on both sides: the core, and the place.
fn said(report: &Report<'_>) -> Vec<String> {
    let core = report.core;
    let identifier = report.text(Word::SOURCE_IDENTIFIER).unwrap_or("");
    let url = report.text(Word::URL).unwrap_or("");
    let of_url = model::resource::Url::parse(url).map(|url| url.host().to_string()).unwrap_or_default();
    // That a URL is on its host goes without saying.
    let name = report.text(Word::DOMAIN).filter(|name| *name != of_url).unwrap_or("");
    let named = if core.address == Address::NONE && url.is_empty() { identifier } else { "" };
    vec![
        core.kind.to_string(),
        format!("{} {}", core.address, core.port),
        format!("{url} {name} {named}"),
        core.observed().map(|time| time.to_string()).unwrap_or_default(),
        format!("{} {}", core.tlp, core.pap),
        format!("{}", core.confidence),
        report.text(Word::MALWARE_FAMILY).unwrap_or("").to_owned(),
        report.text(Word::REPORT_ID).unwrap_or(ID).to_owned(),
    ]
}

proptest! {
    #[test]
    fn knowledge_reads_back(sample in samples()) {
        let batch = batch(&sample);
        let before = said(&batch.report(0));
        for format in [As::Misp, As::Stix, As::Csv, As::Xarf] {
            let Some(bytes) = written(format, &batch) else {
                prop_assert!(false, "{} does not take {sample:?}", format.word());
                return Ok(());
            };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let sink = read_back(&bytes, None);
            prop_assert_eq!(sink.reports().count(), 1, "{}: {} {:?}", format.word(), text, sink.rejects);
            let mut after = said(&sink.reports().next().unwrap());
            let mut before = before.clone();
            // STIX has one port in a pattern, and a name with one has none there.
            if format == As::Csv {
                // A cell is no formula, whatever it was.
                after.iter_mut().chain(&mut before).for_each(|text| *text = text.replace('\'', ""));
            }
            prop_assert_eq!(after, before, "{}: {}", format.word(), text);
        }
    }

    #[test]
    fn feedback_reads_back(mut sample in samples()) {
        sample.kind = match &sample.spot {
            Spot::Url(_) | Spot::UrlAndAddress(..) if sample.time % 2 == 0 => Kind::Phishing,
            Spot::Url(_) | Spot::UrlAndAddress(..) => Kind::Malware,
            _ if sample.time % 2 == 0 => Kind::Spam,
            _ => Kind::InfectedHost,
        };
        sample.time -= sample.time % 1_000;
        let batch = batch(&sample);
        let Some(bytes) = written(As::Arf, &batch) else {
            prop_assert!(matches!(sample.spot, Spot::Net(_)), "{sample:?}");
            return Ok(());
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert!(bytes.is_ascii());
        let mail = text.split_once("\r\n").unwrap().1;
        let sink = read_back(mail.as_bytes(), Some("arf"));
        prop_assert_eq!(sink.reports().count(), 1, "{} {:?}", text, sink.rejects);
        let (before, after) = (said(&batch.report(0)), said(&sink.reports().next().unwrap()));
        prop_assert_eq!(&after[0], &before[0]);
        prop_assert_eq!(&after[3], &before[3]);
        if !matches!(sample.spot, Spot::Name(..)| Spot::Url(_)) {
            prop_assert_eq!(&after[1], &before[1], "{}", text);
        }
        let url = |one: &[String]| one[2].split(' ').next().unwrap_or("").to_owned();
        prop_assert_eq!(url(&after), url(&before), "{}", text);
    }

    #[test]
    fn lines_are_lines(sample in samples()) {
        let batch = batch(&sample);
        for format in [As::Intelmq, As::Xarf] {
            let bytes = written(format, &batch).unwrap();
            prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert!(value.is_object());
        }
    }
}

#[test]
fn nothing_in_a_mail_begins_a_field_or_a_part() {
    let mut batch = Batch::new();
    for (word, value) in [
        (Word::SMTP_FROM, "a@b.example>\r\nBcc: all@c.example"),
        (Word::SUBJECT, "Re: you\r\n\r\nFrom x Thu Jan  1 00:00:00 1970"),
        (Word::MESSAGE_ID, "<1@a.example>\r\nX-Evil: 1"),
        (Word::DESCRIPTION, "hello\r\n--boundary--\r\nFrom: evil"),
        (Word::EVIDENCE_TYPE, "message/rfc822"),
    ] {
        batch.text(word, value);
    }
    batch.bytes(Word::EVIDENCE_PAYLOAD, b"From a\nSubject: x\n\nFrom b\n>From c\n");
    let mut core = Core::new(Kind::Spam, 0);
    core.address = v4(0xc000_0201);
    batch.finish(core);
    let text = String::from_utf8(written(As::Arf, &batch).unwrap()).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("From ")).count(), 1, "{text}");
    assert!(!text.contains("\r\nBcc:") && !text.contains("\r\nX-Evil"), "{text}");
    assert!(text.contains(">From a\r\n") && text.contains(">>From c\r\n"));
    assert!(text.split("\r\n").all(|line| !line.contains(['\r', '\n'])));
}

#[test]
fn what_a_format_has_no_word_for_is_not_written_as_another_thing() {
    let mut batch = Batch::new();
    let mut core = Core::new(Kind::Botnet, 0);
    core.address = v4(0xc000_0201);
    batch.finish(core);
    assert_eq!(written(As::Arf, &batch), None);
    let mut batch = Batch::new();
    batch.text(Word::ACCOUNT, "da01.example/c1042");
    batch.finish(Core::new(Kind::Phishing, 0));
    assert_eq!(written(As::Misp, &batch), None);
    assert_eq!(written(As::Stix, &batch), None);
}

#[test]
fn the_same_is_written_the_same() {
    let mut batch = Batch::new();
    for (kind, last) in [(Kind::Botnet, 1u32), (Kind::Spam, 2), (Kind::Botnet, 1)] {
        let mut core = Core::new(kind, 0);
        (core.address, core.tlp) = (v4(0xc000_0200 + last), Tlp::Green);
        batch.text(Word::MALWARE_FAMILY, "Example RAT");
        batch.finish(core);
    }
    let one = written(As::Stix, &batch).unwrap();
    assert_eq!(written(As::Stix, &batch).unwrap(), one);
    let bundle: Value = serde_json::from_slice(&one).unwrap();
    let mut ids: Vec<&str> = bundle["objects"].as_array().unwrap().iter().map(|object| object["id"].as_str().unwrap()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "no identifier stands there twice");
}
