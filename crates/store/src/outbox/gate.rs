//! Whether the log lets an entry of the outbox go: what it stands on is under a signed checkpoint first.

use model::outbox::{Delivery, Hold};
use model::severity::Severity;
use model::time::{SECOND, Time};

use super::Entry;
use crate::Error;
use crate::db::{OptionalExtension, Transaction};

/// How long what is urgent waits for a log that cannot sign, in milliseconds. Then it goes, marked as not sealed.
const PATIENCE: i64 = 60 * SECOND;

/// What the log says to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// All steps of its cases are under a signed checkpoint.
    Sealed,
    /// They are not, and it waits.
    Waits,
    /// They are not, and it waits no longer: it goes, and says that it is not sealed.
    Unsealed,
}

impl Gate {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Gate::Sealed => "sealed",
            Gate::Waits => "waits for the log",
            Gate::Unsealed => "goes unsealed",
        }
    }
}

impl Entry {
    /// Whether nothing but the log may hold it now.
    pub fn is_ready(&self, now: Time) -> bool {
        self.delivery == Delivery::Waiting && self.hold == Hold::Free && self.ready <= now
    }
}

impl Transaction<'_> {
    /// Whether the log lets an entry go. To be asked by whoever sends, of every entry, right before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn gate(&self, entry: &Entry, now: Time) -> Result<Gate, Error> {
        if self.is_sealed(entry)? {
            return Ok(Gate::Sealed);
        }
        let urgent = entry.severity <= Severity::P1 && now.0.saturating_sub(entry.created.0) > PATIENCE;
        Ok(if urgent { Gate::Unsealed } else { Gate::Waits })
    }

    /// Whether all steps of an entry's cases are under a signed checkpoint. Those after its creation count too: an entry gathers
    /// cases as long as it waits.
    fn is_sealed(&self, entry: &Entry) -> Result<bool, Error> {
        // A checkpoint covers an entry of the log when it is larger than its index; a shard's last one covers no more than it says,
        // also when the shard is frozen.
        let mut select = self.prepare(
            "-- outbox::not_sealed
             SELECT 1 FROM outbox_cases c JOIN steps s ON s.case_id = c.case_id
             WHERE c.entry = $1 AND s.ordinal > coalesce(
                 (SELECT max(r.ordinal) FROM records r
                  WHERE r.what = 1 AND r.target = c.case_id AND r.kind IN (1, 2)
                    AND r.idx < (SELECT max(p.size) FROM checkpoints p WHERE p.shard = r.shard)), 0)
             LIMIT 1",
        )?;
        Ok(select.query_row([entry.id], |row| row.get::<i64>(0)).optional()?.is_none())
    }
}
