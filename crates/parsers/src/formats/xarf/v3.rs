//! A report of XARF version 3 and its drafts (1, 2, alpha, development), converted to the words of version 4.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::category::Kind;
use model::report::{Batch, Core, Word};
use model::time::Time;

use super::fields::Filler;
use super::json::{self, At};
use super::rules_copyright::LEGACY;
use super::shape::{Check, Path, shown};
use super::{Read, Reader};

/// What version 3 calls a type (letters alone, small), and the kind it is in version 4.
///
/// Types without a kind in version 4 (harassment, compromised accounts) are left out: a person reads those.
const TYPES: &[(&str, Kind)] = &[
    ("spam", Kind::Spam),
    ("loginattack", Kind::LoginAttack),
    ("bruteforce", Kind::LoginAttack),
    ("portscan", Kind::PortScan),
    ("ddos", Kind::Ddos),
    ("dos", Kind::Ddos),
    ("exploit", Kind::VulnerabilityScan),
    ("hacking", Kind::VulnerabilityScan),
    ("webcrawler", Kind::Scraping),
    ("scraping", Kind::Scraping),
    ("rpz", Kind::InfectedHost),
    ("infectedhost", Kind::InfectedHost),
    ("bot", Kind::InfectedHost),
    ("botnet", Kind::Botnet),
    ("malware", Kind::Malware),
    ("phishing", Kind::Phishing),
    ("fraud", Kind::Fraud),
    ("trademark", Kind::BrandInfringement),
    ("copyright", Kind::Copyright),
    ("childsexualabusematerial", Kind::Csam),
    ("childsexualexploitationmaterial", Kind::Csem),
    ("openservice", Kind::OpenService),
    ("vulnerability", Kind::Misconfiguration),
    ("misconfiguration", Kind::Misconfiguration),
    ("compromisedserver", Kind::CompromisedServer),
    ("compromisedwebsite", Kind::RemoteCompromise),
    ("blocklist", Kind::Blocklist),
];

/// What version 3 calls a member of `Report` or of its `AdditionalInfo`, and our word for it.
const NAMES: &[(&str, Word)] = &[
    ("DestinationIp", Word::DESTINATION_IP),
    ("DestinationIP", Word::DESTINATION_IP),
    ("DestinationPort", Word::DESTINATION_PORT),
    ("TransportProtocol", Word::TRANSPORT),
    ("SmtpMailFromAddress", Word::SMTP_FROM),
    ("SMTPFrom", Word::SMTP_FROM),
    ("FromAddress", Word::SMTP_FROM),
    ("SmtpRcptToAddress", Word::SMTP_TO),
    ("SMTPTo", Word::SMTP_TO),
    ("SmtpMessageSubject", Word::SUBJECT),
    ("Subject", Word::SUBJECT),
    ("MessageId", Word::MESSAGE_ID),
    ("UserAgent", Word::USER_AGENT),
    ("AttackDescription", Word::DESCRIPTION),
    ("HarassmentDescription", Word::DESCRIPTION),
    ("FirstSeen", Word::FIRST_SEEN),
    ("LastSeen", Word::LAST_SEEN),
    ("MalwareName", Word::MALWARE_FAMILY),
    ("MalwareFamily", Word::MALWARE_FAMILY),
    ("BotnetName", Word::BOT_NAME),
    ("ServiceName", Word::SERVICE),
    ("CVE", Word::CVE_ID),
    ("NumberOfIncidents", Word::INCIDENTS),
    ("DetectionMethod", Word::EVIDENCE_SOURCE),
];

/// Members of `Report` that are not simply renamed.
const HANDLED: &[&str] = &[
    "ReportClass",
    "ReportType",
    "Date",
    "SourceIp",
    "SourceIP",
    "SourceIpv4",
    "SourceIpv6",
    "SourcePort",
    "Source",
    "Url",
    "SourceUrl",
    "InfringingUrl",
    "Protocol",
    "Samples",
    "Attachment",
    "AdditionalInfo",
];

