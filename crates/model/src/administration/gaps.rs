//! Address space that a provider or reseller holds and has passed on to nobody.

use super::Said;
use crate::address::Range;
use crate::assignment::Level;
use crate::resource::Resource;
use crate::time::Time;

/// How many gaps of each family are named.
pub const GAPS_KEPT: usize = 10;

/// A stretch of an allocated or sub-allocated range that no deeper assignment covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The stretch.
    pub range: Range,
    /// The range it lies in.
    pub inside: Range,
    /// The holder of that range.
    pub party: String,
}

/// The gaps of a snapshot at one moment: how many, and the largest of each family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// How many there are.
    pub count: usize,
    /// IPv4 addresses in them.
    pub v4_addresses: u64,
    /// The largest of IPv4, at most [`GAPS_KEPT`].
    pub v4: Vec<Gap>,
    /// The largest of IPv6, at most [`GAPS_KEPT`].
    pub v6: Vec<Gap>,
}

impl Gaps {
    fn add(&mut self, range: Range, inside: &Open<'_>) {
        self.count += 1;
        let list = if range.first.v4().is_some() {
            // An IPv4 range spans less than 2^32, and nested holders of one address are few: this cannot wrap in earnest.
            self.v4_addresses = self.v4_addresses.saturating_add(range.span() as u64 + 1);
            &mut self.v4
        } else {
            &mut self.v6
        };
        let place = list.partition_point(|gap| gap.range.span() >= range.span());
        if place < GAPS_KEPT {
            list.insert(place, Gap { range, inside: inside.range, party: inside.party.to_owned() });
            list.truncate(GAPS_KEPT);
        }
    }
}

/// A range in which the sweep stands.
struct Open<'a> {
    range: Range,
    party: &'a str,
    level: Level,
    /// The first address not yet covered, as a number; one past the end when all is.
    next: u128,
}

/// Finds the gaps at `now` of rows that do not cross.
pub(super) fn find(rows: &[Said<'_>], now: Time) -> Gaps {
    let mut ranges: Vec<(Range, Level, &str)> = rows
        .iter()
        .filter(|row| row.period.contains(now))
        .filter_map(|row| match &*row.resource {
            Resource::Addresses(range) => Some((*range, row.row.level, row.row.party.as_str())),
            _ => None,
        })
        .collect();
    ranges
        .sort_unstable_by(|a, b| a.0.first.cmp(&b.0.first).then(b.0.last.cmp(&a.0.last)).then(a.1.cmp(&b.1)).then(a.2.cmp(b.2)));

    let mut gaps = Gaps::default();
    let mut stack: Vec<Open<'_>> = Vec::new();
    for (range, level, party) in ranges {
        while stack.last().is_some_and(|open| open.range.last < range.first) {
            if let Some(open) = stack.pop() {
                close(&mut gaps, &open);
            }
        }
        if let Some(open) = stack.last_mut() {
            if range == open.range && level == open.level {
                continue;
            }
            if range.first.0 > open.next && open.level != Level::Assigned {
                let stretch =
                    Range { first: crate::address::Address(open.next), last: crate::address::Address(range.first.0 - 1) };
                gaps.add(stretch, open);
            }
            open.next = open.next.max(range.last.0.saturating_add(1));
        }
        stack.push(Open { range, party, level, next: range.first.0 });
    }
    while let Some(open) = stack.pop() {
        close(&mut gaps, &open);
    }
    gaps
}

/// What was left at the end of a range.
fn close(gaps: &mut Gaps, open: &Open<'_>) {
    if open.level != Level::Assigned && open.next <= open.range.last.0 && open.next >= open.range.first.0 {
        let rest = Range { first: crate::address::Address(open.next), last: open.range.last };
        // The last address of all has no successor; a range that ends there is covered when its child reached it.
        if open.next != u128::MAX || open.range.first.0 == u128::MAX {
            gaps.add(rest, open);
        }
    }
}
