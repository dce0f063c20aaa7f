//! The log when a process begins: its key, and whether the database, the tiles and the promise are of one history.

use std::fs::File;
use std::path::{Path, PathBuf};

use ::seal::log::{Growth, Promise, promised};
use ::seal::note::{Algorithm, Ed25519Signer, Note, Signer, VerifierKey};
use ::seal::shelf::Shelf;
use model::time::Time;
use store::log::{Checkpoint, Shard};

use super::folder::Folder;
use super::{Growing, Settings, cannot, disk, folder_of, public_entry, refused};
use crate::{Desk, Error};

/// Hexadecimal digits of the key's digest in the name of a log that nobody named. RFC 6761 keeps `.invalid` for such names.
const DIGITS: usize = 16;
/// The first byte of the body of the entry that a shard after another begins with: `docs/seal.md` 4.
const SHARD: u8 = 5;

impl Desk {
    /// Compares the whole database with the tiles and the promise, mends tiles that are missing or torn, and has the log ready.
    /// It takes as long as the log is large.
    ///
    /// # Errors
    /// As [`Desk::seal`].
    pub fn check_log(&self) -> Result<(), Error> {
        let mut held = self.log.held();
        *held = None;
        let there_is_one = self.store.reader()?.read(|transaction| transaction.shard())?.is_some();
        if there_is_one {
            let started = self.start_log(true);
            self.note_trouble(started.as_ref().err());
            *held = Some(started?);
        }
        Ok(())
    }

    /// Freezes the shard that grows as it is, whatever is wrong with it, and begins another. What it held beyond its last signed
    /// checkpoint goes over into the new one.
    ///
    /// # Errors
    /// As [`Desk::seal`].
    pub fn begin_log(&self) -> Result<Shard, Error> {
        let mut held = self.log.held();
        *held = None;
        *self.log.overtaken.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        let old = self.store.reader()?.read(|transaction| transaction.shard())?;
        let begun = self.new_shard(old.as_ref(), true)?;
        let growing = self.open_shard(begun.clone(), self.signer(&begun.origin)?, true)?;
        *held = Some(growing);
        drop(held);
        self.seal()?;
        Ok(begun)
    }

    /// Opens the shard that grows, or begins the first.
    pub(super) fn start_log(&self, whole: bool) -> Result<Growing, Error> {
        let shards = self.store.reader()?.read(|transaction| transaction.shards())?;
        let shard = match shards.last() {
            Some(shard) if shard.ended.is_none() => shard.clone(),
            last => self.new_shard(last, last.is_none())?,
        };
        let signer = self.signer(&shard.origin)?;
        self.open_shard(shard, signer, whole)
    }

    /// Whether a shard is to be followed by another: the log has another name now. The end of a year ends none: a case that runs
    /// over it would need proofs from two trees.
    pub(super) fn is_over(&self, shard: &Shard) -> bool {
        let name = shard.origin.rsplit_once('/').map(|(name, _)| name);
        self.log.settings.name.as_deref().is_some_and(|wanted| Some(wanted) != name)
    }

    /// Publishes the shard for the last time, freezes it, and begins the next.
    pub(super) fn next_shard(&self, mut old: Growing) -> Result<Growing, Error> {
        self.publish_now(&mut old)?;
        let begun = self.new_shard(Some(&old.shard), false)?;
        drop(old);
        let signer = self.signer(&begun.origin)?;
        let mut growing = self.open_shard(begun, signer, false)?;
        self.sign(&mut growing, None)?;
        Ok(growing)
    }

    /// Writes down that a shard is frozen and another begins. Its key is in place before: a shard that nobody can sign is not
    /// begun. With `make` a key is made when there is none.
    fn new_shard(&self, old: Option<&Shard>, make: bool) -> Result<Shard, Error> {
        let now = self.now();
        let origin = self.new_origin(make, now)?;
        Ok(self.store.write("shard", |transaction| {
            let last = old.map(|old| transaction.signed_checkpoint(old.id)).transpose()?.flatten();
            let mut first = 0;
            if let Some(old) = old {
                transaction.end_shard(old.id, now)?;
            }
            let begun = transaction.begin_shard(&origin, now)?;
            if let Some(last) = &last {
                let length = u16::try_from(last.note.len()).unwrap_or(u16::MAX);
                let body = [&[SHARD][..], &length.to_be_bytes(), last.note.as_bytes()].concat();
                let entry = public_entry(&body).map_err(|error| store::Error::Damaged(error.to_string()))?;
                transaction.add_entries(begun.id, 0, &[entry])?;
                first = 1;
            }
            if let Some(old) = old {
                transaction.move_entries(old.id, last.map_or(0, |last| last.size), begun.id, first)?;
            }
            Ok::<_, store::Error>(begun)
        })?)
    }

