//! One lane: the rows of one resource at one level, what is known against what is said.
//!
//! First the snapshot is made to agree with itself ([`settle`]): exact duplicates go; a row without a start begins
//! where the stated history before it ends; of two rows that overlap, one that still holds ends where a later one that
//! still holds begins, and else the earlier keeps its time and the later has the rest, which may be nothing. Among rows
//! that begin together the one whose holder is known already goes first, then the one that was said first.
//!
//! Then each row of the snapshot meets the known ones ([`reconcile`]):
//!
//! - It is known: same holder and attributes, same start and end. An unknown start contradicts no start after the history
//!   that the snapshot states, and a start
//!   from which the same party held the resource without a break, under other attributes, is that start too.
//! - It is known, and ends: the known row ends.
//! - Else it claims its time. Without a stated start it claims from now on, if the lane has a history; with the same
//!   start as before and other attributes it also claims from now on.
//! - Known rows yield to claims. One that only loses its last part ends. One that loses its start, or time that had
//!   passed already, is superseded, and what is left of it begins as a new row.
//! - What a complete snapshot does not say ends now, or when its said successor begins.

use super::{Changes, Foreign, KnownAssignment, Reason, Said, content, start};
use crate::assignment::{Assignment, Period};
use crate::time::Time;

/// The rows of one lane, and what goes for them.
pub(super) struct Lane<'l, 'a> {
    /// Known rows by start.
    pub(super) known: &'l [&'a KnownAssignment],
    /// Rows of the snapshot in its order.
    pub(super) said: &'l [Said<'a>],
    /// Rows of other sources by start.
    pub(super) others: &'l [&'a Foreign],
    /// When the snapshot was taken.
    pub(super) now: Time,
    /// Whether what is not said has ended.
    pub(super) complete: bool,
}

/// A stretch of time that a row of the snapshot takes.
struct Claim<'l, 'a> {
    period: Period,
    said: &'l Said<'a>,
}

/// What becomes of a known row before claims are heard.
#[derive(Clone, Copy, Default)]
struct Fate {
    said: bool,
    end: Option<Time>,
}

