//! X-ARF 0.1 and 0.2: mails with a part of YAML that says what happened, and the log or message beside it. Many send them:
//! blocklist.de, Fail2Ban, Netcraft, own scripts.
//!
//! The versions after these are JSON and have their own format, [`super::xarf`], also when a mail brings them.

mod kinds;
mod yaml;

use model::address::Address;
use model::category::{Kind, Scope};
use model::label::Tlp;
use model::report::{Core, Place, Word};
use model::resource::{DomainName, Url};

use super::{Fit, Format, Proven};
use crate::kinds::mail::{self, Fields, Letter, Mail, Original, Part};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};
pub(crate) use kinds::kind_of;
use yaml::Document;

/// X-ARF.
pub const FORMAT: Format = Format {
    name: "xarf_0",
    title: "X-ARF 0.1 and 0.2 by mail, YAML (x-arf.org, its schemata)",
    senders: &["blocklist.de", "Fail2Ban", "Netcraft"],
    fields: &[
        ("Source", "address, url or domain"),
        ("Date", "time"),
        ("Report-Type, Service, Category", "kind"),
        ("Port", "port of a site, else destination_port"),
        ("Reported-From", "reporter.contact"),
        ("Report-ID", "report_id"),
        ("Download-Link", "url"),
        ("Destination", "destination_ip"),
        ("TLP", "tlp"),
        ("Occurrences", "incidents"),
        ("the parts after it", "evidence"),
    ],
    proven: Proven::By("AbuseIO (blocklist.de, Netcraft)"),
    detect,
    parse,
};

/// Parts that are looked at before choosing: the report is the second.
const PREFIX_PARTS: usize = 16;
/// Items of evidence of one report.
const ITEMS: usize = 8;
/// Senders of X-ARF that have a format of their own.
const OTHERS: &[&str] = &["netcraft.com"];

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    let Some(way) = way(letter) else { return Fit::No };
    let mail = Mail::parse(prefix.bytes, PREFIX_PARTS);
    if mail.parts.iter().any(is_report) {
        let other = OTHERS.iter().any(|domain| letter.is_from(domain));
        return if other { Fit::Likely } else { Fit::Certain };
    }
    // The report may lie past what is looked at; an encrypted one is not for us to see; of several each is a part.
    if !prefix.whole || way.eq_ignore_ascii_case(b"BULK") || way.eq_ignore_ascii_case(b"SECURE") && is_sealed(&mail) {
        Fit::Likely
    } else {
        Fit::No
    }
}

/// How the header says that the mail is one: `X-XARF: PLAIN`, `SECURE` or `BULK` of 0.2, `X-ARF: YES` of 0.1.
fn way<'a>(letter: &Letter<'a>) -> Option<&'a [u8]> {
    letter.fields.first("X-XARF").or_else(|| letter.fields.first("X-ARF"))
}

fn is_sealed(mail: &Mail<'_>) -> bool {
    let is = |essence: &str| matches!(essence, "multipart/encrypted" | "application/pkcs7-mime" | "application/x-pkcs7-mime");
    is(&mail.media.essence) || mail.parts.iter().any(|part| is(&part.media.essence))
}

/// Whether a part holds a report: it is text, whatever it is called, and its first document is one.
fn is_report(part: &Part<'_>) -> bool {
    let named = part.media.name.to_ascii_lowercase();
    let is_text = part.media.is_text() && part.media.essence != "text/html";
    if !is_text && !part.media.essence.ends_with("yaml") && !named.ends_with(".yaml") && named != "report.txt" {
        return false;
    }
    let bytes = part.utf8();
    let beginning = String::from_utf8_lossy(bytes.get(..16 << 10).unwrap_or(&bytes));
    yaml::documents(&beginning).0.first().is_some_and(Document::is_report)
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    if read(reading, &mail)? {
        if mail.more {
            mail::refuse_rest(reading);
        }
        return Ok(());
    }
    // Several reports may be attached as mails of their own, or be JSON after all.
    let is_bulk = mail.fields.first("X-XARF").is_some_and(|way| way.eq_ignore_ascii_case(b"BULK"));
    if !(if is_bulk { bulk(reading, &mail)? } else { mail::parts(reading, &mail)? }) {
        reading.unreadable(if is_sealed(&mail) {
            "the report is encrypted or wrapped in its signature; open it and hand in what is inside"
        } else {
            "the header says X-ARF, and no part has the fields of such a report"
        });
    }
    Ok(())
}

