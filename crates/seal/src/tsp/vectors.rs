//! Tests over time-stamps of others: each is judged as OpenSSL judged it.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::der::{self, Reader};
use super::{Anchors, Asked, Imprint, Oid, Stamp, Wrong, oid, verify_asked};

/// One row: what was asked, what came back, and whether it is good.
struct Row {
    name: String,
    data: Vec<u8>,
    query: Option<Vec<u8>>,
    response: Vec<u8>,
    /// Certificates in DER that are not trusted.
    beside: Vec<Vec<u8>>,
    anchors: Anchors,
    at: Option<i64>,
    good: bool,
}

/// All rows of the samples, wherever they are.
fn rows() -> Vec<Row> {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        eprintln!("skipped: SLUIS_SHARED is not set");
        return Vec::new();
    };
    let folder = PathBuf::from(shared).join("vectors/evidence/rfc3161");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: there is no {}", folder.display());
        return Vec::new();
    };
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts.flat_map(|text| text.lines().map(row).collect::<Vec<_>>()).collect()
}

fn row(line: &str) -> Row {
    let row: Value = serde_json::from_str(line).unwrap();
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    let bytes = |key: &str| row[key].as_str().map(|text| STANDARD.decode(text).unwrap());
    let mut anchors = Anchors::new();
    anchors.add("sample", text("ca_pem").as_bytes()).unwrap();
    Row {
        name: text("name").to_owned(),
        data: bytes("data_b64").unwrap(),
        query: bytes("tsq_b64"),
        response: bytes("tsr_b64").unwrap(),
        beside: CertificateDer::pem_slice_iter(text("untrusted_pem").as_bytes()).map(|der| der.unwrap().to_vec()).collect(),
        anchors,
        at: row["verify_at_unix"].as_i64().map(|seconds| seconds * 1_000),
        good: row["openssl_ok"].as_bool().unwrap(),
    }
}

impl Row {
    /// Judges the response by the query, or without one by the data.
    fn verdict(&self, response: &[u8]) -> Result<Stamp, Wrong> {
        let Some(query) = &self.query else {
            let sha256 = Sha256::digest(&self.data).into();
            let (sha384, sha512) = (Sha384::digest(&self.data).into(), Sha512::digest(&self.data).into());
            let imprints = [Imprint::Sha256(&sha256), Imprint::Sha384(&sha384), Imprint::Sha512(&sha512)];
            let verdicts = imprints.map(|imprint| judged(response, imprint, None, None, self));
            let other = verdicts.iter().position(|verdict| *verdict != Err(Wrong::Imprint)).unwrap_or_default();
            return verdicts[other].clone();
        };
        let mut query = Reader::new(query).take(der::SEQUENCE, "query").unwrap().inside();
        assert_eq!(query.small("query"), Ok(1));
        let mut imprint = query.take(der::SEQUENCE, "query").unwrap().inside();
        let algorithm = imprint.take(der::SEQUENCE, "query").unwrap().inside().take(der::OID, "query").unwrap().content;
        let digest = imprint.take(der::OCTET_STRING, "query").unwrap().content;
        let policy = query.optional(der::OID, "query").unwrap().map(|policy| Oid::from_der(policy.content).unwrap());
        let nonce = query.optional(der::INTEGER, "query").unwrap();
        let nonce = nonce.map(|nonce| der::unsigned(nonce.content).unwrap());
        match algorithm {
            oid::SHA_256 => judged(response, Imprint::Sha256(digest.try_into().unwrap()), nonce, policy.as_ref(), self),
            oid::SHA_384 => judged(response, Imprint::Sha384(digest.try_into().unwrap()), nonce, policy.as_ref(), self),
            oid::SHA_512 => judged(response, Imprint::Sha512(digest.try_into().unwrap()), nonce, policy.as_ref(), self),
            _ => judged(response, Imprint::Sha256(&[0; 32]), nonce, policy.as_ref(), self),
        }
    }
}

fn judged(response: &[u8], imprint: Imprint<'_>, nonce: Option<u64>, policy: Option<&Oid>, row: &Row) -> Result<Stamp, Wrong> {
    let beside: Vec<&[u8]> = row.beside.iter().map(Vec::as_slice).collect();
    verify_asked(response, &Asked { imprint, nonce, policy }, &beside, &row.anchors, row.at)
}

#[test]
fn each_sample_is_judged_as_openssl_judged_it() {
    for row in rows() {
        let verdict = row.verdict(&row.response);
        eprintln!("{:32} {}", row.name, verdict.as_ref().map_or_else(Wrong::to_string, |stamp| format!("{stamp:?}")));
        // What an edge case is may be refused more strictly.
        let edge = row.name.starts_with("edge-");
        assert!(verdict.is_ok() == row.good || (edge && verdict.is_err()), "{}: {verdict:?}", row.name);
    }
}

/// Every bit of every good sample, one after the other.
#[test]
fn no_flipped_bit_is_accepted() {
    let (mut bits, mut stamps) = (0, 0);
    for row in rows().into_iter().filter(|row| row.good && !row.name.starts_with("edge-")) {
        stamps += 1;
        let mut bytes = row.response.clone();
        for at in 0..bytes.len() {
            for mask in (0..8).map(|bit| 1_u8 << bit) {
                bytes[at] ^= mask;
                let verdict = row.verdict(&bytes);
                assert!(verdict.is_err(), "{}: bit {mask:#x} of byte {at}: {verdict:?}", row.name);
                bytes[at] ^= mask;
                bits += 1;
            }
        }
    }
    eprintln!("{bits} bits in {stamps} responses");
}

#[test]
fn no_part_of_a_sample_is_accepted_and_nothing_may_follow() {
    for row in rows().into_iter().filter(|row| row.good && !row.name.starts_with("edge-")) {
        for length in 0..row.response.len() {
            assert!(row.verdict(&row.response[..length]).is_err(), "{}: {length} bytes", row.name);
        }
        for more in [&[0][..], &[5, 0], &row.response] {
            assert!(row.verdict(&[&row.response, more].concat()).is_err(), "{}: {} bytes more", row.name, more.len());
        }
    }
}
