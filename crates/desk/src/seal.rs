//! The seal: what waits becomes entries of the log, and the log is signed and published. One thread at a time does this.
//!
//! The order is what keeps the log from ever telling two stories, whenever the power fails:
//!
//! 1. Seeds of the records are durable in `keys.db`.
//! 2. One transaction writes records, entries and heads, and takes what they are of from what waits.
//! 3. Tiles and bundles that became full are durable on disk.
//! 4. The promise (size, root) is durable in a folder of its own, which no backup brings back; a smaller size, or another root for the
//!    same, is refused there.
//! 5. The checkpoint is signed, and kept. Effects that waited for it may go.
//!
//! [`records`] draws the records, with `batches` for those of feeds; [`open`] opens what was sealed. [`folder`] is the disk,
//! [`start`] what is compared when a process begins, [`publish`] what others see, [`fsck`] the whole log reckoned again.
//! [`witness`] cosigns logs of others, [`watch`] looks at them, and [`asking`] has witnesses cosign this one.

pub mod anchor;
pub mod asking;
mod batches;
mod compose;
pub mod erase;
pub mod evidence;
pub mod export;
pub mod folder;
pub mod fsck;
mod issued;
pub mod open;
mod others;
pub mod publish;
pub mod records;
mod ring;
pub mod start;
pub mod watch;
pub mod witness;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::seal::log::{Growth, Promise, Refused};
use ::seal::note::{Ed25519Signer, Note, Signer, VerifierKey};
use ::seal::shelf::Shelf;
use model::time::Time;
use store::Transaction;
use store::log::{Checkpoint, Shard};

use crate::{Desk, Error};
use folder::Folder;
use records::Place;

/// Rows of what waits that are sealed in one transaction, which keeps other writers waiting as long as it lasts. Measured on SQLite
/// with others on the machine: of 2,048 records 87 to 108 ms at 15,300 to 19,800 records/s, of 4,096 twice as long (184 to 265 ms)
/// and no faster (13,400 to 18,400 records/s), of 1,024 52 to 55 ms with a tenth more work for each record (10,800 to 16,100).
const TOGETHER: u32 = 2_048;
/// An entry that anybody may read begins so; its length follows.
const PUBLIC: [u8; 2] = [1, 2];

/// What the operator chose about the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The beginning of the origin, `<host>/<log>`; without it one that follows from the log's key.
    pub name: Option<String>,
    /// The file with the log's key; without it `log/keys` in the data directory, which is made.
    pub key: Option<PathBuf>,
    /// The folder of the promises; without it `signed` in the data directory. Better on another disk, and in no backup.
    pub signed: Option<PathBuf>,
    /// A published log has a multiple of so many entries.
    pub pad: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { name: None, key: None, signed: None, pad: 64 }
    }
}

/// The log of a desk.
#[derive(Default)]
pub(crate) struct Log {
    settings: Settings,
    /// Held by whoever seals or publishes. Nothing is in it until the first time, and after a failure: then what is on disk is
    /// looked at anew.
    growing: Mutex<Option<Growing>>,
    /// Why the log cannot sign, in words for people; nothing when it can, as far as is known.
    trouble: Mutex<Option<Trouble>>,
    /// A checkpoint of ours that was seen elsewhere and that we do not have: it is not signed any more.
    overtaken: Mutex<Option<String>>,
    /// This node as a witness of others, and what is known of its own.
    witness: witness::Witness,
}

/// The shard that grows, with everything that is needed to sign it.
struct Growing {
    shard: Shard,
    growth: Growth,
    /// Tiles and what is published.
    shelf: Folder,
    /// Promises.
    signed: Folder,
    signer: Ed25519Signer,
    /// Size of the last checkpoint that was signed.
    covered: u64,
    /// Full tiles since the last publication, whose partial ones are not needed any more after the next.
    filled: Vec<String>,
    /// As long as it is open, no other process promises anything.
    _lock: std::fs::File,
}

/// Why the log cannot sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Time,
    /// In words for people.
    pub reason: String,
    /// Whether a person has to look; otherwise it is tried again, and may end by itself.
    pub lasts: bool,
}

/// How it stands after something was sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Entries that were added.
    pub entries: u64,
    /// Entries under the last signed checkpoint.
    pub signed_size: u64,
}

impl Desk {
    /// Sets what the operator chose about the log. To be done before anything is sealed.
    pub fn set_log(&mut self, settings: Settings) {
        self.log.settings = settings;
    }

    /// Seals everything that waits, and signs a checkpoint over it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the log cannot sign until a person has looked, [`Error::Unavailable`] when it is to be tried
    /// again. What was not sealed still waits.
    pub fn seal(&self) -> Result<Sealed, Error> {
        self.seal_what(false)
    }

    /// Seals what is urgent, and signs a checkpoint over it; the rest waits on.
    ///
    /// # Errors
    /// As [`Desk::seal`].
    pub fn seal_urgent(&self) -> Result<Sealed, Error> {
        self.seal_what(true)
    }

