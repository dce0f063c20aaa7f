//! Reports about TLS between mail servers (RFC 8460): how deliveries to one's own domain name fared. They report no abuse.

use model::time::Time;
use serde::Deserialize;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Mail};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Reports about TLS.
pub const FORMAT: Format = Format {
    name: "tlsrpt",
    title: "Reports about TLS between mail servers (RFC 8460), by mail or as JSON: no report of abuse, set aside",
    senders: &["mailbox providers"],
    fields: &[("organization-name, policy-domain, date-range", "a note")],
    proven: Proven::By("mail-auth"),
    detect,
    parse,
};

/// What it is.
const WHAT: &str = "a report about TLS between mail servers";

fn detect(prefix: &Prefix<'_>) -> Fit {
    if is_document(prefix.bytes) {
        return Fit::Certain;
    }
    let says_so = prefix.letter().is_some_and(|letter| {
        mail::silence::is_system_report(&letter.fields, "tlsrpt")
            || (letter.fields.first("TLS-Report-Domain").is_some() && letter.fields.first("TLS-Report-Submitter").is_some())
    });
    if says_so { Fit::Likely } else { Fit::No }
}

fn is_document(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    if !start.starts_with(b"{") {
        return false;
    }
    let has = |word: &[u8]| memchr::memmem::find(start, word).is_some();
    has(b"\"organization-name\"")
        && has(b"\"policies\"")
        && (has(b"\"policy-type\"") || has(b"\"total-successful-session-count\""))
}

/// What of it is told.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Document {
    organization_name: String,
    date_range: DateRange,
    policies: Vec<Policies>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct DateRange {
    start_datetime: String,
    end_datetime: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Policies {
    policy: Policy,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Policy {
    policy_domain: String,
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    if is_document(source.prefix()) {
        let bytes = source.read_whole(reading.hint.limits.whole)?.unwrap_or_default();
        // One that is damaged is one all the same: nobody has to act on it.
        let document: Document = serde_json::from_slice(&bytes).unwrap_or_default();
        let domain = document.policies.first().map_or("", |first| first.policy.policy_domain.as_str());
        let time = |text: &str| Time::parse(text.as_bytes());
        let (begin, end) = (time(&document.date_range.start_datetime), time(&document.date_range.end_datetime));
        reading.note("", super::told(WHAT, &document.organization_name, domain, begin, end));
        reading.aside(WHAT);
        return Ok(());
    }
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    if !mail::parts(reading, &mail)? {
        reading.unreadable("it says that it is a report about TLS between mail servers, and none is attached");
    }
    Ok(())
}
