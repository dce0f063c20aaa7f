//! ACNS: notices about copyright with an XML block that says where and when (Automated Copyright Labelled System, acns.net,
//! version 2), by whomever they are sent.
//!
//! The block may stand in signed text, be attached, or both; then it is one notice. Known senders who left it out are read by the
//! labels of their text.

use std::collections::BTreeSet;

use model::address::Address;
use model::category::Kind;
use model::report::{Place, Word};
use model::resource::Url;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::labelled::{Labelled, Labels, Said};
use crate::kinds::mail::{self, Fields, Mail, Statement, location};
use crate::kinds::xml::{self, Element};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// ACNS.
pub const FORMAT: Format = Format {
    name: "acns",
    title: "ACNS 2: copyright notices, XML in a mail or by itself (acns.net)",
    senders: &["IP-Echelon", "Irdeto", "OpSec", "MarkMonitor", "CEG TEK"],
    fields: &[
        ("Source IP_Address", "address"),
        ("Source Port", "port"),
        ("Source TimeStamp, else Item TimeStamp", "time"),
        ("Source Type, SubType BaseType", "kind, p2p_protocol"),
        ("Case ID", "report_id"),
        ("Complainant Entity, Email", "reporter.org, reporter.contact, rights_holder"),
        ("Item Title", "work_title"),
        ("Item Hash", "swarm_info.info_hash"),
        ("Item URL", "url"),
        ("every other element", "acns.…"),
        ("the text", "evidence"),
    ],
    proven: Proven::By("AbuseIO (IP-Echelon, Irdeto)"),
    detect,
    parse,
};

/// Notices of one mail, and elements of one notice, that are read.
const NOTICES: usize = 1_000;
const LEAVES: usize = 500;
/// Domain names of those who send such notices.
const SENDERS: &[&str] = &[
    "ip-echelon.com",
    "copyright-compliance.com",
    "irdeto.com",
    "markmonitor.com",
    "dtecnet.com",
    "opsecsecurity.com",
    "opsecsecurityonline.com",
    "cegtek.com",
    "peermediatech.com",
    "tecxipio.com",
];
/// Words of a subject, in small letters, without which nobody else's mail is looked into.
const TELLING: &[&str] = &["infring", "copyright", "unauthorized use", "unauthorised use", "dmca", "acns", "piracy"];
/// Labels of texts without the block.
const LABELS: Labels = &[
    ("ip address", Said::Address),
    ("infringers ip address", Said::Address),
    ("infringer's ip address", Said::Address),
    ("timestamp", Said::Other("time")),
    ("recent infringement timestamp", Said::Other("time")),
    ("initial infringement timestamp", Said::Other("time")),
    ("port", Said::Other("port")),
    ("port id", Said::Other("port")),
    ("infringer's port", Said::Other("port")),
    ("type", Said::Other("type")),
    ("protocol", Said::Other("type")),
    ("title", Said::Other("title")),
    ("infringed work", Said::Other("title")),
    ("notice id", Said::Other("id")),
    ("case id", Said::Other("id")),
    ("filename", Said::Other("filename")),
    ("infringing filename", Said::Other("filename")),
    ("infringing file name", Said::Other("filename")),
];

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else {
        let start = prefix.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix.bytes).trim_ascii_start();
        let beginning = start.get(..4_096).unwrap_or(start);
        let is_notice = beginning.first() == Some(&b'<') && memchr::memmem::find(beginning, b"<Infringement").is_some();
        return if is_notice { Fit::Certain } else { Fit::No };
    };
    let known = SENDERS.iter().any(|domain| letter.is_from(domain));
    if !known && !is_telling(&letter.subject) {
        return Fit::No;
    }
    if letter.says("<Infringement") || letter.says("<infringement") || known && letter.says("IP Address") {
        return Fit::Certain;
    }
    if letter.says("base64") && hides(prefix) { Fit::Certain } else { Fit::No }
}

fn is_telling(subject: &str) -> bool {
    let subject = subject.to_ascii_lowercase();
    TELLING.iter().any(|word| subject.contains(word))
}

/// Whether a notice stands in a part whose encoding hides it.
fn hides(prefix: &Prefix<'_>) -> bool {
    let mail = Mail::parse(prefix.bytes, 16);
    let is_encoded = |part: &&mail::Part<'_>| part.fields.first("Content-Transfer-Encoding").is_some();
    mail.parts.iter().filter(is_encoded).any(|part| memchr::memmem::find(&part.bytes(), b"<Infringement").is_some())
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    if bytes.trim_ascii_start().starts_with(b"<") || bytes.starts_with(b"\xef\xbb\xbf") {
        let text = String::from_utf8_lossy(&bytes);
        let read = blocks(reading, &Fields::default(), &text, "", &mut BTreeSet::new(), &mut 0)?;
        if !read {
            reading.unreadable("an ACNS notice, and its Infringement has no end");
        }
        return Ok(());
    }
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let words = mail::plain(&mail);
    let (mut seen, mut count, mut read) = (BTreeSet::new(), 0, false);
    for part in &mail.parts {
        if !part.media.is_text()
            && !part.media.essence.ends_with("xml")
            && !part.media.name.to_ascii_lowercase().ends_with(".xml")
        {
            continue;
        }
        let bytes = part.utf8();
        let text = String::from_utf8_lossy(&bytes);
        // The letter is the evidence; the block in it says the same again.
        let letter = words.split_once("<?xml").map_or(words.as_str(), |(letter, _)| letter);
        read |= blocks(reading, &mail.fields, &text, letter, &mut seen, &mut count)?;
    }
    if read {
        return Ok(());
    }
    labelled(reading, &mail, &words)
}

