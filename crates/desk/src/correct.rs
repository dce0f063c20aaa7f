//! Correcting: an administration says of the past something else than it did, so some cases are another party's.
//!
//! Nothing moves by itself. [`Desk::find_changed`] finds the cases whose reports are traced to another holder now, takes back
//! what was on its way to the one we thought it was, and puts the case into the queue `holder-changed`; a person says what
//! becomes of it ([`decide`]).

pub mod decide;

use std::collections::{BTreeMap, HashSet};

use model::chain::{Chain, Chains, Index, PartyId};
use model::outbox::{Delivery, Errand, Hold, Purpose};
use model::policy::Brake;
use model::report::Batch;
use model::resource::Resource;
use model::step::What;
use model::time::Time;
use store::Transaction;
use store::cases::{Filed, marks};
use store::clocks::Standing;
use store::corrections::{HolderChange, Outcome, Place, Recheck};
use store::outbox::Wanted;
use store::reports::Kept;

use crate::acts::{step, withdraw};
use crate::decide::NEAR;
use crate::{Desk, Error};

/// Cases that are looked at in one transaction.
const TOGETHER: u32 = 200;
/// Places of the administration that are looked at in one transaction.
const ROWS: u32 = 2_000;
/// Reports that are traced in one transaction before it ends.
const REPORTS: usize = 20_000;
/// Reports of one case that are traced. A case with more is judged by its newest.
const MOST: usize = 50_000;
/// Keys that are gone through at once when names are looked for, and names that are looked for together.
const KEYS: u32 = 10_000;
/// The case up to which names have been looked for.
const NAMES_AT: &str = "rechecks_names_at";
/// The last recheck whose name is looked for on this way through the cases.
const NAMES_TO: &str = "rechecks_names_to";
/// Why strikes are withdrawn.
const CORRECTED: &str = "the administration was corrected";

/// Whose the reports of a case are, as the administration is now.
pub(crate) struct Traced {
    pub(crate) batch: Batch,
    pub(crate) kept: Vec<Kept>,
    /// At the time of each report; a little before it, and a little after it, when those were asked for.
    traces: Vec<Chains>,
    /// Which of these holds for each report.
    holds: Vec<usize>,
}

impl Traced {
    /// Traces the reports of a case.
    pub(crate) fn of(transaction: &Transaction<'_>, index: &Index, filed: &Filed) -> Result<Traced, store::Error> {
        let (batch, kept) = transaction.reports_of(&filed.case, filed.tail, MOST)?;
        let mut chains = Chains::default();
        index.trace_batch(&batch, &mut chains);
        let holds = vec![0; batch.len()];
        Ok(Traced { batch, kept, traces: vec![chains], holds })
    }

    /// Lets reports be another's that they would be if their clocks were a little wrong.
    pub(crate) fn lean_to(&mut self, other: Option<PartyId>, index: &Index) {
        let seen: Vec<Option<Time>> = self.batch.cores().iter().map(|core| core.observed()).collect();
        for by in [-NEAR, NEAR] {
            for (core, seen) in self.batch.cores_mut().iter_mut().zip(&seen) {
                core.set_observed(seen.map(|seen| seen.plus(by)));
            }
            let mut chains = Chains::default();
            index.trace_batch(&self.batch, &mut chains);
            for (at, holds) in self.holds.iter_mut().enumerate().filter(|(at, _)| chains.holder(*at) == other) {
                if seen[at].is_some() {
                    *holds = self.traces.len();
                }
            }
            self.traces.push(chains);
        }
        for (core, seen) in self.batch.cores_mut().iter_mut().zip(&seen) {
            core.set_observed(*seen);
        }
    }

    /// Whose a report is.
    pub(crate) fn holder(&self, report: usize) -> Option<PartyId> {
        self.traces[self.holds[report]].holder(report)
    }

    /// The chain of a report.
    pub(crate) fn chain(&self, report: usize, index: &Index) -> Chain {
        let seen = self.batch.cores()[report].observed().unwrap_or(Time::MIN);
        self.traces[self.holds[report]].chain(report, seen, index)
    }

