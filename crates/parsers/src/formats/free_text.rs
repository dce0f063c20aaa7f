//! Free text: what nobody's format is, read for what a person needs to make a report of it.
//!
//! It never claims a submission and makes no statement. When nothing else has understood a mail or a text, it offers the addresses,
//! URLs, domain names, mail addresses, times and lines of logs in it, each with a confidence that only orders what a person sees
//! ([decision 18](../../../../docs/decisions/0018-doors-formats-and-senders.md)). Innocent addresses stand in such texts beside guilty
//! ones, so nothing is done about any of them before somebody has chosen.

mod addresses;
mod html;
mod marks;
mod moment;
mod names;
mod scan;
mod weigh;

use model::address::Address;
use model::resource::Url;
use model::time::Time;

use super::{Fit, Format, Proven};
use crate::care;
use crate::kinds::mail::{self, Fields, Mail};
use crate::read::Reading;
use crate::sink::{Finding, Found, Stop};
use crate::source::{Limits, Prefix, Source};
pub use scan::MOST;
use scan::{Finder, Own};

/// Free text.
pub const FORMAT: Format = Format {
    name: "free_text",
    title: "Mails and texts written for people: what may be meant in them is offered to a person, and nothing is done about it",
    senders: &[],
    fields: &[
        ("192.0.2.1, 192[.]0[.]2[.]1:80", "address, offered"),
        ("192.0.2.0/24", "prefix, offered"),
        ("http://…, hxxp://…", "url, offered"),
        ("host.example, host[.]example", "domain, offered"),
        ("a time with a date", "time, offered"),
        ("a line with an address and a time", "log line, offered"),
    ],
    proven: Proven::By("AbuseIO: the mails of ten senders, against a slow search of our own"),
    detect,
    parse,
};

/// Mails in mails that are looked through.
const DEPTH: u8 = 4;

/// It is what remains: never chosen, only asked for by name.
fn detect(_: &Prefix<'_>) -> Fit {
    Fit::No
}

/// For whoever names it: offers, and leaves the submission to a person.
fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    match source.read_whole(reading.hint.limits.whole)? {
        Some(bytes) => offer(reading, &bytes),
        None => reading.unreadable(format!("the text is larger than {} MiB", reading.hint.limits.whole >> 20)),
    }
    Ok(())
}

/// Offers what stands in a mail or text that nothing understood, and says why a person has to look.
pub fn offer(reading: &mut Reading<'_>, bytes: &[u8]) {
    let Some(found) = look(bytes, reading.hint.content_type, reading.hint.received, reading.hint.limits) else { return };
    let Seen { findings, more, is_mail, care } = found;
    let said = summary(&findings);
    let hidden = care.is_some();
    let reason = match (reading.why_not(), said) {
        (_, said) if care.is_some() => {
            let by = care.filter(|from| !from.is_empty()).map_or(String::new(), |from| format!(" by {from}"));
            let found = said.map_or(String::new(), |said| format!("; {said} found in it"));
            Some(format!("a letter about child abuse material{by}; see the mailbox it came to{found}"))
        }
        (Some(reason), Some(said)) => Some(format!("{reason}; {said} found in its text")),
        (Some(reason), None) => Some(reason),
        (None, Some(said)) if is_mail => Some(format!("written for people: {said} found; choose what it reports")),
        (None, None) if is_mail => Some("written for people, and no address, URL or domain name was found in it".to_owned()),
        (None, Some(said)) => Some(format!("no format of this version understands it; {said} found in it")),
        (None, None) => None,
    };
    if let Some(reason) = reason {
        reading.unreadable(reason);
    }
    for finding in if hidden { with_care(findings) } else { findings } {
        reading.offer(finding);
    }
    if more {
        reading.note("", format!("only the first {MOST} findings are offered"));
    }
}

/// What stands in a mail or text, whoever else may understand it; at most [`MOST`] findings, in the order of the text. `received`
/// stands for when it was written where it does not say that itself.
pub fn findings(bytes: &[u8], received: Time) -> Vec<Finding> {
    look(bytes, "", received, Limits::default()).map(|seen| seen.findings).unwrap_or_default()
}

