//! Cases that became part of others, and reports that a person gave a case of their own.

use model::address::Address;
use model::case::CaseKey;
use model::chain::{Chain, PartyId};
use model::report::Batch;
use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::apply::Memory;
use crate::cases::Filed;
use crate::db::{OptionalExtension, Transaction};
use crate::keys::public_id;
use crate::reports::{BATCH, CHUNK, Kept, compressor, labels, pack};

/// Cases that are part of another, at the most; more are not looked for.
const MERGED: usize = 10_000;

/// A case that is split off another.
#[derive(Clone, Debug)]
pub struct SplitOff<'a> {
    /// Its number, from [`Transaction::next_case`].
    pub number: i64,
    /// What makes it one of its own.
    pub key: CaseKey,
    /// Its holder.
    pub holder: Option<PartyId>,
    /// Number of its chain.
    pub chain: Option<i64>,
    /// Its reports, as they were loaded.
    pub batch: &'a Batch,
    /// Where they are from.
    pub kept: &'a [Kept],
}

impl Transaction<'_> {
    /// Notes that a case is part of another.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_merge(&self, case: i64, into: i64, now: Time) -> Result<(), Error> {
        self.execute("-- merges::add\nINSERT INTO merges (case_id, into_case, at) VALUES ($1, $2, $3)", (case, into, now.0))?;
        Ok(())
    }

    /// Notes that a case is part of another no more.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn remove_merge(&self, case: i64) -> Result<(), Error> {
        self.execute("-- merges::remove\nDELETE FROM merges WHERE case_id = $1", [case])?;
        Ok(())
    }

    /// The case that a case became part of.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn merged_into(&self, case: i64) -> Result<Option<i64>, Error> {
        let mut select = self.prepare("-- merges::into\nSELECT into_case FROM merges WHERE case_id = $1")?;
        Ok(select.query_row([case], |row| row.get(0)).optional()?)
    }

    /// The cases that are part of a case, and those that are part of them.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn merged(&self, case: i64) -> Result<Vec<i64>, Error> {
        let mut select = self.prepare("-- merges::of\nSELECT case_id FROM merges WHERE into_case = $1 ORDER BY case_id")?;
        let (mut found, mut looked) = (vec![case], 0);
        while looked < found.len() && found.len() < MERGED {
            let parts: Vec<i64> = select.query_map([found[looked]], |row| row.get(0))?.collect::<Result<_, _>>()?;
            found.extend(parts);
            looked += 1;
        }
        found.remove(0);
        Ok(found)
    }

    /// The newest reports of a case and of those that are part of it, its own first, at most `most`.
    ///
    /// # Errors
    /// As [`Transaction::reports_of`].
    pub fn reports_with_merged(&self, filed: &Filed, most: usize) -> Result<(Batch, Vec<Kept>), Error> {
        self.load(&self.numbers_with_merged(filed, most)?)
    }

    /// Row numbers of the same reports, for who reads them a part at a time with [`Transaction::reports_by_id`].
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn numbers_with_merged(&self, filed: &Filed, most: usize) -> Result<Vec<i64>, Error> {
        let mut ids = self.report_ids(filed.case.id, filed.tail, most)?;
        for part in self.merged(filed.case.id)? {
            if ids.len() >= most {
                break;
            }
            if let Some(part) = self.case(part)? {
                ids.extend(self.report_ids(part.case.id, part.tail, most - ids.len())?);
            }
        }
        Ok(ids)
    }

    /// The number of a chain; `None` for the empty one.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn number_of_chain(&self, chain: &Chain) -> Result<Option<i64>, Error> {
        self.chain_number(chain, &mut Memory::default())
    }

    /// The number that the next case will have.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn next_case(&self) -> Result<i64, Error> {
        self.numbers("cases", 1)
    }

    /// Reports by their row numbers, in that order.
    ///
    /// # Errors
    /// As [`Transaction::reports_of`].
    pub fn reports_by_id(&self, ids: &[i64]) -> Result<(Batch, Vec<Kept>), Error> {
        self.load(ids)
    }

    /// Gives reports of a case a case of their own, which stands where the old one stood.
    ///
    /// Rows of reports are never moved: they are written again behind all others, and the old ones marked. The old case is to
    /// be saved with what is left of it.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Random`].
    pub fn split_case(&self, filed: &Filed, off: &SplitOff<'_>, now: Time) -> Result<PublicId, Error> {
        let (number, public) = (off.number, public_id(now)?);
        let tail = self.copy_reports(filed.case.id, number, off)?;
        let seen: Vec<Time> = off.batch.cores().iter().filter_map(|core| core.observed()).collect();
        let first = seen.iter().min().copied().unwrap_or(filed.case.first_seen);
        let last = seen.iter().max().copied().unwrap_or(filed.case.last_seen);
        let address = off.batch.cores().first().map(|core| core.address).filter(|address| *address != Address::NONE);
        self.execute(
            "-- merges::split
             INSERT INTO cases (id, public, key, kind, state, holder, chain, address, opened, first_seen, last_seen, first_notice,
                 reports, tail, history, severity, policy, rule, traits, confidence, reporter, marks, acknowledge_due, customer_due,
                 fix_due, force_due, told, rung, handler, snoozed, disputed, ordered, received, last_received, feed, feed_run,
                 closed, closure, next_due)
             SELECT $2, $3, $4, kind, 0, $5, $6, $7, $8, $9, $10, first_notice,
                 $11, $12, history, severity, policy, rule, traits, confidence, reporter, marks, acknowledge_due, customer_due,
                 fix_due, force_due, told, rung, handler, snoozed, disputed, ordered, received, last_received, feed, feed_run,
                 NULL, NULL, $8
             FROM cases WHERE id = $1",
            (
                filed.case.id,
                number,
                public.0.to_be_bytes(),
                &off.key.0,
                off.holder.unwrap_or(0),
                off.chain,
                address.map(Address::bytes),
                now.0,
                first.0,
                last.0,
                off.kept.len() as i64,
                tail,
            ),
        )?;
        Ok(public)
    }

    /// Writes reports again for another case, one batch for each submission they came from; the first of the last run.
    fn copy_reports(&self, old: i64, new: i64, off: &SplitOff<'_>) -> Result<i64, Error> {
        let mut compressor = compressor()?;
        let mut order: Vec<u32> = (0..off.kept.len() as u32).collect();
        order.sort_by_key(|at| (off.kept[*at as usize].submission, off.kept[*at as usize].ordinal));
        let mut prev: Option<i64> = None;
        for part in order.chunk_by(|a, b| off.kept[*a as usize].submission == off.kept[*b as usize].submission) {
            let Some(one) = part.first().map(|at| &off.kept[*at as usize]) else { continue };
            let batch = self.numbers("batches", 1)?;
            self.execute(
                "-- merges::batch
                 INSERT INTO batches (id, submission, format, received, count)
                 SELECT $1, submission, format, received, $3 FROM batches WHERE id = $2",
                (batch, one.id / BATCH, part.len() as i64),
            )?;
            let first = batch * BATCH;
            for (number, chunk) in part.chunks(CHUNK as usize).enumerate() {
                let packed = pack(off.batch, chunk, &mut compressor)?;
                self.execute(
                    "-- merges::fields\nINSERT INTO fields (id, data) VALUES ($1, $2)",
                    (first / CHUNK + number as i64, packed),
                )?;
            }
            for (place, at) in part.iter().enumerate() {
                let report = off.batch.report(*at as usize);
                let kept = &off.kept[*at as usize];
                self.execute(
                    "-- merges::report
                     INSERT INTO reports (id, case_id, prev, ordinal, observed, address, port, kind, confidence, labels)
                     SELECT $1, $2, $3, ordinal, observed, address, port, kind, confidence, $5 FROM reports WHERE id = $4",
                    (first + place as i64, new, prev.filter(|_| place == 0), kept.id, labels(&report)),
                )?;
                self.execute(
                    "-- merges::moved\nUPDATE reports SET case_id = $3 WHERE id = $1 AND case_id = $2",
                    (kept.id, old, -old),
                )?;
            }
            prev = Some(first);
        }
        prev.ok_or_else(|| Error::Damaged("a case cannot be split off without reports".to_owned()))
    }

    /// Earliest and latest sighting among a case's own reports; `None` when none states a time.
    ///
    /// # Errors
    /// As [`Transaction::reports_of`].
    pub fn seen_between(&self, filed: &Filed, most: usize) -> Result<Option<(Time, Time)>, Error> {
        let mut select = self.prepare("-- merges::observed\nSELECT observed FROM reports WHERE id = $1")?;
        let mut seen: Option<(Time, Time)> = None;
        for id in self.report_ids(filed.case.id, filed.tail, most)? {
            let observed: Option<i64> = select.query_row([id], |row| row.get(0))?;
            if let Some(time) = observed.map(Time) {
                seen = Some(seen.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
            }
        }
        Ok(seen)
    }
}
