//! CleanMX: mails about sites of viruses, phishing and abused portals in one network, a table in the text.

use std::collections::BTreeMap;

use model::address::Address;
use model::category::Kind;
use model::report::Word;
use model::resource::DomainName;
use model::time::Time;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Mail, Statement, location};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// CleanMX.
pub const FORMAT: Format = Format {
    name: "cleanmx",
    title: "CleanMX: mails about sites within one network, a table in the text",
    senders: &["CleanMX", "clean-mx.de"],
    fields: &[
        ("ip", "address"),
        ("date, with the zone of the subject when it has none", "time"),
        ("Url", "url"),
        ("domain", "domain"),
        ("virusname", "malware_family"),
        ("id", "report_id"),
        ("subject, [clean-mx-…]", "kind"),
    ],
    proven: Proven::By("AbuseIO (viruses); phishing and portals after AbuseIO's list of kinds"),
    detect,
    parse,
};

/// Rows of one mail that are read.
const ROWS: usize = 10_000;
/// Columns, as they are when the line that names them is missing.
const COLUMNS: &[&str] = &["date", "id", "virusname", "ip", "domain", "url"];

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    let is_own = letter.is_from("clean-mx.de") || letter.is_from("clean-mx.com");
    if is_own && letter.subject.contains("[clean-mx-") { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let subject = mail.fields.text("Subject").unwrap_or_default();
    let list = subject.split_once("[clean-mx-").map_or("", |(_, rest)| rest);
    let list = list.split(['-', ']']).next().unwrap_or_default();
    let kind = kind_of(list);
    if kind == Kind::ThreatIntelligence {
        reading.note("", format!("what the list '{}' accuses of is not known; read as {kind}", mail::shown(list)));
    }
    // Its clocks are those of Germany, and the subject names their zone.
    let zone = subject.trim_end().rsplit(' ').next().filter(|word| word.bytes().all(|byte| byte.is_ascii_uppercase()));
    let text = mail::plain(&mail);
    let mut columns: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
    let mut rows = 0;
    for (at, line) in text.lines().enumerate() {
        let Some(row) = line.trim().strip_prefix('|') else { continue };
        let cells: Vec<&str> = row.splitn(columns.len().max(2), '|').map(str::trim).collect();
        let is_header = cells.first().is_some_and(|cell| cell.eq_ignore_ascii_case("date"));
        if is_header {
            let names = row.split('|').map(|name| name.trim().to_ascii_lowercase());
            columns = names.filter(|name| !name.is_empty()).take(32).collect();
            reading.shape(list, &columns.iter().map(String::as_str).collect::<Vec<_>>());
            continue;
        }
        if rows >= ROWS {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, "", b"", format!("more than {ROWS} rows; the rest was not read"));
            break;
        }
        rows += 1;
        let place = format!("line {}", at + 1);
        let cells: BTreeMap<&str, &str> = columns.iter().map(String::as_str).zip(cells).collect();
        match statement(kind, &cells, zone) {
            Ok(statement) => {
                statement.report(reading, &mail.fields, (&place, line), Some(("The row as CleanMX wrote it", line)))?;
            }
            Err(reason) => {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, &place, line.as_bytes(), reason);
            }
        }
    }
    if rows == 0 {
        reading.unreadable("a mail of CleanMX, and no row of its table in it");
    }
    Ok(())
}

fn statement<'a>(kind: Kind, cells: &BTreeMap<&'a str, &'a str>, zone: Option<&str>) -> Result<Statement<'a>, String> {
    let get = |name: &str| cells.get(name).copied().unwrap_or_default();
    let mut statement = Statement::new(kind);
    let said = get("ip");
    statement.address = match Address::parse(said.as_bytes()) {
        Some(address) => address,
        None if said.is_empty() => Address::NONE,
        None => return Err(format!("ip '{}' is not an address", mail::shown(said))),
    };
    let said = get("url").trim_end_matches('|').trim_end();
    statement.url = location(said);
    if statement.url.is_none() && !said.is_empty() {
        return Err(format!("Url '{}' is not a location", mail::shown(said)));
    }
    statement.domain = DomainName::parse(get("domain"));
    statement.time = time(get("date"), zone);
    for (name, value) in cells {
        match *name {
            "ip" | "url" => {}
            "date" if statement.time.is_some() => {}
            "domain" if statement.domain.is_some() => {}
            "id" => statement.text(Word::REPORT_ID, value),
            "virusname" => statement.text(Word::MALWARE_FAMILY, value),
            other => statement.extra(format!("cleanmx.{other}"), value),
        }
    }
    Ok(statement)
}

/// A time with its zone, or with that of the subject.
fn time(said: &str, zone: Option<&str>) -> Option<Time> {
    let names_zone = said.rsplit(' ').next().is_some_and(|word| word.ends_with(|letter: char| letter.is_ascii_alphabetic()));
    match zone {
        Some(zone) if !names_zone => mail::written(&format!("{said} {zone}"), None),
        _ => mail::written(said, None),
    }
}

/// What a list of CleanMX accuses of.
fn kind_of(list: &str) -> Kind {
    match list.to_ascii_lowercase().as_str() {
        "viruses" | "virus" | "malware" => Kind::Malware,
        "phishing" => Kind::Phishing,
        // Portals that somebody else put pages into.
        "portals" | "defacements" => Kind::RemoteCompromise,
        "spamvertized" | "spam" => Kind::Spam,
        _ => Kind::ThreatIntelligence,
    }
}
