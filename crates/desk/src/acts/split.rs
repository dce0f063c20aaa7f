//! Splitting: some of a case's reports get a case of their own.

use model::address::Address;
use model::case::State;
use model::report::{Batch, Core};
use model::step::What;
use model::submission::PublicId;
use model::time::Time;
use store::Transaction;
use store::cases::Filed;
use store::merges::SplitOff;
use store::reports::Kept;

use super::before::Before;
use super::step;
use crate::{Desk, Error};

/// Reports of a case that can be split at once.
const MOST: usize = 100_000;

/// Which reports of a case. Everything that is not set is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pick {
    /// Those about this address.
    pub address: Option<Address>,
    /// Those of abuse that was seen at this time or later.
    pub from: Option<Time>,
    /// Those of abuse that was seen before this.
    pub to: Option<Time>,
    /// Those of this submission.
    pub submission: Option<PublicId>,
    /// Those at these places in their submissions; empty for any.
    pub ordinals: Vec<u32>,
}

impl Pick {
    fn takes(&self, core: &Core, kept: &Kept) -> bool {
        self.address.is_none_or(|address| core.address == address)
            && self.from.is_none_or(|from| core.observed().is_some_and(|seen| seen >= from))
            && self.to.is_none_or(|to| core.observed().is_some_and(|seen| seen < to))
            && self.submission.is_none_or(|submission| kept.submission_public == submission)
            && (self.ordinals.is_empty() || self.ordinals.contains(&kept.ordinal))
    }
}

/// What splitting came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Row number of the act, by which it can be undone.
    pub act: i64,
    /// The identifier of the act.
    pub public: PublicId,
    /// Row number of the new case.
    pub case: i64,
    /// The identifier of the new case.
    pub case_public: PublicId,
    /// How many reports went there.
    pub reports: u64,
}

impl Desk {
    /// Gives some of an open case's reports a case of their own. That one stands where the old one stood, with the same clocks;
    /// further reports of the problem join the old one.
    ///
    /// # Errors
    /// [`Error::Invalid`] when all or none of the reports are meant, [`Error::NotFound`], [`Error::Conflict`] for a closed case,
    /// [`Error::Unavailable`].
    pub fn split(&self, case: i64, pick: &Pick, by: &str, reason: &str) -> Result<Split, Error> {
        if by.trim().is_empty() || reason.trim().is_empty() {
            return Err(Error::Invalid("say who does it, and why: it is kept with the case".to_owned()));
        }
        let now = self.now();
        self.store.write("split", |transaction| {
            transaction.lock_cases(&[case])?;
            let Some((mut filed, standing)) = transaction.case_standing(case)? else {
                return Err(Error::NotFound(format!("there is no case {case}")));
            };
            if filed.case.state != State::Open {
                return Err(Error::Conflict(format!("case {case} is closed: open it again first")));
            }
            let before = Before::of(&filed, &standing);
            let picked = pick_reports(transaction, &filed, |core, kept| pick.takes(core, kept))?;
            let number = transaction.next_case()?;
            let key = filed.case.key.split(number);
            let (holder, chain) = (filed.case.holder, filed.chain);
            let off = SplitOff { number, key, holder, chain, batch: &picked.0, kept: &picked.1 };
            let public = transaction.split_case(&filed, &off, now)?;
            shrink(transaction, &mut filed, picked.1.len() as u64)?;
            transaction.save_case(&filed, &standing)?;

            let (reason, count) = (reason.trim(), picked.1.len());
            let text = format!("{count} reports to case {public}: {reason}");
            transaction.add_step(case, &step(What::Split, now, &text, by))?;
            let text = format!("from case {}: {reason}", filed.case.public);
            transaction.add_step(number, &step(What::Opened, now, &text, by))?;
            let (act, act_public) = transaction.add_act("split", by.trim(), reason, 1, now)?;
            let mut kept = before;
            kept.add("split", number);
            transaction.add_act_case(act, case, &kept.text(&filed, &standing))?;
            Ok(Split { act, public: act_public, case: number, case_public: public, reports: count as u64 })
        })
    }
}

/// Loads those of a case's reports that are meant: some of them, not all.
pub(crate) fn pick_reports(
    transaction: &Transaction<'_>,
    filed: &Filed,
    takes: impl Fn(&Core, &Kept) -> bool,
) -> Result<(Batch, Vec<Kept>), Error> {
    if filed.case.reports > MOST as u64 {
        return Err(Error::Invalid(format!("case {} has more than {MOST} reports: it cannot be split", filed.case.id)));
    }
    let (batch, kept) = transaction.reports_of(&filed.case, filed.tail, MOST)?;
    let ids: Vec<i64> = kept.iter().filter(|kept| takes(&batch.cores()[kept.place], kept)).map(|kept| kept.id).collect();
    if ids.is_empty() {
        return Err(Error::Invalid("none of its reports is meant by that".to_owned()));
    }
    if ids.len() == kept.len() {
        return Err(Error::Invalid("all of its reports are meant by that: nothing would be left".to_owned()));
    }
    Ok(transaction.reports_by_id(&ids)?)
}

/// Lets a case be about what is left of it.
pub(crate) fn shrink(transaction: &Transaction<'_>, filed: &mut Filed, gone: u64) -> Result<(), Error> {
    filed.case.reports = filed.case.reports.saturating_sub(gone);
    if let Some((first, last)) = transaction.seen_between(filed, MOST)? {
        (filed.case.first_seen, filed.case.last_seen) = (first, last);
    }
    Ok(())
}
