//! Which database a test runs on: a file whose name ends in `_postgres` holds the tests of the file it is named after, and
//! they run on PostgreSQL there.

#![allow(dead_code, clippy::unwrap_used)]

#[path = "../../../store/tests/cluster/mod.rs"]
mod cluster;

use store::Engine;

pub(crate) use cluster::Database;

/// The engine for the tests of a module, with its database. Without a PostgreSQL server they run on SQLite once more.
pub(crate) fn engine(module: &str) -> (Engine, Option<Database>) {
    let postgres = module.split("::").next().is_some_and(|name| name.ends_with("_postgres"));
    match postgres.then(cluster::database).flatten() {
        Some(database) => (Engine::postgres(&database.connection, None).unwrap(), Some(database)),
        None => (Engine::Sqlite, None),
    }
}

/// As [`engine`], on a server that waits for the disk: for benchmarks.
pub(crate) fn engine_synced(module: &str) -> (Engine, Option<Database>) {
    cluster::SYNC.store(true, std::sync::atomic::Ordering::Relaxed);
    engine(module)
}
