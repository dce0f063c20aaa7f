//! The auditor: a whole log reckoned again from its entries, against its tiles and its checkpoint, and no slot twice.
//!
//! Entries are read bundle by bundle and forgotten. What is kept is the right edge of the tree (some kilobytes) and, for the
//! slots, eight bytes for each entry of a pass: see [`Options::marks`].

use std::io;

use sha2::{Digest, Sha256};

use crate::{
    checkpoint::Checkpoint,
    tile::{self, Edge, Level, Tile, WIDTH},
    tree::{Frontier, Hash, leaf_hash},
};

/// The most slots of different records whose marks may be alike before that counts as made on purpose.
const MOST_ALIKE: usize = 1024;
/// An entry that begins so is a sealed record: see `docs/seal.md` 1.
const SEALED: [u8; 2] = [0x01, 0x01];
/// Bytes of the entry of a sealed record: mark, slot, commitment.
const SEALED_LENGTH: usize = 66;

/// Where a log lies: a folder, or a server.
pub trait Source {
    /// The bytes of a file below the log, `tile/0/000` for instance; nothing when there is none.
    ///
    /// The source bounds what it reads: no file is larger than [`tile::MAX_FILE`].
    ///
    /// # Errors
    /// When it cannot be known whether there is such a file, or it cannot be read.
    fn read(&mut self, path: &str) -> io::Result<Option<Vec<u8>>>;
}

impl<F: FnMut(&str) -> io::Result<Option<Vec<u8>>>> Source for F {
    fn read(&mut self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self(path)
    }
}

/// What is wrong with a log.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// A file could not be read.
    #[error("{path} could not be read: {error}")]
    Read {
        /// Path below the log.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A file is missing, and the full one that may stand for it too.
    #[error("{0} is missing")]
    Missing(String),
    /// The bytes of a bundle are not entries.
    #[error("{path}: {wrong}")]
    Bundle {
        /// Path below the log.
        path: String,
        /// What is wrong.
        wrong: tile::WrongBundle,
    },
    /// The hashes of a tile are not those of the entries.
    #[error("{0} does not hold the hashes of the entries")]
    Tile(String),
    /// The entries have another root than the checkpoint says.
    #[error("the entries do not have the root of the checkpoint")]
    Root,
    /// An entry says to be a sealed record and is none.
    #[error("entry {index} begins like a sealed record and has {length} bytes instead of 66")]
    Entry {
        /// Index of the entry, from 0.
        index: u64,
        /// Its bytes.
        length: usize,
    },
    /// A slot occurs twice: there are two histories of one case.
    #[error("entries {first} and {second} are in one slot: two records for one place in one stream")]
    Slot {
        /// Index of the one entry.
        first: u64,
        /// Index of the other.
        second: u64,
    },
    /// Too many slots look alike to be chance.
    #[error("more than {MOST_ALIKE} slots look alike: the log was made so on purpose, or holds slots many times")]
    Alike,
}

/// How to audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether entries are those of Sluis, with slots. In other logs an entry may begin with any bytes.
    pub slots: bool,
    /// How many slots are held against each other at once, in 8 bytes each. When there may be more, the entries are read again
    /// for each further part: 32 Mi entries (256 MiB) at once let a log of 100 million be read four times.
    pub marks: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { slots: true, marks: 32 << 20 }
    }
}

/// What was found in a sound log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Audited {
    /// Entries.
    pub entries: u64,
    /// Those with a slot: sealed records and padding.
    pub sealed: u64,
    /// Tiles that were compared.
    pub tiles: u64,
    /// How often all entries were read.
    pub passes: u64,
}

/// Audits the log that a checkpoint is about. The checkpoint must have been opened with the log's key.
///
/// `entry` gets every entry with its index, once, in order, before it is known whether the whole is sound.
///
/// # Errors
/// The first thing that is wrong.
pub fn audit(
    source: &mut impl Source,
    checkpoint: &Checkpoint,
    options: Options,
    mut entry: impl FnMut(u64, &[u8]),
) -> Result<Audited, Wrong> {
    let size = checkpoint.size;
    let mut audited = Audited { entries: size, ..Audited::default() };
    // The slots of a pass are those whose mark falls in its part. The mark depends on the root, so nobody can choose entries
    // whose marks fall together: they would have to know the root before they choose.
    let parts = size.div_ceil(options.marks.max(1) as u64).next_power_of_two();
    let mut alike = Vec::new();
    for part in 0..parts {
        // Room for what is expected and somewhat more, so that growing does not take twice the memory for a moment.
        let expected = if options.slots { (size / parts) as usize } else { 0 };
        let mut marks = Vec::with_capacity(expected + expected / 64);
        let mut see = |index, bytes: &[u8]| {
            if part == 0 {
                entry(index, bytes);
            }
            if options.slots
                && let Some(slot) = slot_of(index, bytes)?
            {
                audited.sealed += u64::from(part == 0);
                let mark = mark_of(&checkpoint.root, slot);
                if mark % parts == part {
                    marks.push(mark);
                }
            }
            Ok(())
        };
        if part == 0 {
            audited.tiles = walk_with_tiles(source, checkpoint, &mut see)?;
        } else {
            walk(source, checkpoint, &mut see)?;
        }
        audited.passes += 1;
        marks.sort_unstable();
        alike.extend(marks.array_windows().filter(|[one, other]| one == other).map(|[one, _]| *one));
        alike.dedup();
        if alike.len() > MOST_ALIKE {
            return Err(Wrong::Alike);
        }
        if !options.slots {
            break;
        }
    }
    if !alike.is_empty() {
        audited.passes += 1;
        alike.sort_unstable();
        same_slot(source, checkpoint, &alike)?;
    }
    Ok(audited)
}