/// Reads the document that has been scanned into the open report of `batch`.
pub(super) fn read(reader: &mut Reader, batch: &mut Batch, text: &str, ordinal: u32, remarks: &mut Vec<String>) -> Read {
    let Reader { document, words, violations, .. } = reader;
    let document = &*document;
    violations.clear();
    Check { document, text, violations }.value(&LEGACY, 0, &Path::ROOT);
    let report = document.member(text, 0, "Report").filter(|at| document.kind(*at) == json::Kind::Object);
    let Some(report) = report else { return Err("it has no 'Report' (XARF version 3)".to_owned()) };
    let get = |name: &str| document.member(text, report, name);
    let string = |at: Option<At>| at.and_then(|at| document.text(text, at)).filter(|text| !text.trim().is_empty());
    let source = get("Source");
    let of_source = |name: &str| source.and_then(|at| document.member(text, at, name));
    let url =
        [of_source("URL"), of_source("Url"), get("Url"), get("SourceUrl"), get("InfringingUrl")].into_iter().find_map(string);
    let kind = kind(&string(get("ReportClass")), &string(get("ReportType")), url.is_some())?;

    let mut filler = Filler::new(document, text, batch, words, Core::new(kind, ordinal));
    let sources = [of_source("IP"), of_source("Ip"), get("SourceIp"), get("SourceIP"), get("SourceIpv4"), get("SourceIpv6")];
    place(&mut filler, sources.into_iter().find_map(string), url.as_deref())?;
    if let Some(port) = of_source("Port").or_else(|| get("SourcePort"))
        && !filler.port(port)
    {
        filler.property("", "source_port", port);
    }
    time(&mut filler, get("Date"), get("FirstSeen"));
    filler.batch.text(Word::LEGACY_VERSION, "3");
    reporter(&mut filler, document.member(text, 0, "ReporterInfo"));
    if let Some(url) = &url {
        filler.batch.text(Word::URL, &**url);
        if kind.category() == "copyright"
            && let Some(word) = filler.words.property(filler.batch, "", "infringing_url")
        {
            filler.batch.text(word, &**url);
        }
    }
    let more = get("AdditionalInfo");
    protocol(&mut filler, report, more);
    for part in [Some(report), more].into_iter().flatten() {
        for (name, value) in filler.members(part) {
            member(&mut filler, &name, value, part == report);
        }
    }
    if let Some(more) = more.filter(|more| !filler.is_object(*more)) {
        filler.property("", "additional_info", more);
    }
    for name in ["Samples", "Attachment"] {
        if let Some(at) = get(name) {
            evidence(&mut filler, at);
        }
    }
    rest(&mut filler, source);
    filler.finish();
    let core = filler.core;
    remarks.append(&mut filler.remarks);
    reader.remark_violations(remarks);
    Ok(core)
}

fn kind(class: &Option<Cow<'_, str>>, type_name: &Option<Cow<'_, str>>, has_url: bool) -> Result<Kind, String> {
    let Some(type_name) = type_name else { return Err("it does not say what it is about: 'ReportType' is missing".to_owned()) };
    let small: String = type_name.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect();
    let known = TYPES.iter().find(|(name, _)| *name == small).map(|(_, kind)| *kind);
    let Some(kind) = known else {
        let class = class.as_deref().unwrap_or("");
        return Err(format!("XARF 4 has no type for '{}' of class '{}'", shown(type_name), shown(class)));
    };
    // Malware without a place where it is offered was seen by what a machine did: that machine has it.
    Ok(if kind == Kind::Malware && !has_url { Kind::InfectedHost } else { kind })
}

/// The source: the address, or the URL where there is none.
fn place(filler: &mut Filler<'_>, address: Option<Cow<'_, str>>, url: Option<&str>) -> Result<(), String> {
    let Some(address) = address else {
        let Some(url) = url else { return Err("it names no source: neither 'SourceIp' nor a URL is there".to_owned()) };
        if filler.source(url) {
            return Ok(());
        }
        return Err(format!("its source '{}' is not a URL with a host", shown(url)));
    };
    if filler.source(&address) {
        return Ok(());
    }
    if url.is_some_and(|url| model::resource::Url::parse(url.trim()).is_some()) {
        filler.remarks.push(format!("its source '{}' is no address; the URL stands for it", shown(&address)));
        filler.batch.text(Word::SOURCE_IDENTIFIER, &*address);
        return Ok(());
    }
    Err(format!("its source '{}' is not an address", shown(&address)))
}

fn time(filler: &mut Filler<'_>, date: Option<At>, first_seen: Option<At>) {
    let time =
        |at: Option<At>| at.and_then(|at| filler.document.text(filler.text, at)).and_then(|text| Time::parse(text.as_bytes()));
    let (stated, first) = (time(date), time(first_seen));
    filler.core.set_observed(stated.or(first));
    if stated.is_some() {
        return;
    }
    let shown = date.map_or("missing".to_owned(), |at| format!("'{}'", filler.shown(at)));
    let instead = if first.is_some() { "'FirstSeen' stands for it" } else { "it is kept undated" };
    filler.remarks.push(format!("its 'Date' cannot be read ({shown}); {instead}"));
    if let Some(date) = date {
        filler.property("", if first.is_some() { "date" } else { "timestamp" }, date);
    }
}

/// Version 3 knows one organisation; it both owns and files the report.
fn reporter(filler: &mut Filler<'_>, info: Option<At>) {
    let Some(info) = info else { return };
    if !filler.is_object(info) {
        return filler.property("", "reporter", info);
    }
    let (document, text) = (filler.document, filler.text);
    let string =
        |name| document.member(text, info, name).and_then(|at| document.text(text, at)).filter(|text| !text.trim().is_empty());
    let contact = string("ReporterContactEmail").or_else(|| string("ReporterOrgEmail"));
    let of_mail = contact.as_ref().and_then(|contact| contact.rsplit_once('@')).map(|(_, domain)| Cow::Owned(domain.to_owned()));
    let org = string("ReporterOrg").or_else(|| string("ReporterContactName"));
    let domain = string("ReporterOrgDomain").or(of_mail);
    let words = [
        (Word::REPORTER_ORG, Word::SENDER_ORG, org),
        (Word::REPORTER_CONTACT, Word::SENDER_CONTACT, contact),
        (Word::REPORTER_DOMAIN, Word::SENDER_DOMAIN, domain),
    ];
    for (owner, filer, value) in words {
        if let Some(value) = value {
            filler.batch.text(owner, &*value);
            filler.batch.text(filer, &*value);
        }
    }
    for (name, value) in filler.members(info) {
        if !matches!(&*name, "ReporterOrg" | "ReporterOrgDomain") {
            filler.property("reporter_info", &snake(&name), value);
        }
    }
}

