//! Versions of the policy: what held when. The file is the truth; nothing here is ever changed.

use model::time::Time;

use crate::Error;
use crate::db::{OptionalExtension, Result as RowResult, Row, Transaction};
use crate::keys::sha256;

/// A version of the policy that was in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Row number, which cases refer to.
    pub id: i64,
    /// SHA-256 of its text.
    pub digest: [u8; 32],
    /// The text, with what the program shipped with when it was read over that.
    pub text: String,
    /// The file it came from; empty for the shipped policy alone.
    pub file: String,
    /// Since when it held, until the next one.
    pub since: Time,
}

const COLUMNS: &str = "id, digest, text, file, since";

fn from_row(row: &Row<'_>) -> RowResult<Version> {
    Ok(Version { id: row.get(0)?, digest: row.get(1)?, text: row.get(2)?, file: row.get(3)?, since: Time(row.get(4)?) })
}

impl Transaction<'_> {
    /// Keeps a version of the policy that holds from now on; its number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn keep_policy(&self, text: &str, file: &str, now: Time) -> Result<i64, Error> {
        let id = self.numbers("policies", 1)?;
        self.execute(
            "-- policies::keep\nINSERT INTO policies (id, digest, text, file, since) VALUES ($1, $2, $3, $4, $5)",
            (id, &sha256(text.as_bytes())[..], text, file, now.0),
        )?;
        Ok(id)
    }

    /// The version that was kept last; `None` in a new node.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn newest_policy(&self) -> Result<Option<Version>, Error> {
        let text = format!("-- policies::newest\nSELECT {COLUMNS} FROM policies ORDER BY id DESC LIMIT 1");
        Ok(self.prepare(&text)?.query_row((), from_row).optional()?)
    }

    /// One version by its number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn policy(&self, id: i64) -> Result<Option<Version>, Error> {
        let text = format!("-- policies::one\nSELECT {COLUMNS} FROM policies WHERE id = $1");
        Ok(self.prepare(&text)?.query_row([id], from_row).optional()?)
    }

    /// Every version, oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn policies(&self) -> Result<Vec<Version>, Error> {
        let text = format!("-- policies::all\nSELECT {COLUMNS} FROM policies ORDER BY id");
        let mut select = self.prepare(&text)?;
        let rows = select.query_map((), from_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