    /// Of the holders that are not `old`, the one of most reports; and how many reports are not `old`'s.
    fn others(&self, old: Option<PartyId>) -> Option<(Option<PartyId>, u64)> {
        let mut others = BTreeMap::new();
        for holder in (0..self.batch.len()).map(|at| self.holder(at)).filter(|holder| *holder != old) {
            *others.entry(holder).or_insert(0u64) += 1;
        }
        let (most, _) = others.iter().max_by_key(|(_, count)| **count)?;
        Some((*most, others.values().sum()))
    }

    /// The parties of the chains of reports that are not `old`'s.
    fn parties(&self, old: Option<PartyId>, index: &Index) -> HashSet<PartyId> {
        let reports = (0..self.batch.len()).filter(|at| self.holder(*at) != old);
        reports.flat_map(|at| self.chain(at, index).links).map(|link| link.party).collect()
    }
}

/// Whether a change waits not because of a correction, but because the case was reported within minutes of a change of
/// holder: such a row says why from the beginning.
pub fn is_of_minutes(change: &HolderChange) -> bool {
    change.outcome == Outcome::Waiting && !change.reason.is_empty()
}

impl Desk {
    /// Looks at the cases about which the administration says something else than before; how many are in the queue since.
    ///
    /// A kill loses nothing: what has not been looked at yet is kept, and looked at with the next call.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn find_changed(&self) -> Result<u64, Error> {
        let mut found = 0;
        loop {
            let (more, of_page) = self.store.write("find changed", |transaction| self.find_some(transaction))?;
            found += of_page;
            if !more || self.is_stopping() {
                break;
            }
        }
        loop {
            let (more, of_page) = self.find_by_name()?;
            found += of_page;
            if !more || self.is_stopping() {
                return Ok(found);
            }
        }
    }

    /// Looks at some of the cases; whether there are more, and how many were found.
    fn find_some(&self, transaction: &Transaction<'_>) -> Result<(bool, u64), Error> {
        let known = self.known();
        let (brake, now) = (self.policy().policy.brake, self.now());
        let (mut found, mut looked, mut reports) = (0, 0, 0);
        for mut recheck in transaction.rechecks(false, ROWS)? {
            loop {
                let page = transaction.cases_to_recheck(&recheck, TOGETHER)?;
                let is_last = page.len() < TOGETHER as usize;
                for (case, address) in page {
                    let (changed, traced) = look_at(transaction, (&known.index, &brake), case, now)?;
                    found += u64::from(changed);
                    looked += 1;
                    reports += traced;
                    recheck = go_on(recheck, case, address);
                    if looked >= TOGETHER || reports >= REPORTS {
                        transaction.advance_recheck(recheck.id, address, case)?;
                        return Ok((true, found));
                    }
                }
                if is_last {
                    transaction.end_recheck(recheck.id)?;
                    break;
                }
            }
        }
        Ok((looked > 0 || !transaction.rechecks(false, 1)?.is_empty(), found))
    }

    /// Goes on through all cases for those about names that turned out to be somebody's.
    fn find_by_name(&self) -> Result<(bool, u64), Error> {
        let known = self.known();
        let (brake, now) = (self.policy().policy.brake, self.now());
        self.store.write("find by name", |transaction| {
            let names = transaction.rechecks(true, KEYS)?;
            let Some(newest) = names.last() else { return Ok((false, 0)) };
            let (mut at, mut to) = (transaction.counter(NAMES_AT)?, transaction.counter(NAMES_TO)?);
            if to == 0 {
                (at, to) = (0, newest.id);
            }
            let names: Vec<Recheck> = names.into_iter().filter(|recheck| recheck.id <= to).collect();
            let since = names.iter().map(|recheck| recheck.since).min().unwrap_or(Time::MAX);
            let wanted = Wanting::of(&names);
            let page = transaction.keys_after(at, since, KEYS)?;
            let (mut found, mut reports, mut is_last) = (0, 0, page.len() < KEYS as usize);
            for (case, key, recent) in page {
                at = case;
                if recent && wanted.is_about(&key.about()) {
                    let (changed, traced) = look_at(transaction, (&known.index, &brake), case, now)?;
                    found += u64::from(changed);
                    reports += traced;
                    if reports >= REPORTS {
                        is_last = false;
                        break;
                    }
                }
            }
            if is_last {
                for recheck in &names {
                    transaction.end_recheck(recheck.id)?;
                }
                (at, to) = (0, 0);
            }
            transaction.set_counter(NAMES_AT, at)?;
            transaction.set_counter(NAMES_TO, to)?;
            Ok((true, found))
        })
    }
}

