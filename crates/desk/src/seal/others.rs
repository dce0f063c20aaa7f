//! Records that are no step and no batch: evidence, erasures, bundles that were given out. Each waits under its number of
//! [`store::sealed::what`], and what makes its record stands in the file of whoever does such things.

use store::Transaction;
use store::keys::Keys;
use store::sealed::{Unsealed, what};

use super::erase;
use super::records::Draft;

/// The record of a row that waits; `None` leaves it waiting.
///
/// # Errors
/// [`store::Error::Database`].
pub(super) fn draft(transaction: &Transaction<'_>, keys: &Keys, row: &Unsealed) -> Result<Option<Draft>, store::Error> {
    match row.what {
        what::ERASURE => erase::draft(transaction, keys, row),
        what::ISSUED => super::issued::draft(transaction, row),
        what::EVIDENCE => super::evidence::draft(transaction, keys, row),
        _ => Ok(None),
    }
}
