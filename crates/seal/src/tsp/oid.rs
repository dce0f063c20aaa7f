//! Object identifiers: the names that ASN.1 gives to algorithms, attributes and policies.

use std::fmt;

/// An object identifier, as a time-stamping policy has one: `1.3.6.1.4.1.64496.1`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(Vec<u8>);

impl Oid {
    /// Reads one in dotted form. `None` if it is none, or has more than 64 parts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Oid> {
        let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten();
        let parts: Vec<u64> = text.split('.').take(65).map(|part| number(part).map(u64::from)).collect::<Option<_>>()?;
        let (first, second, rest) = match parts[..] {
            [first @ 0..=1, second @ 0..=39, ref rest @ ..] | [first @ 2, second, ref rest @ ..] => (first, second, rest),
            _ => return None,
        };
        if parts.len() > 64 {
            return None;
        }
        let mut bytes = Vec::new();
        for part in std::iter::once(first * 40 + second).chain(rest.iter().copied()) {
            let digits = (64 - part.leading_zeros()).div_ceil(7).max(1);
            for at in (0..digits).rev() {
                let more = if at == 0 { 0 } else { 0x80 };
                bytes.push((part >> (7 * at)) as u8 & 0x7f | more);
            }
        }
        Some(Oid(bytes))
    }

    /// One from its bytes in DER. `None` if they are none, or more than 64.
    pub(super) fn from_der(bytes: &[u8]) -> Option<Oid> {
        let ends = bytes.last().is_some_and(|byte| byte & 0x80 == 0) && bytes.len() <= 64;
        // No part begins with 0x80: that would be a leading zero. Parts fit into 63 bits, as everybody's do.
        let parts = bytes.split_inclusive(|byte| byte & 0x80 == 0);
        (ends && parts.into_iter().all(|part| part.first() != Some(&0x80) && part.len() <= 9)).then(|| Oid(bytes.to_vec()))
    }

    /// Its bytes in DER, without tag and length.
    pub(super) fn der(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.split_inclusive(|byte| byte & 0x80 == 0).enumerate() {
            let number = part.iter().fold(0_u64, |number, byte| number << 7 | u64::from(byte & 0x7f));
            match (at, number) {
                (0, 0..80) => write!(to, "{}.{}", number / 40, number % 40)?,
                (0, _) => write!(to, "2.{}", number - 80)?,
                _ => write!(to, ".{number}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, to)
    }
}

/// `signedData` (RFC 5652): 1.2.840.113549.1.7.2.
pub(super) const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
/// `id-ct-TSTInfo` (RFC 3161): 1.2.840.113549.1.9.16.1.4.
pub(super) const TST_INFO: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04";
/// `contentType` (RFC 5652): 1.2.840.113549.1.9.3.
pub(super) const CONTENT_TYPE: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03";
/// `messageDigest` (RFC 5652): 1.2.840.113549.1.9.4.
pub(super) const MESSAGE_DIGEST: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04";
/// `signingCertificate` (RFC 2634), which names the certificate by SHA-1: 1.2.840.113549.1.9.16.2.12.
pub(super) const SIGNING_CERTIFICATE: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0c";
/// `signingCertificateV2` (RFC 5035, for RFC 5816): 1.2.840.113549.1.9.16.2.47.
pub(super) const SIGNING_CERTIFICATE_V2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f";
/// SHA-256: 2.16.840.1.101.3.4.2.1.
pub(super) const SHA_256: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01";
/// SHA-384: 2.16.840.1.101.3.4.2.2.
pub(super) const SHA_384: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x02";
/// SHA-512: 2.16.840.1.101.3.4.2.3.
pub(super) const SHA_512: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x03";
/// `rsaEncryption` (RFC 8017), which many write for PKCS #1 v1.5 with the digest that is named beside it: 1.2.840.113549.1.1.1.
pub(super) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
/// `sha256WithRSAEncryption`: 1.2.840.113549.1.1.11.
pub(super) const RSA_SHA_256: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
/// `sha384WithRSAEncryption`: 1.2.840.113549.1.1.12.
pub(super) const RSA_SHA_384: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c";
/// `sha512WithRSAEncryption`: 1.2.840.113549.1.1.13.
pub(super) const RSA_SHA_512: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d";
/// `RSASSA-PSS` (RFC 4055): 1.2.840.113549.1.1.10.
pub(super) const RSA_PSS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
/// `ecdsa-with-SHA256` (RFC 5758): 1.2.840.10045.4.3.2.
pub(super) const ECDSA_SHA_256: &[u8] = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
/// `ecdsa-with-SHA384`: 1.2.840.10045.4.3.3.
pub(super) const ECDSA_SHA_384: &[u8] = b"\x2a\x86\x48\xce\x3d\x04\x03\x03";
/// `keyUsage` (RFC 5280): 2.5.29.15.
pub(super) const KEY_USAGE: &[u8] = b"\x55\x1d\x0f";
/// `basicConstraints`: 2.5.29.19.
pub(super) const BASIC_CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
/// `subjectKeyIdentifier`: 2.5.29.14.
pub(super) const SUBJECT_KEY_IDENTIFIER: &[u8] = b"\x55\x1d\x0e";
/// `extKeyUsage`: 2.5.29.37.
pub(super) const EXTENDED_KEY_USAGE: &[u8] = b"\x55\x1d\x25";
/// `id-kp-timeStamping` (RFC 3161): 1.3.6.1.5.5.7.3.8.
pub(super) const TIME_STAMPING: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x08";
/// `organizationName`: 2.5.4.10.
pub(super) const ORGANISATION: &[u8] = b"\x55\x04\x0a";
/// `commonName`: 2.5.4.3.
pub(super) const COMMON_NAME: &[u8] = b"\x55\x04\x03";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_written_as_they_are_read() {
        for text in ["1.2.840.113549.1.7.2", "2.5.29.37", "0.39", "2.999.1", "1.3.6.1.4.1.4294967295.0"] {
            let oid = Oid::parse(text).unwrap();
            assert_eq!(oid.to_string(), text);
            assert_eq!(Oid::from_der(oid.der()), Some(oid));
        }
        for text in ["", "1", "3.1", "1.40", "1..2", "1.2.x", "1.2.", "+1.2", "1.99999999999"] {
            assert_eq!(Oid::parse(text), None, "{text}");
        }
        for bytes in [&b""[..], b"\x86", b"\x2a\x80\x01", &[0x81; 65]] {
            assert_eq!(Oid::from_der(bytes), None, "{bytes:02x?}");
        }
    }

    #[test]
    fn the_constants_are_what_they_say() {
        for (bytes, text) in [
            (SIGNED_DATA, "1.2.840.113549.1.7.2"),
            (TST_INFO, "1.2.840.113549.1.9.16.1.4"),
            (CONTENT_TYPE, "1.2.840.113549.1.9.3"),
            (MESSAGE_DIGEST, "1.2.840.113549.1.9.4"),
            (SIGNING_CERTIFICATE, "1.2.840.113549.1.9.16.2.12"),
            (SIGNING_CERTIFICATE_V2, "1.2.840.113549.1.9.16.2.47"),
            (SHA_256, "2.16.840.1.101.3.4.2.1"),
            (SHA_384, "2.16.840.1.101.3.4.2.2"),
            (SHA_512, "2.16.840.1.101.3.4.2.3"),
            (RSA, "1.2.840.113549.1.1.1"),
            (RSA_SHA_256, "1.2.840.113549.1.1.11"),
            (RSA_SHA_384, "1.2.840.113549.1.1.12"),
            (RSA_SHA_512, "1.2.840.113549.1.1.13"),
            (RSA_PSS, "1.2.840.113549.1.1.10"),
            (ECDSA_SHA_256, "1.2.840.10045.4.3.2"),
            (ECDSA_SHA_384, "1.2.840.10045.4.3.3"),
            (KEY_USAGE, "2.5.29.15"),
            (BASIC_CONSTRAINTS, "2.5.29.19"),
            (SUBJECT_KEY_IDENTIFIER, "2.5.29.14"),
            (EXTENDED_KEY_USAGE, "2.5.29.37"),
            (TIME_STAMPING, "1.3.6.1.5.5.7.3.8"),
            (ORGANISATION, "2.5.4.10"),
            (COMMON_NAME, "2.5.4.3"),
        ] {
            assert_eq!(Oid::from_der(bytes).unwrap().to_string(), text);
        }
    }
}
