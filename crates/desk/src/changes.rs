//! Changes of an administration, told one by one: each is compared with what it touches alone, in order, and a file of them
//! is applied as a whole and once.
//!
//! An import compares everything a source says with everything that is known; this costs as much as the administration is
//! large. A change costs a few lookups, so thousands a day are cheap; [`Desk::refresh`] then builds the index anew, once for
//! all files that came together.

use std::collections::{HashMap, HashSet};

use model::administration::change::{Change, End, Told};
use model::administration::{Changes, Foreign, Known, KnownAssignment, KnownParty, Snapshot, compare};
use model::assignment::{Assignment, Level, Period};
use model::chain::PartyId;
use model::party::{Party, Role};
use model::resource::Resource;
use model::time::Time;
use store::Transaction;
use store::administration::{KeptParty, KeptSource};

use crate::import::{How, Imported, Refreshed, apply};
use crate::{Desk, Error};

/// What changes came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// What changed, all of it together.
    pub changes: Changes,
    /// That they had been applied before, so that nothing was done.
    pub known: bool,
}

/// What changes are recognised by when they come a second time, because a process was killed after it applied them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(i64);

impl Mark {
    /// Of a file, by its name and bytes. Whoever could make two files with one mark could write to the folder anyway.
    pub fn of(name: &str, bytes: &[u8]) -> Mark {
        // FNV-1a of 64 bits: the same in every version of the program.
        let hash = [name.as_bytes(), &[0], bytes]
            .iter()
            .flat_map(|part| part.iter())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
        // 0 is for none.
        Mark(i64::from_ne_bytes((hash | 1).to_ne_bytes()))
    }
}

/// Why a transaction is undone: it failed, or was only to show what it would do.
enum Undone {
    Failed(Error),
    Shown(Box<Changes>),
}

impl From<store::Error> for Undone {
    fn from(error: store::Error) -> Undone {
        Undone::Failed(error.into())
    }
}

impl Desk {
    /// Applies changes of one source, in order and in one transaction, and looks at what follows for cases.
    ///
    /// # Errors
    /// As [`Desk::change`].
    pub fn import_changes(&self, source: &str, told: &[Told], how: How) -> Result<Imported, Error> {
        if how == How::DryRun {
            let result = self.store.write("show changes", |transaction| {
                let changes = self.applied(transaction, source, told).map_err(Undone::Failed)?;
                Err::<(), _>(Undone::Shown(Box::new(changes)))
            });
            return match result {
                Err(Undone::Shown(changes)) => Ok(Imported { changes: *changes, ..Imported::default() }),
                Err(Undone::Failed(error)) => Err(error),
                Ok(()) => Ok(Imported::default()),
            };
        }
        let done = self.change(source, told, None)?;
        let Refreshed { holders_found, holders_changed } = self.refresh()?;
        Ok(Imported { changes: done.changes, holders_found, holders_changed })
    }

    /// Applies changes of one source, in order and in one transaction; none that carry the mark of the last. Traces see them
    /// after [`Desk::refresh`].
    ///
    /// # Errors
    /// [`Error::Invalid`] with the line of a change that does not fit what is known, [`Error::Unavailable`]. Either way
    /// nothing has changed.
    pub fn change(&self, source: &str, told: &[Told], mark: Option<Mark>) -> Result<Changed, Error> {
        self.store.write("changes", |transaction| {
            if let Some(mark) = mark
                && transaction.counter(&counter(source))? == mark.0
            {
                return Ok(Changed { known: true, ..Changed::default() });
            }
            let changes = self.applied(transaction, source, told)?;
            if let Some(mark) = mark {
                transaction.set_counter(&counter(source), mark.0)?;
            }
            Ok::<_, Error>(Changed { changes, known: false })
        })
    }

