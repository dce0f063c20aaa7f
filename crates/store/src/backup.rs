//! What a backup needs to know of the rows, and what a node knows of having been restored.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use model::outbox::Hold;
use model::submission::{Door, PublicId};
use model::time::Time;
use ring::digest;

use crate::db::{OptionalExtension, Transaction};
use crate::keys::Keys;
use crate::{At, Error};

/// What is not as it should be with a node as a whole; nothing keeps it from working.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// It was restored from a backup, and nobody has said yet that what it would send may go.
    pub restored: Option<Restored>,
    /// The keys are not those that were here: submissions up to this number cannot be read again, and copies of them are
    /// not known for copies.
    pub keys_lost: Option<i64>,
}

/// A restoration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When.
    pub at: Time,
    /// When the backup was taken: what came between is missing, or was read again.
    pub from: Time,
}

impl Condition {
    /// What people are told, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(Restored { at, from }) = self.restored {
            warnings.push(format!(
                "this node was restored at {at} from a backup of {from}: letters are held until a person has looked ('sluis restore confirm')"
            ));
        }
        if let Some(last) = self.keys_lost {
            warnings.push(format!(
                "keys.db is not the one that was here: the bytes of submissions up to number {last} cannot be read again, and reports \
                 that come a second time are taken for new; stop the node and put back keys.db from the backup of the keys"
            ));
        }
        warnings
    }
}

/// What a backup says of the rows in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Submissions.
    pub submissions: i64,
    /// Cases.
    pub cases: i64,
    /// Largest number of a batch of reports.
    pub batches: i64,
}

/// A submission, and whether its bytes can be read: what a restored node lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Row number.
    pub id: i64,
    /// Its identifier.
    pub public: PublicId,
    /// When it was received.
    pub received: Time,
    /// Whether its bytes are in a file, not in the database.
    pub is_file: bool,
}

