//! Ranges that overlap and do not nest: the smaller keeps its whole, the larger what lies beside it.
//!
//! A range that crosses another covers exactly one of its ends, so what is left of the larger one is one piece. Ranges
//! are placed from small to large, each cut by those placed before it; what has been placed never crosses, so one look
//! at each end finds all there is to cut. Of two of equal size the deeper level keeps its whole, then the lower address.
//!
//! A cut holds for the whole period of the row that is cut. Rows whose periods do not overlap do not cross.

use std::borrow::Cow;

use super::{Remarks, Said};
use crate::address::{Address, Range};
use crate::assignment::Period;
use crate::resource::Resource;

/// Rows looked at, per row of the snapshot, to compare periods of ended rows before that is given up.
const STEPS_PER_ROW: usize = 64;

/// How often the ends of one range are looked at.
const LOOKS: usize = 32;

/// Cuts crossing address ranges, and drops the rows of which nothing is left.
pub(super) fn cut(rows: &mut Vec<Said<'_>>, cuts: &mut Remarks) {
    let mut places: Vec<(Range, usize)> = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        if let Resource::Addresses(range) = &*row.resource {
            places.push((*range, place));
        }
    }
    places.sort_unstable_by(|(a, _), (b, _)| a.first.cmp(&b.first).then(b.last.cmp(&a.last)));
    if nests(&places) {
        return;
    }
    places.sort_unstable_by(|(a, i), (b, j)| {
        let (level_a, level_b) = (rows[*i].row.level, rows[*j].row.level);
        a.span().cmp(&b.span()).then(level_b.cmp(&level_a)).then(a.first.cmp(&b.first)).then(i.cmp(j))
    });
    let mut placed = Placed::new(&places, rows);
    let mut gone = vec![false; rows.len()];
    for (range, place) in places {
        let row = &rows[place];
        let period = row.period;
        let mut rest = Some(range);
        let mut by: Vec<Piece> = Vec::new();
        // Once is enough among rows of one time. When periods differ, a new end may lie across a row that overlaps the
        // one that made it in address and not in time; so look again, a bounded number of times.
        for _ in 0..LOOKS {
            let Some(now) = rest else { break };
            let (left, right) = placed.ends(&now, &period);
            if left.is_none() && right.is_none() {
                break;
            }
            by.extend([left, right].into_iter().flatten());
            let first = left.map_or(now.first, |piece| Address(piece.range.last.0.saturating_add(1)));
            let last = right.map_or(now.last, |piece| Address(piece.range.first.0.saturating_sub(1)));
            rest = (first <= last).then_some(Range { first, last });
        }
        if !by.is_empty() {
            cuts.add(|| {
                let by: Vec<String> =
                    by.iter().map(|piece| format!("{} of {}", piece.range, rows[piece.place].row.party)).collect();
                let rest = rest.map_or("nothing".to_owned(), |rest| rest.to_string());
                format!("{range} of {} crosses {}: what is left of it is {rest}", row.row.party, by.join(" and "))
            });
        }
        if std::mem::take(&mut placed.gave_up) {
            cuts.add(|| format!("{range} of {} may still cross others: too much history overlaps it to compare", row.row.party));
        }
        match rest {
            Some(rest) => {
                if rest != range {
                    rows[place].resource = Cow::Owned(Resource::Addresses(rest));
                }
                placed.insert(Piece { range: rest, place, period });
            }
            None => gone[place] = true,
        }
    }
    let mut gone = gone.into_iter();
    rows.retain(|_| !gone.next().unwrap_or(false));
}

/// Whether ranges, sorted by first address and the larger first, all nest.
fn nests(places: &[(Range, usize)]) -> bool {
    let mut stack: Vec<Address> = Vec::new();
    for (range, _) in places {
        while stack.last().is_some_and(|last| *last < range.first) {
            stack.pop();
        }
        if stack.last().is_some_and(|last| *last < range.last) {
            return false;
        }
        stack.push(range.last);
    }
    true
}

/// A range that has its final form.
#[derive(Clone, Copy)]
struct Piece {
    range: Range,
    place: usize,
    period: Period,
}