/// A recheck from which it goes on.
fn go_on(recheck: Recheck, case: i64, address: Option<model::address::Address>) -> Recheck {
    let place = match (recheck.place, address) {
        (Place::Addresses(_, last), Some(address)) => Place::Addresses(address, last),
        (place, _) => place,
    };
    Recheck { place, case, ..recheck }
}

/// Names that are looked for, as cases say what they are about.
struct Wanting {
    names: HashSet<String>,
}

impl Wanting {
    fn of(names: &[Recheck]) -> Wanting {
        let text = |recheck: &Recheck| match &recheck.place {
            Place::Name(name) => Some(match Resource::parse(name) {
                Ok(Resource::Account { panel, account }) => format!("account {panel}/{account}"),
                _ => name.clone(),
            }),
            _ => None,
        };
        Wanting { names: names.iter().filter_map(text).map(|name| name.to_lowercase()).collect() }
    }

    /// Whether a case about this may be another party's: it is about one of the names, or one that lies under it.
    fn is_about(&self, about: &str) -> bool {
        let about = about.to_lowercase();
        let mut rest = about.as_str();
        loop {
            if self.names.contains(rest) {
                return true;
            }
            match rest.split_once('.') {
                Some((_, parent)) => rest = parent,
                None => return false,
            }
        }
    }
}

/// Traces a case once more, and enters what came of it; whether it is new in the queue, and how many reports were traced.
fn look_at(
    transaction: &Transaction<'_>,
    (index, brake): (&Index, &Brake),
    case: i64,
    now: Time,
) -> Result<(bool, usize), Error> {
    transaction.lock_cases(&[case])?;
    let Some((filed, standing)) = transaction.case_standing(case)? else { return Ok((false, 0)) };
    // Cases without a holder are looked for by `find_holders`.
    if filed.case.holder.is_none() {
        return Ok((false, 0));
    }
    let traced = match Traced::of(transaction, index, &filed) {
        Ok(traced) => traced,
        // Whoever opens the case is told; the others are to be looked at.
        Err(store::Error::Damaged(_)) => return Ok((false, 0)),
        Err(error) => return Err(error.into()),
    };
    let count = traced.batch.len();
    let before = transaction.holder_changes_of(case)?.into_iter().next();
    let waiting = before.as_ref().filter(|change| change.outcome == Outcome::Waiting);
    match (traced.others(filed.case.holder), waiting) {
        (None, None) => Ok((false, count)),
        // Whose it was is for a person to say, whatever the administration says.
        (None, Some(change)) if is_of_minutes(change) => Ok((false, count)),
        (None, Some(change)) => {
            settle(transaction, &filed, standing, change, "", "the administration says again what it said before", now)?;
            Ok((false, count))
        }
        (Some((new, reports)), waiting) => {
            let left = before.as_ref().filter(|change| change.outcome == Outcome::Left);
            // A person has seen exactly this, and left it.
            if left.is_some_and(|left| left.new == new && left.reports == reports) {
                return Ok((false, count));
            }
            // A case is entered at most once a moment.
            let later = before.as_ref().map_or(now, |change| now.max(change.found.plus(1)));
            let found = waiting.map_or(later, |change| change.found);
            let (old, of) = (filed.case.holder, count as u64);
            let change = HolderChange {
                case,
                found,
                old,
                new,
                reports,
                of,
                outcome: Outcome::Waiting,
                decided: None,
                person: String::new(),
                reason: String::new(),
            };
            let is_new = waiting.is_none();
            if waiting.is_none_or(|waiting| (waiting.new, waiting.reports) != (new, reports)) {
                transaction.add_holder_change(&change)?;
                let text = format!(
                    "{reports} of {of} reports are traced to {}, not to {}",
                    title(transaction, new)?,
                    title(transaction, old)?
                );
                transaction.add_step(case, &step(What::HolderChanged, now, &text, ""))?;
            }
            take_back(transaction, (&filed, standing), &traced.parties(old, index), brake, now)?;
            Ok((is_new, count))
        }
    }
}

