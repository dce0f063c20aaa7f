//! Proofs in files: of inclusion, and of forks. What proves nothing accuses nobody.
#![allow(clippy::unwrap_used)]

mod common;

use common::leaves;
use proptest::prelude::*;
use seal::{
    checkpoint::Checkpoint,
    cosignature,
    fork::{Evidence, ForkProof, Wrong},
    note::{Algorithm, Ed25519Signer, Note, Signer, VerifierKey},
    proof::{self, Proof},
    tree::{Hash, leaf_hash, prove_consistency, prove_inclusion, root_of},
};

const ORIGIN: &str = "log.sluis.example/2026";

fn log() -> Ed25519Signer {
    Ed25519Signer::new(ORIGIN, Algorithm::Ed25519, &[1; 32]).unwrap()
}

fn key() -> VerifierKey {
    log().key().clone()
}

/// A signed checkpoint over these leaves.
fn checkpoint(leaves: &[Hash]) -> Note {
    signed(leaves.len() as u64, root_of(leaves))
}

fn signed(size: u64, root: Hash) -> Note {
    Checkpoint::new(ORIGIN, size, root).unwrap().sign(&[&log()]).unwrap()
}

fn nodes(leaves: &[Hash]) -> impl FnMut(u8, u64) -> Option<Hash> + '_ {
    |level, index| leaves.get((index as usize) << level..(index as usize + 1) << level).map(root_of)
}

/// Two histories: the same, but for one leaf.
fn histories(size: usize, other: usize, differs: usize) -> (Vec<Hash>, Vec<Hash>) {
    let one = leaves(size);
    let mut two = leaves(other);
    two[differs] = leaf_hash(b"what was not told");
    (one, two)
}

fn inclusion() -> (Proof, Hash) {
    let leaves = leaves(100);
    let path = prove_inclusion(17, 100, &mut nodes(&leaves)).unwrap();
    let mut note = checkpoint(&leaves);
    let witness = Ed25519Signer::new("witness.example/w1", Algorithm::Cosignature, &[2; 32]).unwrap();
    note.lines.push(cosignature::sign(&note.text, 1_771_000_000, &witness).unwrap());
    (Proof { extra: Some(b"how it came".to_vec()), index: 17, path, checkpoint: note }, leaves[17])
}

#[test]
fn a_proof_is_read_as_it_was_written() {
    let (proof, leaf) = inclusion();
    let text = proof.to_string();
    assert_eq!(Proof::parse(text.as_bytes()), Ok(proof.clone()));
    assert_eq!(proof.verify(&leaf, &key()).unwrap().size, 100);
    let bare = Proof { extra: None, ..proof };
    assert_eq!(Proof::parse(bare.to_string().as_bytes()), Ok(bare.clone()));
    assert!(bare.to_string().starts_with("c2sp.org/tlog-proof@v1\nindex 17\n"));
    // A tree of one entry has an empty path.
    let one = leaves(1);
    let proof = Proof { extra: None, index: 0, path: Vec::new(), checkpoint: checkpoint(&one) };
    assert_eq!(Proof::parse(proof.to_string().as_bytes()), Ok(proof.clone()));
    assert!(proof.verify(&one[0], &key()).is_ok());
}

#[test]
fn a_proof_of_something_else_is_refused() {
    let (proof, leaf) = inclusion();
    assert!(matches!(proof.verify(&leaf_hash(b"other"), &key()), Err(proof::Wrong::Path(_))));
    assert!(Proof { index: 18, ..proof.clone() }.verify(&leaf, &key()).is_err());
    let stranger = Ed25519Signer::new(ORIGIN, Algorithm::Ed25519, &[9; 32]).unwrap();
    assert!(matches!(proof.verify(&leaf, stranger.key()), Err(proof::Wrong::Checkpoint(_))));
    let other = Proof { checkpoint: checkpoint(&leaves(101)), ..proof };
    assert!(other.verify(&leaf, &key()).is_err());
}

#[test]
fn proofs_that_are_none() {
    let good = inclusion().0.to_string();
    for (name, text) in [
        ("nothing", String::new()),
        ("another version", good.replace("@v1", "@v2")),
        ("no index", good.replace("index 17\n", "")),
        ("a leading zero", good.replace("index 17", "index 017")),
        ("an index that no tree has", good.replace("index 17", "index 9223372036854775807")),
        ("no extra after the word", good.replacen("extra aG93IGl0IGNhbWU=", "extra ", 1)),
        ("extra twice", good.replacen("index 17", "extra AAAA\nindex 17", 1)),
        ("a hash too short", good.replacen("index 17\n", "index 17\nAAAA\n", 1)),
        (
            "a path too long",
            good.replacen("index 17\n", &format!("index 17\n{}", format!("{}=\n", "A".repeat(43)).repeat(60)), 1),
        ),
        ("an empty line too many", good.replacen("\n\n", "\n\n\n", 1)),
        ("carriage returns", good.replace('\n', "\r\n")),
        ("no checkpoint", good.split_once("\n\n").unwrap().0.to_owned() + "\n\n"),
    ] {
        assert!(Proof::parse(text.as_bytes()).is_err(), "{name}");
    }
    assert!(Proof::parse(&vec![b'a'; proof::MAX_FILE + 1]).is_err());
}

