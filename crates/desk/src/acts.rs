//! Acts: what people do to cases. Each loads, decides and commits in one transaction, and writes who did it.

use model::step::{Step, What};

use crate::{Desk, Error};

/// Bytes of what a person may write at once.
const TEXT: usize = 16 << 10;

impl Desk {
    /// Writes something down in the journal of a case. It never leaves the house.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty or over-long text, [`Error::NotFound`], [`Error::Unavailable`].
    pub fn note(&self, case: i64, text: &str, by: &str) -> Result<(), Error> {
        if text.trim().is_empty() || text.len() > TEXT {
            return Err(Error::Invalid(format!("a note has 1 to {TEXT} bytes")));
        }
        let now = self.now();
        self.store.write("note", |transaction| {
            if transaction.case(case)?.is_none() {
                return Err(Error::NotFound("there is no such case".to_owned()));
            }
            let step = Step {
                ordinal: 0,
                what: What::Noted,
                at: now,
                text: text.trim().to_owned(),
                person: by.to_owned(),
                rule: String::new(),
                due: None,
            };
            Ok(transaction.journal(case, &step)?)
        })
    }
}
