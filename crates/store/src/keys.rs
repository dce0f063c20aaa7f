//! The keys of a node, kept apart from its data: the node secret, one key for each raw submission, and the seeds that the keys
//! of sealed fields follow from.
//!
//! Backups of the data do not hold this file, and destroying a key erases what it encrypts, wherever copies are. In the file
//! each key is encrypted under the key of a [`generations`]; that one lies in a file of its own, and is destroyed, with
//! all that was encrypted under it and is not needed any more, when something was erased.

mod copy;
pub mod generations;
pub mod seeds;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::submission::PublicId;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use generations::Generations;

use crate::{At, Error};

/// A key of AES-256-GCM.
pub type Key = [u8; 32];

/// How often a read begins again when the keys were encrypted anew under it.
const TRIES: u32 = 8;

/// See the module.
pub struct Keys {
    inner: Mutex<Inner>,
    /// Held by whoever encrypts all keys anew.
    renewing: Mutex<()>,
    secret: Key,
}

struct Inner {
    connection: Connection,
    generations: Generations,
}

impl Keys {
    pub(crate) fn open(path: &Path) -> Result<Keys, Error> {
        if !path.exists() {
            make_private(path)?;
        }
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(30))?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")?;
        generations::prepare(&mut connection)?;
        let mut inner = Inner { generations: Generations::open(path, &mut connection)?, connection };
        let secret = match inner.secret().map_err(generations::explain)? {
            Some(secret) => secret,
            None => inner.make_secret()?,
        };
        let keys = Keys { inner: Mutex::new(inner), renewing: Mutex::new(()), secret };
        keys.finish()?;
        Ok(keys)
    }

    /// Opens the keys of a node to look one up, also beside the process that owns them. Nothing is made or changed.
    ///
    /// # Errors
    /// [`Error::Database`], also when there are no keys.
    pub fn open_to_read(path: &Path) -> Result<Keys, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).or_else(|_| Connection::open_with_flags(path, read_only))?;
        connection.busy_timeout(std::time::Duration::from_secs(30))?;
        generations::prepare_to_read(&connection)?;
        connection.execute_batch("PRAGMA query_only = ON")?;
        let generations = Generations::to_read(path);
        let mut inner = Inner { connection, generations };
        let secret = again(|| inner.secret())?.ok_or_else(|| Error::Damaged(format!("{}: these are no keys", path.display())))?;
        Ok(Keys { inner: Mutex::new(inner), renewing: Mutex::new(()), secret })
    }

    /// Keeps the keys of submissions, durably: after this, and not before, their raw bytes can be read again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn keep(&self, keys: &[(PublicId, Key)]) -> Result<(), Error> {
        let mut inner = self.inner();
        let Inner { connection, generations } = &mut *inner;
        let transaction = connection.transaction()?;
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO raw_keys (submission, key, generation) VALUES (?1, ?2, ?3)")?;
            for (submission, key) in keys {
                let submission = submission.0.to_be_bytes();
                insert.execute((submission, generations.wrap(&raw_place(&submission), key)?, generations.current()))?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// The key of a submission; `None` when it was destroyed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn get(&self, submission: PublicId) -> Result<Option<Key>, Error> {
        let submission = submission.0.to_be_bytes();
        self.read(|inner| {
            let row = {
                let mut select = inner.connection.prepare_cached("SELECT key, generation FROM raw_keys WHERE submission = ?1")?;
                select.query_row([submission], wrapped).optional()?
            };
            row.map(|(key, generation)| inner.generations.unwrap(&raw_place(&submission), generation, &key)).transpose()
        })
    }

    /// Submissions whose keys are here, the newest first, at most `most`.
    pub(crate) fn newest(&self, most: u32) -> Result<Vec<PublicId>, Error> {
        let inner = self.inner();
        let mut select = inner.connection.prepare_cached("SELECT submission FROM raw_keys ORDER BY submission DESC LIMIT ?1")?;
        let rows = select.query_map([most], |row| Ok(PublicId(u128::from_be_bytes(row.get(0)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Destroys the keys of submissions: their raw bytes can never be read again, wherever copies of them are.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn destroy(&self, submissions: &[PublicId]) -> Result<(), Error> {
        let mut inner = self.inner();
        let transaction = inner.connection.transaction()?;
        let mut gone = 0;
        for submission in submissions {
            gone += transaction.execute("DELETE FROM raw_keys WHERE submission = ?1", [submission.0.to_be_bytes()])?;
        }
        if gone > 0 {
            generations::note_cut(&transaction)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// A hash that only this node can make: the address of raw bytes, the name of a hidden location.
    pub fn mac(&self, purpose: &str) -> hmac::Context {
        hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.derive(purpose)))
    }

    /// A key of its own for a purpose (HMAC-SHA-256 of the node secret; the purpose separates the domains).
    pub fn derive(&self, purpose: &str) -> Key {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.secret), purpose.as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(tag.as_ref());
        key
    }

    /// A number that tells these keys from those of another node, and nothing else of them. Never 0.
    pub(crate) fn print(&self) -> i64 {
        let derived = self.derive("print");
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&derived[..8]);
        i64::from_be_bytes(bytes) | 1
    }

    /// Whether these are keys of the same node.
    pub fn is_same_node(&self, other: &Keys) -> bool {
        self.secret == other.secret
    }

    /// How many submissions' keys there are.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn count(&self) -> Result<u64, Error> {
        let inner = self.inner();
        Ok(inner.connection.query_row("SELECT count(*) FROM raw_keys", (), |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// Moves what the log of the keys holds into their file, and empties it: what was destroyed is in neither then.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn checkpoint(&self) -> Result<(), Error> {
        Ok(self.inner().connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // As in `Store`: a panic undid its transaction.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads, and begins again when the owner encrypted all keys anew meanwhile and destroyed the key they were under.
    fn read<T>(&self, mut read: impl FnMut(&mut Inner) -> Result<T, Error>) -> Result<T, Error> {
        let mut inner = self.inner();
        again(|| read(&mut inner))
    }
}

impl Inner {
    fn secret(&mut self) -> Result<Option<Key>, Error> {
        let text = "SELECT secret, generation FROM node_secrets WHERE name = 'node'";
        let row = self.connection.query_row(text, (), wrapped).optional()?;
        row.map(|(secret, generation)| self.generations.unwrap(SECRET, generation, &secret)).transpose()
    }

    fn make_secret(&mut self) -> Result<Key, Error> {
        let secret = random()?;
        self.connection.execute(
            "INSERT INTO node_secrets (name, secret, generation) VALUES ('node', ?1, ?2)",
            (self.generations.wrap(SECRET, &secret)?, self.generations.current()),
        )?;
        Ok(secret)
    }
}

/// What the encryption of the node's secret is bound to.
const SECRET: &[u8] = b"node";

/// What the encryption of a submission's key is bound to.
fn raw_place(submission: &[u8; 16]) -> [u8; 20] {
    let mut place = *b"raw/0000000000000000";
    place[4..].copy_from_slice(submission);
    place
}

fn wrapped(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Vec<u8>, i64)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn again<T>(mut read: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..TRIES {
        match read() {
            Err(error) if generations::is_gone(&error) => std::thread::yield_now(),
            result => return result,
        }
    }
    read().map_err(generations::explain)
}

/// Makes a file that nobody but the node's own user may read, from the first byte on.
fn make_private(path: &Path) -> Result<(), Error> {
    create_private(path).map(drop)
}

fn create_private(path: &Path) -> Result<std::fs::File, Error> {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).at(path)
}

/// Random bytes from the operating system.
///
/// # Errors
/// [`Error::Random`].
pub fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(bytes)
}

/// A new public identifier: 48 bits of time, so that indexes grow at their end, then 80 random bits (as UUIDv7, RFC 9562).
///
/// # Errors
/// [`Error::Random`].
pub fn public_id(now: model::time::Time) -> Result<PublicId, Error> {
    let random = random::<10>()?;
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&now.0.max(0).to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    Ok(PublicId(u128::from_be_bytes(bytes)))
}

/// The SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}
