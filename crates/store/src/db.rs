//! The database: named transactions, and who may write. How each database is asked is in the files beside.
//!
//! Everything above speaks through `Transaction::prepare`, `execute` and `insert_many`, in
//! text that both databases understand in the same way. Where PostgreSQL has a faster way for many rows at once, it
//! stands beside the statement it replaces, in `apply/sets.rs`.

mod bulk;
mod copy;
mod partitions;
mod postgres;
mod pulse;
mod row;
mod sqlite;
mod status;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::TransactionBehavior;

pub use self::copy::{check_file, check_tables, load_tables};
pub use self::postgres::Server;
pub(crate) use self::postgres::{Open, Session};
use self::pulse::Pulse;
pub(crate) use bulk::Bulk;
pub use row::Failure;
pub(crate) use row::{OptionalExtension, Params, Result, Row, Statement, Value, numbered};
#[cfg(test)]
pub(crate) use sqlite::MIGRATIONS as MIGRATIONS_OF_SQLITE;
pub use status::{Partition, Status, Table};

use self::postgres::Pool;
use crate::keys::Keys;
use crate::{At, Error};

type Outcome<T> = std::result::Result<T, Error>;

/// How often a transaction is tried again when others are in its way.
const TRIES: u32 = 8;
/// The file of a data directory whose rows are in PostgreSQL.
const MARK: &str = "postgresql";

/// Where the rows of a node are.
#[derive(Clone, Debug, Default)]
pub enum Engine {
    /// In the file `sluis.db` of the data directory.
    #[default]
    Sqlite,
    /// In a database of a PostgreSQL server.
    Postgres(Box<Server>),
}

impl Engine {
    /// PostgreSQL, by a connection string such as `host=/run/postgresql dbname=sluis user=sluis`.
    ///
    /// # Errors
    /// [`Error::Server`] when it is none.
    pub fn postgres(connection: &str, password: Option<&[u8]>) -> Outcome<Engine> {
        Ok(Engine::Postgres(Box::new(Server::parse(connection, password)?)))
    }
}

/// A node's data, opened to write. One process at a time holds it.
pub struct Store {
    directory: PathBuf,
    engine: Engine,
    writer: Writer,
    keys: Keys,
    pulse: Pulse,
    /// Held as long as the store lives: the operating system lets go of it when the process ends, however it ends.
    _lock: File,
}

enum Writer {
    Sqlite(Mutex<rusqlite::Connection>),
    Postgres(Arc<Pool>),
}

/// A connection that only reads. Any process may have any number of them while another writes.
pub struct Reader {
    source: Source,
    directory: PathBuf,
}

enum Source {
    Sqlite(rusqlite::Connection),
    /// Beside the process that owns the database; there unless it was lost.
    Postgres(Option<Session>, Box<Server>),
    /// In the process that owns it.
    Pool(Arc<Pool>),
}

/// A transaction under way: it is undone unless its closure ends well.
pub struct Transaction<'a> {
    inner: Inner<'a>,
}

