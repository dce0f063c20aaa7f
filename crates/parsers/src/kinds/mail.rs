//! Mail: what a mail says about what is in it, and reading its attachments as if each had come by itself.

pub(crate) mod labelled;
mod original;
mod plain;
pub mod silence;
mod statement;
mod tree;

use std::borrow::Cow;

use model::report::{Place, Word};

use crate::formats::Fit;
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

pub(crate) use original::{Original, bare};
pub(crate) use plain::without_marks;
pub use plain::{after, plain, written};
pub use silence::silence;
pub(crate) use statement::{Statement, beginning, location, shown};
pub use tree::{Fields, Mail, Media, Part, received, skip_envelope, text, time};

/// Fields of which a mail has at least two, and other texts with `name: value` lines hardly any.
const TELLING: &[&str] = &[
    "content-type",
    "date",
    "delivered-to",
    "dkim-signature",
    "from",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "return-path",
    "subject",
    "to",
    "x-original-to",
];

/// Whether the beginning is that of a mail (RFC 5322), with or without the `From ` line of a mailbox before it.
pub fn detect(prefix: &Prefix<'_>) -> bool {
    prefix.letter().is_some()
}

/// What stands on the outside of a mail: what tells its sender, and so mostly its format.
#[derive(Debug)]
pub struct Letter<'a> {
    /// The fields of its header.
    pub fields: Fields<'a>,
    /// The mail address of the first `From`, in lower case; empty when there is none.
    pub from: String,
    /// Its `Subject`, decoded; empty when there is none.
    pub subject: String,
    /// What follows the header, as far as it was looked at, not decoded.
    pub body: &'a [u8],
}

