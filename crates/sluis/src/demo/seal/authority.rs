//! The demo's own time-stamping authority: real time-stamps by RFC 3161, under keys that were made up a moment ago.
//!
//! It stands in for one that would be asked over the network, so that the demo needs none. Its certificates say what it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use desk::seal::anchor;
use model::time::{DAY, HOUR, Time};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use seal::tsp::{self, Anchors, Imprint, Stamp};

use crate::demo::SetClock;

/// What it is called, in settings, in certificates and in the name of the file with its root.
pub(crate) const NAME: &str = "demo-tsa";

const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47];
/// An arc for examples: nobody's policy.
const POLICY: &[u8] = &[0x2b, 6, 1, 4, 1, 0x83, 0xfc, 0x7f, 1];

/// See the module.
pub(crate) struct Authority {
    clock: Arc<SetClock>,
    key: EcdsaKeyPair,
    certificate: Vec<u8>,
    issuer: Vec<u8>,
    anchors: Anchors,
    root: String,
    serial: AtomicU64,
}

impl Authority {
    /// One that is valid around the demo's year.
    pub(crate) fn new(clock: Arc<SetClock>, from: Time, until: Time) -> Result<Authority> {
        let (root_key, key) = (new_key()?, new_key()?);
        let issuer = name("Demo root of time, made up, trust nobody");
        let subject = name("Demo time-stamps, made up, trust nobody");
        let period = sequence(&[utc_time(from.plus(-DAY)), utc_time(until.plus(3_650 * DAY))]);
        let constraints = extension(BASIC_CONSTRAINTS, &sequence(&[tlv(0x01, &[0xff])]));
        let may_sign_certificates = extension(KEY_USAGE, &tlv(0x03, &[2, 0x04]));
        let root = certificate(&root_key, &issuer, &issuer, &root_key, 1, &period, &[constraints, may_sign_certificates])?;
        let may_sign = extension(KEY_USAGE, &tlv(0x03, &[7, 0x80]));
        let purpose = extension(EXTENDED_KEY_USAGE, &sequence(&[oid(TIME_STAMPING)]));
        let certificate = certificate(&root_key, &issuer, &subject, &key, 2, &period, &[may_sign, purpose])?;
        let root = pem(&root);
        let mut anchors = Anchors::default();
        anchors.add(NAME, root.as_bytes()).map_err(|wrong| anyhow!("{wrong}"))?;
        Ok(Authority { clock, key, certificate, issuer, anchors, root, serial: AtomicU64::new(1) })
    }

    /// The certificate that verifiers are given, as PEM.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    fn response(&self, digest: &[u8; 32], nonce: u64) -> Result<Vec<u8>> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let sha256 = sequence(&[oid(SHA256), tlv(0x05, &[])]);
        let info = sequence(&[
            number(1),
            oid(POLICY),
            sequence(&[sha256.clone(), tlv(0x04, digest)]),
            number(serial),
            tlv(0x18, generalized(self.clock.time()).as_bytes()),
            sequence(&[number(1)]),
            number(nonce),
        ]);
        let mut attributes = [
            attribute(CONTENT_TYPE, &oid(TST_INFO)),
            attribute(MESSAGE_DIGEST, &tlv(0x04, &tsp::digest(&info))),
            attribute(SIGNING_CERTIFICATE_V2, &sequence(&[sequence(&[sequence(&[tlv(0x04, &tsp::digest(&self.certificate))])])])),
        ];
        // DER: the members of a set stand in the order of their bytes.
        attributes.sort();
        let attributes = attributes.concat();
        let signature = sign(&self.key, &tlv(0x31, &attributes))?;
        let signer = sequence(&[
            number(1),
            sequence(&[self.issuer.clone(), number(2)]),
            sha256.clone(),
            tlv(0xa0, &attributes),
            sequence(&[oid(ECDSA_SHA256)]),
            tlv(0x04, &signature),
        ]);
        let signed = sequence(&[
            number(3),
            tlv(0x31, &sha256),
            sequence(&[oid(TST_INFO), tlv(0xa0, &tlv(0x04, &info))]),
            tlv(0xa0, &self.certificate),
            tlv(0x31, &signer),
        ]);
        Ok(sequence(&[sequence(&[number(0)]), sequence(&[oid(SIGNED_DATA), tlv(0xa0, &signed)])]))
    }
}

