//! What the seal reads: cases and their steps as they wait, whose they are, and the reports of a batch, part by part.

use model::address::Address;
use model::assignment::Level;
use model::category::Kind;
use model::label::{Pap, Tlp};
use model::report::{Core, Shape};
use model::step::{Step, What};
use model::submission::PublicId;
use model::time::Time;

use super::Head;
use crate::Error;
use crate::db::{OptionalExtension, Transaction, numbered};
use crate::reports::{BATCH, CHUNK, Slices};

/// Runs of reports that are walked back to the first report of a case, at the most.
const RUNS: u32 = 1_000_000;

/// A case that has steps to be sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct ToSeal {
    /// Row number.
    pub case: i64,
    /// Its identifier, which is that of its stream.
    pub public: PublicId,
    /// The kind of abuse.
    pub kind: Kind,
    /// Earliest sighting.
    pub first_seen: Time,
    /// First report of its last run of reports.
    pub tail: i64,
    /// The run before that, if there is one.
    pub prev: Option<i64>,
    /// The end of its stream; `None` when nothing of it is sealed.
    pub head: Option<Head>,
}

/// A party, as records name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// Its identifier.
    pub public: PublicId,
    /// Its name.
    pub name: String,
}

/// One link of a chain, with what it rests on, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The party's identifier.
    pub party: PublicId,
    /// Its name.
    pub name: String,
    /// The height in the chain.
    pub level: Level,
    /// Name of the source that says so; empty when it is not known.
    pub source: String,
    /// What kind of file or system the source is.
    pub kind: String,
    /// When the source was last imported.
    pub checked: Time,
    /// When this node recorded it.
    pub recorded: Time,
    /// Since when the assignment holds.
    pub since: Option<Time>,
}

/// The links of a chain, from the provider down.
pub type Lines = Vec<Line>;

/// A batch of reports, without them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBatch {
    /// Its submission.
    pub submission: i64,
    /// Name of the format that read it.
    pub format: String,
    /// When the submission was received.
    pub received: Time,
    /// Reports that it had when it was added.
    pub count: u32,
}

/// Up to 1,024 reports of a batch, as their rows and fields say.
#[derive(Default)]
pub struct Part {
    /// Their places in the batch, and their columns; those that were erased are missing.
    pub cores: Vec<(u32, Core)>,
    fields: Option<Slices>,
}

impl Part {
    /// Name, shape and bytes of the fields of the report at a place: its own, and those that all of the batch share, unless it
    /// has its own of that name.
    pub fn fields(&self, place: u32) -> impl Iterator<Item = (&str, Shape, &[u8])> {
        self.fields.iter().flat_map(move |fields| fields.fields(place as usize % CHUNK as usize))
    }
}