    /// Forgets the mark of what was applied last: its file is out of the way, and the next of the same name is another.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn settle(&self, source: &str) -> Result<(), Error> {
        Ok(self.store.write("settle", |transaction| transaction.set_counter(&counter(source), 0))?)
    }

    /// Says how old sources may be before they are stale, in milliseconds by name; those that are not there yet are passed over.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn set_fresh(&self, fresh: &[(String, i64)]) -> Result<(), Error> {
        Ok(self.store.write("freshness", |transaction| {
            for (name, fresh) in fresh {
                transaction.set_fresh(name, *fresh)?;
            }
            Ok::<_, store::Error>(())
        })?)
    }

    /// The sources that are older at `now` than they may be: what is known of their ranges may be wrong.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn stale_sources(&self, now: Time) -> Result<Vec<KeptSource>, Error> {
        let sources = self.store.reader()?.read(|transaction| transaction.sources())?;
        Ok(sources.into_iter().filter(|source| source.is_stale(now)).collect())
    }

    fn applied(&self, transaction: &Transaction<'_>, source: &str, told: &[Told]) -> Result<Changes, Error> {
        let now = self.now();
        let kind = transaction.sources()?.into_iter().find(|known| known.name == source).map(|known| known.kind);
        let id = transaction.check_source(source, kind.as_deref().unwrap_or("changes"), now)?;
        let names = transaction.sources()?.into_iter().map(|source| (source.id, source.name)).collect();
        let mut touch = Touch { transaction, source: id, names, now, whole: Changes::default(), roles: HashMap::new() };
        for one in told {
            let result = match &one.change {
                Change::Party(party) => touch.party(party),
                Change::Begin(begun) => touch.begin(begun),
                Change::End(end) => touch.end(end),
            };
            result.map_err(|error| match error {
                Error::Invalid(reason) => Error::Invalid(format!("line {}: {reason}", one.line)),
                other => other,
            })?;
        }
        if !touch.whole.is_empty() {
            transaction.raise("generation")?;
        }
        Ok(touch.whole)
    }
}

/// The counter that keeps the mark of what was applied last.
fn counter(source: &str) -> String {
    format!("changes of {source}")
}

/// Applies one change after the other, each compared with what it touches.
struct Touch<'t> {
    transaction: &'t Transaction<'t>,
    source: i64,
    names: HashMap<i64, String>,
    now: Time,
    whole: Changes,
    /// Roles that follow from what a party holds, for those of whom nobody states any.
    roles: HashMap<PartyId, Vec<Role>>,
}

