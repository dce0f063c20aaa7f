//! The outbox: what is to be sent or done, gathered, held back, withdrawn, and counted for the brake.

mod gate;
mod letters;

pub use gate::Gate;

use model::chain::PartyId;
use model::outbox::{Delivery, Errand, Hold, Purpose};
use model::policy::Brake;
use model::severity::Severity;
use model::submission::PublicId;
use model::time::{HOUR, Time};

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Statement, Transaction, numbered};
use letters::Letters;

/// Receipts to senders who proved nothing that are written in an hour; further ones are counted only.
const RECEIPTS: i64 = 100;
/// Hours that the usual hour is learnt from: four weeks.
const LEARNT: i64 = 28 * 24;

/// One letter, or one thing to do, with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Row number.
    pub id: i64,
    /// The identifier that others see.
    pub public: PublicId,
    /// What it is to do.
    pub purpose: Purpose,
    /// To or about whom; `None` for a reporter, who is [`Entry::subject`].
    pub party: Option<PartyId>,
    /// The reporter's address of a receipt, the service of a restriction; empty else.
    pub subject: String,
    /// Severity of its cases.
    pub severity: Severity,
    /// What holds it back.
    pub hold: Hold,
    /// What became of it.
    pub delivery: Delivery,
    /// When it came into the outbox.
    pub created: Time,
    /// From when on it may go.
    pub ready: Time,
    /// How many cases it is about.
    pub cases: i64,
    /// When it went or was withdrawn.
    pub ended: Option<Time>,
    /// Why it was let go or withdrawn.
    pub reason: String,
    /// Who said so.
    pub person: String,
}

/// An errand on its way into the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The case that it is about.
    pub case: i64,
    /// What is to be done.
    pub errand: Errand,
    /// Severity of the case.
    pub severity: Severity,
    /// See [`Entry::subject`].
    pub subject: String,
}

/// Which entries to list. Everything that is not set is no condition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only what became of it.
    pub delivery: Option<Delivery>,
    /// Only what is held for this.
    pub hold: Option<Hold>,
    /// Only of this purpose.
    pub purpose: Option<Purpose>,
    /// Only to or about this party.
    pub party: Option<PartyId>,
    /// Only with a lower number: the next page.
    pub before: Option<i64>,
}

/// How much may still go this hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Valve {
    /// Since when the brake is on.
    pub on: Option<Time>,
    /// Letters of this hour so far, those that a person let go not counted.
    pub letters: i64,
    /// Restrictions of this hour so far.
    pub restrictions: i64,
    /// Letters of the usual hour: the median of those in which there were any; 0 when none is known.
    pub usual: i64,
    /// Letters beyond which the brake goes on.
    pub most_letters: i64,
    /// Restrictions beyond which it does.
    pub most_restrictions: i64,
}

impl Valve {
    /// Whether so many more are more than may go.
    fn is_exceeded_by(&self, letters: i64, restrictions: i64) -> bool {
        (letters > 0 && self.letters + letters > self.most_letters)
            || (restrictions > 0 && self.restrictions + restrictions > self.most_restrictions)
    }
}

const COLUMNS: &str =
    "id, public, purpose, party, subject, severity, hold, delivery, created, ready, cases, ended, reason, person";

fn from_row(row: &Row<'_>) -> db::Result<Entry> {
    let party: i64 = row.get(3)?;
    Ok(Entry {
        id: row.get(0)?,
        public: PublicId(u128::from_be_bytes(row.get(1)?)),
        purpose: numbered(row, 2, Purpose::ALL)?,
        party: (party != 0).then_some(party),
        subject: row.get(4)?,
        severity: numbered(row, 5, &Severity::ALL)?,
        hold: numbered(row, 6, Hold::ALL)?,
        delivery: numbered(row, 7, Delivery::ALL)?,
        created: Time(row.get(8)?),
        ready: Time(row.get(9)?),
        cases: row.get(10)?,
        ended: row.get::<Option<i64>>(11)?.map(Time),
        reason: row.get(12)?,
        person: row.get(13)?,
    })
}

