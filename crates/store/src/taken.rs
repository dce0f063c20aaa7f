//! What people did with submissions that no format understood: what they took from them, or that there was nothing to take.

use model::submission::Submission;
use model::time::Time;

use crate::Error;
use crate::db::{OptionalExtension, Transaction};

/// What a person did with a submission that no format understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Row number of the submission that was made of what was picked; `None` when there was nothing to take.
    pub outcome: Option<i64>,
    /// When.
    pub at: Time,
    /// Who.
    pub person: String,
    /// Why there was nothing to take; empty otherwise.
    pub reason: String,
}

impl Transaction<'_> {
    /// Notes what a person did with a submission that no format understood, which takes it out of the queue for good. What was
    /// taken before counts if the same is taken again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_taken(&self, submission: i64, taken: &Taken) -> Result<(), Error> {
        self.execute(
            "-- taken::set
             INSERT INTO taken (submission, outcome, at, person, reason) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (submission) DO UPDATE SET outcome = coalesce(excluded.outcome, taken.outcome), at = excluded.at,
                 person = excluded.person, reason = excluded.reason",
            (submission, taken.outcome, taken.at.0, &taken.person, &taken.reason),
        )?;
        self.execute("-- taken::resolve\nUPDATE submissions SET progress = 1 WHERE id = $1 AND progress = 2", [submission])?;
        Ok(())
    }

    /// What a person did with a submission; `None` when nobody did anything.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn taken(&self, submission: i64) -> Result<Option<Taken>, Error> {
        let mut select = self.prepare("-- taken::one\nSELECT outcome, at, person, reason FROM taken WHERE submission = $1")?;
        let taken = select.query_row([submission], |row| {
            Ok(Taken { outcome: row.get(0)?, at: Time(row.get(1)?), person: row.get(2)?, reason: row.get(3)? })
        });
        Ok(taken.optional()?)
    }

    /// Whether what a person made of a submission tells of child abuse material: then nothing of it is shown.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn became_child_abuse(&self, submission: &Submission) -> Result<bool, Error> {
        match self.taken(submission.id)?.and_then(|taken| taken.outcome) {
            Some(outcome) => self.holds_child_abuse(outcome),
            None => Ok(false),
        }
    }
}
