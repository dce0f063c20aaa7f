//! Retention: what is kept for how long, and what becomes of it then. In small steps; what breaks off is gone on with.
//!
//! A raw submission goes by its key first, then its file, then what is in its row: a step that was done is seen to be
//! done, so any of them may be the last before the power fails. What a person holds for the law stays.

use model::time::{DAY, Time};
use store::erasures::cuts::Cut;
use store::erasures::{Erasure, Old};

use crate::backup::{places, remove};
use crate::{Desk, Error};

/// Submissions or cases in one transaction.
const TOGETHER: u32 = 200;

/// How long things are kept, in days; 0 for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// The bytes of a submission, from its arrival; what was read of it stays.
    pub raw: u32,
    /// A case with its reports, journal and letters, from its end.
    pub case: u32,
    /// What counts against a party.
    pub strike: u32,
    /// The encrypted location of child abuse material, from the end of its case.
    pub location: u32,
    /// Such a case: then only its frame stays.
    pub child_abuse_case: u32,
    /// The address of a reporter who got a receipt.
    pub receipt: u32,
    /// An alert, from its end.
    pub alert: u32,
    /// Contacts of a party, and how it was looked into, from when it was gone.
    pub party: u32,
}

impl Default for Periods {
    fn default() -> Periods {
        Periods { raw: 90, case: 730, strike: 1_095, location: 30, child_abuse_case: 365, receipt: 183, alert: 365, party: 183 }
    }
}

/// One thing that retention did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What.
    pub what: &'static str,
    /// Why: the period.
    pub why: String,
    /// How many.
    pub count: u64,
    /// Bytes, as far as they are known.
    pub bytes: u64,
}

