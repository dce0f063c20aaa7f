//! Tiles, bundles, and proofs out of them: against the standard's numbers and a whole log that another program made.
#![allow(clippy::unwrap_used)]

mod common;

use std::{cell::RefCell, collections::BTreeMap, path::Path};

use common::{files, leaves, lines, vectors};
use proptest::prelude::*;
use seal::{
    audit::{self, Options, audit},
    checkpoint::{self, Checkpoint},
    note::{Note, VerifierKey},
    tile::{self, Edge, Level, Tile, WrongBundle},
    tree::{
        Frontier, Hash, MAX_SIZE, leaf_hash, prove_consistency, prove_inclusion, prove_prefix, root_of, roots_by_prefix,
        verify_consistency, verify_inclusion,
    },
};

#[test]
fn paths() {
    let hashes = Level::Hashes(0);
    for (tile, path) in [
        (Tile { level: hashes, index: 0, width: 256 }, "tile/0/000"),
        (Tile { level: hashes, index: 1_234_067, width: 256 }, "tile/0/x001/x234/067"),
        (Tile { level: hashes, index: 1000, width: 256 }, "tile/0/x001/000"),
        (Tile { level: Level::Hashes(7), index: 0, width: 1 }, "tile/7/000.p/1"),
        (Tile { level: Level::Entries, index: 999, width: 255 }, "tile/entries/999.p/255"),
    ] {
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
    }
    for path in [
        "",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/8/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/x001",
        "tile/0/+01",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/../000",
        "tile/data/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x000/001",
        "tile/0/\u{664}00",
    ] {
        assert!(path.parse::<Tile>().is_err(), "{path}");
    }
}

#[test]
fn the_numbers_in_the_standard() {
    let Some(folder) = vectors("tiles") else { return };
    for case in files(&folder).iter().flat_map(|file| lines(file)) {
        if let Some(path) = case["path"].as_str() {
            let tile = Tile { level: Level::Hashes(0), index: case["index"].as_u64().unwrap(), width: 256 };
            assert_eq!(tile.to_string(), format!("tile/0/{path}"));
        }
        if let Some(levels) = case["tiles"].as_object() {
            let touched: Vec<_> = tile::touched(0, case["tree_size"].as_u64().unwrap()).collect();
            for (level, wanted) in levels {
                let of = Level::Hashes(level.parse().unwrap());
                let full = touched.iter().filter(|tile| tile.level == of && tile.is_full()).count();
                let partial: Vec<_> = touched.iter().filter(|tile| tile.level == of && !tile.is_full()).collect();
                assert_eq!(Some(full as u64), wanted["full"].as_u64());
                assert_eq!(partial.first().map_or(0, |tile| tile.width.into()), wanted["partial"].as_u64().unwrap());
                assert!(partial.len() <= 1);
            }
            let top = levels.len() as u8;
            assert!(!touched.iter().any(|tile| tile.level == Level::Hashes(top)));
        }
    }
}

#[test]
fn bundles_are_read_strictly() {
    let all: [&[u8]; 3] = [b"one", b"", &[7; 65535]];
    let bytes = tile::bundle(&all).unwrap();
    assert_eq!(tile::entries(&bytes, 3).unwrap(), all);
    assert_eq!(tile::entries(&bytes, 2), Err(WrongBundle::Count(2)));
    assert_eq!(tile::entries(&bytes, 4), Err(WrongBundle::Count(4)));
    assert_eq!(tile::entries(&bytes[..bytes.len() - 1], 3), Err(WrongBundle::CutOff));
    assert_eq!(tile::entries(&[&bytes[..], &[0]].concat(), 3), Err(WrongBundle::CutOff));
    assert_eq!(tile::entries(&[], 1), Err(WrongBundle::Count(1)));
    assert_eq!(tile::bundle(&[vec![0; 65536]]), Err(WrongBundle::TooLong(65536)));
}

/// A log in memory: its files by path.
#[derive(Default)]
struct Log(BTreeMap<String, Vec<u8>>);

impl Log {
    /// All files of a log of these entries, as it is when it was written at these sizes.
    fn new(entries: &[Vec<u8>], sizes: &[usize]) -> Self {
        let mut files = BTreeMap::new();
        let hashes: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        for (old, new) in std::iter::once(0).chain(sizes.iter().copied()).zip(sizes) {
            for tile in tile::touched(old as u64, *new as u64) {
                let bytes = match tile.level {
                    Level::Entries => {
                        let start = tile.index as usize * 256;
                        tile::bundle(&entries[start..start + usize::from(tile.width)]).unwrap()
                    }
                    Level::Hashes(level) => (0..tile.width.into())
                        .flat_map(|at: u64| {
                            let unit = 256usize.pow(level.into());
                            let start = (tile.index * 256 + at) as usize * unit;
                            root_of(&hashes[start..start + unit])
                        })
                        .collect(),
                };
                files.insert(tile.to_string(), bytes);
            }
        }
        Self(files)
    }

