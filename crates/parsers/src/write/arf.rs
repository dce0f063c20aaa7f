//! A report as a feedback report by mail (RFC 5965), in an mbox (RFC 4155) so that many can stand in one file.
//!
//! Nothing from outside can begin a header field or end a part: fields are one line of ASCII, text for people is base64, and the
//! boundary stands nowhere in what it parts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::category::Kind;
use model::report::{Report, Word};
use model::resource::Host;
use model::time::Time;

use super::facts::Facts;
use super::{Ids, NoWord, Whole};

/// Bytes of a field's value; a line of mail has at most 998 (RFC 5322 section 2.1.1).
const LONGEST_FIELD: usize = 900;
/// Bytes of a message that goes with a report.
const LARGEST_MESSAGE: usize = 1 << 20;

/// Writes `report` as one mail of an mbox.
///
/// # Errors
/// [`NoWord`] for kinds that feedback reports have no type for: read as one of theirs, such a report would accuse of something else.
pub fn write(report: &Report<'_>, ids: &Ids, whole: &Whole, out: &mut Vec<u8>) -> Result<(), NoWord> {
    let facts = Facts::of(report, ids);
    let kind = match facts.kind {
        Kind::Spam => "abuse",
        Kind::Phishing if facts.url.is_some() => "fraud",
        Kind::Malware if facts.url.is_some() => "virus",
        Kind::InfectedHost if facts.url.is_none() => "virus",
        _ => return Err(NoWord("their kind")),
    };
    if facts.address.is_none() && facts.url.is_none() && facts.name.is_none() {
        return Err(NoWord("their place"));
    }
    let mut mail = Mail { out: Vec::new() };
    let boundary = boundary(&facts, report);
    let contact = match whole.contact.as_str() {
        "" => "unknown@unknown.invalid",
        contact => contact,
    };
    let about = facts.address.map(|address| address.to_string());
    let about = about.or_else(|| facts.url.as_ref().map(|url| url.host().to_string()));
    let about = about.or_else(|| facts.name.as_ref().map(|name| name.to_string())).unwrap_or_default();
    mail.field("From", &format!("<{}>", addr_spec(contact)));
    mail.field("To", "undisclosed-recipients:;");
    mail.field("Date", &date(whole.at));
    mail.field("Subject", &format!("Abuse report: {} ({about})", facts.kind));
    mail.field("Message-ID", &format!("<{}@sluis.invalid>", facts.id));
    mail.field("Auto-Submitted", "auto-generated");
    if facts.tlp != model::label::Tlp::Unstated {
        mail.field("X-TLP", &facts.tlp.to_string());
    }
    mail.field("MIME-Version", "1.0");
    mail.field("Content-Type", &format!("multipart/report; report-type=feedback-report; boundary=\"{boundary}\""));
    mail.line("");
    mail.part(&boundary, "text/plain; charset=utf-8", Some("base64"));
    mail.base64(for_people(&facts, &about).as_bytes());
    mail.part(&boundary, "message/feedback-report", Some("7bit"));
    feedback(&mut mail, &facts, kind);
    match message(report) {
        Some((kind, message)) => {
            mail.part(&boundary, kind, Some("8bit"));
            mail.lines(message);
        }
        None => {
            mail.part(&boundary, "text/rfc822-headers", Some("7bit"));
            for (name, word) in [("Subject", Word::SUBJECT), ("Message-ID", Word::MESSAGE_ID)] {
                mail.optional(name, facts.text(word));
            }
            mail.field("X-Sluis-Report", &facts.id);
        }
    }
    mail.line("");
    mail.line(&format!("--{boundary}--"));
    into_mbox(&mail.out, whole.at, out);
    Ok(())
}

fn feedback(mail: &mut Mail, facts: &Facts<'_>, kind: &str) {
    mail.field("Feedback-Type", kind);
    mail.field("User-Agent", concat!("Sluis/", env!("CARGO_PKG_VERSION")));
    mail.field("Version", "1");
    if let Some(address) = facts.address {
        mail.field("Source-IP", &address.to_string());
        // RFC 6692.
        if facts.port != 0 {
            mail.field("Source-Port", &facts.port.to_string());
        }
    }
    if facts.dated {
        mail.field("Arrival-Date", &date(facts.time));
    }
    for (name, word) in [("Original-Mail-From", Word::SMTP_FROM), ("Original-Rcpt-To", Word::SMTP_TO)] {
        let address = facts.text(word);
        if !address.is_empty() {
            mail.field(name, &format!("<{}>", addr_spec(address.trim_matches(['<', '>']))));
        }
    }
    if let Some(url) = &facts.url {
        mail.field("Reported-URI", url.as_str());
        if let Host::Name(name) = url.host() {
            mail.field("Reported-Domain", name.as_str());
        }
    } else if let Some(name) = &facts.name {
        mail.field("Reported-Domain", name.as_str());
    }
    if facts.text(Word::INCIDENTS).parse::<u64>().is_ok() {
        mail.field("Incidents", facts.text(Word::INCIDENTS));
    }
}

