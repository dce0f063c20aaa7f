//! Which worker works on which submissions: claims, kept in memory, for one process owns the desk. Whatever becomes of it,
//! no claim outlives it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use model::submission::Submission;

use crate::{Desk, Error};

/// Submissions that are looked for together.
const PAGE: u32 = 1_000;

/// What is not read to its end, and who has it.
#[derive(Default)]
pub(super) struct Claims {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Submissions up to this number have been handed out in this round.
    after: i64,
    waiting: VecDeque<(Submission, bool)>,
    /// Numbers of those that are being worked on.
    claimed: HashSet<i64>,
    /// Numbers of those that wait for something outside, and are not handed out in this round.
    deferred: HashSet<i64>,
    /// What one submission could not be read for, when another time it may be.
    failed: Option<Error>,
    /// A worker failed: nothing new is begun.
    broken: bool,
}

/// Submissions that one worker has to itself; oldest first.
pub(super) enum Claim {
    /// What processes may have died of: to be worked on while nothing else is.
    Suspect(Submission),
    /// Anything else.
    Ordinary(Vec<Submission>),
}

impl Claim {
    pub(super) fn submissions(&self) -> &[Submission] {
        match self {
            Claim::Suspect(submission) => std::slice::from_ref(submission),
            Claim::Ordinary(submissions) => submissions,
        }
    }
}

impl Claims {
    /// The next submissions for one of `workers`; `None` when there are none, or work is to stop.
    pub(super) fn next(&self, desk: &Desk, workers: usize) -> Result<Option<Claim>, Error> {
        // Held while looking: what is in the answer and not claimed is not being worked on, nor has it just been.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_second_look = false;
        loop {
            if state.broken || desk.is_stopping() {
                return Ok(None);
            }
            if !state.waiting.is_empty() {
                break;
            }
            let after = state.after;
            let unread = desk.store.reader()?.read(|transaction| {
                let mut unread = Vec::new();
                for id in transaction.unread_after(after, PAGE)? {
                    let suspect = transaction.is_suspect(id)?;
                    unread.extend(transaction.submission(id)?.map(|submission| (submission, suspect)));
                }
                Ok::<_, store::Error>(unread)
            })?;
            state.after = match unread.last() {
                Some((last, _)) => last.id,
                // What was put back to be read again meanwhile stands further up; what failed there would fail again.
                None if after > 0 && state.failed.is_none() && !is_second_look => {
                    is_second_look = true;
                    0
                }
                None => return Ok(None),
            };
            let State { waiting, claimed, deferred, .. } = &mut *state;
            let is_free = |submission: &Submission| !claimed.contains(&submission.id) && !deferred.contains(&submission.id);
            waiting.extend(unread.into_iter().filter(|(submission, _)| is_free(submission)));
            if waiting.is_empty() && !claimed.is_empty() {
                // The others are at the rest, and will look again.
                return Ok(None);
            }
        }
        let most = if workers > 1 { state.waiting.len().div_ceil(2 * workers) } else { state.waiting.len() };
        let mut ordinary = Vec::new();
        while ordinary.len() < most
            && let Some((submission, suspect)) = state.waiting.pop_front()
        {
            if suspect && !ordinary.is_empty() {
                state.waiting.push_front((submission, suspect));
                break;
            }
            state.claimed.insert(submission.id);
            if suspect {
                return Ok(Some(Claim::Suspect(submission)));
            }
            ordinary.push(submission);
        }
        Ok(Some(Claim::Ordinary(ordinary)))
    }

    /// Gives back what was claimed; with what one of them could not be read for.
    pub(super) fn done(&self, claim: &Claim, failed: Option<Error>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for submission in claim.submissions() {
            state.claimed.remove(&submission.id);
        }
        if let Some(error) = failed {
            state.failed.get_or_insert(error);
        }
    }

    /// Leaves submissions for another round.
    pub(super) fn defer(&self, submissions: &HashSet<i64>) {
        if !submissions.is_empty() {
            self.state.lock().unwrap_or_else(PoisonError::into_inner).deferred.extend(submissions);
        }
    }

    /// Lets no worker begin anything new.
    pub(super) fn break_off(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).broken = true;
    }

    /// What some submission could not be read for.
    pub(super) fn into_failed(self) -> Option<Error> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).failed
    }
}
