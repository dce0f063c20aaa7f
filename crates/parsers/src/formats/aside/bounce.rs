//! Bounces: a mail system says that a mail of ours did not arrive (RFC 3464, and what is older or knows no standard).
//!
//! What is in a bounce is our own mail that came back. An attachment that some format reads is read all the same: a report does not
//! hide behind a header.

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Fields, Letter, Mail, silence};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Bounces.
pub const FORMAT: Format = Format {
    name: "bounce",
    title: "Mails that say that a mail was not delivered (RFC 3464 and older ways): no report of abuse, set aside",
    senders: &["mail servers"],
    fields: &[("Final-Recipient, Status, X-Failed-Recipients", "a note")],
    proven: Proven::By("Sisimai"),
    detect,
    parse,
};

/// What it is.
const WHAT: &str = "a bounce";
/// Recipients that are told.
const TOLD: usize = 5;

/// What subjects of bounces say, in small letters.
const SUBJECTS: &[&str] = &[
    "bounce",
    "could not be delivered",
    "delivery failed",
    "delivery failure",
    "delivery has failed",
    "delivery notification",
    "delivery problem",
    "delivery report",
    "delivery status",
    "error mail",
    "failed delivery",
    "failed mail",
    "failure delivery",
    "failure notice",
    "mail could not be",
    "mail delivery",
    "mail system error",
    "message not delivered",
    "non delivery",
    "nondelivery",
    "non remis",
    "not deliverable",
    "niet bezorgd",
    "onbestelbaar",
    "rejected",
    "returned mail",
    "returned to sender",
    "returning message to sender",
    "status notification",
    "undeliverable",
    "undelivered",
    "unzustellbar",
    "user unknown",
    "warning: message",
    "zustellung",
];

fn detect(prefix: &Prefix<'_>) -> Fit {
    if prefix.letter().is_some_and(is_bounce) { Fit::Likely } else { Fit::No }
}

/// A report of the mail system by its type, or a mail of a mail system that could only be one.
fn is_bounce(letter: &Letter<'_>) -> bool {
    let fields = &letter.fields;
    if silence::is_system_report(fields, "delivery-status") {
        return true;
    }
    if !silence::is_mail_system(&letter.from) {
        return false;
    }
    let returned = silence::has_no_reverse_path(fields, None)
        || silence::auto_submitted(fields, "auto-replied")
        || silence::auto_submitted(fields, "auto-generated");
    fields.first("X-Failed-Recipients").is_some() || (returned && says_so(&letter.subject))
}

fn says_so(subject: &str) -> bool {
    let subject = subject.to_lowercase();
    SUBJECTS.iter().any(|words| subject.contains(words))
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    if !reading.is_outermost() {
        // Somebody attached it, and says why in the mail around it.
        if !mail::parts(reading, &mail)? {
            reading.unreadable(format!("{WHAT} is attached"));
        }
        return Ok(());
    }
    reading.aside(WHAT);
    let statements = reading.statements();
    mail::parts(reading, &mail)?;
    if reading.statements() > statements {
        return Ok(());
    }
    // Why no part is understood tells nothing: none has to be.
    reading.why_not();
    let told = recipients(&mail);
    let more = if told.len() > TOLD { ", …" } else { "" };
    let told: Vec<String> = told.into_iter().take(TOLD).collect();
    reading
        .note("", if told.is_empty() { WHAT.to_owned() } else { format!("{WHAT}: not delivered to {}{more}", told.join(", ")) });
    Ok(())
}

/// To whom it was not delivered, with the status code of RFC 3463 where there is one.
fn recipients(mail: &Mail<'_>) -> Vec<String> {
    let mut told = Vec::new();
    let status = mail.parts.iter().filter(|part| part.media.essence.ends_with("/delivery-status"));
    for part in status {
        let bytes = part.bytes();
        let mut rest = bytes.trim_ascii_start();
        while !rest.is_empty() && told.len() <= TOLD {
            let (fields, after) = Fields::parse(rest);
            // A block that is none leaves everything where it was.
            if after.len() == rest.len() {
                break;
            }
            rest = after.trim_ascii_start();
            let recipient = fields.text("Final-Recipient").or_else(|| fields.text("Original-Recipient"));
            let Some(recipient) = recipient else { continue };
            let address = recipient.rsplit(';').next().unwrap_or_default().trim().chars().take(254).collect::<String>();
            let code = fields
                .text("Status")
                .map(|status| status.chars().take_while(|letter| *letter != ' ').take(16).collect::<String>());
            told.push(code.map_or(address.clone(), |code| format!("{address} ({code})")));
        }
    }
    if told.is_empty()
        && let Some(recipients) = mail.fields.text("X-Failed-Recipients")
    {
        let recipients = recipients.split(',').map(str::trim).filter(|one| !one.is_empty());
        told.extend(recipients.take(TOLD + 1).map(|one| one.chars().take(254).collect()));
    }
    told
}