fn for_people(facts: &Facts<'_>, about: &str) -> String {
    let mut text = format!("This is a report of abuse: {} at {about}", facts.kind);
    if facts.port != 0 {
        text.push_str(&format!(", port {}", facts.port));
    }
    match facts.dated {
        true => text.push_str(&format!(", seen at {}.\r\n", facts.time)),
        false => text.push_str(&format!(". When it was seen is not known; it was reported at {}.\r\n", facts.received)),
    }
    for (what, value) in [("Malware", facts.text(Word::MALWARE_FAMILY)), ("", facts.text(Word::DESCRIPTION))] {
        if !value.is_empty() {
            let value: String = value.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
            text.push_str(&format!("\r\n{what}{}{value}\r\n", if what.is_empty() { "" } else { ": " }));
        }
    }
    text
}

/// The message that a report is about, or its header, when it goes into a mail as it is.
fn message<'r>(report: &Report<'r>) -> Option<(&'static str, &'r [u8])> {
    let mut kind = None;
    for (word, value) in report.fields() {
        match word {
            Word::EVIDENCE_TYPE => {
                kind = match value.text() {
                    "message/rfc822" => Some("message/rfc822"),
                    "text/rfc822-headers" => Some("text/rfc822-headers"),
                    _ => None,
                }
            }
            Word::EVIDENCE_PAYLOAD => {
                let bytes = value.bytes;
                let fits = bytes.len() <= LARGEST_MESSAGE
                    && !bytes.contains(&0)
                    && bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 997);
                if let (Some(kind), true) = (kind, fits) {
                    return Some((kind, bytes));
                }
            }
            _ => {}
        }
    }
    None
}

/// A boundary that stands nowhere in the message.
fn boundary(facts: &Facts<'_>, report: &Report<'_>) -> String {
    let inside = message(report).map_or(&b""[..], |(_, message)| message);
    let mut boundary = format!("sluis-{}", super::ids::ours("boundary", &facts.id));
    // Whoever wrote the message cannot choose all of these.
    for round in 0..1_000 {
        if memchr::memmem::find(inside, boundary.as_bytes()).is_none() {
            break;
        }
        boundary = format!("sluis-{}", super::ids::ours("boundary", &format!("{boundary} {round}")));
    }
    boundary
}

/// One mail to a file of many: `From ` at the beginning of a line would begin the next, so it is quoted.
fn into_mbox(mail: &[u8], at: Time, out: &mut Vec<u8>) {
    let (year, month, day) = at.date();
    let of_day = at.0.rem_euclid(model::time::DAY) / 1_000;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let stamp = format!("{} {} {day:2} {hour:02}:{minute:02}:{second:02} {year}", weekday(at), month_name(month));
    out.extend_from_slice(format!("From sluis@sluis.invalid {stamp}\r\n").as_bytes());
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        let quoted = line.iter().position(|byte| *byte != b'>').unwrap_or(0);
        if line.get(quoted..).is_some_and(|rest| rest.starts_with(b"From ")) {
            out.push(b'>');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"\r\n");
}

/// A mail being written.
struct Mail {
    out: Vec<u8>,
}

impl Mail {
    fn line(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// A field on one line of ASCII, whatever its value is.
    fn field(&mut self, name: &str, value: &str) {
        self.line(&format!("{name}: {}", one_line(value)));
    }

    fn optional(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.field(name, value);
        }
    }

    fn part(&mut self, boundary: &str, kind: &str, encoding: Option<&str>) {
        self.line("");
        self.line(&format!("--{boundary}"));
        self.field("Content-Type", kind);
        if let Some(encoding) = encoding {
            self.field("Content-Transfer-Encoding", encoding);
        }
        self.line("");
    }

    fn base64(&mut self, bytes: &[u8]) {
        let text = STANDARD.encode(bytes);
        for line in text.as_bytes().chunks(76) {
            self.out.extend_from_slice(line);
            self.out.extend_from_slice(b"\r\n");
        }
    }

    /// Lines as they are, each ended by CR LF.
    fn lines(&mut self, bytes: &[u8]) {
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.out.extend(line.iter().map(|byte| if *byte == b'\r' { b' ' } else { *byte }));
            self.out.extend_from_slice(b"\r\n");
        }
    }
}

/// ASCII without control characters. Other letters are written as their UTF-8 in percent (RFC 3986 section 2.1), which a URL takes.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for char in text.chars() {
        if line.len() > LONGEST_FIELD {
            break;
        }
        match char {
            ' '..='~' => line.push(char),
            char if char.is_control() => line.push(' '),
            char => char.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| line.push_str(&format!("%{byte:02X}"))),
        }
    }
    line.trim().to_owned()
}

/// A mail address without what would end it or begin another.
fn addr_spec(text: &str) -> String {
    text.chars().filter(|char| !char.is_control() && !"<>,;:\"\\() ".contains(*char)).take(320).collect()
}

/// RFC 5322 section 3.3.
fn date(at: Time) -> String {
    let (year, month, day) = at.date();
    let of_day = at.0.rem_euclid(model::time::DAY) / 1_000;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{}, {day:02} {} {year:04} {hour:02}:{minute:02}:{second:02} +0000", weekday(at), month_name(month))
}

fn weekday(at: Time) -> &'static str {
    // The first day of 1970 was a Thursday.
    match at.day().rem_euclid(7) {
        0 => "Thu",
        1 => "Fri",
        2 => "Sat",
        3 => "Sun",
        4 => "Mon",
        5 => "Tue",
        _ => "Wed",
    }
}

fn month_name(month: u32) -> &'static str {
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    month.checked_sub(1).and_then(|at| names.get(at as usize)).copied().unwrap_or("Jan")
}
