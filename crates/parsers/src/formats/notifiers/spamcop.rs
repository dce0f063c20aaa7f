//! SpamCop: complaints about mail and about sites that mail advertises, and the summaries and alerts that networks ask for.
//!
//! Complaints that SpamCop sends as feedback reports are read by [`super::super::arf`].

use model::address::Address;
use model::category::Kind;
use model::report::{Core, Place, Word};
use model::resource::Url;
use model::time::{DAY, Time};

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Fields, Mail, Original};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// SpamCop.
pub const FORMAT: Format = Format {
    name: "spamcop",
    title: "SpamCop: complaints, summaries and alerts by mail",
    senders: &["spamcop.net"],
    fields: &[
        ("Email from", "address, time"),
        ("Spamvertised web site", "url"),
        ("… is …;", "address, time of the site"),
        ("IP_Address, Start/Length", "address, time"),
        ("Trap, User, Mole, Simp", "spamcop.NAME"),
        ("id:", "report_id"),
        ("[ Offending message ]", "evidence"),
    ],
    proven: Proven::After("SpamCop's and Validity's help pages, Mail::Abuse, AbuseIO's and Abusix's parsers"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    let begins = letter.subject.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("[SpamCop"));
    let from = letter.is_from("spamcop.net");
    // Feedback reports are read as such.
    if !begins && !from || letter.says("eedback-report") || letter.says("eedback-Type:") {
        return Fit::No;
    }
    match (from, begins) {
        (true, true) => Fit::Certain,
        (true, false) if letter.says("SpamCop V") => Fit::Certain,
        // Other mail of theirs is about accounts; a complaint that was handed on keeps its subject.
        (false, true) => Fit::Likely,
        _ => Fit::No,
    }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let text = mail::plain(&mail);
    let subject = mail.fields.text("Subject").unwrap_or_default().to_ascii_lowercase();
    let found = if subject.contains("summary report") {
        summary(reading, &mail.fields, &text)?
    } else if subject.contains("[spamcop] alert") {
        alert(reading, &mail.fields, &text)?
    } else {
        complaint(reading, &mail.fields, &subject, &text)?
    };
    if !found {
        reading.unreadable("a mail of SpamCop, and none of its lines says which address or site it is about");
    }
    Ok(())
}

/// What a complaint says, beside what it is about.
struct Complaint<'a> {
    fields: &'a Fields<'a>,
    /// What SpamCop says.
    words: &'a str,
    /// The message; taken by the first report, so that many sites do not multiply it.
    message: Option<Original<'a>>,
    id: Option<String>,
}

/// A complaint: one mail, and perhaps several sites that it advertises; whether there was any.
fn complaint(reading: &mut Reading<'_>, fields: &Fields<'_>, subject: &str, text: &str) -> Result<bool, Stop> {
    let (words, message) = offending(text);
    let message = first_field(message).and_then(|message| Original::quoted(message.as_bytes()));
    let mut complaint = Complaint { fields, words, message, id: id(subject).map(str::to_owned) };
    let about = subject.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(about, _)| about);
    let mut found = false;
    // Both may stand in one mail, which is then about the one that its subject names.
    if !about.contains("://") {
        found |= sent(reading, &mut complaint, about)?;
    }
    if !found || about.is_empty() {
        found |= advertised(reading, &mut complaint)?;
    }
    Ok(found)
}

