//! What a token's verification needs of an X.509 certificate (RFC 5280). `webpki` reads it again for the path.

use super::der::{self, Reader};
use super::{Wrong, oid, time};

/// Extensions that one certificate may have.
const EXTENSIONS: usize = 32;
/// Characters of a name that are shown.
const NAME: usize = 200;

/// The fields that matter here. Each is as it stands in the certificate, to be compared byte by byte.
#[derive(Clone, Debug)]
pub(super) struct Certificate<'a> {
    pub(super) whole: &'a [u8],
    /// The issuer's `Name`, with tag and length.
    pub(super) issuer: &'a [u8],
    pub(super) serial: &'a [u8],
    /// The subject's `Name`, with tag and length.
    pub(super) subject: &'a [u8],
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
    pub(super) key_identifier: Option<&'a [u8]>,
    /// Whether it is an authority's. One of version 1 says nothing about that; it is when it is its own issuer.
    pub(super) is_authority: bool,
    key_usage: Option<u8>,
    /// The one purpose it is for, and whether it says so critically.
    purpose: Option<(bool, Purpose)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    TimeStampingOnly,
    TimeStampingToo,
    Other,
}

impl<'a> Certificate<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// When it is not in DER, or is not what RFC 5280 calls a certificate.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Certificate<'a>, Wrong> {
        const WHAT: &str = "a certificate";
        let mut all = Reader::new(bytes);
        let mut outer = all.take(der::SEQUENCE, WHAT)?.inside();
        all.end(WHAT)?;
        let mut body = outer.take(der::SEQUENCE, WHAT)?.inside();
        outer.take(der::SEQUENCE, WHAT)?;
        outer.take(der::BIT_STRING, WHAT)?;
        outer.end(WHAT)?;

        let version = match body.optional(der::context_of(0), WHAT)? {
            Some(version) => version.inside().small(WHAT)?,
            None => 0,
        };
        let serial = body.integer(WHAT)?;
        body.take(der::SEQUENCE, WHAT)?;
        let issuer = body.take(der::SEQUENCE, WHAT)?.whole;
        let mut validity = body.take(der::SEQUENCE, WHAT)?.inside();
        let (from_ms, until_ms) = (moment(&mut validity)?, moment(&mut validity)?);
        validity.end(WHAT)?;
        let subject = body.take(der::SEQUENCE, WHAT)?.whole;
        body.take(der::SEQUENCE, WHAT)?;
        body.optional(der::context(1), WHAT)?;
        body.optional(der::context(2), WHAT)?;
        let extensions = body.optional(der::context_of(3), WHAT)?;
        body.end(WHAT)?;

