//! Corrections: where the administration of the past was changed, and the cases that a person has to look at for it.
//!
//! Whoever changes assignments leaves a row in `rechecks` in the same transaction, for what that changes about times that
//! have passed. The desk works these off and enters cases whose reports are another party's now in `holder_changes`.

use model::address::Address;
use model::assignment::Assignment;
use model::case::CaseKey;
use model::chain::PartyId;
use model::resource::Resource;
use model::time::Time;

use crate::Error;
use crate::cases::Filed;
use crate::db::{self, OptionalExtension, Row, Transaction};

/// A place and time of which the administration says something else than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recheck {
    /// Row number.
    pub id: i64,
    /// Where.
    pub place: Place,
    /// From when on.
    pub since: Time,
    /// Before when.
    pub until: Time,
    /// Number of the last case that was looked at.
    pub case: i64,
}

/// Where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Cases about these addresses; the first of them that has not been looked at yet.
    Addresses(Address, Address),
    /// Cases of a party, for something that was its by name.
    Party(PartyId),
    /// Cases about a name, whosever they are.
    Name(String),
}

/// A case whose reports are another party's than we thought, and what was decided about that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderChange {
    /// Row number of the case.
    pub case: i64,
    /// When it was found.
    pub found: Time,
    /// Who we thought it was.
    pub old: Option<PartyId>,
    /// Who it is, of most of the reports that are not the old one's; `None` for nobody that we know of.
    pub new: Option<PartyId>,
    /// How many reports that is about.
    pub reports: u64,
    /// Of how many.
    pub of: u64,
    /// What was decided.
    pub outcome: Outcome,
    /// When.
    pub decided: Option<Time>,
    /// By whom; empty for the program.
    pub person: String,
    /// Why.
    pub reason: String,
}

/// What was decided about a change of holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// Nothing yet.
    Waiting,
    /// The reports are the right holder's now.
    Moved,
    /// Everything stays as it was.
    Left,
}

impl Outcome {
    /// Every outcome, in the order of their numbers.
    pub const ALL: [Outcome; 3] = [Outcome::Waiting, Outcome::Moved, Outcome::Left];

    /// The word people see.
    pub fn word(self) -> &'static str {
        ["waiting", "moved", "left"][self as usize]
    }
}

/// A range of addresses, a name, or a party.
type Rechecked = (Option<[u8; 16]>, Option<[u8; 16]>, Option<String>, Option<PartyId>);

const COLUMNS: &str = "case_id, found, old_party, new_party, reports, of_all, outcome, decided, person, reason";

fn from_row(row: &Row<'_>) -> db::Result<HolderChange> {
    let party = |number: i64| (number != 0).then_some(number);
    Ok(HolderChange {
        case: row.get(0)?,
        found: Time(row.get(1)?),
        old: party(row.get(2)?),
        new: party(row.get(3)?),
        reports: row.get(4)?,
        of: row.get(5)?,
        outcome: db::numbered(row, 6, &Outcome::ALL)?,
        decided: row.get::<Option<i64>>(7)?.map(Time),
        person: row.get(8)?,
        reason: row.get(9)?,
    })
}

