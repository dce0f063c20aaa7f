//! Mailboxes that are watched, as rows: from which mail on each is taken.

use model::time::Time;

use crate::Error;
use crate::db::{OptionalExtension, Transaction};

/// From where on a mailbox is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    /// Mails with this number (UID) and later ones came after it was first looked into, or after the server numbered anew.
    pub first_uid: u32,
    /// When it was first looked into.
    pub since: Time,
    /// Whether the server has numbered anew since: then an older number does not say that a mail is older.
    pub renumbered: bool,
}

impl Transaction<'_> {
    /// Notes that a mailbox with this UIDVALIDITY and UIDNEXT is looked into, and gives from where on it is taken. The moment
    /// of the first look stays; the number follows the server when it has numbered its mails anew.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn meet_mailbox(&self, account: &str, folder: &str, validity: u32, next: u32, now: Time) -> Result<Met, Error> {
        let known: Option<(i64, i64, i64, i64)> = self
            .prepare(
                "-- mailboxes::known
                 SELECT validity, first_uid, since, renumbered FROM mailboxes WHERE account = $1 AND folder = $2",
            )?
            .query_row((account, folder), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let (since, renumbered) = match known {
            Some((known, first, since, renumbered)) if known == i64::from(validity) => {
                // It was put there as a number of this size.
                let first_uid = u32::try_from(first).unwrap_or(u32::MAX);
                return Ok(Met { first_uid, since: Time(since), renumbered: renumbered != 0 });
            }
            Some((_, _, since, _)) => (Time(since), true),
            None => (now, false),
        };
        self.execute(
            "-- mailboxes::meet
             INSERT INTO mailboxes (account, folder, validity, first_uid, since, renumbered) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (account, folder)
             DO UPDATE SET validity = excluded.validity, first_uid = excluded.first_uid, renumbered = excluded.renumbered",
            (account, folder, i64::from(validity), i64::from(next), since.0, i64::from(renumbered)),
        )?;
        Ok(Met { first_uid: next, since, renumbered })
    }
}
