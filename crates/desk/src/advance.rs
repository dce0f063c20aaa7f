//! The clocks: every case whose moment has come is looked at again, in order, and what follows is committed with it.
//!
//! What a look came to is kept with the case in the same transaction as its steps and letters. So nothing happens twice
//! and nothing is lost, whenever a process ends, and after a standstill everything that came due happens in its order.
//! A clock that is set back does no harm either: what has happened is kept as a rung of the ladder, not as a time, and
//! what has not happened waits until its moment comes again.

use std::sync::PoisonError;

use model::outbox::{Hold, Purpose};
use model::policy::{Alarm, Closure, Decided, LOOK_AGAIN, Mode, decide};
use model::severity::Severity;
use model::time::{DAY, Time};
use store::Transaction;
use store::cases::Filed;
use store::clocks::{Around, Standing};
use store::outbox::{Wanted, gathered};

use crate::decide::{Look, is_stale};
use crate::policy::InForce;
use crate::{Desk, Error, Known};

/// Cases that are looked at in one transaction.
const TOGETHER: u32 = 500;

/// The counter that keeps by which version of the policy what waits was looked through.
const SETTLED: &str = "policy_settled";

/// What looking at cases came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Cases looked at.
    pub looked: u64,
    /// Those among them for which something was written into the journal.
    pub changed: u64,
    /// Those that were closed.
    pub closed: u64,
    /// Letters and restrictions that came into the outbox.
    pub errands: u64,
    /// When the next one is to be looked at.
    pub next: Option<Time>,
}

impl Desk {
    /// Looks at every case whose moment has come, in the order in which they came. After [`Desk::stop`] it returns with
    /// what was done until then.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database fails; what was committed stays, and the rest is looked at the next time.
    pub fn advance(&self) -> Result<Advanced, Error> {
        let mut advanced = Advanced::default();
        let in_force = self.policy();
        let around = self.store.reader()?.read(|transaction| transaction.around())?;
        *self.around.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::sync::Arc::new(around.clone()));
        self.settle_outbox(&in_force, &around)?;
        loop {
            if self.is_stopping() {
                return Ok(advanced);
            }
            let now = self.now();
            let (done, next) = self.store.write("advance", |transaction| {
                let known = self.known_now(transaction)?;
                let stale = around.stale(now);
                let mut look = Look::new(transaction, (&known, &in_force), (&around, &stale), now);
                let mut out = Out::default();
                for (filed, standing) in transaction.due_cases(now, TOGETHER)? {
                    look_at(&mut look, &filed, standing, &mut out)?;
                }
                out.done.errands = out.wanted.len() as u64;
                transaction.send(&mut out.wanted, &in_force.policy.brake, now)?;
                transaction.alarm_of_many(&mut out.alarms, now)?;
                Ok::<_, store::Error>((out.done, transaction.next_due()?))
            })?;
            self.beat();
            advanced.looked += done.looked;
            advanced.changed += done.changed;
            advanced.closed += done.closed;
            advanced.errands += done.errands;
            advanced.next = next;
            if done.looked < u64::from(TOGETHER) {
                return Ok(advanced);
            }
        }
    }

    /// The index as it is in this transaction.
    pub(crate) fn known_now(&self, transaction: &Transaction<'_>) -> Result<std::sync::Arc<Known>, store::Error> {
        let known = self.known();
        if transaction.counter("generation")? == known.generation {
            return Ok(known);
        }
        let (index, generation) = transaction.index()?;
        Ok(self.set_known(index, generation))
    }

    /// Brings what waits in line with a policy or sources that are others than the last time: cases are looked at that
    /// were only shown and no longer are, letters wait that may not go any more, and go that waited for a fresh source.
    fn settle_outbox(&self, in_force: &InForce, around: &Around) -> Result<(), Error> {
        let now = self.now();
        let stale = around.stale(now);
        let seen = self.settled.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if seen.as_ref().is_none_or(|(_, version)| *version != in_force.version) {
            self.store.write("settle policy", |transaction| {
                if transaction.counter(SETTLED)? == in_force.version {
                    return Ok(());
                }
                transaction.set_counter(SETTLED, in_force.version)?;
                for severity in Severity::ALL {
                    let observes = in_force.policy.care(severity).mode == Mode::Observe;
                    transaction.wake_observed(severity, observes, now)?;
                    if observes {
                        self.observe(transaction, severity)?;
                    }
                }
                Ok::<_, store::Error>(())
            })?;
        }
        if seen.as_ref().is_none_or(|(before, _)| *before != stale) {
            self.free_stale(in_force, around)?;
        }
        *self.settled.lock().unwrap_or_else(PoisonError::into_inner) = Some((stale, in_force.version));
        Ok(())
    }

    /// Holds what was free to go at a severity that is only shown now.
    fn observe(&self, transaction: &Transaction<'_>, severity: Severity) -> Result<(), store::Error> {
        let mut after = 0;
        loop {
            let page = transaction.held(Hold::Free, after, TOGETHER)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for entry in page.iter().filter(|entry| entry.severity == severity && entry.purpose != Purpose::Receipt) {
                transaction.set_hold(entry, Hold::Observing, "", "the policy only shows what would be sent")?;
            }
        }
    }

    /// Lets go of what waited for a source that is fresh again, as far as the brake allows.
    fn free_stale(&self, in_force: &InForce, around: &Around) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let now = self.now();
            let stale = around.stale(now);
            let more = self.store.write("free stale", |transaction| {
                let page = transaction.held(Hold::StaleSource, after, TOGETHER)?;
                let Some(last) = page.last() else { return Ok(false) };
                after = last.id;
                for entry in &page {
                    let mut waits = false;
                    for case in transaction.cases_of_entry(entry.id, 50)? {
                        if let Some(filed) = transaction.case(case)? {
                            waits |= is_stale(&transaction.chain(filed.chain)?, &stale);
                        }
                    }
                    if !waits {
                        transaction.let_go(entry, &in_force.policy.brake, "", "the source is fresh again", now)?;
                    }
                }
                Ok::<_, store::Error>(true)
            })?;
            if !more {
                return Ok(());
            }
        }
    }
}