/// Reads every block of a text; whether there was any, readable or not.
fn blocks(
    reading: &mut Reading<'_>,
    fields: &Fields<'_>,
    text: &str,
    letter: &str,
    seen: &mut BTreeSet<String>,
    count: &mut usize,
) -> Result<bool, Stop> {
    let mut read = false;
    // Both spellings are about, and are not mixed.
    for name in ["Infringement", "infringement"] {
        let (opens, closes) = (format!("<{name}"), format!("</{name}>"));
        let mut rest = text;
        while let Some(start) = rest.find(&opens) {
            let begun = rest.get(start..).unwrap_or_default();
            let Some(end) = begun.find(&closes).map(|end| end + closes.len()) else {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, name, begun.as_bytes(), "the notice is cut off: </Infringement> is missing");
                read = true;
                break;
            };
            let block = mended(begun.get(..end).unwrap_or_default());
            rest = begun.get(end..).unwrap_or_default();
            if *count >= NOTICES {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, "", b"", format!("more than {NOTICES} notices; the rest was not read"));
                return Ok(true);
            }
            *count += 1;
            read = true;
            let mut result = Ok(());
            let place = format!("Infringement {count}");
            let parsed = xml::each(&block, name, |_, element| {
                if result.is_ok() {
                    result = notice(reading, fields, element, &place, letter, seen);
                }
            });
            result?;
            if let Err(why) = parsed {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, &place, block.as_bytes(), format!("no XML from here on: {why}"));
            }
        }
    }
    Ok(read)
}

/// A block as it was before it was signed (RFC 9580 section 7.2: `- ` before lines with a dash) and without signs that are no
/// XML: many write `&` for itself.
fn mended(block: &str) -> String {
    let mut text = String::with_capacity(block.len());
    for (at, line) in block.split('\n').enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let mut line = line.strip_prefix("- ").unwrap_or(line);
        while let Some(at) = line.find('&') {
            let (before, rest) = line.split_at(at);
            text.push_str(before);
            // A reference is short: to look for its end in the whole line would cost the square of the line.
            let name = rest.bytes().skip(1).take(11).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#').count();
            let is_reference = (1..=10).contains(&name) && rest.as_bytes().get(name + 1) == Some(&b';');
            text.push_str(if is_reference { "&" } else { "&amp;" });
            line = rest.get(1..).unwrap_or_default();
        }
        text.push_str(line);
    }
    text
}

/// The elements that hold text, each with its name and that of the one around it, in small letters.
fn leaves<'e>(element: &'e Element, around: &str, found: &mut Vec<(String, &'e str)>) {
    for child in &element.children {
        if found.len() >= LEAVES {
            return;
        }
        let name = child.name.to_ascii_lowercase();
        if child.children.is_empty() {
            let text = child.text.trim();
            if !text.is_empty() {
                found.push((format!("{around}.{name}"), text));
            }
        } else {
            leaves(child, &name, found);
        }
    }
}

