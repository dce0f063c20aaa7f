//! A response (RFC 3161 section 2.4.2) and the token in it: a `SignedData` (RFC 5652) around a `TSTInfo`.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest as ring_digest};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use webpki::EndEntityCert;
use webpki::ring as algorithms;

use super::certificate::{Certificate, shown};
use super::der::{self, Reader, Value};
use super::{MOST, Oid, Wrong, oid, time};

/// Certificates that one token may carry.
pub(super) const CERTIFICATES: usize = 16;
/// Attributes that may be signed.
const ATTRIBUTES: usize = 32;

/// The digests that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// The algorithm that an `AlgorithmIdentifier` names. Its parameters are absent or NULL (RFC 5754 section 2).
    fn read(value: Value<'_>, what: &'static str) -> Result<Digest, Wrong> {
        let (id, parameters) = algorithm(value, what)?;
        match id {
            _ if !is_none(parameters) => Err(Wrong::Malformed(what)),
            oid::SHA_256 => Ok(Digest::Sha256),
            oid::SHA_384 => Ok(Digest::Sha384),
            oid::SHA_512 => Ok(Digest::Sha512),
            _ => Err(Wrong::Algorithm(what)),
        }
    }

    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Digest::Sha256 => Sha256::digest(bytes).to_vec(),
            Digest::Sha384 => Sha384::digest(bytes).to_vec(),
            Digest::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// What the TSA signed: `TSTInfo`.
#[derive(Clone, Debug)]
pub(super) struct Info<'a> {
    pub(super) policy: Oid,
    pub(super) algorithm: Digest,
    pub(super) digest: &'a [u8],
    pub(super) serial: &'a [u8],
    pub(super) gen_time_ms: i64,
    pub(super) accuracy_ms: Option<i64>,
    pub(super) nonce: Option<&'a [u8]>,
}

/// A token, read and not yet believed.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) info: Info<'a>,
    /// The certificates that came with it, in DER.
    pub(super) certificates: Vec<&'a [u8]>,
    /// The `TSTInfo` in DER.
    content: &'a [u8],
    signer: Signer<'a>,
    digest: Digest,
    /// The signed attributes, with the tag that they are signed under.
    attributes: Vec<u8>,
    signed: Signed<'a>,
    /// The `AlgorithmIdentifier` of the signature.
    algorithm: Value<'a>,
    signature: &'a [u8],
}

/// How a token names its signer's certificate.
#[derive(Clone, Debug)]
enum Signer<'a> {
    Issued { issuer: &'a [u8], serial: &'a [u8] },
    Key(&'a [u8]),
}

/// What the signed attributes say.
#[derive(Clone, Debug, Default)]
struct Signed<'a> {
    content_type: Option<&'a [u8]>,
    message_digest: Option<&'a [u8]>,
    certificates: Vec<Named<'a>>,
}