/// Fills in what changes in one lane.
pub(super) fn reconcile(lane: &Lane<'_, '_>, changes: &mut Changes) {
    match (lane.known, lane.said) {
        // The two cases of almost every lane need none of the rules.
        ([], [said]) if lane.others.is_empty() => return changes.begun.push(begin(said, said.period)),
        ([known], [said]) if known.assignment.period == said.period && content(&known.assignment) == content(said.row) => {
            return;
        }
        _ => {}
    }
    let settled = settle(lane, changes);
    let mut fates = vec![Fate::default(); lane.known.len()];
    let chains = chains(lane.known);
    let mut claims: Vec<Claim<'_, '_>> = Vec::new();
    // The times for which the snapshot names a holder, in order: known rows that it confirms, and claims.
    let mut named: Vec<Period> = Vec::with_capacity(settled.len());
    for said in &settled {
        let met = if said.period.to.is_none() { meet_holder(lane, said, &chains) } else { meet_past(lane, said, &chains) };
        match met {
            // A known row is met once: what is said a second time of its time claims it.
            Met::Same(at) | Met::Ends(at, _) if fates[at].said => claims.push(Claim { period: said.period, said }),
            Met::Same(at) => {
                fates[at].said = true;
                named.push(lane.known[at].assignment.period);
                cover(lane, &chains, at, said, &mut fates, &mut named);
            }
            Met::Ends(at, to) => {
                fates[at] = Fate { said: true, end: Some(to) };
                named.push(Period { from: lane.known[at].assignment.period.from, to: Some(to) });
                cover(lane, &chains, at, said, &mut fates, &mut named);
            }
            Met::GoesOn(at, period) => {
                fates[at].said = true;
                named.push(lane.known[at].assignment.period);
                cover(lane, &chains, at, said, &mut fates, &mut named);
                claims.push(Claim { period, said });
            }
            Met::Claims(period) => claims.push(Claim { period, said }),
        }
    }
    if !lane.others.is_empty() {
        let mut reach: Vec<(Time, &Foreign)> = Vec::with_capacity(lane.others.len());
        for other in lane.others {
            let furthest = reach.last().filter(|(end, _)| *end >= other.period.end()).copied();
            reach.push(furthest.unwrap_or((other.period.end(), other)));
        }
        claims.retain(|claim| match holder_elsewhere(lane.others, &reach, &claim.period) {
            Some(other) => {
                changes.conflicts.add(|| conflict(claim, other));
                false
            }
            None => true,
        });
    }
    named.extend(claims.iter().map(|claim| claim.period));

    let mut pieces: Vec<Period> = Vec::new();
    let limit = handover(&named, lane.now);
    for (known, fate) in lane.known.iter().zip(&fates) {
        let old = known.assignment.period;
        let mut period = old;
        let mut withdrawn = false;
        if let Some(end) = fate.end {
            period.to = Some(end);
        } else if lane.complete && !fate.said && old.end() > lane.now {
            withdrawn = old.start() >= lane.now;
            period.to = Some(limit.min(old.end())).filter(|to| *to < Time::MAX);
        }
        pieces.clear();
        let mut reason = Reason::Withdrawn;
        if !withdrawn {
            reason = yield_to(&claims, known, period, fate.said, lane.complete, &mut pieces);
            if lane.complete && !fate.said && old.end() > lane.now {
                pieces.retain(|piece| piece.start() < lane.now);
            }
        }
        match pieces.as_slice() {
            [piece] if *piece == old => {}
            [piece] if piece.start() == old.start() && old.end() > lane.now => {
                if let Some(to) = piece.to {
                    changes.ended.push((known.id, to));
                }
            }
            pieces => {
                changes.superseded.push((known.id, reason));
                changes.begun.extend(pieces.iter().map(|piece| {
                    let mut piece_of = known.assignment.clone();
                    piece_of.period = *piece;
                    piece_of
                }));
            }
        }
    }
    changes.begun.extend(claims.iter().map(|claim| begin(claim.said, claim.period)));
}

/// The assignment that a row of the snapshot becomes.
fn begin(said: &Said<'_>, period: Period) -> Assignment {
    let row = said.row;
    Assignment {
        resource: said.resource.clone().into_owned(),
        period,
        party: row.party.clone(),
        level: row.level,
        service: row.service.clone(),
        product: row.product.clone(),
        panel: row.panel.clone(),
        account: row.account.clone(),
        reference: row.reference.clone(),
    }
}

/// The rows of the snapshot, by start, without overlaps.
fn settle<'a>(lane: &Lane<'_, 'a>, changes: &mut Changes) -> Vec<Said<'a>> {
    let mut rows: Vec<Said<'a>> = lane.said.to_vec();
    if rows.len() < 2 {
        return rows;
    }
    rows.sort_by(|a, b| {
        let key = |row: &Said<'a>| (row.period.end(), row.unknown, row.period.start());
        key(a).cmp(&key(b)).then_with(|| content(a.row).cmp(&content(b.row))).then(a.order.cmp(&b.order))
    });
    rows.dedup_by(|row, first| {
        let same = row.period == first.period && content(row.row) == content(first.row);
        if same {
            changes.problems.add(|| format!("{} of {} ({}) is there twice", row.resource, row.row.party, row.period));
        }
        same
    });
    let mut history: Option<Time> = None;
    for row in &mut rows {
        if row.unknown {
            row.period.from = history;
        }
        history = row.period.to.or(history);
    }
    let holder = lane.known.last().filter(|known| known.assignment.period.to.is_none());
    let latest = rows.iter().filter(|row| row.period.to.is_none()).map(|row| row.period.start()).max();
    let key = |row: &Said<'a>| {
        let rivals = row.period.to.is_none() && Some(row.period.start()) == latest;
        let known = rivals && holder.is_some_and(|known| content(&known.assignment) == content(row.row));
        (row.period.start(), row.period.to.is_none(), !known, row.order)
    };
    rows.sort_by_key(key);

    let mut kept: Vec<Said<'a>> = Vec::with_capacity(rows.len());
    for mut row in rows {
        if let Some(last) = kept.last_mut()
            && last.period.end() > row.period.start()
        {
            if last.period.to.is_none() && row.period.to.is_none() && row.period.start() > last.period.start() {
                changes.overlaps.add(|| overlap(last, &row, "the first ends where the second begins"));
                last.period.to = row.period.from;
            } else {
                let end = last.period.end();
                let rest = end < row.period.end();
                let outcome = if rest { "the second begins where the first ends" } else { "the first is believed" };
                changes.overlaps.add(|| overlap(last, &row, outcome));
                if !rest {
                    continue;
                }
                row.period.from = Some(end);
            }
        }
        if row.period.is_empty() {
            changes.overlaps.add(|| format!("{} of {}: others hold it until it ends", row.resource, row.row.party));
            continue;
        }
        kept.push(row);
    }
    kept
}

