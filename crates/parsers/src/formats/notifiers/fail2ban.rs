//! Fail2Ban: the mails of its actions `complain` and `mail-whois-lines`, by which single servers complain of whom they banned. What
//! its action `xarf-login-attack` sends is read by [`super::super::xarf_0`].

use model::address::Address;
use model::category::Kind;
use model::report::{Core, Place, Word};
use model::time::{DAY, Time};

use crate::formats::xarf_0::kind_of;
use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Mail};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Fail2Ban.
pub const FORMAT: Format = Format {
    name: "fail2ban",
    title: "Fail2Ban: complaints of a server in words, with lines of its log",
    senders: &["Fail2Ban"],
    fields: &[
        ("Abuse from …, banned …", "address"),
        ("the last line of the log, else Date", "time"),
        ("the jail, else words of the log", "kind, service"),
        ("lines of the log", "evidence"),
    ],
    proven: Proven::After("Fail2Ban's own actions (complain.conf, mail-whois-lines.conf)"),
    detect,
    parse,
};

/// Lines of the log that are looked at.
const LINES: usize = 50_000;
/// Bytes of the log that are kept.
const LOG: usize = 64 << 10;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    match About::of(&letter.subject) {
        Some(about) if !about.jail.is_empty() => Fit::Certain,
        Some(_) if letter.says("Fail2Ban") => Fit::Certain,
        _ => Fit::No,
    }
}

/// What a subject says: `Abuse from 192.0.2.1`, `[Fail2Ban] sshd: banned 192.0.2.1 from host`.
struct About<'a> {
    address: Address,
    /// The jail; empty when it is not said.
    jail: &'a str,
}

impl<'a> About<'a> {
    fn of(subject: &'a str) -> Option<About<'a>> {
        let subject = subject.trim();
        let (jail, rest) = match subject.strip_prefix("Abuse from ") {
            Some(rest) => ("", rest),
            None => {
                let rest = subject.strip_prefix("[Fail2Ban]")?;
                // Some put the name of the host before the jail: `[Fail2Ban][host] sshd: banned …`.
                let rest = rest.rsplit_once(']').map_or(rest, |(_, rest)| rest);
                let (jail, rest) = rest.split_once(": banned ")?;
                (jail.trim(), rest)
            }
        };
        let address = Address::parse(rest.split_whitespace().next()?.as_bytes()).filter(|address| *address != Address::NONE)?;
        Some(About { address, jail })
    }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let subject = mail.fields.text("Subject").unwrap_or_default();
    let Some(about) = About::of(&subject) else {
        reading.unreadable("the subject of a mail of Fail2Ban names no address");
        return Ok(());
    };
    let text = mail::plain(&mail);
    let ordinal = reading.ordinal();
    let named = ["from the IP address ", "The IP "].iter().find_map(|words| text.split_once(words)).and_then(|(_, rest)| {
        let end = rest.find([' ', ',', '\n', '\r']).unwrap_or(rest.len());
        Address::parse(rest.get(..end)?.as_bytes())
    });
    if named.is_some_and(|named| named != about.address) {
        reading.reject(ordinal, "", text.as_bytes(), "subject and text name different addresses");
        return Ok(());
    }
    let written = about.address.to_string();
    let begin = ["Local timezone is", "Lines containing"].iter().filter_map(|words| text.find(words)).min();
    let begin = begin.unwrap_or(if about.jail.is_empty() { 0 } else { text.len() });
    let lines: Vec<&str> = text.get(begin..).unwrap_or(&text).lines().filter(|line| names(line, &written)).take(LINES).collect();
    let (kind, service) = kind(about.jail, &lines);
    let mut core = Core::new(kind, ordinal);
    core.address = about.address;
    if kind == Kind::ThreatIntelligence {
        reading.note("", format!("neither the jail '{}' nor the log says what was done; read as {kind}", about.jail));
    }
    let date = mail.fields.time("Date");
    let zone = text.split_once("Local timezone is ").and_then(|(_, rest)| rest.get(..5)).unwrap_or_default();
    let last = lines.iter().rev().find_map(|line| time(line, date?, zone));
    if last.is_none() {
        let word = reading.batch().word("observed_from", Place::Extra);
        reading.batch().text(word, "the Date of the mail, which Fail2Ban sends when it bans");
    }
    core.set_observed(last.or(date));
    mail::put_reporter(reading, &mail.fields);
    let batch = reading.batch();
    if !service.is_empty() {
        batch.text(Word::SERVICE, service);
    }
    let count = text.split_once("Fail2Ban after ").and_then(|(_, rest)| rest.split_whitespace().next()?.parse::<u32>().ok());
    if let Some(count) = count.filter(|count| *count > 0) {
        batch.json(Word::INCIDENTS, &count.to_string());
    }
    if !lines.is_empty() {
        let mut log = String::new();
        for line in lines.iter().take_while(|line| line.len() < LOG) {
            if log.len() + line.len() > LOG {
                break;
            }
            log.push_str(line.trim_end());
            log.push('\n');
        }
        batch.text(Word::EVIDENCE_TYPE, "text/plain");
        batch.text(Word::EVIDENCE_DESCRIPTION, "Lines of the log that name the address");
        batch.text(Word::EVIDENCE_SIZE, log.len().to_string());
        batch.bytes(Word::EVIDENCE_PAYLOAD, log.as_bytes());
    }
    reading.report(core)
}

/// Whether a line of a log names an address, and not one that begins or ends alike; lines that announce the log are none.
fn names(line: &str, address: &str) -> bool {
    if line.contains("Lines containing") {
        return false;
    }
    let of_number = |letter: char| letter.is_ascii_hexdigit() || letter == '.';
    line.match_indices(address).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + address.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(of_number) && !after.is_some_and(|letter| letter.is_ascii_hexdigit())
    })
}

