//! Time-stamps by RFC 3161: what a time-stamping authority (TSA) is asked, and whether its answer proves a moment.
//!
//! Bytes only: no clock, no network. A token is believed when all of this holds, and for nothing less:
//!
//! 1. the bytes are DER, from the first to the last, and the status of a response is `granted`;
//! 2. the token stamps the digest that was asked for, by the algorithm, under the nonce and the policy that were asked for;
//! 3. its signer's certificate is for time-stamping, critically and only (RFC 3161 section 2.3), and is the one that the
//!    signed attributes name (`signingCertificate`, or V2 by RFC 5816);
//! 4. the signature holds, over attributes that name the content's type and digest (RFC 5652 section 5.4);
//! 5. the certificates lead, at the moment of the token, to an authority in the trust file of *one* TSA, while that file and
//!    that authority are valid: the certificates of one TSA never vouch for another.
//!
//! Certificates that lie in a token and not on its path, and the words beside its status, are covered by no signature: they
//! change nothing that is proven.
//!
//! The path of certificates is built by `webpki`, and `ring` does the arithmetic; both also guard this program's TLS.
//! Revocation is not asked: a token proves a moment before anybody could have revoked it, and renewal (`restamp`) fixes it.
//! RFC 3161 stamps a digest: a token proves that the stamped text existed, not that the log had signed it.
//!
//! Why so: `docs/decisions/0016-time-stamps.md`. Stricter than the RFC, on purpose: `grantedWithMods` is refused, and so is BER; exactly one digest algorithm and one signer.

mod anchors;
mod certificate;
mod chain;
mod der;
#[cfg(test)]
mod made;
mod oid;
pub mod restamp;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod token;
#[cfg(test)]
mod vectors;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

pub use anchors::{Anchors, BadAnchors};
pub use oid::Oid;
pub use time::written;

/// Largest answer that is read, in bytes. One with six certificates has about 10,000.
pub const MOST: usize = 64 << 10;

/// What was digested for a token, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imprint<'a> {
    /// SHA-256, for checkpoints.
    Sha256(&'a [u8; 32]),
    /// SHA-384, which nothing here asks for, but others do.
    Sha384(&'a [u8; 48]),
    /// SHA-512, for renewals.
    Sha512(&'a [u8; 64]),
}

/// What a TSA is asked, and what its token must therefore say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The digest.
    pub imprint: Imprint<'a>,
    /// The number that ties an answer to its question. When verifying, `None` is for whoever no longer knows it.
    pub nonce: Option<u64>,
    /// The policy under which to stamp; `None` leaves it to the TSA, and accepts each.
    pub policy: Option<&'a Oid>,
}

impl Asked<'_> {
    /// The `TimeStampReq` in DER: version 1, with the certificates wanted in the answer.
    #[must_use]
    pub fn request(&self) -> Vec<u8> {
        let (algorithm, digest) = match &self.imprint {
            Imprint::Sha256(digest) => (oid::SHA_256, &digest[..]),
            Imprint::Sha384(digest) => (oid::SHA_384, &digest[..]),
            Imprint::Sha512(digest) => (oid::SHA_512, &digest[..]),
        };
        let algorithm = [der::write(der::OID, algorithm), der::write(der::NULL, &[])].concat();
        let imprint = [der::write(der::SEQUENCE, &algorithm), der::write(der::OCTET_STRING, digest)].concat();
        let mut body = [der::write_integer(1), der::write(der::SEQUENCE, &imprint)].concat();
        if let Some(policy) = self.policy {
            body.extend(der::write(der::OID, policy.der()));
        }
        if let Some(nonce) = self.nonce {
            body.extend(der::write_integer(nonce));
        }
        body.extend(der::write(der::BOOLEAN, &[0xff]));
        der::write(der::SEQUENCE, &body)
    }
}

/// SHA-256: of a checkpoint's text, which is what is stamped, and of a response, which the log tells of.
#[must_use]
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The request (`TimeStampReq` in DER) for a token over a SHA-256 digest.
#[must_use]
pub fn request(digest: &[u8; 32], nonce: u64, policy: Option<&Oid>) -> Vec<u8> {
    Asked { imprint: Imprint::Sha256(digest), nonce: Some(nonce), policy }.request()
}

/// What a token proves: the digest existed at `gen_time_ms`, says the TSA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The moment, in UTC milliseconds since 1970 (cut, not rounded).
    pub gen_time_ms: i64,
    /// How far the TSA says its clock may be off, in milliseconds either way (rounded up); `None` if it does not say.
    pub accuracy_ms: Option<i64>,
    /// The token's serial number, as bytes of two's complement; unique at its TSA.
    pub serial: Vec<u8>,
    /// The signer as its certificate calls it: organisation and name, without control characters, at most 200 characters.
    pub tsa: String,
    /// The name of the trust file that vouches for it.
    pub anchor: String,
    /// The policy under which it was given.
    pub policy: Oid,
    /// Until when the token stands without renewal: the first end among the certificates of its path, in UTC milliseconds.
    pub valid_until_ms: i64,
}

