//! What a person decides about a case whose holder turned out to be another: its reports move, or everything stays.

use std::collections::BTreeMap;

use model::case::{CaseKey, State};
use model::chain::{Chain, Index, PartyId};
use model::outbox::{Delivery, Hold, Purpose};
use model::policy::{Brake, Closure};
use model::severity::Severity;
use model::step::What;
use model::submission::PublicId;
use model::time::Time;
use store::Transaction;
use store::cases::{Filed, marks};
use store::clocks::Standing;
use store::corrections::{HolderChange, Outcome};
use store::merges::SplitOff;

use super::{Traced, correct, is_of_minutes, settle, title};
use crate::acts::{Preview, begin_anew, join, step, tally};
use crate::{Desk, Error};

/// Cases that are corrected at once.
pub const MOST: u32 = 5_000;

/// What is to become of cases in the queue `holder-changed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correcting {
    /// Row numbers of the cases; empty for all that wait.
    pub cases: Vec<i64>,
    /// Whether the reports go to the right holder; else everything stays as it is.
    pub moved: bool,
    /// How many cases were looked at. Needed for more than one.
    pub expected: Option<u64>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// Row number of the act.
    pub act: i64,
    /// The identifier of the act.
    pub public: PublicId,
    /// Cases that were decided about.
    pub cases: u64,
    /// Cases of P0 that were left out.
    pub urgent: u64,
    /// Cases that were opened for reports of other holders.
    pub opened: u64,
    /// Cases that became part of one that the right holder has already.
    pub merged: u64,
}

/// A case that waits, as it is now.
type Waiting = (HolderChange, Filed, Standing);

/// What would be touched.
///
/// # Errors
/// As [`Desk::correct`].
pub fn preview(transaction: &Transaction<'_>, asked: &Correcting) -> Result<Preview, Error> {
    let (chosen, urgent) = choose(transaction, asked)?;
    let cases: Vec<(Filed, Standing)> = chosen.into_iter().map(|(_, filed, standing)| (filed, standing)).collect();
    Ok(Preview { urgent, ..tally(&cases) })
}

fn choose(transaction: &Transaction<'_>, asked: &Correcting) -> Result<(Vec<Waiting>, u64), Error> {
    let waiting = if asked.cases.is_empty() {
        let waiting = transaction.waiting_holder_changes(None, MOST + 1)?;
        if waiting.len() > MOST as usize {
            return Err(Error::Invalid(format!("more than {MOST} cases wait: name those that are meant")));
        }
        waiting
    } else {
        let mut waiting = Vec::new();
        for case in &asked.cases {
            let found = transaction.holder_changes_of(*case)?.into_iter().find(|change| change.outcome == Outcome::Waiting);
            waiting.push(found.ok_or_else(|| Error::Conflict(format!("case {case} does not wait in the queue holder-changed")))?);
        }
        waiting
    };
    let is_bulk = asked.cases.len() != 1;
    let (mut chosen, mut urgent) = (Vec::new(), 0);
    for change in waiting {
        let Some((filed, standing)) = transaction.case_standing(change.case)? else { continue };
        if is_bulk && standing.progress.severity == Severity::P0 {
            urgent += 1;
        } else {
            chosen.push((change, filed, standing));
        }
    }
    Ok((chosen, urgent))
}

impl Desk {
    /// Decides about cases whose holder turned out to be another. Moved, the reports are the right holder's: the case is
    /// theirs, or part of the one they have about the same, and reports of several holders get cases of their own; clocks
    /// begin anew, and the correction to whom we told by mistake is free to go. Left, everything goes on as it was.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a reason or without a look at how many, [`Error::Conflict`] for a case that does not wait
    /// for it, [`Error::Unavailable`]. Nothing has changed then.
    pub fn correct(&self, asked: &Correcting) -> Result<Corrected, Error> {
        if asked.by.trim().is_empty() || asked.reason.trim().is_empty() {
            return Err(Error::Invalid("say who does it, and why: it is kept with the cases".to_owned()));
        }
        let known = self.known();
        let (brake, now) = (self.policy().policy.brake, self.now());
        self.store.write("correct", |transaction| {
            transaction.lock_cases(&asked.cases)?;
            let (chosen, urgent) = choose(transaction, asked)?;
            crate::acts::agree(asked.cases.len() == 1, asked.expected, chosen.len() as u64)?;
            let verb = if asked.moved { "correct: moved" } else { "correct: left" };
            let cases = chosen.len() as u64;
            let (act, public) = transaction.add_act(verb, asked.by.trim(), asked.reason.trim(), cases, now)?;
            let mut done = Corrected { act, public, cases, urgent, opened: 0, merged: 0 };
            for (change, filed, standing) in chosen {
                transaction.add_act_case(act, filed.case.id, "")?;
                if asked.moved {
                    let mut moving =
                        Moving { transaction, index: &known.index, brake: &brake, asked, change: &change, now, done: &mut done };
                    moving.all(filed, standing)?;
                } else {
                    settle(transaction, &filed, standing, &change, asked.by.trim(), asked.reason.trim(), now)?;
                }
            }
            Ok(done)
        })
    }
}

