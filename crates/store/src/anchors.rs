//! Time-stamps over published checkpoints, as they came, and the entries of the log that tell of them.

use model::time::Time;

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction};

/// A time-stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Row number: in the order in which they came.
    pub id: i64,
    /// The shard.
    pub shard: i64,
    /// Entries under the checkpoint that it is over.
    pub size: u64,
    /// Who gave it, as the settings call it.
    pub tsa: String,
    /// Whether it is a renewal, over the checkpoint and all time-stamps before it.
    pub archive: bool,
    /// The response, byte by byte.
    pub response: Vec<u8>,
    /// The moment that it states.
    pub stamped: Time,
    /// The place of the entry that tells of it; `None` while there is none.
    pub index: Option<u64>,
}

pub(crate) const COLUMNS: &str = "id, shard, size, tsa, archive, response, stamped, idx";

pub(crate) fn from_row(row: &Row<'_>) -> db::Result<Anchor> {
    Ok(Anchor {
        id: row.get(0)?,
        shard: row.get(1)?,
        size: row.get(2)?,
        tsa: row.get(3)?,
        archive: row.get::<i64>(4)? != 0,
        response: row.get(5)?,
        stamped: Time(row.get(6)?),
        index: row.get(7)?,
    })
}

impl Transaction<'_> {
    /// Keeps a time-stamp under the next number, and gives it; `None` if there is one of this authority over this checkpoint.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_anchor(&self, anchor: &Anchor) -> Result<Option<i64>, Error> {
        let Anchor { id: _, shard, size, tsa, archive, response, stamped, index } = anchor;
        let id = self.numbers("anchors", 1)?;
        let added = self.execute(
            "-- anchors::add
             INSERT INTO anchors (id, shard, size, tsa, archive, response, stamped, idx) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (shard, tsa, archive, size) DO NOTHING",
            (id, shard, size, tsa, i64::from(*archive), response, stamped.0, index),
        )?;
        Ok((added > 0).then_some(id))
    }

    /// Keeps where the entry is that tells of a time-stamp.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_anchor_entry(&self, id: i64, index: u64) -> Result<(), Error> {
        self.execute("-- anchors::entry\nUPDATE anchors SET idx = $2 WHERE id = $1", (id, index))?;
        Ok(())
    }

    /// Time-stamps of a shard that no entry tells of, in the order in which they came, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn anchors_without_entry(&self, shard: i64, most: u32) -> Result<Vec<Anchor>, Error> {
        let text =
            format!("-- anchors::without\nSELECT {COLUMNS} FROM anchors WHERE shard = $1 AND idx IS NULL ORDER BY id LIMIT $2");
        Ok(self.prepare(&text)?.query_map((shard, i64::from(most)), from_row)?.collect::<Result<_, _>>()?)
    }

    /// For each authority its time-stamp over the smallest checkpoint that covers an entry, renewals left out: by when the entry
    /// was there.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn anchors_over(&self, shard: i64, index: u64) -> Result<Vec<Anchor>, Error> {
        let text = format!(
            "-- anchors::over
             SELECT {COLUMNS} FROM anchors WHERE shard = $1 AND tsa = $2 AND archive = 0 AND size > $3 ORDER BY size LIMIT 1"
        );
        let mut found = Vec::new();
        let mut name = String::new();
        // A few names among many rows: each is found by the one before it.
        while let Some(tsa) = self.authority_after(shard, &name)? {
            found.extend(self.prepare(&text)?.query_row((shard, &tsa, index), from_row).optional()?);
            name = tsa;
        }
        Ok(found)
    }

    pub(crate) fn authority_after(&self, shard: i64, name: &str) -> Result<Option<String>, Error> {
        let mut select = self.prepare("-- anchors::next\nSELECT min(tsa) FROM anchors WHERE shard = $1 AND tsa > $2")?;
        Ok(select.query_row((shard, name), |row| row.get(0))?)
    }

    /// The time-stamp whose entry is the last before an entry, renewals left out: after when that one came.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn anchor_before(&self, shard: i64, index: u64) -> Result<Option<Anchor>, Error> {
        let text = format!(
            "-- anchors::before
             SELECT {COLUMNS} FROM anchors WHERE shard = $1 AND idx < $2 AND archive = 0 ORDER BY idx DESC LIMIT 1"
        );
        Ok(self.prepare(&text)?.query_row((shard, index), from_row).optional()?)
    }

    /// The last time-stamp of an authority, or its last renewal.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn last_anchor(&self, shard: i64, tsa: &str, archive: bool) -> Result<Option<Anchor>, Error> {
        let text = format!(
            "-- anchors::last
             SELECT {COLUMNS} FROM anchors WHERE shard = $1 AND tsa = $2 AND archive = $3 ORDER BY size DESC LIMIT 1"
        );
        Ok(self.prepare(&text)?.query_row((shard, tsa, i64::from(archive)), from_row).optional()?)
    }

    /// When the first of all time-stamps was given, and when the last renewal.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn anchor_times(&self) -> Result<(Option<Time>, Option<Time>), Error> {
        let first = "-- anchors::first\nSELECT stamped FROM anchors ORDER BY id LIMIT 1";
        let renewed = "-- anchors::renewed\nSELECT stamped FROM anchors WHERE archive = 1 ORDER BY id DESC LIMIT 1";
        let one = |text| -> Result<Option<Time>, Error> {
            let stamped: Option<i64> = self.prepare(text)?.query_row((), |row| row.get(0)).optional()?;
            Ok(stamped.map(Time))
        };
        Ok((one(first)?, one(renewed)?))
    }

    /// The number of the last of all time-stamps; 0 when there is none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn last_anchor_id(&self) -> Result<i64, Error> {
        let last: Option<i64> =
            self.prepare("-- anchors::newest\nSELECT max(id) FROM anchors")?.query_row((), |row| row.get(0))?;
        Ok(last.unwrap_or(0))
    }

    /// Gives every time-stamp before a number to `take`, renewals too, in the order in which they came.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn each_anchor(&self, before: i64, mut take: impl FnMut(Anchor)) -> Result<(), Error> {
        let text = format!("-- anchors::each\nSELECT {COLUMNS} FROM anchors WHERE id < $1 ORDER BY id");
        let mut select = self.prepare(&text)?;
        let mut rows = select.query([before])?;
        while let Some(row) = rows.next()? {
            take(from_row(&row)?);
        }
        Ok(())
    }
}