/// Words of logs in small letters, and what they show.
const SIGNS: &[(&str, Kind)] = &[
    ("failed password", Kind::LoginAttack),
    ("authentication fail", Kind::LoginAttack),
    ("auth fail", Kind::LoginAttack),
    ("invalid user", Kind::LoginAttack),
    ("login", Kind::LoginAttack),
    ("sasl", Kind::LoginAttack),
    ("sshd", Kind::LoginAttack),
    ("noqueue", Kind::Spam),
    ("\"get ", Kind::VulnerabilityScan),
    ("\"post ", Kind::VulnerabilityScan),
    ("\"head ", Kind::VulnerabilityScan),
    ("file does not exist", Kind::VulnerabilityScan),
    ("client denied", Kind::VulnerabilityScan),
];

/// The kind, by the jail or else by what the log shows, and the name of what was attacked.
fn kind<'a>(jail: &'a str, lines: &[&str]) -> (Kind, &'a str) {
    if let Some(kind) = kind_of(jail) {
        return (kind, jail);
    }
    // Jails are often called after a service with something behind it: `sshd-slow`.
    if let Some(kind) = jail.split_once(['-', '_']).and_then(|(first, _)| kind_of(first)) {
        return (kind, jail);
    }
    let shown = lines.iter().take(100).map(|line| line.to_ascii_lowercase());
    let kind = shown.filter_map(|line| SIGNS.iter().find(|(sign, _)| line.contains(sign)).map(|(_, kind)| *kind)).next();
    (kind.unwrap_or(Kind::ThreatIntelligence), jail)
}

/// The time at which a line of a log says it was written; `zone` is that of the server, where the line has none. `None` when it cannot
/// be read, or is not of the day before the mail.
fn time(line: &str, date: Time, zone: &str) -> Option<Time> {
    let has_zone = zone.starts_with(['+', '-']);
    let (year, _, _) = date.date();
    let in_brackets = line.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(inside, _)| inside);
    // `04/Mar/2026:03:58:11 +0100`, as servers of the web write it.
    let web = in_brackets.and_then(|inside| {
        let (day, clock) = inside.split_once(':')?;
        mail::written(&format!("{} {clock}", day.replace('/', " ")), None).filter(|_| clock.contains(['+', '-']))
    });
    let iso = || {
        let first = line.get(..19)?;
        let rest = line.get(19..)?.trim_start_matches(|letter: char| matches!(letter, '.' | ',') || letter.is_ascii_digit());
        let own = rest.split_whitespace().next().filter(|_| rest.starts_with(['Z', '+', '-']));
        Time::parse(format!("{first}{}", own.or(has_zone.then_some(zone))?).as_bytes())
    };
    let system = || {
        let of = |year| mail::written(&format!("{} {zone}", line.get(..15)?), Some(year)).filter(|_| has_zone);
        of(year).filter(|time| *time <= date.plus(DAY)).or_else(|| of(year - 1))
    };
    let time = web.or_else(iso).or_else(system)?;
    (date.plus(-2 * DAY) <= time && time <= date.plus(DAY)).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_logs_tell_their_time() {
        let date = Time::parse(b"2026-01-01T00:00:10Z").unwrap_or(Time::MIN);
        for (line, zone, expected) in [
            ("Jan  1 00:59:11 host sshd[7]: no", "+0100", Some("2025-12-31T23:59:11Z")),
            ("Dec 31 23:59:11 host sshd[7]: no", "+0000", Some("2025-12-31T23:59:11Z")),
            ("Dec 31 23:59:11 host sshd[7]: no", "", None),
            ("Mar  3 23:59:11 host sshd[7]: no", "+0000", None),
            ("2025-12-31 23:59:11,123 fail2ban: no", "+0000", Some("2025-12-31T23:59:11Z")),
            ("2026-01-01T00:59:11.123+01:00 host sshd: no", "", Some("2025-12-31T23:59:11Z")),
            ("192.0.2.1 - - [01/Jan/2026:00:59:11 +0100] \"GET /\"", "", Some("2025-12-31T23:59:11Z")),
            ("192.0.2.1 - - [01/Jan/2026:00:59:11] \"GET /\"", "", None),
            ("é[", "+0000", None),
        ] {
            assert_eq!(time(line, date, zone).map(|time| time.to_string()).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn an_address_is_not_its_neighbour() {
        assert!(names("from 192.0.2.1 port", "192.0.2.1") && names("x 192.0.2.10 192.0.2.1.", "192.0.2.1"));
        assert!(!names("from 192.0.2.10 port", "192.0.2.1") && !names("from 1192.0.2.1", "192.0.2.1"));
    }
}