/// The slot of a sealed record.
fn slot_of(index: u64, entry: &[u8]) -> Result<Option<&Hash>, Wrong> {
    match entry.strip_prefix(&SEALED) {
        None => Ok(None),
        Some(_) if entry.len() != SEALED_LENGTH => Err(Wrong::Entry { index, length: entry.len() }),
        Some(rest) => Ok(rest.first_chunk()),
    }
}

/// Eight bytes that stand for a slot in a log with this root.
fn mark_of(root: &Hash, slot: &Hash) -> u64 {
    let digest: Hash = Sha256::new().chain_update(root).chain_update(slot).finalize().into();
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Whether slots with the same mark are the same slot: the entries are read once more, and these slots kept whole.
fn same_slot(source: &mut impl Source, checkpoint: &Checkpoint, alike: &[u64]) -> Result<(), Wrong> {
    let mut seen: Vec<(Hash, u64)> = Vec::new();
    walk(source, checkpoint, &mut |index, bytes| {
        let Some(slot) = slot_of(index, bytes)? else { return Ok(()) };
        if alike.binary_search(&mark_of(&checkpoint.root, slot)).is_err() {
            return Ok(());
        }
        if let Some((_, first)) = seen.iter().find(|(other, _)| other == slot) {
            return Err(Wrong::Slot { first: *first, second: index });
        }
        if seen.len() > 2 * MOST_ALIKE {
            return Err(Wrong::Alike);
        }
        seen.push((*slot, index));
        Ok(())
    })
}

/// Reads all entries, reckons the tree, and compares every tile and the root.
fn walk_with_tiles(
    source: &mut impl Source,
    checkpoint: &Checkpoint,
    see: &mut impl FnMut(u64, &[u8]) -> Result<(), Wrong>,
) -> Result<u64, Wrong> {
    let (mut edge, mut compared) = (Edge::new(), 0);
    let mut full = Vec::new();
    bundles(source, checkpoint.size, &mut |source, start, entries| {
        for (index, entry) in (start..).zip(entries) {
            see(index, entry)?;
            edge.push(leaf_hash(entry), &mut |tile, hashes| full.push((tile, hashes.as_flattened().to_vec())));
        }
        for (tile, hashes) in full.drain(..) {
            compare(source, &tile, &hashes)?;
            compared += 1;
        }
        Ok(())
    })?;
    for (tile, hashes) in edge.partial() {
        compare(source, &tile, hashes.as_flattened())?;
        compared += 1;
    }
    if edge.root() == checkpoint.root { Ok(compared) } else { Err(Wrong::Root) }
}

/// Reads all entries once more. They may have changed under our eyes, so the root is reckoned again.
fn walk(
    source: &mut impl Source,
    checkpoint: &Checkpoint,
    see: &mut impl FnMut(u64, &[u8]) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let mut frontier = Frontier::new();
    bundles(source, checkpoint.size, &mut |_, start, entries| {
        for (index, entry) in (start..).zip(entries) {
            see(index, entry)?;
            frontier.push(leaf_hash(entry));
        }
        Ok(())
    })?;
    if frontier.root() == checkpoint.root { Ok(()) } else { Err(Wrong::Root) }
}

/// Reads all bundles in order; `each` gets the index of the first entry and the entries.
fn bundles<S: Source>(
    source: &mut S,
    size: u64,
    each: &mut impl FnMut(&mut S, u64, &[&[u8]]) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    for index in 0..size.div_ceil(WIDTH) {
        let Some(tile) = Tile::at(Level::Entries, index, size) else { break };
        let (found, bytes) = read(source, &tile)?;
        let entries = tile::entries(&bytes, found.width).map_err(|wrong| Wrong::Bundle { path: found.to_string(), wrong })?;
        let entries = entries.get(..tile.width.into()).unwrap_or(&entries);
        each(source, index * WIDTH, entries)?;
    }
    Ok(())
}

/// A file of the log, or the full one, where the partial one was removed since the log has grown; and which of them it is.
fn read(source: &mut impl Source, tile: &Tile) -> Result<(Tile, Vec<u8>), Wrong> {
    for tile in [*tile, tile.full()] {
        let path = tile.to_string();
        match source.read(&path) {
            Ok(Some(bytes)) => return Ok((tile, bytes)),
            Ok(None) => {}
            Err(error) => return Err(Wrong::Read { path, error }),
        }
    }
    Err(Wrong::Missing(tile.to_string()))
}

/// Whether a tile holds these hashes, or begins with them when the log has grown since.
fn compare(source: &mut impl Source, tile: &Tile, hashes: &[u8]) -> Result<(), Wrong> {
    let (found, bytes) = read(source, tile)?;
    let right_length = bytes.len() == usize::from(found.width) * 32;
    if right_length && bytes.starts_with(hashes) { Ok(()) } else { Err(Wrong::Tile(found.to_string())) }
}
