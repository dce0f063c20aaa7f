//! What a bundle takes from the log beside its records: published checkpoints, time-stamps, cosignatures; and who was given one.

use model::report::Core;
use model::time::Time;

use crate::Error;
use crate::anchors::Anchor;
use crate::db::{OptionalExtension, Row, Transaction};
use crate::log::{Checkpoint, checkpoint_of};
use crate::reports::BATCH;
use crate::sealed::what;

/// A bundle that was given to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Row number of the case.
    pub case: i64,
    /// Who has it, in words.
    pub recipient: String,
    /// SHA-256 of the file.
    pub bundle: [u8; 32],
    /// How many records are in it.
    pub records: u64,
    /// When.
    pub at: Time,
    /// Who gave it.
    pub person: String,
}

/// Runs that are followed back, at the most: a feed of every five minutes for ten years has a million.
const RUNS: u32 = 1_100_000;
impl Transaction<'_> {
    /// The newest published checkpoints of a shard that cover an entry, the newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn published_covering(&self, shard: i64, index: u64, most: u32) -> Result<Vec<Checkpoint>, Error> {
        let mut select = self.prepare(
            "-- proofs::covering
             SELECT shard, size, root, note, signed, published FROM checkpoints
             WHERE shard = $1 AND size > $2 AND published IS NOT NULL ORDER BY size DESC LIMIT $3",
        )?;
        let rows = select.query_map((shard, index, i64::from(most)), checkpoint_of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The authorities that stamped checkpoints of a shard, by their names.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn authorities(&self, shard: i64) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        while let Some(next) = self.authority_after(shard, found.last().map_or("", String::as_str))? {
            found.push(next);
        }
        Ok(found)
    }

    /// The time-stamp of an authority over a checkpoint; renewals are none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn anchor_at(&self, shard: i64, tsa: &str, size: u64) -> Result<Option<Anchor>, Error> {
        let text = format!(
            "-- proofs::at\nSELECT {} FROM anchors WHERE shard = $1 AND tsa = $2 AND archive = 0 AND size = $3",
            crate::anchors::COLUMNS
        );
        Ok(self.prepare(&text)?.query_row((shard, tsa, size), crate::anchors::from_row).optional()?)
    }

    /// Size of the first checkpoint, of those up to `most`, that covers an entry and that an authority stamped.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn stamped_after(&self, shard: i64, tsa: &str, index: u64, most: u64) -> Result<Option<u64>, Error> {
        let mut select = self.prepare(
            "-- proofs::after
             SELECT size FROM anchors WHERE shard = $1 AND tsa = $2 AND archive = 0 AND size > $3 AND size <= $4
             ORDER BY size LIMIT 1",
        )?;
        Ok(select.query_row((shard, tsa, index, most), |row| row.get(0)).optional()?)
    }

    /// Size of the last checkpoint that an authority stamped and whose entry stands before an index.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn stamped_before(&self, shard: i64, tsa: &str, index: u64) -> Result<Option<u64>, Error> {
        // The entry stands after the checkpoint that it is about: that keeps the search short.
        let mut select = self.prepare(
            "-- proofs::before
             SELECT size FROM anchors WHERE shard = $1 AND tsa = $2 AND archive = 0 AND size < $3 AND idx < $3
             ORDER BY size DESC LIMIT 1",
        )?;
        Ok(select.query_row((shard, tsa, index), |row| row.get(0)).optional()?)
    }

    /// The first report of a case, from its last run back: its number, and what of it is in columns. `None` when it was erased.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn first_of_case(&self, tail: i64) -> Result<Option<(i64, Core)>, Error> {
        let mut select = self.prepare("-- proofs::prev\nSELECT prev FROM reports WHERE id = $1")?;
        let mut first = tail;
        for _ in 0..RUNS {
            match select.query_row([first], |row| row.get::<Option<i64>>(0)).optional()? {
                Some(Some(before)) => first = before,
                Some(None) => return Ok(Some((first, self.core(first)?.0))),
                None => break,
            }
        }
        Ok(None)
    }

    /// The cases that the reports of a submission are in, at most `most`, by their numbers.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cases_of_submission(&self, submission: i64, most: u32) -> Result<Vec<i64>, Error> {
        let mut select = self.prepare(
            "-- proofs::cases
             SELECT DISTINCT r.case_id FROM batches b JOIN reports r ON r.id >= b.id * 1048576 AND r.id < (b.id + 1) * 1048576
             WHERE b.submission = $1 AND r.case_id > 0 ORDER BY r.case_id LIMIT $2",
        )?;
        let rows = select.query_map((submission, i64::from(most)), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Where the statements of a batch stand in it: ordinal in the submission, and place in the batch, by rising ordinal.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn places_in(&self, batch: i64) -> Result<Vec<(u32, u32)>, Error> {
        let mut select =
            self.prepare("-- proofs::places\nSELECT ordinal, id - $1 FROM reports WHERE id >= $1 AND id < $2 ORDER BY ordinal")?;
        let rows = select.query_map((batch * BATCH, (batch + 1) * BATCH), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps who was given a bundle, to be sealed in the stream of its case; the number of the row.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_issued(&self, issued: &Issued) -> Result<i64, Error> {
        let id = self.numbers("issued", 1)?;
        self.execute(
            "-- proofs::issue
             INSERT INTO issued (id, case_id, recipient, bundle, records, at, person) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            (id, issued.case, &issued.recipient, issued.bundle, issued.records, issued.at.0, &issued.person),
        )?;
        self.queue_for_seal(what::ISSUED, issued.case, id, 0, false)?;
        Ok(id)
    }

    /// Who was given a bundle; `None` for a number that there is not.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn issued(&self, id: i64) -> Result<Option<Issued>, Error> {
        let mut select =
            self.prepare("-- proofs::issued\nSELECT case_id, recipient, bundle, records, at, person FROM issued WHERE id = $1")?;
        let issued = |row: &Row<'_>| {
            Ok(Issued {
                case: row.get(0)?,
                recipient: row.get(1)?,
                bundle: row.get(2)?,
                records: row.get(3)?,
                at: Time(row.get(4)?),
                person: row.get(5)?,
            })
        };
        Ok(select.query_row([id], issued).optional()?)
    }
}