    /// An origin that no tree ever had: `<name>/<year>`, or with a number after it.
    fn new_origin(&self, make: bool, now: Time) -> Result<String, Error> {
        let directory = self.store.directory();
        let signed = self.signed_folder();
        let known = self.store.reader()?.read(|transaction| transaction.shards())?;
        let seed = self.seed(make)?;
        let name = match &self.log.settings.name {
            Some(name) => name.clone(),
            None => {
                let signer = signer("sluis.invalid", &seed)?;
                let digest = store::keys::sha256(signer.key().public());
                let digits: String = digest.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
                format!("sluis.invalid/{digits}")
            }
        };
        let year = now.date().0;
        let free = |label: &String| {
            !known.iter().any(|shard| shard.label() == label)
                && !folder_of(directory, label).exists()
                && !signed.path().join(label).exists()
        };
        let mut labels = std::iter::once(year.to_string()).chain((2..10_000).map(|count| format!("{year}.{count}")));
        let label = labels.find(free).ok_or_else(|| cannot("there are too many logs of this year"))?;
        let origin = format!("{name}/{label}");
        signer(&origin, &seed).map(|_| origin)
    }

    /// Opens a shard: database, tiles and promise must be of one history.
    fn open_shard(&self, shard: Shard, signer: Ed25519Signer, whole: bool) -> Result<Growing, Error> {
        let signed = self.signed_folder();
        let lock = lock(signed.path())?;
        let shelf = self.shelf_of(shard.label());
        let mut reader = self.store.reader()?;
        let (size, last) = reader.read(|transaction| {
            Ok::<_, store::Error>((transaction.log_size(shard.id)?, transaction.signed_checkpoint(shard.id)?))
        })?;
        let promise = promised(&signed, shard.label()).map_err(refused)?;
        agrees(&shard, &signer, size, last.as_ref(), [promise.as_ref(); 2])?;
        let promise = promise.unwrap_or(Promise {
            origin: shard.origin.clone(),
            size: 0,
            root: ::seal::tree::EMPTY_ROOT,
            tail: Vec::new(),
        });
        let resumed = if whole { None } else { self.resume(&shard, &shelf, &promise)? };
        let mut growth = match resumed {
            Some(growth) => growth,
            None => self.rebuild(&shard, &shelf, &promise)?,
        };
        reader.read(|transaction| transaction.each_entry(shard.id, promise.size, size, |_, entry| push(&mut growth, &entry)))?;
        let covered = last.map_or(0, |last| last.size);
        let mut growing = Growing { shard, growth, shelf, signed, signer, covered, filled: Vec::new(), _lock: lock };
        self.show_published(&mut growing)?;
        Ok(growing)
    }

    /// The log up to the promise from its full tiles, when they are there and lead to it.
    fn resume(&self, shard: &Shard, shelf: &Folder, promise: &Promise) -> Result<Option<Growth>, Error> {
        let first = promise.size - promise.tail.len() as u64;
        let tail =
            self.store.reader()?.read(|transaction| transaction.log_entries(shard.id, first, promise.tail.len() as u32))?;
        if tail != promise.tail {
            return Ok(None);
        }
        let growth =
            Growth::resume(promise.size, &promise.tail, |tile| shelf.read(&tile.to_string())).map_err(|error| disk(&error))?;
        Ok(growth.filter(|growth| growth.root() == promise.root))
    }