enum Inner<'a> {
    Sqlite(rusqlite::Transaction<'a>),
    Postgres(Open, Option<&'a Pool>),
}

impl Store {
    /// Opens the data directory with its rows in SQLite; see [`Store::open_on`].
    ///
    /// # Errors
    /// As [`Store::open_on`].
    pub fn open(directory: &Path) -> Outcome<Store> {
        Store::open_on(directory, &Engine::Sqlite)
    }

    /// Opens the data directory, makes it if it is not there, and brings the schema of its database up to date.
    ///
    /// # Errors
    /// [`Error::Owned`] when another process holds it, [`Error::Newer`] when a newer program wrote it, [`Error::Server`] when
    /// PostgreSQL cannot be reached or is not this node's, [`Error::File`] and [`Error::Database`] when it cannot be read or
    /// written.
    pub fn open_on(directory: &Path, engine: &Engine) -> Outcome<Store> {
        make_private(directory)?;
        let lock_path = directory.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path).at(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(Error::Owned(directory.to_owned())),
            Err(std::fs::TryLockError::Error(cause)) => return Err(Error::File { path: lock_path, cause }),
        }
        let file = directory.join("sluis.db");
        let made = !directory.join("keys.db").exists();
        let (writer, keys) = match engine {
            Engine::Sqlite => {
                is_of_sqlite(directory)?;
                make_private_file(&file)?;
                let writer = sqlite::open_writer(&file)?;
                (Writer::Sqlite(Mutex::new(writer)), Keys::open(&directory.join("keys.db"))?)
            }
            Engine::Postgres(server) => {
                let pool = Pool::open(server)?;
                if std::fs::metadata(&file).is_ok_and(|file| file.len() > 0) {
                    return Err(Error::Server(format!(
                        "{} holds rows already, and they do not move by themselves: name an empty data directory",
                        file.display()
                    )));
                }
                let keys = Keys::open(&directory.join("keys.db"))?;
                pool.belongs_to(&keys.derive("database"))?;
                mark(directory)?;
                (Writer::Postgres(Arc::new(pool)), keys)
            }
        };
        crate::raw::prepare(directory)?;
        let store =
            Store { directory: directory.to_owned(), engine: engine.clone(), writer, keys, pulse: Pulse::default(), _lock: lock };
        store.forget_unacknowledged()?;
        store.write("keys", |transaction| transaction.note_keys(store.keys(), made))?;
        Ok(store)
    }

    /// Forgets what a killed process had written and not acknowledged: a key was kept, and no row. Identifiers begin with
    /// the time, so these are among the newest, and no more than are acknowledged together.
    fn forget_unacknowledged(&self) -> Outcome<()> {
        let newest = self.keys.newest(2_000)?;
        let forgotten = self.reader()?.read(|transaction| {
            let mut forgotten = Vec::new();
            for public in newest {
                if !transaction.needs_key(public)? {
                    forgotten.push(public);
                }
            }
            Ok::<_, Error>(forgotten)
        })?;
        for public in &forgotten {
            crate::raw::remove(&self.directory, *public)?;
        }
        if forgotten.is_empty() { Ok(()) } else { self.keys.destroy(&forgotten) }
    }

    /// Runs `work` as one transaction, named for errors, while no other writes. What it did is durable when this returns
    /// well, and undone otherwise.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Transaction`] when the transaction cannot begin or end.
    pub fn write<T, E: From<Error>>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let result = match &self.writer {
            Writer::Sqlite(writer) => write_sqlite(writer, name, work),
            Writer::Postgres(pool) => {
                let _alone = pool.turn.write().unwrap_or_else(PoisonError::into_inner);
                write_postgres(pool, name, work)
            }
        };
        self.pulse.beat(result.is_ok());
        result
    }

    /// As [`Store::write`], for work that may be done beside other such work where the database can (PostgreSQL). When
    /// others are in its way it is undone, and tried again from the beginning.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_beside<T>(&self, name: &'static str, mut work: impl FnMut(&Transaction<'_>) -> Outcome<T>) -> Outcome<T> {
        let result = match &self.writer {
            Writer::Sqlite(writer) => write_sqlite(writer, name, work),
            Writer::Postgres(pool) => {
                let mut tries = 1;
                loop {
                    let result = {
                        let _beside = pool.turn.read().unwrap_or_else(PoisonError::into_inner);
                        write_postgres(pool, name, &mut work)
                    };
                    match result {
                        Err(error) if tries < TRIES && error.is_in_the_way() => tries += 1,
                        result => break result,
                    }
                }
            }
        };
        self.pulse.beat(result.is_ok());
        result
    }

    /// Waits until this process commits something, or so long; `seen` is what it returned the last time, 0 at first.
    pub fn wait_for_commit(&self, seen: u64, most: Duration) -> u64 {
        self.pulse.wait(seen, most)
    }

    /// Another connection, to read while this process writes.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn reader(&self) -> Outcome<Reader> {
        let source = match &self.writer {
            Writer::Sqlite(_) => return Reader::open(&self.directory),
            Writer::Postgres(pool) => Source::Pool(Arc::clone(pool)),
        };
        Ok(Reader { source, directory: self.directory.clone() })
    }

    /// The keys of this node.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the rows are.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Moves what SQLite's write-ahead log holds into the database file; PostgreSQL sees to that itself.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn checkpoint(&self) -> Outcome<()> {
        match &self.writer {
            Writer::Sqlite(writer) => Ok(held(writer).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?),
            Writer::Postgres(_) => Ok(()),
        }
    }
}

