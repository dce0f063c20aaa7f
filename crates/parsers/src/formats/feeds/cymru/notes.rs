//! What the last columns of the CSIRT Assistance Program say in words of their own: `family: x;dest_port: 80;`, `ssh;`,
//! `srcport 1337 mwtype x destaddr 192.0.2.1`.

use std::borrow::Cow;

use crate::kinds::rsit;
use crate::kinds::table::{Cells, Row, transport};

/// Words before ports of the other side.
const TARGETS: [&str; 5] = ["darknet_port", "ports_scanned", "honeypot_port", "destination_port_numbers", "dest_port"];
/// Words of the older notes, which have neither colons nor semicolons.
const WORDS: [&str; 7] = ["srcport", "mwtype", "destaddr", "dstaddr", "dest_addr", "dstport", "hostname"];

/// How many ports of the other side a row tells of.
pub(super) fn ports(cells: &dyn Cells) -> usize {
    let text = String::from_utf8_lossy(cells.get(4));
    targets(&text).count()
}

fn parts(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| match part.split_once(':') {
        Some((name, value)) if !value.starts_with("//") => (name.trim(), value.trim()),
        _ => ("", part),
    })
}

fn targets(text: &str) -> impl Iterator<Item = &str> {
    let lists = parts(text).filter(|(name, _)| TARGETS.contains(name)).flat_map(|(_, value)| value.split(','));
    // `60704 (total_count:19)`: only the digits are the port.
    lists.map(|port| {
        let port = port.trim();
        port.get(..port.bytes().take_while(u8::is_ascii_digit).count()).unwrap_or_default()
    })
}

/// Takes the notes of a row.
pub(super) fn read(row: &mut Row<'_>) -> Result<(), String> {
    let category = [row.get_text("category"), row.get_text("report")].concat().to_ascii_lowercase();
    let text = [row.get_text("optional_information"), row.get_text("comments")].into_iter().find(|text| !text.is_empty());
    let text = text.unwrap_or_default();
    system(row);
    row.identifier = match category.as_str() {
        "openresolver" | "openresolvers" => {
            row.application = Cow::Borrowed(b"dns");
            "dns-open-resolver"
        }
        "proxy" => "openproxy",
        "darknet" => "darknet",
        "scanner" | "scanners" => "scanner",
        "phishing" => "phishing",
        "spam" => "spam",
        _ => "",
    };
    if row.class == rsit::INFECTED_SYSTEM && !matches!(category.as_str(), "bot" | "bots" | "flowbot") {
        family(row, &category);
    }
    if !text.contains([':', ';']) && WORDS.iter().any(|word| text.split(' ').any(|one| one == *word)) {
        words(row, text);
        return Ok(());
    }
    for (name, value) in parts(text) {
        match name {
            "family" => family(row, value),
            "dest_addr" | "destaddr" | "dstaddr" => put_address(row, value),
            "protocol" => {
                // A number that means nothing here is not a protocol by that name.
                if let Some(name) = transport(value.as_bytes()) {
                    row.transport = Cow::Owned(name.into_owned());
                }
            }
            "port" | "srcport" => row.core.port = value.parse().unwrap_or(row.core.port),
            "hostname" => hostname(row, value),
            "proxy_type" => proxy(row, value),
            "" if category == "proxy" => proxy(row, value),
            "" if category == "bruteforce" => {
                row.application = Cow::Owned(value.to_ascii_lowercase().into_bytes());
                row.put("rsit_identifier", value.to_ascii_lowercase());
            }
            "" => url(row, value),
            _ => {}
        }
    }
    let target = targets(text).nth(row.nth).and_then(|port| port.parse::<u16>().ok()).filter(|port| *port > 0);
    if let Some(port) = target {
        row.put_number("destination_port", u32::from(port));
    }
    Ok(())
}

/// `Example AS Name, AT`: the name of the system, and its country when it has one.
fn system(row: &mut Row<'_>) {
    let text = [row.get_text("asninfo"), row.get_text("asn_name")].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let (name, country) = match text.rsplit_once(", ") {
        Some((name, country)) if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()) => (name, country),
        _ => (text, ""),
    };
    if !name.is_empty() {
        row.keep("as_name", name);
    }
    if !country.is_empty() {
        row.put("source_country", country);
    }
}

fn family(row: &mut Row<'_>, name: &str) {
    row.put("malware_family", name);
    row.put("rsit_identifier", name.to_ascii_lowercase());
}

fn put_address(row: &mut Row<'_>, value: &str) {
    if let Some(address) = model::address::Address::parse(value.as_bytes()) {
        row.put("destination_ip", address.to_string());
    }
}

/// A name; some rows run together with what follows: `a.exampleport: 80`.
fn hostname(row: &mut Row<'_>, value: &str) {
    let (name, port) = match value.split_once("port:") {
        Some((name, port)) => (name, port.trim().parse().unwrap_or(0)),
        None => (value, 0),
    };
    if port > 0 {
        row.core.port = port;
    }
    if model::resource::DomainName::parse(name).is_some() {
        row.domain = Cow::Owned(name.as_bytes().to_vec());
    }
}

/// `socks4-61039`, `httppost`, `HTTP CONNECT (8080)`.
fn proxy(row: &mut Row<'_>, value: &str) {
    let (name, port) = match value.rsplit_once(['-', '(']) {
        Some((name, port)) => (name.trim(), port.trim_end_matches(')').parse().unwrap_or(0)),
        None => (value, 0),
    };
    if port > 0 {
        row.core.port = port;
    }
    row.application = Cow::Owned(name.to_ascii_lowercase().into_bytes());
}

fn url(row: &mut Row<'_>, value: &str) {
    if model::resource::Url::parse(value).is_some() {
        row.url = Cow::Owned(value.as_bytes().to_vec());
    }
}

/// The older notes: words and values in turn; the name of malware may have blanks, and what is left at the end is a description.
fn words(row: &mut Row<'_>, text: &str) {
    let mut rest = text.split(' ').filter(|word| !word.is_empty()).peekable();
    let (mut malware, mut left) = (Vec::new(), Vec::new());
    while let Some(word) = rest.next() {
        if !WORDS.contains(&word) {
            left.push(word);
            continue;
        }
        if word == "mwtype" {
            while let Some(part) = rest.next_if(|part| !WORDS.contains(part)) {
                malware.push(part);
            }
            continue;
        }
        let Some(value) = rest.next() else { break };
        match word {
            "srcport" => row.core.port = value.parse().unwrap_or(row.core.port),
            "dstport" => {
                if let Some(port) = value.parse::<u16>().ok().filter(|port| *port > 0) {
                    row.put_number("destination_port", u32::from(port));
                }
            }
            "hostname" => hostname(row, value),
            _ => put_address(row, value),
        }
    }
    if !malware.is_empty() {
        family(row, &malware.join(" "));
    }
    if !left.is_empty() {
        row.put("description", left.join(" "));
    }
}
