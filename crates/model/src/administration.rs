//! Address administrations: what a source says, held against what is known of it, comes to a list of changes.
//!
//! [`compare`] is a pure function. Its result is applied by others in one transaction; applying it and comparing again
//! gives nothing to do. History is ended and begun, and never rewritten: a row that turns out to have been wrong is
//! marked superseded and stays.
//!
//! What is compared is a *lane*: the rows of one resource at one level. In a lane a source has at most one holder at
//! any instant; the rules stand in the module `lane`. Before that, ranges that cross each other inside the snapshot are cut
//! (`crossing`); after it, address space that nobody was given is counted ([`gaps`]).

pub mod change;
mod crossing;
pub mod gaps;
mod lane;
mod parties;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use crate::address::Address;
use crate::assignment::{Assignment, Level, Period};
use crate::party::Party;
use crate::resource::Resource;
use crate::time::Time;
use gaps::Gaps;

/// What one source says, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The parties; [`Party::reference`] is unique among them.
    pub parties: Vec<Party>,
    /// What they hold and held, naming the party by its reference.
    pub assignments: Vec<Assignment>,
    /// Whether this is everything the source has, so that what is missing has ended. A feed of changes is not complete,
    /// nor is an export of which a row could not be read.
    pub complete: bool,
}

/// A party as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownParty {
    /// Row number inside this node.
    pub id: i64,
    /// What was said of it last.
    pub party: Party,
    /// Whether an earlier complete snapshot no longer had it.
    pub gone: bool,
}

/// An assignment as it is stored, and not superseded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAssignment {
    /// Row number inside this node.
    pub id: i64,
    /// When this node wrote it down.
    pub recorded: Time,
    /// What it says.
    pub assignment: Assignment,
}

/// An assignment of another source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The name of that source.
    pub source: String,
    /// The resource.
    pub resource: Resource,
    /// The height in the chain.
    pub level: Level,
    /// When.
    pub period: Period,
    /// The party's reference there, or its name: for people.
    pub party: String,
}

/// What this node holds of a source, and of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Every party this source ever told of.
    pub parties: Vec<KnownParty>,
    /// Every assignment of this source that is not superseded, ended ones included.
    pub assignments: Vec<KnownAssignment>,
    /// Assignments of other sources that are not superseded.
    pub others: Vec<Foreign>,
}

/// A party of which something else is said than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyChange {
    /// The stored party.
    pub id: i64,
    /// As it was.
    pub old: Party,
    /// As it is now. Its parent may differ too: then there is also a [`Move`].
    pub new: Party,
    /// The names of the fields that differ, the parent not among them.
    pub fields: Vec<&'static str>,
}

/// A party that rents from another party than before: a membership ends and another begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The stored party.
    pub id: i64,
    /// Its reference.
    pub party: String,
    /// The reference of the parent it had.
    pub old: Option<String>,
    /// The reference of the parent it has.
    pub new: Option<String>,
    /// When the one ends and the other begins.
    pub at: Time,
}

/// Why a stored row is no longer believed. It is kept, marked, and no trace uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// The source states another start or end for the same holder.
    Redated,
    /// The source states another holder for a time that had passed already.
    OtherHolder,
    /// It was to begin later, and the source has taken it back.
    Withdrawn,
}

impl Reason {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Reason; 3] = [Reason::Redated, Reason::OtherHolder, Reason::Withdrawn];

    /// The sentence people see.
    pub fn text(self) -> &'static str {
        match self {
            Reason::Redated => "the source now states other dates",
            Reason::OtherHolder => "the source now states another holder for that time",
            Reason::Withdrawn => "the source took it back before it began",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Texts of a [`Remarks`] that are kept.
pub const REMARKS_KEPT: usize = 1_000;

/// Sentences for people: all are counted, the first [`REMARKS_KEPT`] are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// How many there were.
    pub count: usize,
    /// The first of them.
    pub texts: Vec<String>,
}

impl Remarks {
    /// Adds one; its text is only made when it is kept.
    pub fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.texts.len() < REMARKS_KEPT {
            self.texts.push(text());
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// What there is to do, and what people should know.
///
/// To apply: add `parties_new`, rewrite `parties_changed`, mark `parties_gone`, unmark `parties_back`, end and begin the
/// memberships of `moved` (a new party's membership begins with it, its start unknown); mark `superseded`, set the end
/// of `ended`, add `begun`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Parties told of for the first time.
    pub parties_new: Vec<Party>,
    /// Parties of which something else is said.
    pub parties_changed: Vec<PartyChange>,
    /// Parties that a complete snapshot no longer has: id and reference.
    pub parties_gone: Vec<(i64, String)>,
    /// Parties that were gone and are told of again: id and reference.
    pub parties_back: Vec<(i64, String)>,
    /// Parties with another parent.
    pub moved: Vec<Move>,
    /// Assignments to add. Their period may have ended already: a source may tell history.
    pub begun: Vec<Assignment>,
    /// Stored assignments that end, and when. None of them had ended before.
    pub ended: Vec<(i64, Time)>,
    /// Stored assignments that are no longer believed, and why.
    pub superseded: Vec<(i64, Reason)>,
    /// Not begun, because another source holds the same resource at the same level and time.
    pub conflicts: Remarks,
    /// Two parties for one resource, level and time inside the snapshot, and which of them was believed.
    pub overlaps: Remarks,
    /// Ranges that crossed others, and what is left of them.
    pub cuts: Remarks,
    /// Everything else that was not taken as it stood: duplicates, unknown parties, circles of parents.
    pub problems: Remarks,
    /// Address space that was passed on to nobody. Information only.
    pub gaps: Gaps,
}

impl Changes {
    /// Whether there is nothing to do. Remarks are not something to do.
    pub fn is_empty(&self) -> bool {
        self.parties_new.is_empty()
            && self.parties_changed.is_empty()
            && self.parties_gone.is_empty()
            && self.parties_back.is_empty()
            && self.moved.is_empty()
            && self.begun.is_empty()
            && self.ended.is_empty()
            && self.superseded.is_empty()
    }
}

/// One row of the snapshot on its way: its resource may have been cut, its period narrowed.
#[derive(Clone, Debug)]
struct Said<'a> {
    row: &'a Assignment,
    resource: Cow<'a, Resource>,
    period: Period,
    /// Place in the snapshot: what was said first goes first among equals.
    order: usize,
    /// The source gave no start, whatever `period` has become since.
    unknown: bool,
}