impl anchor::Authority for Authority {
    fn name(&self) -> &str {
        NAME
    }

    fn every(&self) -> i64 {
        HOUR
    }

    fn stamp(&self, imprint: Imprint<'_>) -> Result<(Vec<u8>, Stamp), String> {
        let Imprint::Sha256(digest) = imprint else { return Err("the demo's authority stamps SHA-256 only".to_owned()) };
        let nonce = self.serial.load(Ordering::Relaxed);
        let response = self.response(digest, nonce).map_err(|error| error.to_string())?;
        let stamp = tsp::verify(&response, digest, Some(nonce), &self.anchors, None).map_err(|wrong| wrong.to_string())?;
        Ok((response, stamp))
    }
}

fn new_key() -> Result<EcdsaKeyPair> {
    let chance = SystemRandom::new();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &chance).map_err(|_| anyhow!("no random bytes"))?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &chance).map_err(|error| anyhow!("{error}"))
}

fn sign(key: &EcdsaKeyPair, bytes: &[u8]) -> Result<Vec<u8>> {
    let signature = key.sign(&SystemRandom::new(), bytes).ok().context("no random bytes")?;
    Ok(signature.as_ref().to_vec())
}

/// A certificate of X.509 version 3 (RFC 5280) over a key, by another.
fn certificate(
    by: &EcdsaKeyPair,
    issuer: &[u8],
    subject: &[u8],
    of: &EcdsaKeyPair,
    serial: u64,
    period: &[u8],
    extensions: &[Vec<u8>],
) -> Result<Vec<u8>> {
    let mut point = vec![0];
    point.extend_from_slice(of.public_key().as_ref());
    let body = sequence(&[
        tlv(0xa0, &number(2)),
        number(serial),
        sequence(&[oid(ECDSA_SHA256)]),
        issuer.to_vec(),
        period.to_vec(),
        subject.to_vec(),
        sequence(&[sequence(&[oid(EC_PUBLIC_KEY), oid(P256)]), tlv(0x03, &point)]),
        tlv(0xa3, &sequence(extensions)),
    ]);
    let mut signature = vec![0];
    signature.extend_from_slice(&sign(by, &body)?);
    Ok(sequence(&[body, sequence(&[oid(ECDSA_SHA256)]), tlv(0x03, &signature)]))
}

fn name(common: &str) -> Vec<u8> {
    sequence(&[tlv(0x31, &sequence(&[oid(COMMON_NAME), tlv(0x0c, common.as_bytes())]))])
}

/// An extension that must be understood.
fn extension(which: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[oid(which), tlv(0x01, &[0xff]), tlv(0x04, value)])
}

fn attribute(which: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[oid(which), tlv(0x31, value)])
}

fn oid(bytes: &[u8]) -> Vec<u8> {
    tlv(0x06, bytes)
}

fn number(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take(7).take_while(|byte| **byte == 0).count();
    let mut short = bytes[zeros..].to_vec();
    if short[0] & 0x80 != 0 {
        short.insert(0, 0);
    }
    tlv(0x02, &short)
}

/// Year, month, day, hour, minute and second, without anything between them.
fn generalized(at: Time) -> String {
    let digits: String = at.to_string().chars().filter(char::is_ascii_digit).take(14).collect();
    digits + "Z"
}

fn utc_time(at: Time) -> Vec<u8> {
    tlv(0x17, &generalized(at).as_bytes()[2..])
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// Tag, length and value, in the distinguished encoding (X.690).
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match value.len() {
        length @ 0..=0x7f => bytes.push(length as u8),
        length @ 0x80..=0xff => bytes.extend([0x81, length as u8]),
        length => bytes.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    bytes.extend_from_slice(value);
    bytes
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}
