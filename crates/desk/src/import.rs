//! Importing: what a source of administration says becomes what this node knows, and cases that had no holder get one.

use std::collections::HashMap;
use std::sync::PoisonError;

use model::administration::{Changes, Foreign, Known, KnownAssignment, KnownParty, Snapshot, compare};
use model::case::CaseKey;
use model::chain::{Chains, PartyId};
use model::party::Party;
use model::step::What;
use model::time::Time;
use store::Transaction;
use store::cases::Filter;

use crate::acts::step;
use crate::correct::decide::give;
use crate::{Desk, Error};

/// Cases without a holder that are traced again in one transaction.
const TOGETHER: u32 = 500;
/// The counter that keeps for which generation of assignments holders have been looked for to the end.
const SOUGHT: &str = "holders_sought";

/// How an import is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing changes: it is only told what would.
    DryRun,
    /// What the source no longer has ends, unless that is most of it: an export that broke off looks like that.
    Careful,
    /// Somebody says that this is everything, however little it is.
    Vouched,
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// What changed, or would change, with everything people should know about it.
    pub changes: Changes,
    /// Cases that had no holder and have one now.
    pub holders_found: u64,
    /// Cases that turn out to be another party's, and wait in the queue `holder-changed` since.
    pub holders_changed: u64,
}

/// What changed administration came to for the cases there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Cases that had no holder and have one now.
    pub holders_found: u64,
    /// Cases that turn out to be another party's, and wait in the queue `holder-changed` since.
    pub holders_changed: u64,
}

impl Desk {
    /// Imports what `source` says. `kind` is how it was read: `csv`, `rpsl`, `map`.
    ///
    /// Importing the same again changes nothing but the source's age.
    ///
    /// # Errors
    /// [`Error::Invalid`] when more than half of what is held would end for want of being named, and nobody vouches for
    /// that; [`Error::Unavailable`]. Either way nothing has changed.
    pub fn import(&self, source: &str, kind: &str, said: &Snapshot, how: How) -> Result<Imported, Error> {
        let changes = self.take_in(source, kind, said, how)?;
        let Refreshed { holders_found, holders_changed } =
            if how == How::DryRun { Refreshed::default() } else { self.refresh()? };
        Ok(Imported { changes, holders_found, holders_changed })
    }

    /// The first half of [`Desk::import`]: traces see what changed after [`Desk::refresh`].
    ///
    /// # Errors
    /// As [`Desk::import`].
    pub fn take_in(&self, source: &str, kind: &str, said: &Snapshot, how: How) -> Result<Changes, Error> {
        let now = self.now();
        if how == How::DryRun {
            let changes = self.store.reader()?.read(|transaction| {
                let known = load(transaction, source)?.0;
                Ok::<_, store::Error>(compare(&known, said, now))
            })?;
            return Ok(changes);
        }
        self.store.write("import", |transaction| {
            let (known, mut parties) = load(transaction, source)?;
            let changes = compare(&known, said, now);
            if how == How::Careful {
                is_believable(&known, &changes, now)?;
                says_something(said)?;
            }
            drop(known);
            let source = transaction.check_source(source, kind, now)?;
            apply(transaction, source, &changes, &mut parties, now)?;
            if !changes.is_empty() {
                transaction.raise("generation")?;
            }
            Ok::<_, Error>(changes)
        })
    }

    /// Builds the index of who held what anew, looks for holders of cases that have none, and for cases that turn out to be
    /// another party's.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn refresh(&self) -> Result<Refreshed, Error> {
        // The age of the source changed in any case, so answers about it do.
        let (index, generation, sought) = self.store.reader()?.read(|transaction| {
            let (index, generation) = transaction.index()?;
            Ok::<_, store::Error>((index, generation, transaction.counter(SOUGHT)?))
        })?;
        self.set_known(index, generation);
        self.memories.lock().unwrap_or_else(PoisonError::into_inner).clear();
        // Not only when this import changed something: one that was killed may have left holders to be found.
        let holders_found = if sought == generation { 0 } else { self.find_holders()? };
        Ok(Refreshed { holders_found, holders_changed: self.find_changed()? })
    }

    /// Traces the open cases that have no holder once more; how many have one now.
    ///
    /// A case whose holder has an open case about the same already becomes part of that.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn find_holders(&self) -> Result<u64, Error> {
        let now = self.now();
        let known = self.known();
        let mut found = 0;
        let mut before = None;
        loop {
            let filter = Filter { state: Some(model::case::State::Open), holder: Some(0), before, ..Filter::default() };
            let (page_found, last) = self.store.write("find holders", |transaction| {
                let mut found = 0;
                let page = transaction.cases(&filter, TOGETHER)?;
                for filed in &page {
                    let (batch, kept) = match transaction.reports_of(&filed.case, filed.tail, 1) {
                        Ok(first) => first,
                        // Whoever opens the case is told; the other cases have holders to be found.
                        Err(store::Error::Damaged(_)) => continue,
                        Err(error) => return Err(error.into()),
                    };
                    if kept.is_empty() {
                        continue;
                    }
                    let mut chains = Chains::default();
                    known.index.trace_batch(&batch, &mut chains);
                    let Some(holder) = chains.holder(0) else { continue };
                    let report = batch.report(0);
                    let key = CaseKey::of(&report, Some(holder));
                    let chain = chains.chain(0, report.core.observed().unwrap_or(Time::MIN), &known.index);
                    if transaction.set_holder(filed, &key, &chain, now)? {
                        found += 1;
                        continue;
                    }
                    let Some((mut filed, mut standing)) = transaction.case_standing(filed.case.id)? else { continue };
                    if give(transaction, &mut filed, &mut standing, &key, &chain, now)? {
                        let step = step(What::HolderFound, now, "", "");
                        transaction.add_step(filed.case.id, &step)?;
                        transaction.save_case(&filed, &standing)?;
                        found += 1;
                    }
                }
                if page.is_empty() {
                    transaction.set_counter(SOUGHT, known.generation)?;
                }
                Ok::<_, Error>((found, page.last().map(|filed| filed.case.id)))
            })?;
            found += page_found;
            before = last;
            if before.is_none() {
                return Ok(found);
            }
        }
    }
}