impl Transaction<'_> {
    /// What is not as it should be with the node as a whole.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn condition(&self) -> Result<Condition, Error> {
        let restored = match self.counter("restored")? {
            0 => None,
            at => Some(Restored { at: Time(at), from: Time(self.counter("restored_from")?) }),
        };
        let keys_lost = Some(self.counter("keys_lost")?).filter(|last| *last > 0);
        Ok(Condition { restored, keys_lost })
    }

    /// Notes that the rows come from a backup, and holds what waits in the outbox; how many entries.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_restored(&self, from: Time, now: Time) -> Result<u64, Error> {
        self.set_counter("restored", now.0.max(1))?;
        self.set_counter("restored_from", from.0)?;
        let free = self.held_for(Hold::Free)?;
        for &entry in &free {
            if let Some(entry) = self.entry(entry)? {
                self.set_hold(&entry, Hold::Restored, "", "")?;
            }
        }
        Ok(free.len() as u64)
    }

    /// A person has looked: what is decided from now on may go. What was held stays held, for the person to let go or to
    /// withdraw. False when the node was not restored, or somebody has said so before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn confirm_restored(&self) -> Result<bool, Error> {
        let was = self.counter("restored")? != 0;
        if was {
            self.set_counter("restored", 0)?;
        }
        Ok(was)
    }

    /// Numbers of the entries that wait because the node was restored, oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn held_by_restore(&self) -> Result<Vec<i64>, Error> {
        self.held_for(Hold::Restored)
    }

    fn held_for(&self, hold: Hold) -> Result<Vec<i64>, Error> {
        let mut select = self.prepare("-- backup::held\nSELECT id FROM outbox WHERE delivery = 0 AND hold = $1 ORDER BY id")?;
        Ok(select.query_map([hold as u8], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// What a backup says of the rows.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn counts(&self) -> Result<Counts, Error> {
        let mut select = self.prepare(
            "-- backup::counts
             SELECT (SELECT count(*) FROM submissions), (SELECT count(*) FROM cases), (SELECT coalesce(max(id), 0) FROM batches)",
        )?;
        Ok(select.query_row((), |row| Ok(Counts { submissions: row.get(0)?, cases: row.get(1)?, batches: row.get(2)? }))?)
    }

    /// Submissions above number `after` whose bytes are kept, oldest first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn kept_after(&self, after: i64, most: u32) -> Result<Vec<Kept>, Error> {
        let mut select = self.prepare(
            "-- backup::kept
             SELECT id, public, received, place FROM submissions WHERE id > $1 AND place < 2 ORDER BY id LIMIT $2",
        )?;
        let rows = select.query_map((after, most), |row| {
            Ok(Kept {
                id: row.get(0)?,
                public: PublicId(u128::from_be_bytes(row.get(1)?)),
                received: Time(row.get(2)?),
                is_file: row.get::<i64>(3)? == 1,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether evidence waits to be sealed, whose words nobody can look through until then.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn has_evidence(&self) -> Result<bool, Error> {
        Ok(self
            .prepare("-- backup::has_evidence\nSELECT EXISTS (SELECT 1 FROM evidence WHERE length(content) > 0)")?
            .query_row((), |row| row.get(0))?)
    }

    /// Whether a key is of something that is here: a submission, or evidence that waits to be sealed.
    pub(crate) fn needs_key(&self, public: PublicId) -> Result<bool, Error> {
        let mut select = self.prepare("-- backup::evidence\nSELECT EXISTS (SELECT 1 FROM evidence WHERE public = $1)")?;
        Ok(self.submission_by_public(public)?.is_some() || select.query_row([public.0.to_be_bytes()], |row| row.get(0))?)
    }

    /// The door through which these bytes came before, by their digest; `None` when they are new.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn door_of(&self, digest: &[u8; 32]) -> Result<Option<Door>, Error> {
        for door in Door::ALL {
            let mut select = self.prepare("-- backup::door\nSELECT id FROM submissions WHERE door = $1 AND digest = $2")?;
            if select.query_row((door as u8, digest), |row| row.get::<i64>(0)).optional()?.is_some() {
                return Ok(Some(door));
            }
        }
        Ok(None)
    }

    /// Compares the keys with those that were here when the node was last opened, and notes when they are others.
    pub(crate) fn note_keys(&self, keys: &Keys, made: bool) -> Result<(), Error> {
        let print = keys.print();
        let before = self.counter("keys")?;
        if before == print {
            return Ok(());
        }
        self.set_counter("keys", print)?;
        let newest: Vec<(i64, PublicId)> = self
            .prepare("-- backup::newest\nSELECT id, public FROM submissions WHERE place < 2 ORDER BY id DESC LIMIT 1")?
            .query_map((), |row| Ok((row.get(0)?, PublicId(u128::from_be_bytes(row.get(1)?)))))?
            .collect::<Result<_, _>>()?;
        let Some((last, public)) = newest.into_iter().next() else { return Ok(()) };
        if before == 0 && !made {
            return Ok(());
        }
        // The right ones may have been put back.
        let lost = if keys.get(public)?.is_some() { 0 } else { last };
        self.set_counter("keys_lost", lost)
    }
}

/// Copies the keys of a data directory, beside the process that owns it, into a file that is not there yet.
///
/// # Errors
/// [`Error::Database`], [`Error::File`].
pub fn copy_keys(from: &Path, to: &Path) -> Result<(), Error> {
    Keys::open_to_read(from)?.copy_to(to)
}

/// Brings the keys of a copy into a data directory that has none.
///
/// # Errors
/// As [`copy_keys`].
pub fn bring_back_keys(from: &Path, to: &Path) -> Result<(), Error> {
    Keys::open_to_read(from)?.bring_back(to)
}

/// Size and SHA-256 of a file.
pub type Sum = (u64, [u8; 32]);

/// Size and SHA-256 of a file.
///
/// # Errors
/// [`Error::File`].
pub fn sum(path: &Path) -> Result<Sum, Error> {
    let mut file = File::open(path).at(path)?;
    pass(&mut file, &mut std::io::sink()).at(path)
}

/// Copies a file into one that appears whole or not at all, durably, for its owner only; what it is.
///
/// # Errors
/// [`Error::File`], of the kind `NotFound` when there is no such file any more.
pub fn copy_file(from: &Path, to: &Path) -> Result<Sum, Error> {
    let mut source = File::open(from).at(from)?;
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = std::path::PathBuf::from(unfinished);
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished).at(&unfinished)?;
    let sum = pass(&mut source, &mut file).at(&unfinished)?;
    file.sync_all().at(&unfinished)?;
    std::fs::rename(&unfinished, to).at(to)?;
    Ok(sum)
}

/// Passes bytes on, and sums them up.
fn pass(from: &mut dyn Read, to: &mut dyn Write) -> std::io::Result<Sum> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut part = vec![0; 1 << 18];
    let mut size = 0;
    loop {
        let count = match from.read(&mut part) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = part.get(..count).unwrap_or_default();
        context.update(bytes);
        to.write_all(bytes)?;
        size += count as u64;
    }
    let mut sum = [0; 32];
    sum.copy_from_slice(context.finish().as_ref());
    Ok((size, sum))
}