    fn seal_what(&self, urgent: bool) -> Result<Sealed, Error> {
        if !self.log.is_open() && !self.has_work_for_log()? {
            return Ok(Sealed::default());
        }
        self.grow(|growing| {
            let mut entries = 0;
            while let Some(added) = self.add_waiting(growing, urgent)? {
                entries += added;
                self.sign(growing, None)?;
            }
            // What a process added that ended before it could sign.
            self.sign(growing, None)?;
            Ok(Sealed { entries, signed_size: growing.covered })
        })
    }

    /// Adds entries that anybody may read (`docs/seal.md` 4), and signs a checkpoint over them; the shard, and the index of the
    /// first of them.
    ///
    /// # Errors
    /// As [`Desk::seal`]; [`Error::Invalid`] for a body of more than 65,000 bytes.
    pub fn add_public(&self, bodies: &[Vec<u8>]) -> Result<(i64, u64), Error> {
        let entries = bodies.iter().map(|body| public_entry(body)).collect::<Result<Vec<_>, _>>()?;
        self.grow(|growing| {
            let first = growing.growth.size();
            self.add(growing, |_, _| Ok((entries, ())))?;
            self.sign(growing, None)?;
            Ok((growing.shard.id, first))
        })
    }

    /// The shard that grows and the key that verifies it. The log begins with this, if it had not.
    ///
    /// # Errors
    /// As [`Desk::seal`].
    pub fn log_key(&self) -> Result<(Shard, VerifierKey), Error> {
        self.grow(|growing| Ok((growing.shard.clone(), growing.signer.key().clone())))
    }

    /// Why the log cannot sign; nothing when it can, as far as is known.
    pub fn log_trouble(&self) -> Option<Trouble> {
        self.log.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of a checkpoint that a witness or a mirror showed as ours: whether it may stand, which is when our own key signed
    /// it and the log here has it. One that is larger than ours, or of another tree, stops all signing: the data here was rolled
    /// back. What our key did not sign says nothing about us and is `Ok(false)`, so that nobody else can stop us.
    ///
    /// # Errors
    /// As [`Desk::seal`].
    pub fn seen_elsewhere(&self, note: &Note) -> Result<bool, Error> {
        self.grow(|growing| {
            let Ok(seen) = ::seal::checkpoint::open(note, growing.signer.key()) else { return Ok(false) };
            let why = if seen.size > growing.growth.size() {
                format!(
                    "a checkpoint of {} entries that this log signed is known elsewhere, and it has {}",
                    seen.size,
                    growing.growth.size()
                )
            } else if self.root_at(&growing.shard, seen.size)? != seen.root {
                format!(
                    "a checkpoint of {} entries that this log signed is known elsewhere, and has another root than here",
                    seen.size
                )
            } else {
                return Ok(true);
            };
            *self.log.overtaken.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
            Err(cannot(&why))
        })
    }

    /// Whether anything waits, or was added and not signed. For a log that is not open: commands that change nothing leave it alone.
    fn has_work_for_log(&self) -> Result<bool, Error> {
        Ok(self.store.reader()?.read(|transaction| {
            if transaction.has_unsealed(false)? {
                return Ok(true);
            }
            let Some(shard) = transaction.shard()? else { return Ok(false) };
            let signed = transaction.signed_checkpoint(shard.id)?.map_or(0, |checkpoint| checkpoint.size);
            Ok::<_, store::Error>(transaction.log_size(shard.id)? != signed)
        })?)
    }

    /// Does something with the log while nobody else does, and keeps what the trouble was.
    fn grow<T>(&self, work: impl FnOnce(&mut Growing) -> Result<T, Error>) -> Result<T, Error> {
        let mut held = self.log.held();
        let result = self.opened(&mut held).and_then(work);
        if result.is_err() {
            *held = None;
        }
        self.note_trouble(result.as_ref().err());
        result
    }

    /// Keeps what the trouble is, or that there is none any more.
    fn note_trouble(&self, error: Option<&Error>) {
        let mut kept = self.log.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let since = kept.as_ref().map_or(self.now(), |trouble| trouble.since);
        *kept = error.map(|error| Trouble { since, reason: error.to_string(), lasts: matches!(error, Error::Conflict(_)) });
    }

    /// The log, opened if it is not, and in the shard of its present name.
    fn opened<'a>(&self, held: &'a mut MutexGuard<'_, Option<Growing>>) -> Result<&'a mut Growing, Error> {
        if let Some(why) = &*self.log.overtaken.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(cannot(why));
        }
        let mut growing = match held.take() {
            Some(growing) => growing,
            None => self.start_log(false)?,
        };
        if self.is_over(&growing.shard) {
            growing = self.next_shard(growing)?;
        }
        Ok(held.insert(growing))
    }

