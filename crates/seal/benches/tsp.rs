//! Time-stamps: one verification, by kind of key.
//!
//! `cargo bench -p seal --bench tsp`

use divan::{Bencher, black_box};
use seal::tsp::{Anchors, verify};
use sha2::{Digest, Sha256};

fn main() {
    divan::main();
}

const TEXT: &[u8] = b"sluis time-stamp fixture\n";

fn anchors(pem: &[u8]) -> Anchors {
    let mut anchors = Anchors::new();
    anchors.add("fixture", pem).expect("the fixture is a good trust file");
    anchors
}

#[divan::bench]
fn verify_ecdsa_p256(bencher: Bencher<'_, '_>) {
    let (response, anchors) = (include_bytes!("../fixtures/tsp/ecdsa.tsr"), anchors(include_bytes!("../fixtures/tsp/ecdsa.pem")));
    let digest = Sha256::digest(TEXT).into();
    assert!(verify(response, &digest, None, &anchors, None).is_ok());
    bencher.bench(|| verify(black_box(response), &digest, None, &anchors, None));
}

#[divan::bench]
fn verify_rsa_2048_over_two_certificates(bencher: Bencher<'_, '_>) {
    let (response, anchors) = (include_bytes!("../fixtures/tsp/rsa.tsr"), anchors(include_bytes!("../fixtures/tsp/rsa.pem")));
    let digest = Sha256::digest(TEXT).into();
    assert!(verify(response, &digest, None, &anchors, None).is_ok());
    bencher.bench(|| verify(black_box(response), &digest, None, &anchors, None));
}
