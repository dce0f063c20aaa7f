//! Acts: what people did to cases, and how those were before.

use model::step::Step;

use crate::Error;
use crate::db::Transaction;

impl Transaction<'_> {
    /// Writes a step with everything it has into a case's journal; its ordinal is given here.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn journal(&self, case: i64, step: &Step) -> Result<(), Error> {
        self.execute(
            "-- acts::journal
             INSERT INTO steps (case_id, ordinal, what, at, text, person, rule, due)
             VALUES ($1, (SELECT coalesce(max(ordinal), 0) + 1 FROM steps WHERE case_id = $1), $2, $3, $4, $5, $6, $7)",
            (case, step.what as u8, step.at.0, &step.text, &step.person, &step.rule, step.due.map(|due| due.0)),
        )?;
        Ok(())
    }
}