impl Said<'_> {
    fn lane(&self) -> (&Resource, Level) {
        (&self.resource, self.row.level)
    }
}

/// Everything but resource, level and period: two rows of a lane with equal content say the same of different times.
fn content(row: &Assignment) -> [&str; 6] {
    [&row.party, &row.service, &row.product, &row.panel, &row.account, &row.reference]
}

/// Compares what a source says with what is known of it.
///
/// `now` is when the snapshot was taken: what ends without a stated end ends then, and what replaces another holder
/// without a stated start begins then. Time is `n log n` in the number of rows, whatever they say.
pub fn compare(known: &Known, said: &Snapshot, now: Time) -> Changes {
    let mut changes = Changes::default();
    let references = parties::compare(known, said, now, &mut changes);

    let mut rows: Vec<Said<'_>> = Vec::with_capacity(said.assignments.len());
    for (order, row) in said.assignments.iter().enumerate() {
        if row.period.is_empty() {
            changes.problems.add(|| format!("{} of {}: it ends before it begins ({})", row.resource, row.party, row.period));
        } else if !references.contains(row.party.as_str()) {
            changes.problems.add(|| format!("{}: there is no party '{}' in this source", row.resource, row.party));
        } else {
            let unknown = row.period.from.is_none();
            rows.push(Said { row, resource: Cow::Borrowed(&row.resource), period: row.period, order, unknown });
        }
    }
    crossing::cut(&mut rows, &mut changes.cuts);
    if said.complete {
        changes.gaps = gaps::find(&rows, now);
    }
    let rows: Vec<Said<'_>> = by_lane(&rows, |row| (&row.resource, row.row.level, row.order as i64)).cloned().collect();
    let stored: Vec<&KnownAssignment> =
        by_lane(&known.assignments, |row| (&row.assignment.resource, row.assignment.level, start(row).0)).collect();
    let others: Vec<&Foreign> = by_lane(&known.others, |row| (&row.resource, row.level, row.period.start().0)).collect();

    let (mut rows, mut stored, mut others) = (rows.as_slice(), stored.as_slice(), others.as_slice());
    loop {
        let lane = match (rows.first(), stored.first()) {
            (None, None) => break,
            (Some(row), None) => row.lane(),
            (None, Some(row)) => lane_of(row),
            (Some(a), Some(b)) => a.lane().min(lane_of(b)),
        };
        let ours = take_lane(&mut stored, |row| lane_of(row).cmp(&lane));
        others = &others[others.partition_point(|other| (&other.resource, other.level) < lane)..];
        let theirs = take_lane(&mut others, |other| (&other.resource, other.level).cmp(&lane));
        let length = rows.iter().take_while(|row| row.lane() == lane).count();
        let (here, rest) = rows.split_at(length);
        lane::reconcile(&lane::Lane { known: ours, said: here, others: theirs, now, complete: said.complete }, &mut changes);
        rows = rest;
    }
    changes
}

/// Rows by lane, then by a number, then in their order. Addresses are compared as numbers beside each other in memory,
/// which is several times faster than through the rows.
fn by_lane<'s, T>(rows: &'s [T], key: impl Fn(&'s T) -> (&'s Resource, Level, i64)) -> impl Iterator<Item = &'s T> {
    let place = |(at, row): (usize, &'s T)| {
        let (resource, level, number) = key(row);
        let (others, range) = match resource {
            Resource::Addresses(range) => (false, (range.first, range.last)),
            _ => (true, (Address::NONE, Address::NONE)),
        };
        (others, range, level, number, at)
    };
    let mut places: Vec<_> = rows.iter().enumerate().map(place).collect();
    places.sort_unstable();
    let others = places.partition_point(|place| !place.0);
    places[others..].sort_by_cached_key(|place| {
        let (resource, level, number) = key(&rows[place.4]);
        (resource, level, number, place.4)
    });
    places.into_iter().map(|place| &rows[place.4])
}

/// Splits the rows of one lane from the front of a sorted slice.
fn take_lane<'s, T>(rows: &mut &'s [T], order: impl Fn(&T) -> Ordering) -> &'s [T] {
    let length = rows.iter().take_while(|row| order(row) == Ordering::Equal).count();
    let (lane, rest) = rows.split_at(length);
    *rows = rest;
    lane
}

fn lane_of(row: &KnownAssignment) -> (&Resource, Level) {
    (&row.assignment.resource, row.assignment.level)
}

fn start(row: &KnownAssignment) -> Time {
    row.assignment.period.start()
}