impl<'a> Letter<'a> {
    /// The outside of a mail; `None` when it is none.
    pub(crate) fn of(prefix: &Prefix<'a>) -> Option<Letter<'a>> {
        let stated = matches!(prefix.content_type, "message/rfc822" | "message/global");
        let bytes = skip_envelope(prefix.bytes);
        if !stated && !begins_with_name(bytes) {
            return None;
        }
        let (fields, body) = Fields::parse(bytes);
        if !stated && !tells(&fields) {
            return None;
        }
        let from = fields.mailbox("From").map(|(_, address)| address.to_ascii_lowercase()).unwrap_or_default();
        let subject = fields.text("Subject").unwrap_or_default().into_owned();
        Some(Letter { fields, from, subject, body })
    }

    /// Whether its `From` is at a domain name or under it. It proves nothing: it only says how to read it.
    pub fn is_from(&self, domain: &str) -> bool {
        let Some((_, own)) = self.from.rsplit_once('@') else { return false };
        own == domain || own.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    }

    /// Whether these bytes stand in the body as it was sent, so far as it was looked at.
    pub fn says(&self, text: &str) -> bool {
        memchr::memmem::find(self.body, text.as_bytes()).is_some()
    }
}

/// Most of what is no mail shows it in its first line: no name, no colon.
fn begins_with_name(bytes: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', &bytes[..bytes.len().min(128)]) else { return false };
    colon > 0 && bytes[..colon].trim_ascii_end().iter().all(|byte| (33..127).contains(byte))
}

/// Whether these fields are a mail's.
fn tells(fields: &Fields<'_>) -> bool {
    let mut seen = [false; TELLING.len()];
    for (name, _) in fields.iter() {
        if let Some(at) = TELLING.iter().position(|telling| name.eq_ignore_ascii_case(telling.as_bytes())) {
            seen[at] = true;
        }
    }
    seen.iter().filter(|seen| **seen).count() >= 2
}

/// Reads what a mail carries that a format knows: attachments, attached mails, and text that is plainly a report.
/// Whether there was any.
///
/// # Errors
/// [`Stop`] when the reader fails or the sink breaks off; never for what the mail says.
pub fn open(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<bool, Stop> {
    let Some(bytes) = whole(reading, source)? else { return Ok(false) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    say_sender(reading, &mail.fields);
    let (statements, aside) = (reading.statements(), reading.set_aside());
    let understood = parts(reading, &mail)?;
    let only_aside = understood && reading.statements() == statements && aside.is_empty() && !reading.set_aside().is_empty();
    if only_aside && mail.parts.iter().any(is_written) {
        // Somebody sends it along with words of their own, which nobody has read yet.
        let what = reading.set_aside();
        reading.unreadable(format!("{what} is attached to it"));
        return Ok(false);
    }
    Ok(understood)
}

/// Whether a part is text that somebody wrote, and not nothing.
fn is_written(part: &Part<'_>) -> bool {
    part.media.is_text() && part.media.name.is_empty() && !part.raw.trim_ascii().is_empty()
}

/// All bytes of a mail; `None`, with the reason told, when they are too many.
///
/// # Errors
/// [`Stop::Io`] when the reader fails.
pub fn whole<'a>(reading: &mut Reading<'_>, source: &mut Source<'a>) -> Result<Option<Cow<'a, [u8]>>, Stop> {
    let limit = reading.hint.limits.whole;
    let bytes = source.read_whole(limit)?;
    if bytes.is_none() {
        reading.unreadable(format!("the mail is larger than {} MiB", limit >> 20));
    }
    Ok(bytes)
}

/// Says of every report from this mail who sent it, and in which message.
pub fn say_sender(reading: &mut Reading<'_>, fields: &Fields<'_>) {
    if let Some((name, address)) = fields.mailbox("From") {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        if !domain.is_empty() {
            reading.context("sender.contact", Place::Property, &address);
            reading.context("sender.domain", Place::Property, &domain.to_ascii_lowercase());
            reading.context("sender.org", Place::Property, if name.is_empty() { domain } else { &name });
        }
    }
    if let Some(id) = message_id(fields) {
        reading.context("submission_message_id", Place::Extra, &id);
    }
}

/// Says of the open report that the complaint is the sender's own: reporter and sender are one.
pub fn put_reporter(reading: &mut Reading<'_>, fields: &Fields<'_>) {
    let Some((name, address)) = fields.mailbox("From") else { return };
    let Some((_, domain)) = address.rsplit_once('@') else { return };
    let batch = reading.batch();
    batch.text(Word::REPORTER_ORG, if name.is_empty() { domain } else { &name });
    batch.text(Word::REPORTER_CONTACT, &address);
    batch.text(Word::REPORTER_DOMAIN, domain.to_ascii_lowercase());
}

/// The Message-ID without its angle brackets.
pub fn message_id(fields: &Fields<'_>) -> Option<String> {
    let id = fields.text("Message-ID")?;
    let id = id.trim().trim_start_matches('<').trim_end_matches('>').trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// Reads the parts of a mail that some format or container knows; whether there was any.
///
/// # Errors
/// As [`open`].
pub fn parts(reading: &mut Reading<'_>, mail: &Mail<'_>) -> Result<bool, Stop> {
    let mut understood = false;
    for (index, part) in mail.parts.iter().enumerate() {
        if !reading.count_part() {
            refuse_rest(reading);
            return Ok(true);
        }
        if part.media.is_picture() {
            continue;
        }
        let named = !part.media.name.is_empty();
        let name = part_name(part, index);
        let bytes = part.utf8();
        let enough = if part.media.is_text() && !named { Fit::Certain } else { Fit::Likely };
        if !part.media.is_message() && reading.fit(&name, &part.media.essence, &bytes) < enough {
            if named {
                reading.note(&name, "no format of this version understands this attachment");
            }
            continue;
        }
        understood |= reading.nested_bytes(&name, &part.media.essence, &bytes)?;
    }
    if mail.more {
        refuse_rest(reading);
        return Ok(true);
    }
    Ok(understood)
}

/// Sets aside, as one statement, the parts of a mail that are past the limit.
pub fn refuse_rest(reading: &mut Reading<'_>) {
    let ordinal = reading.ordinal();
    let limit = reading.hint.limits.parts;
    reading.reject(ordinal, "", b"", format!("more than {limit} parts in one submission; the rest was not read"));
}

/// What a part is called: its file name, or its number and type.
pub fn part_name(part: &Part<'_>, index: usize) -> String {
    if !part.media.name.is_empty() {
        return part.media.name.clone();
    }
    let essence = if part.media.essence.is_empty() { "text/plain" } else { &part.media.essence };
    format!("part {} ({essence})", index + 1)
}
