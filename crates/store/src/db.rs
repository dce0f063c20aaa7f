//! The database: named transactions, and the one writer. How each database is asked is in the files beside.

mod row;
mod sqlite;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, TransactionBehavior};

pub use row::Failure;
pub(crate) use row::{OptionalExtension, Params, Result, Row, Statement, Value, numbered};

use crate::keys::Keys;
use crate::{At, Error};

type Outcome<T> = std::result::Result<T, Error>;

/// A node's data directory, opened to write. One process at a time holds it.
pub struct Store {
    directory: PathBuf,
    writer: Mutex<Connection>,
    keys: Keys,
    /// Held as long as the store lives: the operating system lets go of it when the process ends, however it ends.
    _lock: File,
}

/// A connection that only reads. Any process may have any number of them while another writes.
pub struct Reader {
    connection: Connection,
    directory: PathBuf,
}

/// A transaction under way: it is undone unless its closure ends well.
pub struct Transaction<'a> {
    inner: rusqlite::Transaction<'a>,
}

impl Store {
    /// Opens the data directory, makes it if it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Owned`] when another process holds it, [`Error::Newer`] when a newer program wrote it,
    /// [`Error::File`] and [`Error::Database`] when it cannot be read or written.
    pub fn open(directory: &Path) -> Outcome<Store> {
        make_private(directory)?;
        let lock_path = directory.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path).at(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(Error::Owned(directory.to_owned())),
            Err(std::fs::TryLockError::Error(cause)) => return Err(Error::File { path: lock_path, cause }),
        }
        let writer = sqlite::open_writer(&directory.join("sluis.db"))?;
        let keys = Keys::open(&directory.join("keys.db"))?;
        crate::raw::prepare(directory)?;
        let store = Store { directory: directory.to_owned(), writer: Mutex::new(writer), keys, _lock: lock };
        store.forget_unacknowledged()?;
        Ok(store)
    }

    /// Forgets what a killed process had written and not acknowledged: a key was kept, and no row. Identifiers begin with
    /// the time, so these are among the newest, and no more than are acknowledged together.
    fn forget_unacknowledged(&self) -> Outcome<()> {
        let newest = self.keys.newest(2_000)?;
        let writer = self.writer();
        let mut select = sqlite::prepare(&writer, "SELECT EXISTS (SELECT 1 FROM submissions WHERE public = $1)")?;
        let mut forgotten = Vec::new();
        for public in newest {
            if !select.query_row([public.0.to_be_bytes()], |row| row.get::<_, bool>(0))? {
                crate::raw::remove(&self.directory, public)?;
                forgotten.push(public);
            }
        }
        if forgotten.is_empty() { Ok(()) } else { self.keys.destroy(&forgotten) }
    }

    /// Runs `work` as one transaction, named for errors. What it did is durable when this returns well, and undone
    /// otherwise.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Database`] when the transaction cannot begin or end.
    pub fn write<T, E: From<Error>>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let failed = |cause: rusqlite::Error| Error::Transaction { name, cause: cause.into() };
        let mut writer = self.writer();
        let inner = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let transaction = Transaction { inner };
        let result = work(&transaction)?;
        transaction.inner.commit().map_err(failed)?;
        Ok(result)
    }

    /// Another connection, to read while this process writes.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn reader(&self) -> Outcome<Reader> {
        Reader::open(&self.directory)
    }

    /// The keys of this node.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Moves what the write-ahead log holds into the database file.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn checkpoint(&self) -> Outcome<()> {
        self.writer().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(())
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held dropped its transaction, which undid it: the connection is as good as before.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// Opens a data directory to read, whether or not another process writes to it.
    ///
    /// # Errors
    /// [`Error::File`] when there is no database yet, [`Error::Newer`], [`Error::Database`].
    pub fn open(directory: &Path) -> Outcome<Reader> {
        let connection = sqlite::open_reader(&directory.join("sluis.db"))?;
        Ok(Reader { connection, directory: directory.to_owned() })
    }

    /// Runs `work` on one unchanging picture of the database.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Database`].
    pub fn read<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let inner = self.connection.transaction().map_err(Error::from)?;
        let transaction = Transaction { inner };
        let result = work(&transaction)?;
        transaction.inner.finish().map_err(Error::from)?;
        Ok(result)
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Transaction<'_> {
    /// A prepared statement; the text says `$1`, `$2` for its parameters.
    pub(crate) fn prepare(&self, text: &str) -> Outcome<Statement<'_>> {
        Ok(Statement::Sqlite(sqlite::prepare(&self.inner, text)?))
    }

    /// Runs a statement once; the number of rows it changed.
    pub(crate) fn execute(&self, text: &str, parameters: impl Params) -> Outcome<usize> {
        Ok(self.prepare(text)?.execute(parameters)?)
    }

    /// Takes `count` numbers for new rows of a table, one after the other; the first of them.
    ///
    /// Only one process writes, so they follow the largest that is there.
    pub(crate) fn numbers(&self, table: &'static str, count: i64) -> Outcome<i64> {
        debug_assert!(count >= 0);
        let mut select = self.prepare(&format!("-- db::numbers\nSELECT max(id) FROM {table}"))?;
        Ok(select.query_row((), |row| row.get::<Option<i64>>(0))?.unwrap_or(0) + 1)
    }

    /// A counter of the node; 0 when it has never been raised or set.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn counter(&self, name: &str) -> Outcome<i64> {
        let mut select = self.prepare("-- db::counter\nSELECT value FROM counters WHERE name = $1")?;
        Ok(select.query_row([name], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    /// Sets a counter.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_counter(&self, name: &str, value: i64) -> Outcome<()> {
        self.execute(
            "-- db::set_counter
             INSERT INTO counters (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )?;
        Ok(())
    }

    /// Raises a counter by one.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn raise(&self, name: &str) -> Outcome<()> {
        self.execute("-- db::raise\nUPDATE counters SET value = value + 1 WHERE name = $1", [name])?;
        Ok(())
    }
}

/// Makes a data directory that nobody but the node's own user can look into; one that is there stays as its owner has it.
fn make_private(directory: &Path) -> Outcome<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).at(directory)?;
    // SQLite gives its log and index files the mode of the database.
    let database = directory.join("sluis.db");
    if !database.exists() {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&database).at(&database)?;
    }
    Ok(())
}
