//! Erasing: what retention and `forget` take away, and the record that it was done.
//!
//! Raw submissions go by their keys ([`crate::keys`]); here are the rows. What is counted by the day stays.

pub mod cuts;
mod fields;
mod places;

use std::collections::HashSet;

use model::submission::PublicId;
use model::time::Time;

pub use places::{Found, Of, PLACES, Place};

use cuts::Cut;

use crate::Error;
use crate::cases::Filed;
use crate::db::Transaction;
use crate::holds::What;
use crate::sealed::what;

/// Where the bytes of a submission are, in its row: here no more.
const GONE: i64 = 2;

/// A submission whose bytes are to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Row number.
    pub id: i64,
    /// Its identifier.
    pub public: PublicId,
    /// Its bytes, as they came.
    pub size: u64,
}

/// What was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// When.
    pub at: Time,
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// Who wanted it; empty for the program.
    pub person: String,
    /// How many.
    pub count: u64,
    /// How many bytes, as far as that is known.
    pub bytes: u64,
}

/// What went of cases or batches, and what goes of the seal with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Reports.
    pub reports: u64,
    /// Bytes that were freed.
    pub bytes: u64,
    /// Keys that are to be cut out: see [`Transaction::begin_erasing`].
    pub cuts: Vec<Cut>,
}

/// Rows that go when they are older than a moment, counted and erased by a statement each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// Strikes.
    Strikes,
    /// The addresses of reporters to whom receipts went, or did not.
    Receipts,
    /// Entries of the outbox that are about no case any more.
    Entries,
    /// Alerts that are over.
    Alerts,
    /// Orders that were decided.
    Orders,
    /// What is known of parties that are gone, beside their names: contacts and how they were looked into.
    Parties,
    /// What people did, when it was done to cases that are all gone.
    Acts,
}

impl Old {
    /// All of them.
    pub const ALL: &'static [Old] =
        &[Old::Strikes, Old::Receipts, Old::Entries, Old::Alerts, Old::Orders, Old::Parties, Old::Acts];

    /// What people see.
    pub fn word(self) -> &'static str {
        match self {
            Old::Strikes => "strikes",
            Old::Receipts => "addresses of reporters",
            Old::Entries => "letters",
            Old::Alerts => "alerts",
            Old::Orders => "orders",
            Old::Parties => "contacts of parties that are gone",
            Old::Acts => "acts",
        }
    }

    fn count(self) -> &'static str {
        match self {
            Old::Strikes => {
                "-- erasures::strikes
                 SELECT count(*) FROM strikes WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.ended IS NULL
                     AND ((h.what = 0 AND h.target = strikes.case_id) OR (h.what = 1 AND h.target = strikes.party)))"
            }
            Old::Receipts => {
                "-- erasures::receipts\nSELECT count(*) FROM outbox WHERE purpose = 0 AND delivery <> 0 AND ended < $1 AND subject <> ''"
            }
            Old::Entries => {
                "-- erasures::entries
                 SELECT count(*) FROM outbox WHERE delivery <> 0 AND ended < $1
                     AND NOT EXISTS (SELECT 1 FROM outbox_cases c WHERE c.entry = outbox.id)"
            }
            Old::Alerts => "-- erasures::alerts\nSELECT count(*) FROM alerts WHERE ended < $1",
            Old::Orders => "-- erasures::orders\nSELECT count(*) FROM orders WHERE decided < $1",
            Old::Parties => {
                "-- erasures::parties
                 SELECT count(*) FROM parties WHERE gone < $1 AND (mails <> '' OR phones <> '' OR kyc_method <> '' OR kyc_result <> ''
                     OR EXISTS (SELECT 1 FROM contacts c WHERE c.party = parties.id))
                     AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.what = 1 AND h.target = parties.id AND h.ended IS NULL)"
            }
            Old::Acts => {
                "-- erasures::acts
                 SELECT count(*) FROM acts WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM act_cases c WHERE c.act = acts.id)"
            }
        }
    }

    fn erase(self) -> &'static [&'static str] {
        match self {
            Old::Strikes => &["-- erasures::erase_strikes
                 DELETE FROM strikes WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.ended IS NULL
                     AND ((h.what = 0 AND h.target = strikes.case_id) OR (h.what = 1 AND h.target = strikes.party)))"],
            Old::Receipts => &["-- erasures::erase_receipts
                 UPDATE outbox SET subject = '' WHERE purpose = 0 AND delivery <> 0 AND ended < $1 AND subject <> ''"],
            Old::Entries => &["-- erasures::erase_entries
                 DELETE FROM outbox WHERE delivery <> 0 AND ended < $1
                     AND NOT EXISTS (SELECT 1 FROM outbox_cases c WHERE c.entry = outbox.id)"],
            Old::Alerts => &[
                "-- erasures::erase_told
                 DELETE FROM alert_told WHERE alert IN (SELECT id FROM alerts WHERE ended < $1)",
                "-- erasures::erase_alerts\nDELETE FROM alerts WHERE ended < $1",
            ],
            Old::Orders => &["-- erasures::erase_orders\nDELETE FROM orders WHERE decided < $1"],
            Old::Parties => &[
                "-- erasures::erase_contacts
                 DELETE FROM contacts WHERE party IN (SELECT p.id FROM parties p WHERE p.gone < $1
                     AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.what = 1 AND h.target = p.id AND h.ended IS NULL))",
                "-- erasures::erase_parties
                 UPDATE parties SET mails = '', phones = '', kyc_checked = NULL, kyc_method = '', kyc_result = '',
                     traceable_payment = NULL
                 WHERE gone < $1
                     AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.what = 1 AND h.target = parties.id AND h.ended IS NULL)",
            ],
            Old::Acts => &["-- erasures::erase_acts
                 DELETE FROM acts WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM act_cases c WHERE c.act = acts.id)"],
        }
    }
}