fn overlap(first: &Said<'_>, second: &Said<'_>, outcome: &str) -> String {
    format!(
        "{} ({}) is said of {} ({}) and of {} ({}): {outcome}",
        first.resource,
        first.row.level.word(),
        first.row.party,
        first.row.period,
        second.row.party,
        second.row.period
    )
}

/// For each known row, the place of the first row of the unbroken stretch of one party that it belongs to.
fn chains(known: &[&KnownAssignment]) -> Vec<usize> {
    let mut chains: Vec<usize> = Vec::with_capacity(known.len());
    for (at, row) in known.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| Some((known.get(before)?, *chains.get(before)?)));
        let chain = before.filter(|(before, _)| {
            before.assignment.period.to.is_some()
                && before.assignment.period.to == row.assignment.period.from
                && before.assignment.party == row.assignment.party
        });
        chains.push(chain.map_or(at, |(_, chain)| chain));
    }
    chains
}

/// A row that is known through the same party's unbroken stretch to it confirms that stretch, as far as it has not ended.
fn cover(lane: &Lane<'_, '_>, chains: &[usize], at: usize, said: &Said<'_>, fates: &mut [Fate], named: &mut Vec<Period>) {
    let Some(&chain) = chains.get(at) else { return };
    for before in (chain..at).rev() {
        let period = lane.known[before].assignment.period;
        if period.start() < said.period.start() || period.end() <= lane.now || fates[before].said {
            return;
        }
        fates[before].said = true;
        named.push(period);
    }
}

/// How a row of the snapshot meets the known ones.
enum Met {
    /// It is this one.
    Same(usize),
    /// It is this one, which ends.
    Ends(usize, Time),
    /// It is what follows this one, of which the end is taken back.
    GoesOn(usize, Period),
    /// It is none of them.
    Claims(Period),
}

/// Meets a row that still holds.
fn meet_holder(lane: &Lane<'_, '_>, said: &Said<'_>, chains: &[usize]) -> Met {
    let from_now = |from: Time| Met::Claims(Period { from: Some(from.max(said.period.start())), to: None });
    let Some((at, last)) = lane.known.len().checked_sub(1).and_then(|at| Some((at, *lane.known.get(at)?))) else {
        return Met::Claims(said.period);
    };
    let same = content(&last.assignment) == content(said.row);
    if last.assignment.period.to.is_none() {
        let since = since(lane.known, chains, at, said);
        if same && since {
            return Met::Same(at);
        }
        let other_attributes = since && last.assignment.party == said.row.party;
        return if (said.unknown && !same) || other_attributes { from_now(lane.now) } else { Met::Claims(said.period) };
    }
    if said.unknown {
        let end = last.assignment.period.end();
        if same && end > lane.now && end >= said.period.start() && start(last) >= said.period.start() {
            return Met::GoesOn(at, Period { from: Some(end), to: None });
        }
        return from_now(lane.now);
    }
    Met::Claims(said.period)
}

