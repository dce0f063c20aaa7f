//! Automatic answers (RFC 3834): somebody is away, a desk has received a mail, a mail was shown (RFC 8098).
//!
//! They report nothing by themselves. An attachment that some format reads is read all the same, and one whose own words accuse an
//! address goes to a person: what a header says must not hide a report.

use crate::formats::{Fit, Format, Proven, free_text};
use crate::kinds::mail::{self, Letter, Mail, silence};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Automatic answers.
pub const FORMAT: Format = Format {
    name: "auto_reply",
    title: "Automatic answers (RFC 3834) and receipts (RFC 8098): no report of abuse, set aside",
    senders: &["mailboxes whose owners are away"],
    fields: &[("Subject", "a note")],
    proven: Proven::By("Sisimai"),
    detect,
    parse,
};

/// What it is.
const WHAT: &str = "an automatic answer";

/// How subjects of automatic answers begin, in small letters. People write such subjects too, so they need a second sign.
const SUBJECTS: &[&str] = &[
    "abwesenheit",
    "absence",
    "afwezig",
    "auto reply",
    "auto response",
    "auto-reply",
    "auto:",
    "automatic reply",
    "automatic response",
    "automatisch antwoord",
    "automatische antwort",
    "autoreply",
    "away from",
    "i am away",
    "niet aanwezig",
    "on vacation",
    "out of office",
    "out of the office",
    "réponse automatique",
    "vacation",
];

fn detect(prefix: &Prefix<'_>) -> Fit {
    if prefix.letter().is_some_and(is_automatic) { Fit::Likely } else { Fit::No }
}

fn is_automatic(letter: &Letter<'_>) -> bool {
    let fields = &letter.fields;
    let has = |name: &str| fields.first(name).is_some_and(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"no"));
    if silence::auto_submitted(fields, "auto-replied")
        || ["X-Autoreply", "X-Autorespond", "X-Autoresponse"].iter().any(|name| has(name))
        || ["auto_reply", "auto-reply"].iter().any(|word| silence::precedence(fields, word))
        || silence::is_system_report(fields, "disposition-notification")
    {
        return true;
    }
    let second = ["In-Reply-To", "References", "X-Auto-Response-Suppress"].iter().any(|name| has(name))
        || silence::has_no_reverse_path(fields, None)
        || ["bulk", "junk"].iter().any(|word| silence::precedence(fields, word));
    second && {
        let subject = letter.subject.to_lowercase();
        SUBJECTS.iter().any(|start| subject.starts_with(start))
    }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    if mail::parts(reading, &mail)? {
        return Ok(());
    }
    if !reading.is_outermost() {
        reading.unreadable(format!("{WHAT} is attached"));
    } else if free_text::accuses(&mail, reading.hint.received) {
        reading.unreadable("it says that it is an automatic answer, and names an address or a location as a source of abuse");
    } else {
        reading.why_not();
        reading.note("", WHAT);
        reading.aside(WHAT);
    }
    Ok(())
}