fn held(writer: &Mutex<rusqlite::Connection>) -> MutexGuard<'_, rusqlite::Connection> {
    // A panic while the lock was held dropped its transaction, which undid it: the connection is as good as before.
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_sqlite<T, E: From<Error>>(
    writer: &Mutex<rusqlite::Connection>,
    name: &'static str,
    work: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let failed = |cause: rusqlite::Error| Error::Transaction { name, cause: cause.into() };
    let mut writer = held(writer);
    let inner = writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let transaction = Transaction { inner: Inner::Sqlite(inner) };
    let result = work(&transaction)?;
    if let Inner::Sqlite(inner) = transaction.inner {
        inner.commit().map_err(failed)?;
    }
    Ok(result)
}

fn write_postgres<T, E: From<Error>>(
    pool: &Pool,
    name: &'static str,
    work: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    // A panic drops the connection, and the server undoes what it hears no more of.
    let transaction = Transaction { inner: Inner::Postgres(Open::new(pool.begin()?), Some(pool)) };
    let result = work(&transaction);
    let Inner::Postgres(open, _) = transaction.inner else { return result };
    match result {
        Ok(value) => {
            let (committed, session) = open.commit();
            pool.end(session);
            committed.map_err(|cause| Error::Transaction { name, cause })?;
            Ok(value)
        }
        Err(error) => {
            if let Some(session) = open.roll_back() {
                pool.end(session);
            }
            Err(error)
        }
    }
}

impl Reader {
    /// Opens a data directory to read, with its rows in SQLite; see [`Reader::open_on`].
    ///
    /// # Errors
    /// As [`Reader::open_on`].
    pub fn open(directory: &Path) -> Outcome<Reader> {
        Reader::open_on(directory, &Engine::Sqlite)
    }

    /// Opens a data directory to read, whether or not another process writes to it.
    ///
    /// # Errors
    /// [`Error::File`] when there is no database yet, [`Error::Newer`], [`Error::Server`], [`Error::Database`].
    pub fn open_on(directory: &Path, engine: &Engine) -> Outcome<Reader> {
        let source = match engine {
            Engine::Sqlite => {
                is_of_sqlite(directory)?;
                Source::Sqlite(sqlite::open_reader(&directory.join("sluis.db"))?)
            }
            Engine::Postgres(server) => Source::Postgres(Some(self::postgres::open_reader(server)?), server.clone()),
        };
        Ok(Reader { source, directory: directory.to_owned() })
    }