impl Transaction<'_> {
    /// Submissions above number `after`, received before `before` and read, whose bytes are still here; oldest first, at
    /// most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn old_raw(&self, before: Time, after: i64, most: u32) -> Result<Vec<Raw>, Error> {
        let mut select = self.prepare(
            "-- erasures::old_raw
             SELECT id, public, size FROM submissions WHERE id > $1 AND received < $2 AND place < 2 AND progress <> 0
             ORDER BY id LIMIT $3",
        )?;
        let rows = select.query_map((after, before.0, most), |row| {
            Ok(Raw { id: row.get(0)?, public: PublicId(u128::from_be_bytes(row.get(1)?)), size: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Erases what is left of a submission's bytes when its key is destroyed and its file removed: what was set aside of
    /// it, and remarks. Its row stays.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erase_raw(&self, submission: i64) -> Result<(), Error> {
        self.execute("-- erasures::frames\nDELETE FROM raw WHERE submission = $1", [submission])?;
        self.execute("-- erasures::set_aside\nDELETE FROM set_aside WHERE submission = $1", [submission])?;
        self.execute("-- erasures::notes\nDELETE FROM notes WHERE submission = $1", [submission])?;
        // What was proved stays, and who could be answered; whose mailbox it was does not.
        self.execute(
            "-- erasures::sender
             UPDATE senders SET address = '', detail = '', mail_from = NULL, peer = NULL, helo = '', next_try = NULL
             WHERE submission = $1",
            [submission],
        )?;
        self.execute("-- erasures::gone\nUPDATE submissions SET place = $2, sha256 = NULL WHERE id = $1", (submission, GONE))?;
        Ok(())
    }

    /// Submissions that reports of held cases came in.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn held_submissions(&self) -> Result<HashSet<i64>, Error> {
        let mut cases = Vec::new();
        for held in self.holds(false)? {
            match held.what {
                What::Case => cases.push(held.target),
                What::Party => {
                    let mut select = self.prepare("-- erasures::cases_of\nSELECT id FROM cases WHERE holder = $1")?;
                    let of_party: Vec<i64> = select.query_map([held.target], |row| row.get(0))?.collect::<Result<_, _>>()?;
                    cases.extend(of_party);
                }
            }
        }
        let mut submissions = HashSet::new();
        let mut select = self.prepare("-- erasures::submission_of\nSELECT submission FROM batches WHERE id = $1")?;
        for case in cases {
            let Some(filed) = self.case(case)? else { continue };
            let mut batches: Vec<i64> =
                self.report_ids(case, filed.tail, usize::MAX)?.into_iter().map(|id| id / crate::reports::BATCH).collect();
            batches.dedup();
            for batch in batches {
                submissions.insert(select.query_row([batch], |row| row.get(0))?);
            }
        }
        Ok(submissions)
    }

    /// Closed cases above number `after` that were closed before `before`, at most `most`; with `reduced`, also those of
    /// which only the frame is left.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn closed_before(&self, before: Time, after: i64, reduced: bool, most: u32) -> Result<Vec<i64>, Error> {
        let mut select = self.prepare(
            "-- erasures::closed
             SELECT id FROM cases WHERE id > $1 AND closed < $2 AND state <> 0 AND ($3 = 1 OR key <> $4) ORDER BY id LIMIT $5",
        )?;
        let none: &[u8] = &[];
        let rows = select.query_map((after, before.0, i64::from(reduced), none, most), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a strike stands on a case.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn has_strike(&self, case: i64) -> Result<bool, Error> {
        let mut select = self.prepare("-- erasures::has_strike\nSELECT EXISTS (SELECT 1 FROM strikes WHERE case_id = $1)")?;
        Ok(select.query_row([case], |row| row.get(0))?)
    }

    /// Reduces a case to its frame: kind, holder, times and counts stay, what it was about and what was reported do not.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn reduce_case(&self, filed: &Filed) -> Result<Gone, Error> {
        let case = filed.case.id;
        self.erase_locations(filed, true)?;
        let ids = self.report_ids(case, filed.tail, usize::MAX)?;
        let mut erased = self.erase_with_seal(&ids)?;
        erased.cuts.extend(self.cuts_of_stream(what::CASE, case)?);
        self.forget_unsealed(what::CASE, case)?;
        for text in [
            "-- erasures::steps\nDELETE FROM steps WHERE case_id = $1",
            "-- erasures::case_days\nDELETE FROM case_days WHERE case_id = $1",
            "-- erasures::holder_changes\nDELETE FROM holder_changes WHERE case_id = $1",
            "-- erasures::act_cases\nDELETE FROM act_cases WHERE case_id = $1",
            "-- erasures::outbox_cases\nDELETE FROM outbox_cases WHERE case_id = $1",
            "-- erasures::unsealed_evidence
             DELETE FROM unsealed WHERE what = 2 AND target IN (SELECT id FROM evidence WHERE case_id = $1)",
            "-- erasures::unsealed_issued
             DELETE FROM unsealed WHERE what = 4 AND target IN (SELECT id FROM issued WHERE case_id = $1)",
            "-- erasures::evidence\nDELETE FROM evidence WHERE case_id = $1",
            "-- erasures::issued\nDELETE FROM issued WHERE case_id = $1",
        ] {
            self.execute(text, [case])?;
        }
        let none: &[u8] = &[];
        self.execute(
            "-- erasures::reduce
             UPDATE cases SET key = $2, address = NULL, traits = 0, handler = '', reporter = 0, chain = NULL WHERE id = $1",
            (case, none),
        )?;
        Ok(erased)
    }

    /// Erases a case with all that belongs to it; strikes stay.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erase_case(&self, filed: &Filed) -> Result<Gone, Error> {
        let erased = self.reduce_case(filed)?;
        self.execute("-- erasures::merges\nDELETE FROM merges WHERE case_id = $1 OR into_case = $1", [filed.case.id])?;
        self.execute("-- erasures::case\nDELETE FROM cases WHERE id = $1", [filed.case.id])?;
        Ok(erased)
    }

    fn erase_with_seal(&self, ids: &[i64]) -> Result<Gone, Error> {
        let mut cuts = self.cuts_of_reports(ids.iter().copied())?;
        let (reports, bytes) = self.erase_reports(ids)?;
        cuts.extend(self.cuts_of_empty_batches(ids.iter().copied())?);
        Ok(Gone { reports, bytes, cuts })
    }

    /// Erases the ciphertext of the locations that a case's reports name; with `whole`, also the hash by which they are
    /// found again. How many there were.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erase_locations(&self, filed: &Filed, whole: bool) -> Result<u64, Error> {
        if !filed.case.kind.is_child_abuse() {
            return Ok(0);
        }
        let ids = self.report_ids(filed.case.id, filed.tail, usize::MAX)?;
        let mut count = 0;
        for id in ids {
            count += self.erase_location(id, whole)?;
        }
        Ok(count)
    }

    fn erase_location(&self, report: i64, whole: bool) -> Result<u64, Error> {
        let mut select = self.prepare(
            "-- erasures::place_of\nSELECT b.submission, r.ordinal FROM reports r JOIN batches b ON b.id = r.id / 1048576 WHERE r.id = $1",
        )?;
        let places: Vec<(i64, i64)> =
            select.query_map([report], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let Some(&(submission, ordinal)) = places.first() else { return Ok(0) };
        let changed = if whole {
            self.execute(
                "-- erasures::location\nDELETE FROM locations WHERE submission = $1 AND ordinal = $2",
                (submission, ordinal),
            )?
        } else {
            let none: &[u8] = &[];
            self.execute(
                "-- erasures::sealed
                 UPDATE locations SET sealed = $3 WHERE submission = $1 AND ordinal = $2 AND sealed <> $3",
                (submission, ordinal, none),
            )?
        };
        Ok(changed as u64)
    }

    /// Erases reports that are in no case, of batches above number `after` that were received before `before`; at most
    /// `most` batches. The last batch, and what was erased.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erase_caseless(&self, before: Time, after: i64, most: u32) -> Result<Option<(i64, Gone)>, Error> {
        let mut select =
            self.prepare("-- erasures::batches\nSELECT id FROM batches WHERE id > $1 AND received < $2 ORDER BY id LIMIT $3")?;
        let batches: Vec<i64> = select.query_map((after, before.0, most), |row| row.get(0))?.collect::<Result<_, _>>()?;
        let Some(&last) = batches.last() else { return Ok(None) };
        let mut gone = Gone::default();
        for batch in batches {
            let mut select = self.prepare(
                "-- erasures::caseless\nSELECT id FROM reports WHERE id >= $1 AND id < $2 AND case_id = 0 ORDER BY id",
            )?;
            let range = (batch * crate::reports::BATCH, (batch + 1) * crate::reports::BATCH);
            let ids: Vec<i64> = select.query_map(range, |row| row.get(0))?.collect::<Result<_, _>>()?;
            for &id in &ids {
                self.erase_location(id, true)?;
            }
            let erased = self.erase_with_seal(&ids)?;
            gone.reports += erased.reports;
            gone.bytes += erased.bytes;
            gone.cuts.extend(erased.cuts);
        }
        Ok(Some((last, gone)))
    }

    /// How many rows are older than `before`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn count_old(&self, old: Old, before: Time) -> Result<u64, Error> {
        Ok(self.prepare(old.count())?.query_row([before.0], |row| row.get(0))?)
    }

    /// Erases them; how many they were.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erase_old(&self, old: Old, before: Time) -> Result<u64, Error> {
        let count = self.count_old(old, before)?;
        if count > 0 {
            for text in old.erase() {
                self.execute(text, [before.0])?;
            }
        }
        Ok(count)
    }

    /// Writes down that something was erased.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn record_erasure(&self, erasure: &Erasure) -> Result<(), Error> {
        let id = self.numbers("erasures", 1)?;
        let Erasure { at, what, why, person, count, bytes } = erasure;
        self.execute(
            "-- erasures::record
             INSERT INTO erasures (id, at, what, why, person, count, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            (id, at.0, what, why, person, *count, *bytes),
        )?;
        Ok(())
    }

    /// What was erased, newest first, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erasures(&self, most: u32) -> Result<Vec<Erasure>, Error> {
        let mut select = self
            .prepare("-- erasures::list\nSELECT at, what, why, person, count, bytes FROM erasures ORDER BY id DESC LIMIT $1")?;
        let rows = select.query_map([most], |row| {
            Ok(Erasure {
                at: Time(row.get(0)?),
                what: row.get(1)?,
                why: row.get(2)?,
                person: row.get(3)?,
                count: row.get(4)?,
                bytes: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
