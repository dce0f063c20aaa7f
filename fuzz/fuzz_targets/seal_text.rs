//! The texts and bundles of the log: notes, checkpoints, keys, proofs in files, fork proofs, tile paths, entry bundles. What is
//! read is written back byte for byte, and nothing that the fuzzer made is proven. The first byte says what the rest is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seal::{
    checkpoint::Checkpoint,
    fork::ForkProof,
    note::{self, Algorithm, Ed25519Signer, Note, Signer, VerifierKey},
    proof::Proof,
    tile::{self, Tile},
    tree::{Hash, leaf_hash, prove_consistency, prove_inclusion, roots_by_prefix, verify_consistency, verify_inclusion},
};

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    // A key that signed none of this.
    let Ok(signer) = Ed25519Signer::new("log.sluis.example/2026", Algorithm::Ed25519, &[77; 32]) else { return };
    let key = signer.key();
    let leaf = leaf_hash(bytes);
    match kind % 7 {
        0 => {
            if let Ok(note) = Note::parse(bytes) {
                assert_eq!(note.to_string().as_bytes(), bytes);
                assert!(note::open(&note, std::slice::from_ref(key)).is_err());
            }
        }
        1 => {
            if let Ok(proof) = Proof::parse(bytes) {
                assert_eq!(proof.to_string().as_bytes(), bytes);
                assert!(proof.verify(&leaf, key).is_err());
            }
        }
        2 => {
            if let Ok(proof) = ForkProof::parse(bytes) {
                assert_eq!(proof.to_string().as_bytes(), bytes);
                assert!(proof.verify(key.name(), key).is_err());
            }
        }
        3 => {
            if let Ok(checkpoint) = Checkpoint::parse(&text) {
                assert_eq!(checkpoint.to_string(), text);
            }
        }
        4 => {
            if let Ok(key) = VerifierKey::parse(&text) {
                assert_eq!(key.to_string(), text);
            }
            if let Ok(tile) = text.parse::<Tile>() {
                assert_eq!(tile.to_string(), text);
            }
        }
        5 => {
            let Some((width, bytes)) = bytes.split_first() else { return };
            let width = u16::from(*width) + 1;
            if let Ok(entries) = tile::entries(bytes, width) {
                assert_eq!(tile::bundle(&entries).as_deref(), Ok(bytes));
            }
            let _ = tile::hashes(bytes, width);
        }
        _ => {
            // Two numbers, then hashes.
            let Some((one, rest)) = bytes.split_first_chunk::<8>() else { return };
            let Some((two, rest)) = rest.split_first_chunk::<8>() else { return };
            let (one, two) = (u64::from_be_bytes(*one), u64::from_be_bytes(*two));
            let path: Vec<Hash> = rest.as_chunks::<32>().0.to_vec();
            assert!(verify_inclusion(one, two, &leaf, &path, &[0; 32]).is_err());
            assert!(one == two || verify_consistency(one, &leaf, two, &[0; 32], &path).is_err());
            let _ = roots_by_prefix(one, two, &path);
            // Trees of one leaf over and over: every proof that can be made verifies.
            let mut nodes = |level: u8, _: u64| (0..level).try_fold(leaf, |hash, _| Some(seal::tree::node_hash(&hash, &hash)));
            if let Ok(path) = prove_inclusion(one, two, &mut nodes) {
                let root = seal::tree::range_root(0, two, &mut nodes).unwrap_or_default();
                assert_eq!(verify_inclusion(one, two, &leaf, &path, &root), Ok(()));
            }
            if let Ok(path) = prove_consistency(one, two, &mut nodes) {
                let old = seal::tree::range_root(0, one, &mut nodes).unwrap_or_default();
                let new = seal::tree::range_root(0, two, &mut nodes).unwrap_or_default();
                assert_eq!(verify_consistency(one, &old, two, &new, &path), Ok(()));
            }
        }
    }
});
