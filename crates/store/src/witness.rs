//! Witnesses as rows: logs of others that this node cosigned or watches, cosignatures under its own, and what does not fit together.

use model::time::Time;

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction};

/// Conflicts of one log that are kept: what comes beyond says nothing new.
pub const CONFLICTS: i64 = 100;

/// The largest checkpoint of a log that was cosigned, or seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Which log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: [u8; 32],
    /// The signed note; empty where only size and root are known.
    pub note: String,
    /// When that was.
    pub at: Time,
}

/// Which views: of logs that this node cosigns, or of those that it looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Views {
    /// What it cosigned.
    Witnessed,
    /// What it saw when it looked.
    Watched,
}

impl Views {
    fn table(self) -> &'static str {
        match self {
            Views::Witnessed => "witnessed",
            Views::Watched => "watched",
        }
    }
}

/// A cosignature under a checkpoint of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// Name and identifier of the witness's key.
    pub witness: String,
    /// The signature line.
    pub line: String,
    /// When the witness says that it was made.
    pub at: Time,
}

/// Checkpoints of a log that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Row number.
    pub id: i64,
    /// Which log.
    pub origin: String,
    /// When it was found.
    pub found: Time,
    /// Whether the text is a fork proof, which convicts the log; else it is both checkpoints, and accuses nobody.
    pub proven: bool,
    /// The fork proof, or the checkpoints.
    pub text: String,
}

const VIEW: &str = "origin, size, root, note, at";
const CONFLICT: &str = "id, origin, found, proven, proof";

fn view_of(row: &Row<'_>) -> db::Result<View> {
    Ok(View { origin: row.get(0)?, size: row.get(1)?, root: row.get(2)?, note: row.get(3)?, at: Time(row.get(4)?) })
}

fn conflict_of(row: &Row<'_>) -> db::Result<Conflict> {
    Ok(Conflict {
        id: row.get(0)?,
        origin: row.get(1)?,
        found: Time(row.get(2)?),
        proven: row.get::<i64>(3)? != 0,
        text: row.get(4)?,
    })
}

impl Transaction<'_> {
    /// What is known of a log.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn view(&self, views: Views, origin: &str) -> Result<Option<View>, Error> {
        let table = views.table();
        let text = format!("-- witness::view\nSELECT {VIEW} FROM {table} WHERE origin = $1");
        Ok(self.prepare(&text)?.query_row([origin], view_of).optional()?)
    }

    /// What is known of all logs, by origin.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn views(&self, views: Views) -> Result<Vec<View>, Error> {
        let table = views.table();
        let mut select = self.prepare(&format!("-- witness::views\nSELECT {VIEW} FROM {table} ORDER BY origin"))?;
        let views = select.query_map((), view_of)?;
        Ok(views.collect::<Result<_, _>>()?)
    }

    /// Replaces what is known of a log, if that is still this size and root (nothing: if nothing is known yet), and says whether it
    /// did. A size never becomes smaller, and a size never gets another root.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn advance_view(&self, views: Views, before: Option<(u64, [u8; 32])>, next: &View) -> Result<bool, Error> {
        let View { origin, size, root, note, at } = next;
        let table = views.table();
        let changed = match before {
            None => self.execute(
                &format!("-- witness::first\nINSERT INTO {table} ({VIEW}) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"),
                (origin, size, root, note, at.0),
            )?,
            Some((old, same)) if *size < old || (*size == old && *root != same) => return Ok(false),
            Some((old, same)) => self.execute(
                &format!(
                    "-- witness::next
                     UPDATE {table} SET size = $2, root = $3, note = $4, at = $5 WHERE origin = $1 AND size = $6 AND root = $7"
                ),
                (origin, size, root, note, at.0, old, same),
            )?,
        };
        Ok(changed == 1)
    }

    /// Keeps a cosignature under a checkpoint of a shard. A later one of the same witness takes its place.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_cosignature(&self, shard: i64, size: u64, cosignature: &Cosignature) -> Result<(), Error> {
        let Cosignature { witness, line, at } = cosignature;
        self.execute(
            "-- witness::cosigned
             INSERT INTO cosignatures (shard, size, witness, line, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (shard, size, witness) DO UPDATE SET line = excluded.line, at = excluded.at
             WHERE cosignatures.at < excluded.at",
            (shard, size, witness, line, at.0),
        )?;
        Ok(())
    }

    /// The cosignatures under a checkpoint of a shard, by witness.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cosignatures(&self, shard: i64, size: u64) -> Result<Vec<Cosignature>, Error> {
        let mut select = self.prepare(
            "-- witness::cosignatures
             SELECT witness, line, at FROM cosignatures WHERE shard = $1 AND size = $2 ORDER BY witness",
        )?;
        let found = select
            .query_map((shard, size), |row| Ok(Cosignature { witness: row.get(0)?, line: row.get(1)?, at: Time(row.get(2)?) }))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The largest size of a shard that a witness cosigned; 0 for none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cosigned_by(&self, shard: i64, witness: &str) -> Result<u64, Error> {
        let mut select =
            self.prepare("-- witness::cosigned_by\nSELECT max(size) FROM cosignatures WHERE shard = $1 AND witness = $2")?;
        let size: Option<u64> = select.query_row((shard, witness), |row| row.get(0))?;
        Ok(size.unwrap_or(0))
    }

    /// When a witness cosigned last.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn last_cosigned(&self, witness: &str) -> Result<Option<Time>, Error> {
        let mut select = self.prepare("-- witness::last\nSELECT max(at) FROM cosignatures WHERE witness = $1")?;
        let at: Option<i64> = select.query_row([witness], |row| row.get(0))?;
        Ok(at.map(Time))
    }

    /// Keeps what does not fit together, and says whether it is new: at most [`CONFLICTS`] of one log, each text once.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_conflict(&self, origin: &str, proven: bool, text: &str, now: Time) -> Result<bool, Error> {
        let mut select = self.prepare("-- witness::known\nSELECT proof FROM forks WHERE origin = $1 ORDER BY id LIMIT $2")?;
        let known = select.query_map((origin, CONFLICTS), |row| row.get::<String>(0))?.collect::<Result<Vec<_>, _>>()?;
        if known.len() as i64 >= CONFLICTS || known.iter().any(|known| known == text) {
            return Ok(false);
        }
        let id = self.numbers("forks", 1)?;
        self.execute(
            "-- witness::conflict\nINSERT INTO forks (id, origin, found, proven, proof) VALUES ($1, $2, $3, $4, $5)",
            (id, origin, now.0, i64::from(proven), text),
        )?;
        Ok(true)
    }

    /// What does not fit together, the newest first, at most so much.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn conflicts(&self, most: u32) -> Result<Vec<Conflict>, Error> {
        let text = format!("-- witness::conflicts\nSELECT {CONFLICT} FROM forks ORDER BY id DESC LIMIT $1");
        let mut select = self.prepare(&text)?;
        let found = select.query_map([i64::from(most)], conflict_of)?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}
