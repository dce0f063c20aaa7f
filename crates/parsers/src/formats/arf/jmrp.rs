//! Microsoft's Junk Mail Reporting Programme as it was before it sent feedback reports: the message attached to a mail whose
//! subject names the address. Other loops of that time wrote the same.

use model::address::Address;
use model::category::Kind;
use model::report::{Core, Word};

use crate::kinds::mail::{self, Letter, Mail, Original};
use crate::read::Reading;
use crate::sink::Stop;

const SUBJECT: &str = "complaint about message from ";

/// Whether the outside of a mail is that of such a complaint.
pub(super) fn is_complaint(letter: &Letter<'_>) -> bool {
    letter.from.starts_with("staff@")
        && about(&letter.subject).is_some()
        && ["hotmail.com", "outlook.com"].iter().any(|domain| letter.is_from(domain))
}

/// The address in the subject.
fn about(subject: &str) -> Option<Address> {
    let (start, rest) = subject.trim().split_at_checked(SUBJECT.len())?;
    start.eq_ignore_ascii_case(SUBJECT).then(|| Address::parse(rest.as_bytes())).flatten()
}

/// Reads the complaint, when it is one; whether it was.
pub(super) fn read(reading: &mut Reading<'_>, mail: &Mail<'_>) -> Result<bool, Stop> {
    let Some(address) = mail.fields.text("Subject").and_then(|subject| about(&subject)) else { return Ok(false) };
    let Some(original) = mail.parts.iter().find_map(Original::of) else { return Ok(false) };
    let mut core = Core::new(Kind::Spam, reading.ordinal());
    core.address = address;
    let arrived = original.arrived();
    if arrived.is_none() {
        super::say(reading, "observed_from", "the Date of the report");
    }
    core.set_observed(arrived.or_else(|| mail.fields.time("Date")));
    reading.batch().text(Word::TAG, "arf:jmrp");
    reading.batch().text(Word::PROTOCOL, "smtp");
    mail::put_reporter(reading, &mail.fields);
    if let Some(recipient) = original.fields().text("X-HmXmrOriginalRecipient") {
        reading.batch().text(Word::SMTP_TO, mail::bare(&recipient));
    }
    original.put(reading.batch(), false);
    reading.report(core)?;
    Ok(true)
}
