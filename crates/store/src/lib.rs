//! All SQL, and the only place for it.
//!
//! [`Store::open`] opens a node's data directory: the database ([`db`]), the keys apart from it ([`keys`]) and the raw
//! submissions ([`raw`]). Statements stand beside their functions, one file per noun: [`administration`],
//! [`submissions`], [`reports`], [`cases`], [`steps`], [`clocks`], [`outbox`], [`queues`]. [`apply`] is the one transaction in which a batch of reports
//! becomes rows.
//!
//! Everything here blocks. One thread writes; any number read.

pub mod administration;
pub mod apply;
pub mod cases;
pub mod clocks;
pub mod db;
pub mod keys;
pub mod outbox;
pub mod queues;
pub mod raw;
pub mod reports;
pub mod steps;
pub mod submissions;

pub use db::{Reader, Store, Transaction};

use std::path::PathBuf;

/// What went wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database said no.
    #[error("the database refused: {0}")]
    Database(#[from] rusqlite::Error),
    /// A transaction could not begin, or could not be made durable: nothing of it happened.
    #[error("the transaction '{name}' did not happen: {cause}")]
    Transaction {
        /// Its name.
        name: &'static str,
        /// Why.
        #[source]
        cause: rusqlite::Error,
    },
    /// A file could not be read or written.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Another process works on this data directory.
    #[error("{0}: another sluis process owns this data directory (is 'sluis serve' running?)")]
    Owned(PathBuf),
    /// The data was written by a newer program.
    #[error("the data has schema {found}, this program knows up to {known}: install the newer program again")]
    Newer {
        /// Schema of the data.
        found: i64,
        /// Newest schema this program knows.
        known: i64,
    },
    /// What is stored is not what was stored.
    #[error("{0}")]
    Damaged(String),
    /// The randomness of the operating system failed.
    #[error("the operating system gave no random bytes")]
    Random,
}

impl Error {
    /// Whether the cause is a full disk: the work is to be tried again when there is room.
    pub fn is_full(&self) -> bool {
        match self {
            // Shared memory is a file too: SQLite calls it an I/O error when that cannot grow.
            Error::Database(rusqlite::Error::SqliteFailure(failure, _))
            | Error::Transaction { cause: rusqlite::Error::SqliteFailure(failure, _), .. } => {
                failure.code == rusqlite::ErrorCode::DiskFull || failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
            }
            Error::File { cause, .. } => {
                matches!(cause.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }

    /// Whether the transaction that failed with this has surely left nothing. The log was full before its end was
    /// written; any other failure of a commit may come after that, and be a commit to whoever opens the store next.
    pub fn is_surely_undone(&self) -> bool {
        match self {
            Error::Database(rusqlite::Error::SqliteFailure(failure, _))
            | Error::Transaction { cause: rusqlite::Error::SqliteFailure(failure, _), .. } => {
                failure.code == rusqlite::ErrorCode::DiskFull
            }
            _ => false,
        }
    }
}

pub(crate) trait At<T> {
    /// Names the file that an I/O error is about.
    fn at(self, path: &std::path::Path) -> Result<T, Error>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, path: &std::path::Path) -> Result<T, Error> {
        self.map_err(|cause| Error::File { path: path.to_owned(), cause })
    }
}
