//! All SQL, and the only place for it.
//!
//! [`Store::open`] opens a node's data directory: the database ([`db`]), the keys apart from it ([`keys`]) and the raw
//! submissions ([`raw`]). Statements stand beside their functions, one file per noun. [`apply`] is the one transaction in which
//! a batch of reports becomes rows; [`touch`] is its part about cases. [`backup`] copies a node and brings it back,
//! [`erasures`] takes out what may not be kept.
//!
//! Everything here blocks. One thread writes; any number read.

pub mod acts;
pub mod administration;
pub mod advisories;
pub mod alerts;
pub mod anchors;
pub mod apply;
pub mod backup;
pub mod cases;
pub mod clocks;
pub mod corrections;
pub mod db;
pub mod erasures;
pub mod evidence;
pub mod feeds;
pub mod fetches;
pub mod follow;
pub mod holds;
pub mod keys;
pub mod listing;
pub mod log;
pub mod mailboxes;
pub mod merges;
pub mod orders;
pub mod outbox;
pub mod policies;
pub mod proofs;
pub mod queues;
pub mod raw;
pub mod recorded;
pub mod reports;
pub mod sealed;
pub mod senders;
pub mod shapes;
pub mod steps;
pub mod submissions;
pub mod taken;
pub mod touch;
pub mod witness;

pub use db::{Engine, Reader, Store, Transaction};

use std::path::PathBuf;

/// What went wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database said no.
    #[error("the database refused: {0}")]
    Database(#[from] db::Failure),
    /// A transaction could not begin, or could not be made durable: nothing of it happened.
    #[error("the transaction '{name}' did not happen: {cause}")]
    Transaction {
        /// Its name.
        name: &'static str,
        /// Why.
        #[source]
        cause: db::Failure,
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
    /// PostgreSQL cannot be reached, or is not what this node needs.
    #[error("{0}")]
    Server(String),
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

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        Error::Database(error.into())
    }
}

impl Error {
    /// Whether the cause is a full disk: the work is to be tried again when there is room.
    pub fn is_full(&self) -> bool {
        match self {
            Error::Database(failure) | Error::Transaction { cause: failure, .. } => failure.is_full(),
            Error::File { cause, .. } => {
                matches!(cause.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }

    /// Whether the same transaction may go well when it is tried again, because others were in its way.
    pub(crate) fn is_in_the_way(&self) -> bool {
        match self {
            Error::Database(failure) | Error::Transaction { cause: failure, .. } => failure.is_in_the_way(),
            _ => false,
        }
    }

    /// Whether the transaction that failed with this has surely left nothing. Where that is not known, it may be a commit
    /// to whoever opens the store next.
    pub fn is_surely_undone(&self) -> bool {
        match self {
            Error::Database(failure) | Error::Transaction { cause: failure, .. } => failure.is_surely_undone(),
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