/// Meets a row that states its end.
fn meet_past(lane: &Lane<'_, '_>, said: &Said<'_>, chains: &[usize]) -> Met {
    let end = said.period.end();
    // The known row in which the last instant of the said one lies, and the one that ends with it, are the same row.
    let at = lane.known.partition_point(|row| start(row) < end);
    let Some((at, known)) = at.checked_sub(1).and_then(|at| Some((at, *lane.known.get(at)?))) else {
        return Met::Claims(said.period);
    };
    let old = known.assignment.period;
    if content(&known.assignment) == content(said.row) && since(lane.known, chains, at, said) {
        if old.end() == end {
            return Met::Same(at);
        }
        if old.end() > end && old.end() > lane.now {
            return Met::Ends(at, end);
        }
    }
    if said.unknown {
        // It begins no earlier than the known history before it ends.
        let before = if old.end() < end { Some(old.end()) } else { None };
        let before =
            before.or_else(|| at.checked_sub(1).and_then(|at| lane.known.get(at)).map(|row| row.assignment.period.end()));
        let from = before.filter(|before| *before < end && *before > said.period.start()).or(said.period.from);
        return Met::Claims(Period { from, to: said.period.to });
    }
    Met::Claims(said.period)
}

/// Whether the start that `said` gives is that of the known row at `at`, or of the same party's unbroken stretch to it.
fn since(known: &[&KnownAssignment], chains: &[usize], at: usize, said: &Said<'_>) -> bool {
    if said.unknown {
        return known.get(at).is_some_and(|row| start(row) >= said.period.start());
    }
    let from = known.partition_point(|row| start(row) < said.period.start());
    let begins = known.get(from).is_some_and(|row| start(row) == said.period.start());
    begins && from <= at && chains.get(at).is_some_and(|chain| *chain <= from) && said.row.party == known[at].assignment.party
}

/// When a known row ends that is not said any more: now, or when the next said holder begins if nobody is said for now.
fn handover(named: &[Period], now: Time) -> Time {
    if named.iter().any(|period| period.contains(now)) {
        return now;
    }
    named.iter().map(Period::start).filter(|start| *start > now).min().unwrap_or(now)
}

/// What claims leave of a known row, and why it is superseded if that is not its beginning.
fn yield_to(
    claims: &[Claim<'_, '_>],
    known: &KnownAssignment,
    period: Period,
    said: bool,
    complete: bool,
    pieces: &mut Vec<Period>,
) -> Reason {
    let end = period.end();
    let mut at = period.start();
    let mut from = period.from;
    let mut reason = Reason::OtherHolder;
    let first = claims.partition_point(|claim| claim.period.end() <= at);
    for claim in claims.iter().skip(first).take_while(|claim| claim.period.start() < end) {
        let same = content(&known.assignment) == content(claim.said.row);
        if same {
            reason = Reason::Redated;
        }
        // The same holder with a later start: what came before was seen by this node, or it was never so.
        let corrected = same && !said && claim.period.start() <= known.recorded;
        if at < claim.period.start() && !corrected {
            pieces.push(Period { from, to: claim.period.from });
        }
        at = at.max(claim.period.end());
        from = claim.period.to;
        if !said && (same || complete && known.assignment.party == claim.said.row.party) {
            // What the source says of this holder it says in the claim; nothing is left of the row after it.
            return reason;
        }
    }
    if at < end {
        pieces.push(Period { from, to: period.to });
    }
    reason
}

/// The row of another source that overlaps `period`, if there is one. `reach[i]` is the row that ends last among the
/// first `i + 1`.
fn holder_elsewhere<'o>(others: &[&Foreign], reach: &[(Time, &'o Foreign)], period: &Period) -> Option<&'o Foreign> {
    let begun = others.partition_point(|other| other.period.start() < period.end());
    let (end, other) = *reach.get(begun.checked_sub(1)?)?;
    (end > period.start()).then_some(other)
}

fn conflict(claim: &Claim<'_, '_>, other: &Foreign) -> String {
    format!(
        "{} ({}) of {} ({}) is not begun: the source '{}' is authoritative for it and has {} ({}); to change that, end it in \
         '{}' first, then import this source again",
        claim.said.resource,
        claim.said.row.level.word(),
        claim.said.row.party,
        claim.period,
        other.source,
        other.party,
        other.period,
        other.source
    )
}