/// How the signed attributes name the signer's certificate: `ESSCertID` (RFC 2634) or `ESSCertIDv2` (RFC 5816).
#[derive(Clone, Debug)]
struct Named<'a> {
    /// `None` for SHA-1, which only the older form has.
    digest: Option<Digest>,
    hash: &'a [u8],
    /// Issuer's name and serial number, if they stand there.
    issued: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> Token<'a> {
    /// Reads a response, or the token of one.
    ///
    /// # Errors
    /// When it is neither, is too large, or says that there is no token.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Token<'a>, Wrong> {
        const WHAT: &str = "the response";
        if bytes.len() > MOST {
            return Err(Wrong::Limit("its size"));
        }
        let mut all = Reader::new(bytes);
        let outer = all.take(der::SEQUENCE, WHAT)?;
        all.end("bytes follow the response")?;
        let mut inside = outer.inside();
        if inside.next_tag() == Some(der::OID) {
            return Token::content_info(outer);
        }
        let status = inside.take(der::SEQUENCE, WHAT)?;
        granted(status)?;
        let token = inside.take(der::SEQUENCE, "a granted response without a token")?;
        inside.end(WHAT)?;
        Token::content_info(token)
    }

    fn content_info(value: Value<'a>) -> Result<Token<'a>, Wrong> {
        const WHAT: &str = "the token";
        let mut outer = value.inside();
        if outer.take(der::OID, WHAT)?.content != oid::SIGNED_DATA {
            return Err(Wrong::Malformed("the token is no SignedData"));
        }
        let mut explicit = outer.take(der::context_of(0), WHAT)?.inside();
        outer.end(WHAT)?;
        let mut data = explicit.take(der::SEQUENCE, WHAT)?.inside();
        explicit.end(WHAT)?;

        // RFC 5652 section 5.1: version 3, since the content is not plain data.
        if data.small(WHAT)? != 3 {
            return Err(Wrong::Malformed("the token's version"));
        }
        let mut digests = data.take(der::SET, WHAT)?.inside();
        let digest = Digest::read(digests.take(der::SEQUENCE, WHAT)?, "the token's digest")?;
        digests.end("the token names several digests")?;
        let content = content(data.take(der::SEQUENCE, WHAT)?)?;
        let mut certificates = Vec::new();
        if let Some(set) = data.optional(der::context_of(0), "the token's certificates")? {
            let mut set = set.inside();
            while !set.is_empty() {
                let certificate = set.any("the token's certificates")?;
                if certificates.len() == CERTIFICATES {
                    return Err(Wrong::Limit("its certificates"));
                }
                // Others than X.509 certificates have tags of their own and are of no use here.
                if certificate.tag == der::SEQUENCE {
                    certificates.push(certificate.whole);
                }
            }
        }
        data.optional(der::context_of(1), "the token's revocation lists")?;
        let mut signers = data.take(der::SET, WHAT)?.inside();
        data.end(WHAT)?;
        let mut signer = signers.take(der::SEQUENCE, "the token's signer")?.inside();
        signers.end("the token has several signers")?;
        Token::signer_info(&mut signer, digest, content, certificates)
    }

    fn signer_info(
        signer: &mut Reader<'a>,
        digest: Digest,
        content: &'a [u8],
        certificates: Vec<&'a [u8]>,
    ) -> Result<Token<'a>, Wrong> {
        const WHAT: &str = "the token's signer";
        let version = signer.small(WHAT)?;
        let name = signer.any(WHAT)?;
        // RFC 5652 section 5.3: the version follows from the way in which the certificate is named.
        let named = match (version, name.tag) {
            (1, der::SEQUENCE) => {
                let mut name = name.inside();
                let issuer = name.take(der::SEQUENCE, WHAT)?.whole;
                let serial = name.integer(WHAT)?;
                name.end(WHAT)?;
                Signer::Issued { issuer, serial }
            }
            (3, tag) if tag == der::context(0) => Signer::Key(name.content),
            _ => return Err(Wrong::Malformed(WHAT)),
        };
        if Digest::read(signer.take(der::SEQUENCE, WHAT)?, "the signer's digest")? != digest {
            return Err(Wrong::Malformed("the signer's digest is not the token's"));
        }
        let attributes = signer.take(der::context_of(0), "the token has no signed attributes")?;
        let signed = Signed::read(attributes.inside())?;
        let algorithm = signer.take(der::SEQUENCE, WHAT)?;
        let signature = signer.take(der::OCTET_STRING, WHAT)?.content;
        signer.optional(der::context_of(1), "the token's unsigned attributes")?;
        signer.end(WHAT)?;
        // RFC 5652 section 5.4: they are signed as a SET, not under the tag that they are sent under.
        let mut attributes = attributes.whole.to_vec();
        if let Some(tag) = attributes.first_mut() {
            *tag = der::SET;
        }
        let info = Info::read(content)?;
        Ok(Token { info, certificates, content, signer: named, digest, attributes, signed, algorithm, signature })
    }

    /// The signer's certificate, among those that are at hand.
    ///
    /// # Errors
    /// When none is the one that the token names in both of its ways.
    pub(super) fn signer_among<'c>(&self, at_hand: impl Iterator<Item = &'c [u8]>) -> Result<Certificate<'c>, Wrong> {
        let mut wrong = Wrong::Signer("it is neither in the token nor in a trust file");
        // What cannot be read is not the signer's; some tokens carry an odd old root.
        for certificate in at_hand.filter_map(|der| Certificate::read(der).ok()) {
            let named = match self.signer {
                Signer::Issued { issuer, serial } => (certificate.issuer, certificate.serial) == (issuer, serial),
                Signer::Key(key) => certificate.key_identifier == Some(key),
            };
            if !named {
                continue;
            }
            if self.signed.certificates.iter().all(|id| id.names(&certificate)) {
                return Ok(certificate);
            }
            wrong = Wrong::Attributes("they name another certificate than the signer's");
        }
        Err(wrong)
    }

    /// Holds that this certificate's key signed the token.
    ///
    /// # Errors
    /// When it did not, or by an algorithm that is not accepted.
    pub(super) fn is_signed_by(&self, signer: &Certificate<'_>) -> Result<(), Wrong> {
        if self.signed.content_type != Some(oid::TST_INFO) {
            return Err(Wrong::Attributes("the content's type"));
        }
        if self.signed.message_digest != Some(&self.digest.of(self.content)[..]) {
            return Err(Wrong::Attributes("the content's digest"));
        }
        let certificate = CertificateDer::from(signer.whole);
        let certificate = EndEntityCert::try_from(&certificate).map_err(|_| Wrong::Signer("it cannot be read"))?;
        let mut wrong = Wrong::Signature;
        for algorithm in self.algorithms()? {
            match certificate.verify_signature(algorithm, &self.attributes, self.signature) {
                Ok(()) => return Ok(()),
                Err(webpki::Error::InvalidSignatureForPublicKey) => return Err(Wrong::Signature),
                // The key is of another kind than this algorithm's: the next may be it.
                Err(_) => wrong = Wrong::Algorithm("the signer's key"),
            }
        }
        Err(wrong)
    }

    /// What the signature may be made by, seen from its name and the digest's. The key decides between curves.
    fn algorithms(&self) -> Result<Vec<&'static dyn SignatureVerificationAlgorithm>, Wrong> {
        const WHAT: &str = "the token's signature";
        let (id, parameters) = algorithm(self.algorithm, WHAT)?;
        let none = is_none(parameters);
        Ok(match (id, self.digest) {
            (oid::RSA | oid::RSA_SHA_256, Digest::Sha256) if none => vec![algorithms::RSA_PKCS1_2048_8192_SHA256],
            (oid::RSA | oid::RSA_SHA_384, Digest::Sha384) if none => vec![algorithms::RSA_PKCS1_2048_8192_SHA384],
            (oid::RSA | oid::RSA_SHA_512, Digest::Sha512) if none => vec![algorithms::RSA_PKCS1_2048_8192_SHA512],
            // RFC 5758 section 3.2: no parameters, not even NULL.
            (oid::ECDSA_SHA_256, Digest::Sha256) if parameters.is_none() => {
                vec![algorithms::ECDSA_P256_SHA256, algorithms::ECDSA_P384_SHA256]
            }
            (oid::ECDSA_SHA_384, Digest::Sha384) if parameters.is_none() => {
                vec![algorithms::ECDSA_P384_SHA384, algorithms::ECDSA_P256_SHA384]
            }
            // The parameters of PSS are fixed: the digest for both uses, and a salt as long as it.
            (oid::RSA_PSS, Digest::Sha256) if self.is(algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY) => {
                vec![algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]
            }
            (oid::RSA_PSS, Digest::Sha384) if self.is(algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY) => {
                vec![algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]
            }
            (oid::RSA_PSS, Digest::Sha512) if self.is(algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY) => {
                vec![algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]
            }
            _ => return Err(Wrong::Algorithm(WHAT)),
        })
    }

    fn is(&self, algorithm: &dyn SignatureVerificationAlgorithm) -> bool {
        algorithm.signature_alg_id().as_ref() == self.algorithm.content
    }
}

