//! AbuseHUB, the clearing house of the Dutch Abuse Information Exchange: what its reliable notifiers say, one table for all.
//!
//! The row as the notifier sent it is attached beside it. It is the same statement, so it is evidence and no report of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::address::Address;
use model::category::Kind;
use model::report::{Core, Place, Word};
use model::resource::Url;
use model::time::Time;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::csv::{Item, Record, Records, header_of, separator};
use crate::kinds::mail::{self, Mail, Original, Part};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// AbuseHUB.
pub const FORMAT: Format = Format {
    name: "abusehub",
    title: "AbuseHUB of the Abuse Information Exchange: AbuseHubCsv 1.0.0 by mail",
    senders: &["abusehub.nl"],
    fields: &[
        ("src_ip", "address"),
        ("src_port", "port"),
        ("event_date, event_time", "time"),
        ("report_type", "kind, feed"),
        ("reliable_notifier", "reporter.org"),
        ("infection_type", "malware_family"),
        ("dst_ip, dst_port", "destination_ip, destination_port"),
        ("src_url", "url"),
        ("what is attached beside it", "evidence"),
    ],
    proven: Proven::By("AbuseIO"),
    detect,
    parse,
};

/// Where the clearing house is: its tables have no zone.
const ZONE: &str = "Europe/Amsterdam";

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    if letter.is_from("abusehub.nl") {
        return Fit::Certain;
    }
    let begins = letter.subject.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("[Abusehub]"));
    if begins && letter.says("reliable_notifier") { Fit::Likely } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let zones = zones(&mail::plain(&mail));
    let (tables, others): (Vec<_>, Vec<_>) = mail.parts.iter().enumerate().partition(|(_, part)| is_table(part));
    if tables.is_empty() {
        if !mail::parts(reading, &mail)? {
            reading.unreadable("a mail of AbuseHUB without its table (a CSV with the column 'reliable_notifier')");
        }
        return Ok(());
    }
    let mut table =
        Table { noted: 0, zones, originals: others.into_iter().map(|(_, part)| part).filter(|part| is_original(part)).collect() };
    // Beside several rows nobody says whose it is, and one party must not see what is another's.
    let rows: usize = tables.iter().map(|(_, part)| rows_of(&part.utf8(), reading.hint.limits.line)).sum();
    if rows > 1 && !table.originals.is_empty() {
        reading.note("", "several rows, and what the notifiers sent beside them; whose it is, only the submission shows");
        table.originals.clear();
    }
    for (index, part) in tables {
        table.read(reading, part, &mail::part_name(part, index))?;
    }
    if mail.more {
        mail::refuse_rest(reading);
    }
    Ok(())
}

fn is_table(part: &Part<'_>) -> bool {
    let is_text = part.media.is_text() || part.media.name.to_ascii_lowercase().ends_with(".csv");
    is_text && {
        let header = header_of(&part.utf8());
        ["reliable_notifier", "src_ip"].iter().all(|name| header.iter().any(|column| column == name))
    }
}

/// How many rows a table has; no more than two are counted.
fn rows_of(bytes: &[u8], limit: usize) -> usize {
    let mut rest = bytes;
    let mut records = Records::new(&mut rest, separator(bytes), limit);
    let mut found = 0usize;
    while found < 3 && matches!(records.next_item(), Ok(Some(_))) {
        found += 1;
    }
    found.saturating_sub(1)
}

/// Whether a part is what the notifier sent, rather than words or a signature.
fn is_original(part: &Part<'_>) -> bool {
    part.media.essence == "text/csv" || part.media.name.to_ascii_lowercase().ends_with(".csv") || part.media.is_message()
}

/// The zones that the text gives: `(event time 2026-03-04 03:58:11 +01:00)`.
fn zones(text: &str) -> BTreeMap<String, Time> {
    const LABEL: &str = "event time ";
    let stated = text.split(LABEL).skip(1).take(1_000).filter_map(|rest| {
        let local = rest.get(..19)?;
        let zone = rest.get(19..26)?;
        Some((local.to_owned(), Time::parse(format!("{local}{zone}").as_bytes())?))
    });
    stated.collect()
}

/// The columns of a table.
struct Columns {
    names: Vec<String>,
    /// Where the first of each name stands.
    at: BTreeMap<String, usize>,
}