impl Desk {
    /// Erases what is older than it may be, and writes down that it was done; with `dry_run`, only counts it. After
    /// [`Desk::stop`] it ends early, and the next run goes on.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; what was erased until then is.
    pub fn retain(&self, periods: &Periods, dry_run: bool) -> Result<Vec<Done>, Error> {
        let now = self.now();
        let mut done = Vec::new();
        let mut settle = |what: &'static str, days: u32, (count, bytes): (u64, u64)| -> Result<(), Error> {
            if count == 0 {
                return Ok(());
            }
            let why = kept_for(days);
            if !dry_run {
                let erasure = Erasure { at: now, what: what.to_owned(), why: why.clone(), person: String::new(), count, bytes };
                self.store.write("retention", |transaction| transaction.record_erasure(&erasure))?;
            }
            done.push(Done { what, why, count, bytes });
            Ok(())
        };
        if let Some(before) = before(now, periods.raw) {
            settle("raw submissions", periods.raw, self.retain_raw(before, dry_run)?)?;
        }
        let because = |days: u32| Because { ground: kept_for(days), until: self.copies_end().map_or(0, |end| end.0) };
        if let Some(before) = before(now, periods.location) {
            settle("locations of child abuse material", periods.location, (self.retain_locations(before, dry_run)?, 0))?;
        }
        if let Some(before) = before(now, periods.child_abuse_case) {
            let reduced = self.retain_cases(before, true, dry_run, &because(periods.child_abuse_case))?;
            settle("cases of child abuse material, but for their frame", periods.child_abuse_case, reduced)?;
        }
        if let Some(before) = before(now, periods.strike) {
            settle(Old::Strikes.word(), periods.strike, (self.retain_old(Old::Strikes, before, dry_run)?, 0))?;
        }
        if let Some(before) = before(now, periods.case) {
            settle("cases", periods.case, self.retain_cases(before, false, dry_run, &because(periods.case))?)?;
            if !dry_run {
                settle("reports in no case", periods.case, self.retain_caseless(before, &because(periods.case))?)?;
            }
            for old in [Old::Entries, Old::Orders, Old::Acts] {
                settle(old.word(), periods.case, (self.retain_old(old, before, dry_run)?, 0))?;
            }
        }
        for (old, days) in [(Old::Receipts, periods.receipt), (Old::Alerts, periods.alert), (Old::Parties, periods.party)] {
            if let Some(before) = before(now, days) {
                settle(old.word(), days, (self.retain_old(old, before, dry_run)?, 0))?;
            }
        }
        if !dry_run {
            // What the log cannot take now is tried again; it keeps nothing else from going.
            let finished = self.finish_erasing();
            if !done.is_empty() {
                self.wipe()?;
            }
            finished?;
        }
        Ok(done)
    }

    /// Runs [`Desk::retain`] when it has not been run on this day and it is `hour` o'clock (UTC) or later; what it did,
    /// `None` when it was not the time.
    ///
    /// # Errors
    /// As [`Desk::retain`].
    pub fn retain_daily(&self, periods: &Periods, hour: u8) -> Result<Option<Vec<Done>>, Error> {
        let now = self.now();
        let today = now.plus(-i64::from(hour) * (DAY / 24)).day();
        let last = self.store.reader()?.read(|transaction| transaction.counter("retained"))?;
        // A clock that was set back does not make a day come twice.
        if last >= today {
            self.finish_erasing()?;
            return Ok(None);
        }
        let done = self.retain(periods, false)?;
        self.store.keys().renew_if_cut()?;
        if !self.is_stopping() {
            self.store.write("retained", |transaction| transaction.set_counter("retained", today))?;
        }
        Ok(Some(done))
    }

    /// Brings what was erased out of the logs of the databases too, and keys that were destroyed out of the world: what is left of
    /// them was encrypted under the generation before.
    pub(crate) fn wipe(&self) -> Result<(), Error> {
        self.store.checkpoint()?;
        self.store.keys().renew_if_cut()?;
        Ok(self.store.keys().checkpoint()?)
    }

    fn retain_raw(&self, before: Time, dry_run: bool) -> Result<(u64, u64), Error> {
        let mut sum = (0, 0);
        let mut after = 0;
        let mut reader = self.store.reader()?;
        let held = reader.read(|transaction| transaction.held_submissions())?;
        while !self.is_stopping() {
            let mut page = reader.read(|transaction| transaction.old_raw(before, after, TOGETHER))?;
            let Some(last) = page.last() else { break };
            after = last.id;
            page.retain(|raw| !held.contains(&raw.id));
            sum = (sum.0 + page.len() as u64, sum.1 + page.iter().map(|raw| raw.size).sum::<u64>());
            if !dry_run {
                self.destroy_raw(&page)?;
            }
            self.beat();
        }
        Ok(sum)
    }

    /// Destroys the bytes of submissions, beyond recovery.
    pub(crate) fn destroy_raw(&self, raws: &[store::erasures::Raw]) -> Result<(), Error> {
        let publics: Vec<_> = raws.iter().map(|raw| raw.public).collect();
        self.store.keys().destroy(&publics)?;
        for &public in &publics {
            remove(&store::raw::path(self.store.directory(), public))?;
        }
        Ok(self.store.write("destroy", |transaction| raws.iter().try_for_each(|raw| transaction.erase_raw(raw.id)))?)
    }

    fn retain_locations(&self, before: Time, dry_run: bool) -> Result<u64, Error> {
        let mut count = 0;
        self.each_closed(before, false, None, |transaction, filed, _| {
            if filed.case.kind.is_child_abuse() && !dry_run {
                count += transaction.erase_locations(filed, false)?;
            }
            Ok(())
        })?;
        Ok(count)
    }

    /// Erases closed cases; those of child abuse material only are reduced, with `reduce`.
    fn retain_cases(&self, before: Time, reduce: bool, dry_run: bool, because: &Because) -> Result<(u64, u64), Error> {
        let mut sum = (0, 0);
        self.each_closed(before, !reduce, Some(because), |transaction, filed, cuts| {
            if reduce && !filed.case.kind.is_child_abuse() {
                return Ok(());
            }
            let keeps_frame = reduce || transaction.has_strike(filed.case.id)?;
            if keeps_frame && filed.case.key.0.is_empty() {
                return Ok(());
            }
            sum.0 += 1;
            if !dry_run {
                let erased = if keeps_frame { transaction.reduce_case(filed)? } else { transaction.erase_case(filed)? };
                sum.1 += erased.bytes;
                cuts.extend(erased.cuts);
            }
            Ok(())
        })?;
        Ok(sum)
    }

    /// Does something with each case that was closed before a moment and is not held, a few in each transaction.
    fn each_closed(
        &self,
        before: Time,
        reduced: bool,
        because: Option<&Because>,
        mut each: impl FnMut(&store::Transaction<'_>, &store::cases::Filed, &mut Vec<Cut>) -> Result<(), store::Error>,
    ) -> Result<(), Error> {
        let mut after = 0;
        while !self.is_stopping() {
            let last = self.store.write("retention", |transaction| {
                let cases = transaction.closed_before(before, after, reduced, TOGETHER)?;
                let mut cuts = Vec::new();
                for &case in &cases {
                    let into = transaction.merged_into(case)?;
                    let held =
                        transaction.is_case_held(case)? || into.map_or(Ok(false), |into| transaction.is_case_held(into))?;
                    if let Some(filed) = transaction.case(case)?.filter(|_| !held) {
                        each(transaction, &filed, &mut cuts)?;
                    }
                }
                if let Some(because) = because {
                    transaction.begin_erasing(&cuts, &because.ground, "", because.until)?;
                }
                Ok::<_, store::Error>(cases.last().copied())
            })?;
            let Some(last) = last else { break };
            after = last;
            self.beat();
        }
        Ok(())
    }

    fn retain_caseless(&self, before: Time, because: &Because) -> Result<(u64, u64), Error> {
        let mut sum = (0, 0);
        while !self.is_stopping() {
            let more = self.store.write("retention", |transaction| {
                let after = transaction.counter("retained_batch")?;
                let Some((last, erased)) = transaction.erase_caseless(before, after, TOGETHER)? else { return Ok(false) };
                sum = (sum.0 + erased.reports, sum.1 + erased.bytes);
                transaction.begin_erasing(&erased.cuts, &because.ground, "", because.until)?;
                transaction.set_counter("retained_batch", last)?;
                Ok::<_, store::Error>(true)
            })?;
            if !more {
                break;
            }
            self.beat();
        }
        Ok(sum)
    }

    fn retain_old(&self, old: Old, before: Time, dry_run: bool) -> Result<u64, Error> {
        if dry_run {
            return Ok(self.store.reader()?.read(|transaction| transaction.count_old(old, before))?);
        }
        Ok(self.store.write("retention", |transaction| transaction.erase_old(old, before))?)
    }

    /// Holds a case or a party for the law: nothing of it is erased until that ends.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a reason, [`Error::NotFound`], [`Error::Conflict`] when it is held already.
    pub fn hold(&self, what: store::holds::What, target: i64, reason: &str, by: &str) -> Result<(), Error> {
        if reason.trim().is_empty() || reason.len() > 2_000 {
            return Err(Error::Invalid(
                "say why, in 1 to 2,000 bytes: the next one who looks has to know when it may end".into(),
            ));
        }
        let now = self.now();
        self.store.write("hold", |transaction| {
            if transaction.hold(what, target, reason.trim(), by, now)? {
                return Ok(());
            }
            Err(Error::Conflict(format!("this {} is held already; 'sluis hold list' shows why", what.word())))
        })
    }

    /// Ends a hold.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub fn end_hold(&self, what: store::holds::What, target: i64, by: &str) -> Result<(), Error> {
        let now = self.now();
        self.store.write("end hold", |transaction| {
            if transaction.end_hold(what, target, by, now)? {
                return Ok(());
            }
            Err(Error::NotFound(format!("this {} is not held", what.word())))
        })
    }

    /// The folders into which backups were made, for people who erase.
    pub fn backup_places(&self) -> Vec<String> {
        places(self.store.directory())
    }
}

/// What records of erasures say.
struct Because {
    ground: String,
    /// When the last copy of the keys ends; 0 when there is none.
    until: i64,
}

fn kept_for(days: u32) -> String {
    format!("kept for {days} days")
}

/// The moment before which things go; `None` when they stay for ever.
fn before(now: Time, days: u32) -> Option<Time> {
    (days > 0).then(|| now.plus(-i64::from(days) * DAY))
}
