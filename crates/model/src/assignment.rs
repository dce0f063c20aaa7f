//! Assignments: which resource is whose, from when until when, and who says so.

use std::fmt;

use crate::resource::Resource;
use crate::time::Time;

/// A link's height in the chain, in the words of the RIPE database (`ALLOCATED PA`, `SUB-ALLOCATED PA`, `ASSIGNED PA`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Given by the registry: the provider.
    Allocated,
    /// Passed on to rent on: a reseller.
    SubAllocated,
    /// Given for use: the customer.
    Assigned,
}

impl Level {
    /// Every level, in the order of their numbers.
    pub const ALL: [Level; 3] = [Level::Allocated, Level::SubAllocated, Level::Assigned];

    /// The word people see.
    pub fn word(self) -> &'static str {
        match self {
            Level::Allocated => "allocated",
            Level::SubAllocated => "sub-allocated",
            Level::Assigned => "assigned",
        }
    }

    /// The level of a word; case, `_` and blanks are as `-`.
    pub fn parse(word: &str) -> Option<Level> {
        let word = word.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        Level::ALL.into_iter().find(|level| level.word() == word)
    }
}

/// A half-open stretch of time: from `from` up to, and not including, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// The first instant; `None` when nobody knows when it began, which is as good as "always".
    pub from: Option<Time>,
    /// The first instant after; `None` for "still".
    pub to: Option<Time>,
}

impl Period {
    /// All of time.
    pub const ALWAYS: Period = Period { from: None, to: None };

    /// The first instant as a number that compares: [`Time::MIN`] when unknown.
    pub fn start(&self) -> Time {
        self.from.unwrap_or(Time::MIN)
    }

    /// The end as a number that compares: [`Time::MAX`] for "still".
    pub fn end(&self) -> Time {
        self.to.unwrap_or(Time::MAX)
    }

    /// Whether `at` is inside.
    pub fn contains(&self, at: Time) -> bool {
        self.start() <= at && at < self.end()
    }

    /// Whether the two share an instant.
    pub fn overlaps(&self, other: &Period) -> bool {
        self.start() < other.end() && other.start() < self.end()
    }

    /// Whether no instant is inside.
    pub fn is_empty(&self) -> bool {
        self.start() >= self.end()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            Some(from) => write!(f, "{from}")?,
            None => f.write_str("unknown")?,
        }
        match self.to {
            Some(to) => write!(f, " until {to}"),
            None => f.write_str(" until now"),
        }
    }
}

/// One source's statement that a resource is a party's, during a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The resource.
    pub resource: Resource,
    /// When.
    pub period: Period,
    /// The reference of the party, in the same source.
    pub party: String,
    /// The height in the chain.
    pub level: Level,
    /// The service it belongs to at the operator (`vps-1042`).
    pub service: String,
    /// Product class (`vps`, `shared hosting`, `colocation`).
    pub product: String,
    /// Control panel of that service.
    pub panel: String,
    /// Account in the panel.
    pub account: String,
    /// The source's own identifier of this assignment.
    pub reference: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_holds_its_start_and_not_its_end() {
        let period = Period { from: Some(Time(10)), to: Some(Time(20)) };
        assert!(period.contains(Time(10)) && period.contains(Time(19)));
        assert!(!period.contains(Time(9)) && !period.contains(Time(20)));
        assert!(Period::ALWAYS.contains(Time::MIN) && Period::ALWAYS.overlaps(&period));
        assert!(!period.overlaps(&Period { from: Some(Time(20)), to: None }));
    }
}
