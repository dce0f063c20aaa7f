//! The outbox, for people: what would be sent or done, let go, discarded, and the brake.

use model::outbox::{Delivery, Hold, Purpose};
use model::step::{Step, What};
use model::time::Time;
use store::Transaction;
use store::outbox::{Entry, Filter};

use crate::decide::Look;
use crate::{Desk, Error};

/// Cases of an entry into whose journal it is written what became of it.
const TOLD: u32 = 1_000;
/// Entries that are let go or discarded in one transaction when the brake comes off.
const TOGETHER: u32 = 500;
/// Bytes of a reason.
const REASON: usize = 1_000;

/// What became of an entry that a person let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// Nothing holds it any more.
    Free,
    /// Another person has to say so too.
    OneMore,
}

impl Desk {
    /// Lets go of an entry that is held. Restrictions are looked at once more: who holds the resource now, who else is on
    /// it, and whether the operator protects it.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a reason or for something that a person may not let go, [`Error::Conflict`] when it is
    /// over, or when the same person said so before, [`Error::NotFound`], [`Error::Unavailable`].
    pub fn release(&self, entry: i64, reason: &str, by: &str) -> Result<Released, Error> {
        let reason = reason_of(reason)?;
        let now = self.now();
        let refused = self.store.write("release", |transaction| {
            let entry = waiting(transaction, entry)?;
            let hold = match self.hold_now(transaction, &entry, now)? {
                Ok(hold) => hold,
                // What is found holds it from now on, whatever the person was told before.
                Err(hold) => {
                    transaction.set_hold(&entry, hold, "", "looked at once more when it was to be let go")?;
                    return Ok(Err(hold));
                }
            };
            if hold == Hold::TwoPeople && entry.person != by {
                if entry.person.is_empty() {
                    transaction.set_hold(&entry, Hold::TwoPeople, by, reason)?;
                    transaction.vouch_for(entry.id, by, reason)?;
                    return Ok(Ok(Released::OneMore));
                }
            } else if hold == Hold::TwoPeople {
                return Err(Error::Conflict(format!("{by} said so already: it takes another person")));
            }
            let told = format!("{} was let go: {reason}", entry.purpose.word());
            tell(transaction, &entry, What::Noted, &told, by, now)?;
            transaction.set_hold(&entry, Hold::Free, by, reason)?;
            Ok::<_, Error>(Ok(Released::Free))
        })?;
        refused.map_err(|hold| Error::Conflict(format!("it cannot be let go: {}", why(hold))))
    }

    /// What holds an entry, looked at now: a hold that a person may lift, or one that nobody may.
    fn hold_now(&self, transaction: &Transaction<'_>, entry: &Entry, now: Time) -> Result<Result<Hold, Hold>, Error> {
        match entry.hold {
            Hold::Free => return Err(Error::Conflict("nothing holds it; this release sends nothing yet".to_owned())),
            Hold::Observing => return Err(Error::Invalid(format!("it is only shown: {}", why(Hold::Observing)))),
            Hold::Protected => return Err(Error::Invalid(why(Hold::Protected).to_owned())),
            Hold::HolderChanged => return Err(Error::Invalid(why(Hold::HolderChanged).to_owned())),
            hold if entry.purpose != Purpose::Restriction => return Ok(Ok(hold)),
            _ => {}
        }
        let known = self.known_now(transaction)?;
        let (in_force, around) = (self.policy(), transaction.around()?);
        let stale = around.stale(now);
        let mut look = Look::new(transaction, (&known, &in_force), (&around, &stale), now);
        let mut hold = entry.hold;
        for case in transaction.cases_of_entry(entry.id, TOLD)? {
            let (Some(filed), Some(mut standing)) = (transaction.case(case)?, transaction.standing(case)?) else { continue };
            let mut facts = look.facts(&filed, &mut standing)?;
            look.look_now(&filed, &mut facts)?;
            if facts.protected {
                return Ok(Err(Hold::Protected));
            }
            if !facts.holds_now || facts.holder_changed {
                return Ok(Err(Hold::HolderChanged));
            }
            if facts.stale {
                return Ok(Err(Hold::StaleSource));
            }
            if facts.shared {
                hold = Hold::TwoPeople;
            }
        }
        Ok(Ok(hold))
    }