#[test]
fn forks_of_every_kind_are_proven() {
    for (size, other, differs) in
        [(64, 100, 3), (64, 100, 63), (63, 64, 0), (1, 2, 0), (37, 300, 36), (100, 100, 50), (128, 128, 0)]
    {
        let (one, two) = histories(size, other, differs);
        let pair = || (checkpoint(&one), checkpoint(&two));
        let mut proofs = vec![
            ForkProof::by_prefix(pair().0, pair().1, ORIGIN, &key(), &mut nodes(&two)).unwrap(),
            ForkProof::by_entry(pair(), ORIGIN, &key(), differs as u64, &mut nodes(&one), &mut nodes(&two)).unwrap(),
        ];
        if size == other {
            proofs.push(ForkProof::of_equal_size(pair().0, pair().1, ORIGIN, &key()).unwrap());
            assert_eq!(ForkProof::of_equal_size(pair().1, pair().0, ORIGIN, &key()), Ok(proofs[2].clone()), "any order");
        }
        for proof in proofs {
            let text = proof.to_string();
            assert_eq!(ForkProof::parse(text.as_bytes()), Ok(proof.clone()), "{text}");
            let fork = proof.verify(ORIGIN, &key()).unwrap();
            assert_eq!((fork.earlier.size, fork.later.size), (size as u64, other as u64));
        }
    }
}

#[test]
fn an_honest_log_is_not_accused() {
    let leaves = leaves(300);
    for (old, new) in [(1, 2), (64, 100), (99, 300), (128, 256), (255, 255)] {
        let (one, two) = (&leaves[..old], &leaves[..new]);
        let pair = || (checkpoint(one), checkpoint(two));
        let unproven = |result: Result<ForkProof, Wrong>| assert!(matches!(result, Err(Wrong::Unproven(_))), "{result:?}");
        unproven(ForkProof::of_equal_size(pair().0, pair().1, ORIGIN, &key()));
        unproven(ForkProof::by_prefix(pair().0, pair().1, ORIGIN, &key(), &mut nodes(two)));
        unproven(ForkProof::by_entry(pair(), ORIGIN, &key(), 0, &mut nodes(one), &mut nodes(two)));
        // A consistency proof, as it is or with any hash in front, shows the opposite.
        let path = prove_consistency(old as u64, new as u64, &mut nodes(two)).unwrap();
        for front in [None, Some(leaves[0]), Some([0; 32])] {
            let path: Vec<_> = front.into_iter().chain(path.iter().copied()).collect();
            let proof = ForkProof { earlier: pair().0, later: pair().1, evidence: Evidence::Prefix(path) };
            assert!(proof.verify(ORIGIN, &key()).is_err());
        }
    }
    // Of equal sizes, only the roots may speak.
    let (one, two) = histories(64, 64, 3);
    let mut proof = ForkProof::of_equal_size(checkpoint(&one), checkpoint(&two), ORIGIN, &key()).unwrap();
    proof.evidence = Evidence::Prefix(vec![root_of(&one)]);
    assert!(matches!(proof.verify(ORIGIN, &key()), Err(Wrong::Text(_))));
}

#[test]
fn two_signed_sizes_without_hashes_are_unproven() {
    let (one, two) = histories(64, 100, 3);
    let proof = ForkProof { earlier: checkpoint(&one), later: checkpoint(&two), evidence: Evidence::Size };
    assert!(matches!(proof.verify(ORIGIN, &key()), Err(Wrong::Unproven(_))));
    let proof = ForkProof { earlier: checkpoint(&one), later: checkpoint(&two), evidence: Evidence::Prefix(Vec::new()) };
    assert!(matches!(proof.verify(ORIGIN, &key()), Err(Wrong::Unproven(_))));
    // Leaves at different indexes differ, of course.
    let path =
        |leaves: &[Hash], index| (leaves[index], prove_inclusion(index as u64, leaves.len() as u64, &mut nodes(leaves)).unwrap());
    let evidence = Evidence::Entry { index: 5, earlier: path(&one, 5), later: path(&two, 6) };
    let proof = ForkProof { earlier: checkpoint(&one), later: checkpoint(&two), evidence };
    assert!(matches!(proof.verify(ORIGIN, &key()), Err(Wrong::Unproven(_))));
    // The same checkpoint twice.
    assert!(matches!(ForkProof::of_equal_size(checkpoint(&one), checkpoint(&one), ORIGIN, &key()), Err(Wrong::Unproven(_))));
}

