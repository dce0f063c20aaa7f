//! Feedback reports by mail: ARF (RFC 5965), with its extensions for not-spam (RFC 6430), authentication failures
//! (RFC 6591, RFC 6692) and what feedback loops really send.

mod fields;
mod jmrp;

use model::address::Address;
use model::category::Kind;
use model::report::{Core, Place, Word};
use model::time::Time;

use super::{Fit, Format, Proven};
use crate::kinds::mail::{self, Fields, Mail, Media, Original, Part};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// ARF.
pub const FORMAT: Format = Format {
    name: "arf",
    title: "Abuse feedback reports by mail (ARF, RFC 5965)",
    senders: &["Microsoft JMRP", "Yahoo CFL", "AOL", "Comcast", "Mail.Ru", "SpamCop", "JunkEmailFilter"],
    fields: &[
        ("Source-IP", "address"),
        ("Source-Port", "port"),
        ("Arrival-Date", "time"),
        ("Feedback-Type", "kind"),
        ("Original-Mail-From", "smtp_from"),
        ("Original-Rcpt-To", "smtp_to"),
        ("Reported-Domain", "domain"),
        ("Reported-URI", "url"),
        ("Incidents", "incidents"),
        ("the message", "evidence"),
    ],
    proven: Proven::By("mail-auth, Sisimai"),
    detect,
    parse,
};

/// How sure a report of failed authentication is, in percent: forwarding and mailing lists break SPF and DKIM every
/// day, so by itself it says little about the party that held the address.
const AUTH_FAILURE: u8 = 20;

/// How many parts are looked at before choosing: the feedback is the second (RFC 5965 section 2).
const PREFIX_PARTS: usize = 16;

fn detect(prefix: &Prefix<'_>) -> Fit {
    // This runs for everything that arrives: look for the words before looking at the structure.
    let bytes = prefix.bytes;
    let word = |word: &[u8]| memchr::memmem::find(bytes, word).is_some();
    let words = ["eedback-report", "EEDBACK-REPORT", "eedback-Report", "eedback-Type:", "eedback-type:", "EEDBACK-TYPE:"];
    if !words.iter().any(|text| word(text.as_bytes())) || !mail::detect(prefix) {
        return if prefix.letter().is_some_and(jmrp::is_complaint) { Fit::Certain } else { Fit::No };
    }
    let mail = Mail::parse(bytes, PREFIX_PARTS);
    let mut reports = mail.parts.iter().filter(|part| is_feedback(part)).peekable();
    if reports.peek().is_none() && !says_report(&mail.media) {
        return Fit::No;
    }
    // XARF by mail wears the dress of a feedback report; the report itself is JSON beside it.
    if reports.peek().is_some() && reports.all(is_xarf) { Fit::No } else { Fit::Certain }
}

/// Whether a feedback report only says that XARF follows (the mail form of XARF 1 to 3).
fn is_xarf(part: &Part<'_>) -> bool {
    let bytes = part.bytes();
    let (fields, _) = Fields::parse(mail_body(&bytes));
    fields.first("Feedback-Type").is_some_and(|said| said.trim_ascii().eq_ignore_ascii_case(b"xarf"))
}

fn says_report(media: &Media) -> bool {
    media.essence == "multipart/report" && media.report_type == "feedback-report"
}

/// Whether a part holds the fields of a feedback report: by its type, or because it is unnamed text that begins with
/// such fields, as senders without a fitting mail library write it.
fn is_feedback(part: &Part<'_>) -> bool {
    if part.media.essence == "message/feedback-report" {
        return true;
    }
    part.media.is_text() && part.media.essence != "text/html" && {
        let bytes = part.bytes();
        let (fields, _) = Fields::parse(mail_body(&bytes));
        let with = ["Source-IP", "User-Agent", "Version", "Arrival-Date", "Received-Date", "Original-Mail-From"];
        fields.first("Feedback-Type").is_some() && with.iter().any(|name| fields.first(name).is_some())
    }
}

/// A body without the empty lines before its first.
fn mail_body(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii_start()
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let mut found = false;
    for (index, part) in mail.parts.iter().enumerate() {
        if !is_feedback(part) {
            continue;
        }
        found = true;
        // One mail may hold several reports; what follows one, up to the next, is its message.
        let after = mail.parts.get(index + 1..).unwrap_or_default();
        let original = after.iter().take_while(|part| !is_feedback(part)).find_map(Original::of);
        report(reading, &mail, part, &mail::part_name(part, index), original)?;
    }
    if mail.more {
        mail::refuse_rest(reading);
    } else if !found && !jmrp::read(reading, &mail)? {
        let ordinal = reading.ordinal();
        let reason = "the mail says it is a feedback report, and has no part with the fields of one (RFC 5965 section 3)";
        reading.reject(ordinal, "", &bytes, reason);
    }
    Ok(())
}

