//! Orders: submissions that are perhaps the order of an authority, until a person has said whether they are.

use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction, numbered};

/// What a person said about a submission that looked like an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// Nothing yet.
    Waiting = 0,
    /// It is one.
    Order = 1,
    /// It is none.
    NoOrder = 2,
}

impl Outcome {
    const ALL: [Outcome; 3] = [Outcome::Waiting, Outcome::Order, Outcome::NoOrder];
}

/// A submission that is perhaps an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Row number of the submission.
    pub submission: i64,
    /// Its identifier that others see.
    pub public: PublicId,
    /// When it arrived.
    pub received: Time,
    /// By when a person is to have looked.
    pub due: Time,
    /// Why it looks like one, in words of ours.
    pub why: String,
    /// What a person said.
    pub outcome: Outcome,
    /// End of the term that it sets.
    pub ends: Option<Time>,
    /// When a person said so.
    pub decided: Option<Time>,
    /// Who.
    pub person: String,
    /// Why.
    pub reason: String,
}

const COLUMNS: &str = "orders.submission, submissions.public, submissions.received, orders.due, orders.why, orders.outcome, \
                       orders.ends, orders.decided, orders.person, orders.reason";

fn from_row(row: &Row<'_>) -> db::Result<Order> {
    Ok(Order {
        submission: row.get(0)?,
        public: PublicId(u128::from_be_bytes(row.get(1)?)),
        received: Time(row.get(2)?),
        due: Time(row.get(3)?),
        why: row.get(4)?,
        outcome: numbered(row, 5, &Outcome::ALL)?,
        ends: row.get::<Option<i64>>(6)?.map(Time),
        decided: row.get::<Option<i64>>(7)?.map(Time),
        person: row.get(8)?,
        reason: row.get(9)?,
    })
}

impl Transaction<'_> {
    /// Keeps that a submission is perhaps an order, for a person to look at before `due`; true when that is new.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn found_order(&self, submission: i64, why: &str, due: Time, now: Time) -> Result<bool, Error> {
        let added = self.execute(
            "-- orders::found
             INSERT INTO orders (submission, found, due, why, outcome, ends, decided, person, reason)
             VALUES ($1, $2, $3, $4, 0, NULL, NULL, '', '') ON CONFLICT (submission) DO NOTHING",
            (submission, now.0, due.0, why),
        )?;
        Ok(added > 0)
    }

    /// What was found about a submission.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn order(&self, submission: i64) -> Result<Option<Order>, Error> {
        let text = format!(
            "-- orders::one
             SELECT {COLUMNS} FROM orders JOIN submissions ON submissions.id = orders.submission WHERE orders.submission = $1"
        );
        Ok(self.prepare(&text)?.query_row([submission], from_row).optional()?)
    }

    /// What waits for a person, the most urgent first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn orders_waiting(&self, most: u32) -> Result<Vec<Order>, Error> {
        let text = format!(
            "-- orders::waiting
             SELECT {COLUMNS} FROM orders JOIN submissions ON submissions.id = orders.submission
             WHERE orders.outcome = 0 ORDER BY orders.due, orders.submission LIMIT $1"
        );
        Ok(self.prepare(&text)?.query_map([i64::from(most)], from_row)?.collect::<Result<_, _>>()?)
    }

    /// How many wait for a person.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn count_orders(&self) -> Result<i64, Error> {
        Ok(self.prepare("-- orders::count\nSELECT count(*) FROM orders WHERE outcome = 0")?.query_row((), |row| row.get(0))?)
    }

    /// Keeps what a person said.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn decide_order(
        &self,
        submission: i64,
        outcome: Outcome,
        ends: Option<Time>,
        person: &str,
        reason: &str,
        now: Time,
    ) -> Result<(), Error> {
        self.execute(
            "-- orders::decide
             INSERT INTO orders (submission, found, due, why, outcome, ends, decided, person, reason)
             VALUES ($1, $6, $6, '', $2, $3, $6, $4, $5)
             ON CONFLICT (submission) DO UPDATE SET outcome = excluded.outcome, ends = excluded.ends,
                 decided = excluded.decided, person = excluded.person, reason = excluded.reason",
            (submission, outcome as i64, ends.map(|ends| ends.0), person, reason, now.0),
        )?;
        Ok(())
    }

    /// Open cases that a submission has reports of, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn open_cases_of(&self, submission: i64, most: u32) -> Result<Vec<i64>, Error> {
        let mut select = self.prepare(
            "-- orders::cases
             SELECT id FROM cases WHERE state = 0 AND id IN (
                 SELECT r.case_id FROM batches b JOIN reports r ON r.id >= b.id * 1048576 AND r.id < (b.id + 1) * 1048576
                 WHERE b.submission = $1)
             ORDER BY id LIMIT $2",
        )?;
        Ok(select.query_map((submission, i64::from(most)), |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}
