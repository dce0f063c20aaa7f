//! The log of a list holder: every version of every entry, every manifest and every delta is a leaf of it, so that nobody is shown another
//! list than the rest, and a listed party can show what was listed, when and by whom.
//!
//! [`ListLog`] grows it (C2SP `tlog-tiles` on a folder); [`listed`] makes and checks the leaves of entries (M3); [`proof`] is what travels with
//! each publication, so that nothing ever has to be fetched after a hit (M2); [`check`] is what providers do with it. There are no witnesses
//! at first: a log with one copy convinces by what everybody keeps of it, and cosignatures are checked once there is a policy.

pub mod check;
mod folder;
pub mod listed;
pub mod proof;

use std::path::Path;

use rand_core::CryptoRng;
use seal::{
    log::{Growth, Promise, Refused, promised, sign},
    note::{Algorithm, Ed25519Signer, Note, Signer as _, VerifierKey},
    record,
    shelf::{self, Shelf as _},
    tile::{self, Level, Tile, WIDTH, nodes},
    tree::{self, Hash},
};

pub use check::{Anchor, Seen, Wrong};
pub use folder::Folder;
pub use proof::LogProof;

/// The file of what was promised last. It stands beside the key: who brings back an old copy of the log's directory, but has the key's
/// own place, is stopped before the log tells a second story.
pub const PROMISE: &str = "log.promise";
/// The newest checkpoint, for whoever copies the log.
pub const CHECKPOINT: &str = "checkpoint";

