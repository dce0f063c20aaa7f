//! What a provider keeps of its own answered tokens, so that a new delta costs no cryptography and no contact: encrypted, under a key that is
//! kept apart (amendment M10).
//!
//! A thief of the cache alone learns how many tokens there are and nothing else. A thief of the cache, its key and the list opens this
//! provider's hits; together with the secret key of the list holder it can test a dictionary of customers. Hence: the key lies apart, the
//! directory is left out of backups (`CACHEDIR.TAG`), and all of it ends with the epoch.

mod key;

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use matching::token::{NORM_VERSION, Token};
use rand_core::CryptoRng;
use zeroize::{Zeroize as _, Zeroizing};

pub use key::{of_file, of_passphrase};

use super::error::{Error, Result};
use crate::files;
use crate::vault::Key;

/// The folder in a provider's directory that backups leave out. What is still asked lies here too.
pub const FOLDER: &str = "cache";
/// The file in it.
pub const FILE: &str = "cache.bin";

const MAGIC: &[u8; 8] = b"SLUCACH1";
/// Magic, salt, list, epoch, version of the normalisation, a check of the key.
const HEADER: usize = 8 + 32 + 16 + 4 + 1 + 16;
/// Name of the token, its first tag, its output.
const RECORD: usize = 16 + 16 + 64;
/// How many records stand in one piece, so that reading needs no more than 6 MB beside what it keeps.
const PIECE: usize = 65_536;
/// Nonce and tag of a piece ([`Key::seal`]).
const AROUND: usize = 12 + 16;

/// Which list and epoch the cached outputs are of. Of another, nothing is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Of {
    /// The publication.
    pub list: [u8; 16],
    /// The epoch.
    pub epoch: u32,
}

/// What is kept of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept<'a> {
    /// Its first tag in this list: whether the list has it is seen without cryptography.
    pub tag: &'a [u8; 16],
    /// Its output, which opens what is found.
    pub output: &'a [u8; 64],
}

/// The cache of one provider, read into memory: 96 bytes a token.
pub struct Cache {
    key: Key,
    namer: key::Namer,
    of: Of,
    /// Nothing when it lives in memory alone (`--no-cache`).
    path: Option<PathBuf>,
    salt: [u8; 32],
    /// How many pieces the file has, and its length up to the last whole one.
    pieces: u64,
    length: u64,
    /// Ordered by the name of the token.
    records: Vec<[u8; RECORD]>,
    /// Not written yet.
    fresh: Vec<[u8; RECORD]>,
    ended: Option<u32>,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("of", &self.of).field("records", &self.records.len()).finish_non_exhaustive()
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        for record in self.records.iter_mut().chain(&mut self.fresh) {
            record.zeroize();
        }
    }
}