/// Whether `of` holds for any text of a mail (its subject, its parts and those of mails inside it), or for a text as a whole.
pub fn says(bytes: &[u8], received: Time, of: &dyn Fn(&str) -> bool) -> bool {
    let limits = Limits::default();
    let hint = crate::source::Hint::new("", received);
    if !mail::detect(&Prefix::new(bytes, "", "", &hint)) {
        return of(&String::from_utf8_lossy(bytes));
    }
    says_mail(&Mail::parse(bytes, limits.parts), limits.parts, DEPTH, of)
}

fn says_mail(mail: &Mail<'_>, parts: usize, depth: u8, of: &dyn Fn(&str) -> bool) -> bool {
    if of(&mail.fields.text("Subject").unwrap_or_default()) {
        return true;
    }
    mail.parts.iter().any(|part| {
        if part.media.is_message() && depth > 0 {
            return says_mail(&Mail::parse(&part.bytes(), parts), parts, depth - 1, of);
        }
        if part.media.is_picture() {
            return false;
        }
        let bytes = part.utf8();
        // Tags may stand between the letters of a word.
        let is_html = part.media.essence == "text/html";
        of(&String::from_utf8_lossy(&bytes)) || is_html && of(&String::from_utf8_lossy(&html::text(&bytes)))
    })
}

/// Whether an address in the text of a mail, outside of what it quotes, is probably meant as a source of abuse, or a location in it was
/// made unfit to click on. What asks for nobody
/// otherwise (an automatic answer) then still goes to a person.
pub fn accuses(mail: &Mail<'_>, received: Time) -> bool {
    let mut finder = Finder::new(mail.fields.time("Date").unwrap_or(received), own(&mail.fields));
    for part in mail.parts.iter().filter(|part| part.media.is_text() && part.media.name.is_empty()) {
        let bytes = part.utf8();
        let text = if part.media.essence == "text/html" { html::text(&bytes) } else { bytes.into_owned() };
        let own = text
            .split_inclusive(|byte| *byte == b'\n')
            .take_while(|line| !begins_quote(line))
            .filter(|line| !line.starts_with(b">"));
        finder.text("", &own.flatten().copied().collect::<Vec<u8>>());
    }
    // What was made unfit to click on is what somebody warns of.
    let defused = |text: &str| text.contains("[.]") || text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("hxxp"));
    let sure = |finding: &Finding| match finding.what {
        Found::Address => finding.confidence >= 80,
        Found::Url | Found::Domain => defused(&finding.written),
        _ => false,
    };
    finder.finish().iter().any(sure)
}

fn begins_quote(line: &[u8]) -> bool {
    line.starts_with(b"-----Original")
        || line.starts_with(b"________________")
        || line.starts_with(b"-----Oorspronkelijk")
        || line.starts_with(b"-----Urspr")
}

/// What was seen in a submission.
struct Seen {
    findings: Vec<Finding>,
    /// Whether there was more than is kept.
    more: bool,
    is_mail: bool,
    /// By whom it is, when it speaks of child abuse material; empty when it does not say.
    care: Option<String>,
}

/// What stands in it; `None` when it is neither a mail nor text.
fn look(bytes: &[u8], content_type: &str, received: Time, limits: Limits) -> Option<Seen> {
    let is_mail = {
        let hint = crate::source::Hint { limits, ..crate::source::Hint::new("", received) };
        mail::detect(&Prefix::new(bytes, "", content_type, &hint))
    };
    if is_mail {
        let mail = Mail::parse(bytes, limits.parts);
        let reference = mail.fields.time("Date").filter(|date| *date <= received.plus(model::time::DAY)).unwrap_or(received);
        let mut finder = Finder::new(reference, own(&mail.fields));
        finder.subject(&mail.fields.text("Subject").unwrap_or_default());
        letter(&mut finder, &mail, "", limits.parts, DEPTH);
        let more = finder.has_more();
        let care = care::tells_of_child_abuse(bytes, limits.parts).then(|| author(&mail.fields));
        return Some(Seen { findings: finder.finish(), more, is_mail: true, care });
    }
    if !is_text(bytes) {
        return None;
    }
    let mut finder = Finder::new(received, Own::default());
    finder.text("", bytes);
    let more = finder.has_more();
    let care = care::tells_of_child_abuse(bytes, limits.parts).then(String::new);
    Some(Seen { findings: finder.finish(), more, is_mail: false, care })
}

