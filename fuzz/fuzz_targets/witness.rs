//! What is asked of a witness, and what a witness answers. What is read is written back byte for byte; nothing that the fuzzer made
//! is cosigned, and no answer that it made holds a cosignature.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seal::{
    note::{Algorithm, Ed25519Signer, Signer},
    witness::{Request, cosignatures, of_origin, size_of},
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(log) = Ed25519Signer::new("log.sluis.example/2026", Algorithm::Ed25519, &[77; 32]) else { return };
    let Ok(witness) = Ed25519Signer::new("witness.example/w", Algorithm::Cosignature, &[78; 32]) else { return };
    if let Ok(request) = Request::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
        assert!(request.open(|origin| of_origin(log.key(), origin, 2100).into_iter().collect()).is_err());
    }
    assert!(
        cosignatures(
            "log.sluis.example/2026\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
            bytes,
            &[witness.key().clone()]
        )
        .is_empty()
    );
    let _ = size_of(bytes);
});
