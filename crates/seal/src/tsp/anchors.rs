//! Whom to believe: one trust file a TSA, which the reader of a proof brings along and never takes from the proof.
//!
//! A trust file is PEM (RFC 7468). Certificates of authorities in it are anchors. Certificates of the TSA itself, if there
//! are any, are the only ones that may have signed, and serve tokens that come without theirs. Text between certificates is
//! comment, but for two lines, which other programs skip:
//!
//! ```text
//! valid-from: 2026-01-01
//! valid-until: 2029-12-31T23:59:59Z
//! ```
//!
//! They bound the moments for which this file may vouch, both included; without them its certificates do.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use thiserror::Error;

use super::certificate::Certificate;
use super::time;

/// Bytes of one trust file.
const FILE: usize = 1 << 20;
/// Certificates of one trust file.
const CERTIFICATES: usize = 64;
/// TSAs there may be.
const TSAS: usize = 64;

/// The TSAs that are believed, each with its own authorities.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    pub(super) tsas: Vec<Tsa>,
}

/// What one trust file says.
#[derive(Clone, Debug)]
pub(super) struct Tsa {
    pub(super) name: String,
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
    pub(super) authorities: Vec<Authority>,
    /// Certificates of the TSA itself, in DER.
    pub(super) signers: Vec<Vec<u8>>,
}

/// A certificate that needs nobody's word.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    pub(super) anchor: TrustAnchor<'static>,
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
}

/// Why a trust file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name}: {reason}")]
pub struct BadAnchors {
    /// The name it was given under.
    pub name: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Anchors {
    /// Nobody is believed yet.
    #[must_use]
    pub fn new() -> Anchors {
        Anchors::default()
    }

    /// Takes in the trust file of one TSA. `name` is shown with what it vouches for.
    ///
    /// # Errors
    /// When it is too large, is no PEM, has a line or a certificate that cannot be read, or names no authority.
    pub fn add(&mut self, name: &str, pem: &[u8]) -> Result<(), BadAnchors> {
        let bad = |reason: &str| BadAnchors { name: name.to_owned(), reason: reason.to_owned() };
        if pem.len() > FILE {
            return Err(bad("a trust file has 1 MiB at most"));
        }
        if self.tsas.len() == TSAS {
            return Err(bad("there are 64 trust files already"));
        }
        if self.tsas.iter().any(|tsa| tsa.name == name) {
            return Err(bad("a trust file of this name is there already"));
        }
        let mut tsa =
            Tsa { name: name.to_owned(), from_ms: i64::MIN, until_ms: i64::MAX, authorities: Vec::new(), signers: Vec::new() };
        for line in pem.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line)) {
            let bound = |key| line.trim().strip_prefix(key).map(|moment: &str| time::written(moment.trim()));
            let unreadable = || bad(&format!("'{}': write a date as 2026-01-31 or 2026-01-31T12:00:00Z", line.trim()));
            if let Some(from) = bound("valid-from:") {
                tsa.from_ms = from.ok_or_else(unreadable)?;
            }
            if let Some(until) = bound("valid-until:") {
                tsa.until_ms = until.ok_or_else(unreadable)?;
            }
        }
        if tsa.from_ms > tsa.until_ms {
            return Err(bad("valid-from is after valid-until"));
        }
        for (at, der) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let der = der.map_err(|_| bad("certificates in PEM are wanted here"))?;
            if at == CERTIFICATES {
                return Err(bad("a trust file has 64 certificates at most"));
            }
            tsa.take(&der).map_err(|reason| bad(&format!("certificate {}: {reason}", at + 1)))?;
        }
        if tsa.authorities.is_empty() {
            return Err(bad("no certificate of an authority is in it: put in the root to which the TSA's certificate leads"));
        }
        self.tsas.push(tsa);
        Ok(())
    }

    /// The names of the trust files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tsas.iter().map(|tsa| tsa.name.as_str())
    }

    /// Certificates of TSAs themselves.
    pub(super) fn signers(&self) -> impl Iterator<Item = &[u8]> {
        self.tsas.iter().flat_map(|tsa| tsa.signers.iter().map(Vec::as_slice))
    }
}

impl Tsa {
    fn take(&mut self, der: &CertificateDer<'_>) -> Result<(), String> {
        let certificate = Certificate::read(der).map_err(|_| "it cannot be read".to_owned())?;
        if certificate.may_certify() {
            let anchor = webpki::anchor_from_trusted_cert(der).map_err(|error| format!("it cannot be an anchor: {error:?}"))?;
            let (anchor, from_ms, until_ms) = (anchor.to_owned(), certificate.from_ms, certificate.until_ms);
            self.authorities.push(Authority { anchor, from_ms, until_ms });
        } else if certificate.is_of_tsa() {
            self.signers.push(der.to_vec());
        } else {
            return Err("it is neither an authority's nor one for time-stamping".to_owned());
        }
        Ok(())
    }
}
