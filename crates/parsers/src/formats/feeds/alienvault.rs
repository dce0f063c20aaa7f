//! Lists of AlienVault: the reputation of addresses, and pulses of the Open Threat Exchange (OTX).

use std::borrow::Cow;

use serde_json::Value;

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, fetched_from, has_members};
use crate::kinds::objects::{self, flatten};
use crate::kinds::rsit;
use crate::kinds::table::{Between, Layout, Means, Row, Sender, Sheet, Table, When, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};
use model::category::Kind;

/// Lists of AlienVault.
pub const FORMAT: Format = Format {
    name: "alienvault",
    title: "AlienVault: reputation data, pulses of the Open Threat Exchange (JSON)",
    senders: &["AlienVault, LevelBlue", "reputation.alienvault.com", "otx.alienvault.com"],
    fields: &[
        ("the first column, indicator", "address, url, domain, file_hashes"),
        ("the fourth column", "kind"),
        ("created", "time"),
        ("tags and TLP of the pulse", "tags, tlp"),
    ],
    proven: Proven::By("IntelMQ"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    lists::detect(prefix, which)
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    lists::read(reading, source, which)
}

fn which(bytes: &[u8], location: &str) -> Option<List> {
    if has_members(bytes, &["indicators", "indicator", "author_name"]) {
        return Some(List::Own(pulses));
    }
    let fetched = fetched_from(location, "alienvault.com").is_some_and(|path| path.contains("reputation"));
    (fetched || is_reputation(bytes)).then_some(List::Table(&REPUTATION))
}

/// Whether the first line has the eight columns of reputation data, an address and two numbers first.
fn is_reputation(bytes: &[u8]) -> bool {
    // A list begins with an address and a sign: nothing else is looked at further.
    let begins = bytes.first().is_some_and(u8::is_ascii_hexdigit);
    if !begins || memchr::memchr(b'#', bytes.get(..bytes.len().min(46)).unwrap_or_default()).is_none() {
        return false;
    }
    let line = bytes.get(..bytes.len().min(300)).unwrap_or_default();
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let columns: Vec<&[u8]> = line.split(|byte| *byte == b'#').collect();
    let digit = |at: usize| columns.get(at).is_some_and(|text| !text.is_empty() && text.iter().all(u8::is_ascii_digit));
    columns.len() == 8
        && digit(1)
        && digit(2)
        && columns.first().is_some_and(|text| model::address::Address::parse(text).is_some())
}

const PLAIN: Layout = Layout {
    sender: Sender { org: "AlienVault", contact: "otx-support@alienvault.com", domain: "alienvault.com" },
    ..Layout::PLAIN
};

static REPUTATION: Table = Table {
    layout: Layout {
        feed: "alienvault_reputation",
        class: rsit::BLACKLIST,
        columns: &[
            ("address", Means::Address),
            ("risk", Means::Number("risk")),
            ("reliability", Means::Number("reliability")),
            ("activity", Means::Keep),
            ("country", Means::Country),
            ("city", Means::Keep),
            ("location", Means::Keep),
            ("activities", Means::Skip),
        ],
        when: When::Received,
        each: Some(activity),
        ..PLAIN
    },
    between: Between::Plain(b'#'),
    comments: b"",
    header: false,
};

/// An address may have several activities, apart by semicolons: the worst that it does itself counts.
fn activity(row: &mut Row<'_>) -> Result<(), String> {
    let activities = row.get("activity").to_ascii_lowercase();
    let known = [
        ("c&c", rsit::C2_SERVER),
        ("malware domain", rsit::MALWARE_DISTRIBUTION),
        ("malware distribution", rsit::MALWARE_DISTRIBUTION),
        ("malware ip", rsit::INFECTED_SYSTEM),
        ("malicious host", rsit::INFECTED_SYSTEM),
        ("spamming", rsit::SPAM),
        ("scanning host", rsit::SCANNER),
        ("apt", rsit::OTHER),
    ];
    let found =
        known.iter().find(|(word, _)| activities.split(|byte| *byte == b';').any(|one| one.trim_ascii() == word.as_bytes()));
    if let Some((_, class)) = found {
        row.class = *class;
    }
    Ok(())
}

/// A pulse lists what others wrote about: that it was seen somewhere is no abuse yet.
static PULSE: Layout = Layout {
    feed: "alienvault_otx",
    class: rsit::BLACKLIST.as_kind(Kind::ThreatIntelligence),
    columns: &[
        ("indicator", Means::Source),
        ("created", Means::Time(Written::Iso)),
        ("type", Means::Keep),
        ("description", Means::Text("description")),
        ("pulse.tlp", Means::Tlp),
        ("pulse.tags", Means::Tag("otx")),
    ],
    always: &[("threat_type", "indicator of a pulse")],
    each: Some(indicator),
    ..PLAIN
};

fn indicator(row: &mut Row<'_>) -> Result<(), String> {
    let value = row.get("indicator");
    if value.is_empty() {
        return Err("no indicator".to_owned());
    }
    // Of hashes, mail addresses, CVE numbers and parts of URLs there is no holder; the report says what they are.
    row.put_hash(value);
    row.handle = Cow::Borrowed(value);
    Ok(())
}

/// Every indicator of every pulse is a statement; what the pulse says holds for each.
fn pulses(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let path: &'static [&'static str] = if has_members(source.prefix(), &["results"]) { &["results"] } else { &[] };
    let mut sheet = Sheet::new(&PULSE, Vec::new(), reading);
    // A pulse holds many statements, so it may be larger than one.
    let most = reading.hint.limits.line.saturating_mul(4);
    objects::walk(reading, source, path, most, &mut |reading, mut found| {
        let Some(Value::Array(indicators)) = found.members.remove("indicators") else {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, &found.place, found.text, "the pulse has no list of indicators");
            return Ok(());
        };
        let mut of_pulse = Vec::new();
        for name in ["id", "name", "author_name", "tlp", "TLP", "tags", "references"] {
            if let Some(value) = found.members.get(name) {
                of_pulse.push((format!("pulse.{}", name.to_ascii_lowercase()), objects::text_of(value)));
            }
        }
        for (at, indicator) in indicators.iter().enumerate() {
            let ordinal = reading.ordinal();
            let place = format!("{}, indicator {}", found.place, at + 1);
            let written = indicator.to_string();
            let mut members = of_pulse.clone();
            match indicator {
                Value::Object(own) if flatten(own, "", 0, &mut members) => {
                    objects::put(reading, &mut sheet, members, ordinal, &place, written.as_bytes())?;
                }
                _ => reading.reject(ordinal, &place, written.as_bytes(), "the indicator is no object of at most 1,000 members"),
            }
        }
        Ok(())
    })?;
    sheet.tell(reading);
    Ok(())
}
