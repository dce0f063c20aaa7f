//! Administrations as the Internet registries write them: RPSL objects (RFC 2622, as the RIPE database has it).
//!
//! A database often comes as one file per class; feed all of them to one [`Database`], in any order, packed with gzip
//! or not, and finish it. Objects are read one by one; what is kept is a few numbers per address block.
//!
//! What is read from them:
//!
//! - *Levels* from `status`, in the words of RIPE, AFRINIC, APNIC, ARIN and LACNIC ([`level`]). The registries' own
//!   placeholders (`ALLOCATED UNSPECIFIED`, IANA blocks) are left out.
//! - *Holders*: the `org` of a block when it is unlike that of the block around it; else a maintainer (`mnt-by`, then
//!   `mnt-lower`) that the block around it does not name; else the `org` all the same; else `admin-c` and `netname`
//!   together. So a reseller who hides behind its provider's organisation still shows.
//! - *Parents* by containment: a party rents from the holder of the smallest block strictly around its own, most often;
//!   without one, from its `sponsoring-org`.
//! - *Resellers*: holders of sub-allocations, of blocks whose `mnt-lower` is their own, and of blocks with other
//!   holders' blocks inside.
//! - *Abuse contacts*: `abuse-c` of the block, else of its organisation, else what goes for the block around it. The
//!   last is not the party's own: it is marked as a fall-back.
//! - *Starts*: `created` is when the object was made, which is when the holding was registered. Objects without it, or
//!   with the registry's placeholder of 1970, have an unknown start.

mod gather;
mod holders;
mod object;

use std::io::Read;

use model::address::Range;
use model::administration::Snapshot;
use model::assignment::Level;

use super::lines::Unpacked;
use super::{Finding, Limits};
pub use gather::Database;
pub use object::{Next, Object, Objects};

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only blocks and routes that overlap one of these; empty for all. A whole registry does not fit everywhere.
    pub within: Vec<Range>,
    /// Bounds.
    pub limits: Limits,
}

/// Reads one file.
pub fn read(reader: &mut dyn Read, options: &Options) -> (Snapshot, Vec<Finding>) {
    let mut database = Database::new(options.clone());
    database.add("", reader);
    database.finish()
}

/// Counts the objects of a file by what they are, without judging them: for comparison with other readers.
///
/// # Errors
/// Those of the reader, and of an archive that unpacks to more than it may.
pub fn each_object(reader: &mut dyn Read, limits: &Limits, mut take: impl FnMut(&Object)) -> std::io::Result<u64> {
    let mut objects = Objects::new(Unpacked::open(reader, *limits)?, limits.record);
    let mut object = Object::default();
    let mut broken = 0;
    loop {
        match objects.next_into(&mut object)? {
            Next::Object => take(&object),
            Next::Broken(_) => broken += 1,
            Next::End => return Ok(broken),
        }
    }
}

/// What a status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A link of the chain.
    Level(Level),
    /// Space from before the registries: a provider's when nothing is around it, else a customer's.
    Legacy,
    /// The registry's own book-keeping.
    Registry,
    /// None of the words; as legacy.
    Unknown,
}

/// Reads a `status` of any registry; case does not matter.
pub fn level(status: &str) -> Status {
    let mut status = status.split_whitespace().collect::<Vec<_>>().join(" ");
    status.make_ascii_uppercase();
    match status.as_str() {
        "ALLOCATED PA"
        | "ALLOCATED PI"
        | "ALLOCATED-BY-RIR"
        | "ALLOCATED PORTABLE"
        | "ALLOCATED-ASSIGNED PA"
        | "ALLOCATED"
        | "DIRECT ALLOCATION"
        | "ALLOCATION" => Status::Level(Level::Allocated),
        "SUB-ALLOCATED PA"
        | "ALLOCATED-BY-LIR"
        | "ALLOCATED NON-PORTABLE"
        | "REALLOCATED"
        | "REALLOCATION"
        | "LIR-PARTITIONED PA"
        | "LIR-PARTITIONED PI" => Status::Level(Level::SubAllocated),
        "ASSIGNED PA"
        | "ASSIGNED PI"
        | "ASSIGNED ANYCAST"
        | "ASSIGNED"
        | "AGGREGATED-BY-LIR"
        | "ASSIGNED PORTABLE"
        | "ASSIGNED NON-PORTABLE"
        | "REASSIGNED"
        | "REASSIGNMENT"
        | "DIRECT ASSIGNMENT" => Status::Level(Level::Assigned),
        "LEGACY" | "NOT-SET" | "EARLY-REGISTRATION" => Status::Legacy,
        "ALLOCATED UNSPECIFIED" => Status::Registry,
        _ => Status::Unknown,
    }
}

#[cfg(test)]
mod tests;
