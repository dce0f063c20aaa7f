//! Copies of all rows as they are at one moment, and the way back: for backups.
//!
//! SQLite's is a database file. PostgreSQL's is one file a table, `COPY` in its binary form, compressed, beside a list of
//! the columns: it needs no other program, and goes into any newer schema.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use postgres::Client;

use super::postgres::{MIGRATIONS, Session, migrate};
use super::row::{Failure, Result};
use super::{Engine, Outcome, Reader, Source, make_private, make_private_file, partitions, sqlite};
use crate::{At, Error};

/// The file of a copy that lists tables and columns.
const TABLES: &str = "tables";

impl Reader {
    /// Writes a copy of all rows into a folder that is there, durably; others write meanwhile. The schema it has.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Database`].
    pub fn copy_rows(&mut self, folder: &Path) -> Outcome<i64> {
        if let Source::Sqlite(connection) = &self.source {
            return copy_sqlite(connection, &folder.join("sluis.db"));
        }
        self.read(|transaction| match transaction.open_postgres() {
            Some(open) => {
                let folder = folder.join("postgres");
                make_private(&folder)?;
                let copied = open.on(|session| Ok(copy_tables(session.client()?, &folder)))?;
                let schema = transaction.prepare("SELECT version FROM node")?.query_row((), |row| row.get(0))?;
                copied.map(|()| schema)
            }
            None => Err(Failure::Aborted.into()),
        })
    }
}

/// Looks whether a copied SQLite database is whole; what is wrong with it, empty when nothing is.
///
/// # Errors
/// [`Error::Database`] when it is none at all.
pub fn check_file(path: &Path) -> Outcome<Vec<String>> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    let mut select = connection.prepare("PRAGMA integrity_check(10)")?;
    let found: Vec<String> = select.query_map((), |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

/// Looks whether the files of a copied PostgreSQL database unpack; what is wrong, empty when nothing is.
///
/// # Errors
/// [`Error::File`] when the list of tables cannot be read.
pub fn check_tables(folder: &Path) -> Outcome<Vec<String>> {
    let mut wrong = Vec::new();
    for (table, _) in tables_of(folder)? {
        let path = folder.join(format!("{table}.copy.zst"));
        let unpacked = File::open(&path).and_then(zstd::Decoder::new).and_then(|mut rows| io::copy(&mut rows, &mut io::sink()));
        if let Err(error) = unpacked {
            wrong.push(format!("{}: {error}", path.display()));
        }
    }
    Ok(wrong)
}

/// Puts copied tables (of [`Reader::copy_rows`] on PostgreSQL, with its schema) into a PostgreSQL database that is empty.
///
/// # Errors
/// [`Error::Server`] when it is not empty, [`Error::Newer`], [`Error::File`], [`Error::Database`].
pub fn load_tables(folder: &Path, schema: i64, engine: &Engine) -> Outcome<()> {
    let Engine::Postgres(server) = engine else {
        return Err(Error::Server("these rows are of PostgreSQL: name the new, empty database in the configuration".into()));
    };
    let known = MIGRATIONS.len() as i64;
    let migrations = usize::try_from(schema).ok().and_then(|schema| MIGRATIONS.get(..schema));
    let Some(migrations) = migrations else { return Err(Error::Newer { found: schema, known }) };
    let mut session = server.alone()?;
    let is_there: bool =
        session.client()?.query_one("SELECT to_regclass('node') IS NOT NULL", &[]).map_err(Failure::from)?.get(0);
    if is_there {
        return Err(Error::Server(format!("the {} holds a node already: name an empty one", server.place())));
    }
    migrate(&mut session, migrations)?;
    for (table, columns) in tables_of(folder)? {
        load_table(&mut session, folder, &table, &columns)?;
    }
    session.client()?.batch_execute("ANALYZE").map_err(Failure::from)?;
    Ok(())
}

fn copy_sqlite(connection: &rusqlite::Connection, to: &Path) -> Outcome<i64> {
    make_private_file(to)?;
    let mut copy = rusqlite::Connection::open(to)?;
    copy.execute_batch("PRAGMA synchronous = OFF")?;
    {
        // All pages in one step, of one moment: nobody who writes meanwhile makes it begin anew.
        let backup = rusqlite::backup::Backup::new(connection, &mut copy)?;
        if backup.step(-1)? != rusqlite::backup::StepResult::Done {
            return Err(Error::Damaged("the database was locked for too long; try again".into()));
        }
    }
    // A database of its own, without a log beside it.
    copy.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(()))?;
    let schema = sqlite::version(&copy)?;
    drop(copy);
    File::open(to).and_then(|file| file.sync_all()).at(to)?;
    Ok(schema)
}

fn copy_tables(client: &mut Client, folder: &Path) -> Outcome<()> {
    let rows = client
        .query(
            "SELECT c.relname::text, (SELECT string_agg(quote_ident(a.attname), ',' ORDER BY a.attnum) FROM pg_attribute a
                                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
             FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
                 AND NOT c.relispartition AND c.relname <> 'node' ORDER BY c.relname COLLATE \"C\"",
            &[],
        )
        .map_err(Failure::from)?;
    let mut list = String::new();
    for row in rows {
        let (table, columns): (String, String) = (row.get(0), row.get(1));
        let path = folder.join(format!("{table}.copy.zst"));
        let mut from =
            client.copy_out(&format!("COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT binary)")).map_err(Failure::from)?;
        let mut write = || -> io::Result<()> {
            let mut out = zstd::Encoder::new(create(&path)?, 1)?;
            io::copy(&mut from, &mut out)?;
            out.finish()?.sync_all()
        };
        let written = write();
        written.at(&path)?;
        list += &format!("{table} {columns}\n");
    }
    let path = folder.join(TABLES);
    let write = || -> io::Result<()> {
        let mut file = create(&path)?;
        file.write_all(list.as_bytes())?;
        file.sync_all()
    };
    let written = write();
    written.at(&path)
}

fn load_table(session: &mut Session, folder: &Path, table: &str, columns: &str) -> Outcome<()> {
    if table == "reports" || table == "fields" {
        partitions_for(session.client()?)?;
    }
    let path = folder.join(format!("{table}.copy.zst"));
    let mut rows = File::open(&path).and_then(zstd::Decoder::new).at(&path)?;
    let client = session.client()?;
    // What the migrations put there is what the copy has, or older.
    client.batch_execute(&format!("DELETE FROM {table}")).map_err(Failure::from)?;
    let mut into = client.copy_in(&format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)")).map_err(Failure::from)?;
    io::copy(&mut rows, &mut into).at(&path)?;
    into.finish().map_err(Failure::from)?;
    Ok(())
}

/// Partitions for all batches that the copy has: those were loaded before, by the alphabet.
fn partitions_for(client: &mut Client) -> Result<()> {
    let last: i64 = client.query_one("SELECT coalesce(max(id), 0) FROM batches", &[])?.get(0);
    partitions::make_all(client, last)
}

fn tables_of(folder: &Path) -> Outcome<Vec<(String, String)>> {
    let path = folder.join(TABLES);
    let file = File::open(&path).at(&path)?;
    let mut tables = Vec::new();
    for line in io::BufReader::new(file.take(1 << 20)).lines() {
        let line = line.at(&path)?;
        let is_plain = line.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_, \"".contains(&byte));
        match line.split_once(' ').filter(|_| is_plain) {
            Some((table, columns)) => tables.push((table.to_owned(), columns.to_owned())),
            None => return Err(Error::Damaged(format!("{}: this is no list of tables", path.display()))),
        }
    }
    Ok(tables)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