    fn read(&self, path: &str) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).cloned())
    }

    fn audit(&self, size: u64, root: Hash) -> Result<audit::Audited, audit::Wrong> {
        audit(
            &mut |path: &str| self.read(path),
            &Checkpoint::new("log.sluis.example", size, root).unwrap(),
            Options::default(),
            |_, _| {},
        )
    }
}

#[test]
fn the_edge_grows_as_the_tree_does() {
    let leaves = leaves(1500);
    let (mut edge, mut frontier, mut full) = (Edge::new(), Frontier::new(), BTreeMap::new());
    for (at, leaf) in leaves.iter().enumerate() {
        edge.push(*leaf, &mut |tile, hashes| {
            assert!(tile.is_full() && full.insert(tile, hashes.to_vec()).is_none());
        });
        frontier.push(*leaf);
        if at % 97 == 0 || at + 1 == leaves.len() {
            assert_eq!(edge.root(), frontier.root(), "{at}");
            assert_eq!(edge.size(), at as u64 + 1);
            let again = Edge::from_tiles(edge.size(), |tile| {
                edge.partial().find(|(other, _)| other == tile).map(|(_, hashes)| hashes.as_flattened().to_vec())
            });
            assert_eq!(again.unwrap().root(), edge.root());
        }
    }
    let all: Vec<_> = tile::touched(0, 1500).filter(|tile| tile.level != Level::Entries).collect();
    let mut made: Vec<_> = full.keys().copied().chain(edge.partial().map(|(tile, _)| tile)).collect();
    made.sort();
    assert_eq!(made, all);
    assert_eq!(Edge::from_tiles(1500, |_| None), None);
    assert_eq!(Edge::from_tiles(0, |_| None), Some(Edge::new()));
}

#[test]
fn proofs_out_of_tiles() {
    let entries: Vec<_> = (0..70_000u32).map(|at| at.to_be_bytes().to_vec()).collect();
    let hashes: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let sizes = [1, 255, 256, 257, 600, 65_536, 65_537, 70_000];
    let log = Log::new(&entries, &sizes);
    for (at, size) in sizes.iter().enumerate() {
        let size = *size as u64;
        let root = root_of(&hashes[..size as usize]);
        let asked = RefCell::new(0);
        let mut nodes = tile::nodes(size, |tile| {
            *asked.borrow_mut() += 1;
            log.read(&tile.to_string()).unwrap()
        });
        for index in [0, 1, size / 3, size / 2, size - 1] {
            let index = index.min(size - 1);
            let path = prove_inclusion(index, size, &mut nodes).unwrap();
            assert_eq!(verify_inclusion(index, size, &hashes[index as usize], &path, &root), Ok(()));
        }
        for old in &sizes[..at] {
            let old_root = root_of(&hashes[..*old]);
            let path = prove_consistency(*old as u64, size, &mut nodes).unwrap();
            assert_eq!(verify_consistency(*old as u64, &old_root, size, &root, &path), Ok(()));
            let path = prove_prefix(*old as u64, size, &mut nodes).unwrap();
            assert_eq!(roots_by_prefix(*old as u64, size, &path), Ok((old_root, root)));
        }
        assert!(prove_inclusion(0, MAX_SIZE, &mut nodes).is_err());
        assert!(*asked.borrow() < 60, "tiles are kept");
    }
}

#[test]
fn a_log_that_grew_needs_no_partial_tile_that_is_full_now() {
    let entries: Vec<_> = (0..600u32).map(|at| at.to_be_bytes().to_vec()).collect();
    let hashes: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let mut log = Log::new(&entries, &[300, 600]);
    for path in ["tile/entries/001.p/44", "tile/0/001.p/44"] {
        assert!(log.0.remove(path).is_some());
    }
    assert_eq!(log.audit(300, root_of(&hashes[..300])).unwrap().tiles, 3);
    let path = prove_inclusion(299, 300, &mut tile::nodes(300, |tile| log.read(&tile.to_string()).unwrap())).unwrap();
    assert_eq!(verify_inclusion(299, 300, &hashes[299], &path, &root_of(&hashes[..300])), Ok(()));
}