    /// Runs `work` on one unchanging picture of the database.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Database`].
    pub fn read<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let (session, pool) = match &mut self.source {
            Source::Sqlite(connection) => {
                let inner = connection.transaction().map_err(Error::from)?;
                let transaction = Transaction { inner: Inner::Sqlite(inner) };
                let result = work(&transaction)?;
                if let Inner::Sqlite(inner) = transaction.inner {
                    inner.finish().map_err(Error::from)?;
                }
                return Ok(result);
            }
            Source::Postgres(session, server) => (self::postgres::begin_alone(session.take(), server)?, None),
            Source::Pool(pool) => (pool.begin_reading()?, Some(Arc::clone(pool))),
        };
        let transaction = Transaction { inner: Inner::Postgres(Open::new(session), None) };
        let result = work(&transaction);
        if let Inner::Postgres(open, _) = transaction.inner {
            // Nothing was changed: ending a reading transaction in either way is the same.
            let session = open.roll_back();
            match (&mut self.source, pool, session) {
                (_, Some(pool), Some(session)) => pool.end_reading(session),
                (Source::Postgres(kept, _), None, session) => *kept = session,
                _ => {}
            }
        }
        result
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Transaction<'_> {
    /// A prepared statement; the text says `$1`, `$2` for its parameters.
    pub(crate) fn prepare(&self, text: &str) -> Outcome<Statement<'_>> {
        Ok(match &self.inner {
            Inner::Sqlite(inner) => Statement::Sqlite(sqlite::prepare(inner, text)?),
            Inner::Postgres(open, _) => Statement::Postgres(open, open.on(|session| session.prepare(text))?),
        })
    }

    /// Runs a statement once; the number of rows it changed.
    pub(crate) fn execute(&self, text: &str, parameters: impl Params) -> Outcome<usize> {
        Ok(self.prepare(text)?.execute(parameters)?)
    }

    /// Adds rows to a table: `fill` adds each with [`Bulk::add`]. `columns` is their list, with commas, in the order of the
    /// values; they have none of the table's keys yet.
    pub(crate) fn insert_many(
        &self,
        table: &'static str,
        columns: &'static str,
        fill: impl FnOnce(&mut Bulk<'_>) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut bulk = match &self.inner {
            Inner::Sqlite(inner) => Bulk::into_sqlite(inner, table, columns)?,
            Inner::Postgres(..) => Bulk::into_postgres(),
        };
        fill(&mut bulk)?;
        match (&self.inner, bulk) {
            (Inner::Postgres(open, _), Bulk::Postgres(rows)) => Ok(open.on(|session| rows.copy(session, table, columns))?),
            _ => Ok(()),
        }
    }

    /// PostgreSQL, for what it can do with many rows at once.
    pub(crate) fn open_postgres(&self) -> Option<&Open> {
        match &self.inner {
            Inner::Sqlite(_) => None,
            Inner::Postgres(open, _) => Some(open),
        }
    }

    /// Waits until no other transaction is between this and its end. On SQLite none is. It is for what is read, decided and
    /// written again by transactions that run beside each other.
    pub(crate) fn alone(&self) -> Outcome<()> {
        if let Some(open) = self.open_postgres() {
            open.on(postgres::alone)?;
        }
        Ok(())
    }

    /// Takes `count` numbers for new rows of a table, one after the other; the first of them.
    ///
    /// Only one process writes, so they follow the largest that is there or was given out.
    pub(crate) fn numbers(&self, table: &'static str, count: i64) -> Outcome<i64> {
        debug_assert!(count >= 0);
        let last = || -> Result<i64> {
            let text = format!("-- db::numbers\nSELECT max(id) FROM {table}");
            let mut select = match &self.inner {
                Inner::Sqlite(inner) => Statement::Sqlite(sqlite::prepare(inner, &text)?),
                Inner::Postgres(open, _) => Statement::Postgres(open, open.on(|session| session.prepare(&text))?),
            };
            Ok(select.query_row((), |row| row.get::<Option<i64>>(0))?.unwrap_or(0))
        };
        match &self.inner {
            Inner::Postgres(_, Some(pool)) => Ok(pool.numbers.take(table, count, last)?),
            _ => Ok(last()? + 1),
        }
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
    builder.create(directory).at(directory)
}

/// Makes an empty file that nobody else can read. SQLite gives its log and index files the mode of the database.
fn make_private_file(path: &Path) -> Outcome<()> {
    if !path.exists() {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).at(path)?;
    }
    Ok(())
}

/// Notes in a data directory that its rows are in PostgreSQL.
fn mark(directory: &Path) -> Outcome<()> {
    let path = directory.join(MARK);
    if !path.exists() {
        std::fs::write(&path, "The rows of this node are in PostgreSQL; where, the configuration says.\n").at(&path)?;
        crate::raw::sync_directory(directory)?;
    }
    Ok(())
}

/// Refuses a data directory whose rows are in PostgreSQL: what has no row in an empty SQLite database would be taken for
/// never acknowledged, and forgotten.
fn is_of_sqlite(directory: &Path) -> Outcome<()> {
    if directory.join(MARK).exists() {
        return Err(Error::Server(format!(
            "the rows of {} are in PostgreSQL: name the configuration that says where with --config FILE",
            directory.display()
        )));
    }
    Ok(())
}
