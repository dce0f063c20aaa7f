//! The log as rows: its shards, the entries that its tree is made of, and the checkpoints that were signed.

use model::time::Time;

use crate::Error;
use crate::db::{self, OptionalExtension, Row, Transaction};

/// A part of the log: the tree of a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Row number.
    pub id: i64,
    /// The name that its checkpoints begin with.
    pub origin: String,
    /// When it began.
    pub began: Time,
    /// Since when it is frozen.
    pub ended: Option<Time>,
}

impl Shard {
    /// The last part of its origin: the name of its folder.
    pub fn label(&self) -> &str {
        self.origin.rsplit('/').next().unwrap_or(&self.origin)
    }
}

/// A checkpoint that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The shard.
    pub shard: i64,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: [u8; 32],
    /// The signed note.
    pub note: String,
    /// When it was signed.
    pub signed: Time,
    /// When it was published, if it was.
    pub published: Option<Time>,
}

const SHARD: &str = "id, origin, began, ended";
const CHECKPOINT: &str = "shard, size, root, note, signed, published";

fn shard_of(row: &Row<'_>) -> db::Result<Shard> {
    let ended: Option<i64> = row.get(3)?;
    Ok(Shard { id: row.get(0)?, origin: row.get(1)?, began: Time(row.get(2)?), ended: ended.map(Time) })
}

pub(crate) fn checkpoint_of(row: &Row<'_>) -> db::Result<Checkpoint> {
    let published: Option<i64> = row.get(5)?;
    Ok(Checkpoint {
        shard: row.get(0)?,
        size: row.get(1)?,
        root: row.get(2)?,
        note: row.get(3)?,
        signed: Time(row.get(4)?),
        published: published.map(Time),
    })
}

