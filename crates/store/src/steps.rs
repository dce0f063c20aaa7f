//! Steps: the journal of each case, and how many reports joined it on which day.

use model::step::{Step, What};
use model::time::Time;

use crate::Error;
use crate::db::{Transaction, numbered};

impl Transaction<'_> {
    /// Writes a step into a case's journal; its ordinal is given here, whatever it says. It waits for the seal then, with whose
    /// the case is at this moment.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_step(&self, case: i64, step: &Step) -> Result<(), Error> {
        let mut insert = self.prepare(
            "-- steps::add
             INSERT INTO steps (case_id, ordinal, what, at, text, person, rule, due)
             VALUES ($1, (SELECT coalesce(max(ordinal), 0) + 1 FROM steps WHERE case_id = $1), $2, $3, $4, $5, $6, $7)
             RETURNING ordinal",
        )?;
        let ordinal: i64 = insert.query_row(
            (case, step.what as u8, step.at.0, &step.text, &step.person, &step.rule, step.due.map(|due| due.0)),
            |row| row.get(0),
        )?;
        self.queue_step(case, ordinal)
    }

    /// The journal of a case, oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn steps(&self, case: i64) -> Result<Vec<Step>, Error> {
        let mut select = self.prepare(
            "-- steps::of\nSELECT ordinal, what, at, text, person, rule, due FROM steps WHERE case_id = $1 ORDER BY ordinal",
        )?;
        let steps = select.query_map([case], |row| {
            Ok(Step {
                ordinal: row.get(0)?,
                what: numbered(row, 1, What::ALL)?,
                at: Time(row.get(2)?),
                text: row.get(3)?,
                person: row.get(4)?,
                rule: row.get(5)?,
                due: row.get::<Option<i64>>(6)?.map(Time),
            })
        })?;
        Ok(steps.collect::<Result<_, _>>()?)
    }

    /// How many reports joined a case on each day of arrival (day numbers since 1970 in UTC), the first day first.
    ///
    /// The day on which a case is opened has no row: what is not of another day is of that one. Most cases never have a
    /// second day, so that most never cost a row.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn case_days(&self, case: i64) -> Result<Vec<(i64, i64)>, Error> {
        let mut select = self.prepare("-- steps::days\nSELECT day, reports FROM case_days WHERE case_id = $1 ORDER BY day")?;
        let mut days: Vec<(i64, i64)> =
            select.query_map([case], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        if let Some(filed) = self.case(case)? {
            let others: i64 = days.iter().map(|(_, reports)| reports).sum();
            let of_first = (filed.case.reports as i64).saturating_sub(others);
            let first = filed.case.opened.day();
            if of_first > 0 {
                match days.binary_search_by_key(&first, |(day, _)| *day) {
                    Ok(at) => days[at].1 += of_first,
                    Err(at) => days.insert(at, (first, of_first)),
                }
            }
        }
        Ok(days)
    }
}