impl<'a> Info<'a> {
    fn read(content: &'a [u8]) -> Result<Info<'a>, Wrong> {
        const WHAT: &str = "what the token states (TSTInfo)";
        let mut all = Reader::new(content);
        let mut info = all.take(der::SEQUENCE, WHAT)?.inside();
        all.end(WHAT)?;
        if info.small(WHAT)? != 1 {
            return Err(Wrong::Malformed("the version of what the token states"));
        }
        let policy = Oid::from_der(info.take(der::OID, WHAT)?.content).ok_or(Wrong::Malformed("the token's policy"))?;
        let mut imprint = info.take(der::SEQUENCE, WHAT)?.inside();
        let algorithm = Digest::read(imprint.take(der::SEQUENCE, WHAT)?, "the stamped digest")?;
        let digest = imprint.take(der::OCTET_STRING, WHAT)?.content;
        imprint.end(WHAT)?;
        let serial = info.integer(WHAT)?;
        // RFC 3161 section 2.4.2: up to 160 bits. One byte more holds the sign.
        if serial.len() > 21 {
            return Err(Wrong::Limit("its serial number"));
        }
        let moment = info.take(der::GENERALIZED_TIME, WHAT)?.content;
        let gen_time_ms = time::generalized(moment).ok_or(Wrong::Malformed("the token's moment"))?;
        let accuracy_ms = info.optional(der::SEQUENCE, WHAT)?.map(accuracy).transpose()?;
        info.flag(WHAT)?;
        let nonce = info.optional(der::INTEGER, WHAT)?.map(|value| der::integer(value, WHAT)).transpose()?;
        info.optional(der::context_of(0), WHAT)?;
        if let Some(extensions) = info.optional(der::context_of(1), WHAT)? {
            none_critical(extensions.inside())?;
        }
        info.end(WHAT)?;
        Ok(Info { policy, algorithm, digest, serial, gen_time_ms, accuracy_ms, nonce })
    }
}

impl<'a> Signed<'a> {
    fn read(mut set: Reader<'a>) -> Result<Signed<'a>, Wrong> {
        const WHAT: &str = "the signed attributes";
        let mut signed = Signed::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        while !set.is_empty() {
            let mut attribute = set.take(der::SEQUENCE, WHAT)?.inside();
            let id = attribute.take(der::OID, WHAT)?.content;
            let mut values = attribute.take(der::SET, WHAT)?.inside();
            attribute.end(WHAT)?;
            if seen.contains(&id) {
                return Err(Wrong::Attributes("one stands there twice"));
            }
            if seen.len() == ATTRIBUTES {
                return Err(Wrong::Limit("its signed attributes"));
            }
            seen.push(id);
            match id {
                oid::CONTENT_TYPE => signed.content_type = Some(values.take(der::OID, WHAT)?.content),
                oid::MESSAGE_DIGEST => signed.message_digest = Some(values.take(der::OCTET_STRING, WHAT)?.content),
                oid::SIGNING_CERTIFICATE => signed.certificates.push(Named::read(&mut values, false)?),
                oid::SIGNING_CERTIFICATE_V2 => signed.certificates.push(Named::read(&mut values, true)?),
                // The rest may say what it likes: it is signed, but nothing here is decided by it.
                _ => continue,
            }
            values.end(WHAT)?;
        }
        if signed.certificates.is_empty() {
            return Err(Wrong::Attributes("they name no certificate (signingCertificate)"));
        }
        Ok(signed)
    }
}

impl<'a> Named<'a> {
    /// The first certificate of the list is the signer's (RFC 2634 section 5.4.1); the others are its path.
    fn read(values: &mut Reader<'a>, newer: bool) -> Result<Named<'a>, Wrong> {
        const WHAT: &str = "the attribute signingCertificate";
        let mut attribute = values.take(der::SEQUENCE, WHAT)?.inside();
        let mut list = attribute.take(der::SEQUENCE, WHAT)?.inside();
        attribute.optional(der::SEQUENCE, WHAT)?;
        attribute.end(WHAT)?;
        let mut id = list.take(der::SEQUENCE, WHAT)?.inside();
        let digest = match (newer, id.next_tag()) {
            (false, _) => None,
            (true, Some(der::SEQUENCE)) => Some(Digest::read(id.take(der::SEQUENCE, WHAT)?, WHAT)?),
            (true, _) => Some(Digest::Sha256),
        };
        let hash = id.take(der::OCTET_STRING, WHAT)?.content;
        let issued = match id.optional(der::SEQUENCE, WHAT)? {
            None => None,
            Some(value) => {
                let mut value = value.inside();
                let mut names = value.take(der::SEQUENCE, WHAT)?.inside();
                // A directoryName: [4] around a Name.
                let mut name = names.take(der::context_of(4), WHAT)?.inside();
                names.end(WHAT)?;
                let issuer = name.take(der::SEQUENCE, WHAT)?.whole;
                name.end(WHAT)?;
                let serial = value.integer(WHAT)?;
                value.end(WHAT)?;
                Some((issuer, serial))
            }
        };
        id.end(WHAT)?;
        Ok(Named { digest, hash, issued })
    }

    fn names(&self, certificate: &Certificate<'_>) -> bool {
        let same = match self.digest {
            Some(digest) => digest.of(certificate.whole) == self.hash,
            None => ring_digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate.whole).as_ref() == self.hash,
        };
        same && self.issued.is_none_or(|issued| issued == (certificate.issuer, certificate.serial))
    }
}

/// Holds that the status is `granted`.
fn granted(status: Value<'_>) -> Result<(), Wrong> {
    const WHAT: &str = "the response's status";
    let mut status = status.inside();
    let number = status.small(WHAT)?;
    let text = status.optional(der::SEQUENCE, WHAT)?;
    let failure = status.optional(der::BIT_STRING, WHAT)?;
    status.end(WHAT)?;
    if number == 0 {
        return Ok(());
    }
    let mut said = match number {
        1 => "status 1 (granted with modifications)".to_owned(),
        2 => "status 2 (rejection)".to_owned(),
        3 => "status 3 (waiting)".to_owned(),
        4 => "status 4 (revocation warning)".to_owned(),
        5 => "status 5 (revocation)".to_owned(),
        other => format!("status {other}"),
    };
    if let Some(reason) = failure.and_then(|bits| reason(bits.content)) {
        said.push_str(", ");
        said.push_str(reason);
    }
    if let Some(Ok(line)) = text.map(|text| text.inside().any(WHAT)) {
        said.push_str(&format!(": {:?}", shown(&String::from_utf8_lossy(line.content), 200)));
    }
    Err(Wrong::Refused(said))
}

/// What the first set bit of a `PKIFailureInfo` means. The first byte counts the unused bits.
fn reason(bits: &[u8]) -> Option<&'static str> {
    let is_set = |at: usize| bits.get(1 + at / 8).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0);
    [
        (0, "the algorithm is not known or not supported"),
        (2, "the request is not permitted or not supported"),
        (5, "the request is in the wrong format"),
        (14, "its source of time is not available"),
        (15, "the policy is not supported"),
        (16, "the extension is not supported"),
        (17, "the additional information is not understood"),
        (25, "it has a failure of its own"),
    ]
    .into_iter()
    .find_map(|(at, reason)| is_set(at).then_some(reason))
}