fn notice(
    reading: &mut Reading<'_>,
    fields: &Fields<'_>,
    element: &Element,
    place: &str,
    letter: &str,
    seen: &mut BTreeSet<String>,
) -> Result<(), Stop> {
    let mut all = Vec::new();
    leaves(element, "infringement", &mut all);
    let mut said: Vec<String> =
        all.iter().map(|(name, value)| format!("{name}={}", value.split_whitespace().collect::<Vec<_>>().join(" "))).collect();
    said.sort_unstable();
    if !seen.insert(said.join("\n")) {
        return Ok(());
    }
    let mut names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    reading.shape("", &names);
    let get = |wanted: &str| all.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| *value);
    let base = element.find("SubType").map_or("", |subtype| subtype.attribute("BaseType"));
    let kind = kind_of(get("source.type"), base);
    let mut statement = Statement::new(kind);
    let address = get("source.ip_address");
    let wrong = |reading: &mut Reading<'_>, reason: String| {
        let ordinal = reading.ordinal();
        reading.reject(ordinal, place, element.words().as_bytes(), reason);
        Ok(())
    };
    let addresses: BTreeSet<&str> = all.iter().filter(|(name, _)| name == "source.ip_address").map(|(_, value)| *value).collect();
    if addresses.len() > 1 {
        return wrong(reading, "it has more than one IP_Address: it does not say which of them did what".to_owned());
    }
    match Address::parse(address.as_bytes()) {
        Some(parsed) => statement.address = parsed,
        None if address.is_empty() => {}
        // Some put the location of a site there.
        None => match location(address) {
            Some(url) => statement.url = Some(url),
            None => return wrong(reading, format!("IP_Address '{}' is not an address", mail::shown(address))),
        },
    }
    let items = ["item.url", "content_item.url", "url.url"].iter().map(|name| get(name)).find_map(Url::parse);
    statement.url = statement.url.or(items);
    let times = ["source.timestamp", "item.timestamp", "content_item.timestamp"];
    statement.time = times.iter().find_map(|name| mail::written(get(name), None));
    statement.port = get("source.port").parse().unwrap_or(0);
    let hash = all.iter().find(|(name, value)| name.ends_with("item.hash") && is_sha1(value)).map_or("", |(_, value)| *value);
    if kind == Kind::PeerToPeer {
        statement.named("p2p_protocol", Place::Property, protocol(get("source.type"), element));
        statement.named("swarm_info.info_hash", Place::Property, hash);
        statement.named("swarm_info.torrent_name", Place::Property, mail::beginning(get("item.filename"), 500));
    }
    let mut once = BTreeSet::new();
    for (name, value) in &all {
        let first = once.insert(name.as_str());
        match name.as_str() {
            "source.ip_address" => {
                if statement.address == Address::NONE || statement.address.to_string() != *value {
                    statement.extra("acns.source.ip_address", value);
                }
            }
            "source.port" if statement.port != 0 && first => {}
            "source.timestamp" if first && statement.time.is_some() => {}
            "item.timestamp" if first && mail::written(value, None) == statement.time => {}
            "case.id" if first => statement.text(Word::REPORT_ID, value),
            "complainant.entity" if first => {
                statement.text(Word::REPORTER_ORG, value);
                statement.named("rights_holder", Place::Property, mail::beginning(value, 200));
            }
            "complainant.email" if first && value.contains('@') => {
                statement.text(Word::REPORTER_CONTACT, value);
                statement.text(Word::REPORTER_DOMAIN, value.rsplit_once('@').map_or("", |(_, domain)| domain));
            }
            "item.title" if first => statement.named("work_title", Place::Property, mail::beginning(value, 500)),
            _ if statement.url.as_ref().is_some_and(|url| url.as_str() == *value) => {}
            _ if *value == hash && kind == Kind::PeerToPeer => {}
            _ => statement.extra(format!("acns.{name}"), value),
        }
    }
    if all.len() >= LEAVES {
        reading.note(place, format!("more than {LEAVES} elements; the rest is in the submission only"));
    }
    statement.report(reading, fields, (place, &element.words()), Some(("The letter of the notice", letter)))
}

/// Reads a notice by the labels of its text.
fn labelled(reading: &mut Reading<'_>, mail: &Mail<'_>, text: &str) -> Result<(), Stop> {
    let mut said = Labelled::read(text, LABELS, SENDERS);
    reading.shape("text", &said.labels);
    said.items.retain(|item| item.address.is_some() || !item.wrong.is_empty());
    if said.items.is_empty() {
        reading.unreadable("a notice about copyright, and neither an ACNS block nor 'IP Address:' in it");
        return Ok(());
    }
    said.each(reading, |reading, item, place| {
        let get = |name: &str| item.get(name).unwrap_or_default();
        let kind = kind_of(get("type"), "");
        let mut statement = Statement::new(kind);
        statement.address = item.address.unwrap_or(Address::NONE);
        statement.time = mail::written(get("time"), None);
        statement.port = get("port").parse().unwrap_or(0);
        statement.text(Word::REPORT_ID, get("id"));
        statement.named("work_title", Place::Property, mail::beginning(get("title"), 500));
        statement.extra("acns.item.filename", get("filename"));
        statement.extra("acns.source.type", get("type"));
        statement.report(reading, &mail.fields, (place, item.text), Some(("The letter of the notice", text)))
    })
}

fn is_sha1(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The kind, by the type of the source and its base: `BitTorrent`, `P2P`; `HTTP`, `Web`; `Usenet`.
fn kind_of(source: &str, base: &str) -> Kind {
    let said = format!("{source} {base}").to_ascii_lowercase();
    let peers =
        ["p2p", "torrent", "edonkey", "emule", "ed2k", "gnutella", "kad", "fasttrack", "ares", "directconnect", "limewire"];
    if peers.iter().any(|word| said.contains(word)) {
        Kind::PeerToPeer
    } else if said.contains("usenet") || said.contains("nntp") {
        Kind::Usenet
    } else if said.contains("cyberlocker") || said.contains("file host") {
        Kind::Cyberlocker
    } else {
        Kind::Copyright
    }
}

/// XARF's word for a protocol between peers.
fn protocol(source: &str, element: &Element) -> &'static str {
    let stated = element.find("SubType").map_or("", |subtype| subtype.attribute("Protocol"));
    let said = format!("{source} {stated}").to_ascii_lowercase();
    let known = [
        ("torrent", "bittorrent"),
        ("edonkey", "edonkey"),
        ("emule", "edonkey"),
        ("ed2k", "edonkey"),
        ("gnutella", "gnutella"),
        ("limewire", "gnutella"),
        ("kad", "kademlia"),
    ];
    known.iter().find(|(words, _)| said.contains(words)).map_or("other", |(_, word)| word)
}
