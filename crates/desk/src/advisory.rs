//! Advice about weak points: what a submission brings is kept, and open cases about what is exploited are looked at again.
//!
//! Advice ends in letters to customers, and a catalogue of what is exploited makes cases worse. So nothing follows from what
//! anybody could have sent: it waits until a person accepts it. What the operator hands in, or has downloaded, is accepted.

use model::advisory::Advisory;
use model::submission::{Door, Submission};
use model::time::Time;
use parsers::formats::exchange::kev;
use store::Transaction;
use store::advisories::Kept;

use crate::decide::Context;
use crate::{Desk, Error};

/// Advice of one flush, on its way into a transaction.
pub(crate) struct Advice {
    submission: i64,
    received: Time,
    /// What somebody vouches for, and what nobody does.
    accepted: Vec<Advisory>,
    waiting: Vec<Advisory>,
    /// Whether a whole catalogue has been read to its end, so that what it does not name is off it.
    whole: bool,
}

impl Advice {
    /// What a flush brings; `whole` when it is the last of a submission that lost nothing. `None` when there is nothing to do.
    /// `plain` when it was downloaded without TLS: whoever is in between could have written it.
    pub(crate) fn of(
        submission: &Submission,
        brought: Vec<Advisory>,
        whole: bool,
        plain: bool,
        context: &Context<'_>,
    ) -> Option<Advice> {
        if brought.is_empty() && !whole {
            return None;
        }
        let is_ours = matches!(submission.door, Door::File | Door::Feed) && !plain;
        let vouches = |format: &str| is_ours || context.said("", format, None).authenticated;
        let (catalogue, documents) = (vouches(kev::FORMAT.name), vouches("csaf"));
        let is_accepted = |advisory: &Advisory| if advisory.exploited { catalogue } else { documents };
        let (accepted, waiting) = brought.into_iter().partition(is_accepted);
        Some(Advice { submission: submission.id, received: submission.received, accepted, waiting, whole: whole && catalogue })
    }

    /// Keeps it, and asks for open cases to be looked at again about what was not known to be exploited before.
    pub(crate) fn apply(&self, transaction: &Transaction<'_>, now: Time) -> Result<(), store::Error> {
        transaction.put_advisories(self.submission, self.received, false, "", &self.waiting)?;
        if self.accepted.is_empty() && !self.whole {
            return Ok(());
        }
        let before = transaction.exploited()?;
        transaction.put_advisories(self.submission, self.received, true, "", &self.accepted)?;
        if self.whole {
            transaction.end_catalogue(kev::PUBLISHER, self.submission, now)?;
        }
        wake(transaction, &before, now)
    }

    /// What a person should know of it; empty when nothing waits.
    pub(crate) fn note(&self) -> Option<(String, String)> {
        let count = self.waiting.len();
        (count > 0).then(|| {
            let text = format!(
                "{count} pieces of advice about weak points wait for a person, since nobody vouches for who sent them: \
                 'sluis advisory list --waiting' shows them"
            );
            (String::new(), text)
        })
    }

    /// Whether decisions may come out differently after it.
    pub(crate) fn matters(&self) -> bool {
        self.whole || self.accepted.iter().any(|advisory| advisory.exploited)
    }
}

fn wake(
    transaction: &Transaction<'_>,
    before: &std::collections::HashMap<model::advisory::Cve, bool>,
    now: Time,
) -> Result<(), store::Error> {
    let mut new = transaction.exploited()?;
    new.retain(|cve, ransomware| before.get(cve) != Some(ransomware));
    transaction.wake_cases_about(&new, now)?;
    Ok(())
}

impl Desk {
    /// A person accepts advice that waits. What it replaces is the accepted version of the same.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when it does not wait; [`Error::Unavailable`].
    pub fn accept_advice(&self, id: i64, person: &str) -> Result<(), Error> {
        let now = self.now();
        self.on_advice(id, |transaction, kept| {
            if kept.accepted || kept.withdrawn.is_some() {
                return Ok(Err(format!("advice {id} does not wait for anybody")));
            }
            let before = transaction.exploited()?;
            transaction.withdraw_advisory(id, person, now)?;
            transaction.put_advisories(kept.submission, kept.received, true, person, std::slice::from_ref(&kept.advisory))?;
            wake(transaction, &before, now)?;
            Ok(Ok(()))
        })
    }

    /// A person withdraws advice, or refuses what waits. What cases became by it they stay: only a person makes them better.
    ///
    /// # Errors
    /// As [`Desk::accept_advice`].
    pub fn withdraw_advice(&self, id: i64, person: &str) -> Result<(), Error> {
        let now = self.now();
        self.on_advice(id, |transaction, kept| {
            if kept.withdrawn.is_some() {
                return Ok(Err(format!("advice {id} is withdrawn already")));
            }
            transaction.withdraw_advisory(id, person, now)?;
            Ok(Ok(()))
        })
    }

    fn on_advice(
        &self,
        id: i64,
        mut act: impl FnMut(&Transaction<'_>, &Kept) -> Result<Result<(), String>, store::Error>,
    ) -> Result<(), Error> {
        let done = self.store.write("advice", |transaction| -> Result<_, store::Error> {
            transaction.advisory(id)?.map(|kept| act(transaction, &kept)).transpose()
        })?;
        self.forget_around();
        match done {
            Some(result) => result.map_err(Error::Conflict),
            None => Err(Error::NotFound(format!("there is no advice {id}; 'sluis advisory list' shows what there is"))),
        }
    }
}
