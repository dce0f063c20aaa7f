//! What proves a publication and its entries in the log: bytes of nobody as such proofs and as the desk's list, and good ones that are
//! tampered with. Nothing panics, what is read is written as the same bytes, and nothing is proven but what the log has. The first byte says
//! which.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use matching::envelope::Kind;
use seal::{
    checkpoint::Checkpoint,
    note::{Algorithm, Ed25519Signer},
    tree::{self, Hash, leaf_hash},
};
use watchlist::{
    holder::desk::DeskList,
    log::{
        Anchor, LogProof, Seen, check,
        listed::{Salts, check_capsule, check_reason, seal_entry},
        published,
    },
};

/// Where the entry stands.
const ENTRY: u64 = 7;
/// Entries before the publication, and what a provider saw before.
const BEFORE: usize = 20;
const SEEN: usize = 10;
const CAPSULE: &[u8] = b"names";
const REASON: &[u8] = b"why";

/// A log with an entry and a publication at its end.
struct Good {
    anchor: Anchor,
    hashes: Vec<Hash>,
    leaf: Vec<u8>,
    proof: Vec<u8>,
    capsule_proof: Vec<u8>,
    reason_proof: Vec<u8>,
}

impl Good {
    /// The log when it had as many entries.
    fn at(&self, size: usize) -> Option<Seen> {
        Some(Seen { size: size as u64, root: tree::root_of(self.hashes.get(..size)?) })
    }

    fn is_true(&self, seen: &Seen) -> bool {
        usize::try_from(seen.size).ok().and_then(|size| self.at(size)).as_ref() == Some(seen)
    }
}

/// The nodes of a tree.
fn nodes(hashes: &[Hash]) -> impl FnMut(u8, u64) -> Option<Hash> {
    |level, index| {
        let (start, size) = (usize::try_from(index).ok()? << level, 1 << level);
        hashes.get(start..start + size).map(tree::root_of)
    }
}

fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let sealed = seal_entry(&Salts::of(&[3; 32], [1; 16], 1), CAPSULE, REASON);
        let mut hashes: Vec<Hash> = (0..BEFORE as u64).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        hashes[ENTRY as usize] = leaf_hash(&sealed.leaf);
        let leaf = published(Kind::Delta, &[5; 32]);
        let root = tree::root_of(&hashes);
        let path = tree::prove_inclusion(ENTRY, BEFORE as u64, &mut nodes(&hashes)).expect("an entry");
        hashes.push(leaf_hash(&leaf));
        let size = hashes.len() as u64;
        let signer = Ed25519Signer::new("list.example/one", Algorithm::Ed25519, &[7; 32]).expect("a key");
        let anchor = Anchor::parse(&seal::note::Signer::key(&signer).to_string()).expect("a key of a log");
        let checkpoint = Checkpoint::new("list.example/one", size, tree::root_of(&hashes)).expect("a checkpoint");
        let consistency = |old: usize| tree::prove_consistency(old as u64, size, &mut nodes(&hashes)).expect("a proof");
        let proof = LogProof {
            checkpoint: checkpoint.sign(&[&signer]).expect("a signature").to_string(),
            index: BEFORE as u64,
            path: tree::prove_inclusion(BEFORE as u64, size, &mut nodes(&hashes)).expect("a path"),
            since: vec![(3, consistency(3)), (SEEN as u64, consistency(SEEN))],
            entries: Seen { size: BEFORE as u64, root },
            entries_path: consistency(BEFORE),
        };
        let good = Good {
            capsule_proof: sealed.capsule_proof(ENTRY, BEFORE as u64, &path),
            reason_proof: sealed.reason_proof(),
            proof: proof.encode(),
            anchor,
            hashes,
            leaf,
        };
        let checked = check::check(&proof, &good.anchor, &good.leaf, good.at(SEEN).as_ref(), None).expect("a good proof");
        let logged = check_capsule(&good.capsule_proof, CAPSULE, &[checked.entries]).expect("a good capsule");
        check_reason(&logged, &good.reason_proof, REASON).expect("a good reason");
        good
    })
}

/// Whatever it says, it proves only what is so.
fn proof(bytes: &[u8]) {
    let good = good();
    let Ok(proof) = LogProof::decode(bytes) else { return };
    assert_eq!(proof.encode(), bytes);
    for seen in [None, good.at(SEEN), good.at(BEFORE), Some(Seen { size: SEEN as u64, root: [0; 32] })] {
        if let Ok(checked) = check::check(&proof, &good.anchor, &good.leaf, seen.as_ref(), None) {
            assert!(good.at(good.hashes.len()) == Some(checked.seen) && good.is_true(&checked.entries), "a log that is not");
            assert!(seen.is_none_or(|seen| good.is_true(&seen)), "a second story");
        }
    }
}

fn listed(capsule_proof: &[u8], capsule: &[u8], reason_proof: &[u8], reason: &[u8]) {
    let good = good();
    let roots: Vec<Seen> = good.at(BEFORE).into_iter().chain(good.at(SEEN)).collect();
    if let Ok(logged) = check_capsule(capsule_proof, capsule, &roots) {
        assert_eq!((logged.index, capsule), (ENTRY, CAPSULE));
        if check_reason(&logged, reason_proof, reason).is_ok() {
            assert_eq!(reason, REASON);
        }
    }
}

fn anything(bytes: &[u8]) {
    proof(bytes);
    let (one, two) = bytes.split_at(bytes.len() / 2);
    listed(one, two, two, one);
    if let Ok(list) = DeskList::decode(bytes) {
        assert_eq!(&list.encode()[..], bytes);
    }
}

/// Changes bytes of several parts, as if they were one: places and values come from the input.
fn tampered<const N: usize>(parts: [&[u8]; N], changes: &[u8]) -> [Vec<u8>; N] {
    let mut parts = parts.map(<[u8]>::to_vec);
    for change in changes.chunks_exact(4) {
        let part = &mut parts[usize::from(change[0]) % N];
        let at = usize::from(u16::from_be_bytes([change[1], change[2]])) % part.len();
        part[at] ^= change[3];
    }
    parts
}

fuzz_target!(|bytes: &[u8]| {
    let good = good();
    match bytes.split_first() {
        Some((0..=99, rest)) => anything(rest),
        Some((100..=199, rest)) => proof(&tampered([&good.proof], rest)[0]),
        Some((_, rest)) => {
            let [one, two, three, four] = tampered([&good.capsule_proof, CAPSULE, &good.reason_proof, REASON], rest);
            listed(&one, &two, &three, &four);
        }
        None => {}
    }
});
