//! What of the seal is erased: which keys are to be cut out, and which were. `docs/seal.md` 2.4 says what that means.
//!
//! An erasure goes through stages, and is gone on with wherever it broke off: it is announced by a record; then the keys are destroyed;
//! then another record confirms that they were. What is to be cut out is written down first, with the digests that stand in its place
//! for ever, in the transaction that takes the text out of rows, if there is one.

use std::collections::{BTreeSet, HashMap};

use crate::Error;
use crate::db::{OptionalExtension, Row, Transaction};
use crate::reports::{BATCH, CHUNK};
use crate::sealed::what;

/// Fields of one erasure, at most: beyond that there are several.
pub const MOST: usize = 4_096;
/// In place of an ordinal: the whole record, with the secret of the stream that begins with it.
pub const WHOLE: u32 = 32;
/// `erased.what` of reports of batches, whose number is the batch's and whose ordinal the place.
pub const REPORT: i64 = 0;
/// `erased.what` of fields of records.
pub const FIELD: i64 = 1;

/// A key that is to be cut out, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    /// [`REPORT`] or [`FIELD`].
    pub what: i64,
    /// The record, or the batch.
    pub number: i64,
    /// The field or [`WHOLE`]; the place of a report.
    pub ordinal: u32,
    /// The salted digest of a field, the commitment to a report or to a whole record.
    pub digest: [u8; 32],
}

/// How far an erasure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is to be announced.
    Wanted = 0,
    /// It was announced; keys are to be destroyed.
    Announced = 1,
    /// They were; that is to be confirmed.
    Destroyed = 2,
    /// It is over.
    Confirmed = 3,
}

impl Stage {
    const ALL: [Stage; 4] = [Stage::Wanted, Stage::Announced, Stage::Destroyed, Stage::Confirmed];
}

/// An erasure in the seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasing {
    /// Its number.
    pub id: i64,
    /// How far it is.
    pub stage: Stage,
    /// Why.
    pub ground: String,
    /// Who wanted it; empty for the program.
    pub authority: String,
    /// When the last backup ends that has the keys, in milliseconds; 0 when there is none.
    pub keys_until: i64,
}

const ERASING: &str = "id, stage, ground, authority, keys_until";
const CUT: &str = "what, number, ordinal, digest";

fn erasing(row: &Row<'_>) -> crate::db::Result<Erasing> {
    let stage: usize = row.get::<i64>(1)?.try_into().unwrap_or(0);
    Ok(Erasing {
        id: row.get(0)?,
        stage: Stage::ALL.get(stage).copied().unwrap_or(Stage::Wanted),
        ground: row.get(2)?,
        authority: row.get(3)?,
        keys_until: row.get(4)?,
    })
}

fn cut(row: &Row<'_>) -> crate::db::Result<Cut> {
    Ok(Cut { what: row.get(0)?, number: row.get(1)?, ordinal: row.get(2)?, digest: row.get(3)? })
}