/// What looking at many cases leaves to be done together.
#[derive(Default)]
struct Out {
    wanted: Vec<Wanted>,
    /// About cases of which anybody may have written.
    alarms: Vec<(Alarm, Severity)>,
    done: Advanced,
}

/// Looks at one case, and writes what follows.
fn look_at(look: &mut Look<'_>, filed: &Filed, mut standing: Standing, out: &mut Out) -> Result<(), store::Error> {
    let (transaction, now, case) = (look.transaction, look.now, filed.case.id);
    out.done.looked += 1;
    let was_observed = standing.decided().is_some_and(|progress| progress.observed);
    let facts = match look.facts(filed, &mut standing) {
        Ok(facts) => facts,
        // Whoever opens the case is told what is damaged; the others have clocks too.
        Err(store::Error::Damaged(_)) => return transaction.look_later(case, now.plus(DAY)),
        Err(error) => return Err(error),
    };
    let policy = &look.in_force.policy;
    let decided: Decided = decide(&facts, policy, now);
    let next = decided.next.map(|next| next.min(now.plus(LOOK_AGAIN)));
    transaction.set_progress(filed, &decided.progress, (&standing.rule, look.in_force.version), next)?;
    if was_observed && !decided.progress.observed {
        transaction.withdraw_errands(case, &[], "it was only shown", now)?;
    }
    for step in &decided.steps {
        transaction.add_step(case, step)?;
    }
    out.done.changed += u64::from(!decided.steps.is_empty());
    let severity = decided.progress.severity;
    let gather = policy.care(severity).gather;
    // What is over needs no letter more.
    for mut errand in decided.errands.into_iter().filter(|_| decided.closed.is_none()) {
        let restricts = errand.purpose == Purpose::Restriction;
        if !restricts {
            errand.ready = gathered(errand.ready, gather, now);
        }
        let subject = if restricts { filed.case.key.about() } else { String::new() };
        out.wanted.push(Wanted { case, errand, severity, subject });
    }
    for alarm in decided.alarms {
        if facts.authenticated {
            transaction.alarm(alarm, (case, filed.case.public), severity, now)?;
        } else {
            out.alarms.push((alarm, severity));
        }
    }
    if let Some(closure) = decided.closed {
        close(transaction, case, closure, now)?;
        out.done.closed += 1;
    }
    Ok(())
}

fn close(transaction: &Transaction<'_>, case: i64, closure: Closure, now: Time) -> Result<(), store::Error> {
    transaction.close_case(case, closure, now)?;
    // What is owed to a reporter, or to a party that was told by mistake, is owed all the same.
    transaction.withdraw_errands(case, &crate::acts::LETTERS, "the case was closed", now)?;
    Ok(())
}

impl Desk {
    /// Feeds that should have come again by now.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn quiet_feeds(&self, now: Time) -> Result<Vec<store::feeds::Feed>, Error> {
        let feeds = self.store.reader()?.read(|transaction| transaction.feeds())?;
        Ok(feeds.into_iter().filter(|feed| feed.is_late(now)).collect())
    }
}
