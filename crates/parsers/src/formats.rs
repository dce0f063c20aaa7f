//! The formats, in order of precedence.
//!
//! A new format is one file here or in one of the folders, one folder in `fixtures/`, and its two lines below or in the
//! folder's list. Here stand the formats that many write; in [`notifiers`] the mails of one sender each, in [`feeds`] lists and
//! feeds of one sender each, in [`exchange`] what the field exchanges knowledge in, and in [`aside`] what comes to an abuse
//! mailbox and reports no abuse. Free text is what remains.

pub mod abuseio;
pub mod arf;
pub mod aside;
pub mod csv;
pub mod exchange;
pub mod feeds;
pub mod free_text;
pub mod json;
pub mod notifiers;
pub mod shadowserver;
pub mod shadowserver_mail;
pub mod xarf;
pub mod xarf_0;

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

/// Whose samples a format was proven on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proven {
    /// Samples that others wrote; who.
    By(&'static str),
    /// Known only from documentation and from fixtures that we wrote: unproven. What it was written after.
    After(&'static str),
}

/// One way in which reports are written.
pub struct Format {
    /// The short name: `arf`.
    pub name: &'static str,
    /// What it is, for people, with its source.
    pub title: &'static str,
    /// Who sends it: names for people, and domain names by which it is recognised. Empty when anybody may.
    pub senders: &'static [&'static str],
    /// What of it becomes what: the sender's name for it (`Source-IP`), and where it goes (`address`, a word of XARF).
    pub fields: &'static [(&'static str, &'static str)],
    /// Whose samples it was proven on.
    pub proven: Proven,
    /// Looks at the beginning.
    pub detect: fn(&Prefix<'_>) -> Fit,
    /// Reads all of it into the [`Reading`].
    pub parse: fn(&mut Reading<'_>, &mut Source<'_>) -> Result<(), Stop>,
}

impl PartialEq for Format {
    fn eq(&self, other: &Format) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The formats of this folder that tell themselves apart, most specific first.
const OWN: &[&Format] =
    &[&arf::FORMAT, &shadowserver_mail::FORMAT, &abuseio::FORMAT, &xarf::FORMAT, &xarf_0::FORMAT, &shadowserver::FORMAT];

/// Those that take whatever has a time and an address, or fits the user's description: asked after all that are somebody's.
const ANYBODYS: &[&Format] = &[&json::FORMAT, &csv::FORMAT];

/// What is left when nothing else fits.
const REST: &[&Format] = &[&free_text::FORMAT];

/// The formats by family, in order of precedence: what a family is, for people, and its formats.
pub const FAMILIES: [(&str, &[&Format]); 7] = [
    ("Written by many", OWN),
    ("Mails of one sender each", notifiers::ALL),
    ("Lists and feeds of one sender each", feeds::ALL),
    ("Exchange of knowledge", exchange::ALL),
    ("Anybody's own", ANYBODYS),
    ("No report of abuse: set aside", aside::ALL),
    ("For people", REST),
];

/// Every format, most specific first. What is known by its sender comes before what anybody may write, and last comes what
/// reports no abuse, and what is written for people.
pub fn all() -> impl Iterator<Item = &'static Format> + Clone {
    FAMILIES.into_iter().flat_map(|(_, formats)| formats).copied()
}

/// The format of a name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    all().find(|format| format.name == name)
}
