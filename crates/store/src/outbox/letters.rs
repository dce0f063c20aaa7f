//! Errands on their way into letters: one after the other on SQLite, and all together on PostgreSQL.

use std::collections::{HashMap, HashSet};

use model::submission::PublicId;
use model::time::Time;

use super::{FIND, Letter, Wanted, find, letter};
use crate::Error;
use crate::apply::sets::{clean, run};
use crate::cases::Randomness;
use crate::db::{Open, Result as Answer, Statement, Transaction};

/// The letters that [`Transaction::add_errands`] fills.
pub(super) enum Letters<'t> {
    /// By statements that are prepared once.
    Sqlite(Statements<'t>),
    /// Collected, and written at the end.
    Postgres(Collected<'t>),
}

pub(super) struct Statements<'t> {
    find: Statement<'t>,
    insert: Statement<'t>,
    link: Statement<'t>,
    links: Vec<(i64, i64)>,
    next: i64,
    randomness: Randomness,
    now: Time,
}

pub(super) struct Collected<'t> {
    transaction: &'t Transaction<'t>,
    open: &'t Open,
    /// Letters that wait already, of those that were asked for.
    waiting: HashMap<Letter<'t>, i64>,
    /// Those that are filled, in the order in which that began, with their cases and how often one was named.
    filled: Vec<(Letter<'t>, Vec<i64>)>,
    places: HashMap<Letter<'t>, usize>,
    now: Time,
}

impl<'t> Letters<'t> {
    pub(super) fn new(transaction: &'t Transaction<'t>, wanted: &'t [Wanted], now: Time) -> Result<Letters<'t>, Error> {
        if let Some(open) = transaction.open_postgres() {
            let asked: HashSet<Letter<'_>> = wanted.iter().map(letter).collect();
            let waiting = waiting(open, &asked.into_iter().collect::<Vec<_>>())?;
            let (filled, places) = (Vec::new(), HashMap::new());
            return Ok(Letters::Postgres(Collected { transaction, open, waiting, filled, places, now }));
        }
        Ok(Letters::Sqlite(Statements {
            find: transaction.prepare(FIND)?,
            insert: transaction.prepare(
                "-- outbox::add
                 INSERT INTO outbox (id, public, purpose, party, subject, severity, hold, delivery, created, ready, cases, reason, person)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, '', '')
                 ON CONFLICT (party, purpose, subject, severity, ready, hold) WHERE delivery = 0
                 DO UPDATE SET cases = outbox.cases + excluded.cases RETURNING id",
            )?,
            link: transaction.prepare(
                "-- outbox::link\nINSERT INTO outbox_cases (case_id, entry) VALUES ($1, $2) ON CONFLICT (case_id, entry) DO NOTHING",
            )?,
            links: Vec::with_capacity(wanted.len()),
            next: transaction.numbers("outbox", wanted.len() as i64)?,
            randomness: Randomness::default(),
            now,
        }))
    }

    /// The number of a letter that waits. One that is about to be written has none yet, and counts as waiting.
    pub(super) fn find(&mut self, key: Letter<'_>) -> Result<Option<i64>, Error> {
        match self {
            Letters::Sqlite(statements) => find(&mut statements.find, key),
            Letters::Postgres(collected) if collected.places.contains_key(&key) => Ok(Some(0)),
            Letters::Postgres(collected) => Ok(collected.waiting.get(&key).copied()),
        }
    }

    /// One letter about these cases, or these cases in a letter that waits.
    pub(super) fn add(&mut self, key: Letter<'t>, about: &[Wanted]) -> Result<(), Error> {
        match self {
            Letters::Sqlite(statements) => statements.add(key, about),
            Letters::Postgres(collected) => {
                let Collected { filled, places, .. } = collected;
                let place = *places.entry(key).or_insert_with(|| {
                    filled.push((key, Vec::new()));
                    filled.len() - 1
                });
                if let Some((_, cases)) = filled.get_mut(place) {
                    cases.extend(about.iter().map(|wanted| wanted.case));
                }
                Ok(())
            }
        }
    }

    /// Writes what was collected.
    pub(super) fn finish(self) -> Result<(), Error> {
        match self {
            Letters::Sqlite(statements) => statements.link(),
            Letters::Postgres(collected) => collected.write(),
        }
    }
}

impl Statements<'_> {
    fn add(&mut self, key: Letter<'_>, about: &[Wanted]) -> Result<(), Error> {
        let (party, purpose, subject, severity, ready, hold) = key;
        let entry: i64 = self.insert.query_row(
            (
                self.next,
                self.randomness.public_id(self.now)?.0.to_be_bytes(),
                purpose as u8,
                party,
                subject,
                severity as u8,
                hold as u8,
                self.now.0,
                ready.0,
                about.len() as i64,
            ),
            |row| row.get(0),
        )?;
        self.next += i64::from(entry == self.next);
        self.links.extend(about.iter().map(|wanted| (wanted.case, entry)));
        Ok(())
    }

    /// Writes which cases the letters are about, in the order of the cases: so their rows come one behind the other.
    fn link(mut self) -> Result<(), Error> {
        self.links.sort_unstable();
        for link in &self.links {
            self.link.execute(*link)?;
        }
        Ok(())
    }
}

