//! A log that grows on a shelf that fails: it never tells two stories, and what was promised is never lost.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use proptest::prelude::*;
use seal::log::{Growth, Promise, Refused, promised, sign};
use seal::note::{Algorithm, Ed25519Signer};
use seal::shelf::{Memory, Shelf};
use seal::tile::{self, Level, Tile, WIDTH};
use seal::tree::{Hash, leaf_hash, root_of};

const ORIGIN: &str = "log.sluis.example/2026";
const PATH: &str = "signed/2026";

fn signer() -> Ed25519Signer {
    Ed25519Signer::new(ORIGIN, Algorithm::Ed25519, &[7; 32]).unwrap()
}

fn entry(index: u64) -> Vec<u8> {
    index.to_be_bytes()[..(index as usize % 8) + 1].to_vec()
}

/// What the node does: entries of the database onto the shelf, then promise and signature.
struct Node<'a> {
    shelf: &'a Memory,
    growth: Growth,
}

impl<'a> Node<'a> {
    /// As at a start: from the shelf when that can be, from the database otherwise.
    fn start(shelf: &'a Memory, database: &[Vec<u8>]) -> Result<Node<'a>, Refused> {
        let last = promised(shelf, PATH)?;
        let mut growth = None;
        if let Some(last) = &last {
            assert!(last.size <= database.len() as u64, "promised what the database never had");
            growth = Growth::resume(last.size, &last.tail, |tile| shelf.read(&tile.to_string()))?;
            growth = growth.filter(|growth| growth.root() == last.root);
        }
        let whole = growth.is_none();
        let mut growth = growth.unwrap_or_default();
        for entry in &database[growth.size() as usize..] {
            growth.push(entry).unwrap();
        }
        if whole {
            for (path, bytes) in growth.take_full() {
                if shelf.read(&path)?.is_some_and(|there| there != bytes) {
                    shelf.publish(&path, &bytes)?;
                } else {
                    shelf.keep(&[(path, bytes)])?;
                }
            }
        }
        Ok(Node { shelf, growth })
    }

    fn sign(&mut self) -> Result<(u64, Hash), Refused> {
        self.shelf.keep(&self.growth.take_full())?;
        sign(self.shelf, PATH, &Promise::of(ORIGIN, &self.growth), &signer())?;
        Ok((self.growth.size(), self.growth.root()))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever write fails, and wherever the process then begins anew: one root for one size, and every size that was signed
    /// is a beginning of what follows.
    #[test]
    fn one_story_whatever_fails(steps in proptest::collection::vec((0_u64..700, proptest::option::of(0_usize..12)), 1..12)) {
        let shelf = Memory::default();
        let mut database: Vec<Vec<u8>> = Vec::new();
        let mut signed: HashMap<u64, Hash> = HashMap::new();
        for (more, failure) in steps {
            // The transaction: entries are durable before anything else happens.
            for _ in 0..more {
                database.push(entry(database.len() as u64));
            }
            shelf.fail_after(failure);
            let done = Node::start(&shelf, &database).and_then(|mut node| node.sign());
            shelf.fail_after(None);
            if let Ok((size, root)) = done {
                prop_assert_eq!(size, database.len() as u64);
                prop_assert_eq!(*signed.entry(size).or_insert(root), root);
            } else {
                prop_assert!(failure.is_some());
            }
        }
        // It always comes back, and everything is on the shelf then.
        let mut node = Node::start(&shelf, &database).unwrap();
        node.sign().unwrap();
        let leaves: Vec<Hash> = database.iter().map(|entry| leaf_hash(entry)).collect();
        for (size, root) in &signed {
            prop_assert_eq!(root_of(&leaves[..*size as usize]), *root);
        }
        shelf.keep(&node.growth.partial().unwrap()).unwrap();
        for tile in tile::touched(0, database.len() as u64) {
            let bytes = shelf.read(&tile.to_string()).unwrap().expect("a tile is missing");
            if tile.level == Level::Entries {
                let from = (tile.index * WIDTH) as usize;
                prop_assert_eq!(tile::entries(&bytes, tile.width).unwrap(), &database[from..from + usize::from(tile.width)]);
            }
        }
    }
}

#[test]
fn resumes_from_full_tiles_alone() {
    let shelf = Memory::default();
    let mut growth = Growth::new();
    for index in 0..70_000 {
        growth.push(&entry(index)).unwrap();
    }
    shelf.keep(&growth.take_full()).unwrap();
    let read = |tile: &Tile| shelf.read(&tile.to_string());
    let again = Growth::resume(growth.size(), growth.tail(), read).unwrap().unwrap();
    assert_eq!(again, growth);
    let leaves: Vec<Hash> = (0..70_000).map(|index| leaf_hash(&entry(index))).collect();
    assert_eq!(again.root(), root_of(&leaves));
    // A tail of another length, and a tile that is gone, are no beginning.
    assert_eq!(Growth::resume(growth.size(), &[], read).unwrap(), None);
    shelf.lose("tile/0/269");
    assert_eq!(Growth::resume(growth.size(), growth.tail(), read).unwrap(), None);
}

#[test]
fn what_was_promised_is_never_taken_back() {
    let shelf = Memory::default();
    let mut growth = Growth::new();
    (0..300).for_each(|index| growth.push(&entry(index)).unwrap());
    let first = Promise::of(ORIGIN, &growth);
    assert_eq!(Promise::decode(&first.encode().unwrap()).as_ref(), Some(&first));
    let note = sign(&shelf, PATH, &first, &signer()).unwrap();
    // Once more the same: the same note.
    assert_eq!(sign(&shelf, PATH, &first, &signer()).unwrap(), note);
    let mut fork = first.clone();
    fork.root[0] ^= 1;
    assert!(matches!(sign(&shelf, PATH, &fork, &signer()), Err(Refused::Fork { size: 300 })));
    let smaller = Promise::of(ORIGIN, &Growth::new());
    assert!(matches!(sign(&shelf, PATH, &smaller, &signer()), Err(Refused::Behind { promised: 300, size: 0 })));
    let other = Promise { origin: "another.example/2026".into(), ..first.clone() };
    assert!(matches!(sign(&shelf, PATH, &other, &signer()), Err(Refused::Origin(_))));
    // Torn, or written over by somebody: nobody knows what was signed, so nothing is.
    for length in [0, 10, 40, first.encode().unwrap().len() - 1] {
        shelf.damage(PATH, &first.encode().unwrap()[..length]);
        assert!(matches!(sign(&shelf, PATH, &first, &signer()), Err(Refused::Damaged(_))), "{length}");
    }
}

#[test]
fn a_promise_that_cannot_be_kept_is_not_signed() {
    let shelf = Memory::default();
    let mut growth = Growth::new();
    growth.push(b"one").unwrap();
    shelf.fail_after(Some(0));
    assert!(matches!(sign(&shelf, PATH, &Promise::of(ORIGIN, &growth), &signer()), Err(Refused::Shelf(_))));
    shelf.fail_after(None);
    assert_eq!(promised(&shelf, PATH).unwrap(), None);
}

#[test]
fn tiles_that_stand_there_are_never_replaced() {
    let shelf = Memory::default();
    shelf.keep(&[("a".into(), b"beginning and end".to_vec())]).unwrap();
    // A torn file is completed; what differs is refused, and nothing of that write happens.
    shelf.damage("a", b"beginning");
    shelf.keep(&[("a".into(), b"beginning and end".to_vec())]).unwrap();
    assert_eq!(shelf.read("a").unwrap().unwrap(), b"beginning and end");
    assert!(shelf.keep(&[("b".into(), vec![1]), ("a".into(), b"another".to_vec())]).is_err());
    assert_eq!(shelf.read("b").unwrap(), None);
}
