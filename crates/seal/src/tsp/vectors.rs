//! Tests over time-stamps of others: each is judged as OpenSSL judged it.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
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
    for row in fixtures().into_iter().chain(rows()) {
        let verdict = row.verdict(&row.response);
        eprintln!("{:32} {}", row.name, verdict.as_ref().map_or_else(Wrong::to_string, |stamp| format!("{stamp:?}")));
        // What an edge case is may be refused more strictly.
        let edge = row.name.starts_with("edge-");
        assert!(verdict.is_ok() == row.good || (edge && verdict.is_err()), "{}: {verdict:?}", row.name);
    }
}

/// What OpenSSL made for us, so that the tests have something without the samples of others.
fn fixtures() -> Vec<Row> {
    let fixture = |name: &str, response: &[u8], pem: &[u8]| {
        let mut anchors = Anchors::new();
        anchors.add(name, pem).unwrap();
        let data = b"sluis time-stamp fixture\n".to_vec();
        let (name, response) = (name.to_owned(), response.to_vec());
        Row { name, data, query: None, response, beside: Vec::new(), anchors, at: None, good: true }
    };
    vec![
        fixture("ecdsa", include_bytes!("../../fixtures/tsp/ecdsa.tsr"), include_bytes!("../../fixtures/tsp/ecdsa.pem")),
        fixture("rsa", include_bytes!("../../fixtures/tsp/rsa.tsr"), include_bytes!("../../fixtures/tsp/rsa.pem")),
    ]
}

/// What is good and has to stay so.
fn good() -> impl Iterator<Item = Row> {
    fixtures().into_iter().chain(rows()).filter(|row| row.good && !row.name.starts_with("edge-"))
}

/// Every bit of every good one, one after the other.
#[test]
fn no_flipped_bit_is_accepted() {
    let (mut bits, mut stamps) = (0, 0);
    for row in good() {
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
    for row in good() {
        for length in 0..row.response.len() {
            assert!(row.verdict(&row.response[..length]).is_err(), "{}: {length} bytes", row.name);
        }
        for more in [&[0][..], &[5, 0], &row.response] {
            assert!(row.verdict(&[&row.response, more].concat()).is_err(), "{}: {} bytes more", row.name, more.len());
        }
    }
}

/// OpenSSL's queries, where they ask by an algorithm of ours.
#[test]
fn queries_are_written_as_openssl_writes_them() {
    for query in rows().into_iter().filter_map(|row| row.query) {
        let mut reader = Reader::new(&query).take(der::SEQUENCE, "").unwrap().inside();
        reader.integer("").unwrap();
        let mut imprint = reader.take(der::SEQUENCE, "").unwrap().inside();
        imprint.any("").unwrap();
        let digest = imprint.any("").unwrap().content;
        let policy = reader.optional(der::OID, "").unwrap().map(|policy| Oid::from_der(policy.content).unwrap());
        let nonce = reader.optional(der::INTEGER, "").unwrap().map(|nonce| der::unsigned(nonce.content).unwrap());
        let imprint = match digest.len() {
            32 => Imprint::Sha256(digest.try_into().unwrap()),
            48 => Imprint::Sha384(digest.try_into().unwrap()),
            64 => Imprint::Sha512(digest.try_into().unwrap()),
            _ => continue,
        };
        assert_eq!(Asked { imprint, nonce, policy: policy.as_ref() }.request(), query);
    }
}

proptest! {
    /// Whatever is done to the bytes of a good one, it proves nothing else: mostly nothing at all, and the very same if only
    /// what no signature covers was touched (the text of a status).
    #[test]
    fn changed_bytes_never_prove_anything_else(
        which in 0_usize..2,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let row = &fixtures()[which];
        let expected = row.verdict(&row.response).unwrap();
        let mut bytes = row.response.clone();
        for (at, byte, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        if let Ok(stamp) = row.verdict(&bytes) {
            prop_assert_eq!(stamp, expected);
        }
    }
}
