//! Who was given a bundle: a record in the stream of its case, so that this too is proven.

use seal::record::{ISSUED, Record, Value};
use store::Transaction;
use store::proofs::Issued;
use store::sealed::{Unsealed, what};

use super::records::Draft;
use crate::{Desk, Error};

/// Letters of a recipient, at the most.
const RECIPIENT: usize = 1_000;

impl Desk {
    /// Keeps that a bundle was given to somebody, to be sealed. The time is now.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such case; [`Error::Invalid`] when nobody is named.
    pub fn issue(&self, case: i64, recipient: &str, bundle: [u8; 32], records: u64, person: &str) -> Result<(), Error> {
        let recipient: String = recipient.trim().chars().take(RECIPIENT).collect();
        if recipient.is_empty() {
            return Err(Error::Invalid("say to whom the bundle is given: the log keeps it".to_owned()));
        }
        let issued = Issued { case, recipient, bundle, records, at: self.now(), person: person.to_owned() };
        self.store.write("issued", |transaction| {
            if transaction.case(case)?.is_none() {
                return Err(Error::NotFound("there is no such case".to_owned()));
            }
            transaction.add_issued(&issued)?;
            Ok(())
        })
    }
}

/// The record of a bundle that was given out. When its case is gone there is no stream for it, and it waits no more.
///
/// # Errors
/// [`store::Error::Database`].
pub(super) fn draft(transaction: &Transaction<'_>, row: &Unsealed) -> Result<Option<Draft>, store::Error> {
    let issued = transaction.issued(row.ordinal)?;
    let (Some(issued), Some(filed)) = (issued, transaction.case(row.target)?) else {
        transaction.forget_unsealed(what::ISSUED, row.target)?;
        return Ok(None);
    };
    let mut record = Record::new(&ISSUED);
    record.set("event", Value::text("issued"));
    record.set("occurred_at", Value::Time(issued.at.0));
    record.set("actor", Value::text(&issued.person));
    record.set("recipient", Value::text(&issued.recipient));
    record.set("bundle", Value::Digest(issued.bundle));
    record.set("records", Value::Number(issued.records));
    Ok(Some(Draft {
        what: what::CASE,
        target: row.target,
        stream: filed.case.public.0.to_be_bytes(),
        ordinal: row.ordinal,
        last_step: 0,
        chain: 0,
        letter_to: 0,
        record,
    }))
}
