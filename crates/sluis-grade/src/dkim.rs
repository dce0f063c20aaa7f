//! Signatures on mail (DKIM: RFC 6376, 8301, 8463), checked against a key that is given: nothing is asked of the DNS.
//!
//! What a signature leaves open is not signed: `l=` (whoever adds text below), a `From` that is not covered, SHA-1, and keys of RSA
//! under 2,048 bits make it worth nothing here, also where receiving systems still take it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use seal::ed25519;
use sha2::{Digest, Sha256};

use crate::mail::Mail;

/// Most signatures of one mail that are looked at.
const SIGNATURES: usize = 5;
/// Most bytes of the list of fields that a signature covers.
const NAMES: usize = 4_096;

/// A signature that may hold, before its key is known.
#[derive(Debug)]
pub(crate) struct Signature {
    /// The domain that signed, in lower case.
    pub(crate) domain: String,
    /// Where its key is: `selector._domainkey.domain`.
    pub(crate) name: String,
    /// Places of the fields that it covers.
    pub(crate) covers: Vec<usize>,
    identity: String,
    is_rsa: bool,
    /// The bytes that it is over.
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// The signatures of a mail whose bodies hold and that leave nothing open; else why there is none.
pub(crate) fn signatures(mail: &Mail<'_>) -> Result<Vec<Signature>, &'static str> {
    let places = mail.fields.iter().enumerate().filter(|(_, field)| field.name == "dkim-signature").map(|(place, _)| place);
    let mut found = Vec::new();
    let mut why = "it has no DKIM signature";
    for place in places.take(SIGNATURES) {
        match read(mail, place) {
            Ok(signature) => found.push(signature),
            Err(wrong) => why = wrong,
        }
    }
    if found.is_empty() { Err(why) } else { Ok(found) }
}

impl Signature {
    /// Whether it holds under this key: the text of the record in the DNS.
    pub(crate) fn holds(&self, record: &str) -> Result<(), &'static str> {
        let tags = tags(record).ok_or("the key's record cannot be read")?;
        let tag = |name: &str| tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str());
        let lists = |value: Option<&str>, wanted: &[&str]| {
            value.is_none_or(|value| value.split(':').any(|one| wanted.contains(&one.trim())))
        };
        if tag("v").is_some_and(|version| version != "DKIM1") {
            return Err("the key's record is of another version");
        }
        if !lists(tag("h"), &["sha256"]) || !lists(tag("s"), &["*", "email"]) {
            return Err("the key is not for this");
        }
        let flags: Vec<&str> = tag("t").unwrap_or_default().split(':').map(str::trim).collect();
        if flags.contains(&"y") {
            return Err("the key is being tried out, says its record");
        }
        if flags.contains(&"s") && self.identity != self.domain {
            return Err("the key is not for a part of the domain");
        }
        let key = BASE64.decode(without_blanks(tag("p").unwrap_or_default())).map_err(|_| "the key cannot be read")?;
        if key.is_empty() {
            return Err("the key was revoked");
        }
        let holds = match (self.is_rsa, tag("k").unwrap_or("rsa")) {
            (true, "rsa") => {
                let key = rsa_key(&key).ok_or("the key cannot be read")?;
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(&self.signed, &self.signature).is_ok()
            }
            (false, "ed25519") => {
                // RFC 8463: what is signed is the hash, not the text.
                let key = <&[u8; 32]>::try_from(key.as_slice()).map_err(|_| "the key cannot be read")?;
                ed25519::verify(key, &Sha256::digest(&self.signed), &self.signature)
            }
            _ => return Err("the key is of another algorithm"),
        };
        if holds { Ok(()) } else { Err("the signature does not hold under this key, or the key is too short") }
    }
}

