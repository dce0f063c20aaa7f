//! One view of a mail's header, for readers and for proofs: what could be read in two ways proves nothing.
//!
//! A proof is worth what it covers. Formats choose by `From` and `Subject`, take a time from `Date`, and cut the body up by
//! `Content-Type`: so each of these may stand there once, and a signature covers those that do. Otherwise whoever passes
//! a signed mail on could add a second one, or change where its parts begin, and the signature would still hold.

use std::borrow::Cow;

use mail_auth::AuthenticatedMessage;
use mail_auth::common::crypto::Algorithm;
use mail_auth::dkim::Signature;
use model::resource::DomainName;
use model::time::Time;
use parsers::kinds::mail::{Fields, skip_envelope};

/// Fields that may stand in a header once, and that a signature covers where they do.
const ONCE: &[&str] = &["From", "Date", "Subject", "Content-Type", "Content-Transfer-Encoding"];
/// Signatures of one mail that are looked at; each may cost a question to the DNS.
const SIGNATURES: usize = 10;

/// A mail as it is looked at for proofs.
#[derive(Debug)]
pub(super) struct View {
    /// Its bytes, every line ended as on the way (RFC 5321 section 2.3.8), without what a mailbox put before it.
    pub(super) bytes: Vec<u8>,
    /// The one address in its one `From`, in lower case.
    pub(super) from: String,
    /// The domain name of that.
    pub(super) domain: String,
    /// Which of [`ONCE`] stand in it.
    present: Vec<&'static str>,
}

impl View {
    /// The view of a mail; why there is none, for people.
    pub(super) fn of(mail: &[u8]) -> Result<View, &'static str> {
        let bytes = whole_lines(skip_envelope(mail)).ok_or("a carriage return stands in it by itself")?;
        let (fields, _) = Fields::parse(&bytes);
        if fields.more {
            return Err("it has more header fields than are looked at");
        }
        if let Some(name) = ONCE.iter().find(|name| fields.all(name).nth(1).is_some()) {
            return Err(match *name {
                "From" => "it has more than one From",
                "Date" => "it has more than one Date",
                "Subject" => "it has more than one Subject",
                _ => "a field stands in it twice that says how to read it",
            });
        }
        if fields.all("DKIM-Signature").nth(SIGNATURES).is_some() {
            return Err("it has more signatures than are looked at");
        }
        let from = fields.author().ok_or("its From does not name exactly one address")?;
        let domain = from.rsplit_once('@').and_then(|(_, domain)| DomainName::parse(domain));
        let domain = domain.ok_or("its From does not name exactly one address")?.as_str().to_owned();
        let present = ONCE.iter().copied().filter(|name| fields.first(name).is_some()).collect();
        let bytes = bytes.into_owned();
        Ok(View { bytes, from, domain, present })
    }

    /// The same mail as the library that checks signatures sees it; `None` when it sees another one.
    pub(super) fn authenticated(&self) -> Option<AuthenticatedMessage<'_>> {
        let message = AuthenticatedMessage::parse(&self.bytes)?;
        let (fields, body) = Fields::parse(&self.bytes);
        let seen = message.raw_parsed_headers().iter().map(|(name, value)| (name.trim_ascii_end(), value.trim_ascii()));
        let is_same = seen.eq(fields.iter()) && message.raw_body() == body;
        (is_same && message.froms() == [self.from.as_str()]).then_some(message)
    }

    /// Why a signature that holds is still no proof; `None` when it is one.
    pub(super) fn objection(&self, signature: &Signature, received: Time) -> Option<&'static str> {
        let covers = |name: &&str| signature.h.iter().any(|covered| covered.trim().eq_ignore_ascii_case(name));
        let expires = i64::try_from(signature.x).unwrap_or(i64::MAX).saturating_mul(1_000);
        match signature.a {
            // RFC 8301 section 3.1.
            Algorithm::RsaSha1 => Some("rsa-sha1"),
            _ if signature.l > 0 => Some("l= leaves the end open"),
            _ if signature.x > 0 && expires < received.0 => Some("expired"),
            _ => self.present.iter().find(|name| !covers(name)).map(|name| match *name {
                "From" => "does not cover From",
                "Date" => "does not cover Date",
                "Subject" => "does not cover Subject",
                "Content-Type" => "does not cover Content-Type",
                _ => "does not cover Content-Transfer-Encoding",
            }),
        }
    }
}

/// Every line ended by carriage return and line feed; `None` when a carriage return stands by itself, which some programs
/// read as the end of a line and others do not.
fn whole_lines(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let is_alone = |(at, byte): (usize, &u8)| *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    if bytes.iter().enumerate().any(is_alone) {
        return None;
    }
    let is_bare = |(at, byte): (usize, &u8)| *byte == b'\n' && (at == 0 || bytes.get(at - 1) != Some(&b'\r'));
    let bare = bytes.iter().enumerate().filter(|found| is_bare(*found)).count();
    if bare == 0 {
        return Some(Cow::Borrowed(bytes));
    }
    let mut whole = Vec::with_capacity(bytes.len() + bare);
    for (at, byte) in bytes.iter().enumerate() {
        if is_bare((at, byte)) {
            whole.push(b'\r');
        }
        whole.push(*byte);
    }
    Some(Cow::Owned(whole))
}

/// The part of a domain name that one organisation registered, by the public suffix list; `None` when it is a suffix.
pub(super) fn organisation(domain: &str) -> Option<&str> {
    psl::domain_str(domain.trim_end_matches('.'))
}

/// The domain name that `signing` proves for a mail that says it is from `from`: `from` itself where `signing` stands above
/// it or is it, else `signing`, which speaks for itself alone. `None` when they are of two organisations (RFC 9989 calls
/// it not aligned).
pub(super) fn aligned(signing: &str, from: &str) -> Option<String> {
    let signing = DomainName::parse(signing)?;
    let (own, other) = (organisation(from)?, organisation(signing.as_str())?);
    if !own.eq_ignore_ascii_case(other) {
        return None;
    }
    let proven = if model::policy::is_under(from, signing.as_str()) { from } else { signing.as_str() };
    Some(proven.to_ascii_lowercase())
}
