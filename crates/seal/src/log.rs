//! A log that grows: from entries to tiles, and the promise (size, root) that is durable before anything is signed.
//!
//! The order is what keeps a log from ever telling two stories: entries are durable with whoever calls; then [`Growth::take_full`] goes
//! to the shelf; then [`sign`] writes the promise, durably, reads it again, and only then calls the signer.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use crate::{
    checkpoint::{self, Checkpoint, decimal},
    note::{Note, SignError, Signer},
    shelf::{self, File, Shelf},
    tile::{self, Edge, Level, Tile, WIDTH, WrongBundle},
    tree::{Hash, leaf_hash, root_of},
};

/// A log as it grows: its right edge, and the entries of the bundle that is not full yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Growth {
    edge: Edge,
    /// Entries of the last bundle, 0 to 255.
    tail: Vec<Vec<u8>>,
    full: Vec<File>,
}

impl Growth {
    /// The empty log.
    #[must_use]
    pub fn new() -> Growth {
        Growth::default()
    }

    /// The log of this size, from its full tiles and the entries of its last bundle; nothing when tiles are missing or have another
    /// length. Compare [`Growth::root`] with what was promised before building on it.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn resume<E>(
        size: u64,
        tail: &[Vec<u8>],
        mut read: impl FnMut(&Tile) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Option<Growth>, E> {
        let mut failed = None;
        let mut take = |tile: &Tile| match read(tile) {
            Ok(bytes) => bytes,
            Err(error) => {
                failed = failed.take().or(Some(error));
                None
            }
        };
        let full = size - size % WIDTH;
        let edge = Edge::from_tiles(full, |tile| below(tile, &mut take));
        if let Some(error) = failed {
            return Err(error);
        }
        let Some(edge) = edge.filter(|_| size - full == tail.len() as u64) else { return Ok(None) };
        let mut growth = Growth { edge, tail: Vec::new(), full: Vec::new() };
        let pushed = tail.iter().try_for_each(|entry| growth.push(entry));
        Ok(pushed.is_ok().then_some(growth))
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// When it has more than 65,535 bytes.
    pub fn push(&mut self, entry: &[u8]) -> Result<(), WrongBundle> {
        if entry.len() > tile::MAX_ENTRY {
            return Err(WrongBundle::TooLong(entry.len()));
        }
        self.tail.push(entry.to_vec());
        if self.tail.len() as u64 == WIDTH {
            let place = Tile { level: Level::Entries, index: self.edge.size() / WIDTH, width: WIDTH as u16 };
            self.full.push((place.to_string(), tile::bundle(&self.tail)?));
            self.tail.clear();
        }
        let full = &mut self.full;
        self.edge.push(leaf_hash(entry), &mut |place, hashes| full.push((place.to_string(), hashes.concat())));
        Ok(())
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Root of the tree over them.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.edge.root()
    }

    /// Entries of the last bundle, when that is not full.
    #[must_use]
    pub fn tail(&self) -> &[Vec<u8>] {
        &self.tail
    }

    /// Tiles and bundles that became full since this was last asked. They never change any more.
    pub fn take_full(&mut self) -> Vec<File> {
        std::mem::take(&mut self.full)
    }

    /// How many files [`Growth::take_full`] would give.
    #[must_use]
    pub fn full(&self) -> usize {
        self.full.len()
    }

    /// The partial tiles and the partial bundle, which a checkpoint of this size needs when others see it.
    ///
    /// # Errors
    /// None that can occur: entries were measured as they came.
    pub fn partial(&self) -> Result<Vec<File>, WrongBundle> {
        let mut files: Vec<File> = Vec::new();
        if let Some(place) = Tile::at(Level::Entries, self.size() / WIDTH, self.size()) {
            files.push((place.to_string(), tile::bundle(&self.tail)?));
        }
        files.extend(self.edge.partial().map(|(place, hashes)| (place.to_string(), hashes.concat())));
        Ok(files)
    }
}

/// The bytes of a tile, or for a partial one that was never written, from the full tiles below it.
fn below(place: &Tile, read: &mut impl FnMut(&Tile) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    if let Some(bytes) = read(place) {
        return Some(bytes);
    }
    let Level::Hashes(level @ 1..) = place.level else { return None };
    let mut bytes = Vec::with_capacity(32 * usize::from(place.width));
    for at in 0..u64::from(place.width) {
        let under = Tile { level: Level::Hashes(level - 1), index: place.index * WIDTH + at, width: WIDTH as u16 };
        bytes.extend(root_of(&tile::hashes(&read(&under)?, under.width)?));
    }
    Some(bytes)
}

/// What was promised last: that the log of this size has this root, and no other ever will. With the full tiles, its tail is
/// the whole log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// Which log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// Entries of the bundle that is not full, 0 to 255.
    pub tail: Vec<Vec<u8>>,
}