impl Transaction<'_> {
    /// Has cases traced once more that an assignment was about, from `since` on (from its start, when that is later) until
    /// `until`. To be called in the transaction that changes it.
    pub(crate) fn recheck_assignment(&self, assignment: i64, since: Time, until: Time) -> Result<(), Error> {
        type Found = (Option<[u8; 16]>, Option<[u8; 16]>, Option<String>, i64, Option<i64>, Option<i64>);
        let found: Option<Found> = self
            .prepare(
                "-- corrections::assignment\nSELECT first, last, name, party, valid_from, valid_to FROM assignments WHERE id = $1",
            )?
            .query_row([assignment], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            })
            .optional()?;
        let Some((first, last, name, party, from, to)) = found else { return Ok(()) };
        // What was somebody's by name is looked for among its cases.
        let party = name.is_some().then_some(party);
        let since = since.0.max(from.unwrap_or(i64::MIN));
        let until = until.0.min(to.unwrap_or(i64::MAX));
        if since < until { self.recheck(&[((first, last, None, party), since, until)]) } else { Ok(()) }
    }

    /// Has cases traced once more that are about something that turns out to have been somebody's.
    pub(crate) fn recheck_begun<'a>(&self, begun: impl Iterator<Item = &'a Assignment>, now: Time) -> Result<(), Error> {
        let rechecked: Vec<(Rechecked, i64, i64)> = begun
            .map(|assignment| {
                let (since, until) = (assignment.period.start().0, assignment.period.end().min(now).0);
                let what = match &assignment.resource {
                    Resource::Addresses(range) => (Some(range.first.bytes()), Some(range.last.bytes()), None, None),
                    other => (None, None, Some(other.to_string()), None),
                };
                (what, since, until)
            })
            .filter(|(_, since, until)| since < until)
            .collect();
        self.recheck(&rechecked)
    }

    fn recheck(&self, rechecked: &[(Rechecked, i64, i64)]) -> Result<(), Error> {
        if rechecked.is_empty() {
            return Ok(());
        }
        // As long as there are no cases, there is nothing to look at: most of an administration comes before them.
        let any: Option<i64> = self.prepare("-- corrections::any\nSELECT max(id) FROM cases")?.query_row((), |row| row.get(0))?;
        if any.is_none() {
            return Ok(());
        }
        let number = self.numbers("rechecks", rechecked.len() as i64)?;
        self.insert_many("rechecks", "id, first, last, name, party, since, until, case_id", |into| {
            (number..).zip(rechecked).try_for_each(|(id, ((first, last, name, party), since, until))| {
                Ok(into.add((id, *first, *last, name.as_deref(), *party, *since, *until, 0i64))?)
            })
        })
    }

    /// What is to be looked at again, the oldest first; names, which are looked for together, after everything else.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn rechecks(&self, names: bool, most: u32) -> Result<Vec<Recheck>, Error> {
        let not = if names { "NOT" } else { "" };
        let text = format!(
            "-- corrections::rechecks
             SELECT id, first, last, name, party, since, until, case_id FROM rechecks WHERE name IS {not} NULL ORDER BY id LIMIT $1"
        );
        let mut select = self.prepare(&text)?;
        let rows = select.query_map([most], |row| {
            let address = |bytes: Option<[u8; 16]>| bytes.map_or(Address::NONE, |bytes| Address(u128::from_be_bytes(bytes)));
            let (name, party): (Option<String>, Option<i64>) = (row.get(3)?, row.get(4)?);
            let place = match (name, party) {
                (Some(name), _) => Place::Name(name),
                (None, Some(party)) => Place::Party(party),
                (None, None) => Place::Addresses(address(row.get(1)?), address(row.get(2)?)),
            };
            Ok(Recheck { id: row.get(0)?, place, since: Time(row.get(5)?), until: Time(row.get(6)?), case: row.get(7)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes how far the look at one of them has come: the last case, and its address.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn advance_recheck(&self, id: i64, address: Option<Address>, case: i64) -> Result<(), Error> {
        self.execute(
            "-- corrections::advance\nUPDATE rechecks SET case_id = $2, first = coalesce($3, first) WHERE id = $1",
            (id, case, address.map(Address::bytes)),
        )?;
        Ok(())
    }

    /// One of them was looked at to its end.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn end_recheck(&self, id: i64) -> Result<(), Error> {
        self.execute("-- corrections::end\nDELETE FROM rechecks WHERE id = $1", [id])?;
        Ok(())
    }

    /// The next cases that a recheck is about, with the address that a recheck of addresses goes on from.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cases_to_recheck(&self, recheck: &Recheck, most: u32) -> Result<Vec<(i64, Option<Address>)>, Error> {
        let (since, until) = (recheck.since.0, recheck.until.0);
        let read = |row: &Row<'_>| -> db::Result<(i64, Option<Address>)> {
            let address: Option<[u8; 16]> = row.get(1)?;
            Ok((row.get(0)?, address.map(|bytes| Address(u128::from_be_bytes(bytes)))))
        };
        let found: db::Result<Vec<_>> = match &recheck.place {
            Place::Addresses(first, last) => self
                .prepare(
                    "-- corrections::by_address
                     SELECT id, address FROM cases
                     WHERE (address, id) > ($1, $2) AND address <= $3 AND last_seen >= $4 AND first_seen < $5
                     ORDER BY address, id LIMIT $6",
                )?
                .query_map((first.bytes(), recheck.case, last.bytes(), since, until, most), read)?
                .collect(),
            Place::Party(party) => self
                .prepare(
                    "-- corrections::by_party
                     SELECT id, address FROM cases
                     WHERE holder = $1 AND id > $2 AND last_seen >= $3 AND first_seen < $4 ORDER BY id LIMIT $5",
                )?
                .query_map((party, recheck.case, since, until, most), read)?
                .collect(),
            Place::Name(_) => Ok(Vec::new()),
        };
        Ok(found?)
    }

    /// Numbers and keys of cases above a number, in their order, and whether they were seen since: what looking for names
    /// goes through.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn keys_after(&self, case: i64, since: Time, most: u32) -> Result<Vec<(i64, CaseKey, bool)>, Error> {
        let mut select =
            self.prepare("-- corrections::keys\nSELECT id, key, last_seen FROM cases WHERE id > $1 ORDER BY id LIMIT $2")?;
        let rows =
            select.query_map((case, most), |row| Ok((row.get(0)?, CaseKey(row.get(1)?), row.get::<i64>(2)? >= since.0)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Enters a case among those that a person has to look at, or what is known now of one that is there.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_holder_change(&self, change: &HolderChange) -> Result<(), Error> {
        self.execute(
            "-- corrections::add
             INSERT INTO holder_changes (case_id, found, old_party, new_party, reports, of_all, outcome, decided, person, reason)
             VALUES ($1, $2, $3, $4, $5, $6, 0, NULL, '', '')
             ON CONFLICT (case_id, found)
             DO UPDATE SET new_party = excluded.new_party, reports = excluded.reports, of_all = excluded.of_all",
            (change.case, change.found.0, change.old.unwrap_or(0), change.new.unwrap_or(0), change.reports, change.of),
        )?;
        Ok(())
    }

    /// Notes what was decided about a change of holder.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn decide_holder_change(
        &self,
        change: &HolderChange,
        outcome: Outcome,
        person: &str,
        reason: &str,
        now: Time,
    ) -> Result<(), Error> {
        self.execute(
            "-- corrections::decide
             UPDATE holder_changes SET outcome = $3, decided = $4, person = $5, reason = $6 WHERE case_id = $1 AND found = $2",
            (change.case, change.found.0, outcome as u8, now.0, person, reason),
        )?;
        Ok(())
    }

    /// The changes of holder of a case, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn holder_changes_of(&self, case: i64) -> Result<Vec<HolderChange>, Error> {
        let text = format!(
            "-- corrections::of_case\nSELECT {COLUMNS} FROM holder_changes WHERE case_id = $1 ORDER BY found DESC LIMIT 100"
        );
        Ok(self.prepare(&text)?.query_map([case], from_row)?.collect::<Result<_, _>>()?)
    }

    /// Changes of holder that wait for a person, oldest first, after one that was listed, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn waiting_holder_changes(&self, after: Option<(Time, i64)>, most: u32) -> Result<Vec<HolderChange>, Error> {
        let (found, case) = after.unwrap_or((Time(i64::MIN), 0));
        let text = format!(
            "-- corrections::waiting
             SELECT {COLUMNS} FROM holder_changes WHERE outcome = 0 AND (found, case_id) > ($1, $2) ORDER BY found, case_id LIMIT $3"
        );
        Ok(self.prepare(&text)?.query_map((found.0, case, most), from_row)?.collect::<Result<_, _>>()?)
    }

    /// Takes reports and cases from one party's roll-ups and adds them to another's.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn move_counts(
        &self,
        filed: &Filed,
        from: Option<PartyId>,
        to: Option<PartyId>,
        days: &[(i64, i64)],
        case_opened: Option<i64>,
    ) -> Result<(), Error> {
        let mut add = self.prepare(
            "-- corrections::daily
             INSERT INTO daily (day, holder, kind, reports, cases) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (day, holder, kind)
             DO UPDATE SET reports = daily.reports + excluded.reports, cases = daily.cases + excluded.cases",
        )?;
        let mut take = self.prepare(
            "-- corrections::taken
             UPDATE daily SET reports = reports - $4, cases = cases - $5 WHERE day = $1 AND holder = $2 AND kind = $3",
        )?;
        let kind = filed.case.kind as u8;
        for (day, reports) in days.iter().copied().chain(case_opened.map(|day| (day, 0))) {
            let cases = i64::from(reports == 0);
            take.execute((day, from.unwrap_or(0), kind, reports, cases))?;
            add.execute((day, to.unwrap_or(0), kind, reports, cases))?;
        }
        Ok(())
    }

    /// Keeps cases from being changed by others until the transaction ends.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn lock_cases(&self, cases: &[i64]) -> Result<(), Error> {
        // SQLite has one writer, and this transaction is it.
        if self.open_postgres().is_none() {
            return Ok(());
        }
        let mut sorted = cases.to_vec();
        sorted.sort_unstable();
        let mut select = self.prepare("-- sets::lock_case\nSELECT id FROM cases WHERE id = $1 FOR UPDATE")?;
        for case in sorted {
            select.query_row([case], |row| row.get::<i64>(0)).optional()?;
        }
        Ok(())
    }
}
