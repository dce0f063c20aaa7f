//! How fast a log is audited, trees grow, and notes are opened: `cargo bench -p seal --bench audit`.
//!
//! The files of the log are in memory, so this is the auditor without the disk.

use std::collections::BTreeMap;

use divan::Bencher;
use divan::counter::ItemsCount;
use seal::audit::{self, Options};
use seal::checkpoint::Checkpoint;
use seal::cosignature;
use seal::note::{self, Algorithm, Ed25519Signer, Note, Signer};
use seal::tile::{self, Edge, Level, Tile};
use seal::tree::{Frontier, Hash, leaf_hash, verify_inclusion};

const ORIGIN: &str = "log.sluis.example/2026";
/// Not a power of two, so that there are partial tiles.
const ENTRIES: u32 = 1_000_003;

fn main() {
    divan::main();
}

/// A log of sealed records: its files, and its root.
fn log() -> (BTreeMap<String, Vec<u8>>, Hash) {
    let (mut files, mut edge, mut bundle) = (BTreeMap::new(), Edge::new(), Vec::new());
    for at in 0..ENTRIES {
        let slot = leaf_hash(&at.to_be_bytes());
        let entry = [&[1, 1][..], &slot, &leaf_hash(&slot)].concat();
        edge.push(leaf_hash(&entry), &mut |tile, hashes| {
            files.insert(tile.to_string(), hashes.as_flattened().to_vec());
        });
        bundle.push(entry);
        if bundle.len() == 256 || at + 1 == ENTRIES {
            let tile = Tile::at(Level::Entries, u64::from(at / 256), u64::from(ENTRIES)).expect("the bundle of this entry");
            files.insert(tile.to_string(), tile::bundle(&bundle).expect("short entries"));
            bundle.clear();
        }
    }
    for (tile, hashes) in edge.partial() {
        files.insert(tile.to_string(), hashes.as_flattened().to_vec());
    }
    (files, edge.root())
}

/// The whole audit: entries, tiles, root, slots. One item is one entry.
#[divan::bench(sample_count = 5)]
fn audit_a_million(bencher: Bencher<'_, '_>) {
    audit_with(bencher, Options::default());
}

/// The same in four parts, as a log of more than 96 million would be.
#[divan::bench(sample_count = 3)]
fn audit_a_million_in_four_parts(bencher: Bencher<'_, '_>) {
    audit_with(bencher, Options { marks: ENTRIES as usize / 4 + 1, ..Options::default() });
}

fn audit_with(bencher: Bencher<'_, '_>, options: Options) {
    let (files, root) = log();
    let checkpoint = Checkpoint::new(ORIGIN, ENTRIES.into(), root).expect("a good origin");
    bencher.counter(ItemsCount::new(ENTRIES)).bench_local(|| {
        let mut source = |path: &str| Ok(files.get(path).cloned());
        audit::audit(&mut source, &checkpoint, options, |_, _| {}).expect("a sound log")
    });
}

/// A tree grows by leaf hashes. One item is one leaf.
#[divan::bench(sample_count = 20)]
fn grow(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(10_000usize)).bench_local(|| {
        let mut frontier = Frontier::new();
        frontier.extend((0..10_000u32).map(|at| leaf_hash(&at.to_be_bytes())));
        frontier.root()
    });
}

/// A proof in a tree of 2^40 leaves. One item is one proof.
#[divan::bench]
fn check_inclusion(bencher: Bencher<'_, '_>) {
    let hash = leaf_hash(b"entry");
    let path = [hash; 40];
    bencher
        .counter(ItemsCount::new(1usize))
        .bench_local(|| verify_inclusion(divan::black_box(123_456_789), 1 << 40, &hash, &path, &hash).is_err());
}

/// A checkpoint is signed by the log and cosigned by a witness. One item is one checkpoint with both.
#[divan::bench]
fn sign_and_cosign(bencher: Bencher<'_, '_>) {
    let (log, witness) = signers();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| signed(&log, &witness));
}

/// A checkpoint with both signatures is read and opened. One item is one checkpoint.
#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    let (log, witness) = signers();
    let text = signed(&log, &witness).to_string();
    let keys = [log.key().clone(), witness.key().clone()];
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        let note = Note::parse(text.as_bytes()).expect("a good note");
        note::open(&note, &keys).expect("good signatures").verified.len()
    });
}

fn signers() -> (Ed25519Signer, Ed25519Signer) {
    let signer = |name, algorithm, seed| Ed25519Signer::new(name, algorithm, &[seed; 32]).expect("a good name");
    (signer(ORIGIN, Algorithm::Ed25519, 1), signer("witness.example/w1", Algorithm::Cosignature, 2))
}

fn signed(log: &Ed25519Signer, witness: &Ed25519Signer) -> Note {
    let checkpoint = Checkpoint::new(ORIGIN, 64, [7; 32]).expect("a good origin");
    let mut note = checkpoint.sign(&[log]).expect("a key in memory signs");
    note.lines.push(cosignature::sign(&note.text, 1_771_000_000, witness).expect("a key in memory signs"));
    note
}