/// What is found in a text that speaks of child abuse material is shown without where it is: of locations the host, and no line.
fn with_care(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.retain(|finding| finding.what != Found::LogLine);
    for finding in &mut findings {
        if finding.what == Found::Url {
            finding.value = Url::parse(&finding.value).map_or_else(|| "(not shown)".to_owned(), |url| url.masked());
        }
        finding.written.clone_from(&finding.value);
    }
    findings
}

/// The mail address in `From`, when it is nothing else.
fn author(fields: &Fields<'_>) -> String {
    let from = fields.mailbox("From").map(|(_, address)| address).unwrap_or_default();
    let is_plain = from.len() <= 254 && from.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
    if is_plain { from } else { String::new() }
}

/// Looks through the texts of a mail, and of mails inside it.
fn letter(finder: &mut Finder, mail: &Mail<'_>, path: &str, parts: usize, depth: u8) {
    for (index, part) in mail.parts.iter().enumerate() {
        let media = &part.media;
        let name = format!("{path}{}", mail::part_name(part, index));
        if media.is_message() && depth > 0 {
            let bytes = part.bytes();
            // The header of a mail that is handed in says by whom it was sent.
            let inner = Mail::parse(&bytes, parts);
            let (_, body) = Fields::parse(mail::skip_envelope(&bytes));
            finder.text(&name, bytes.get(..bytes.len() - body.len()).unwrap_or_default());
            letter(finder, &inner, &format!("{name} / "), parts, depth - 1);
        } else if !media.is_picture() && !is_signature(&media.essence) {
            let bytes = part.utf8();
            if media.essence == "text/html" {
                finder.text(&name, &html::text(&bytes));
            } else if media.is_text() || is_text(&bytes) {
                finder.text(&name, &bytes);
            }
        }
        if finder.has_more() {
            return;
        }
    }
}

fn is_signature(essence: &str) -> bool {
    ["application/pgp-signature", "application/pgp-keys", "application/pkcs7-signature", "application/x-pkcs7-signature"]
        .contains(&essence)
}

/// What of a mail is its sender's: the machines it came through, and the domain name of `From`.
fn own(fields: &Fields<'_>) -> Own {
    /// More hand-overs than honest mail has.
    const HOPS: usize = 30;
    let mut addresses: Vec<Address> =
        fields.all("Received").take(HOPS).filter_map(|value| mail::received(value).0).map(Address::from).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let from = fields.mailbox("From").map(|(_, address)| address.to_ascii_lowercase()).unwrap_or_default();
    Own { addresses, domain: from.rsplit_once('@').map_or(String::new(), |(_, domain)| domain.to_owned()) }
}

/// Whether bytes look like text: nothing in the beginning that texts do not have.
fn is_text(bytes: &[u8]) -> bool {
    const LOOKED: usize = 4 << 10;
    let head = &bytes[..bytes.len().min(LOOKED)];
    let odd = head.iter().filter(|byte| **byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)).count();
    let strange = match std::str::from_utf8(head) {
        Ok(_) => 0,
        // One letter may be cut in two at the end of what is looked at.
        Err(error) if error.valid_up_to() + 4 > head.len() => 0,
        Err(_) => head.iter().filter(|byte| **byte >= 0x80).count(),
    };
    !head.is_empty() && !head.contains(&0) && odd * 50 <= head.len() && strange * 5 <= head.len()
}

/// `3 addresses, 1 URL and 2 times were`; `None` when nothing was found that a report could be about.
fn summary(findings: &[Finding]) -> Option<String> {
    let count = |what: Found| findings.iter().filter(|finding| finding.what == what).count();
    let kinds = [
        (Found::Address, "address", "addresses"),
        (Found::Prefix, "prefix", "prefixes"),
        (Found::Url, "URL", "URLs"),
        (Found::Domain, "domain name", "domain names"),
        (Found::Time, "time", "times"),
    ];
    let about = [Found::Address, Found::Prefix, Found::Url, Found::Domain].iter().any(|what| count(*what) > 0);
    let counts: Vec<String> = kinds
        .iter()
        .map(|(what, one, many)| (count(*what), one, many))
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    let (last, rest) = counts.split_last().filter(|_| about)?;
    let were = if rest.is_empty() && last.starts_with("1 ") { "was" } else { "were" };
    Some(if rest.is_empty() { format!("{last} {were}") } else { format!("{} and {last} {were}", rest.join(", ")) })
}
