//! Undoing an act: each of its cases is set back to how it was, unless something else has changed it since.

use model::case::State;
use model::policy::Closure;
use model::step::What;
use model::time::Time;
use store::Transaction;
use store::acts::Act;

use super::{before, step};
use crate::{Desk, Error};

/// What undoing came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Cases that are as they were.
    pub cases: u64,
    /// Cases that are left as they are: row number, and why.
    pub left: Vec<(i64, String)>,
}

impl Desk {
    /// Undoes an act. Cases that were changed since are left as they are, and named.
    ///
    /// Letters that it withdrew are decided anew, so they may come at another moment than they would have.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] without a reason, [`Error::Conflict`] when it was undone before or nothing of it
    /// can be undone, [`Error::Unavailable`].
    pub fn undo(&self, act: i64, by: &str, reason: &str) -> Result<Undone, Error> {
        if reason.trim().is_empty() || by.trim().is_empty() {
            return Err(Error::Invalid("say who undoes it, and why: it is kept with the cases".to_owned()));
        }
        let now = self.now();
        self.store.write("undo", |transaction| {
            let act = transaction.act(act)?.ok_or_else(|| Error::NotFound("there is no such act".to_owned()))?;
            if let Some(at) = act.undone {
                return Err(Error::Conflict(format!("it was undone at {at}")));
            }
            let mut undone = Undone::default();
            for (case, text) in transaction.act_cases(act.id)? {
                match undo_one(transaction, &act, case, &text, now)? {
                    Ok(()) => {
                        let text = format!("{} ({}): {}", act.verb, act.public, reason.trim());
                        transaction.add_step(case, &step(What::Undone, now, &text, by))?;
                        undone.cases += 1;
                    }
                    Err(why) => undone.left.push((case, why)),
                }
            }
            if undone.cases == 0 {
                let why = undone.left.first().map_or("it touched no case", |(_, why)| why.as_str());
                return Err(Error::Conflict(format!("it cannot be undone any more: {why}")));
            }
            transaction.set_undone(act.id, now)?;
            Ok(undone)
        })
    }
}

/// Sets one case back; why not, when it cannot be.
fn undo_one(transaction: &Transaction<'_>, act: &Act, case: i64, text: &str, now: Time) -> Result<Result<(), String>, Error> {
    if act.verb == "note" {
        return Ok(Err("what was written down stays: write another note".to_owned()));
    }
    if act.verb.starts_with("correct") {
        return Ok(Err("what the administration says is not undone here: correct it there".to_owned()));
    }
    transaction.lock_cases(&[case])?;
    let Some((mut filed, mut standing)) = transaction.case_standing(case)? else {
        return Ok(Err("it is no longer there".to_owned()));
    };
    let was_open = filed.case.state == State::Open;
    if let Err(why) = before::restore(text, &mut filed, &mut standing) {
        return Ok(Err(why));
    }
    let is_open = filed.case.state == State::Open;
    if is_open && let Some(other) = transaction.open_case_of(&filed.case.key)?.filter(|other| *other != case) {
        return Ok(Err(format!("case {other} is open about the same by now: merge them")));
    }
    for (name, value) in before::extra(text) {
        match name {
            "merged" => match transaction.merged_into(case)? {
                Some(into) if into == value => {
                    transaction.remove_merge(case)?;
                    transaction.wake_case(into, now)?;
                }
                _ => return Ok(Err("it is no longer part of that case".to_owned())),
            },
            "strike" => {
                transaction.withdraw_strikes(case, "undone", now)?;
            }
            "split" => {
                if let Err(why) = join_again(transaction, case, value, now)? {
                    return Ok(Err(why));
                }
            }
            _ => {}
        }
    }
    if was_open && !is_open {
        super::withdraw(transaction, case, &mut standing.progress, "its reopening was undone", now)?;
    }
    // The desk looks at once at what is open again.
    standing.next_due = is_open.then_some(now);
    transaction.save_case(&filed, &standing)?;
    Ok(Ok(()))
}

/// Lets a case that was split off become part of the one it came from.
fn join_again(transaction: &Transaction<'_>, case: i64, part: i64, now: Time) -> Result<Result<(), String>, Error> {
    let Some((mut filed, mut standing)) = transaction.case_standing(part)? else {
        return Ok(Err("what was split off is no longer there".to_owned()));
    };
    if filed.case.state != State::Open {
        return Ok(Err(format!("case {part}, which was split off, was closed since")));
    }
    super::withdraw(transaction, part, &mut standing.progress, "the split was undone", now)?;
    filed.case.state = State::Closed;
    (standing.closed, standing.closure, standing.next_due) = (Some(now), Some(Closure::Merged), None);
    transaction.save_case(&filed, &standing)?;
    transaction.add_merge(part, case, now)?;
    Ok(Ok(()))
}
