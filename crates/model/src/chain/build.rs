//! Building an index: assignments and memberships in, in any order.

use std::collections::HashMap;
use std::fmt;

use super::axis::{Axis, Entry};
use super::lookup::{Index, Parent};
use super::{PartyId, Source, SourceId};
use crate::assignment::{Level, Period};
use crate::resource::{Host, Resource};
use crate::time::{SECOND, Time};

/// What an index needs to know of an assignment beside its resource.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Number of the assignment, 1 to 2^32 - 1.
    pub assignment: i64,
    /// The party, 1 to 2^32 - 1.
    pub party: PartyId,
    /// When.
    pub period: Period,
    /// The height in the chain.
    pub level: Level,
    /// Number of the source in the order of [`Builder::source`].
    pub source: SourceId,
    /// When this node recorded it.
    pub recorded: Time,
}

/// The administration is beyond what an index holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// A number of an assignment or party is not in 1 to 2^32 - 1.
    Number(i64),
    /// So many ranges cross each other that cutting them apart would not end: the import reports which.
    Crossings,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TooLarge::Number(number) => write!(f, "{number} is not a number that an index can hold (1 to 4294967295)"),
            TooLarge::Crossings => f.write_str("too many address ranges cross each other; 'sluis import --dry-run' lists them"),
        }
    }
}

impl std::error::Error for TooLarge {}

/// Collects what an [`Index`] is built from.
#[derive(Debug, Default)]
pub struct Builder {
    entries: Vec<Entry>,
    v4: Vec<(u32, u32, u32)>,
    v6: Vec<(u128, u128, u32)>,
    names: HashMap<String, Vec<Entry>>,
    parents: Vec<Parent>,
    memberships: HashMap<u32, Vec<(Period, u32)>>,
    sources: Vec<Source>,
}

impl Builder {
    /// An empty builder.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Makes room for `assignments` more, so that building does not move what is there.
    pub fn reserve(&mut self, assignments: usize) {
        self.entries.reserve(assignments);
        self.v4.reserve(assignments);
    }

    /// Adds a source; sources are numbered from 0 in the order they are added.
    pub fn source(&mut self, source: Source) {
        self.sources.push(source);
    }

    /// Adds an assignment. One whose period is empty is left out.
    ///
    /// # Errors
    /// [`TooLarge::Number`].
    pub fn assignment(&mut self, resource: &Resource, held: Held) -> Result<(), TooLarge> {
        if held.period.is_empty() {
            return Ok(());
        }
        let entry = Entry {
            from: held.period.start().0,
            to: held.period.end().0,
            assignment: small(held.assignment)?,
            party: small(held.party)?,
            recorded: u32::try_from(held.recorded.0 / SECOND).unwrap_or(0),
            source: held.source,
            level: held.level as u8,
        };
        match resource {
            Resource::Addresses(range) => {
                let number = self.entries.len() as u32;
                self.entries.push(entry);
                match (range.first.v4(), range.last.v4()) {
                    (Some(first), Some(last)) => self.v4.push((first, last, number)),
                    _ => self.v6.push((range.first.0, range.last.0, number)),
                }
            }
            other => self.names.entry(name_key(other)).or_default().push(entry),
        }
        Ok(())
    }

    /// Says that `party` rents from `parent` during `period`.
    ///
    /// # Errors
    /// [`TooLarge::Number`].
    pub fn membership(&mut self, party: PartyId, parent: PartyId, period: Period) -> Result<(), TooLarge> {
        let (party, parent) = (small(party)?, small(parent)?);
        let at = party as usize;
        if self.parents.len() <= at {
            self.parents.resize(at + 1, Parent::None);
        }
        self.memberships.entry(party).or_default().push((period, parent));
        self.parents[at] = match (self.parents[at], period == Period::ALWAYS) {
            (Parent::None, true) => Parent::Always(parent),
            _ => Parent::Changing,
        };
        Ok(())
    }

    /// Builds the index.
    ///
    /// # Errors
    /// [`TooLarge::Crossings`].
    pub fn build(self) -> Result<Index, TooLarge> {
        let Builder { entries, v4, v6, mut names, parents, mut memberships, sources } = self;
        for list in names.values_mut() {
            list.sort_unstable_by_key(|entry| std::cmp::Reverse((entry.level, entry.recorded, entry.assignment)));
        }
        memberships.retain(|party, _| matches!(parents[*party as usize], Parent::Changing));
        let v4 = Axis::build(v4, &entries).map_err(|_| TooLarge::Crossings)?;
        let v6 = Axis::build(v6, &entries).map_err(|_| TooLarge::Crossings)?;
        Ok(Index { v4, v6, names, parents, memberships, sources })
    }
}

/// The key of a resource that is not a range of addresses. A URL is held by whoever holds its host.
pub(super) fn name_key(resource: &Resource) -> String {
    match resource {
        Resource::Domain(name) => name.as_str().to_owned(),
        Resource::Url(url) => match url.host() {
            Host::Name(name) => name.as_str().to_owned(),
            Host::Address(address) => address.to_string(),
        },
        Resource::Addresses(_) | Resource::AsNumber(_) | Resource::Account { .. } | Resource::MailHint(_) => resource.to_string(),
    }
}

fn small(number: i64) -> Result<u32, TooLarge> {
    u32::try_from(number).ok().filter(|number| (1..u32::MAX).contains(number)).ok_or(TooLarge::Number(number))
}