    /// Throws an entry away: what it would have done is not done.
    ///
    /// # Errors
    /// As [`Desk::release`].
    pub fn discard(&self, entry: i64, reason: &str, by: &str) -> Result<(), Error> {
        let reason = reason_of(reason)?;
        let now = self.now();
        self.store.write("discard", |transaction| {
            let entry = waiting(transaction, entry)?;
            throw_away(transaction, &entry, reason, by, now)
        })
    }

    /// Stops the outbox: what would be free to go waits until [`Desk::brake_off`].
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn brake_on(&self) -> Result<(), Error> {
        let now = self.now();
        Ok(self.store.write("brake on", |transaction| transaction.set_counter("brake", now.0))?)
    }

    /// Takes the brake off, and lets go of what it held, or throws that away; how many entries that were.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a reason, [`Error::Unavailable`].
    pub fn brake_off(&self, discard: bool, reason: &str, by: &str) -> Result<u64, Error> {
        let reason = reason_of(reason)?;
        let now = self.now();
        self.store.write("brake off", |transaction| {
            transaction.release_brake(now)?;
            transaction.end_alert("brake", now)
        })?;
        let (mut count, mut after) = (0, 0);
        loop {
            let page = self.store.write("brake off", |transaction| {
                let page = transaction.held(Hold::Brake, after, TOGETHER)?;
                for entry in &page {
                    if discard {
                        throw_away(transaction, entry, reason, by, now)?;
                    } else {
                        // A wave of letters may be real; each restriction is still looked at by itself.
                        let restricts = entry.purpose == Purpose::Restriction;
                        transaction.set_hold(entry, if restricts { Hold::Person } else { Hold::Free }, by, reason)?;
                    }
                }
                Ok::<_, Error>(page)
            })?;
            let Some(last) = page.last() else { return Ok(count) };
            after = last.id;
            count += page.len() as u64;
        }
    }

    /// Entries of the outbox, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn outbox(&self, filter: &Filter, most: u32) -> Result<Vec<Entry>, Error> {
        Ok(self.store.reader()?.read(|transaction| transaction.entries(filter, most))?)
    }
}

/// What a hold means for somebody who wants to let go.
pub fn why(hold: Hold) -> &'static str {
    match hold {
        Hold::Free => "nothing holds it; this release sends nothing to parties yet",
        Hold::Observing => "the policy only shows what would happen at this severity; with mode = \"act\" it goes",
        Hold::Brake => "more went than in the usual hour; see 'sluis outbox brake'",
        Hold::StaleSource => "the administration that names the party is too old; import it, and it goes by itself",
        Hold::HolderChanged => "the resource is not the same party's any more; see 'sluis queue'",
        Hold::Unauthenticated => "nobody proved to be the sender; release it if you know that the address is right",
        Hold::Person => "a person decides: release or discard it",
        Hold::TwoPeople => "others are on the same address: two people have to release it",
        Hold::Protected => "the policy protects this resource: nothing here restricts it",
        Hold::Restored => "the node was restored from a backup: it may have gone before; look, then 'sluis restore confirm'",
    }
}

fn reason_of(reason: &str) -> Result<&str, Error> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON {
        return Err(Error::Invalid(format!("say why, in 1 to {REASON} bytes: the journal keeps it")));
    }
    Ok(reason)
}

fn waiting(transaction: &Transaction<'_>, entry: i64) -> Result<Entry, Error> {
    let entry = transaction.entry(entry)?.ok_or_else(|| Error::NotFound("there is no such entry in the outbox".to_owned()))?;
    match entry.delivery {
        Delivery::Waiting => Ok(entry),
        ended => Err(Error::Conflict(format!("it does not wait any more: {}", ended.word()))),
    }
}

fn throw_away(transaction: &Transaction<'_>, entry: &Entry, reason: &str, by: &str, now: Time) -> Result<(), Error> {
    let told = format!("{} was thrown away: {reason}", entry.purpose.word());
    tell(transaction, entry, What::Withdrawn, &told, by, now)?;
    transaction.end_entry(entry.id, Delivery::Withdrawn, reason, by, now)?;
    Ok(())
}

/// Writes into the journals of an entry's cases what became of it.
fn tell(transaction: &Transaction<'_>, entry: &Entry, what: What, text: &str, by: &str, now: Time) -> Result<(), Error> {
    for case in transaction.cases_of_entry(entry.id, TOLD)? {
        let (person, rule) = (by.to_owned(), String::new());
        transaction.add_step(case, &Step { ordinal: 0, what, at: now, text: text.to_owned(), person, rule, due: None })?;
    }
    Ok(())
}
