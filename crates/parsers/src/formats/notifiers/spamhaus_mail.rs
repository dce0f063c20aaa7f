//! Spamhaus: what it writes to a network when an address is put on the SBL, and when a bot was seen at one.

use model::address::{Address, Range};
use model::category::Kind;
use model::report::{Core, Place, Word};

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Fields, Mail};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Mails of Spamhaus.
pub const FORMAT: Format = Format {
    name: "spamhaus_mail",
    title: "Spamhaus: SBL listings and bots, by mail",
    senders: &["spamhaus.org", "spamhaus.com", "spamhaus.net"],
    fields: &[
        ("IP/cidr, IP Address", "address"),
        ("Problem, Issue", "kind, description"),
        ("SBL Ref", "report_id"),
        ("Malware", "malware_family"),
        ("Date of the mail", "time"),
    ],
    proven: Proven::After("Abusix's parser"),
    detect,
    parse,
};

/// Labels that begin a statement.
const BEGIN: &[&str] = &["IP/cidr:", "IP Address:"];

/// Statements of one mail that are read.
const STATEMENTS: usize = 10_000;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    let from = ["spamhaus.org", "spamhaus.com", "spamhaus.net"].iter().any(|domain| letter.is_from(domain));
    let subject = letter.subject.to_ascii_lowercase();
    let about = subject.contains("sbl notify") || subject.contains("spamhaus notification");
    match (from, about) {
        (true, true) => Fit::Certain,
        (true, false) if BEGIN.iter().any(|label| letter.says(label)) => Fit::Certain,
        // Networks hand on what their upstream got.
        (false, true) if letter.says("SBL Ref:") || letter.says("Issue:") => Fit::Likely,
        _ => Fit::No,
    }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let text = mail::plain(&mail);
    let mut blocks: Vec<(usize, &str)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some(value) = BEGIN.iter().find_map(|label| mail::after(line, label)) {
            if blocks.len() >= STATEMENTS {
                let ordinal = reading.ordinal();
                let reason = format!("more than {STATEMENTS} addresses; the rest was not read");
                reading.reject(ordinal, "", line.as_bytes(), reason);
                break;
            }
            blocks.push((at, value));
        }
        at += line.len();
    }
    if blocks.is_empty() {
        reading.unreadable("a mail of Spamhaus, and no line of it says which address it is about ('IP/cidr:', 'IP Address:')");
    }
    for (index, (start, value)) in blocks.iter().enumerate() {
        let end = blocks.get(index + 1).map_or(text.len(), |(next, _)| *next);
        // What is said before the first address belongs to it: the reference stands above it, or below.
        let start = if index == 0 { 0 } else { *start };
        statement(reading, &mail.fields, value, text.get(start..end).unwrap_or_default())?;
    }
    Ok(())
}

fn statement(reading: &mut Reading<'_>, fields: &Fields<'_>, value: &str, text: &str) -> Result<(), Stop> {
    let ordinal = reading.ordinal();
    let stated = value.split_whitespace().next().unwrap_or_default();
    let range = Range::parse(stated).ok();
    let Some(range) = range.filter(|range| range.first != Address::NONE) else {
        reading.reject(
            ordinal,
            "",
            text.as_bytes(),
            format!("'{}' is not an address", stated.chars().take(80).collect::<String>()),
        );
        return Ok(());
    };
    if range.first != range.last {
        // A listing of a range accuses who runs the network; each address in it has a holder of its own.
        let reason = format!("it lists {stated}, which is more than one address: whom it is about is for a person to say");
        reading.reject(ordinal, "", text.as_bytes(), reason);
        return Ok(());
    }
    let problem = ["Problem:", "Issue:"].iter().find_map(|label| mail::after(text, label)).unwrap_or_default();
    let lower = problem.to_ascii_lowercase();
    let controls = ["controller", "c&c", "botnet cc", "command and control"].iter().any(|words| lower.contains(words));
    let kind = match () {
        () if controls => Kind::Botnet,
        () if lower.contains("botnet") || lower.contains("infect") => Kind::InfectedHost,
        () => Kind::Blocklist,
    };
    let mut core = Core::new(kind, ordinal);
    core.address = range.first;
    core.set_observed(fields.time("Date"));
    mail::put_reporter(reading, fields);
    let batch = reading.batch();
    let from = batch.word("observed_from", Place::Extra);
    batch.text(from, "the Date of the mail");
    batch.text(Word::TAG, if kind == Kind::Blocklist { "spamhaus:sbl" } else { "spamhaus:bot" });
    if !problem.is_empty() {
        batch.text(Word::DESCRIPTION, problem);
    }
    if let Some(reference) = mail::after(text, "SBL Ref:").filter(|reference| !reference.is_empty()) {
        batch.text(Word::REPORT_ID, reference);
    }
    if let Some(name) = mail::after(text, "Malware:").filter(|name| !name.is_empty()) {
        batch.text(Word::MALWARE_FAMILY, name);
    }
    reading.report(core)
}