impl Collected<'_> {
    fn write(mut self) -> Result<(), Error> {
        if self.filled.is_empty() {
            return Ok(());
        }
        // What the brake holds became another letter than the one that was asked for.
        let others: Vec<Letter<'_>> =
            self.filled.iter().map(|(key, _)| *key).filter(|key| !self.waiting.contains_key(key)).collect();
        self.waiting.extend(waiting(self.open, &others)?);
        let new = self.filled.iter().filter(|(key, _)| !self.waiting.contains_key(key)).count();
        let mut next = self.transaction.numbers("outbox", new as i64)?;
        let mut randomness = Randomness::default();
        let (mut entries, mut public) = (Vec::with_capacity(self.filled.len()), Vec::with_capacity(self.filled.len()));
        for (key, _) in &self.filled {
            let (entry, id) = match self.waiting.get(key) {
                Some(entry) => (*entry, PublicId(0)),
                None => {
                    next += 1;
                    (next - 1, randomness.public_id(self.now)?)
                }
            };
            entries.push(entry);
            public.push(id.0.to_be_bytes());
        }
        let (mut cases, mut of) = (Vec::new(), Vec::new());
        for (entry, (_, about)) in entries.iter().zip(&self.filled) {
            cases.extend_from_slice(about);
            of.extend(std::iter::repeat_n(*entry, about.len()));
        }
        let counts: Vec<i64> = self.filled.iter().map(|(_, about)| about.len() as i64).collect();
        let public: Vec<&[u8]> = public.iter().map(|public| &public[..]).collect();
        let keys = Columns::of(self.filled.iter().map(|(key, _)| key));
        run(
            self.open,
            "-- sets::letters
             INSERT INTO outbox (id, public, purpose, party, subject, severity, hold, delivery, created, ready, cases, reason, person)
             SELECT id, public, purpose, party, subject, severity, hold, 0, $9, ready, cases, '', ''
             FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[],
                         $10::bigint[])
                 AS new (party, purpose, subject, severity, ready, hold, id, public, cases)
             ON CONFLICT (party, purpose, subject, severity, ready, hold) WHERE delivery = 0
             DO UPDATE SET cases = outbox.cases + excluded.cases",
            &[
                &keys.party,
                &keys.purpose,
                &keys.subject,
                &keys.severity,
                &keys.ready,
                &keys.hold,
                &entries,
                &public,
                &self.now.0,
                &counts,
            ],
        )?;
        run(
            self.open,
            "-- sets::link
             INSERT INTO outbox_cases (case_id, entry) SELECT case_id, entry FROM unnest($1::bigint[], $2::bigint[]) AS new (case_id, entry)
             ON CONFLICT (case_id, entry) DO NOTHING",
            &[&cases, &of],
        )?;
        Ok(())
    }
}

/// What makes letters, column by column.
#[derive(Default)]
struct Columns {
    party: Vec<i64>,
    purpose: Vec<i64>,
    subject: Vec<String>,
    severity: Vec<i64>,
    ready: Vec<i64>,
    hold: Vec<i64>,
}

impl Columns {
    fn of<'a>(keys: impl Iterator<Item = &'a Letter<'a>>) -> Columns {
        let mut columns = Columns::default();
        for (party, purpose, subject, severity, ready, hold) in keys {
            columns.party.push(*party);
            columns.purpose.push(*purpose as i64);
            columns.subject.push(clean(subject));
            columns.severity.push(*severity as i64);
            columns.ready.push(ready.0);
            columns.hold.push(*hold as i64);
        }
        columns
    }
}

/// Those of some letters that wait, with their numbers. Each is looked for by itself, as the first that is not before it:
/// only one index has that order. Were they compared one by one, the planner might take the index of what is held or ready,
/// as it knows little of a table that was empty a moment ago, and read through nearly all of it for each.
fn waiting<'a>(open: &Open, keys: &[Letter<'a>]) -> Answer<HashMap<Letter<'a>, i64>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let columns = Columns::of(keys.iter());
    let rows = run(
        open,
        "-- sets::waiting
         SELECT wanted.place, o.id
         FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) WITH ORDINALITY
             AS wanted (party, purpose, subject, severity, ready, hold, place)
         CROSS JOIN LATERAL (
             SELECT id, party, purpose, subject, severity, ready, hold FROM outbox
             WHERE (party, purpose, subject, severity, ready, hold)
                 >= (wanted.party, wanted.purpose, wanted.subject, wanted.severity, wanted.ready, wanted.hold) AND delivery = 0
             ORDER BY party, purpose, subject, severity, ready, hold LIMIT 1) o
         WHERE o.party = wanted.party AND o.purpose = wanted.purpose AND o.subject = wanted.subject
             AND o.severity = wanted.severity AND o.ready = wanted.ready AND o.hold = wanted.hold",
        &[&columns.party, &columns.purpose, &columns.subject, &columns.severity, &columns.ready, &columns.hold],
    )?;
    let mut waiting = HashMap::with_capacity(rows.len());
    for row in rows {
        let place: i64 = row.try_get(0)?;
        if let Some(key) = keys.get((place - 1) as usize) {
            waiting.insert(*key, row.try_get(1)?);
        }
    }
    Ok(waiting)
}