/// `Email from 192.0.2.1 / Wed, 4 Mar 2026 03:58:11 -0500`.
fn sent(reading: &mut Reading<'_>, complaint: &mut Complaint<'_>, about: &str) -> Result<bool, Stop> {
    let line = mail::after(complaint.words, "Email from ");
    let (stated, time) = line.map_or(("", ""), |line| line.split_once('/').unwrap_or((line, "")));
    let header = complaint.fields.text("X-SpamCop-sourceip").unwrap_or_default();
    let said = [stated.trim(), about.trim(), header.trim()];
    let mut addresses: Vec<Address> = said.iter().filter_map(|said| Address::parse(said.as_bytes())).collect();
    addresses.dedup();
    if addresses.is_empty() && line.is_none() {
        return Ok(false);
    }
    let ordinal = reading.ordinal();
    let [address] = addresses.as_slice() else {
        let reason = match addresses.len() {
            0 => format!("'{}' is not an address", stated.trim()),
            _ => "subject, header and text name different addresses".to_owned(),
        };
        reading.reject(ordinal, "", complaint.words.as_bytes(), reason);
        return Ok(true);
    };
    let mut core = Core::new(Kind::Spam, ordinal);
    core.address = *address;
    reading.batch().text(Word::PROTOCOL, "smtp");
    reading.batch().text(Word::TAG, "spamcop:mail");
    let link = complaint.words.split_whitespace().find(|word| is_link(word)).unwrap_or_default();
    complaint.close(reading, core, mail::written(time, None), link)?;
    Ok(true)
}

/// Each `Spamvertised web site: http://a.example/`, with where the site was and when in the lines after it.
fn advertised(reading: &mut Reading<'_>, complaint: &mut Complaint<'_>) -> Result<bool, Stop> {
    const LABEL: &str = "Spamvertised web site:";
    let mut lines = complaint.words.lines().map(str::trim);
    let mut found = false;
    while let Some(line) = lines.next() {
        let Some(said) = mail::after(line, LABEL) else { continue };
        found = true;
        let ordinal = reading.ordinal();
        // Some put the link to the report on the same line.
        let said = said.split_whitespace().next().or_else(|| lines.clone().next()).unwrap_or_default();
        let Some(url) = Url::parse(said) else {
            reading.reject(ordinal, "", line.as_bytes(), "it does not give the location of a site: http://…");
            continue;
        };
        let after = lines.clone().take(4).take_while(|line| mail::after(line, LABEL).is_none());
        let place = after.clone().filter_map(|line| line.split_once(" is ")).find_map(|(_, rest)| {
            let (address, time) = rest.split_once(';')?;
            Some((Address::parse(address.as_bytes())?, mail::written(time, None)))
        });
        let link = after.flat_map(|line| line.split_whitespace()).find(|word| is_link(word)).unwrap_or_default();
        let mut core = Core::new(Kind::Spam, ordinal);
        core.address = place.map_or(Address::NONE, |(address, _)| address);
        reading.batch().text(Word::URL, url.as_str());
        reading.batch().text(Word::TAG, "spamcop:spamvertised");
        complaint.close(reading, core, place.and_then(|(_, time)| time), link)?;
    }
    Ok(found)
}

/// Whether a word leads to the complaint at SpamCop.
fn is_link(word: &str) -> bool {
    word.contains("spamcop.net/w3m?")
}

impl Complaint<'_> {
    /// Says what all complaints have, and closes the report.
    fn close(&mut self, reading: &mut Reading<'_>, mut core: Core, time: Option<Time>, link: &str) -> Result<(), Stop> {
        mail::put_reporter(reading, self.fields);
        if let Some(id) = &self.id {
            reading.batch().text(Word::REPORT_ID, id);
        }
        if !link.is_empty() {
            extra(reading, "spamcop.link", link);
        }
        if let Some(original) = self.message.take() {
            original.put(reading.batch(), false);
        }
        date(reading, &mut core, time, self.fields);
        reading.report(core)
    }
}

/// The time as stated, else that of the mail, and it is said.
fn date(reading: &mut Reading<'_>, core: &mut Core, time: Option<Time>, fields: &Fields<'_>) {
    core.set_observed(time.or_else(|| fields.time("Date")));
    if time.is_none() {
        extra(reading, "observed_from", "the Date of the mail");
    }
}

/// The number after `id:` in the subject.
fn id(subject: &str) -> Option<&str> {
    let (_, rest) = subject.split_once("id:")?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end).filter(|id| !id.is_empty())
}

/// What SpamCop says, and the message after the line that announces it.
fn offending(text: &str) -> (&str, &str) {
    for mark in ["[ Offending message ]", "Offending message:"] {
        if let Some((words, message)) = text.split_once(mark) {
            return (words, message);
        }
    }
    (text, "")
}