/// Reads what is attached to a mail that brings many reports; whether there was any. What is not understood is a statement, since
/// the sender says that it is one.
fn bulk(reading: &mut Reading<'_>, mail: &Mail<'_>) -> Result<bool, Stop> {
    let mut found = false;
    for (index, part) in mail.parts.iter().enumerate() {
        if part.media.name.is_empty() && !part.media.is_message() || part.media.is_picture() {
            continue;
        }
        if !reading.count_part() {
            mail::refuse_rest(reading);
            return Ok(true);
        }
        found = true;
        let name = mail::part_name(part, index);
        let bytes = part.utf8();
        if !reading.nested_bytes(&name, &part.media.essence, &bytes)? {
            let ordinal = reading.ordinal();
            let reason =
                reading.why_not().unwrap_or_else(|| "it is attached as a report, and no part has the fields of one".to_owned());
            reading.reject(ordinal, &name, &bytes, reason);
        }
    }
    if mail.more {
        mail::refuse_rest(reading);
    }
    Ok(found)
}

/// Reads every report of a mail; whether there was any. For formats of senders that put such a part into their mails, too.
///
/// # Errors
/// [`Stop`] when the sink breaks off.
pub(crate) fn read(reading: &mut Reading<'_>, mail: &Mail<'_>) -> Result<bool, Stop> {
    read_at(reading, mail, &|_| None)
}

/// Where a location is, as far as somebody says.
type Whereabouts<'a> = dyn Fn(&Url) -> Option<Address> + 'a;

/// As [`read`], with what else the sender says: the address of a location that is reported without one.
///
/// # Errors
/// [`Stop`] when the sink breaks off.
pub(crate) fn read_at(reading: &mut Reading<'_>, mail: &Mail<'_>, at: &Whereabouts<'_>) -> Result<bool, Stop> {
    let mut found = false;
    for (index, part) in mail.parts.iter().enumerate() {
        if !is_report(part) {
            continue;
        }
        found = true;
        let place = mail::part_name(part, index);
        let bytes = part.utf8();
        let text = String::from_utf8_lossy(&bytes);
        let (documents, more) = yaml::documents(&text);
        let after = mail.parts.get(index + 1..).unwrap_or_default();
        let mut evidence: Vec<_> = after.iter().take_while(|part| !is_report(part)).collect();
        if documents.len() > 1 && !evidence.is_empty() {
            reading.note(&place, "several reports and material beside them; whose it is, only the submission shows");
            evidence.clear();
        }
        for document in &documents {
            report(reading, &mail.fields, document, (&place, at), &evidence)?;
        }
        if more {
            let ordinal = reading.ordinal();
            let reason = format!("more than {} reports in one part; the rest was not read", yaml::DOCUMENTS);
            reading.reject(ordinal, &place, b"", reason);
        }
    }
    Ok(found)
}