#[test]
fn an_audit_sees_every_byte() {
    let entries: Vec<_> = (0..700u32).map(|at| [&at.to_be_bytes()[..], b"entry"].concat()).collect();
    let root = root_of(&entries.iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>());
    let log = Log::new(&entries, &[700]);
    let audited = log.audit(700, root).unwrap();
    assert_eq!((audited.entries, audited.sealed, audited.tiles, audited.passes), (700, 0, 4, 1));
    assert!(matches!(log.audit(700, [0; 32]), Err(audit::Wrong::Root)));
    assert!(matches!(log.audit(701, root), Err(audit::Wrong::Missing(_))));
    for path in log.0.keys() {
        let mut without = Log(log.0.clone());
        without.0.remove(path);
        assert!(matches!(without.audit(700, root), Err(audit::Wrong::Missing(missing)) if missing == *path));
        let length = log.0[path].len();
        for at in (0..length).step_by(1 + length / 40) {
            let mut altered = Log(log.0.clone());
            altered.0.get_mut(path).unwrap()[at] ^= 0x10;
            assert!(altered.audit(700, root).is_err(), "{path} at {at}");
        }
        for bent in [&log.0[path][1..], &[&log.0[path][..], &[0; 32]].concat()] {
            let mut altered = Log(log.0.clone());
            altered.0.insert(path.clone(), bent.to_vec());
            assert!(altered.audit(700, root).is_err(), "{path}");
        }
    }
    let unreadable = audit(
        &mut |_: &str| Err(std::io::Error::other("no disk")),
        &Checkpoint::new("log.sluis.example", 1, root).unwrap(),
        Options::default(),
        |_, _| {},
    );
    assert_eq!(unreadable.unwrap_err().to_string(), "tile/entries/000.p/1 could not be read: no disk");
}

/// Sealed records with these slots.
fn sealed(slots: &[u32]) -> Vec<Vec<u8>> {
    let part = |number: u32| leaf_hash(&number.to_be_bytes());
    slots.iter().enumerate().map(|(at, slot)| [&[1, 1][..], &part(*slot), &part(at as u32 + 1_000_000)].concat()).collect()
}

#[test]
fn a_slot_that_occurs_twice_refuses_the_log() {
    let slots: Vec<u32> = (0..2000).collect();
    for (first, second) in [(0, 1), (3, 1999), (700, 256), (1998, 1999)] {
        let mut slots = slots.clone();
        slots[second] = slots[first];
        let entries = sealed(&slots);
        let root = root_of(&entries.iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>());
        let log = Log::new(&entries, &[2000]);
        for marks in [1 << 20, 2000, 999, 100] {
            let checkpoint = Checkpoint::new("log.sluis.example", 2000, root).unwrap();
            let mut source = |path: &str| log.read(path);
            let (mut low, mut high) = (first as u64, second as u64);
            if high < low {
                std::mem::swap(&mut low, &mut high);
            }
            match audit(&mut source, &checkpoint, Options { slots: true, marks }, |_, _| {}) {
                Err(audit::Wrong::Slot { first, second }) => assert_eq!((first, second), (low, high)),
                other => panic!("{other:?}"),
            }
            assert!(audit(&mut source, &checkpoint, Options { slots: false, marks }, |_, _| {}).is_ok(), "not a log of Sluis");
        }
    }
}

#[test]
fn an_audit_in_parts_sees_each_entry_once() {
    let slots: Vec<u32> = (0..2000).collect();
    let entries = sealed(&slots);
    let root = root_of(&entries.iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>());
    let log = Log::new(&entries, &[2000]);
    let checkpoint = Checkpoint::new("log.sluis.example", 2000, root).unwrap();
    for (marks, passes) in [(2000, 1), (1999, 2), (300, 8), (20, 128)] {
        let mut seen = Vec::new();
        let audited = audit(&mut |path: &str| log.read(path), &checkpoint, Options { slots: true, marks }, |at, entry| {
            seen.push((at, entry.to_vec()))
        })
        .unwrap();
        assert_eq!((audited.sealed, audited.passes), (2000, passes));
        assert!(seen.iter().map(|(at, entry)| (*at as usize, entry)).eq(entries.iter().enumerate()));
    }
}