impl Columns {
    fn of(names: Vec<String>) -> Columns {
        let mut at = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            at.entry(name.clone()).or_insert(index);
        }
        Columns { names, at }
    }
}

struct Table<'a> {
    /// Notes on rows that were told; a table of rubbish does not need one a row.
    noted: u8,
    zones: BTreeMap<String, Time>,
    originals: Vec<&'a Part<'a>>,
}

impl Table<'_> {
    fn read(&mut self, reading: &mut Reading<'_>, part: &Part<'_>, place: &str) -> Result<(), Stop> {
        let bytes = part.utf8();
        let mut rest = &bytes[..];
        let limit = reading.hint.limits.line;
        let mut records = Records::new(&mut rest, separator(&bytes), limit);
        let mut columns: Option<Columns> = None;
        while let Some(item) = records.next_item()? {
            let record = match item {
                Item::Record(record) => record,
                Item::Spoilt { line, text, reason } => {
                    let ordinal = reading.ordinal();
                    reading.reject(ordinal, &format!("{place}, line {line}"), text, reason);
                    continue;
                }
            };
            let Some(columns) = &columns else {
                let names = record.names();
                reading.shape("", &names.iter().map(String::as_str).collect::<Vec<_>>());
                columns = Some(Columns::of(names));
                continue;
            };
            let ordinal = reading.ordinal();
            let line = format!("{place}, line {}", record.line);
            match self.row(reading, columns, &record, ordinal, &line) {
                Ok(core) => {
                    // What is attached is the one row's.
                    self.attach(reading);
                    reading.report(core)?;
                }
                Err(reason) => reading.reject(ordinal, &line, record.text(), reason),
            }
        }
        Ok(())
    }

    fn row(
        &mut self,
        reading: &mut Reading<'_>,
        columns: &Columns,
        record: &Record<'_>,
        ordinal: u32,
        line: &str,
    ) -> Result<Core, String> {
        if record.len() > columns.names.len() {
            return Err(format!("it has {} fields, and the header {}", record.len(), columns.names.len()));
        }
        let get = |name: &str| {
            let at = *columns.at.get(name)?;
            let value = record.get(at).trim_ascii();
            (!value.is_empty()).then(|| String::from_utf8_lossy(value).into_owned())
        };
        let stated = get("src_ip").unwrap_or_default();
        let address = Address::parse(stated.as_bytes()).filter(|address| *address != Address::NONE);
        let url = get("src_url").filter(|url| Url::parse(url).is_some());
        if address.is_none() && (url.is_none() || !stated.is_empty()) {
            return Err(format!("src_ip '{}' is not an address", stated.chars().take(80).collect::<String>()));
        }
        let said = get("report_type").unwrap_or_default();
        let kind = kind_of(&said, url.is_some());
        if kind == Kind::ThreatIntelligence {
            let said: String = said.chars().take(80).collect();
            self.note(reading, line, format!("what '{said}' accuses of is not known; read as {kind}"));
        }
        let mut core = Core::new(kind, ordinal);
        core.address = address.unwrap_or(Address::NONE);
        core.set_observed(self.time(get("event_date").as_deref(), get("event_time").as_deref()));
        if core.observed().is_none() {
            self.note(reading, line, "event_date and event_time are no time; it is kept undated".to_owned());
        }
        core.port = get("src_port").and_then(|port| port.parse().ok()).unwrap_or(0);
        let batch = reading.batch();
        for (column, value) in columns.names.iter().zip(record.iter()) {
            let value = value.trim_ascii();
            if value.is_empty() {
                continue;
            }
            let text = String::from_utf8_lossy(value);
            let number = text.parse::<u16>().ok().filter(|number| *number > 0);
            let word = match column.as_str() {
                "src_ip" if address.is_some_and(|address| address.to_string() == text) => continue,
                "src_port" if core.port != 0 => continue,
                "dst_port" if number.is_some() => {
                    batch.json(Word::DESTINATION_PORT, &number.unwrap_or_default().to_string());
                    continue;
                }
                "src_asn" if text.parse::<u32>().is_ok_and(|number| number > 0) => {
                    batch.json(Word::ASN, &text.parse::<u32>().unwrap_or_default().to_string());
                    continue;
                }
                "reliable_notifier" => Word::REPORTER_ORG,
                "report_type" => Word::FEED,
                "infection_type" => Word::MALWARE_FAMILY,
                "protocol" => Word::PROTOCOL,
                "dst_ip" if Address::parse(value).is_some() => Word::DESTINATION_IP,
                "src_url" if url.is_some() => Word::URL,
                "src_email" => Word::SMTP_FROM,
                "dst_email" => Word::SMTP_TO,
                "src_hostname" => Word::REVERSE_DNS,
                other => batch.word(&format!("abusehub.{other}"), Place::Extra),
            };
            batch.text(word, value);
        }
        Ok(core)
    }

    fn note(&mut self, reading: &mut Reading<'_>, line: &str, text: String) {
        if self.noted < 50 {
            self.noted += 1;
            reading.note(line, text);
        }
    }

    /// The time of a row: by the zone that the text gives for it, else by the clocks of the clearing house.
    fn time(&self, date: Option<&str>, clock: Option<&str>) -> Option<Time> {
        let local = format!("{} {}", date?, clock?);
        if let Some(time) = self.zones.get(&local) {
            return Some(*time);
        }
        let time = Time::parse(local.as_bytes())?;
        // It has a zone of its own when none can be added to it.
        if Time::parse(format!("{local}Z").as_bytes()).is_none() {
            return Some(time);
        }
        let there = Timestamp::from_millisecond(time.0).ok()?.to_zoned(TimeZone::UTC).datetime();
        let instant = there.to_zoned(TimeZone::get(ZONE).ok()?).ok()?.timestamp().as_millisecond();
        Some(Time(instant)).filter(|time| (Time::MIN..=Time::MAX).contains(time))
    }

    /// Puts what the notifiers sent into the open report, once.
    fn attach(&mut self, reading: &mut Reading<'_>) {
        let batch = reading.batch();
        let mut described = false;
        for part in std::mem::take(&mut self.originals).into_iter().take(8) {
            match Original::of(part) {
                Some(original) if !described => {
                    original.put(batch, false);
                    described = true;
                }
                Some(_) => {}
                None => {
                    let bytes = part.bytes();
                    batch.text(Word::EVIDENCE_TYPE, "text/csv");
                    batch.text(Word::EVIDENCE_DESCRIPTION, "The row as the notifier sent it");
                    batch.text(Word::EVIDENCE_SIZE, bytes.len().to_string());
                    batch.bytes(Word::EVIDENCE_PAYLOAD, &bytes);
                }
            }
        }
    }
}