/// The ranges placed so far, by the address borders they lie across.
///
/// Border `b` lies between `b - 1` and `b`. A range lies across the borders `first + 1 ..= last`. Both trees are
/// segment trees over the sorted borders that can matter: the first and the one-past-last of every row.
struct Placed {
    borders: Vec<u128>,
    /// Per node, of rows that still hold: the piece that reaches furthest to the right and furthest to the left. Rows
    /// that still hold overlap each other in time, so for them addresses alone decide.
    open: Vec<(Option<Piece>, Option<Piece>)>,
    /// The same of all rows: when even they give nothing, no period needs a look.
    all: Vec<(Option<Piece>, Option<Piece>)>,
    /// Per node, every row across it; kept only when some row has ended.
    lists: Option<Vec<Vec<Piece>>>,
    steps: usize,
    gave_up: bool,
}

impl Placed {
    fn new(places: &[(Range, usize)], rows: &[Said<'_>]) -> Placed {
        let mut borders: Vec<u128> = Vec::with_capacity(places.len() * 2);
        for (range, _) in places {
            borders.push(range.first.0);
            borders.push(range.last.0.saturating_add(1));
        }
        borders.sort_unstable();
        borders.dedup();
        let history = places.iter().any(|(_, place)| rows[*place].period.to.is_some());
        let nodes = borders.len() * 2;
        Placed {
            open: vec![(None, None); nodes],
            all: vec![(None, None); nodes],
            lists: history.then(|| vec![Vec::new(); nodes]),
            steps: places.len().saturating_mul(STEPS_PER_ROW).saturating_add(100_000),
            gave_up: false,
            borders,
        }
    }

    fn insert(&mut self, piece: Piece) {
        let count = self.borders.len();
        let mut low = self.borders.partition_point(|border| *border <= piece.range.first.0) + count;
        let mut high = self.borders.partition_point(|border| *border <= piece.range.last.0) + count;
        while low < high {
            if low & 1 == 1 {
                self.note(low, piece);
                low += 1;
            }
            if high & 1 == 1 {
                high -= 1;
                self.note(high, piece);
            }
            low >>= 1;
            high >>= 1;
        }
    }

    fn note(&mut self, node: usize, piece: Piece) {
        widen(&mut self.all[node], piece);
        if piece.period.to.is_none() {
            widen(&mut self.open[node], piece);
        }
        if let Some(lists) = &mut self.lists {
            lists[node].push(piece);
        }
    }

    /// The placed pieces that reach furthest into `range` from the left and from the right, at an overlapping time.
    fn ends(&mut self, range: &Range, period: &Period) -> (Option<Piece>, Option<Piece>) {
        let left = self.across(range.first.0, period, |found, piece| {
            if found.0.is_none_or(|best| piece.range.last > best.range.last) {
                found.0 = Some(piece);
            }
        });
        let right = self.across(range.last.0.saturating_add(1), period, |found, piece| {
            if found.1.is_none_or(|best| piece.range.first < best.range.first) {
                found.1 = Some(piece);
            }
        });
        (left.0, right.1)
    }

    fn across(
        &mut self,
        border: u128,
        period: &Period,
        better: impl Fn(&mut (Option<Piece>, Option<Piece>), Piece),
    ) -> (Option<Piece>, Option<Piece>) {
        let Ok(at) = self.borders.binary_search(&border) else { return (None, None) };
        let leaf = at + self.borders.len();
        let mut found = (None, None);
        let path = || std::iter::successors(Some(leaf), |node| (*node > 1).then_some(node / 2));
        if path().all(|node| self.all[node].0.is_none()) {
            return found;
        }
        let fold = |found: &mut (Option<Piece>, Option<Piece>), piece: Option<Piece>| {
            if let Some(piece) = piece {
                better(found, piece);
            }
        };
        let Some(lists) = &self.lists else {
            for node in path() {
                fold(&mut found, self.open[node].0);
                fold(&mut found, self.open[node].1);
            }
            return found;
        };
        if period.to.is_none() {
            for node in path() {
                fold(&mut found, self.open[node].0);
                fold(&mut found, self.open[node].1);
            }
        }
        for node in path() {
            for piece in &lists[node] {
                if self.steps == 0 {
                    self.gave_up = true;
                    return found;
                }
                self.steps -= 1;
                if piece.period.overlaps(period) {
                    better(&mut found, *piece);
                }
            }
        }
        found
    }
}

fn widen(node: &mut (Option<Piece>, Option<Piece>), piece: Piece) {
    if node.0.is_none_or(|best| piece.range.last > best.range.last) {
        node.0 = Some(piece);
    }
    if node.1.is_none_or(|best| piece.range.first < best.range.first) {
        node.1 = Some(piece);
    }
}