/// What makes errands one letter.
type Letter<'a> = (PartyId, Purpose, &'a str, Severity, Time, Hold);

fn letter(wanted: &Wanted) -> Letter<'_> {
    let errand = wanted.errand;
    (errand.party, errand.purpose, &wanted.subject, wanted.severity, errand.ready, errand.hold)
}

impl Transaction<'_> {
    /// Puts errands into the outbox. What goes to one party for one purpose at one moment becomes one entry. What is free
    /// to go beyond what the brake allows is held; the valve as it was when the brake went on, if it did.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_errands(&self, wanted: &mut [Wanted], brake: &Brake, now: Time) -> Result<Option<Valve>, Error> {
        if wanted.is_empty() {
            return Ok(None);
        }
        if self.condition()?.restored.is_some() {
            // It may have gone out in the time that is missing.
            wanted.iter_mut().filter(|one| one.errand.hold == Hold::Free).for_each(|one| one.errand.hold = Hold::Restored);
        }
        wanted.sort_unstable_by(|a, b| letter(a).cmp(&letter(b)).then(a.case.cmp(&b.case)));
        let mut tripped = None;
        let mut valve: Option<Valve> = None;
        let mut taken = (0, 0, 0);
        let mut work = Letters::new(self, wanted, now)?;
        for same in wanted.chunk_by(|a, b| letter(a) == letter(b)) {
            let Some(first) = same.first() else { continue };
            let mut key = letter(first);
            let purpose = key.1;
            if purpose == Purpose::Receipt && key.5 != Hold::Free {
                // Anyone can write any sender: what that may leave here has a bound.
                if work.find(key)?.is_none() {
                    taken.2 += 1;
                    if self.receipts_of(now)? + taken.2 > RECEIPTS {
                        continue;
                    }
                }
            } else if key.5 == Hold::Free && is_braked(purpose) && work.find(key)?.is_none() {
                let valve = match &mut valve {
                    Some(valve) => valve,
                    None => valve.insert(self.valve(brake, now)?),
                };
                let (letter, restriction) = if purpose == Purpose::Restriction { (0, 1) } else { (1, 0) };
                if valve.on.is_none() && valve.is_exceeded_by(letter, restriction) {
                    valve.on = Some(now);
                    self.set_counter("brake", now.0)?;
                    tripped = Some(*valve);
                }
                if valve.on.is_some() {
                    key.5 = Hold::Brake;
                    // Nobody waits for what is held to the second: by the hour, a flood makes one entry for each party.
                    key.4 = Time(key.4.0.div_euclid(HOUR).saturating_add(1).saturating_mul(HOUR));
                } else {
                    valve.letters += letter;
                    valve.restrictions += restriction;
                    taken.0 += letter;
                    taken.1 += restriction;
                }
            }
            work.add(key, same)?;
        }
        work.finish()?;
        if taken != (0, 0, 0) {
            self.count_hour(now, taken)?;
        }
        Ok(tripped)
    }

    fn count_hour(&self, now: Time, (letters, restrictions, receipts): (i64, i64, i64)) -> Result<(), Error> {
        self.execute(
            "-- outbox::count
             INSERT INTO outbox_hours (hour, letters, restrictions, receipts) VALUES ($1, $2, $3, $4)
             ON CONFLICT (hour) DO UPDATE SET letters = outbox_hours.letters + excluded.letters,
                 restrictions = outbox_hours.restrictions + excluded.restrictions,
                 receipts = outbox_hours.receipts + excluded.receipts",
            (hour(now), letters, restrictions, receipts),
        )?;
        Ok(())
    }

    fn receipts_of(&self, now: Time) -> Result<i64, Error> {
        let mut select = self.prepare("-- outbox::receipts\nSELECT receipts FROM outbox_hours WHERE hour = $1")?;
        Ok(select.query_row([hour(now)], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    /// How much may still go in the hour of `now`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn valve(&self, brake: &Brake, now: Time) -> Result<Valve, Error> {
        let on = self.counter("brake")?;
        let (mut letters, mut restrictions) = self
            .prepare("-- outbox::hour\nSELECT letters, restrictions FROM outbox_hours WHERE hour = $1")?
            .query_row([hour(now)], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))
            .optional()?
            .unwrap_or((0, 0));
        if self.counter("brake_hour")? == hour(now) {
            // A person has looked at what there was.
            letters -= self.counter("brake_letters")?;
            restrictions -= self.counter("brake_restrictions")?;
        }
        let mut select = self.prepare(
            "-- outbox::usual\nSELECT letters FROM outbox_hours WHERE hour >= $1 AND hour < $2 AND letters > 0 ORDER BY letters",
        )?;
        let hours: Vec<i64> = select.query_map((hour(now) - LEARNT, hour(now)), |row| row.get(0))?.collect::<Result<_, _>>()?;
        let usual = hours.get(hours.len() / 2).copied().unwrap_or(0);
        Ok(Valve {
            on: (on != 0).then_some(Time(on)),
            letters,
            restrictions,
            usual,
            most_letters: i64::from(brake.letters).max(usual.saturating_mul(brake.factor.into())),
            most_restrictions: brake.restrictions.into(),
        })
    }

    /// Takes the brake off. What went in this hour counts no more towards the next time; what the brake held stays held
    /// until it is let go or discarded.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn release_brake(&self, now: Time) -> Result<(), Error> {
        let (letters, restrictions) = self
            .prepare("-- outbox::this_hour\nSELECT letters, restrictions FROM outbox_hours WHERE hour = $1")?
            .query_row([hour(now)], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))
            .optional()?
            .unwrap_or((0, 0));
        self.set_counter("brake", 0)?;
        self.set_counter("brake_hour", hour(now))?;
        self.set_counter("brake_letters", letters)?;
        self.set_counter("brake_restrictions", restrictions)
    }

    /// Takes a case out of what waits in the outbox, for these purposes (all, when there are none). Entries that are then
    /// about no case are withdrawn. How many entries were touched.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn withdraw_errands(&self, case: i64, purposes: &[Purpose], reason: &str, now: Time) -> Result<u64, Error> {
        let mut select = self.prepare(
            "-- outbox::of_case
             SELECT o.id, o.purpose, o.cases FROM outbox_cases c JOIN outbox o ON o.id = c.entry
             WHERE c.case_id = $1 AND o.delivery = 0 ORDER BY o.id",
        )?;
        let waiting: Vec<(i64, Purpose, i64)> = select
            .query_map([case], |row| Ok((row.get(0)?, numbered(row, 1, Purpose::ALL)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        let mut touched = 0;
        for (entry, purpose, cases) in waiting {
            if !purposes.is_empty() && !purposes.contains(&purpose) {
                continue;
            }
            touched += 1;
            if cases <= 1 {
                // It goes on saying what it was about.
                self.end_entry(entry, Delivery::Withdrawn, reason, "", now)?;
                continue;
            }
            self.execute("-- outbox::part\nDELETE FROM outbox_cases WHERE case_id = $1 AND entry = $2", (case, entry))?;
            self.execute("-- outbox::fewer\nUPDATE outbox SET cases = cases - 1 WHERE id = $1", [entry])?;
        }
        Ok(touched)
    }

    /// Ends an entry that waits; false when it did not wait any more.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn end_entry(&self, entry: i64, delivery: Delivery, reason: &str, person: &str, now: Time) -> Result<bool, Error> {
        let changed = self.execute(
            "-- outbox::end
             UPDATE outbox SET delivery = $2, ended = $3, reason = $4, person = $5 WHERE id = $1 AND delivery = 0",
            (entry, delivery as u8, now.0, reason, person),
        )?;
        Ok(changed > 0)
    }

    /// Holds an entry that waits for another reason than before, or for none. It becomes part of one that is the same
    /// otherwise; the number under which it goes on.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_hold(&self, entry: &Entry, hold: Hold, person: &str, reason: &str) -> Result<i64, Error> {
        if entry.hold == hold {
            return Ok(entry.id);
        }
        let key = (entry.party.unwrap_or(0), entry.purpose, entry.subject.as_str(), entry.severity, entry.ready, hold);
        let Some(other) = find(&mut self.prepare(FIND)?, key)? else {
            self.execute(
                "-- outbox::hold\nUPDATE outbox SET hold = $2, person = $3, reason = $4 WHERE id = $1 AND delivery = 0",
                (entry.id, hold as u8, person, reason),
            )?;
            return Ok(entry.id);
        };
        self.execute(
            "-- outbox::move_cases
             INSERT INTO outbox_cases (case_id, entry) SELECT case_id, $2 FROM outbox_cases WHERE entry = $1
             ON CONFLICT (case_id, entry) DO NOTHING",
            (entry.id, other),
        )?;
        self.execute("-- outbox::moved\nDELETE FROM outbox_cases WHERE entry = $1", [entry.id])?;
        self.execute("-- outbox::merged\nDELETE FROM outbox WHERE id = $1", [entry.id])?;
        self.execute(
            "-- outbox::recount
             UPDATE outbox SET cases = (SELECT count(*) FROM outbox_cases WHERE entry = $1), person = $2, reason = $3 WHERE id = $1",
            (other, person, reason),
        )?;
        Ok(other)
    }

    /// Lets go of an entry that waits, unless that is more than the brake allows: then the brake holds it. What holds it now.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn let_go(&self, entry: &Entry, brake: &Brake, person: &str, reason: &str, now: Time) -> Result<Hold, Error> {
        let mut hold = Hold::Free;
        if is_braked(entry.purpose) {
            let valve = self.valve(brake, now)?;
            let (letter, restriction) = if entry.purpose == Purpose::Restriction { (0, 1) } else { (1, 0) };
            if valve.on.is_some() || valve.is_exceeded_by(letter, restriction) {
                hold = Hold::Brake;
                if valve.on.is_none() {
                    self.set_counter("brake", now.0)?;
                    self.raise_brake(&valve, now)?;
                }
            } else {
                self.count_hour(now, (letter, restriction, 0))?;
            }
        }
        self.set_hold(entry, hold, person, reason)?;
        Ok(hold)
    }

    /// Notes who said that an entry may go, when it takes two.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn vouch_for(&self, entry: i64, person: &str, reason: &str) -> Result<(), Error> {
        self.execute("-- outbox::vouch\nUPDATE outbox SET person = $2, reason = $3 WHERE id = $1", (entry, person, reason))?;
        Ok(())
    }

    /// One entry by its row number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn entry(&self, id: i64) -> Result<Option<Entry>, Error> {
        let text = format!("-- outbox::one\nSELECT {COLUMNS} FROM outbox WHERE id = $1");
        Ok(self.prepare(&text)?.query_row([id], from_row).optional()?)
    }

    /// One entry by the identifier that others see.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn entry_by_public(&self, public: PublicId) -> Result<Option<Entry>, Error> {
        let text = format!("-- outbox::by_public\nSELECT {COLUMNS} FROM outbox WHERE public = $1");
        Ok(self.prepare(&text)?.query_row([public.0.to_be_bytes()], from_row).optional()?)
    }

    /// Entries, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn entries(&self, filter: &Filter, most: u32) -> Result<Vec<Entry>, Error> {
        let text = format!(
            "-- outbox::list
             SELECT {COLUMNS} FROM outbox
             WHERE id < $1 AND ($2 < 0 OR delivery = $2) AND ($3 < 0 OR hold = $3) AND ($4 < 0 OR purpose = $4) AND ($5 < 0 OR party = $5)
             ORDER BY id DESC LIMIT $6"
        );
        let number = |number: Option<i64>| number.unwrap_or(-1);
        let mut select = self.prepare(&text)?;
        let rows = select.query_map(
            (
                filter.before.unwrap_or(i64::MAX),
                number(filter.delivery.map(|one| one as i64)),
                number(filter.hold.map(|one| one as i64)),
                number(filter.purpose.map(|one| one as i64)),
                number(filter.party),
                most,
            ),
            from_row,
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Entries that wait and are held for one reason, oldest first, above number `after`, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn held(&self, hold: Hold, after: i64, most: u32) -> Result<Vec<Entry>, Error> {
        let text = format!(
            "-- outbox::held\nSELECT {COLUMNS} FROM outbox WHERE hold = $1 AND delivery = 0 AND id > $2 ORDER BY id LIMIT $3"
        );
        Ok(self.prepare(&text)?.query_map((hold as u8, after, most), from_row)?.collect::<Result<_, _>>()?)
    }

    /// Numbers of the cases that an entry is about, oldest first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cases_of_entry(&self, entry: i64, most: u32) -> Result<Vec<i64>, Error> {
        let mut select =
            self.prepare("-- outbox::cases\nSELECT case_id FROM outbox_cases WHERE entry = $1 ORDER BY case_id LIMIT $2")?;
        Ok(select.query_map((entry, most), |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Entries about a case, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn entries_of_case(&self, case: i64, most: u32) -> Result<Vec<Entry>, Error> {
        let columns: Vec<String> = COLUMNS.split(", ").map(|column| format!("o.{column}")).collect();
        let text = format!(
            "-- outbox::about_case
             SELECT {} FROM outbox_cases c JOIN outbox o ON o.id = c.entry WHERE c.case_id = $1 ORDER BY o.id DESC LIMIT $2",
            columns.join(", ")
        );
        Ok(self.prepare(&text)?.query_map((case, most), from_row)?.collect::<Result<_, _>>()?)
    }

    /// How many entries wait, by what holds them, in the order of [`Hold::ALL`].
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn waiting_entries(&self) -> Result<Vec<(Hold, i64)>, Error> {
        let mut select =
            self.prepare("-- outbox::waiting\nSELECT hold, count(*) FROM outbox WHERE delivery = 0 GROUP BY hold ORDER BY hold")?;
        Ok(select.query_map((), |row| Ok((numbered(row, 0, Hold::ALL)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
    }
}

/// Whether the brake is for it.
fn is_braked(purpose: Purpose) -> bool {
    !matches!(purpose, Purpose::Receipt | Purpose::Release)
}

fn hour(now: Time) -> i64 {
    now.0.div_euclid(HOUR)
}

const FIND: &str = "-- outbox::find
     SELECT id FROM outbox
     WHERE party = $1 AND purpose = $2 AND subject = $3 AND severity = $4 AND ready = $5 AND hold = $6 AND delivery = 0";

fn find(select: &mut Statement<'_>, key: Letter<'_>) -> Result<Option<i64>, Error> {
    let (party, purpose, subject, severity, ready, hold) = key;
    let found =
        select.query_row((party, purpose as u8, subject, severity as u8, ready.0, hold as u8), |row| row.get(0)).optional()?;
    Ok(found)
}

/// When the letter goes into which an errand is gathered that is decided at `now`: windows of `gather` milliseconds end
/// at the same moments for everybody, so that one party has one letter a window. A clock that runs out sooner ends it.
pub fn gathered(ready: Time, gather: i64, now: Time) -> Time {
    if gather <= 0 {
        return ready;
    }
    let end = Time(now.0.div_euclid(gather).saturating_add(1).saturating_mul(gather));
    end.min(ready.max(now))
}