impl Transaction<'_> {
    /// All shards, the oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn shards(&self) -> Result<Vec<Shard>, Error> {
        let mut select = self.prepare(&format!("-- log::shards\nSELECT {SHARD} FROM shards ORDER BY id"))?;
        let shards = select.query_map((), shard_of)?;
        Ok(shards.collect::<Result<_, _>>()?)
    }

    /// The shard that grows: the newest, unless that is frozen.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn shard(&self) -> Result<Option<Shard>, Error> {
        let text = format!("-- log::shard\nSELECT {SHARD} FROM shards ORDER BY id DESC LIMIT 1");
        let newest = self.prepare(&text)?.query_row((), shard_of).optional()?;
        Ok(newest.filter(|shard| shard.ended.is_none()))
    }

    /// Begins a shard.
    ///
    /// # Errors
    /// [`Error::Database`], also when there is one of this origin.
    pub fn begin_shard(&self, origin: &str, now: Time) -> Result<Shard, Error> {
        let id = self.numbers("shards", 1)?;
        self.execute("-- log::begin\nINSERT INTO shards (id, origin, began) VALUES ($1, $2, $3)", (id, origin, now.0))?;
        Ok(Shard { id, origin: origin.to_owned(), began: now, ended: None })
    }

    /// Freezes a shard.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn end_shard(&self, shard: i64, now: Time) -> Result<(), Error> {
        self.execute("-- log::end\nUPDATE shards SET ended = $2 WHERE id = $1", (shard, now.0))?;
        Ok(())
    }

    /// How many entries a shard has.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn log_size(&self, shard: i64) -> Result<u64, Error> {
        let mut select = self.prepare("-- log::size\nSELECT max(idx) FROM entries WHERE shard = $1")?;
        let last: Option<u64> = select.query_row([shard], |row| row.get(0))?;
        Ok(last.map_or(0, |last| last + 1))
    }

    /// Entries of a shard from a place on, at most so many.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn log_entries(&self, shard: i64, from: u64, most: u32) -> Result<Vec<Vec<u8>>, Error> {
        let mut select =
            self.prepare("-- log::entries\nSELECT entry FROM entries WHERE shard = $1 AND idx >= $2 ORDER BY idx LIMIT $3")?;
        let entries = select.query_map((shard, from, i64::from(most)), |row| row.get(0))?;
        Ok(entries.collect::<Result<_, _>>()?)
    }

    /// Gives each entry of a shard, from a place on and before another, to `take`, in order, with its place.
    ///
    /// # Errors
    /// [`Error::Database`], and those of `take`.
    pub fn each_entry<E: From<Error>>(
        &self,
        shard: i64,
        from: u64,
        before: u64,
        mut take: impl FnMut(u64, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let text = "-- log::each\nSELECT idx, entry FROM entries WHERE shard = $1 AND idx >= $2 AND idx < $3 ORDER BY idx";
        let mut select = self.prepare(text)?;
        let mut rows = select.query((shard, from, before)).map_err(Error::from)?;
        while let Some(row) = rows.next().map_err(Error::from)? {
            let read = || -> db::Result<(u64, Vec<u8>)> { Ok((row.get(0)?, row.get(1)?)) };
            let (index, entry) = read().map_err(Error::from)?;
            take(index, entry)?;
        }
        Ok(())
    }

    /// Adds entries to a shard; the first of them gets this place, which is the size so far.
    ///
    /// # Errors
    /// [`Error::Database`], also when there is an entry at one of these places: nothing is ever replaced.
    pub fn add_entries<B: AsRef<[u8]>>(&self, shard: i64, first: u64, entries: &[B]) -> Result<(), Error> {
        self.insert_many("entries", "shard, idx, entry", |rows| {
            (first..).zip(entries).try_for_each(|(index, entry)| Ok(rows.add((shard, index, entry.as_ref()))?))
        })
    }

    /// Moves the entries of a shard from a place on, and what is known of their records, to another shard, where the first of
    /// them gets the place `to`. For what a checkpoint never covered: a log that was signed is not touched.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn move_entries(&self, shard: i64, from: u64, other: i64, to: u64) -> Result<u64, Error> {
        let moved = self.execute(
            "-- log::move
             INSERT INTO entries (shard, idx, entry) SELECT $3, idx - $2 + $4, entry FROM entries WHERE shard = $1 AND idx >= $2",
            (shard, from, other, to),
        )?;
        self.execute("-- log::moved\nDELETE FROM entries WHERE shard = $1 AND idx >= $2", (shard, from))?;
        self.execute(
            "-- log::move_records\nUPDATE records SET shard = $3, idx = idx - $2 + $4 WHERE shard = $1 AND idx >= $2",
            (shard, from, other, to),
        )?;
        // The entry about a time-stamp is in another tree now, where it bounds nothing: there will be another.
        self.execute("-- log::move_anchors\nUPDATE anchors SET idx = NULL WHERE shard = $1 AND idx >= $2", (shard, from))?;
        Ok(moved as u64)
    }

    /// Keeps a checkpoint that was signed. Of those that were not published only the last one stays.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let Checkpoint { shard, size, root, note, signed, published } = checkpoint;
        self.execute(
            "-- log::forget_signed\nDELETE FROM checkpoints WHERE shard = $1 AND size < $2 AND published IS NULL",
            (shard, size),
        )?;
        self.execute(
            "-- log::keep_checkpoint
             INSERT INTO checkpoints (shard, size, root, note, signed, published) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (shard, size) DO UPDATE SET published = coalesce(checkpoints.published, excluded.published)",
            (shard, size, root, note, signed.0, published.map(|time| time.0)),
        )?;
        Ok(())
    }

    /// The last checkpoint of a shard that was signed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn signed_checkpoint(&self, shard: i64) -> Result<Option<Checkpoint>, Error> {
        let text = format!("-- log::signed\nSELECT {CHECKPOINT} FROM checkpoints WHERE shard = $1 ORDER BY size DESC LIMIT 1");
        Ok(self.prepare(&text)?.query_row([shard], checkpoint_of).optional()?)
    }

    /// The last checkpoint of a shard that was published.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn published_checkpoint(&self, shard: i64) -> Result<Option<Checkpoint>, Error> {
        let text = format!(
            "-- log::published
             SELECT {CHECKPOINT} FROM checkpoints WHERE shard = $1 AND published IS NOT NULL ORDER BY size DESC LIMIT 1"
        );
        Ok(self.prepare(&text)?.query_row([shard], checkpoint_of).optional()?)
    }

    /// The checkpoint of a shard of this size, if it was kept.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn checkpoint_at(&self, shard: i64, size: u64) -> Result<Option<Checkpoint>, Error> {
        let text = format!("-- log::checkpoint\nSELECT {CHECKPOINT} FROM checkpoints WHERE shard = $1 AND size = $2");
        Ok(self.prepare(&text)?.query_row((shard, size), checkpoint_of).optional()?)
    }

    /// The smallest published checkpoint of a shard that covers an entry.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn published_over(&self, shard: i64, index: u64) -> Result<Option<Checkpoint>, Error> {
        let text = format!(
            "-- log::over
             SELECT {CHECKPOINT} FROM checkpoints WHERE shard = $1 AND size > $2 AND published IS NOT NULL ORDER BY size LIMIT 1"
        );
        Ok(self.prepare(&text)?.query_row((shard, index), checkpoint_of).optional()?)
    }

    /// How much waits to be sealed, and whether any of it is urgent; counts no further than `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn waiting_for_seal(&self, most: u32) -> Result<(u64, bool), Error> {
        let waiting: u64 = self
            .prepare("-- log::waiting\nSELECT count(*) FROM (SELECT 1 FROM unsealed LIMIT $1) AS waiting")?
            .query_row([i64::from(most)], |row| row.get(0))?;
        let urgent = self
            .prepare("-- log::urgent\nSELECT 1 FROM unsealed WHERE urgent = 1 LIMIT 1")?
            .query_row((), |row| row.get::<i64>(0))
            .optional()?;
        Ok((waiting, urgent.is_some()))
    }
}