/// Why the log did not grow or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is a log already.
    #[error("there is a log already ({0}); a log is never begun anew under one key")]
    Exists(String),
    /// Nothing was ever promised under this key here.
    #[error("there is no log of this key ({0}); give the place of the key with which it was begun")]
    Missing(String),
    /// Files of the log are not those of what was promised.
    #[error(
        "the files of the log are not those that were signed ({0} entries); bring back the newest copy of the directory, and do not publish before"
    )]
    Damaged(u64),
    /// The leaves that were to be added are not those that stand there.
    #[error(
        "entry {0} of the log is another than was to be written; bring back the newest copy of the directory, and do not publish before"
    )]
    Differs(u64),
    /// Leaves were to be added beyond its end.
    #[error("the log has {size} entries, and the next was to be entry {start}; bring back the newest copy of the directory")]
    Gap {
        /// Entries that it has.
        size: u64,
        /// Where the next was to stand.
        start: u64,
    },
    /// Signing.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The disk.
    #[error(transparent)]
    Shelf(#[from] shelf::Error),
    /// A proof that cannot be made.
    #[error("the proof cannot be made: {0}")]
    Proof(#[from] tree::Wrong),
    /// A leaf or a name that cannot be one.
    #[error("{0}")]
    Name(String),
}

/// The log of a list, open for growing. Whoever opens it holds the lock of the directory.
#[derive(Debug)]
pub struct ListLog {
    tiles: Folder,
    beside_key: Folder,
    signer: Ed25519Signer,
    growth: Growth,
    /// Entries that are promised and whose tiles are on the shelf.
    durable: u64,
}

impl ListLog {
    /// Begins a log of this origin (a name such as `police.example/list`) in `dir`, signed with this key; what was promised stands in
    /// `beside_key`, the directory of the key's file.
    ///
    /// # Errors
    /// When there is one, the origin cannot be one, or the disk says no.
    pub fn create(dir: &Path, beside_key: &Path, origin: &str, seed: &[u8; 32]) -> Result<ListLog, Error> {
        let log = ListLog::new(dir, beside_key, origin, seed)?;
        if log.beside_key.read(PROMISE)?.is_some() || log.tiles.read(CHECKPOINT)?.is_some() {
            return Err(Error::Exists(dir.display().to_string()));
        }
        let note = sign(&log.beside_key, PROMISE, &Promise::of(origin, &log.growth), &log.signer)?;
        log.tiles.publish(CHECKPOINT, note.to_string().as_bytes())?;
        Ok(log)
    }

    /// Opens the log where it was promised last.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Damaged`], and those of the disk.
    pub fn open(dir: &Path, beside_key: &Path, origin: &str, seed: &[u8; 32]) -> Result<ListLog, Error> {
        let mut log = ListLog::new(dir, beside_key, origin, seed)?;
        let last = promised(&log.beside_key, PROMISE)?.ok_or_else(|| Error::Missing(beside_key.display().to_string()))?;
        if last.origin != origin {
            return Err(Refused::Origin(last.origin).into());
        }
        let growth = Growth::resume(last.size, &last.tail, |tile| log.tiles.read(&tile.to_string()))?;
        log.growth = growth.filter(|growth| growth.root() == last.root).ok_or(Error::Damaged(last.size))?;
        log.durable = last.size;
        Ok(log)
    }

    /// The origin of the log whose promise lies beside a key, if there is one.
    ///
    /// # Errors
    /// When the promise cannot be read.
    pub fn promised_beside(beside_key: &Path) -> Result<Option<String>, Error> {
        Ok(promised(&Folder::new(beside_key), PROMISE)?.map(|last| last.origin))
    }

    fn new(dir: &Path, beside_key: &Path, origin: &str, seed: &[u8; 32]) -> Result<ListLog, Error> {
        let signer = Ed25519Signer::new(origin, Algorithm::Ed25519, seed).map_err(|wrong| Error::Name(wrong.to_string()))?;
        Ok(ListLog { tiles: Folder::new(dir), beside_key: Folder::new(beside_key), signer, growth: Growth::new(), durable: 0 })
    }

    /// What providers pin: the origin and the key.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        self.signer.key()
    }

    /// Number of entries, those that were added since [`ListLog::checkpoint`] counted.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.growth.size()
    }

    /// Size and root as they are now.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen { size: self.growth.size(), root: self.growth.root() }
    }

    /// Adds leaves from this index on. What stands there already must be the same: so whoever was interrupted repeats it. Durable only
    /// after [`ListLog::checkpoint`].
    ///
    /// # Errors
    /// [`Error::Gap`], [`Error::Differs`], and those of the disk.
    pub fn append(&mut self, start: u64, leaves: &[Vec<u8>]) -> Result<(), Error> {
        if start > self.size() {
            return Err(Error::Gap { size: self.size(), start });
        }
        for (index, leaf) in (start..).zip(leaves) {
            if index < self.size() {
                if self.entry(index)?.as_ref() != Some(leaf) {
                    return Err(Error::Differs(index));
                }
            } else {
                self.growth.push(leaf).map_err(|wrong| Error::Name(wrong.to_string()))?;
            }
        }
        Ok(())
    }

    /// The bytes of an entry; nothing when there is none.
    pub(crate) fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, Error> {
        let full = self.size() - self.size() % WIDTH;
        if index >= full {
            return Ok(self.growth.tail().get((index - full) as usize).cloned());
        }
        let place = Tile { level: Level::Entries, index: index / WIDTH, width: WIDTH as u16 };
        let bytes = self.tiles.read(&place.to_string())?;
        let entries = bytes.as_deref().and_then(|bytes| tile::entries(bytes, place.width).ok());
        Ok(entries.and_then(|entries| entries.get((index % WIDTH) as usize).map(|entry| entry.to_vec())))
    }

    /// Makes durable what was added, promises it, and signs it.
    ///
    /// # Errors
    /// When the disk says no, or something else was promised before. What was added is not lost for whoever adds it again.
    pub fn checkpoint(&mut self) -> Result<Note, Error> {
        if self.growth.full() > 0 {
            let full = self.growth.take_full();
            self.tiles.keep(&full)?;
        }
        let partial = self.growth.partial().map_err(|wrong| Error::Name(wrong.to_string()))?;
        self.tiles.keep(&partial)?;
        let note = sign(&self.beside_key, PROMISE, &Promise::of(self.signer.key().name(), &self.growth), &self.signer)?;
        self.tiles.publish(CHECKPOINT, note.to_string().as_bytes())?;
        self.durable = self.size();
        Ok(note)
    }

    /// The audit path of an entry in the tree of `size` entries, which must have been signed.
    ///
    /// # Errors
    /// When there is no such entry, or tiles are missing.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, Error> {
        Ok(tree::prove_inclusion(index, size, &mut self.nodes(size))?)
    }

    /// The proof that the tree of `new` entries begins with that of `old`; empty when they are the same, or `old` is 0.
    ///
    /// # Errors
    /// When `old` is more than `new`, or tiles are missing.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, Error> {
        if old == 0 || old == new {
            return Ok(Vec::new());
        }
        Ok(tree::prove_consistency(old, new, &mut self.nodes(new))?)
    }

    fn nodes(&self, size: u64) -> impl FnMut(u8, u64) -> Option<Hash> {
        let size = size.min(self.durable);
        nodes(size, |tile| self.tiles.read(&tile.to_string()).ok().flatten())
    }
}

/// An entry that says nothing, so that the size of the log does not tell how many parties are listed (M5).
pub fn padding(rng: &mut impl CryptoRng) -> Vec<u8> {
    let (mut slot, mut commitment) = ([0; 32], [0; 32]);
    rng.fill_bytes(&mut slot);
    rng.fill_bytes(&mut commitment);
    record::entry(&slot, &commitment).to_vec()
}

/// The leaf of a manifest or delta: in clear, since everybody may hold it against what they were given.
#[must_use]
pub fn published(kind: matching::envelope::Kind, hash: &matching::Digest) -> Vec<u8> {
    /// Body of a public entry that says: a publication of a list.
    const PUBLICATION: u8 = 16;
    let mut entry = vec![0x01, 0x02, 0, 34, PUBLICATION, kind as u8];
    entry.extend_from_slice(hash);
    entry
}

#[cfg(test)]
mod tests;