/// The message from its first field on: a line that tells of forwarding may stand before it.
fn first_field(message: &str) -> Option<&str> {
    let mut rest = message.trim_start();
    for _ in 0..3 {
        let name = rest.split(':').next().unwrap_or_default();
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Some(rest);
        }
        rest = rest.split_once('\n')?.1.trim_start();
    }
    None
}

/// Words of a line of a summary that are read.
const CELLS: usize = 100;

/// A summary: a row for each address, with the hour in which it began and what was counted since.
fn summary(reading: &mut Reading<'_>, fields: &Fields<'_>, text: &str) -> Result<bool, Stop> {
    let written = fields.time("Date").unwrap_or(reading.hint.received);
    let mut found = false;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let cells: Vec<&str> = line.split_whitespace().take(CELLS).collect();
        if cells.first().is_some_and(|cell| cell.eq_ignore_ascii_case("IP_Address")) {
            reading.shape("summary", &cells);
            continue;
        }
        // `192.0.2.1  Mar  4 18h/20  51 0 0 0 blocklisted`
        let [address, month, day, span, trap, user, mole, simp, comments @ ..] = cells.as_slice() else { continue };
        let Some((hour, days)) = span.split_once("h/") else { continue };
        found = true;
        let ordinal = reading.ordinal();
        let start = started(month, day, hour, written);
        let (Some(address), Some(start)) = (Address::parse(address.as_bytes()), start) else {
            reading.reject(ordinal, "", line.as_bytes(), "it does not begin with an address, a month, a day and an hour");
            continue;
        };
        for (name, value) in [("days", &days), ("trap", trap), ("user", user), ("mole", mole), ("simp", simp)] {
            extra(reading, &format!("spamcop.{name}"), value);
        }
        if !comments.is_empty() {
            extra(reading, "spamcop.comments", &comments.join(" "));
        }
        let counts = [trap, user, mole, simp].map(|count| count.parse::<u32>().unwrap_or(0));
        let count = counts.into_iter().fold(0, u32::saturating_add);
        if count > 0 {
            reading.batch().json(Word::INCIDENTS, &count.to_string());
        }
        // The next line holds the name of the address alone.
        if let Some(name) = lines.peek().map(|line| line.trim()).filter(|line| !line.is_empty() && !line.contains(' ')) {
            reading.batch().text(Word::REVERSE_DNS, name.trim_end_matches('.'));
        }
        reading.batch().text(Word::TAG, "spamcop:summary");
        reading.batch().text(Word::PROTOCOL, "smtp");
        extra(reading, "observed_from", "the hour in which it began, which SpamCop gives without a zone");
        mail::put_reporter(reading, fields);
        let mut core = Core::new(Kind::Spam, ordinal);
        core.address = address;
        core.set_observed(Some(start));
        reading.report(core)?;
    }
    Ok(found)
}

/// The last such hour before the mail was written: rows name no year.
fn started(month: &str, day: &str, hour: &str, written: Time) -> Option<Time> {
    let (year, _, _) = written.date();
    let of = |year| mail::written(&format!("{month} {day} {hour}h"), Some(year));
    of(year).filter(|time| *time <= written.plus(DAY)).or_else(|| of(year - 1))
}

/// An alert: lines that hold an address alone, each of which sent mail to a trap.
fn alert(reading: &mut Reading<'_>, fields: &Fields<'_>, text: &str) -> Result<bool, Stop> {
    let mut found = false;
    for line in text.lines() {
        let Some(address) = Address::parse(line.trim().as_bytes()) else { continue };
        found = true;
        let mut core = Core::new(Kind::Spam, reading.ordinal());
        core.address = address;
        reading.batch().text(Word::TAG, "spamcop:alert");
        reading.batch().text(Word::PROTOCOL, "smtp");
        mail::put_reporter(reading, fields);
        date(reading, &mut core, None, fields);
        reading.report(core)?;
    }
    Ok(found)
}

fn extra(reading: &mut Reading<'_>, name: &str, text: &str) {
    let word = reading.batch().word(name, Place::Extra);
    reading.batch().text(word, text);
}