impl Stamp {
    /// The serial number in hexadecimal.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        self.serial.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Why an answer proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Wrong {
    /// The bytes are not what they have to be.
    #[error("this is no time-stamp in DER: {0}")]
    Malformed(&'static str),
    /// It is beyond a limit.
    #[error("the time-stamp is beyond a limit: {0}")]
    Limit(&'static str),
    /// The TSA gave no token.
    #[error("the TSA gave no token: {0}")]
    Refused(String),
    /// It is about something else.
    #[error("the token stamps another digest, or by another algorithm")]
    Imprint,
    /// It answers another question.
    #[error("the token answers another question: its nonce differs")]
    Nonce,
    /// It was given under another policy.
    #[error("the token was given under policy {0}, which was not asked for")]
    Policy(Oid),
    /// An algorithm that is not accepted.
    #[error("{0} is of a kind that is not accepted: RSA (2048 bits and more), ECDSA on P-256 or P-384, SHA-256 and above are")]
    Algorithm(&'static str),
    /// Something about the signed attributes.
    #[error("the token's signed attributes do not hold: {0}")]
    Attributes(&'static str),
    /// The signer's certificate is missing or is not fit.
    #[error("the TSA's certificate does not hold: {0}")]
    Signer(&'static str),
    /// The signature does not hold.
    #[error("the token's signature does not hold")]
    Signature,
    /// No trust file vouches for it.
    #[error("no trust file vouches for this TSA at the token's moment ({0}): is the right file of certificates configured?")]
    Untrusted(String),
    /// The token was good, but is not any more (or not yet) at the moment that was asked about.
    #[error("the token stood from {from_ms} to {until_ms} (UTC milliseconds) and had to be renewed by then")]
    Expired {
        /// From when its certificates are valid, in UTC milliseconds.
        from_ms: i64,
        /// Until when, in UTC milliseconds.
        until_ms: i64,
    },
}

/// Verifies a response or a bare token over a SHA-256 digest.
///
/// The certificates are checked at the token's own moment. With `at` (UTC milliseconds) they must be valid then too, as for
/// a token that nothing renewed.
///
/// # Errors
/// Why it proves nothing. No state, no clock: the same bytes always give the same.
pub fn verify(
    response_or_token: &[u8],
    imprint: &[u8; 32],
    nonce: Option<u64>,
    anchors: &Anchors,
    at: Option<i64>,
) -> Result<Stamp, Wrong> {
    verify_asked(response_or_token, &Asked { imprint: Imprint::Sha256(imprint), nonce, policy: None }, &[], anchors, at)
}

/// Verifies a response or a bare token against everything that was asked; else as [`verify`].
///
/// `beside` are certificates in DER that came along with it, such as a bundle's. Like those in the token they may be the
/// signer's or lie on its path, and prove nothing by themselves.
///
/// # Errors
/// Why it proves nothing.
pub fn verify_asked(
    response_or_token: &[u8],
    asked: &Asked<'_>,
    beside: &[&[u8]],
    anchors: &Anchors,
    at: Option<i64>,
) -> Result<Stamp, Wrong> {
    if beside.len() > token::CERTIFICATES {
        return Err(Wrong::Limit("certificates beside it"));
    }
    let token = token::Token::read(response_or_token)?;
    let info = &token.info;
    let same = match asked.imprint {
        Imprint::Sha256(digest) => (info.algorithm, info.digest) == (token::Digest::Sha256, &digest[..]),
        Imprint::Sha384(digest) => (info.algorithm, info.digest) == (token::Digest::Sha384, &digest[..]),
        Imprint::Sha512(digest) => (info.algorithm, info.digest) == (token::Digest::Sha512, &digest[..]),
    };
    if !same {
        return Err(Wrong::Imprint);
    }
    if asked.nonce.is_some_and(|nonce| info.nonce.and_then(der::unsigned) != Some(nonce)) {
        return Err(Wrong::Nonce);
    }
    if asked.policy.is_some_and(|policy| *policy != info.policy) {
        return Err(Wrong::Policy(info.policy.clone()));
    }
    let brought: Vec<&[u8]> = token.certificates.iter().chain(beside).copied().collect();
    let signer = token.signer_among(brought.iter().copied().chain(anchors.signers()))?;
    signer.stamps_time()?;
    token.is_signed_by(&signer)?;
    let path = chain::verify(&signer, &brought, anchors, info.gen_time_ms)?;
    if at.is_some_and(|at| !(path.from_ms..=path.until_ms).contains(&at)) {
        return Err(Wrong::Expired { from_ms: path.from_ms, until_ms: path.until_ms });
    }
    Ok(Stamp {
        gen_time_ms: info.gen_time_ms,
        accuracy_ms: info.accuracy_ms,
        serial: info.serial.to_vec(),
        tsa: signer.title(),
        anchor: path.tsa.to_owned(),
        policy: info.policy.clone(),
        valid_until_ms: path.until_ms,
    })
}
