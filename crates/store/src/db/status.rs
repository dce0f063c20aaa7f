//! What a database is and how large it has become: for those who look after it.

use super::postgres::MIGRATIONS;
use super::{Outcome, Reader, Source, Transaction, partitions, row::Failure, sqlite};
use crate::At;

/// What a database is and how large it has become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Its name and version: `SQLite 3.50.2`, `PostgreSQL 15.8`.
    pub engine: String,
    /// Where it is.
    pub place: String,
    /// Schema of the data.
    pub schema: i64,
    /// Newest schema this program knows.
    pub known: i64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Its tables, by name. Partitions count as their table.
    pub tables: Vec<Table>,
    /// Partitions of the reports, oldest first; SQLite has none.
    pub partitions: Vec<Partition>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its rows; estimated on PostgreSQL.
    pub rows: i64,
    /// Bytes on disk, indexes included; `None` where that is not known table by table.
    pub bytes: Option<u64>,
}

/// A partition of the reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub number: i64,
    /// The batches that it is for, from and to (not included).
    pub batches: (i64, i64),
    /// Rows, estimated.
    pub rows: i64,
}

impl Reader {
    /// What the database is and how large it has become.
    ///
    /// # Errors
    /// [`crate::Error::Database`], [`crate::Error::File`].
    pub fn status(&mut self) -> Outcome<Status> {
        let place = match &self.source {
            Source::Sqlite(_) => self.directory.join("sluis.db").display().to_string(),
            Source::Postgres(_, server) => server.place(),
            Source::Pool(pool) => pool.place(),
        };
        let directory = self.directory.clone();
        self.read(|transaction| match transaction.open_postgres() {
            Some(_) => of_postgres(transaction, place),
            None => {
                let path = directory.join("sluis.db");
                let log = std::fs::metadata(directory.join("sluis.db-wal")).map_or(0, |log| log.len());
                let bytes = std::fs::metadata(&path).at(&path)?.len() + log;
                of_sqlite(transaction, place, bytes)
            }
        })
    }
}

fn of_sqlite(transaction: &Transaction<'_>, place: String, bytes: u64) -> Outcome<Status> {
    let mut select =
        transaction.prepare("-- status::tables\nSELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let names: Vec<String> = select.query_map((), |row| row.get(0))?.collect::<super::Result<_>>()?;
    let mut tables = Vec::new();
    for name in names {
        let rows =
            transaction.prepare(&format!("-- status::rows\nSELECT count(*) FROM {name}"))?.query_row((), |row| row.get(0))?;
        tables.push(Table { name, rows, bytes: None });
    }
    let schema = transaction.prepare("PRAGMA user_version")?.query_row((), |row| row.get(0))?;
    let engine = format!("SQLite {}", rusqlite::version());
    let known = sqlite::MIGRATIONS.len() as i64;
    Ok(Status { engine, place, schema, known, bytes, tables, partitions: Vec::new() })
}

fn of_postgres(transaction: &Transaction<'_>, place: String) -> Outcome<Status> {
    let version: String = transaction.prepare("SELECT current_setting('server_version')")?.query_row((), |row| row.get(0))?;
    let schema = transaction.prepare("SELECT version FROM node")?.query_row((), |row| row.get(0))?;
    let bytes = transaction.prepare("SELECT pg_database_size(current_database())")?.query_row((), |row| row.get::<u64>(0))?;
    let mut select = transaction.prepare(
        "-- status::tables
         SELECT c.relname::text, CAST(sum(greatest(t.reltuples, 0)) AS BIGINT), CAST(sum(pg_total_relation_size(t.oid)) AS BIGINT)
         FROM pg_class c, LATERAL (SELECT p.relid FROM pg_partition_tree(c.oid) p WHERE p.isleaf
                                   UNION SELECT c.oid WHERE c.relkind = 'r') leaf, pg_class t
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
             AND t.oid = leaf.relid
         GROUP BY c.relname ORDER BY c.relname COLLATE \"C\"",
    )?;
    let tables = select
        .query_map((), |row| Ok(Table { name: row.get(0)?, rows: row.get(1)?, bytes: Some(row.get::<u64>(2)?) }))?
        .collect::<super::Result<_>>()?;
    let partitions = match transaction.open_postgres() {
        Some(open) => open.on(|session| partitions::list(session.client()?))?,
        None => return Err(Failure::Aborted.into()),
    };
    let partition =
        |(number, rows)| Partition { number, batches: (number * partitions::BATCHES, (number + 1) * partitions::BATCHES), rows };
    let partitions = partitions.into_iter().map(partition).collect();
    let (engine, known) = (format!("PostgreSQL {version}"), MIGRATIONS.len() as i64);
    Ok(Status { engine, place, schema, known, bytes, tables, partitions })
}
