//! The chain: who held a resource at a moment, from the provider down to the customer.
//!
//! An [`Index`] answers on both axes, address and time. It is built whole from all assignments and never changed; a
//! new one replaces it. [`Index::trace`] answers for one resource; [`Index::trace_batch`] for all reports of a batch.
//!
//! The order of a chain is that of enclosure: the widest range first, the narrowest last. Between two links the
//! parties that one rents from (their memberships) are filled in, so a flat customer list with parents gives
//! the same chain as nested registry objects do.

mod axis;
mod build;
mod lookup;

pub use build::{Builder, Held, TooLarge};
pub use lookup::{Chains, Index};

use crate::assignment::Level;
use crate::time::Time;

/// Number of a party inside this node.
pub type PartyId = i64;

/// Number of a source of administration inside this node.
pub type SourceId = u16;

/// One link of a chain: a party, and why we say that it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The party.
    pub party: PartyId,
    /// The assignment that names it; `None` when it is here because the next party rents from it.
    pub assignment: Option<i64>,
    /// The height in the chain.
    pub level: Level,
    /// The source that says so.
    pub source: SourceId,
    /// When this node recorded it.
    pub recorded: Time,
    /// Since when the assignment holds; [`Time::MIN`] when unknown.
    pub since: Time,
}

/// Who held a resource at a moment: the provider first, the holder last. Empty when nobody is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The links, outermost first.
    pub links: Vec<Link>,
}

impl Chain {
    /// The innermost link: the party that can act.
    pub fn holder(&self) -> Option<&Link> {
        self.links.last()
    }
}

/// A source of administration, as answers name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name its operator gave it.
    pub name: String,
    /// When it was last imported, with or without changes: what its age is counted from.
    pub checked: Time,
}
