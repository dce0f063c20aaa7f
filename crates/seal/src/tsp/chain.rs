//! The path from a TSA's certificate to an authority in its own trust file, at the token's moment.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::ring as algorithms;
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::anchors::{Anchors, Tsa};
use super::certificate::Certificate;
use super::{Wrong, oid};

/// Certificates between the TSA's and the anchor's.
const BETWEEN: usize = 4;

/// By what certificates may be signed.
static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    algorithms::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    algorithms::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

/// A path that holds, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    /// The name of the trust file that it ends in.
    pub(super) tsa: &'a str,
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
}

/// Finds a path that holds at a moment. `brought` are certificates that came with the token; they prove nothing by themselves.
///
/// # Errors
/// When no trust file vouches for the signer at that moment, with the reason that came nearest.
pub(super) fn verify<'t>(
    signer: &Certificate<'_>,
    brought: &[&[u8]],
    anchors: &'t Anchors,
    at_ms: i64,
) -> Result<Path<'t>, Wrong> {
    let der = CertificateDer::from(signer.whole);
    let certificate = EndEntityCert::try_from(&der).map_err(|_| Wrong::Signer("it cannot be read"))?;
    let between: Vec<CertificateDer<'_>> =
        brought.iter().filter(|der| **der != signer.whole).map(|der| CertificateDer::from(*der)).collect();
    let mut reason = "there is none".to_owned();
    for tsa in &anchors.tsas {
        match leads_to(signer, &certificate, &between, tsa, at_ms) {
            Ok(path) => return Ok(path),
            Err(why) => reason = format!("{}: {why}", tsa.name),
        }
    }
    Err(Wrong::Untrusted(reason))
}

fn leads_to<'t>(
    signer: &Certificate<'_>,
    certificate: &EndEntityCert<'_>,
    between: &[CertificateDer<'_>],
    tsa: &'t Tsa,
    at_ms: i64,
) -> Result<Path<'t>, String> {
    if !(tsa.from_ms..=tsa.until_ms).contains(&at_ms) {
        return Err("the file is not valid then".to_owned());
    }
    if !tsa.signers.is_empty() && !tsa.signers.iter().any(|known| known == signer.whole) {
        return Err("the file names the TSA's certificates, and this is none of them".to_owned());
    }
    let Some(seconds) = u64::try_from(at_ms).ok().map(|at| at / 1_000) else { return Err("it is before 1970".to_owned()) };
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    // An anchor's own validity is nobody else's affair: webpki does not look at it (RFC 5280 section 6.1.1 leaves it open).
    let valid = tsa.authorities.iter().filter(|authority| (authority.from_ms..=authority.until_ms).contains(&at_ms));
    let trusted: Vec<TrustAnchor<'_>> = valid.clone().map(|authority| authority.anchor.clone()).collect();
    if trusted.is_empty() {
        return Err("no authority in the file is valid then".to_owned());
    }
    // The signer's own purpose is checked before; an authority that names purposes has to name this one.
    let usage = KeyUsage::required_if_present(oid::TIME_STAMPING);
    let path = certificate
        .verify_for_usage(ALGORITHMS, &trusted, between, time, usage, None, Some(&only_authorities))
        .map_err(|error| format!("{error:?}"))?;
    let mut window = (signer.from_ms.max(tsa.from_ms), signer.until_ms.min(tsa.until_ms));
    let mut narrow = |from: i64, until: i64| window = (window.0.max(from), window.1.min(until));
    for authority in valid.filter(|authority| authority.anchor == *path.anchor()).take(1) {
        narrow(authority.from_ms, authority.until_ms);
    }
    for certificate in path.intermediate_certificates() {
        let der = certificate.der();
        let certificate = Certificate::read(&der).map_err(|wrong| wrong.to_string())?;
        narrow(certificate.from_ms, certificate.until_ms);
    }
    Ok(Path { tsa: &tsa.name, from_ms: window.0, until_ms: window.1 })
}

/// What webpki leaves to its caller: the key usage of the certificates between, and how many there are.
fn only_authorities(path: &VerifiedPath<'_>) -> Result<(), webpki::Error> {
    let certifies = |der: CertificateDer<'_>| Certificate::read(&der).is_ok_and(|certificate| certificate.may_certify());
    if path.intermediate_certificates().count() > BETWEEN {
        return Err(webpki::Error::MaximumPathDepthExceeded);
    }
    if !path.intermediate_certificates().all(|certificate| certifies(certificate.der())) {
        return Err(webpki::Error::EndEntityUsedAsCa);
    }
    Ok(())
}
