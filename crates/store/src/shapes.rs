//! Shapes: how what senders send is laid out, kept to know when that changes.

use model::time::{DAY, Time};

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction};

/// Columns of one shape that are remembered.
pub const COLUMNS: usize = 1_000;
/// Bytes of the name of a column, a sender or a feed.
pub const NAME: usize = 64;
/// Shapes that are remembered; past it nothing new is learned until what did not come for a year is forgotten.
const SHAPES: i64 = 20_000;
/// Shapes of senders who prove nothing that are learned within a day, whatever they call themselves.
const STRANGERS: i64 = 100;
/// What did not come for so long is forgotten, in milliseconds.
const FORGOTTEN: i64 = 365 * DAY;

/// What begins the name of a sender who proved nothing.
pub const UNPROVEN: char = '?';

/// How one kind of thing that a sender sends is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Row number.
    pub id: i64,
    /// The format that reads it.
    pub format: String,
    /// The domain name that is proven; after `?` one that is only said; after `feed:` a name in the settings; empty for what
    /// came without a sender in a format that is one sender's.
    pub sender: String,
    /// What the sender calls it; empty when there is one only.
    pub feed: String,
    /// Names of its columns, in the order in which they were first met.
    pub columns: Vec<String>,
    /// When it came first.
    pub since: Time,
    /// When it came last, to the day.
    pub seen: Time,
    /// When it was last told that it changed.
    pub told: Option<Time>,
}

const FIELDS: &str = "id, format, sender, feed, columns, since, seen, told";

fn from_row(row: &Row<'_>) -> db::Result<Kept> {
    let columns: String = row.get(4)?;
    Ok(Kept {
        id: row.get(0)?,
        format: row.get(1)?,
        sender: row.get(2)?,
        feed: row.get(3)?,
        columns: columns.lines().map(str::to_owned).collect(),
        since: Time(row.get(5)?),
        seen: Time(row.get(6)?),
        told: row.get::<Option<i64>>(7)?.map(Time),
    })
}

impl Transaction<'_> {
    /// How what a sender sends is known to be laid out; `None` when it is new.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn shape(&self, format: &str, sender: &str, feed: &str) -> Result<Option<Kept>, Error> {
        let text = format!("-- shapes::one\nSELECT {FIELDS} FROM shapes WHERE format = $1 AND sender = $2 AND feed = $3");
        Ok(self.prepare(&text)?.query_row((format, sender, feed), from_row).optional()?)
    }

    /// All that is known, at most `most`: by format, sender and feed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn shapes(&self, most: u32) -> Result<Vec<Kept>, Error> {
        let text = format!("-- shapes::all\nSELECT {FIELDS} FROM shapes ORDER BY format, sender, feed LIMIT $1");
        Ok(self.prepare(&text)?.query_map([most], from_row)?.collect::<Result<_, _>>()?)
    }

    /// When it was last told that something changed in what a sender sends in a format; `None` for never.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn last_told_of_shapes(&self, format: &str, sender: &str) -> Result<Option<Time>, Error> {
        let mut select = self.prepare("-- shapes::last_told\nSELECT max(told) FROM shapes WHERE format = $1 AND sender = $2")?;
        Ok(select.query_row((format, sender), |row| row.get::<Option<i64>>(0))?.map(Time))
    }

    /// Learns a shape that is new; nothing when there are too many already.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn learn_shape(&self, format: &str, sender: &str, feed: &str, columns: &[String], now: Time) -> Result<(), Error> {
        let is_proven = !sender.starts_with(UNPROVEN);
        let strangers: i64 = self
            .prepare("-- shapes::strangers\nSELECT count(*) FROM shapes WHERE sender >= '?' AND sender < '@' AND since > $1")?
            .query_row([now.plus(-DAY).0], |row| row.get(0))?;
        if !is_proven && strangers >= STRANGERS {
            return Ok(());
        }
        let all: i64 = self.prepare("-- shapes::count\nSELECT count(*) FROM shapes")?.query_row((), |row| row.get(0))?;
        if all >= SHAPES {
            let gone = self.execute("-- shapes::forget\nDELETE FROM shapes WHERE seen < $1", [now.plus(-FORGOTTEN).0])?;
            if gone == 0 {
                return Ok(());
            }
        }
        let id = self.numbers("shapes", 1)?;
        self.execute(
            "-- shapes::learn
             INSERT INTO shapes (id, format, sender, feed, columns, since, seen, told) VALUES ($1, $2, $3, $4, $5, $6, $6, NULL)
             ON CONFLICT (format, sender, feed) DO NOTHING",
            (id, format, sender, feed, columns.join("\n"), now.0),
        )?;
        Ok(())
    }

    /// Keeps that a shape came, as it is now, and when it was told that it changed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn keep_shape(&self, id: i64, columns: &[String], seen: Time, told: Option<Time>) -> Result<(), Error> {
        self.execute(
            "-- shapes::keep\nUPDATE shapes SET columns = $2, seen = $3, told = $4 WHERE id = $1",
            (id, columns.join("\n"), seen.0, told.map(|at| at.0)),
        )?;
        Ok(())
    }
}