#[test]
fn what_the_log_did_not_sign_accuses_nobody() {
    let (one, two) = histories(64, 64, 3);
    let good = ForkProof::of_equal_size(checkpoint(&one), checkpoint(&two), ORIGIN, &key()).unwrap();
    let stranger = Ed25519Signer::new(ORIGIN, Algorithm::Ed25519, &[9; 32]).unwrap();
    assert!(matches!(good.verify(ORIGIN, stranger.key()), Err(Wrong::Checkpoint(_))));
    assert!(matches!(good.verify("log.other.example", &key()), Err(Wrong::Checkpoint(_))));
    let mut forged = good.clone();
    forged.later.text = forged.earlier.text.replace("64", "65");
    assert!(matches!(forged.verify(ORIGIN, &key()), Err(Wrong::Checkpoint(_))));
    let swapped = ForkProof { earlier: good.later.clone(), later: good.earlier.clone(), ..good };
    assert!(matches!(swapped.verify(ORIGIN, &key()), Err(Wrong::Text(_))), "there is one file for each proof");
}

#[test]
fn fork_proofs_that_are_none() {
    let (one, two) = histories(64, 100, 3);
    let good =
        ForkProof::by_entry((checkpoint(&one), checkpoint(&two)), ORIGIN, &key(), 3, &mut nodes(&one), &mut nodes(&two)).unwrap();
    let good = good.to_string();
    for (name, text) in [
        ("nothing", String::new()),
        ("another version", good.replace("/v1", "/v2")),
        ("another kind", good.replace("entry 3", "leaf 3")),
        ("a leading zero", good.replace("entry 3", "entry 03")),
        ("no later leaf", good.replace("later ", "earlier ")),
        ("a line too few in a checkpoint", good.replacen("checkpoint 5", "checkpoint 4", 1)),
        ("a line too many", good.replacen("checkpoint 5", "checkpoint 6", 1)),
        ("more lines than there are", good.replace("checkpoint 5", "checkpoint 18446744073709551615")),
        ("something after it", format!("{good}end\n")),
        ("no last line feed", good.trim_end().to_owned()),
        ("a path too long", good.replacen("hash ", &format!("hash {}=\nhash ", "A".repeat(43)).repeat(65), 1)),
        ("a hash too short", good.replacen("hash ", "hash AAAA\nhash ", 1)),
    ] {
        assert!(ForkProof::parse(text.as_bytes()).is_err(), "{name}");
    }
}

/// Of our own: its bytes stand here, for other verifiers too.
#[test]
fn a_proof_of_our_own() {
    let expected = include_str!("vectors/proof.txt");
    let (proof, leaf) = inclusion();
    assert_eq!(proof.to_string(), expected);
    assert_eq!(Proof::parse(expected.as_bytes()).unwrap().verify(&leaf, &key()).unwrap().size, 100);
}

/// Likewise.
#[test]
fn a_fork_proof_of_our_own() {
    let expected = include_str!("vectors/fork-proof.txt");
    let (one, two) = histories(3, 4, 1);
    let proof = ForkProof::by_prefix(checkpoint(&one), checkpoint(&two), ORIGIN, &key(), &mut nodes(&two)).unwrap();
    assert_eq!(proof.to_string(), expected);
    assert!(ForkProof::parse(expected.as_bytes()).unwrap().verify(ORIGIN, &key()).is_ok());
}

proptest! {
    /// A byte of a proof changed: nothing is proven, unless it stands in what nobody signed.
    #[test]
    fn a_changed_byte_is_refused(at: prop::sample::Index, bit in 0u8..8) {
        let (proof, leaf) = inclusion();
        let bare = Proof { extra: None, ..proof };
        let mut bytes = bare.to_string().into_bytes();
        // The cosignature is for the policy to judge, whose key is not known here.
        let signed = bytes.len() - bare.checkpoint.lines[1].to_string().len() - 1;
        bytes[at.index(signed)] ^= 1 << bit;
        if let Ok(read) = Proof::parse(&bytes) {
            prop_assert!(read.verify(&leaf, &key()).is_err());
        }

        let (one, two) = histories(13, 21, 3);
        let pair = || (checkpoint(&one), checkpoint(&two));
        for proof in [
            ForkProof::by_prefix(pair().0, pair().1, ORIGIN, &key(), &mut nodes(&two)).unwrap(),
            ForkProof::by_entry(pair(), ORIGIN, &key(), 3, &mut nodes(&one), &mut nodes(&two)).unwrap(),
        ] {
            let mut bytes = proof.to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(read) = ForkProof::parse(&bytes) {
                prop_assert!(read.verify(ORIGIN, &key()).is_err());
            }
        }
    }

    #[test]
    fn what_is_read_is_written_back(head: String, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let note = checkpoint(&leaves(3)).to_string();
        for bytes in [format!("c2sp.org/tlog-proof@v1\n{head}\n\n{note}").into_bytes(), bytes] {
            if let Ok(proof) = Proof::parse(&bytes) {
                prop_assert_eq!(proof.to_string().into_bytes(), bytes);
            } else if let Ok(proof) = ForkProof::parse(&bytes) {
                prop_assert_eq!(proof.to_string().into_bytes(), bytes);
            }
        }
    }
}
