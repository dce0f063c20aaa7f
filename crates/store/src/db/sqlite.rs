//! SQLite: how it is opened, kept and asked.

use std::fs::File;
use std::path::Path;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, TransactionBehavior, params_from_iter};

use super::row::{Failure, Result, Value};
use crate::Error;

/// The migrations, oldest first. They are added to, never altered: a test compares them with their fingerprints.
pub(crate) const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_first_light", include_str!("../../migrations/sqlite/0001_first_light.sql")),
    ("0002_the_desk", include_str!("../../migrations/sqlite/0002_the_desk.sql")),
    ("0003_the_seal", include_str!("../../migrations/sqlite/0003_the_seal.sql")),
    ("0004_every_door", include_str!("../../migrations/sqlite/0004_every_door.sql")),
];

/// Pages that the writer keeps, in KiB: the indexes of a few hundred thousand open cases. Taken as they are touched.
const WRITER_CACHE: i64 = 192 << 10;
/// Pages that a reader keeps, in KiB; the operating system keeps the rest.
const READER_CACHE: i64 = 16 << 10;

/// Opens a database to write, made when it is not there, and brings its schema up to date.
pub(crate) fn open_writer(path: &Path) -> std::result::Result<Connection, Error> {
    let mut writer = Connection::open(path)?;
    configure(&writer, WRITER_CACHE)?;
    writer.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;")?;
    writer.execute_batch("PRAGMA wal_autocheckpoint = 20000; PRAGMA journal_size_limit = 268435456;")?;
    // What is erased is to be gone from the file, not only from its index.
    writer.execute_batch("PRAGMA secure_delete = ON")?;
    migrate(&mut writer, MIGRATIONS)?;
    Ok(writer)
}

/// Opens a database to read, whether or not another process writes to it.
pub(crate) fn open_reader(path: &Path) -> std::result::Result<Connection, Error> {
    if !path.exists() {
        let cause = std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "there is no data here yet; 'sluis receive' or 'sluis import' begins it",
        );
        return Err(Error::File { path: path.to_owned(), cause });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match unchanging(path) {
        Some(uri) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(uri, flags)?
        }
        None => Connection::open_with_flags(path, flags)
            .or_else(|_| Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX))?,
    };
    configure(&connection, READER_CACHE)?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    check_version(&connection, MIGRATIONS)?;
    Ok(connection)
}

/// A prepared statement; the text says `$1`, `$2`, as PostgreSQL has it.
///
/// SQLite would number `$n` by first appearance, without a word: so they become `?n`.
pub(crate) fn prepare<'a>(connection: &'a Connection, text: &str) -> Result<CachedStatement<'a>> {
    Ok(connection.prepare_cached(&text.replace('$', "?"))?)
}

pub(crate) fn execute(statement: &mut rusqlite::Statement<'_>, values: &[Value<'_>]) -> Result<usize> {
    Ok(statement.execute(params_from_iter(values))?)
}

pub(crate) fn query<'a>(statement: &'a mut rusqlite::Statement<'_>, values: &[Value<'_>]) -> Result<rusqlite::Rows<'a>> {
    Ok(statement.query(params_from_iter(values))?)
}

pub(crate) fn value<'a>(row: &'a rusqlite::Row<'_>, at: usize) -> Result<Value<'a>> {
    match row.get_ref(at)? {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Text(text) => std::str::from_utf8(text).map(Value::Text).map_err(|_| Failure::Unexpected(at)),
        ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes)),
        ValueRef::Real(_) => Err(Failure::Unexpected(at)),
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Whether the cause is a full disk. Shared memory is a file too: SQLite calls it an I/O error when that cannot grow.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return false };
    failure.code == rusqlite::ErrorCode::DiskFull || failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
}

/// Whether the transaction has left nothing: the log was full before its end was written. Any other failure of a commit
/// may come after that.
pub(crate) fn is_surely_undone(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _) if failure.code == rusqlite::ErrorCode::DiskFull)
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

fn configure(connection: &Connection, cache: i64) -> std::result::Result<(), Error> {
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "cache_size", -cache)?;
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 268435456;")?;
    Ok(())
}

pub(crate) fn version(connection: &Connection) -> std::result::Result<i64, Error> {
    Ok(connection.query_row("PRAGMA user_version", (), |row| row.get(0))?)
}

fn check_version(connection: &Connection, migrations: &[(&str, &str)]) -> std::result::Result<i64, Error> {
    let (found, known) = (version(connection)?, migrations.len() as i64);
    if found > known { Err(Error::Newer { found, known }) } else { Ok(found) }
}

/// Brings the schema up to date.
pub(crate) fn migrate(connection: &mut Connection, migrations: &[(&str, &str)]) -> std::result::Result<(), Error> {
    let found = check_version(connection, migrations)?;
    for (number, (_, text)) in migrations.iter().enumerate().skip(found as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(text)?;
        transaction.pragma_update(None, "user_version", number as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}
