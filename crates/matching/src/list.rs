//! What the list holder publishes and a provider opens: entries, encrypted records that only the right token finds, a manifest, and the chain
//! of deltas. `docs/matching.md` has every byte, and what leaks.
//!
//! [`entry`] is the list in clear, [`publication`] turns it into bytes for everybody, [`open`] finds and opens in them, [`manifest`] says what
//! belongs together, and [`chain`] what comes after what.

pub mod chain;
pub mod entry;
pub mod manifest;
pub mod open;
pub mod publication;

mod body;
mod index;
mod keys;

pub use body::Stats;
pub use entry::{Capsule, Entry};
pub use keys::{Key, Tag, tag};
pub use manifest::Manifest;
pub use open::{Book, Opened, Unopened};
pub use publication::{Built, Listed, Publication, Table};

use crate::bytes::Malformed;

/// What the pseudorandom function makes of a token, as [`crate::voprf`] gives it: 64 bytes. Whoever has it opens what is listed under it.
pub type Output = [u8; 64];

/// What names one publication: 16 random bytes.
pub type ListId = [u8; 16];

/// The most entries that one token may lead to. What more share says nothing of any of them; the builder refuses it, and a reader stops there.
pub const MOST_SHARED: u32 = 256;
/// The most records of one body.
pub const MOST_RECORDS: u32 = 1 << 22;
/// The most slots of one publication.
pub const MOST_SLOTS: u32 = 1 << 18;
/// The fewest records of a delta of the list holder.
pub const LEAST_RECORDS: u32 = 256;
/// The fewest new slots of a delta of the list holder.
pub const LEAST_SLOTS: u32 = 4;
/// Bytes of a record.
pub const RECORD: usize = 96;
/// Bytes of a slot in a status table.
pub const STATUS: usize = 64;
/// The fewest and the most bytes of a capsule's part, and of a reason's.
pub const CAPSULE_SIZES: (u32, u32) = (1 << 10, 1 << 16);
/// The fewest and the most bytes of a reason's part.
pub const REASON_SIZES: (u32, u32) = (1 << 12, 1 << 16);

/// Whether an entry may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    /// It stands.
    Live = 1,
    /// It is contested: no new measure may rest on it until that is decided.
    Suspended = 2,
    /// It is withdrawn: no measure may rest on it, and what rested on it is to be reconsidered.
    Withdrawn = 3,
    /// The list holder's table says nothing that can be read of it, which should not happen. Nothing may rest on it.
    Unreadable = 4,
}

impl Status {
    /// Those that are written.
    pub const ALL: [Status; 3] = [Status::Live, Status::Suspended, Status::Withdrawn];

    /// By its number.
    #[must_use]
    pub fn of(number: u8) -> Option<Status> {
        Status::ALL.into_iter().find(|status| *status as u8 == number)
    }

    /// What it is called in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Live => "live",
            Status::Suspended => "suspended",
            Status::Withdrawn => "withdrawn",
            Status::Unreadable => "unreadable",
        }
    }
}

/// Who made a body, which decides what it may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Two officers of the list holder: anything.
    Officers,
    /// The contest desk alone: only that live entries are suspended.
    Desk,
}

/// Why something of a list is refused. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are not of the format.
    #[error("{0}; ask for the file again")]
    Malformed(#[from] Malformed),
    /// The envelope is not what it must be.
    #[error(transparent)]
    Envelope(#[from] crate::envelope::Refused),
    /// It belongs to another publication, or comes after something that is not there.
    #[error("{0} is not what comes next; get every delta since the manifest, in order")]
    Order(&'static str),
    /// The manifest speaks of another segment.
    #[error("the list is not the one that the manifest speaks of; get both again from the list holder")]
    Segment,
    /// Another normalisation: comparing would silently find nothing.
    #[error(
        "STOP: the list is of norm version {0} and this program of {ours}; nothing would be found, and that would look like no hits. Install the version of sluis that the list holder names",
        ours = crate::token::NORM_VERSION
    )]
    NormVersion(u8),
    /// An older epoch than one already seen.
    #[error(
        "epoch {0} is older than epoch {1}, which was already seen; ask for the newest manifest, and tell the list holder if they say that this is it"
    )]
    OldEpoch(u32, u32),
    /// Another epoch began.
    #[error("the epoch is not now (its manifest is from another time); ask for the newest manifest")]
    OutOfTime,
    /// Fewer than two officers signed.
    #[error("it is not signed by two officers of the list; do not use it, and tell the list holder")]
    Officers,
    /// The manifest asks what this version cannot do.
    #[error("the manifest asks for {0}, which this version cannot do; install a newer sluis")]
    Unsupported(&'static str),
    /// The manifest contradicts itself.
    #[error("the manifest is not right: {0}; do not use it, and tell the list holder")]
    Manifest(&'static str),
    /// The desk did more than it may.
    #[error("the desk's delta has more than a status table; do not use it, and tell the list holder and the desk")]
    DeskOnlySuspends,
    /// One entry has a token twice.
    #[error("entry {0} of those added has one token twice; give each token of an entry once")]
    DuplicateToken(usize),
    /// Two entries have one key.
    #[error("entry {0} of those added has a key that was already used; draw a new one for each entry")]
    DuplicateKey(usize),
    /// A withdrawn entry is not published again.
    #[error("entry {0} of those added is withdrawn; leave it out")]
    Withdrawn(usize),
    /// A token leads to too many entries.
    #[error("a token of entry {0} leads to more than {MOST_SHARED} entries, so it tells nothing; leave it out")]
    TooShared(usize),
    /// A part is too large.
    #[error("entry {0} of those added does not fit: its {1} has more than 64 KiB; shorten it")]
    TooLarge(usize, &'static str),
    /// Too many records or slots.
    #[error("there are more {0} than one publication holds; split the list")]
    TooMany(&'static str),
    /// A base list is built once.
    #[error("this publication has its list already; make deltas, or a new publication")]
    Built,
    /// There is no base list yet.
    #[error("this publication has no list yet; build it first")]
    Unbuilt,
    /// No entry stands in this slot.
    #[error("no entry stands in slot {0}; look the slot up again")]
    NoEntry(u32),
    /// A status that may not follow.
    #[error("slot {0} is {from}, which cannot become {to}", from = .1.name(), to = .2.name())]
    Change(u32, Status, Status),
}

#[cfg(test)]
mod tests;
