//! Evidence that people attach to cases (letters as they went, bounces, answers), encrypted on its way into the seal.

use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::db::{OptionalExtension, Row, Transaction};
use crate::sealed::what;

/// A piece of evidence that waits to be sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Names its key.
    pub public: PublicId,
    /// Row number of the case.
    pub case: i64,
    /// What it is: a word of `docs/seal.md` 2.3.
    pub kind: String,
    /// `eml`, `txt` or `bin`.
    pub media: String,
    /// Number of the record that it belongs to; `None` for none.
    pub about: Option<i64>,
    /// Whom the letter was for; empty when it is not said.
    pub recipient: String,
    /// Identifier of the message; empty when it is not said.
    pub message_id: String,
    /// When it happened.
    pub at: Time,
    /// Who attached it.
    pub person: String,
    /// Its bytes, encrypted by [`crate::raw::seal_short`]; empty once it is sealed.
    pub content: Vec<u8>,
}

impl Transaction<'_> {
    /// Keeps a piece of evidence, to be sealed; its row number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_evidence(&self, evidence: &Evidence) -> Result<i64, Error> {
        let id = self.numbers("evidence", 1)?;
        self.execute(
            "-- evidence::add
             INSERT INTO evidence (id, public, case_id, kind, media, about, recipient, message_id, at, person, content)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            (
                id,
                evidence.public.0.to_be_bytes(),
                evidence.case,
                &evidence.kind,
                &evidence.media,
                // The first record is number 0, so no record is -1.
                evidence.about.unwrap_or(-1),
                &evidence.recipient,
                &evidence.message_id,
                evidence.at.0,
                &evidence.person,
                evidence.content.as_slice(),
            ),
        )?;
        self.queue_for_seal(what::EVIDENCE, id, 0, 0, false)?;
        Ok(id)
    }

    /// A piece of evidence; `None` for a number that there is not.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn evidence(&self, id: i64) -> Result<Option<Evidence>, Error> {
        let mut select = self.prepare(
            "-- evidence::one
             SELECT public, case_id, kind, media, about, recipient, message_id, at, person, content FROM evidence WHERE id = $1",
        )?;
        let evidence = |row: &Row<'_>| {
            Ok(Evidence {
                public: PublicId(u128::from_be_bytes(row.get(0)?)),
                case: row.get(1)?,
                kind: row.get(2)?,
                media: row.get(3)?,
                about: Some(row.get(4)?).filter(|about| *about >= 0),
                recipient: row.get(5)?,
                message_id: row.get(6)?,
                at: Time(row.get(7)?),
                person: row.get(8)?,
                content: row.get(9)?,
            })
        };
        Ok(select.query_row([id], evidence).optional()?)
    }

    /// Bytes of evidence that wait to be sealed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn evidence_waiting(&self) -> Result<u64, Error> {
        let text = "-- evidence::waiting\nSELECT coalesce(CAST(sum(length(content)) AS BIGINT), 0) FROM evidence";
        Ok(self.prepare(text)?.query_row((), |row| row.get::<i64>(0))?.unsigned_abs())
    }

    /// Takes out of a piece of evidence what is sealed now. Its key is destroyed by whoever finds it in [`Self::evidence_sealed`].
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn empty_evidence(&self, id: i64) -> Result<(), Error> {
        let none: &[u8] = &[];
        self.execute(
            "-- evidence::empty
             UPDATE evidence SET content = $2, recipient = '', message_id = '', person = '' WHERE id = $1",
            (id, none),
        )?;
        Ok(())
    }

    /// Evidence that is sealed and whose keys are to go: row number and the name of the key.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn evidence_sealed(&self, most: u32) -> Result<Vec<(i64, PublicId)>, Error> {
        let mut select =
            self.prepare("-- evidence::sealed\nSELECT id, public FROM evidence WHERE length(content) = 0 ORDER BY id LIMIT $1")?;
        let rows = select.query_map([i64::from(most)], |row| Ok((row.get(0)?, PublicId(u128::from_be_bytes(row.get(1)?)))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets evidence whose key is gone.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn forget_evidence(&self, id: i64) -> Result<(), Error> {
        self.execute("-- evidence::forget\nDELETE FROM evidence WHERE id = $1", [id])?;
        Ok(())
    }
}