        let mut certificate = Certificate {
            whole: bytes,
            issuer,
            serial,
            subject,
            from_ms,
            until_ms,
            key_identifier: None,
            is_authority: version == 0 && issuer == subject,
            key_usage: None,
            purpose: None,
        };
        if let Some(extensions) = extensions {
            let mut outer = extensions.inside();
            let mut list = outer.take(der::SEQUENCE, WHAT)?.inside();
            outer.end(WHAT)?;
            certificate.extensions(&mut list)?;
        }
        Ok(certificate)
    }

    fn extensions(&mut self, list: &mut Reader<'a>) -> Result<(), Wrong> {
        const WHAT: &str = "a certificate's extensions";
        let mut seen: Vec<&[u8]> = Vec::new();
        while !list.is_empty() {
            let mut extension = list.take(der::SEQUENCE, WHAT)?.inside();
            let id = extension.take(der::OID, WHAT)?.content;
            let critical = extension.flag(WHAT)?;
            let value = extension.take(der::OCTET_STRING, WHAT)?;
            extension.end(WHAT)?;
            if seen.contains(&id) || seen.len() == EXTENSIONS {
                return Err(Wrong::Malformed(WHAT));
            }
            seen.push(id);
            let mut value = value.inside();
            match id {
                oid::KEY_USAGE => {
                    // The first byte counts the unused bits; the first eight usages are in the second.
                    let bits = value.take(der::BIT_STRING, WHAT)?.content;
                    self.key_usage = Some(*bits.get(1).ok_or(Wrong::Malformed(WHAT))?);
                }
                oid::BASIC_CONSTRAINTS => {
                    self.is_authority = value.take(der::SEQUENCE, WHAT)?.inside().flag(WHAT)?;
                    value.end(WHAT)?;
                }
                oid::SUBJECT_KEY_IDENTIFIER => {
                    self.key_identifier = Some(value.take(der::OCTET_STRING, WHAT)?.content);
                    value.end(WHAT)?;
                }
                oid::EXTENDED_KEY_USAGE => {
                    let mut purposes = value.take(der::SEQUENCE, WHAT)?.inside();
                    value.end(WHAT)?;
                    let (mut ours, mut others) = (0, 0);
                    while !purposes.is_empty() {
                        let purpose = purposes.take(der::OID, WHAT)?.content;
                        if purpose == oid::TIME_STAMPING { ours += 1 } else { others += 1 }
                    }
                    let purpose = match (ours, others) {
                        (0, _) => Purpose::Other,
                        (1, 0) => Purpose::TimeStampingOnly,
                        _ => Purpose::TimeStampingToo,
                    };
                    self.purpose = Some((critical, purpose));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Holds that it is a certificate of a TSA: RFC 3161 section 2.3.
    ///
    /// # Errors
    /// When it is for something else, for something else too, does not say so critically, or is an authority's.
    pub(super) fn stamps_time(&self) -> Result<(), Wrong> {
        /// `digitalSignature` and `nonRepudiation`.
        const SIGNS: u8 = 0b1100_0000;
        match self.purpose {
            Some((true, Purpose::TimeStampingOnly)) => {}
            Some((false, Purpose::TimeStampingOnly)) => return Err(Wrong::Signer("its purpose is not marked critical")),
            Some((_, Purpose::TimeStampingToo)) => return Err(Wrong::Signer("it is not for time-stamping only")),
            Some((_, Purpose::Other)) | None => return Err(Wrong::Signer("it is not for time-stamping")),
        }
        if self.is_authority {
            return Err(Wrong::Signer("it is an authority's"));
        }
        if self.key_usage.is_some_and(|usage| usage & SIGNS == 0 || usage & !SIGNS != 0) {
            return Err(Wrong::Signer("its key is not for signatures only"));
        }
        Ok(())
    }

    /// Whether it may sign certificates, as far as its key usage goes.
    pub(super) fn may_certify(&self) -> bool {
        /// `keyCertSign`.
        const CERTIFIES: u8 = 0b0000_0100;
        self.is_authority && self.key_usage.is_none_or(|usage| usage & CERTIFIES != 0)
    }

    /// Whether it says that it is for time-stamping.
    pub(super) fn is_of_tsa(&self) -> bool {
        matches!(self.purpose, Some((_, Purpose::TimeStampingOnly | Purpose::TimeStampingToo)))
    }

    /// The subject for people: organisation and name.
    pub(super) fn title(&self) -> String {
        let found = |id| self.part_of_subject(id).ok().flatten();
        match (found(oid::ORGANISATION), found(oid::COMMON_NAME)) {
            (Some(organisation), Some(name)) => format!("{organisation}, {name}"),
            (Some(title), None) | (None, Some(title)) => title,
            (None, None) => "a TSA without a name".to_owned(),
        }
    }

    fn part_of_subject(&self, wanted: &[u8]) -> Result<Option<String>, Wrong> {
        const WHAT: &str = "a certificate's subject";
        let mut sets = Reader::new(self.subject).take(der::SEQUENCE, WHAT)?.inside();
        while !sets.is_empty() {
            let mut set = sets.take(der::SET, WHAT)?.inside();
            while !set.is_empty() {
                let mut pair = set.take(der::SEQUENCE, WHAT)?.inside();
                let id = pair.take(der::OID, WHAT)?.content;
                let value = pair.any(WHAT)?;
                if id == wanted {
                    return Ok(Some(shown(&String::from_utf8_lossy(value.content), NAME / 2 - 1)));
                }
            }
        }
        Ok(None)
    }
}

/// Text of others for people: no control characters, nothing that turns the direction of writing, and a bound.
pub(super) fn shown(text: &str, most: usize) -> String {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars().map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c }).take(most).collect()
}

fn moment(reader: &mut Reader<'_>) -> Result<i64, Wrong> {
    const WHAT: &str = "a certificate's validity";
    let value = reader.any(WHAT)?;
    match value.tag {
        der::UTC_TIME => time::utc(value.content),
        der::GENERALIZED_TIME => time::generalized(value.content),
        _ => None,
    }
    .ok_or(Wrong::Malformed(WHAT))
}
