//! The keys of a node, kept apart from its data: the node secret, and one key for each raw submission.
//!
//! Backups of the data do not hold this file, and destroying a key erases what it encrypts, wherever copies are.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::submission::PublicId;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::{At, Error};

/// A key of AES-256-GCM.
pub type Key = [u8; 32];

/// See the module.
pub struct Keys {
    connection: Mutex<Connection>,
    secret: Key,
}

impl Keys {
    pub(crate) fn open(path: &Path) -> Result<Keys, Error> {
        if !path.exists() {
            make_private(path)?;
        }
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(30))?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             CREATE TABLE IF NOT EXISTS node_secrets (name TEXT PRIMARY KEY, secret BLOB NOT NULL) STRICT, WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS raw_keys (submission BLOB PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID;",
        )?;
        connection.execute(
            "INSERT INTO node_secrets (name, secret) VALUES ('node', ?1) ON CONFLICT (name) DO NOTHING",
            [random::<32>()?],
        )?;
        let secret = connection.query_row("SELECT secret FROM node_secrets WHERE name = 'node'", (), |row| row.get(0))?;
        Ok(Keys { connection: Mutex::new(connection), secret })
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
        connection.execute_batch("PRAGMA query_only = ON")?;
        let secret = connection.query_row("SELECT secret FROM node_secrets WHERE name = 'node'", (), |row| row.get(0))?;
        Ok(Keys { connection: Mutex::new(connection), secret })
    }

    /// Keeps the keys of submissions, durably: after this, and not before, their raw bytes can be read again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn keep(&self, keys: &[(PublicId, Key)]) -> Result<(), Error> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO raw_keys (submission, key) VALUES (?1, ?2)")?;
            for (submission, key) in keys {
                insert.execute((submission.0.to_be_bytes(), key))?;
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
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT key FROM raw_keys WHERE submission = ?1")?;
        Ok(select.query_row([submission.0.to_be_bytes()], |row| row.get(0)).optional()?)
    }

    /// Submissions whose keys are here, the newest first, at most `most`.
    pub(crate) fn newest(&self, most: u32) -> Result<Vec<PublicId>, Error> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT submission FROM raw_keys ORDER BY submission DESC LIMIT ?1")?;
        let rows = select.query_map([most], |row| Ok(PublicId(u128::from_be_bytes(row.get(0)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Destroys the keys of submissions: their raw bytes can never be read again, wherever copies of them are.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn destroy(&self, submissions: &[PublicId]) -> Result<(), Error> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for submission in submissions {
            transaction.execute("DELETE FROM raw_keys WHERE submission = ?1", [submission.0.to_be_bytes()])?;
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
        Ok(self.connection().query_row("SELECT count(*) FROM raw_keys", (), |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    /// Writes a copy, as it is at one moment, into a file that is not there yet, durably.
    pub(crate) fn copy_to(&self, to: &Path) -> Result<(), Error> {
        make_private(to)?;
        let mut copy = Connection::open(to)?;
        {
            let connection = self.connection();
            let backup = rusqlite::backup::Backup::new(&connection, &mut copy)?;
            if backup.step(-1)? != rusqlite::backup::StepResult::Done {
                return Err(Error::Damaged("the keys were locked for too long; try again".into()));
            }
        }
        copy.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(()))?;
        drop(copy);
        std::fs::File::open(to).and_then(|file| file.sync_all()).at(to)
    }

    /// Moves what the log of the keys holds into their file, and empties it: what was destroyed is in neither then.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn checkpoint(&self) -> Result<(), Error> {
        Ok(self.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // As in `Store`: a panic undid its transaction.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a file that nobody but the node's own user may read, from the first byte on.
fn make_private(path: &Path) -> Result<(), Error> {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).at(path)?;
    Ok(())
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
