//! The tally by files: what an association, two aggregators, a collector and the providers of a cohort each do in a directory of their own,
//! and hand each other as signed files ([`matching::tally`] is the mathematics).
//!
//! [`author`] makes the task, [`provider`] reports, [`intake`], [`set`], [`prepare`] and [`release`] are an aggregator's work in that order,
//! [`collector`] puts the total together, and [`page`] shows it. Functions return values and print nothing; what must survive a kill is
//! written before they return, and asking again gives the same file again.

pub mod author;
pub mod collector;
pub mod home;
pub mod intake;
pub mod page;
pub mod prepare;
pub mod provider;
pub mod release;
pub mod set;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use matching::{
    bytes::Malformed,
    envelope::{Envelope, Refused},
    tally::Wrong,
};

use crate::{files, keys};

pub use home::{Held, Home};
// What those who call us need of the mathematics, so that the program names one room only.
pub use matching::{
    envelope::{Kind, fingerprint},
    tally::{Answer, Answers, FLOOR, Member, Period, Role, Task, Words},
};

/// The most bytes of a file of a tally that is taken in: five thousand shares of the largest task fit.
pub const MOST_FILE: u64 = 256 << 20;

/// Why something of a tally was not done. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A key.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// A file from somebody else that is not what it must be.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The mathematics, or a rule of the task.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// A rule of the order in which things are done, or of who does them.
    #[error("{0}")]
    Rule(Cow<'static, str>),
}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Error {
        Error::Refused(Refused::Malformed(malformed))
    }
}

/// A rule that is broken.
pub(crate) fn rule<T>(said: impl Into<Cow<'static, str>>) -> Result<T, Error> {
    Err(Error::Rule(said.into()))
}

/// The one envelope of a file.
pub(crate) fn one(bytes: &[u8]) -> Result<Envelope, Error> {
    let mut all = Envelope::read_all(bytes, 1)?;
    all.pop().map_or_else(|| rule("the file is empty; ask for it again"), Ok)
}
