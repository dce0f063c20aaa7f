//! Legal holds: what nothing may be erased of, by a person's word, until a person ends it.

use model::time::Time;

use crate::Error;
use crate::db::{self, Row, Transaction, numbered};

/// What a hold is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum What {
    /// A case, its reports and the submissions that they came in.
    Case,
    /// A party and all its cases.
    Party,
}

impl What {
    /// All of them, in the order of their numbers.
    pub const ALL: &'static [What] = &[What::Case, What::Party];

    /// The word people see.
    pub fn word(self) -> &'static str {
        match self {
            What::Case => "case",
            What::Party => "party",
        }
    }
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Row number.
    pub id: i64,
    /// What it is on.
    pub what: What,
    /// Row number of the case or party.
    pub target: i64,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub person: String,
    /// Since when.
    pub since: Time,
    /// Until when; `None` while it holds.
    pub ended: Option<Time>,
    /// Who ended it; empty while it holds.
    pub ended_by: String,
}

const COLUMNS: &str = "id, what, target, reason, person, since, ended, ended_by";

fn from_row(row: &Row<'_>) -> db::Result<Held> {
    Ok(Held {
        id: row.get(0)?,
        what: numbered(row, 1, What::ALL)?,
        target: row.get(2)?,
        reason: row.get(3)?,
        person: row.get(4)?,
        since: Time(row.get(5)?),
        ended: row.get::<Option<i64>>(6)?.map(Time),
        ended_by: row.get(7)?,
    })
}

impl Transaction<'_> {
    /// Holds a case or a party; false when it is held already.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn hold(&self, what: What, target: i64, reason: &str, person: &str, now: Time) -> Result<bool, Error> {
        let id = self.numbers("holds", 1)?;
        let added = self.execute(
            "-- holds::add
             INSERT INTO holds (id, what, target, reason, person, since, ended, ended_by)
             VALUES ($1, $2, $3, $4, $5, $6, NULL, '') ON CONFLICT (what, target) WHERE ended IS NULL DO NOTHING",
            (id, what as u8, target, reason, person, now.0),
        )?;
        Ok(added > 0)
    }

    /// Ends a hold; false when there is none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn end_hold(&self, what: What, target: i64, person: &str, now: Time) -> Result<bool, Error> {
        let ended = self.execute(
            "-- holds::end\nUPDATE holds SET ended = $3, ended_by = $4 WHERE what = $1 AND target = $2 AND ended IS NULL",
            (what as u8, target, now.0, person),
        )?;
        Ok(ended > 0)
    }

    /// The holds that hold, oldest first; with `all`, also those that have ended.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn holds(&self, all: bool) -> Result<Vec<Held>, Error> {
        let text = format!("-- holds::list\nSELECT {COLUMNS} FROM holds WHERE ended IS NULL OR $1 = 1 ORDER BY id");
        Ok(self.prepare(&text)?.query_map([i64::from(all)], from_row)?.collect::<Result<_, _>>()?)
    }

    /// Whether a case is held, by itself or with its holder.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_case_held(&self, case: i64) -> Result<bool, Error> {
        let mut select = self.prepare(
            "-- holds::case
             SELECT EXISTS (SELECT 1 FROM holds h WHERE h.ended IS NULL AND ((h.what = 0 AND h.target = $1)
                 OR (h.what = 1 AND h.target = (SELECT c.holder FROM cases c WHERE c.id = $1))))",
        )?;
        Ok(select.query_row([case], |row| row.get(0))?)
    }
}
