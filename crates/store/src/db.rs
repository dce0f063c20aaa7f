//! The database: opening, migrations, named transactions, and the one writer.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::keys::Keys;
use crate::{At, Error};

/// The migrations, oldest first. They are added to, never altered: a test compares them with their fingerprints.
pub(crate) const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_first_light", include_str!("../migrations/sqlite/0001_first_light.sql")),
    ("0002_the_desk", include_str!("../migrations/sqlite/0002_the_desk.sql")),
];

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
    pub fn open(directory: &Path) -> Result<Store, Error> {
        make_private(directory)?;
        let lock_path = directory.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path).at(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(Error::Owned(directory.to_owned())),
            Err(std::fs::TryLockError::Error(cause)) => return Err(Error::File { path: lock_path, cause }),
        }
        let mut writer = Connection::open(directory.join("sluis.db"))?;
        configure(&writer, WRITER_CACHE)?;
        writer.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;")?;
        writer.execute_batch("PRAGMA wal_autocheckpoint = 20000; PRAGMA journal_size_limit = 268435456;")?;
        migrate(&mut writer, MIGRATIONS)?;
        let keys = Keys::open(&directory.join("keys.db"))?;
        crate::raw::prepare(directory)?;
        let store = Store { directory: directory.to_owned(), writer: Mutex::new(writer), keys, _lock: lock };
        store.forget_unacknowledged()?;
        Ok(store)
    }

    /// Forgets what a killed process had written and not acknowledged: a key was kept, and no row. Identifiers begin with
    /// the time, so these are among the newest, and no more than are acknowledged together.
    fn forget_unacknowledged(&self) -> Result<(), Error> {
        let newest = self.keys.newest(2_000)?;
        let writer = self.writer();
        let mut select = writer.prepare("SELECT EXISTS (SELECT 1 FROM submissions WHERE public = ?1)")?;
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
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let failed = |cause| Error::Transaction { name, cause };
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
    pub fn reader(&self) -> Result<Reader, Error> {
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
    pub fn checkpoint(&self) -> Result<(), Error> {
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
    pub fn open(directory: &Path) -> Result<Reader, Error> {
        let path = directory.join("sluis.db");
        if !path.exists() {
            let cause = std::io::Error::new(
                std::io::ErrorKind::NotFound,
                "there is no data here yet; 'sluis receive' or 'sluis import' begins it",
            );
            return Err(Error::File { path, cause });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match unchanging(&path) {
            Some(uri) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(uri, flags)?
            }
            None => Connection::open_with_flags(&path, flags).or_else(|_| {
                Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            })?,
        };
        configure(&connection, READER_CACHE)?;
        connection.execute_batch("PRAGMA query_only = ON")?;
        check_version(&connection, MIGRATIONS)?;
        Ok(Reader { connection, directory: directory.to_owned() })
    }

    /// Runs `work` on one unchanging picture of the database.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Database`].
    pub fn read<T, E: From<Error>>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
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
    /// A prepared statement; the text says `$1`, `$2`, as PostgreSQL has it.
    ///
    /// SQLite would number `$n` by first appearance, without a word (docs: stack 1.3): so they become `?n`.
    pub(crate) fn prepare(&self, text: &str) -> Result<rusqlite::CachedStatement<'_>, Error> {
        Ok(self.inner.prepare_cached(&text.replace('$', "?"))?)
    }

    /// Runs a statement once; the number of rows it changed.
    pub(crate) fn execute(&self, text: &str, parameters: impl rusqlite::Params) -> Result<usize, Error> {
        Ok(self.prepare(text)?.execute(parameters)?)
    }

    /// The largest number in a table, 0 when it is empty: numbers are given out by the one writer.
    pub(crate) fn last_id(&self, text: &str) -> Result<i64, Error> {
        Ok(self.prepare(text)?.query_row((), |row| row.get::<_, Option<i64>>(0))?.unwrap_or(0))
    }

    /// A counter of the node; 0 when it has never been raised or set.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn counter(&self, name: &str) -> Result<i64, Error> {
        let mut select = self.prepare("-- db::counter\nSELECT value FROM counters WHERE name = $1")?;
        Ok(select.query_row([name], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    /// Sets a counter.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_counter(&self, name: &str, value: i64) -> Result<(), Error> {
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
    pub fn raise(&self, name: &str) -> Result<(), Error> {
        self.execute("-- db::raise\nUPDATE counters SET value = value + 1 WHERE name = $1", [name])?;
        Ok(())
    }
}

/// The name under which a database is opened on a file system that nobody can write to: SQLite would want to make its
/// shared memory beside it. A log that was left there says more than the database, so then this is not for us.
fn unchanging(path: &Path) -> Option<String> {
    let read_only = |error: std::io::Error| error.kind() == std::io::ErrorKind::ReadOnlyFilesystem;
    let is_read_only = File::options().write(true).open(path).is_err_and(read_only);
    let has_log = std::fs::metadata(path.with_extension("db-wal")).is_ok_and(|log| log.len() > 0);
    if !is_read_only || has_log {
        return None;
    }
    let name = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(format!("file:{name}?immutable=1"))
}

/// The value of a closed set that a column keeps by its number.
pub(crate) fn numbered<T: Copy>(row: &rusqlite::Row<'_>, at: usize, all: &[T]) -> rusqlite::Result<T> {
    let number: i64 = row.get(at)?;
    let value = usize::try_from(number).ok().and_then(|number| all.get(number));
    value.copied().ok_or(rusqlite::Error::IntegralValueOutOfRange(at, number))
}

/// Pages that the writer keeps, in KiB: the indexes of a few hundred thousand open cases. Taken as they are touched.
const WRITER_CACHE: i64 = 192 << 10;
/// Pages that a reader keeps, in KiB; the operating system keeps the rest.
const READER_CACHE: i64 = 16 << 10;

fn configure(connection: &Connection, cache: i64) -> Result<(), Error> {
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "cache_size", -cache)?;
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 268435456;")?;
    Ok(())
}

/// Makes a data directory that nobody but the node's own user can look into; one that is there stays as its owner has it.
fn make_private(directory: &Path) -> Result<(), Error> {
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

fn version(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.query_row("PRAGMA user_version", (), |row| row.get(0))?)
}

fn check_version(connection: &Connection, migrations: &[(&str, &str)]) -> Result<i64, Error> {
    let (found, known) = (version(connection)?, migrations.len() as i64);
    if found > known { Err(Error::Newer { found, known }) } else { Ok(found) }
}

fn migrate(connection: &mut Connection, migrations: &[(&str, &str)]) -> Result<(), Error> {
    let found = check_version(connection, migrations)?;
    for (number, (_, text)) in migrations.iter().enumerate().skip(found as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(text)?;
        transaction.pragma_update(None, "user_version", number as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}
