//! What can go wrong at a provider or a desk. Each says what to do.

use std::path::Path;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// With a file.
    #[error(transparent)]
    File(#[from] crate::files::Error),
    /// With a key.
    #[error(transparent)]
    Key(#[from] crate::keys::Error),
    /// With an envelope from somebody else.
    #[error("{0}: {1}")]
    Refused(String, matching::envelope::Refused),
    /// With bytes inside one.
    #[error("{0}")]
    Malformed(#[from] matching::bytes::Malformed),
    /// With a batch, its answer or a public key.
    #[error(transparent)]
    Wrong(#[from] matching::voprf::Wrong),
    /// With what was encrypted under the cache key.
    #[error("what was asked before cannot be opened ({0}); give the cache key that it was asked with")]
    Closed(#[from] crate::vault::Closed),
    /// With the list.
    #[error(transparent)]
    List(#[from] matching::list::Error),
    /// With the log of the list.
    #[error(transparent)]
    Log(#[from] crate::log::Wrong),
    /// Something else, in words.
    #[error("{0}")]
    Said(String),
}

/// Or what went wrong.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// In words that say what to do.
    pub(crate) fn said(words: impl Into<String>) -> Error {
        Error::Said(words.into())
    }

    /// Of the system, at a file.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Error {
        Error::File(crate::files::Error::System { path: path.to_owned(), source })
    }
}