fn report(
    reading: &mut Reading<'_>,
    fields: &Fields<'_>,
    document: &Document<'_>,
    (place, at): (&str, &Whereabouts<'_>),
    evidence: &[&Part<'_>],
) -> Result<(), Stop> {
    let ordinal = reading.ordinal();
    let names: Vec<&str> = document.iter().map(|(name, _)| name).collect();
    let said = document.get("Report-Type").unwrap_or_default().to_ascii_lowercase();
    reading.shape(&said, &names);
    let mut resource = match Resource::of(document) {
        Ok(resource) => resource,
        Err(reason) => {
            let abuse = kind(document, false).0.is_child_abuse();
            let text = if abuse { "(withheld: it speaks of child abuse material)" } else { document.text };
            reading.reject(ordinal, place, text.as_bytes(), reason);
            return Ok(());
        }
    };
    if let (Address::NONE, Some(url)) = (resource.address, &resource.url) {
        resource.address = at(url).unwrap_or(Address::NONE);
    }
    let (kind, known) = kind(document, resource.url.is_some());
    let mut core = Core::new(kind, ordinal);
    core.address = resource.address;
    let mut remarks = Vec::new();
    if !known {
        let service = document.get("Service").unwrap_or_default();
        remarks.push(format!("neither Report-Type '{}' nor Service '{}' is known; read as {kind}", shown(&said), shown(service)));
    }
    if let Some(label) = document.get("TLP") {
        core.tlp = Tlp::parse(label).unwrap_or(Tlp::Unstated);
    }
    put(reading, &mut core, document, &resource);
    put_reporter(reading, fields, document);
    if !said.is_empty() {
        let word: String =
            said.chars().take(64).map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
        reading.batch().text(Word::TAG, format!("x-arf:{word}"));
    }
    let stated = document.get("Date").and_then(|date| mail::written(date, None));
    if stated.is_none() {
        let word = reading.batch().word("observed_from", Place::Extra);
        reading.batch().text(word, "the Date of the mail");
        remarks.push("no Date that can be read; the time is that of the mail".to_owned());
    }
    core.set_observed(stated.or_else(|| fields.time("Date")));
    attach(reading, kind, evidence, &mut remarks);
    if document.more {
        remarks.push("it has more or longer fields than are read; the rest is in the submission only".to_owned());
    }
    for remark in remarks {
        reading.note(place, remark);
    }
    reading.report(core)
}

/// What a report is about.
struct Resource {
    address: Address,
    url: Option<Url>,
    domain: Option<DomainName>,
}

impl Resource {
    fn of(document: &Document<'_>) -> Result<Resource, String> {
        if document.contradicts("Source") {
            return Err("it has more than one Source: it does not say which of them it is about".to_owned());
        }
        let kind = document.get("Source-Type").unwrap_or_default().to_ascii_lowercase();
        let source = document.get("Source");
        let link = ["Download-Link", "Url", "Uri", "Link"].iter().find_map(|name| document.get(name).and_then(Url::parse));
        let domain = document.get("Domain").and_then(DomainName::parse);
        let Some(source) = source else {
            // Some write the location alone.
            return match (link, domain) {
                (None, None) => Err("no Source: it does not say what it is about".to_owned()),
                (url, domain) => Ok(Resource { address: Address::NONE, url, domain }),
            };
        };
        if let Some(address) = Address::parse(source.as_bytes()).filter(|address| *address != Address::NONE) {
            return Ok(Resource { address, url: link, domain });
        }
        if let Some(url) = Url::parse(source) {
            return Ok(Resource { address: Address::NONE, url: Some(url), domain });
        }
        let is_name = matches!(kind.as_str(), "" | "domain" | "domainname" | "fqdn" | "hostname" | "host" | "dns");
        match DomainName::parse(source).filter(|_| is_name) {
            Some(name) => Ok(Resource { address: Address::NONE, url: link, domain: Some(name) }),
            None => Err(format!("its Source '{}' of type '{}' is no address, URL or domain name", shown(source), shown(&kind))),
        }
    }
}

/// The kind of abuse, and whether the sender said it in words that are known.
fn kind(document: &Document<'_>, has_url: bool) -> (Kind, bool) {
    let said = ["Report-Type", "Service"].iter().find_map(|name| document.get(name).and_then(kind_of));
    match (said, document.get("Category").map(str::to_ascii_lowercase).as_deref()) {
        // Malware without a place where it is offered was seen by what a machine did: that machine has it.
        (Some(Kind::Malware), _) if !has_url => (Kind::InfectedHost, true),
        (Some(kind), _) => (kind, true),
        (None, Some("fraud")) => (if has_url { Kind::Phishing } else { Kind::Fraud }, true),
        // To take an unknown word for abuse would accuse somebody of we know not what.
        (None, _) => (Kind::ThreatIntelligence, false),
    }
}

/// Puts every field into the open report: those that have a word of ours under it, the others under `x-arf.NAME`.
fn put(reading: &mut Reading<'_>, core: &mut Core, document: &Document<'_>, resource: &Resource) {
    let kind = core.kind;
    let batch = reading.batch();
    if let Some(url) = &resource.url {
        batch.text(Word::URL, url.as_str());
    }
    if let Some(domain) = &resource.domain {
        batch.text(Word::DOMAIN, domain.as_str());
    }
    if kind == Kind::Spam && ["Report-Type", "Service"].iter().any(|name| document.get(name).is_some_and(kinds::is_mail)) {
        batch.text(Word::PROTOCOL, "smtp");
    }
    for (name, value) in document.iter() {
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        let lower = name.to_ascii_lowercase();
        let port = || value.parse::<u16>().ok().filter(|port| *port != 0);
        let taken = match lower.as_str() {
            "source" => {
                Address::parse(value.as_bytes()).is_some_and(|address| address.to_string() == value) || {
                    let as_url = resource.url.as_ref().is_some_and(|url| url.as_str() == value);
                    as_url || resource.domain.as_ref().is_some_and(|domain| domain.as_str() == value)
                }
            }
            "date" => false,
            "domain" => resource.domain.as_ref().is_some_and(|domain| domain.as_str() == value),
            "download-link" | "url" | "uri" | "link" => resource.url.as_ref().is_some_and(|url| url.as_str() == value),
            "report-id" => {
                batch.text(Word::REPORT_ID, value);
                true
            }
            // The port is that of the site, or the one that was attacked; only the first tells holders apart.
            "port" | "download-port" if kind.scope() == Scope::Site => {
                core.port = port().unwrap_or(core.port);
                port().is_some()
            }
            "source-port" => {
                core.port = port().unwrap_or(core.port);
                port().is_some()
            }
            "port" | "destination-port" => port().is_some_and(|port| {
                batch.json(Word::DESTINATION_PORT, &port.to_string());
                true
            }),
            "destination" => Address::parse(value.as_bytes()).is_some_and(|address| {
                batch.text(Word::DESTINATION_IP, address.to_string());
                true
            }),
            "service" => {
                batch.text(Word::SERVICE, value);
                true
            }
            // `Occurances` is what Fail2Ban writes.
            "occurrences" | "occurances" | "occurences" => value.parse::<u32>().is_ok_and(|count| {
                batch.json(Word::INCIDENTS, &count.to_string());
                true
            }),
            "tlp" => core.tlp != Tlp::Unstated,
            "reported-from" => true,
            _ => false,
        };
        if !taken {
            let word = batch.word(&format!("x-arf.{lower}"), Place::Extra);
            batch.text(word, value);
        }
    }
}

/// Whose complaint it is: `Reported-From`, under the name of the mail's sender when they are of one house.
fn put_reporter(reading: &mut Reading<'_>, fields: &Fields<'_>, document: &Document<'_>) {
    let sender = fields.mailbox("From");
    let stated = document.get("Reported-From").map(mail::bare).filter(|address| address.contains('@'));
    let Some(address) = stated.or(sender.as_ref().map(|(_, address)| address.as_str())) else { return };
    let Some((_, domain)) = address.rsplit_once('@') else { return };
    let same = |address: &str| address.rsplit_once('@').is_some_and(|(_, other)| other.eq_ignore_ascii_case(domain));
    let name = sender.as_ref().filter(|(name, address)| !name.is_empty() && same(address)).map(|(name, _)| name.as_str());
    let batch = reading.batch();
    batch.text(Word::REPORTER_ORG, name.unwrap_or(domain));
    batch.text(Word::REPORTER_CONTACT, address);
    batch.text(Word::REPORTER_DOMAIN, domain.to_ascii_lowercase());
}

/// Puts the material beside a report into it: logs and messages, never pictures.
fn attach(reading: &mut Reading<'_>, kind: Kind, evidence: &[&Part<'_>], remarks: &mut Vec<String>) {
    if kind.is_child_abuse() && !evidence.is_empty() {
        remarks.push("material with a report about child abuse is not kept".to_owned());
        return;
    }
    let mut described = false;
    for part in evidence.iter().take(ITEMS) {
        if let Some(original) = Original::of(part) {
            // A second message would say its subject over the first.
            if !described {
                original.put(reading.batch(), false);
                described = true;
            }
            continue;
        }
        let media = part.media.essence.as_str();
        let mut bytes = part.bytes();
        if bytes.trim_ascii().is_empty() {
            bytes = strayed(part.head).into();
        }
        if !part.media.is_text() || bytes.trim_ascii().is_empty() {
            continue;
        }
        let batch = reading.batch();
        batch.text(Word::EVIDENCE_TYPE, if media.is_empty() { "text/plain" } else { media });
        batch.text(
            Word::EVIDENCE_DESCRIPTION,
            if part.media.name.is_empty() { "Material beside the report" } else { &part.media.name },
        );
        batch.text(Word::EVIDENCE_SIZE, bytes.len().to_string());
        batch.bytes(Word::EVIDENCE_PAYLOAD, &bytes);
    }
    if evidence.len() > ITEMS {
        remarks.push(format!("more than {ITEMS} parts beside the report; the rest is in the submission only"));
    }
}

/// The lines of a part that stand in its header, because the empty line after it is missing, as Fail2Ban forgets it.
fn strayed(head: &[u8]) -> &[u8] {
    let mut rest = head;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1));
        let is = |name: &[u8]| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if !is(b"content-") && !is(b"mime-version") && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            return rest;
        }
        rest = after;
    }
    rest
}

/// The beginning of a text, for a sentence.
fn shown(text: &str) -> &str {
    match text.char_indices().nth(80) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}