#[test]
fn slots_in_masses_and_entries_cut_short_refuse_the_log() {
    let check = |entries: &[Vec<u8>]| {
        let root = root_of(&entries.iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>());
        Log::new(entries, &[entries.len()]).audit(entries.len() as u64, root)
    };
    let slots: Vec<u32> = (0..5000).map(|at| at / 2).collect();
    assert!(matches!(check(&sealed(&slots)), Err(audit::Wrong::Alike)));
    let mut entries = sealed(&[1, 2, 3]);
    entries[1].pop();
    assert!(matches!(check(&entries), Err(audit::Wrong::Entry { index: 1, length: 65 })));
    entries[1] = vec![1, 2, 0, 0];
    assert_eq!(check(&entries).unwrap().sealed, 2);
    assert_eq!(check(&[]).unwrap().tiles, 0);
}

proptest! {
    #[test]
    fn what_is_read_is_written_back(path: String, bytes in prop::collection::vec(any::<u8>(), 0..100), width in 0u16..5) {
        if let Ok(tile) = path.parse::<Tile>() {
            prop_assert_eq!(tile.to_string(), path);
        }
        if let Ok(entries) = tile::entries(&bytes, width) {
            prop_assert_eq!(tile::bundle(&entries).unwrap(), bytes);
        }
    }

    #[test]
    fn every_tile_has_its_path(level in 0u8..8, index in 0u64..1 << 50, width in 1u16..=256) {
        for level in [Level::Entries, Level::Hashes(level)] {
            let tile = Tile { level, index, width };
            prop_assert_eq!(tile.to_string().parse(), Ok(tile));
        }
    }
}

/// The files below a folder, as a log.
fn on_disk(folder: &Path) -> impl FnMut(&str) -> std::io::Result<Option<Vec<u8>>> + '_ {
    |path| match std::fs::read(folder.join(path)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[test]
fn a_whole_log_of_tessera() {
    let Some(folder) = vectors("log-tessera") else { return };
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let key = VerifierKey::parse(index["vkey"].as_str().unwrap()).unwrap();
    let entries: Vec<_> = index["entries"].as_array().unwrap().iter().map(|entry| entry.as_str().unwrap().as_bytes()).collect();
    let (mut checkpoints, mut tiles) = (Vec::new(), 0);
    for file in files(&folder) {
        let name = file.strip_prefix(&folder).unwrap().to_str().unwrap();
        let bytes = std::fs::read(&file).unwrap();
        if name.starts_with("checkpoint") {
            let note = Note::parse(&bytes).unwrap();
            assert_eq!(note.to_string().into_bytes(), bytes);
            checkpoints.push(checkpoint::open(&note, &key).unwrap());
            for at in 0..bytes.len() {
                let mut altered = bytes.clone();
                altered[at] ^= 1;
                assert!(!Note::parse(&altered).is_ok_and(|note| checkpoint::open(&note, &key).is_ok()), "{name} at {at}");
            }
        } else if let Ok(tile) = name.parse::<Tile>() {
            tiles += 1;
            let start = tile.index as usize * 256;
            let here = &entries[start..start + usize::from(tile.width)];
            match tile.level {
                Level::Entries => {
                    assert_eq!(tile::entries(&bytes, tile.width).unwrap(), here);
                    assert_eq!(tile::bundle(here).unwrap(), bytes);
                }
                Level::Hashes(0) => {
                    assert_eq!(
                        tile::hashes(&bytes, tile.width).unwrap(),
                        here.iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>()
                    );
                }
                Level::Hashes(_) => panic!("a log of {} entries has no such tile", entries.len()),
            }
        }
    }
    let read = |tile: &Tile| std::fs::read(folder.join(tile.to_string())).ok();
    for new in &checkpoints {
        let mut seen = Vec::new();
        let foreign = Options { slots: false, ..Options::default() };
        audit(&mut on_disk(&folder), new, foreign, |_, entry| seen.push(entry.to_vec())).unwrap();
        assert_eq!(seen, entries[..new.size as usize]);
        let mut nodes = tile::nodes(new.size, read);
        for (index, entry) in entries.iter().enumerate().take(new.size as usize) {
            let path = prove_inclusion(index as u64, new.size, &mut nodes).unwrap();
            assert_eq!(verify_inclusion(index as u64, new.size, &leaf_hash(entry), &path, &new.root), Ok(()));
        }
        for old in checkpoints.iter().filter(|old| old.size > 0 && old.size <= new.size) {
            let path = prove_consistency(old.size, new.size, &mut nodes).unwrap();
            assert_eq!(verify_consistency(old.size, &old.root, new.size, &new.root, &path), Ok(()));
        }
        let edge = Edge::from_tiles(new.size, read).unwrap();
        assert_eq!((edge.size(), edge.root()), (new.size, new.root));
    }
    eprintln!("{} checkpoints, {tiles} tiles", checkpoints.len());
    assert!(checkpoints.len() > 1 && tiles > 1);
}