/// Words of report types in small letters, in the order in which they are looked for, and what they accuse of.
const TYPES: &[(&str, Kind)] = &[
    ("command and control", Kind::Botnet),
    ("sinkhole", Kind::InfectedHost),
    ("drone", Kind::InfectedHost),
    ("botnet", Kind::InfectedHost),
    ("bot report", Kind::InfectedHost),
    ("compromised website", Kind::RemoteCompromise),
    ("brobot", Kind::RemoteCompromise),
    ("poodle", Kind::Misconfiguration),
    ("freak", Kind::Misconfiguration),
    ("nat-pmp", Kind::OpenService),
    ("ipmi", Kind::OpenService),
    ("ntp ", Kind::OpenService),
    ("mongodb", Kind::OpenService),
    ("open ", Kind::OpenService),
    (" fbl", Kind::Spam),
    ("spam url", Kind::Spam),
    ("infection", Kind::InfectedHost),
    ("mumblehart", Kind::InfectedHost),
    (" rat ", Kind::InfectedHost),
    ("malware", Kind::Malware),
    ("cleanmx", Kind::Malware),
    ("safe browsing", Kind::Malware),
];

fn kind_of(said: &str, has_url: bool) -> Kind {
    let lower = said.to_ascii_lowercase();
    match TYPES.iter().find(|(words, _)| lower.contains(words)).map(|(_, kind)| *kind) {
        // Malware without a place where it is offered was seen by what a machine did.
        Some(Kind::Malware) if !has_url => Kind::InfectedHost,
        Some(kind) => kind,
        // A word we do not know accuses nobody.
        None => Kind::ThreatIntelligence,
    }
}