    /// The log up to the promise from the database. Tiles that are missing or damaged are written anew, once it is known that the
    /// database leads to the promise.
    fn rebuild(&self, shard: &Shard, shelf: &Folder, promise: &Promise) -> Result<Growth, Error> {
        let mut missing = Vec::new();
        let published = self.store.reader()?.read(|transaction| transaction.published_checkpoint(shard.id))?;
        let sizes = (promise.size, published.map_or(0, |published| published.size));
        let growth = self.each_file(shard, sizes, |path, bytes| {
            if shelf.read(&path).map_err(|error| disk(&error))?.as_deref() != Some(&bytes) {
                missing.push(path);
            }
            Ok(())
        })?;
        if growth.root() != promise.root {
            return Err(cannot(&format!("the database does not lead to the root that was signed for {} entries", promise.size)));
        }
        if !missing.is_empty() {
            let mut missing = missing.into_iter().peekable();
            let mut some = Vec::new();
            self.each_file(shard, sizes, |path, bytes| {
                if missing.next_if_eq(&path).is_some() {
                    // What stands there is damaged: the root says so.
                    let damaged =
                        shelf.read(&path).map_err(|error| disk(&error))?.is_some_and(|there| !bytes.starts_with(&there));
                    if damaged {
                        shelf.publish(&path, &bytes).map_err(|error| disk(&error))?;
                    } else {
                        some.push((path, bytes));
                    }
                }
                if some.len() >= 256 {
                    shelf.keep(&some).map_err(|error| disk(&error))?;
                    some.clear();
                }
                Ok(())
            })?;
            shelf.keep(&some).map_err(|error| disk(&error))?;
        }
        Ok(growth)
    }

    /// Goes through the first entries of a shard; `file` gets each file that is full, and those that are not under the published
    /// checkpoint.
    fn each_file(
        &self,
        shard: &Shard,
        (size, published): (u64, u64),
        mut file: impl FnMut(String, Vec<u8>) -> Result<(), Error>,
    ) -> Result<Growth, Error> {
        let mut growth = Growth::new();
        self.store.reader()?.read(|transaction| {
            transaction.each_entry(shard.id, 0, size, |_, entry| {
                push(&mut growth, &entry)?;
                let mut files = growth.take_full();
                if growth.size() == published {
                    files.extend(growth.partial().map_err(|wrong| Error::Conflict(wrong.to_string()))?);
                }
                files.into_iter().try_for_each(|(path, bytes)| file(path, bytes))
            })
        })?;
        Ok(growth)
    }

    pub(super) fn signed_folder(&self) -> Folder {
        promises(self.store.directory(), &self.log.settings)
    }

    /// Who signs for this origin.
    fn signer(&self, origin: &str) -> Result<Ed25519Signer, Error> {
        signer(origin, &self.seed(false)?)
    }

    /// The secret key of the log; with `make`, and unless the operator says where it is, it is made when there is none.
    fn seed(&self, make: bool) -> Result<[u8; 32], Error> {
        let directory = self.store.directory();
        if let Some(seed) = kept_seed(directory, &self.log.settings)? {
            return Ok(seed);
        }
        if !make || self.log.settings.key.is_some() {
            let path = key_file(directory, &self.log.settings);
            return Err(cannot(&format!("{} is missing, which holds the key of the log", path.display())));
        }
        let seed: [u8; 32] = store::keys::random()?;
        let digits: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = Folder::private(directory.join("log"));
        folder.publish("keys", format!("{digits}\n").as_bytes()).map_err(|error| disk(&error))?;
        Ok(seed)
    }
}

fn key_file(directory: &Path, settings: &Settings) -> PathBuf {
    settings.key.clone().unwrap_or_else(|| directory.join("log").join("keys"))
}

/// The secret key of a log; nothing when its file is not there.
fn kept_seed(directory: &Path, settings: &Settings) -> Result<Option<[u8; 32]>, Error> {
    let path = key_file(directory, settings);
    match std::fs::read(&path) {
        Ok(bytes) => seed_of(&bytes).map(Some).ok_or_else(|| {
            cannot(&format!("{} is not the key of a log: that has 64 hexadecimal digits, or 32 bytes", path.display()))
        }),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::from(store::Error::File { path, cause })),
    }
}

/// The key that verifies a shard of this origin; nothing when the log has no key here.
///
/// # Errors
/// When the file of the key cannot be read, or is none.
pub fn verifier(directory: &Path, settings: &Settings, origin: &str) -> Result<Option<VerifierKey>, Error> {
    let Some(seed) = kept_seed(directory, settings)? else { return Ok(None) };
    Ok(Some(signer(origin, &seed)?.key().clone()))
}

fn signer(origin: &str, seed: &[u8; 32]) -> Result<Ed25519Signer, Error> {
    Ed25519Signer::new(origin, Algorithm::Ed25519, seed)
        .map_err(|wrong| cannot(&format!("'{origin}' cannot be the name of a log: {wrong}")))
}

