//! The formats, in order of precedence.
//!
//! A new format is one file here, one folder in `fixtures/`, and its two lines below.

pub mod abuseio;
pub mod arf;
pub mod csv;
pub mod shadowserver;
pub mod shadowserver_mail;
pub mod xarf;

use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// How well a format fits what it saw of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Not this format.
    No,
    /// Perhaps; taken when no other format is certain.
    Likely,
    /// This format and no other.
    Certain,
}

/// One way in which reports are written.
pub struct Format {
    /// The short name: `arf`.
    pub name: &'static str,
    /// What it is, for people, with its source.
    pub title: &'static str,
    /// Looks at the beginning.
    pub detect: fn(&Prefix<'_>) -> Fit,
    /// Reads all of it into the [`Reading`].
    pub parse: fn(&mut Reading<'_>, &mut Source<'_>) -> Result<(), Stop>,
}

/// Every format, most specific first.
pub const ALL: &[&Format] =
    &[&arf::FORMAT, &shadowserver_mail::FORMAT, &abuseio::FORMAT, &xarf::FORMAT, &shadowserver::FORMAT, &csv::FORMAT];

/// The format of a name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    ALL.iter().copied().find(|format| format.name == name)
}