/// A party's reference, for the journal.
pub(crate) fn title(transaction: &Transaction<'_>, party: Option<PartyId>) -> Result<String, Error> {
    let Some(party) = party else { return Ok("nobody known".to_owned()) };
    Ok(transaction.party(party)?.map_or_else(|| party.to_string(), |kept| kept.party.reference))
}

/// Takes back what was on its way to the party we thought it was: letters that wait are withdrawn, those that went are to be
/// followed by a correction, and nothing counts against it. The ladder stands still.
fn take_back(
    transaction: &Transaction<'_>,
    (filed, mut standing): (&Filed, Standing),
    right: &HashSet<PartyId>,
    brake: &Brake,
    now: Time,
) -> Result<(), Error> {
    let case = filed.case.id;
    let mut told: Vec<PartyId> = Vec::new();
    let mut corrected: Vec<PartyId> = Vec::new();
    for entry in transaction.entries_of_case(case, 1_000)? {
        let Some(party) = entry.party else { continue };
        let has_gone = entry.delivery == Delivery::Sent
            || (entry.delivery == Delivery::Waiting && entry.hold == Hold::Free && entry.ready <= now);
        match entry.purpose {
            Purpose::Correction if entry.delivery != Delivery::Withdrawn => corrected.push(party),
            Purpose::ToCustomer | Purpose::Reminder | Purpose::LastWarning if has_gone && !right.contains(&party) => {
                told.push(party);
            }
            _ => {}
        }
    }
    withdraw(transaction, case, &mut standing.progress, "the administration was corrected", now)?;
    told.sort_unstable();
    told.dedup();
    told.retain(|party| !corrected.contains(party));
    correct(transaction, case, &standing, &told, (Hold::HolderChanged, brake), now)?;
    transaction.withdraw_strikes(case, CORRECTED, now)?;
    standing.marks |= marks::HOLDER_CHANGED;
    if standing.next_due.is_some() {
        standing.next_due = Some(now);
    }
    transaction.save_case(filed, &standing)?;
    Ok(())
}

/// Puts corrections to these parties into the outbox.
pub(crate) fn correct(
    transaction: &Transaction<'_>,
    case: i64,
    standing: &Standing,
    parties: &[PartyId],
    (hold, brake): (Hold, &Brake),
    now: Time,
) -> Result<(), Error> {
    let severity = standing.progress.severity;
    let wanted = |party: &PartyId| Wanted {
        case,
        errand: Errand { purpose: Purpose::Correction, party: *party, ready: now, hold },
        severity,
        subject: String::new(),
    };
    let mut wanted: Vec<Wanted> = parties.iter().map(wanted).collect();
    transaction.send(&mut wanted, brake, now)?;
    Ok(())
}

/// Ends a change of holder with everything as it was: the ladder goes on, and what counted against the holder counts again.
fn settle(
    transaction: &Transaction<'_>,
    filed: &Filed,
    mut standing: Standing,
    change: &HolderChange,
    person: &str,
    reason: &str,
    now: Time,
) -> Result<(), Error> {
    let case = filed.case.id;
    transaction.withdraw_errands(case, &[Purpose::Correction], reason, now)?;
    transaction.restore_strikes(case, CORRECTED)?;
    transaction.decide_holder_change(change, Outcome::Left, person, reason, now)?;
    transaction.add_step(case, &step(What::HolderCorrected, now, &format!("left as it is: {reason}"), person))?;
    standing.marks &= !marks::HOLDER_CHANGED;
    if filed.case.state == model::case::State::Open {
        standing.next_due = Some(now);
    }
    Ok(transaction.save_case(filed, &standing)?)
}
