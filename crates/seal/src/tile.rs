//! How the tree lies in files (C2SP `tlog-tiles`): tiles of 256 hashes, bundles of 256 entries, and the way back to nodes.

use std::{fmt, str::FromStr};

use crate::{
    checkpoint::decimal,
    tree::{EMPTY_ROOT, Hash, MAX_SIZE, root_of},
};

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u64 = 256;
/// Levels of tiles that a tree of at most [`MAX_SIZE`] leaves has.
pub const LEVELS: u8 = 8;
/// The most bytes of an entry: its length stands in 16 bits.
pub const MAX_ENTRY: usize = 0xffff;
/// The most bytes of a file of a log: a full bundle of the longest entries.
pub const MAX_FILE: usize = WIDTH as usize * (2 + MAX_ENTRY);

/// What a tile of a level holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// The entries themselves.
    Entries,
    /// Hashes of subtrees of 256^level leaves; level 0 holds the leaves' hashes.
    Hashes(u8),
}

impl Level {
    /// How many of its items a tree of this size has in this level: only complete ones.
    fn count(self, size: u64) -> u64 {
        match self {
            Self::Entries => size,
            Self::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        }
    }
}

/// The place of a tile. Its text is its path below the log: `tile/0/x001/x234/067` or `tile/entries/000.p/17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub level: Level,
    /// Its number in the level, from 0.
    pub index: u64,
    /// Its items, 1 to 256. Fewer than 256: partial, and stands beside the full one once that exists.
    pub width: u16,
}

impl Tile {
    /// The tile of this index as it is in a tree of `size` leaves: full, partial, or not there.
    #[must_use]
    pub fn at(level: Level, index: u64, size: u64) -> Option<Self> {
        let items = level.count(size).saturating_sub(index.checked_mul(WIDTH)?).min(WIDTH);
        if items == 0 || size > MAX_SIZE { None } else { Some(Self { level, index, width: items as u16 }) }
    }

    /// Whether all 256 items are there.
    #[must_use]
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == WIDTH
    }

    /// The full tile at this place, which may have taken the place of the partial one.
    #[must_use]
    pub fn full(&self) -> Self {
        Self { width: WIDTH as u16, ..*self }
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Entries => f.write_str("tile/entries")?,
            Level::Hashes(level) => write!(f, "tile/{level}")?,
        }
        // Groups of three digits, the highest first; all but the last are marked.
        let mut unit = 1;
        while self.index / unit >= 1000 {
            unit *= 1000;
        }
        while unit > 1 {
            write!(f, "/x{:03}", self.index / unit % 1000)?;
            unit /= 1000;
        }
        write!(f, "/{:03}", self.index % 1000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// The text is not the path of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a tile: expected tile/<level or entries>/<number>[.p/<width>]")]
pub struct NotATile;

impl FromStr for Tile {
    type Err = NotATile;

    /// There is one valid path for each tile.
    fn from_str(path: &str) -> Result<Self, NotATile> {
        let rest = path.strip_prefix("tile/").ok_or(NotATile)?;
        let (level, rest) = rest.split_once('/').ok_or(NotATile)?;
        let level = match decimal(level) {
            _ if level == "entries" => Level::Entries,
            Some(number) if number < u64::from(LEVELS) => Level::Hashes(number as u8),
            _ => return Err(NotATile),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, decimal(width).filter(|width| (1..WIDTH).contains(width)).ok_or(NotATile)?),
            None => (rest, WIDTH),
        };
        let mut index = 0u64;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            if digits.len() != 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
                return Err(NotATile);
            }
            let digits: u64 = digits.parse().map_err(|_| NotATile)?;
            index = index.checked_mul(1000).and_then(|index| index.checked_add(digits)).ok_or(NotATile)?;
        }
        // Marks in wrong places and groups of leading zeroes would be other paths of the same tile.
        let tile = Self { level, index, width: width as u16 };
        if index < MAX_SIZE / WIDTH && tile.to_string() == path { Ok(tile) } else { Err(NotATile) }
    }
}

/// The tiles that have to be written when a tree grows from `old` to `new` leaves: bundles of entries first, then tiles by
/// level. What was partial before is written anew, under another path.
pub fn touched(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    std::iter::once(Level::Entries).chain((0..LEVELS).map(Level::Hashes)).flat_map(move |level| {
        let (before, after) = (level.count(old), level.count(new));
        let end = if before < after { after.div_ceil(WIDTH) } else { 0 };
        (before / WIDTH..end).filter_map(move |index| Tile::at(level, index, new))
    })
}

/// The hashes in the bytes of a tile of this width; nothing when it has another length.
#[must_use]
pub fn hashes(bytes: &[u8], width: u16) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && hashes.len() == usize::from(width)).then(|| hashes.to_vec())
}

/// Why a bundle was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongBundle {
    /// An entry is longer than its length can say.
    #[error("an entry has {0} bytes: 65535 are the most")]
    TooLong(usize),
    /// The bytes end within an entry.
    #[error("the bundle is cut off")]
    CutOff,
    /// It has another number of entries.
    #[error("the bundle does not have {0} entries")]
    Count(u16),
}