/// Reports on their way to the right holders.
struct Moving<'a> {
    transaction: &'a Transaction<'a>,
    index: &'a Index,
    brake: &'a Brake,
    asked: &'a Correcting,
    change: &'a HolderChange,
    now: Time,
    done: &'a mut Corrected,
}

impl Moving<'_> {
    /// Moves every report of a case that is not its holder's.
    fn all(&mut self, mut filed: Filed, mut standing: Standing) -> Result<(), Error> {
        let case = filed.case.id;
        let old = filed.case.holder;
        let mut traced = Traced::of(self.transaction, self.index, &filed)?;
        if is_of_minutes(self.change) {
            // A person says that it was the one on the other side of the change.
            traced.lean_to(self.change.new, self.index);
        }
        self.let_corrections_go(case, &standing)?;
        standing.marks &= !marks::HOLDER_CHANGED;

        // Reports by whose they are and what makes them a case there.
        let mut groups: BTreeMap<CaseKey, Vec<usize>> = BTreeMap::new();
        for at in (0..traced.batch.len()).filter(|at| traced.holder(*at) != old) {
            groups.entry(CaseKey::of(&traced.batch.report(at), traced.holder(at))).or_default().push(at);
        }
        let moved: usize = groups.values().map(Vec::len).sum();
        let is_whole = moved == traced.batch.len() && traced.batch.len() as u64 == filed.case.reports;
        if is_whole && groups.len() == 1 {
            let Some((key, reports)) = groups.pop_first() else { return Ok(()) };
            let chain = self.chain(&traced, &reports);
            let days = self.transaction.case_days(case)?;
            let new = chain.holder().map(|link| link.party);
            self.transaction.move_counts(&filed, old, new, &days, Some(filed.case.opened.day()))?;
            let text = format!("all reports are {}'s: {}", title(self.transaction, new)?, self.asked.reason.trim());
            self.transaction.add_step(case, &step(What::HolderCorrected, self.now, &text, &self.asked.by))?;
            let merged = give(self.transaction, &mut filed, &mut standing, &key, &chain, self.now)?;
            self.done.merged += u64::from(merged);
            self.transaction.save_case(&filed, &standing)?;
        } else {
            // At least one report stays: a case is never empty. Of several holders of all, the first keeps the case.
            let keeps = if moved == traced.batch.len() { groups.pop_first() } else { None };
            let mut gone = 0;
            for (key, reports) in groups {
                gone += reports.len() as u64;
                self.split(&filed, &traced, &key, &reports)?;
            }
            crate::acts::split::shrink(self.transaction, &mut filed, gone)?;
            if let Some((key, reports)) = keeps {
                let chain = self.chain(&traced, &reports);
                self.count(&filed, &traced, &reports, old, chain.holder().map(|link| link.party))?;
                let merged = give(self.transaction, &mut filed, &mut standing, &key, &chain, self.now)?;
                self.done.merged += u64::from(merged);
            } else if filed.case.state == State::Open {
                standing.next_due = Some(self.now);
            }
            let text = format!("{gone} reports to their right holders: {}", self.asked.reason.trim());
            self.transaction.add_step(case, &step(What::HolderCorrected, self.now, &text, &self.asked.by))?;
            self.transaction.save_case(&filed, &standing)?;
        }
        let (by, reason) = (self.asked.by.trim(), self.asked.reason.trim());
        Ok(self.transaction.decide_holder_change(self.change, Outcome::Moved, by, reason, self.now)?)
    }

    /// Gives reports of one holder a case of their own, or lets them become part of the one that it has.
    fn split(&mut self, filed: &Filed, traced: &Traced, key: &CaseKey, reports: &[usize]) -> Result<(), Error> {
        let ids: Vec<i64> = reports.iter().filter_map(|at| traced.kept.get(*at)).map(|kept| kept.id).collect();
        let (batch, kept) = self.transaction.reports_by_id(&ids)?;
        let chain = self.chain(traced, reports);
        let number = self.transaction.next_case()?;
        // Under a key of its own until it is known whether the holder has such a case.
        let off = SplitOff { number, key: key.split(number), holder: None, chain: None, batch: &batch, kept: &kept };
        let public = self.transaction.split_case(filed, &off, self.now)?;
        let new = chain.holder().map(|link| link.party);
        self.count(filed, traced, reports, filed.case.holder, new)?;
        let (reason, by) = (self.asked.reason.trim(), &self.asked.by);
        let text = format!("{} reports of {} to case {public}: {reason}", reports.len(), title(self.transaction, new)?);
        self.transaction.add_step(filed.case.id, &step(What::Split, self.now, &text, by))?;
        let text = format!("from case {}: {reason}", filed.case.public);
        self.transaction.add_step(number, &step(What::Opened, self.now, &text, by))?;
        let Some((mut part, mut standing)) = self.transaction.case_standing(number)? else { return Ok(()) };
        standing.marks &= !marks::HOLDER_CHANGED;
        standing.handler = String::new();
        let merged = give(self.transaction, &mut part, &mut standing, key, &chain, self.now)?;
        self.done.merged += u64::from(merged);
        self.done.opened += u64::from(!merged);
        if filed.case.state == State::Closed && !merged {
            // What was over for the one is over for the other.
            let of_old = self.transaction.standing(filed.case.id)?;
            part.case.state = State::Closed;
            (standing.closed, standing.next_due) = (Some(self.now), None);
            standing.closure = of_old.and_then(|old| old.closure).filter(|closure| *closure != Closure::Merged);
        }
        Ok(self.transaction.save_case(&part, &standing)?)
    }

    /// What went to a party by mistake is put right: a person has looked, so the correction may go.
    fn let_corrections_go(&self, case: i64, standing: &Standing) -> Result<(), Error> {
        let mut parties: Vec<PartyId> = Vec::new();
        for entry in self.transaction.entries_of_case(case, 1_000)? {
            let waits = entry.delivery == Delivery::Waiting && entry.hold == Hold::HolderChanged;
            if entry.purpose == Purpose::Correction && waits {
                parties.extend(entry.party);
            }
        }
        if parties.is_empty() {
            return Ok(());
        }
        // The entry that was held may be about other cases too, which nobody has looked at.
        self.transaction.withdraw_errands(case, &[Purpose::Correction], "it goes by itself", self.now)?;
        correct(self.transaction, case, standing, &parties, (Hold::Free, self.brake), self.now)
    }

    /// The chain of the first of some reports.
    fn chain(&self, traced: &Traced, reports: &[usize]) -> Chain {
        let first = reports.iter().min_by_key(|at| traced.batch.cores()[**at].observed());
        first.map_or_else(Chain::default, |first| traced.chain(*first, self.index))
    }

    /// Counts reports for the right holder.
    fn count(
        &self,
        filed: &Filed,
        traced: &Traced,
        reports: &[usize],
        from: Option<PartyId>,
        to: Option<PartyId>,
    ) -> Result<(), Error> {
        let mut days: BTreeMap<i64, i64> = BTreeMap::new();
        for kept in reports.iter().filter_map(|at| traced.kept.get(*at)) {
            *days.entry(kept.received.day()).or_insert(0) += 1;
        }
        let days: Vec<(i64, i64)> = days.into_iter().collect();
        Ok(self.transaction.move_counts(filed, from, to, &days, None)?)
    }
}