/// Refuses changes that end most of what a source held without anything in its place.
fn is_believable(known: &Known, changes: &Changes, now: Time) -> Result<(), Error> {
    let held = known.assignments.iter().filter(|one| one.assignment.period.end() > now).count();
    let vanished = changes.ended.len().saturating_sub(changes.begun.len());
    if held >= 2 && vanished * 2 > held {
        return Err(Error::Invalid(format!(
            "this would end {vanished} of {held} assignments that the source held until now, as if they had been given up. \
             An export that broke off looks like that, so nothing was changed; if it really is everything, import it with --complete"
        )));
    }
    Ok(())
}

/// Refuses a snapshot that names nothing: it would only make the source look fresh, and letters go by what is old.
fn says_something(said: &Snapshot) -> Result<(), Error> {
    if said.parties.is_empty() && said.assignments.is_empty() {
        return Err(Error::Invalid(
            "it names no party and no assignment, so nothing was changed and the source is as old as it was; if it really holds \
             nothing any more, import it with --complete"
                .to_owned(),
        ));
    }
    Ok(())
}

/// What is known of a source and of the others, and the numbers of the source's parties by their references.
fn load(transaction: &Transaction<'_>, name: &str) -> Result<(Known, HashMap<String, PartyId>), store::Error> {
    let sources = transaction.sources()?;
    let id = sources.iter().find(|source| source.name == name).map_or(-1, |source| source.id);
    let mut parties = HashMap::new();
    let mut known = Known::default();
    for kept in transaction.parties_of(id)? {
        parties.insert(kept.party.reference.clone(), kept.id);
        known.parties.push(KnownParty { id: kept.id, party: kept.party, gone: kept.gone.is_some() });
    }
    for kept in transaction.assignments(id, false)? {
        known.assignments.push(KnownAssignment { id: kept.id, recorded: kept.recorded, assignment: kept.assignment });
    }
    for kept in transaction.assignments(id, true)? {
        let source =
            sources.iter().find(|source| source.id == kept.source).map_or_else(String::new, |source| source.name.clone());
        let model::assignment::Assignment { resource, level, period, party, .. } = kept.assignment;
        known.others.push(Foreign { source, resource, level, period, party });
    }
    Ok((known, parties))
}

pub(crate) fn apply(
    transaction: &Transaction<'_>,
    source: i64,
    changes: &Changes,
    parties: &mut HashMap<String, PartyId>,
    now: Time,
) -> Result<(), store::Error> {
    let new = transaction.add_parties(source, &changes.parties_new, now)?;
    parties.extend(changes.parties_new.iter().zip(&new).map(|(party, id)| (party.reference.clone(), *id)));
    let parent = |party: &Party| party.parent.as_ref().and_then(|parent| parties.get(parent)).copied();
    let rented: Vec<_> = changes.parties_new.iter().zip(&new).filter_map(|(party, id)| Some((*id, parent(party)?))).collect();
    transaction.add_memberships(&rented, now)?;
    for change in &changes.parties_changed {
        transaction.set_party(change.id, &change.new, now)?;
    }
    for (id, _) in &changes.parties_gone {
        transaction.set_gone(*id, now)?;
    }
    for (id, _) in &changes.parties_back {
        transaction.set_back(*id)?;
    }
    for moved in &changes.moved {
        let parent = moved.new.as_ref().and_then(|parent| parties.get(parent)).copied();
        transaction.set_parent(moved.id, parent, Some(moved.at), now)?;
    }
    for (id, reason) in &changes.superseded {
        transaction.supersede_assignment(*id, reason.text(), now)?;
    }
    for (id, at) in &changes.ended {
        transaction.end_assignment(*id, *at)?;
    }
    // `compare` begins only what names a party of the snapshot, and all of those are known by now.
    let begun: Vec<_> =
        changes.begun.iter().filter_map(|assignment| Some((*parties.get(&assignment.party)?, assignment))).collect();
    transaction.begin_assignments(source, &begun, now)
}