impl Cache {
    /// The cache in a provider's directory. One of another list or epoch is destroyed: its outputs open nothing here.
    ///
    /// # Errors
    /// When the key is another than it was written with, the file was changed, or it cannot be read.
    pub fn open(directory: &Path, key: Key, of: Of) -> Result<Cache> {
        let folder = folder(directory)?;
        let path = folder.join(FILE);
        let mut cache = Cache::memory(key, of);
        cache.path = Some(path.clone());
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(cache),
            Err(error) => return Err(Error::io(&path, error)),
        };
        // A stop while it was made: nothing was ever in it.
        if file.metadata().is_ok_and(|about| about.len() < HEADER as u64) {
            return Ok(cache);
        }
        let mut header = [0; HEADER];
        if file.read_exact(&mut header).is_err() || header[..8] != *MAGIC {
            return Err(Error::said(format!(
                "{} is no cache of Sluis; remove it, and ask again with the next query file",
                path.display()
            )));
        }
        let salt: [u8; 32] = array(&header[8..40]);
        if key::check(&cache.key, &salt) != header[61..HEADER] {
            return Err(Error::said(format!(
                "{} was written with another cache key; give that key (--cache-key), or remove the file and ask again",
                path.display()
            )));
        }
        let written = Of { list: array(&header[40..56]), epoch: u32::from_be_bytes(array(&header[56..60])) };
        if written != of || header[60] != NORM_VERSION {
            drop(file);
            destroy(directory)?;
            cache.ended = Some(written.epoch);
            return Ok(cache);
        }
        cache.salt = salt;
        cache.length = HEADER as u64;
        cache.read_pieces(&mut file, &path)?;
        Ok(cache)
    }

    /// A cache that is never written.
    #[must_use]
    pub fn memory(key: Key, of: Of) -> Cache {
        let namer = key::Namer::new(&key);
        Cache {
            key,
            namer,
            of,
            path: None,
            salt: [0; 32],
            pieces: 0,
            length: 0,
            records: Vec::new(),
            fresh: Vec::new(),
            ended: None,
        }
    }

    /// The epoch whose cache was destroyed when this one was opened.
    #[must_use]
    pub fn ended(&self) -> Option<u32> {
        self.ended
    }

    /// How many tokens are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len() + self.fresh.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a token was answered before.
    #[must_use]
    pub fn has(&self, token: &Token) -> bool {
        self.get(token).is_some()
    }

    /// What is kept of a token.
    #[must_use]
    pub fn get(&self, token: &Token) -> Option<Kept<'_>> {
        let name = self.namer.name(token);
        let find = |records: &[[u8; RECORD]]| records.binary_search_by(|record| record[..16].cmp(&name)).ok();
        let record = match find(&self.records) {
            Some(at) => self.records.get(at)?,
            None => self.fresh.get(find(&self.fresh)?)?,
        };
        let (tag, output) = record[16..].split_first_chunk::<16>()?;
        Some(Kept { tag, output: output.first_chunk()? })
    }

    /// Keeps outputs with their first tags. One that is known already is left as it is.
    pub fn add<'a>(&mut self, answered: impl IntoIterator<Item = (&'a Token, [u8; 16], &'a [u8; 64])>) {
        for (token, tag, output) in answered {
            let name = self.namer.name(token);
            let mut record = [0; RECORD];
            record[..16].copy_from_slice(&name);
            record[16..32].copy_from_slice(&tag);
            record[32..].copy_from_slice(output);
            self.fresh.push(record);
        }
        self.fresh.sort_unstable_by(|a, b| a[..16].cmp(&b[..16]));
        self.fresh.dedup_by(|a, b| a[..16] == b[..16]);
        let known = &self.records;
        self.fresh.retain(|record| known.binary_search_by(|other| other[..16].cmp(&record[..16])).is_err());
    }

    /// Writes what was added, behind what the file has. After a stop at any point the file holds what it held, or that and whole pieces
    /// of what was added.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&mut self, chance: &mut impl CryptoRng) -> Result<()> {
        if let Some(path) = self.path.clone()
            && !self.fresh.is_empty()
        {
            self.write_pieces(&path, chance).map_err(|error| Error::io(&path, error))?;
        }
        self.records.append(&mut self.fresh);
        self.records.sort_unstable_by(|a, b| a[..16].cmp(&b[..16]));
        Ok(())
    }

    /// Forgets the tokens that are not among these (customers that left), and writes the rest anew. Says how many went.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_only(&mut self, kept: &Names, chance: &mut impl CryptoRng) -> Result<usize> {
        let before = self.records.len() + self.fresh.len();
        self.records.append(&mut self.fresh);
        let (stay, mut go): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.records).into_iter().partition(|record| kept.0.contains(&record[..16]));
        for record in &mut go {
            record.zeroize();
        }
        self.fresh = stay;
        self.fresh.sort_unstable_by(|a, b| a[..16].cmp(&b[..16]));
        if before != self.fresh.len()
            && let Some(path) = self.path.clone()
        {
            (self.pieces, self.length) = (0, 0);
            let next = path.with_extension("next");
            let _ = std::fs::remove_file(&next);
            let failed = |error| Error::io(&path, error);
            self.write_pieces(&next, chance).map_err(failed)?;
            std::fs::rename(&next, &path).map_err(failed)?;
            sync_folder(&path).map_err(failed)?;
        }
        self.records = std::mem::take(&mut self.fresh);
        Ok(before - self.records.len())
    }

    /// An empty set of names of tokens, to be filled with what is still asked.
    #[must_use]
    pub fn names(&self) -> Names {
        Names(HashSet::new())
    }

    /// Notes that a token is still asked. Says whether it was not noted before.
    pub fn note(&self, names: &mut Names, token: &Token) -> bool {
        names.0.insert(self.namer.name(token))
    }

    /// How many of those kept are not among these.
    #[must_use]
    pub fn gone(&self, names: &Names) -> usize {
        self.records.iter().chain(&self.fresh).filter(|record| !names.0.contains(&record[..16])).count()
    }

    fn read_pieces(&mut self, file: &mut File, path: &Path) -> Result<()> {
        let io = |error| Error::io(path, error);
        let whole = file.metadata().map_err(io)?.len();
        let mut buffer = Vec::new();
        // At once, so that growing leaves no copies behind.
        self.records.reserve_exact(usize::try_from(whole / RECORD as u64).unwrap_or(0));
        loop {
            let mut count = [0; 4];
            if whole.saturating_sub(self.length) < 4 {
                break;
            }
            file.read_exact(&mut count).map_err(io)?;
            let records = u32::from_be_bytes(count) as usize;
            let bytes = AROUND + records.saturating_mul(RECORD);
            if records == 0 || records > PIECE {
                return Err(damaged(path));
            }
            // A piece that was being written when the machine stopped: it is written over.
            if whole - self.length - 4 < bytes as u64 {
                break;
            }
            buffer.clear();
            buffer.resize(bytes, 0);
            file.read_exact(&mut buffer).map_err(io)?;
            let plain = self.key.open(&purpose(&self.salt, self.pieces), &buffer).map_err(|_| damaged(path))?;
            for record in plain.chunks_exact(RECORD) {
                self.records.push(array(record));
            }
            self.pieces += 1;
            self.length += 4 + bytes as u64;
        }
        self.records.sort_unstable_by(|a, b| a[..16].cmp(&b[..16]));
        self.records.dedup_by(|a, b| a[..16] == b[..16]);
        Ok(())
    }

    fn write_pieces(&mut self, path: &Path, chance: &mut impl CryptoRng) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        if self.length == 0 {
            chance.fill_bytes(&mut self.salt);
            let mut header = Vec::with_capacity(HEADER);
            header.extend_from_slice(MAGIC);
            header.extend_from_slice(&self.salt);
            header.extend_from_slice(&self.of.list);
            header.extend_from_slice(&self.of.epoch.to_be_bytes());
            header.push(NORM_VERSION);
            header.extend_from_slice(&key::check(&self.key, &self.salt));
            file.set_len(0)?;
            file.write_all(&header)?;
            self.length = HEADER as u64;
        }
        file.set_len(self.length)?;
        file.seek(SeekFrom::Start(self.length))?;
        for piece in self.fresh.chunks(PIECE) {
            let mut plain = Zeroizing::new(Vec::with_capacity(piece.len() * RECORD + 16));
            for record in piece {
                plain.extend_from_slice(record);
            }
            let sealed = self.key.seal(&purpose(&self.salt, self.pieces), &plain, chance);
            // A piece has at most PIECE records, which fits in four bytes.
            file.write_all(&(piece.len() as u32).to_be_bytes())?;
            file.write_all(&sealed)?;
            self.pieces += 1;
            self.length += (4 + sealed.len()) as u64;
        }
        file.sync_all()?;
        sync_folder(path)
    }
}

/// Names of tokens under a cache's key: what is still asked.
#[derive(Debug)]
pub struct Names(HashSet<[u8; 16]>);

/// The folder for what must not be backed up, made when it is not there.
///
/// # Errors
/// When it cannot be made.
pub fn folder(directory: &Path) -> Result<PathBuf> {
    let folder = directory.join(FOLDER);
    if !folder.join("CACHEDIR.TAG").exists() {
        files::directory(&folder)?;
        files::leave_out_of_backups(&folder)?;
    }
    Ok(folder)
}

/// Removes the cache of a directory, whatever epoch it is of. No key is needed.
///
/// # Errors
/// When the file is there and cannot be removed.
pub fn destroy(directory: &Path) -> Result<()> {
    Ok(files::remove(&directory.join(FOLDER).join(FILE))?)
}

/// A piece belongs to its file and its place there.
fn purpose(salt: &[u8; 32], number: u64) -> String {
    format!("sluis/v1/cache/{}/{number}", crate::keys::hex(salt))
}

fn damaged(path: &Path) -> Error {
    Error::said(format!("{} was changed or is damaged; remove it, and ask again with the next query file", path.display()))
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// The first bytes as an array; zeros where there are fewer, which callers exclude by the lengths they cut.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests;