const FORM: &str = "sluis-signed/v1";

impl Promise {
    /// What a log is about to promise.
    #[must_use]
    pub fn of(origin: &str, growth: &Growth) -> Promise {
        Promise { origin: origin.to_owned(), size: growth.size(), root: growth.root(), tail: growth.tail().to_vec() }
    }

    /// Its file: four lines, an empty one, and the last bundle of entries.
    ///
    /// # Errors
    /// When an entry is too long.
    pub fn encode(&self) -> Result<Vec<u8>, WrongBundle> {
        let mut bytes = format!("{FORM}\n{}\n{}\n{}\n\n", self.origin, self.size, BASE64.encode(self.root)).into_bytes();
        bytes.extend(tile::bundle(&self.tail)?);
        Ok(bytes)
    }

    /// Reads its file; nothing when it is not one.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Promise> {
        let mut lines = bytes.splitn(6, |byte| *byte == b'\n');
        let mut line = || std::str::from_utf8(lines.next()?).ok();
        let (form, origin, size, root, empty) = (line()?, line()?, line()?, line()?, line()?);
        let size = decimal(size)?;
        let tail = tile::entries(lines.next()?, (size % WIDTH) as u16).ok()?;
        let tail = tail.into_iter().map(<[u8]>::to_vec).collect();
        let promise = Promise { origin: origin.to_owned(), size, root: checkpoint::hash(root)?, tail };
        (form == FORM && empty.is_empty()).then_some(promise)
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A larger log was promised before: what is there now is behind.
    #[error("a log of {promised} entries was signed before, and this one has {size}")]
    Behind {
        /// Entries that were promised.
        promised: u64,
        /// Entries of what was to be signed.
        size: u64,
    },
    /// Another root of this size was promised before.
    #[error("another root was signed before for {size} entries")]
    Fork {
        /// Entries of both.
        size: u64,
    },
    /// The promise is of another log.
    #[error("the file of what was signed is of the log {0}")]
    Origin(String),
    /// The file of the promise cannot be read as one, so nobody knows what was signed.
    #[error("{0}: what was signed last cannot be read")]
    Damaged(String),
    /// The shelf.
    #[error(transparent)]
    Shelf(#[from] shelf::Error),
    /// The signer, or a name that cannot be one.
    #[error("{0}")]
    Signer(String),
}

impl From<SignError> for Refused {
    fn from(error: SignError) -> Refused {
        Refused::Signer(error.to_string())
    }
}

impl From<checkpoint::Wrong> for Refused {
    fn from(wrong: checkpoint::Wrong) -> Refused {
        Refused::Signer(wrong.to_string())
    }
}

impl From<WrongBundle> for Refused {
    fn from(wrong: WrongBundle) -> Refused {
        Refused::Signer(wrong.to_string())
    }
}

/// What was promised last under this path; nothing when nothing ever was.
///
/// # Errors
/// [`Refused::Damaged`] and [`Refused::Shelf`].
pub fn promised(shelf: &dyn Shelf, path: &str) -> Result<Option<Promise>, Refused> {
    let Some(bytes) = shelf.read(path)? else { return Ok(None) };
    Promise::decode(&bytes).map(Some).ok_or_else(|| Refused::Damaged(path.to_owned()))
}

/// Promises a size and a root, durably, then signs a checkpoint of them. Nobody else may write under this path meanwhile: the caller
/// holds a lock.
///
/// # Errors
/// [`Refused`]; nothing was signed then. The promise may have been made: the same may be signed again.
pub fn sign(shelf: &dyn Shelf, path: &str, next: &Promise, signer: &dyn Signer) -> Result<Note, Refused> {
    let checkpoint = Checkpoint::new(&next.origin, next.size, next.root)?;
    match promised(shelf, path)? {
        Some(last) if last.origin != next.origin => return Err(Refused::Origin(last.origin)),
        Some(last) if last.size > next.size => return Err(Refused::Behind { promised: last.size, size: next.size }),
        Some(last) if last.size == next.size && last.root != next.root => return Err(Refused::Fork { size: next.size }),
        Some(last) if last == *next => {}
        _ => shelf.publish(path, &next.encode()?)?,
    }
    // What the disk says, not what we think that we wrote.
    if promised(shelf, path)?.as_ref() != Some(next) {
        return Err(Refused::Damaged(path.to_owned()));
    }
    Ok(checkpoint.sign(&[signer])?)
}
