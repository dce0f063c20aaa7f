//! Aggregate reports of DMARC (RFC 7489 section 7.2): how a domain name's own mail fared elsewhere. They report no abuse.
//!
//! What failed in them is mostly forwarded mail of honest people, so the addresses in them accuse nobody. Reports of single failures
//! (RFC 6591) are feedback reports, and read as such.

use model::time::Time;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Mail};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Aggregate reports of DMARC.
pub const FORMAT: Format = Format {
    name: "dmarc",
    title: "Aggregate reports of DMARC (RFC 7489), by mail or as XML: no report of abuse, set aside",
    senders: &["mailbox providers"],
    fields: &[("org_name, domain, date_range", "a note")],
    proven: Proven::By("mail-auth"),
    detect,
    parse,
};

/// What it is.
const WHAT: &str = "a DMARC aggregate report";

fn detect(prefix: &Prefix<'_>) -> Fit {
    if is_document(prefix.bytes) {
        return Fit::Certain;
    }
    match prefix.letter() {
        Some(letter) if says_so(&letter.subject) => Fit::Likely,
        _ => Fit::No,
    }
}

/// The subject that RFC 7489 section 7.2.1.1 asks for, perhaps after a mark of some mailing list or desk. TLS reports have the same, and
/// are asked for first.
fn says_so(subject: &str) -> bool {
    let subject = match subject.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest,
        None => subject,
    };
    let subject = subject.trim_start().as_bytes();
    subject.get(..14).is_some_and(|start| start.eq_ignore_ascii_case(b"report domain:"))
}

fn is_document(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let head = &start[..start.len().min(4 << 10)];
    let has = |head: &[u8], name: &[u8]| memchr::memmem::find(head, name).is_some();
    start.starts_with(b"<") && has(&head[..head.len().min(1 << 10)], b"<feedback") && has(head, b"<report_metadata")
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    if is_document(source.prefix()) {
        let said = about(source.prefix());
        reading.note("", said);
        reading.aside(WHAT);
        return Ok(());
    }
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    if !mail::parts(reading, &mail)? {
        reading.unreadable("its subject says that it is a DMARC report, and none is attached");
    }
    Ok(())
}

/// Whose report about whom, and of which time, as its beginning says. What is damaged says less.
fn about(prefix: &[u8]) -> String {
    let (mut by, mut domain, mut begin, mut end) = (String::new(), String::new(), None, None);
    let prefix = String::from_utf8_lossy(prefix);
    let mut reader = Reader::from_str(&prefix);
    let mut element = String::new();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(start) if start.local_name().as_ref() == "record" => break,
            Event::Start(start) => element = start.local_name().as_ref().to_owned(),
            Event::End(_) => element.clear(),
            Event::Text(text) => {
                let text = text.trim();
                let time = || text.parse().ok().and_then(Time::from_unix_seconds);
                match element.as_str() {
                    "org_name" if by.len() < 255 => by.push_str(text),
                    "domain" if domain.is_empty() => domain = text.to_owned(),
                    "begin" => begin = time(),
                    "end" => end = time(),
                    _ => {}
                }
            }
            // `Oak &amp; Sons`.
            Event::GeneralRef(name) if element == "org_name" && *name == *"amp" => by.push_str(" & "),
            Event::Eof => break,
            _ => {}
        }
    }
    super::told(WHAT, &by, &domain, begin, end)
}