/// The `TSTInfo` in DER, out of its wrapping.
fn content(value: Value<'_>) -> Result<&[u8], Wrong> {
    const WHAT: &str = "the token's content";
    let mut outer = value.inside();
    if outer.take(der::OID, WHAT)?.content != oid::TST_INFO {
        return Err(Wrong::Malformed("the token's content is no TSTInfo"));
    }
    let mut explicit = outer.take(der::context_of(0), WHAT)?.inside();
    outer.end(WHAT)?;
    let content = explicit.take(der::OCTET_STRING, WHAT)?.content;
    explicit.end(WHAT)?;
    Ok(content)
}

/// Seconds, milliseconds and microseconds, each of which may be missing.
fn accuracy(value: Value<'_>) -> Result<i64, Wrong> {
    const WHAT: &str = "the token's accuracy";
    let mut value = value.inside();
    let seconds = if value.next_tag() == Some(der::INTEGER) { value.small(WHAT)? } else { 0 };
    let mut part = |tag| -> Result<u32, Wrong> {
        let Some(part) = value.optional(der::context(tag), WHAT)? else { return Ok(0) };
        let number = der::unsigned(der::integer(part, WHAT)?).and_then(|number| u32::try_from(number).ok());
        number.filter(|number| (1..=999).contains(number)).ok_or(Wrong::Malformed(WHAT))
    };
    let (millis, micros) = (part(0)?, part(1)?);
    value.end(WHAT)?;
    Ok(i64::from(seconds) * 1_000 + i64::from(millis) + i64::from(micros > 0))
}

/// Holds that no extension has to be understood: none is.
fn none_critical(mut list: Reader<'_>) -> Result<(), Wrong> {
    const WHAT: &str = "the token's extensions";
    while !list.is_empty() {
        let mut extension = list.take(der::SEQUENCE, WHAT)?.inside();
        extension.take(der::OID, WHAT)?;
        if extension.flag(WHAT)? {
            return Err(Wrong::Malformed("the token has a critical extension, and none is known"));
        }
        extension.take(der::OCTET_STRING, WHAT)?;
        extension.end(WHAT)?;
    }
    Ok(())
}

/// The name of an algorithm, and its parameters.
fn algorithm<'a>(value: Value<'a>, what: &'static str) -> Result<(&'a [u8], Option<Value<'a>>), Wrong> {
    let mut value = value.inside();
    let id = value.take(der::OID, what)?.content;
    let parameters = if value.is_empty() { None } else { Some(value.any(what)?) };
    value.end(what)?;
    Ok((id, parameters))
}

fn is_none(parameters: Option<Value<'_>>) -> bool {
    parameters.is_none_or(|value| value.tag == der::NULL && value.content.is_empty())
}
