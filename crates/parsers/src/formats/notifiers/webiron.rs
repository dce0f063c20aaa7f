//! WebIron: abuse reports about one address each, a block of named values for each thing it did.

use model::address::Address;
use model::category::Kind;
use model::report::Word;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Fields, Mail, Statement};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// WebIron.
pub const FORMAT: Format = Format {
    name: "webiron",
    title: "WebIron: batched abuse reports by mail",
    senders: &["WebIron", "webiron.com"],
    fields: &[
        ("Offending IP, Offending/Source IP", "address"),
        ("Time", "time"),
        ("Issue", "kind, description"),
        ("Port", "destination_port"),
        ("Service", "service"),
        ("Report ID", "report_id"),
        ("User-Agent", "user_agent"),
        ("the others", "webiron.…"),
    ],
    proven: Proven::By("AbuseIO"),
    detect,
    parse,
};

/// Blocks of one mail that are read.
const BLOCKS: usize = 10_000;
/// Named values of one block.
const VALUES: usize = 32;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    let is_report = letter.is_from("abuse-reporting.webiron.com")
        || letter.is_from("webiron.com") && letter.subject.to_ascii_lowercase().contains("abuse report");
    if is_report { Fit::Certain } else { Fit::No }
}

/// One thing that an address did, as far as it has been read.
struct Block<'a> {
    line: usize,
    address: Option<Address>,
    values: Vec<(&'a str, &'a str)>,
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let text = mail::plain(&mail);
    let mut address: Option<Address> = None;
    let mut open: Option<Block<'_>> = None;
    let mut names: Vec<&str> = Vec::new();
    let mut read = 0;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        let offender = ["Offending IP:", "Offending/Source IP:", "Source IP:"].iter().find_map(|label| mail::after(line, label));
        if let Some(said) = offender {
            close(reading, &mail.fields, open.take())?;
            address = Address::parse(said.as_bytes()).filter(|address| *address != Address::NONE);
            if address.is_none() {
                read += 1;
                let ordinal = reading.ordinal();
                let place = format!("line {}", at + 1);
                reading.reject(ordinal, &place, line.as_bytes(), "the address of the offender cannot be read");
            }
            continue;
        }
        let Some((name, value)) = line.strip_prefix("- ").and_then(|line| line.split_once(':')) else { continue };
        let (name, value) = (name.trim(), value.trim());
        if name.eq_ignore_ascii_case("Issue") {
            close(reading, &mail.fields, open.take())?;
            if read >= BLOCKS {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, "", b"", format!("more than {BLOCKS} blocks; the rest was not read"));
                break;
            }
            read += 1;
            open = Some(Block { line: at + 1, address, values: Vec::new() });
        }
        if let Some(block) = &mut open
            && block.values.len() < VALUES
        {
            block.values.push((name, value));
            if names.len() < VALUES && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    close(reading, &mail.fields, open.take())?;
    reading.shape("", &names);
    if read == 0 {
        reading.unreadable("a mail of WebIron, and no 'Issue:' in it");
    }
    Ok(())
}

fn close(reading: &mut Reading<'_>, fields: &Fields<'_>, block: Option<Block<'_>>) -> Result<(), Stop> {
    let Some(block) = block else { return Ok(()) };
    let get =
        |wanted: &str| block.values.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map_or("", |(_, value)| *value);
    let place = format!("line {}", block.line);
    let issue = get("Issue");
    let Some(address) = block.address else {
        let ordinal = reading.ordinal();
        reading.reject(ordinal, &place, issue.as_bytes(), "no address of an offender stands before it");
        return Ok(());
    };
    let kind = kind_of(issue);
    if kind == Kind::ThreatIntelligence {
        reading.note(&place, format!("what '{}' accuses of is not known; read as {kind}", mail::shown(issue)));
    }
    let mut statement = Statement::new(kind);
    statement.address = address;
    statement.time = mail::written(get("Time"), None);
    for (name, value) in &block.values {
        match name.to_ascii_lowercase().as_str() {
            "issue" => statement.text(Word::DESCRIPTION, value),
            "time" if statement.time.is_some() => {}
            "port" if value.parse::<u16>().is_ok() => statement.number(Word::DESTINATION_PORT, value),
            "service" => statement.text(Word::SERVICE, value),
            "report id" => statement.text(Word::REPORT_ID, value),
            "user-agent" if *value == "None Sent" => {}
            "user-agent" => statement.text(Word::USER_AGENT, value),
            other => {
                let letters = other.chars().take(64).map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' });
                statement.extra(format!("webiron.{}", letters.collect::<String>()), value);
            }
        }
    }
    statement.report(reading, fields, (&place, issue), None)
}

/// Words of an issue in small letters, in the order in which they are looked for, and what they accuse of.
const KINDS: &[(&str, Kind)] = &[
    ("login", Kind::LoginAttack),
    ("brute", Kind::LoginAttack),
    ("password", Kind::LoginAttack),
    ("sql", Kind::SqlInjection),
    ("spam", Kind::Spam),
    ("ddos", Kind::Ddos),
    ("flood", Kind::Ddos),
    ("scrap", Kind::Scraping),
    ("harvest", Kind::Scraping),
    ("exploit", Kind::VulnerabilityScan),
    ("vulnerab", Kind::VulnerabilityScan),
    ("scan", Kind::VulnerabilityScan),
    ("probe", Kind::VulnerabilityScan),
    ("probing", Kind::VulnerabilityScan),
    ("hack", Kind::VulnerabilityScan),
    ("botware", Kind::InfectedHost),
    ("botnet", Kind::InfectedHost),
    ("client software", Kind::InfectedHost),
];

fn kind_of(issue: &str) -> Kind {
    let said = issue.to_ascii_lowercase();
    KINDS.iter().find(|(words, _)| said.contains(words)).map_or(Kind::ThreatIntelligence, |(_, kind)| *kind)
}
