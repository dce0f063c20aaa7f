//! What is recorded of cases, in their order: for whoever wants to know what another policy would have done.

use std::collections::HashMap;

use model::case::CaseKey;
use model::category::Kind;
use model::chain::PartyId;
use model::step::What;
use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::db::{Transaction, numbered};

/// What a policy is asked about a case, as it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Row number.
    pub id: i64,
    /// The identifier that others see.
    pub public: PublicId,
    /// The kind of abuse.
    pub kind: Kind,
    /// The port that it is about; 0 for none.
    pub port: u16,
    /// Number of its chain; 0 for none.
    pub chain: i64,
    /// Whether all its reports were old when they came.
    pub history: bool,
    /// What rules may ask for, one to a line.
    pub traits: String,
    /// Best confidence in a reporter, 0 to 100.
    pub confidence: u8,
    /// Bits of [`crate::cases::marks`].
    pub marks: i64,
    /// When it was opened.
    pub opened: Time,
    /// Arrival of the last report.
    pub last_received: Time,
    /// The end of the shortest term that an order or notice sets.
    pub ordered: Option<Time>,
    /// The feed that reports it; 0 for none.
    pub feed: i64,
}

/// Something in a case's journal that the policy did not bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// What.
    pub what: What,
    /// When.
    pub at: Time,
    /// Until when, for what was put off.
    pub due: Option<Time>,
}

/// Rows by the case that they belong to.
pub type ByCase<T> = HashMap<i64, Vec<T>>;

impl Transaction<'_> {
    /// The largest number of a case; 0 without any.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn last_case(&self) -> Result<i64, Error> {
        let mut select = self.prepare("-- recorded::last\nSELECT max(id) FROM cases")?;
        Ok(select.query_row((), |row| row.get::<Option<i64>>(0))?.unwrap_or(0))
    }

    /// Cases with numbers after `after` up to `until` that were opened at `since` or later.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn recorded(&self, after: i64, until: i64, since: Time) -> Result<Vec<Recorded>, Error> {
        let mut select = self.prepare(
            "-- recorded::cases
             SELECT id, public, key, kind, chain, history,
                 coalesce((SELECT t.text FROM traits t WHERE t.id = cases.traits), ''), confidence, marks, opened, received, last_received, ordered, feed
             FROM cases WHERE id > $1 AND id <= $2 AND opened >= $3 ORDER BY id",
        )?;
        let rows = select.query_map((after, until, since.0), |row| {
            let (opened, received): (i64, i64) = (row.get(9)?, row.get(10)?);
            // Clocks count from the first report that is no history.
            let opened = opened.max(received);
            let last: i64 = row.get(11)?;
            Ok(Recorded {
                id: row.get(0)?,
                public: PublicId(u128::from_be_bytes(row.get(1)?)),
                port: CaseKey(row.get(2)?).port(),
                kind: numbered(row, 3, Kind::ALL)?,
                chain: row.get::<Option<i64>>(4)?.unwrap_or(0),
                history: row.get(5)?,
                traits: row.get(6)?,
                confidence: row.get(7)?,
                marks: row.get(8)?,
                opened: Time(opened),
                last_received: Time(last.max(opened)),
                ordered: row.get::<Option<i64>>(12)?.map(Time),
                feed: row.get(13)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The days on which reports joined these cases after the day on which they were opened.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn recorded_days(&self, after: i64, until: i64) -> Result<ByCase<i64>, Error> {
        let mut select = self.prepare(
            "-- recorded::days\nSELECT case_id, day FROM case_days WHERE case_id > $1 AND case_id <= $2 ORDER BY case_id, day",
        )?;
        let mut days = ByCase::new();
        for row in select.query_map((after, until), |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (case, day): (i64, i64) = row?;
            days.entry(case).or_default().push(day);
        }
        Ok(days)
    }

    /// What people did to these cases, and where the administration was corrected.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn recorded_deeds(&self, after: i64, until: i64) -> Result<ByCase<Deed>, Error> {
        let mut select = self.prepare(
            "-- recorded::deeds
             SELECT case_id, what, at, due, text FROM steps
             WHERE case_id > $1 AND case_id <= $2 AND (person <> '' OR what = $3) ORDER BY case_id, ordinal",
        )?;
        let mut deeds = ByCase::new();
        let rows = select.query_map((after, until, What::HolderChanged as u8), |row| {
            let what = numbered(row, 1, What::ALL)?;
            let mut due = row.get::<Option<i64>>(3)?.map(Time);
            if what == What::Snoozed && due.is_none() {
                // The text says until when, and then why.
                let text: String = row.get(4)?;
                due = text.split_once(": ").and_then(|(until, _)| Time::parse(until.as_bytes()));
            }
            Ok((row.get(0)?, Deed { what, at: Time(row.get(2)?), due }))
        })?;
        for row in rows {
            let (case, deed): (i64, Deed) = row?;
            deeds.entry(case).or_default().push(deed);
        }
        Ok(deeds)
    }

    /// The parties of every chain, from the provider down, with whether each holds an allocation.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn parties_of_chains(&self) -> Result<ByCase<(PartyId, bool)>, Error> {
        let mut select =
            self.prepare("-- recorded::chains\nSELECT chain, party, level FROM chain_links ORDER BY chain, position")?;
        let mut chains = ByCase::new();
        for row in select.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
            let (chain, party, level): (i64, PartyId, i64) = row?;
            let is_allocated = level == model::assignment::Level::Allocated as i64;
            chains.entry(chain).or_default().push((party, is_allocated));
        }
        Ok(chains)
    }
}