impl Transaction<'_> {
    /// Writes down what is to be cut out, apart from what was written down before, and lets the record wait that announces it. How
    /// many fields and reports that are.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn begin_erasing(&self, cuts: &[Cut], ground: &str, authority: &str, keys_until: i64) -> Result<u64, Error> {
        let mut count = 0;
        for cuts in cuts.chunks(MOST) {
            let id = self.numbers("erasing", 1)?;
            let mut insert = self.prepare(
                "-- erasures::cut
                 INSERT INTO erased (what, number, ordinal, record, digest) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (what, number, ordinal) DO NOTHING",
            )?;
            let mut new = 0;
            for cut in cuts {
                new += insert.execute((cut.what, cut.number, cut.ordinal, -id, cut.digest))? as u64;
            }
            if new > 0 {
                self.execute(
                    "-- erasures::erase_keys
                     INSERT INTO erasing (id, stage, ground, authority, keys_until) VALUES ($1, 0, $2, $3, $4)",
                    (id, ground, authority, keys_until),
                )?;
                self.queue_for_seal(what::ERASURE, id, record_of(id, Stage::Wanted), 0, false)?;
            }
            count += new;
        }
        Ok(count)
    }

    /// One erasure.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erasing(&self, id: i64) -> Result<Option<Erasing>, Error> {
        let text = format!("-- erasures::one_erasing\nSELECT {ERASING} FROM erasing WHERE id = $1");
        Ok(self.prepare(&text)?.query_row([id], erasing).optional()?)
    }

    /// Erasures that are at a stage, the oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erasings(&self, stage: Stage) -> Result<Vec<Erasing>, Error> {
        let text = format!("-- erasures::erasings\nSELECT {ERASING} FROM erasing WHERE stage = $1 ORDER BY id");
        Ok(self.prepare(&text)?.query_map([stage as i64], erasing)?.collect::<Result<_, _>>()?)
    }

    /// What an erasure cuts out.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cuts(&self, erasing: &Erasing) -> Result<Vec<Cut>, Error> {
        let record = match erasing.stage {
            Stage::Confirmed => self.record_of_erasing(erasing.id, Stage::Destroyed)?.unwrap_or(-erasing.id),
            _ => -erasing.id,
        };
        let text = format!("-- erasures::cuts\nSELECT {CUT} FROM erased WHERE record = $1 ORDER BY what, number, ordinal");
        Ok(self.prepare(&text)?.query_map([record], cut)?.collect::<Result<_, _>>()?)
    }

    /// Everything that was cut out, or is to be, after a place; at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cuts_after(&self, after: (i64, i64, i64), most: u32) -> Result<Vec<Cut>, Error> {
        let text = format!(
            "-- erasures::cuts_after
             SELECT {CUT} FROM erased
             WHERE what > $1 OR (what = $1 AND number > $2) OR (what = $1 AND number = $2 AND ordinal > $3)
             ORDER BY what, number, ordinal LIMIT $4"
        );
        let (what, number, ordinal) = after;
        Ok(self.prepare(&text)?.query_map((what, number, ordinal, most), cut)?.collect::<Result<_, _>>()?)
    }

    /// Notes that an erasure was announced, and is sealed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_announced(&self, id: i64) -> Result<(), Error> {
        self.set_stage(id, Stage::Announced)
    }

    /// Notes that the keys of an erasure are destroyed, empties the records that went whole, and lets the record wait that confirms
    /// it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_destroyed(&self, id: i64) -> Result<(), Error> {
        self.set_stage(id, Stage::Destroyed)?;
        let none: &[u8] = &[];
        self.execute(
            "-- erasures::empty
             UPDATE records SET sealed = $2 WHERE number IN
                 (SELECT number FROM erased WHERE record = $1 AND what = 1 AND ordinal = 32)",
            (-id, none),
        )?;
        self.queue_for_seal(what::ERASURE, id, record_of(id, Stage::Destroyed), 0, false)
    }

    /// Notes that an erasure is confirmed by a record: from now on everything it cut out names that.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_confirmed(&self, id: i64, record: i64) -> Result<(), Error> {
        self.set_stage(id, Stage::Confirmed)?;
        self.execute("-- erasures::confirm\nUPDATE erased SET record = $2 WHERE record = $1", (-id, record))?;
        Ok(())
    }

    fn set_stage(&self, id: i64, stage: Stage) -> Result<(), Error> {
        self.execute("-- erasures::stage\nUPDATE erasing SET stage = $2 WHERE id = $1", (id, stage as i64))?;
        Ok(())
    }

    /// Number of the record that announces an erasure ([`Stage::Wanted`]) or confirms it ([`Stage::Destroyed`]).
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn record_of_erasing(&self, id: i64, stage: Stage) -> Result<Option<i64>, Error> {
        let mut select = self.prepare(
            "-- erasures::record_of\nSELECT number FROM records WHERE what = 2 AND target = 0 AND ordinal = $1 AND kind = 5",
        )?;
        Ok(select.query_row([record_of(id, stage)], |row| row.get(0)).optional()?)
    }

    /// Number of the last erasure whose keys were destroyed here; 0 for none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn last_destroyed(&self) -> Result<i64, Error> {
        let mut select = self.prepare("-- erasures::last_destroyed\nSELECT max(id) FROM erasing WHERE stage >= 2")?;
        Ok(select.query_row((), |row| row.get::<Option<i64>>(0))?.unwrap_or(0))
    }

    /// How many fields and reports were cut out, or are to be.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn count_erased(&self) -> Result<u64, Error> {
        Ok(self.prepare("-- erasures::count_erased\nSELECT count(*) FROM erased")?.query_row((), |row| row.get(0))?)
    }

    /// The cuts of whole records of a stream: of all its commitments and of the secret.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cuts_of_stream(&self, what: i64, target: i64) -> Result<Vec<Cut>, Error> {
        let mut select = self.prepare(
            "-- erasures::stream
             SELECT r.number, e.entry FROM records r JOIN entries e ON e.shard = r.shard AND e.idx = r.idx
             WHERE r.what = $1 AND r.target = $2 ORDER BY r.seq",
        )?;
        let rows = select.query_map((what, target), |row| Ok((row.get(0)?, row.get::<Vec<u8>>(1)?)))?;
        let rows: Vec<(i64, Vec<u8>)> = rows.collect::<Result<_, _>>()?;
        let commitment = |entry: &[u8]| entry.last_chunk().copied().unwrap_or_default();
        Ok(rows
            .iter()
            .map(|(number, entry)| Cut { what: FIELD, number: *number, ordinal: WHOLE, digest: commitment(entry) })
            .collect())
    }

    /// The cuts of reports, as far as they are sealed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cuts_of_reports(&self, reports: impl IntoIterator<Item = i64>) -> Result<Vec<Cut>, Error> {
        let mut select = self.prepare("-- erasures::leaves\nSELECT data FROM leaves WHERE id = $1")?;
        let mut parts: HashMap<i64, Vec<u8>> = HashMap::new();
        let mut cuts = Vec::new();
        for report in reports {
            let chunk = report.div_euclid(CHUNK);
            let part = match parts.entry(chunk) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(select.query_row([chunk], |row| row.get(0)).optional()?.unwrap_or_default())
                }
            };
            let place = report.rem_euclid(CHUNK) as usize;
            if let Some(digest) = part.as_chunks::<32>().0.get(place) {
                let (number, ordinal) = (report.div_euclid(BATCH), report.rem_euclid(BATCH) as u32);
                cuts.push(Cut { what: REPORT, number, ordinal, digest: *digest });
            }
        }
        Ok(cuts)
    }

    /// The cuts of the records of batches, for each submission that some reports came in of which no report is left. As long as one
    /// is, the secret of the stream is needed, and the record of its batch.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cuts_of_empty_batches(&self, reports: impl IntoIterator<Item = i64>) -> Result<Vec<Cut>, Error> {
        let batches: BTreeSet<i64> = reports.into_iter().map(|report| report.div_euclid(BATCH)).collect();
        let mut of = self.prepare("-- erasures::submission\nSELECT submission FROM batches WHERE id = $1")?;
        let mut submissions = BTreeSet::new();
        for batch in batches {
            submissions.extend(of.query_row([batch], |row| row.get::<i64>(0)).optional()?);
        }
        let mut others = self.prepare("-- erasures::batches_of\nSELECT id FROM batches WHERE submission = $1")?;
        let mut has_any =
            self.prepare("-- erasures::any_report\nSELECT EXISTS (SELECT 1 FROM reports WHERE id >= $1 AND id < $2)")?;
        let mut cuts = Vec::new();
        for submission in submissions {
            let batches: Vec<i64> = others.query_map([submission], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let mut is_empty = true;
            for batch in batches {
                is_empty &= !has_any.query_row((batch * BATCH, (batch + 1) * BATCH), |row| row.get::<bool>(0))?;
            }
            if is_empty {
                cuts.extend(self.cuts_of_stream(what::BATCH, submission)?);
            }
        }
        Ok(cuts)
    }

    /// Sealed records with numbers above one, in order, at most `most`, apart from those that are erased whole.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn records_after(&self, after: i64, most: u32) -> Result<Vec<crate::sealed::Row>, Error> {
        let mut select =
            self.prepare("-- erasures::records\nSELECT number FROM records WHERE number > $1 ORDER BY number LIMIT $2")?;
        let numbers: Vec<i64> = select.query_map((after, most), |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut records = Vec::with_capacity(numbers.len());
        for number in numbers {
            records.extend(self.record(number)?);
        }
        Ok(records)
    }

    /// Identifiers of submissions above number `after` whose bytes are destroyed, at most `most`, with the last number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn destroyed_after(&self, after: i64, most: u32) -> Result<Vec<(i64, model::submission::PublicId)>, Error> {
        let mut select = self.prepare(
            "-- erasures::destroyed\nSELECT id, public FROM submissions WHERE id > $1 AND place = 2 ORDER BY id LIMIT $2",
        )?;
        let rows = select
            .query_map((after, most), |row| Ok((row.get(0)?, model::submission::PublicId(u128::from_be_bytes(row.get(1)?)))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// What the record of an erasure at a stage is of, among those of the node's own stream.
pub fn record_of(id: i64, stage: Stage) -> i64 {
    id * 2 + i64::from(stage == Stage::Destroyed)
}