/// Gives a case to the party that held what it is about. When that has an open case of the same problem, the case becomes
/// part of it: true. Its row is to be saved by the caller.
pub(crate) fn give(
    transaction: &Transaction<'_>,
    filed: &mut Filed,
    standing: &mut Standing,
    key: &CaseKey,
    chain: &Chain,
    now: Time,
) -> Result<bool, Error> {
    let case = filed.case.id;
    if standing.closure == Some(Closure::Merged) {
        // It was part of what was the old holder's: from here on it stands for itself.
        transaction.remove_merge(case)?;
        filed.case.state = State::Open;
        (standing.closed, standing.closure) = (None, None);
    }
    filed.case.key = key.clone();
    filed.case.holder = chain.holder().map(|link| link.party);
    filed.chain = transaction.number_of_chain(chain)?;
    if filed.case.state == State::Closed {
        return Ok(false);
    }
    begin_anew(standing, now);
    let Some(into) = transaction.open_case_of(key)?.filter(|into| *into != case) else { return Ok(false) };
    transaction.lock_cases(&[into])?;
    let Some((mut whole, mut of_whole)) = transaction.case_standing(into)? else { return Ok(false) };
    join(&mut whole, &mut of_whole, filed, standing);
    of_whole.next_due = Some(now);
    transaction.save_case(&whole, &of_whole)?;
    filed.case.state = State::Closed;
    (standing.closed, standing.closure, standing.next_due) = (Some(now), Some(Closure::Merged), None);
    transaction.add_merge(case, into, now)?;
    let text = format!("merged into case {}: the same problem of the same holder", whole.case.public);
    transaction.add_step(case, &step(What::Closed, now, &text, ""))?;
    transaction.add_step(into, &step(What::Merged, now, &format!("case {}", filed.case.public), ""))?;
    Ok(true)
}