    /// Seals some of what waits; how many entries that made, or nothing when there is nothing more to seal.
    fn add_waiting(&self, growing: &mut Growing, urgent: bool) -> Result<Option<u64>, Error> {
        let mut prepared = records::prepare(&self.store, TOGETHER, urgent)?;
        if prepared.is_empty() {
            return Ok(None);
        }
        let now = self.now();
        let before = growing.growth.size();
        let taken = self.add(growing, |transaction, place| {
            let drawn = records::draw(transaction, self.store.keys(), &mut prepared, place, now)?;
            Ok((drawn.entries, drawn.taken))
        })?;
        if taken > 0 {
            self.destroy_keys_of_evidence()?;
        }
        Ok((taken > 0).then(|| growing.growth.size() - before))
    }

    /// Adds the entries that `draw` makes, in one transaction.
    fn add<E: AsRef<[u8]>, T>(
        &self,
        growing: &mut Growing,
        draw: impl FnOnce(&Transaction<'_>, Place) -> Result<(Vec<E>, T), Error>,
    ) -> Result<T, Error> {
        let (shard, first) = (growing.shard.id, growing.growth.size());
        let place = Place { shard, first: i64::try_from(first).unwrap_or(i64::MAX) };
        let (entries, other) = self.store.write("seal", |transaction| {
            if transaction.log_size(shard)? != first {
                return Err(Error::Unavailable("another process added to the log meanwhile".to_owned()));
            }
            let (entries, other) = draw(transaction, place)?;
            transaction.add_entries(shard, first, &entries)?;
            Ok::<_, Error>((entries, other))
        })?;
        for entry in &entries {
            growing.growth.push(entry.as_ref()).map_err(|wrong| Error::Invalid(wrong.to_string()))?;
        }
        Ok(other)
    }

    /// Makes the tiles durable, promises the size and the root, signs, and keeps the checkpoint. Nothing happens when all that
    /// is done already.
    fn sign(&self, growing: &mut Growing, published: Option<Time>) -> Result<Option<Note>, Error> {
        if growing.growth.size() == growing.covered && published.is_none() {
            return Ok(None);
        }
        let full = growing.growth.take_full();
        growing.shelf.keep(&full).map_err(|error| disk(&error))?;
        growing.filled.extend(full.into_iter().map(|(path, _)| path));
        let promise = Promise::of(&growing.shard.origin, &growing.growth);
        let note = ::seal::log::sign(&growing.signed, growing.shard.label(), &promise, &growing.signer).map_err(refused)?;
        let checkpoint = Checkpoint {
            shard: growing.shard.id,
            size: promise.size,
            root: promise.root,
            note: note.to_string(),
            signed: self.now(),
            published,
        };
        self.store.write("checkpoint", |transaction| transaction.add_checkpoint(&checkpoint))?;
        growing.covered = promise.size;
        Ok(Some(note))
    }

    /// Root of the first `size` entries of a shard, from the database.
    fn root_at(&self, shard: &Shard, size: u64) -> Result<[u8; 32], Error> {
        let mut frontier = ::seal::tree::Frontier::new();
        self.store.reader()?.read(|transaction| {
            transaction.each_entry(shard.id, 0, size, |_, entry| {
                frontier.push(::seal::tree::leaf_hash(&entry));
                Ok::<_, store::Error>(())
            })
        })?;
        Ok(frontier.root())
    }

    /// Where the tiles of a shard are.
    fn shelf_of(&self, label: &str) -> Folder {
        Folder::shown(folder_of(self.store.directory(), label))
    }
}

impl Log {
    fn held(&self) -> MutexGuard<'_, Option<Growing>> {
        // What a panic left half done is looked at anew.
        self.growing.lock().unwrap_or_else(|poisoned| {
            let mut held = poisoned.into_inner();
            *held = None;
            held
        })
    }

    fn is_open(&self) -> bool {
        self.held().is_some()
    }
}

/// The folder of a shard's files in a data directory.
pub fn folder_of(directory: &Path, label: &str) -> PathBuf {
    directory.join("log").join(label)
}

/// The bytes of an entry that anybody may read.
fn public_entry(body: &[u8]) -> Result<Vec<u8>, Error> {
    let length = u16::try_from(body.len()).ok().filter(|length| *length <= 65_000);
    let length = length.ok_or_else(|| Error::Invalid("an entry that anybody may read has 65000 bytes at most".to_owned()))?;
    Ok([&PUBLIC[..], &length.to_be_bytes(), body].concat())
}

/// That the log cannot sign, and what to do.
fn cannot(why: &str) -> Error {
    Error::Conflict(format!(
        "the log cannot sign: {why}. Nothing is lost: steps wait to be sealed. Bring the newer data back, or freeze this log and begin another: 'sluis log begin'"
    ))
}

fn disk(error: &::seal::shelf::Error) -> Error {
    match error {
        ::seal::shelf::Error::Differs(_) => cannot(&format!("{error}; 'sluis log fsck' says what is wrong")),
        ::seal::shelf::Error::Disk { path, cause } => Error::from(store::Error::File {
            path: PathBuf::from(path),
            cause: std::io::Error::new(cause.kind(), cause.to_string()),
        }),
    }
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Shelf(error) => disk(&error),
        other => cannot(&other.to_string()),
    }
}