/// The bytes of a bundle: before each entry its length, in two bytes.
///
/// # Errors
/// When an entry is longer than [`MAX_ENTRY`].
pub fn bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, WrongBundle> {
    let mut bytes = Vec::with_capacity(entries.iter().map(|entry| 2 + entry.as_ref().len()).sum());
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| WrongBundle::TooLong(entry.len()))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle of this width.
///
/// # Errors
/// When it is cut off, or has more or fewer entries.
pub fn entries(mut bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, WrongBundle> {
    let mut entries = Vec::with_capacity(width.into());
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(WrongBundle::CutOff)?;
        if entries.len() == usize::from(width) {
            return Err(WrongBundle::Count(width));
        }
        entries.push(entry);
        bytes = rest;
    }
    match (bytes, entries.len() == usize::from(width)) {
        ([], true) => Ok(entries),
        ([], false) => Err(WrongBundle::Count(width)),
        _ => Err(WrongBundle::CutOff),
    }
}

/// Complete subtrees out of tiles, for [`crate::tree::prove_inclusion`] and its like.
///
/// `read` gives the bytes of a tile; a partial one that is gone is asked for as the full one. What tiles say is not checked
/// here: whoever gives the proof away verifies it first.
pub fn nodes(size: u64, mut read: impl FnMut(&Tile) -> Option<Vec<u8>>) -> impl FnMut(u8, u64) -> Option<Hash> {
    // A proof asks for neighbours: the tiles of one path up, on both sides, are enough.
    let mut kept: Vec<(Tile, Vec<Hash>)> = Vec::new();
    move |level, index| {
        let height = u32::from(level % 8);
        let start = index.checked_mul(1 << height)?;
        let tile = Tile::at(Level::Hashes(level / 8), start / WIDTH, size)?;
        if !kept.iter().any(|(other, _)| *other == tile) {
            let found = hashes_of(&tile, &mut read)?;
            if kept.len() >= 2 * usize::from(LEVELS) {
                kept.remove(0);
            }
            kept.push((tile, found));
        }
        let (_, hashes) = kept.iter().find(|(other, _)| *other == tile)?;
        let first = (start % WIDTH) as usize;
        hashes.get(first..first + (1 << height)).map(root_of)
    }
}

/// The hashes of a tile, from the partial file or the beginning of the full one.
fn hashes_of(tile: &Tile, read: &mut impl FnMut(&Tile) -> Option<Vec<u8>>) -> Option<Vec<Hash>> {
    if let Some(bytes) = read(tile) {
        return hashes(&bytes, tile.width);
    }
    if tile.is_full() {
        return None;
    }
    let mut full = hashes(&read(&tile.full())?, WIDTH as u16)?;
    full.truncate(tile.width.into());
    Some(full)
}

/// The right edge of a log: the tiles that are not full yet. From here it grows, tile by tile, without reading the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// Hashes of the last tile of each level, 0 to 255.
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of an empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of the log of this size, out of its partial tiles; nothing when one is missing or has another length. Compare
    /// [`Edge::root`] with what was signed before building on it.
    pub fn from_tiles(size: u64, mut read: impl FnMut(&Tile) -> Option<Vec<u8>>) -> Option<Self> {
        let mut levels = Vec::new();
        for level in (0..LEVELS).map(Level::Hashes) {
            let count = level.count(size);
            levels.push(match Tile::at(level, count / WIDTH, size) {
                Some(tile) => hashes_of(&tile, &mut read)?,
                None => Vec::new(),
            });
        }
        while levels.last().is_some_and(Vec::is_empty) {
            levels.pop();
        }
        (size <= MAX_SIZE).then_some(Self { size, levels })
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash. Every tile that it fills is given away.
    pub fn push(&mut self, leaf: Hash, full: &mut impl FnMut(Tile, &[Hash])) {
        let mut hash = leaf;
        for level in 0..LEVELS {
            if self.levels.len() <= level.into() {
                self.levels.push(Vec::with_capacity(WIDTH as usize));
            }
            let Some(tile) = self.levels.get_mut(usize::from(level)) else { break };
            tile.push(hash);
            if (tile.len() as u64) < WIDTH {
                break;
            }
            let index = self.size >> (8 * (u32::from(level) + 1)).min(63);
            full(Tile { level: Level::Hashes(level), index, width: WIDTH as u16 }, tile);
            hash = root_of(tile);
            tile.clear();
        }
        self.size += 1; // Cannot overflow: nobody pushes 2^63 leaves.
    }

    /// The partial tiles, by level.
    pub fn partial(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        (0..LEVELS).zip(&self.levels).filter_map(|(level, hashes)| {
            let level = Level::Hashes(level);
            let tile = Tile::at(level, level.count(self.size) / WIDTH, self.size)?;
            Some((tile, hashes.as_slice()))
        })
    }

    /// Root of the tree as it is now.
    #[must_use]
    pub fn root(&self) -> Hash {
        // The hashes of a level, and after them the root of what is not complete below it: splitting those by the largest
        // power of two is splitting the leaves below them.
        let mut rest: Option<Hash> = None;
        for hashes in &self.levels {
            let mut row = hashes.clone();
            row.extend(rest);
            rest = if row.is_empty() { None } else { Some(root_of(&row)) };
        }
        rest.unwrap_or(EMPTY_ROOT)
    }
}