fn protocol(filler: &mut Filler<'_>, report: At, more: Option<At>) {
    let (document, text) = (filler.document, filler.text);
    let of = |at: At, name| document.member(text, at, name).and_then(|at| document.text(text, at));
    let stated = of(report, "Protocol").or_else(|| of(more?, "Protocol")).or_else(|| of(report, "TransportProtocol"));
    if let Some(stated) = stated {
        filler.batch.text(Word::PROTOCOL, stated.to_ascii_lowercase());
    } else if filler.core.kind == Kind::Spam && of(report, "SmtpMailFromAddress").is_some() {
        // Version 4 asks for the protocol of spam; an envelope sender of SMTP says which it was.
        filler.batch.text(Word::PROTOCOL, "smtp");
    }
}

fn member(filler: &mut Filler<'_>, name: &str, at: At, outer: bool) {
    if outer && HANDLED.contains(&name) || name == "Protocol" {
        return;
    }
    if let Some((_, word)) = NAMES.iter().find(|(known, _)| *known == name) {
        return filler.put(*word, at);
    }
    filler.property("", &snake(name), at);
}

/// `Samples` of version 3, `Attachment` of its later spelling.
fn evidence(filler: &mut Filler<'_>, list: At) {
    let abuse = filler.core.kind.is_child_abuse();
    if filler.document.items(list).next().is_none() && !filler.is_empty_list(list) {
        if abuse {
            filler.withheld += 1;
        } else {
            filler.property("", "samples", list);
        }
        return;
    }
    for item in filler.document.items(list) {
        let (document, text) = (filler.document, filler.text);
        let get = |name| document.member(text, item, name);
        filler.evidence(get("ContentType"));
        let description = get("Description").and_then(|at| document.text(text, at));
        let file = get("FileName").and_then(|at| document.text(text, at));
        let described = match (description, file) {
            (Some(description), Some(file)) => Some(format!("{description} ({file})")),
            (one, other) => one.or(other).map(Cow::into_owned),
        };
        if let Some(described) = described {
            filler.batch.text(Word::EVIDENCE_DESCRIPTION, described);
        }
        let Some(payload) = get("Payload").or_else(|| get("Data")) else { continue };
        if abuse {
            filler.withheld += 1;
            continue;
        }
        let plain = get("Base64Encoded").is_some_and(|at| &*document.raw(text, at) == "false");
        match document.text(text, payload) {
            // A payload that says it is base64 and is not was meant as it stands.
            Some(payload) if plain || STANDARD.decode(payload.as_bytes()).is_err() => {
                filler.batch.bytes(Word::EVIDENCE_PAYLOAD, payload.as_bytes());
            }
            Some(payload) => filler.batch.text(Word::EVIDENCE_PAYLOAD, &*payload),
            None => filler.put(Word::EVIDENCE_PAYLOAD, payload),
        }
    }
}

/// What stands outside `Report`, and what else its `Source` says.
fn rest(filler: &mut Filler<'_>, source: Option<At>) {
    for (name, value) in filler.members(0) {
        match &*name {
            "ReporterInfo" | "Report" => {}
            "Version" => {
                if !["3", "3.0", "3.0.0"].iter().any(|usual| filler.document.is_text(filler.text, value, usual)) {
                    filler.property("", "legacy_schema_version", value);
                }
            }
            "InternalProcessing" => {
                filler.remarks.push("'InternalProcessing' is for the sender's house alone and was dropped".to_owned())
            }
            _ => filler.property("", &snake(&name), value),
        }
    }
    let Some(source) = source else { return };
    if !filler.is_object(source) {
        return filler.property("", "source", source);
    }
    for (name, value) in filler.members(source) {
        if !matches!(&*name, "IP" | "Ip" | "Port" | "URL" | "Url" | "Type") {
            filler.property("source", &snake(&name), value);
        }
    }
}

/// `ByteCount` as `byte_count`, `DNSResolver` as `dns_resolver`: how version 4 spells names.
fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (at, &char) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(at + 1);
        let begins = char.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase)
            });
        if begins {
            out.push('_');
        }
        out.push(char.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_spelt_as_version_4_does() {
        for (name, expected) in [
            ("ByteCount", "byte_count"),
            ("DNSResolver", "dns_resolver"),
            ("ReporterCaseID", "reporter_case_id"),
            ("C2Server", "c2_server"),
        ] {
            assert_eq!(super::snake(name), expected);
        }
    }
}