impl Transaction<'_> {
    /// Cases with numbers from `first` to `last` that have steps to be sealed, by their numbers.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn cases_to_seal(&self, first: i64, last: i64) -> Result<Vec<ToSeal>, Error> {
        let mut select = self.prepare(
            "-- sealed::cases
             SELECT c.id, c.public, c.kind, c.first_seen, c.tail, r.prev, h.seq, h.commitment, h.ordinal, h.first, h.chain
             FROM cases c LEFT JOIN heads h ON h.what = 1 AND h.target = c.id LEFT JOIN reports r ON r.id = c.tail
             WHERE c.id IN (SELECT u.target FROM unsealed u WHERE u.what = 1 AND u.target >= $1 AND u.target <= $2)
             ORDER BY c.id",
        )?;
        let rows = select.query_map((first, last), |row| {
            let case = row.get(0)?;
            let head = match row.get::<Option<i64>>(6)? {
                Some(seq) => Some(Head {
                    what: super::what::CASE,
                    target: case,
                    seq,
                    commitment: row.get(7)?,
                    ordinal: row.get(8)?,
                    first: row.get(9)?,
                    chain: row.get(10)?,
                }),
                None => None,
            };
            Ok(ToSeal {
                case,
                public: PublicId(u128::from_be_bytes(row.get(1)?)),
                kind: numbered(row, 2, Kind::ALL)?,
                first_seen: Time(row.get(3)?),
                tail: row.get(4)?,
                prev: row.get(5)?,
                head,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Steps that are not sealed of those cases, by case and ordinal.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn steps_to_seal(&self, first: i64, last: i64) -> Result<Vec<(i64, Step)>, Error> {
        let mut select = self.prepare(
            "-- sealed::steps
             SELECT s.case_id, s.ordinal, s.what, s.at, s.text, s.person, s.rule, s.due FROM steps s
             WHERE s.case_id IN (SELECT u.target FROM unsealed u WHERE u.what = 1 AND u.target >= $1 AND u.target <= $2)
                 AND s.ordinal > coalesce((SELECT h.ordinal FROM heads h WHERE h.what = 1 AND h.target = s.case_id), 0)
             ORDER BY s.case_id, s.ordinal",
        )?;
        let rows = select.query_map((first, last), |row| {
            let step = Step {
                ordinal: row.get(1)?,
                what: numbered(row, 2, What::ALL)?,
                at: Time(row.get(3)?),
                text: row.get(4)?,
                person: row.get(5)?,
                rule: row.get(6)?,
                due: row.get::<Option<i64>>(7)?.map(Time),
            };
            Ok((row.get(0)?, step))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Number of the first report of a case, from its last run back.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn first_report(&self, case: &ToSeal) -> Result<i64, Error> {
        let (mut first, mut prev) = (case.tail, case.prev);
        let mut select = self.prepare("-- sealed::prev\nSELECT prev FROM reports WHERE id = $1")?;
        for _ in 0..RUNS {
            let Some(before) = prev else { break };
            first = before;
            prev = select.query_row([before], |row| row.get(0)).optional()?.flatten();
        }
        Ok(first)
    }

    /// A party, as records name it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn whose(&self, party: i64) -> Result<Option<Whose>, Error> {
        let mut select = self.prepare("-- sealed::whose\nSELECT public, name FROM parties WHERE id = $1")?;
        let whose =
            |row: &crate::db::Row<'_>| Ok(Whose { public: PublicId(u128::from_be_bytes(row.get(0)?)), name: row.get(1)? });
        Ok(select.query_row([party], whose).optional()?)
    }

    /// A chain in words; empty for a number that there is not. (Links name sources by their places in the order of their numbers,
    /// which have no gaps and begin at 1.)
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn chain_lines(&self, chain: i64) -> Result<Lines, Error> {
        let mut select = self.prepare(
            "-- sealed::chain
             SELECT p.public, p.name, l.level, coalesce(s.name, ''), coalesce(s.kind, ''), coalesce(s.checked, 0), l.recorded, l.since
             FROM chain_links l JOIN parties p ON p.id = l.party LEFT JOIN sources s ON s.id = l.source + 1
             WHERE l.chain = $1 ORDER BY l.position",
        )?;
        let lines = select.query_map([chain], |row| {
            Ok(Line {
                party: PublicId(u128::from_be_bytes(row.get(0)?)),
                name: row.get(1)?,
                level: numbered(row, 2, &Level::ALL)?,
                source: row.get(3)?,
                kind: row.get(4)?,
                checked: Time(row.get(5)?),
                recorded: Time(row.get(6)?),
                since: row.get::<Option<i64>>(7)?.map(Time),
            })
        })?;
        Ok(lines.collect::<Result<_, _>>()?)
    }

    /// The batch that a report is in, and its place there.
    pub fn batch_of(report: i64) -> (i64, u32) {
        (report.div_euclid(BATCH), report.rem_euclid(BATCH) as u32)
    }

    /// The SHA-256 of the bytes of a submission; `None` when it was erased, or is not to be known.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn submission_sha256(&self, submission: i64) -> Result<Option<[u8; 32]>, Error> {
        let mut select = self.prepare("-- sealed::sha256\nSELECT sha256 FROM submissions WHERE id = $1")?;
        Ok(select.query_row([submission], |row| row.get(0)).optional()?.flatten())
    }

    /// The entry of the log at an index; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn entry_at(&self, shard: i64, idx: i64) -> Result<Option<Vec<u8>>, Error> {
        let mut select = self.prepare("-- sealed::entry\nSELECT entry FROM entries WHERE shard = $1 AND idx = $2")?;
        Ok(select.query_row((shard, idx), |row| row.get(0)).optional()?)
    }

    /// A batch of reports, without them.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn kept_batch(&self, batch: i64) -> Result<Option<KeptBatch>, Error> {
        let mut select =
            self.prepare("-- sealed::batch\nSELECT submission, format, received, count FROM batches WHERE id = $1")?;
        let kept = |row: &crate::db::Row<'_>| {
            Ok(KeptBatch { submission: row.get(0)?, format: row.get(1)?, received: Time(row.get(2)?), count: row.get(3)? })
        };
        Ok(select.query_row([batch], kept).optional()?)
    }

    /// The reports of a batch from place `part` · 1,024 on, up to as many.
    ///
    /// # Errors
    /// [`Error::Database`], and [`Error::Damaged`] when fields do not unpack.
    pub fn batch_part(&self, batch: i64, part: u32) -> Result<Part, Error> {
        let first = batch * BATCH + i64::from(part) * CHUNK;
        let mut select = self.prepare(
            "-- sealed::reports
             SELECT id, ordinal, observed, address, port, kind, confidence, labels FROM reports
             WHERE id >= $1 AND id < $2 ORDER BY id",
        )?;
        let cores = select.query_map((first, first + CHUNK), |row| {
            let id: i64 = row.get(0)?;
            let mut core = Core::new(numbered(row, 5, Kind::ALL)?, row.get(1)?);
            core.set_observed(row.get::<Option<i64>>(2)?.map(Time));
            core.address = row.get::<Option<[u8; 16]>>(3)?.map_or(Address::NONE, |bytes| Address(u128::from_be_bytes(bytes)));
            core.port = row.get(4)?;
            core.confidence = row.get::<Option<u8>>(6)?.unwrap_or(Core::UNSTATED);
            let labels: u8 = row.get(7)?;
            core.tlp = Tlp::ALL.get(usize::from(labels & 15)).copied().unwrap_or(Tlp::Red);
            core.pap = Pap::ALL.get(usize::from(labels >> 4)).copied().unwrap_or(Pap::Red);
            Ok((id.rem_euclid(BATCH) as u32, core))
        })?;
        let cores: Vec<(u32, Core)> = cores.collect::<Result<_, _>>()?;
        let data: Option<Vec<u8>> = self
            .prepare("-- sealed::fields\nSELECT data FROM fields WHERE id = $1")?
            .query_row([first / CHUNK], |row| row.get(0))
            .optional()?;
        let fields = match data {
            Some(data) => Some(Slices::of(&data).ok_or_else(|| crate::reports::damaged(first / CHUNK))?),
            None => None,
        };
        Ok(Part { cores, fields })
    }

    /// What changes when anything of a batch's reports is erased or rewritten: how many there are, and a digest of their fields
    /// as they lie.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn batch_print(&self, batch: i64) -> Result<(u64, [u8; 32]), Error> {
        let mut count = self.prepare("-- sealed::batch_count\nSELECT count(*) FROM reports WHERE id >= $1 AND id < $2")?;
        let count = count.query_row((batch * BATCH, (batch + 1) * BATCH), |row| row.get(0))?;
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        let mut select =
            self.prepare("-- sealed::batch_fields\nSELECT data FROM fields WHERE id >= $1 AND id < $2 ORDER BY id")?;
        let mut rows = select.query((batch * BATCH / CHUNK, (batch + 1) * BATCH / CHUNK))?;
        while let Some(row) = rows.next()? {
            hash.update(&row.get::<Vec<u8>>(0)?);
        }
        let mut print = [0; 32];
        print.copy_from_slice(hash.finish().as_ref());
        Ok((count, print))
    }

    /// Keeps the commitments to the reports of a batch, in the order of their places.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_leaves(&self, batch: i64, leaves: &[[u8; 32]]) -> Result<(), Error> {
        self.insert_many("leaves", "id, data", |into| {
            for (id, part) in (batch * BATCH / CHUNK..).zip(leaves.chunks(CHUNK as usize)) {
                into.add((id, part.as_flattened()))?;
            }
            Ok(())
        })
    }

    /// The commitments to the reports of a sealed batch, in the order of their places; empty when it is not sealed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn leaves_of(&self, batch: i64) -> Result<Vec<[u8; 32]>, Error> {
        let mut select = self.prepare("-- sealed::leaves\nSELECT data FROM leaves WHERE id >= $1 AND id < $2 ORDER BY id")?;
        let first = batch * BATCH / CHUNK;
        let parts: Vec<Vec<u8>> =
            select.query_map((first, first + BATCH / CHUNK), |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(parts.iter().flat_map(|part| part.as_chunks::<32>().0).copied().collect())
    }

    /// What was erased of a record (of `what` 1, its number), or of a batch (of `what` 0): the ordinals or places, the number
    /// of the record that says so, and the digest that stands for what was erased.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erased(&self, what: i64, number: i64) -> Result<Vec<(u32, i64, [u8; 32])>, Error> {
        let mut select = self.prepare(
            "-- sealed::erased\nSELECT ordinal, record, digest FROM erased WHERE what = $1 AND number = $2 ORDER BY ordinal",
        )?;
        let rows = select.query_map((what, number), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