/// The key in a file: as 64 hexadecimal digits, or as its 32 bytes.
pub fn seed_of(bytes: &[u8]) -> Option<[u8; 32]> {
    if let Ok(seed) = bytes.try_into() {
        return Some(seed);
    }
    let digits = std::str::from_utf8(bytes).ok()?.trim_end();
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut seed = [0; 32];
    for (place, byte) in seed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(seed)
}

fn push(growth: &mut Growth, entry: &[u8]) -> Result<(), Error> {
    growth.push(entry).map_err(|wrong| Error::Conflict(wrong.to_string()))
}

/// Whether what is known of a shard is of one history, as far as sizes and signatures say. The promises are as they stood before
/// and after the database was read.
fn agrees(
    shard: &Shard,
    signer: &Ed25519Signer,
    size: u64,
    last: Option<&Checkpoint>,
    [before, after]: [Option<&Promise>; 2],
) -> Result<(), Error> {
    if let Some(last) = last {
        let note =
            Note::parse(last.note.as_bytes()).map_err(|wrong| cannot(&format!("the last checkpoint is damaged: {wrong}")))?;
        let opened = ::seal::checkpoint::open(&note, signer.key());
        if !opened.is_ok_and(|opened| opened.size == last.size && opened.root == last.root) {
            return Err(cannot("its key is not the one that signed so far"));
        }
    }
    if let Some(other) = after.filter(|promise| promise.origin != shard.origin) {
        return Err(cannot(&format!("what was signed last is of another log, {}", other.origin)));
    }
    if let Some(promise) = before.filter(|promise| promise.size > size) {
        return Err(cannot(&format!(
            "a log of {} entries was signed, and the database has {size}: it is older, as after a restore",
            promise.size
        )));
    }
    match (last, after) {
        (Some(last), None) => Err(cannot(&format!(
            "nothing says what was signed last, as after a restore; the database knows of {} entries, and perhaps more were signed",
            last.size
        ))),
        (Some(last), Some(promise)) if last.size > promise.size => Err(cannot(&format!(
            "the database knows a signed log of {} entries, and what was signed last says {}: somebody brought an older file back",
            last.size, promise.size
        ))),
        _ => Ok(()),
    }
}

/// Why the log could not sign now, as far as sizes and signatures say; nothing when nothing is wrong, or there is no log. For a
/// look from outside of the process that owns the data.
///
/// # Errors
/// [`Error::Unavailable`] when something cannot be read.
pub fn trouble(reader: &mut store::Reader, settings: &Settings) -> Result<Option<String>, Error> {
    let directory = reader.directory().to_owned();
    let Some(shard) = reader.read(|transaction| transaction.shard())? else { return Ok(None) };
    let promised = || promised(&promises(&directory, settings), shard.label()).map_err(refused);
    let mut look = || {
        let Some(seed) = kept_seed(&directory, settings)? else {
            return Err(cannot(&format!(
                "{} is missing, which holds the key of the log",
                key_file(&directory, settings).display()
            )));
        };
        // The process that owns the data may sign meanwhile: the database is never behind what was promised before it was read, and
        // never ahead of what is promised after.
        let before = promised()?;
        let (size, last) = reader.read(|transaction| {
            Ok::<_, store::Error>((transaction.log_size(shard.id)?, transaction.signed_checkpoint(shard.id)?))
        })?;
        agrees(&shard, &signer(&shard.origin, &seed)?, size, last.as_ref(), [before.as_ref(), promised()?.as_ref()])
    };
    match look() {
        Ok(()) => Ok(None),
        Err(Error::Conflict(reason)) => Ok(Some(reason)),
        Err(other) => Err(other),
    }
}

/// The folder of the promises.
pub(super) fn promises(directory: &Path, settings: &Settings) -> Folder {
    Folder::private(settings.signed.clone().unwrap_or_else(|| directory.join("signed")))
}

/// Holds the folder of the promises, as long as the file lives.
fn lock(folder: &Path) -> Result<File, Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let path: PathBuf = folder.join("lock");
    let failed = |cause| Error::from(store::Error::File { path: path.clone(), cause });
    builder.create(folder).map_err(failed)?;
    let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(Error::Unavailable(format!("{}: another process signs there", folder.display())))
        }
        Err(std::fs::TryLockError::Error(cause)) => Err(failed(cause)),
    }
}