/// Reads the signature that stands in this field, and checks the hash of the body.
fn read(mail: &Mail<'_>, place: usize) -> Result<Signature, &'static str> {
    let field = mail.fields.get(place).ok_or("no such field")?;
    let value = std::str::from_utf8(field.value).map_err(|_| "the signature is not ASCII")?;
    let tags = tags(value).ok_or("the signature cannot be read")?;
    let tag = |name: &str| tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str());
    let need = |name: &str| tag(name).filter(|value| !value.is_empty()).ok_or("the signature lacks a tag");
    if need("v")? != "1" {
        return Err("the signature is of another version");
    }
    let is_rsa = match need("a")? {
        "rsa-sha256" => true,
        "ed25519-sha256" => false,
        _ => return Err("the signature is of an algorithm that does not count any more"),
    };
    if tag("l").is_some() {
        return Err("the signature covers a part of the body only (l=)");
    }
    let (headers, body) = match tag("c").unwrap_or("simple/simple").split_once('/') {
        Some((headers, body)) => (headers, body),
        None => (tag("c").unwrap_or("simple"), "simple"),
    };
    let (relaxed, relaxed_body) = match (headers, body) {
        ("simple" | "relaxed", "simple" | "relaxed") => (headers == "relaxed", body == "relaxed"),
        _ => return Err("the signature is over another form of the mail"),
    };
    let domain = need("d")?.to_ascii_lowercase();
    let selector = need("s")?.to_ascii_lowercase();
    let identity =
        tag("i").and_then(|identity| identity.rsplit_once('@')).map_or(domain.clone(), |(_, of)| of.to_ascii_lowercase());
    if !is_name(&domain) || !is_name(&selector) || !is_within(&identity, &domain) {
        return Err("the signature is of no domain");
    }
    let given = BASE64.decode(without_blanks(need("bh")?)).map_err(|_| "the signature cannot be read")?;
    if given.as_slice() != Sha256::digest(canonical_body(mail.body, relaxed_body)).as_slice() {
        return Err("the body is not the one that was signed");
    }
    let signature = BASE64.decode(without_blanks(need("b")?)).map_err(|_| "the signature cannot be read")?;
    let mut covers = Vec::new();
    let mut signed = Vec::new();
    let names = need("h")?;
    if names.len() > NAMES {
        return Err("the signature names too many fields");
    }
    for name in names.split(':').map(|name| name.trim().to_ascii_lowercase()) {
        // Of fields of one name the last one that is not taken yet (RFC 6376 section 5.4.2).
        let free = |(at, field): &(usize, &crate::mail::Field<'_>)| field.name == name && !covers.contains(at);
        if let Some((at, field)) = mail.fields.iter().enumerate().rev().find(free) {
            canonical_field(field.raw, relaxed, &mut signed);
            signed.extend_from_slice(b"\r\n");
            covers.push(at);
        }
    }
    if !covers.iter().any(|at| mail.fields.get(*at).is_some_and(|field| field.name == "from")) {
        return Err("the signature does not cover who it is from");
    }
    canonical_field(&without_signature(field.raw), relaxed, &mut signed);
    let name = format!("{selector}._domainkey.{domain}");
    Ok(Signature { domain, name, covers, identity, is_rsa, signed, signature })
}

/// A field in the form that is signed, without CRLF at its end (RFC 6376 section 3.4.2).
fn canonical_field(raw: &[u8], relaxed: bool, out: &mut Vec<u8>) {
    if !relaxed {
        return out.extend_from_slice(raw);
    }
    let colon = raw.iter().position(|byte| *byte == b':').unwrap_or(raw.len());
    let (name, value) = raw.split_at_checked(colon).unwrap_or((raw, b""));
    out.extend(name.trim_ascii_end().to_ascii_lowercase());
    out.push(b':');
    let (mut begun, mut blank) = (false, false);
    for byte in value.iter().skip(1).filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        if matches!(byte, b' ' | b'\t') {
            blank = true;
            continue;
        }
        if blank && begun {
            out.push(b' ');
        }
        (begun, blank) = (true, false);
        out.push(*byte);
    }
}

/// The body in the form that is signed (RFC 6376 sections 3.4.3 and 3.4.4).
pub(crate) fn canonical_body(body: &[u8], relaxed: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    let mut end = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let before = out.len();
        if relaxed {
            let mut blank = false;
            for byte in line {
                if matches!(byte, b' ' | b'\t') {
                    blank = true;
                    continue;
                }
                if blank {
                    out.push(b' ');
                }
                blank = false;
                out.push(*byte);
            }
        } else {
            out.extend_from_slice(line);
        }
        let is_empty = out.len() == before;
        out.extend_from_slice(b"\r\n");
        if !is_empty {
            end = out.len();
        }
    }
    // Empty lines at the end are none; a body of none is one empty line, unless it is relaxed.
    out.truncate(end);
    if out.is_empty() && !relaxed {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// The field of a signature with its `b=` empty.
fn without_signature(raw: &[u8]) -> Vec<u8> {
    let colon = raw.iter().position(|byte| *byte == b':').map_or(raw.len(), |at| at + 1);
    let (name, value) = raw.split_at_checked(colon).unwrap_or((raw, b""));
    let mut out = name.to_vec();
    for (at, tag) in value.split(|byte| *byte == b';').enumerate() {
        if at > 0 {
            out.push(b';');
        }
        match tag.iter().position(|byte| *byte == b'=') {
            Some(equals) if tag.get(..equals).is_some_and(|name| name.trim_ascii() == b"b") => {
                out.extend_from_slice(tag.get(..=equals).unwrap_or_default());
            }
            _ => out.extend_from_slice(tag),
        }
    }
    out
}

/// A list of tags; `None` when it is none, or says one twice.
fn tags(text: &str) -> Option<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    for tag in text.split(';').map(str::trim).filter(|tag| !tag.is_empty()) {
        let (name, value) = tag.split_once('=')?;
        let name = name.trim();
        if name.is_empty() || found.len() == 64 || found.iter().any(|(known, _)| known == name) {
            return None;
        }
        found.push((name.to_owned(), value.trim().to_owned()));
    }
    Some(found)
}

/// The inside of a key of RSA (RFC 8017 A.1.1), which stands in a record with what algorithm it is around it (RFC 5280 4.1).
fn rsa_key(key: &[u8]) -> Option<&[u8]> {
    const RSA: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let inside = after_length(key.strip_prefix(&[0x30])?)?;
    match inside.strip_prefix(RSA) {
        Some(rest) => after_length(rest.strip_prefix(&[0x03])?)?.strip_prefix(&[0x00]),
        None => Some(key),
    }
}

/// What follows a length in DER.
fn after_length(bytes: &[u8]) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    match *first {
        length @ 0..=0x7f => (rest.len() == usize::from(length)).then_some(rest),
        0x81 => rest.get(1..),
        0x82 => rest.get(2..),
        _ => None,
    }
}

/// Whether a domain is another, or a part of it.
pub(crate) fn is_within(domain: &str, whole: &str) -> bool {
    domain == whole || domain.strip_suffix(whole).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether a text is a name in the DNS, as it stands in signatures.
pub(crate) fn is_name(text: &str) -> bool {
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    text.len() <= 253 && text.split('.').all(is_label)
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect()
}

#[cfg(test)]
#[path = "dkim/tests.rs"]
mod tests;