impl Touch<'_> {
    fn party(&mut self, party: &Party) -> Result<(), Error> {
        let old = self.transaction.party_of(self.source, &party.reference)?;
        let mut party = party.clone();
        if let Some(old) = old.as_ref().filter(|_| party.roles.is_empty()) {
            party.roles.clone_from(&old.party.roles);
        }
        let mut known = Known::default();
        let mut ids = HashMap::new();
        // All above it, so that a circle of parents shows.
        let mut above = party.parent.clone();
        let mut met = HashSet::from([party.reference.clone()]);
        old.into_iter().for_each(|old| keep(&mut known, &mut ids, old));
        while let Some(reference) = above.filter(|reference| met.insert(reference.clone())) {
            let found = self.transaction.party_of(self.source, &reference)?;
            above = found.as_ref().and_then(|found| found.party.parent.clone());
            found.into_iter().for_each(|found| keep(&mut known, &mut ids, found));
        }
        let said = Snapshot { parties: vec![party], ..Snapshot::default() };
        self.take(&known, &said, &mut ids)
    }

    fn begin(&mut self, begun: &Assignment) -> Result<(), Error> {
        let mut ids = HashMap::new();
        let mut known = self.lane(&begun.resource, begun.level)?;
        let holder = self.holder(&begun.party)?;
        self.give_role(&holder, begun.level)?;
        if holder.gone.is_some() {
            self.transaction.set_back(holder.id)?;
            self.whole.parties_back.push((holder.id, holder.party.reference.clone()));
        }
        keep(&mut known, &mut ids, holder);
        let said = Snapshot { assignments: vec![begun.clone()], ..Snapshot::default() };
        self.take(&known, &said, &mut ids)
    }

    fn end(&mut self, end: &End) -> Result<(), Error> {
        let mut ids = HashMap::new();
        let mut known = self.lane(&end.resource, end.level)?;
        let at = end.to.unwrap_or(self.now);
        let held = known
            .assignments
            .iter()
            .map(|row| &row.assignment)
            .filter(|row| row.period.end() > at)
            .min_by_key(|row| row.period.start());
        let Some(held) = held.filter(|row| end.party.is_empty() || row.party == end.party).cloned() else {
            let level = end.level.word();
            self.whole.problems.add(|| format!("{} ({level}): nothing of {} to end at {at}", end.resource, named(&end.party)));
            return Ok(());
        };
        if at <= held.period.start() {
            let since = held.period.start();
            return Err(Error::Invalid(format!("{} would end at {at}, and begins at {since}", end.resource)));
        }
        let holder = self.holder(&held.party)?;
        keep(&mut known, &mut ids, holder);
        let period = Period { from: held.period.from, to: Some(at) };
        let said = Snapshot { assignments: vec![Assignment { period, ..held }], ..Snapshot::default() };
        self.take(&known, &said, &mut ids)
    }

    /// Compares and applies, and adds to what all changes came to.
    fn take(&mut self, known: &Known, said: &Snapshot, ids: &mut HashMap<String, PartyId>) -> Result<(), Error> {
        let changes = compare(known, said, self.now);
        if let Some(problem) = changes.problems.texts.first() {
            return Err(Error::Invalid(format!("{problem}; say it in a line before this one")));
        }
        apply(self.transaction, self.source, &changes, ids, self.now)?;
        let whole = &mut self.whole;
        whole.parties_new.extend(changes.parties_new);
        whole.parties_changed.extend(changes.parties_changed);
        whole.parties_back.extend(changes.parties_back);
        whole.moved.extend(changes.moved);
        whole.begun.extend(changes.begun);
        whole.ended.extend(changes.ended);
        whole.superseded.extend(changes.superseded);
        for (all, some) in
            [(&mut whole.conflicts, changes.conflicts), (&mut whole.overlaps, changes.overlaps), (&mut whole.cuts, changes.cuts)]
        {
            some.texts.into_iter().for_each(|text| all.add(|| text));
        }
        Ok(())
    }

    /// What is known of one resource at one level.
    fn lane(&self, resource: &Resource, level: Level) -> Result<Known, Error> {
        let mut known = Known::default();
        for kept in self.transaction.lane(resource, level)? {
            if kept.source == self.source {
                known.assignments.push(KnownAssignment { id: kept.id, recorded: kept.recorded, assignment: kept.assignment });
                continue;
            }
            let source = self.names.get(&kept.source).cloned().unwrap_or_default();
            let Assignment { resource, level, period, party, .. } = kept.assignment;
            known.others.push(Foreign { source, resource, level, period, party });
        }
        Ok(known)
    }

    fn holder(&self, reference: &str) -> Result<KeptParty, Error> {
        let found = self.transaction.party_of(self.source, reference)?;
        found.ok_or_else(|| {
            Error::Invalid(format!(
                "there is no party '{reference}' in this source; say in a line {{\"party\": …}} before this one who it is"
            ))
        })
    }

    /// A party of whom nobody stated a role has the one that follows from what it holds, as in an import.
    fn give_role(&mut self, holder: &KeptParty, level: Level) -> Result<(), Error> {
        let role = [Role::Provider, Role::Reseller, Role::Customer][level as usize];
        let roles = self.roles.entry(holder.id).or_insert_with(|| holder.party.roles.clone());
        if !roles.is_empty() {
            return Ok(());
        }
        roles.push(role);
        let party = Party { roles: vec![role], ..holder.party.clone() };
        Ok(self.transaction.set_party(holder.id, &party, self.now)?)
    }
}

fn keep(known: &mut Known, ids: &mut HashMap<String, PartyId>, kept: KeptParty) {
    ids.insert(kept.party.reference.clone(), kept.id);
    known.parties.push(KnownParty { id: kept.id, party: kept.party, gone: kept.gone.is_some() });
}

fn named(party: &str) -> &str {
    if party.is_empty() { "anybody" } else { party }
}
