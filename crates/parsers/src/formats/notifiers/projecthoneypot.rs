//! Project Honey Pot: reports on the addresses that somebody monitors there, in sections by what they did.

use model::address::Address;
use model::category::Kind;
use model::report::Word;
use model::time::Time;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Fields, Mail, Statement};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Project Honey Pot.
pub const FORMAT: Format = Format {
    name: "projecthoneypot",
    title: "Project Honey Pot: monitor reports by mail",
    senders: &["Project Honey Pot", "projecthoneypot.org"],
    fields: &[
        ("an address alone on a line", "address"),
        ("- Mon, 2 Mar 2026 11:00AM PST", "time, one report each"),
        ("Subject, From", "subject, smtp_from"),
        ("IPs Engaged In …", "kind"),
    ],
    proven: Proven::By("AbuseIO"),
    detect,
    parse,
};

/// Statements of one mail that are read.
const MOST: usize = 10_000;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    let is_report = letter.is_from("projecthoneypot.org") && letter.subject.contains("Monitor Report");
    if is_report { Fit::Certain } else { Fit::No }
}

/// What was done, when, by which address, as far as it has been read.
struct Deed<'a> {
    line: usize,
    text: &'a str,
    time: Option<Time>,
    subject: &'a str,
    from: &'a str,
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let text = mail::plain(&mail);
    let mut section: Option<Section> = None;
    let mut address: Option<Address> = None;
    let mut open: Option<Deed<'_>> = None;
    let (mut sections, mut read) = (Vec::new(), 0);
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(next) = Section::of(line) {
            close(reading, &mail.fields, section, address, open.take())?;
            if next.kind == Kind::ThreatIntelligence && !next.word.contains("Suspicious") {
                reading.note("", format!("what '{}' accuses of is not known; read as {}", mail::shown(line), next.kind));
            }
            (section, address) = (Some(next), None);
            sections.push(next.word);
            continue;
        }
        if section.is_none() || line.is_empty() {
            continue;
        }
        if line.starts_with("-----") {
            break;
        }
        if read >= MOST {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, "", b"", format!("more than {MOST} statements; the rest was not read"));
            break;
        }
        if let Some(said) = line.strip_prefix("- ") {
            if let Some(subject) = mail::after(said, "Subject:") {
                if let Some(deed) = &mut open {
                    deed.subject = subject;
                }
                continue;
            }
            if let Some(from) = mail::after(said, "From:") {
                if let Some(deed) = &mut open {
                    deed.from = from;
                }
                continue;
            }
            // What stands open may be the address itself, of which this is the first deed.
            let begun = open.take().filter(|deed| deed.text.starts_with("- "));
            close(reading, &mail.fields, section, address, begun)?;
            read += 1;
            open = Some(Deed { line: at + 1, text: line, time: time(said), subject: "", from: "" });
            continue;
        }
        close(reading, &mail.fields, section, address, open.take())?;
        read += 1;
        address = line.split_whitespace().next().and_then(|word| Address::parse(word.as_bytes()));
        if address.is_none() {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, &format!("line {}", at + 1), line.as_bytes(), "it does not begin with an address");
            continue;
        }
        open = Some(Deed { line: at + 1, text: line, time: None, subject: "", from: "" });
    }
    close(reading, &mail.fields, section, address, open.take())?;
    reading.shape("", &sections);
    if sections.is_empty() {
        reading.unreadable("a mail of Project Honey Pot, and no section 'IPs Engaged In …' in it");
    }
    Ok(())
}

fn close(
    reading: &mut Reading<'_>,
    fields: &Fields<'_>,
    section: Option<Section>,
    address: Option<Address>,
    deed: Option<Deed<'_>>,
) -> Result<(), Stop> {
    let (Some(section), Some(address), Some(deed)) = (section, address, deed) else { return Ok(()) };
    let place = format!("line {}", deed.line);
    if deed.text.starts_with("- ") && deed.time.is_none() {
        let ordinal = reading.ordinal();
        reading.reject(ordinal, &place, deed.text.as_bytes(), "it is no time: Mon, 2 Mar 2026 11:00AM PST");
        return Ok(());
    }
    let mut statement = Statement::new(section.kind);
    statement.address = address;
    statement.time = deed.time;
    statement.text(Word::SUBJECT, deed.subject);
    statement.text(Word::SMTP_FROM, deed.from);
    statement.text(Word::FEED, section.word);
    if section.kind == Kind::Spam {
        statement.text(Word::PROTOCOL, section.protocol);
    }
    statement.report(reading, fields, (&place, deed.text), None)
}

/// A section of the report: what the addresses in it did.
#[derive(Clone, Copy)]
struct Section {
    word: &'static str,
    kind: Kind,
    protocol: &'static str,
}

impl Section {
    fn of(line: &str) -> Option<Section> {
        let is_section = line.starts_with("IPs Engaged In ") || line.starts_with("Other Potentially Suspicious IPs On");
        if !is_section {
            return None;
        }
        let known = [
            ("Harvesting", Kind::Scraping, ""),
            ("Email Spamming", Kind::Spam, "smtp"),
            // Mail to names that were made up.
            ("Dictionary Attacks", Kind::Spam, "smtp"),
            ("Comment Spamming", Kind::Spam, "http"),
            ("Suspicious", Kind::ThreatIntelligence, ""),
        ];
        let found = known.iter().find(|(word, _, _)| line.contains(word));
        let (word, kind, protocol) = *found.unwrap_or(&("", Kind::ThreatIntelligence, ""));
        Some(Section { word, kind, protocol })
    }
}

/// `Mon, 21 Sep 2015 11:00AM PDT`.
fn time(said: &str) -> Option<Time> {
    let mut words: Vec<String> = said.split_whitespace().take(8).map(str::to_owned).collect();
    let clock = words.iter_mut().find(|word| word.contains(':'))?;
    let (hour, rest) = clock.split_once(':')?;
    let minutes = rest.get(..2)?;
    let hour: u32 = hour.parse().ok()?;
    let hour = match rest.get(2..)?.to_ascii_uppercase().as_str() {
        "AM" | "PM" if !(1..=12).contains(&hour) => return None,
        "AM" => hour % 12,
        "PM" => hour % 12 + 12,
        "" => hour,
        _ => return None,
    };
    *clock = format!("{hour:02}:{minutes}");
    mail::written(&words.join(" "), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_of_twelve_hours() {
        for (said, expected) in [
            ("Mon, 21 Sep 2015 12:00AM PDT", Some("2015-09-21T07:00:00Z")),
            ("Mon, 21 Sep 2015 12:30PM PST", Some("2015-09-21T20:30:00Z")),
            ("Mon, 21 Sep 2015 11:59PM UTC", Some("2015-09-21T23:59:00Z")),
            ("Mon, 21 Sep 2015 13:59PM UTC", None),
            ("Mon, 21 Sep 2015 é:5é UTC", None),
            ("11:00AM", None),
        ] {
            assert_eq!(time(said).map(|time| time.to_string()).as_deref(), expected, "{said}");
        }
    }
}