/// Reads one feedback report with the message it is about.
fn report(
    reading: &mut Reading<'_>,
    mail: &Mail<'_>,
    part: &Part<'_>,
    place: &str,
    original: Option<Original<'_>>,
) -> Result<(), Stop> {
    let ordinal = reading.ordinal();
    let bytes = part.bytes();
    let (fields, _) = Fields::parse(mail_body(&bytes));
    let said = fields.text("Feedback-Type").map(|text| text.trim().to_ascii_lowercase()).unwrap_or_default();
    if matches!(said.as_str(), "not-spam" | "opt-out" | "opt-out-list" | "miscategorized") {
        // RFC 6430 takes a complaint back; an opt-out asks to be left alone. To treat either as abuse would accuse
        // somebody of nothing.
        reading.note(place, format!("a feedback report of type '{said}' is not a report of abuse"));
        reading.reject(ordinal, place, &bytes, format!("says it is not abuse: Feedback-Type is '{said}'"));
        return Ok(());
    }
    if said.is_empty() {
        reading.note(place, "Feedback-Type is missing; read as 'abuse'");
    }
    let said = if said.is_empty() { "abuse".to_owned() } else { said };
    let read = fields::put(reading.batch(), &fields);
    let kind = kind_of(&said, read.has_url);
    let mut core = Core::new(kind, ordinal);
    if said == "auth-failure" {
        core.confidence = AUTH_FAILURE;
    }
    tag(reading, &said);
    core.port = read.port;
    if matches!(kind, Kind::Spam | Kind::BulkMessaging) {
        reading.batch().text(Word::PROTOCOL, "smtp");
    }
    // A feedback report comes from the one who complains, or whom they asked to: reporter and sender are one.
    mail::put_reporter(reading, &mail.fields);
    if let Some(original) = &original {
        original.put(reading.batch(), read.has_sender);
    }
    core.address = address(reading, place, &read, original.as_ref());
    core.set_observed(observed(reading, place, &read, original.as_ref(), &mail.fields));
    for remark in read.remarks {
        reading.note(place, remark);
    }
    if core.address == Address::NONE && !read.has_url && !read.has_domain {
        let reason = "no source: neither Source-IP, Reported-URI nor Reported-Domain says what the report is about, and \
                      the message does not show one address";
        reading.reject(ordinal, place, &bytes, reason);
        return Ok(());
    }
    reading.report(core)
}

/// The kind of abuse of a feedback type (RFC 5965 section 7.3, RFC 6591 section 3.1).
fn kind_of(said: &str, has_url: bool) -> Kind {
    match said {
        // Fraud by mail is phishing when it leads somewhere: then there is a site to take down. Without a location all
        // one knows is that the address sent unwanted mail.
        "fraud" if has_url => Kind::Phishing,
        // The same goes for viruses; mail with a virus and no location comes from a machine that has caught it.
        "virus" if has_url => Kind::Malware,
        "virus" => Kind::InfectedHost,
        // 'other', and types not registered, which are to be read as 'other' (RFC 5965 section 3.1).
        _ => Kind::Spam,
    }
}

/// The type the sender wrote, as a tag; letters that a tag cannot have become dashes.
fn tag(reading: &mut Reading<'_>, said: &str) {
    let letters = said.chars().take(64);
    let word: String = letters.map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    reading.batch().text(Word::TAG, format!("arf:{word}"));
}

/// The address the report is about: as stated, else the one address that the message shows to have come from.
fn address(reading: &mut Reading<'_>, place: &str, read: &fields::Read, original: Option<&Original<'_>>) -> Address {
    if let Some(address) = read.address {
        return address;
    }
    let Some(original) = original else { return Address::NONE };
    match original.addresses().as_slice() {
        [address] => {
            say(reading, "source_from", "the message's Received and X-Originating-IP fields");
            *address
        }
        [] => Address::NONE,
        // A relay of the receiver's own, or of anyone on the way, may be among them; the wrong one accuses a stranger.
        several => {
            let count = several.len();
            reading.note(place, format!("no Source-IP, and the message passed {count} addresses; none was taken"));
            Address::NONE
        }
    }
}

/// When it was seen: as stated, else when the message arrived, else when the report was written.
fn observed(
    reading: &mut Reading<'_>,
    place: &str,
    read: &fields::Read,
    original: Option<&Original<'_>>,
    fields: &Fields<'_>,
) -> Option<Time> {
    if read.time.is_some() {
        return read.time;
    }
    let (time, from) = match original.and_then(Original::arrived) {
        Some(time) => (Some(time), "the first Received field of the message"),
        None => (fields.time("Date"), "the Date of the report"),
    };
    if time.is_some() {
        say(reading, "observed_from", from);
        reading.note(place, format!("no Arrival-Date that can be read; the time is that of {from}"));
    }
    time
}

fn say(reading: &mut Reading<'_>, name: &str, text: &str) {
    let word = reading.batch().word(name, Place::Extra);
    reading.batch().text(word, text);
}
