//! Time-stamps: whatever comes, only what the fixtures' TSAs signed is believed, and it says what it said.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seal::tsp::{Anchors, Stamp, verify};

/// SHA-256 of "sluis time-stamp fixture\n".
const DIGEST: [u8; 32] = *b"\x47\xd7\xac\xc2\x47\x32\x16\x55\x1f\xf2\x30\x9b\xda\xb8\x0a\xa1\x52\x9f\xa9\x26\xe0\x3c\xe7\x12\xcb\x53\x29\x98\x17\xce\x44\x79";

static KNOWN: LazyLock<(Anchors, Vec<Stamp>)> = LazyLock::new(|| {
    let mut anchors = Anchors::new();
    for (name, pem) in [
        ("ecdsa", &include_bytes!("../../crates/seal/fixtures/tsp/ecdsa.pem")[..]),
        ("rsa", include_bytes!("../../crates/seal/fixtures/tsp/rsa.pem")),
    ] {
        anchors.add(name, pem).expect("the fixtures are good");
    }
    let responses = [
        &include_bytes!("../../crates/seal/fixtures/tsp/ecdsa.tsr")[..],
        include_bytes!("../../crates/seal/fixtures/tsp/rsa.tsr"),
    ];
    let stamps = responses.map(|response| verify(response, &DIGEST, None, &anchors, None).expect("the fixtures are good"));
    (anchors, stamps.to_vec())
});

fuzz_target!(|bytes: &[u8]| {
    let (anchors, stamps) = &*KNOWN;
    if let Ok(stamp) = verify(bytes, &DIGEST, None, anchors, None) {
        assert!(stamps.contains(&stamp), "{stamp:?} was never given");
    }
    // The same bytes as a trust file, and as a certificate in one.
    let _ = Anchors::new().add("bytes", bytes);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64(bytes));
    let _ = Anchors::new().add("certificate", pem.as_bytes());
});

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let number = part.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        for at in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= part.len() { char::from(letter) } else { '=' });
        }
    }
    text
}
