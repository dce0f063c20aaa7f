//! The seal's rows: what waits to be sealed, sealed records, and the heads of their streams.
//!
//! What is written here is committed together with the entries of the log; the sequencer (`desk::seal`) is the only one who seals.

mod cipher;
mod reading;
mod sets;

use crate::Error;
use crate::db::{self, OptionalExtension, Row as DatabaseRow, Transaction};

pub use cipher::{close, open};
pub use reading::{KeptBatch, Line, Lines, Part, ToSeal, Whose};

/// What a row of `unsealed` is about, and for 0 to 2 also whose a stream is.
pub mod what {
    /// A batch of reports; its stream is that of its submission.
    pub const BATCH: i64 = 0;
    /// Steps of a case; the stream is the case's.
    pub const CASE: i64 = 1;
    /// A row of `evidence`, in the stream of its case.
    pub const EVIDENCE: i64 = 2;
    /// An erasure, in the node's own stream.
    pub const ERASURE: i64 = 3;
    /// A bundle that was given to somebody, in the stream of its case.
    pub const ISSUED: i64 = 4;
    /// As the owner of a stream: the node itself, target 0.
    pub const NODE: i64 = 2;
}

/// What waits to be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsealed {
    /// See [`what`].
    pub what: i64,
    /// The submission, the case, or the row that it is of.
    pub target: i64,
    /// The batch, or the last of the case's steps that it stands for.
    pub ordinal: i64,
    /// Who was responsible when it was written; 0 for nobody.
    pub party: i64,
    /// Number of the chain that said so; 0 for none.
    pub chain: i64,
    /// Number of the severity then; -1 for none.
    pub severity: i64,
    /// Whether it is not to wait for others.
    pub urgent: bool,
}

/// A sealed record, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 0, over all shards.
    pub number: i64,
    /// Whose stream it is in: see [`what`].
    pub what: i64,
    /// The submission, the case, or 0.
    pub target: i64,
    /// Its place in the stream.
    pub seq: i64,
    /// Number of its kind.
    pub kind: u16,
    /// The shard of the log that its entry is in.
    pub shard: i64,
    /// The index of the entry there.
    pub idx: i64,
    /// The step, batch or row that it is of.
    pub ordinal: i64,
    /// The party whose letters it is counted among; 0 for none.
    pub party: i64,
    /// How many of them there were before; 0 when it is none.
    pub party_seq: i64,
    /// The nonce of its salts and ciphertexts.
    pub nonce: [u8; 12],
    /// Its values, encrypted.
    pub sealed: Vec<u8>,
}

/// The end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose: see [`what`].
    pub what: i64,
    /// The submission, the case, or 0.
    pub target: i64,
    /// Place of its last record.
    pub seq: i64,
    /// The commitment of that.
    pub commitment: [u8; 32],
    /// The last step that is sealed.
    pub ordinal: i64,
    /// Number of its first record.
    pub first: i64,
    /// Number of the chain of the last record; 0 for none.
    pub chain: i64,
}

/// The last letter to a party, as far as sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartyHead {
    /// The party.
    pub party: i64,
    /// How many were before it.
    pub seq: i64,
    /// The commitment of its record.
    pub commitment: [u8; 32],
}

const UNSEALED: &str = "what, target, ordinal, party, chain, severity, urgent";
const RECORD: &str = "number, what, target, seq, kind, shard, idx, ordinal, party, party_seq, nonce, sealed";
const HEAD: &str = "what, target, seq, commitment, ordinal, first, chain";

fn unsealed(row: &DatabaseRow<'_>) -> db::Result<Unsealed> {
    Ok(Unsealed {
        what: row.get(0)?,
        target: row.get(1)?,
        ordinal: row.get(2)?,
        party: row.get(3)?,
        chain: row.get(4)?,
        severity: row.get(5)?,
        urgent: row.get(6)?,
    })
}

fn record(row: &DatabaseRow<'_>) -> db::Result<Row> {
    Ok(Row {
        number: row.get(0)?,
        what: row.get(1)?,
        target: row.get(2)?,
        seq: row.get(3)?,
        kind: row.get(4)?,
        shard: row.get(5)?,
        idx: row.get(6)?,
        ordinal: row.get(7)?,
        party: row.get(8)?,
        party_seq: row.get(9)?,
        nonce: row.get(10)?,
        sealed: row.get(11)?,
    })
}

fn head(row: &DatabaseRow<'_>) -> db::Result<Head> {
    Ok(Head {
        what: row.get(0)?,
        target: row.get(1)?,
        seq: row.get(2)?,
        commitment: row.get(3)?,
        ordinal: row.get(4)?,
        first: row.get(5)?,
        chain: row.get(6)?,
    })
}

impl Transaction<'_> {
    /// Lets something wait to be sealed; the same twice waits once.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn queue_for_seal(&self, what: i64, target: i64, ordinal: i64, party: i64, urgent: bool) -> Result<(), Error> {
        self.execute(
            "-- sealed::queue
             INSERT INTO unsealed (what, target, ordinal, party, chain, severity, urgent) VALUES ($1, $2, $3, $4, 0, -1, $5)
             ON CONFLICT (what, target, ordinal) DO NOTHING",
            (what, target, ordinal, party, urgent),
        )?;
        Ok(())
    }

    /// Lets a step wait to be sealed, with whose the case is now.
    pub(crate) fn queue_step(&self, case: i64, ordinal: i64) -> Result<(), Error> {
        self.execute(
            "-- sealed::queue_step
             INSERT INTO unsealed (what, target, ordinal, party, chain, severity, urgent)
             SELECT 1, id, $2, holder, coalesce(chain, 0), severity, CASE WHEN severity < 2 THEN 1 ELSE 0 END
             FROM cases WHERE id = $1",
            (case, ordinal),
        )?;
        Ok(())
    }

    /// Lets the first steps of cases that open wait to be sealed.
    pub(crate) fn queue_opened(&self, opened: impl Iterator<Item = Unsealed>) -> Result<(), Error> {
        self.insert_many("unsealed", UNSEALED, |into| {
            for row in opened {
                into.add((row.what, row.target, row.ordinal, row.party, row.chain, row.severity, row.urgent))?;
            }
            Ok(())
        })
    }

    /// What waits to be sealed, at most `most` rows, in the order in which it is to be sealed: batches before the cases that
    /// were opened by them, and of each case its steps in order. With `urgent_only` it is what is not to wait for others:
    /// all that waits of the cases that have something urgent.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn take_unsealed(&self, most: u32, urgent_only: bool) -> Result<Vec<Unsealed>, Error> {
        if !urgent_only {
            let text = format!("-- sealed::unsealed\nSELECT {UNSEALED} FROM unsealed ORDER BY what, target, ordinal LIMIT $1");
            return Ok(self.prepare(&text)?.query_map([most], unsealed)?.collect::<Result<_, _>>()?);
        }
        let mut select = self.prepare(
            "-- sealed::urgent\nSELECT DISTINCT what, target FROM unsealed WHERE urgent = 1 ORDER BY what, target LIMIT $1",
        )?;
        let urgent: Vec<(i64, i64)> =
            select.query_map([most], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let text = format!(
            "-- sealed::of_target\nSELECT {UNSEALED} FROM unsealed WHERE what = $1 AND target = $2 ORDER BY ordinal LIMIT $3"
        );
        let mut select = self.prepare(&text)?;
        let mut rows: Vec<Unsealed> = Vec::new();
        for (what, target) in urgent {
            let room = most.saturating_sub(rows.len() as u32);
            if room == 0 {
                break;
            }
            rows.extend(select.query_map((what, target, room), unsealed)?.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(rows)
    }

    /// Whether something waits to be sealed; with `urgent_only`, something urgent.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn has_unsealed(&self, urgent_only: bool) -> Result<bool, Error> {
        let text = if urgent_only {
            "-- sealed::has_urgent\nSELECT EXISTS (SELECT 1 FROM unsealed WHERE urgent = 1)"
        } else {
            "-- sealed::has_unsealed\nSELECT EXISTS (SELECT 1 FROM unsealed)"
        };
        Ok(self.prepare(text)?.query_row((), |row| row.get(0))?)
    }

    /// How many rows wait to be sealed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn count_unsealed(&self) -> Result<u64, Error> {
        Ok(self.prepare("-- sealed::count\nSELECT count(*) FROM unsealed")?.query_row((), |row| row.get(0))?)
    }

    /// Whether steps of a case wait to be sealed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_unsealed(&self, what: i64, target: i64) -> Result<bool, Error> {
        let mut select =
            self.prepare("-- sealed::is_unsealed\nSELECT EXISTS (SELECT 1 FROM unsealed WHERE what = $1 AND target = $2)")?;
        Ok(select.query_row((what, target), |row| row.get(0))?)
    }

    /// What waits for the seal about a target: see [`what`].
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn unsealed_row(&self, what: i64, target: i64, ordinal: i64) -> Result<Option<Unsealed>, Error> {
        let text =
            format!("-- sealed::one_unsealed\nSELECT {UNSEALED} FROM unsealed WHERE what = $1 AND target = $2 AND ordinal = $3");
        Ok(self.prepare(&text)?.query_row((what, target, ordinal), unsealed).optional()?)
    }

    /// Takes what was sealed from what waits.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn take_from_unsealed(&self, rows: &[Unsealed]) -> Result<(), Error> {
        if let Some(open) = self.open_postgres() {
            return Ok(sets::take(open, rows)?);
        }
        let mut delete =
            self.prepare("-- sealed::take\nDELETE FROM unsealed WHERE what = $1 AND target = $2 AND ordinal = $3")?;
        for row in rows {
            delete.execute((row.what, row.target, row.ordinal))?;
        }
        Ok(())
    }

    /// Takes everything about a case from what waits: the case is no more.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn forget_unsealed(&self, what: i64, target: i64) -> Result<(), Error> {
        self.execute("-- sealed::forget\nDELETE FROM unsealed WHERE what = $1 AND target = $2", (what, target))?;
        Ok(())
    }

    /// The number of the record that is sealed next.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn next_record(&self) -> Result<i64, Error> {
        let mut select = self.prepare("-- sealed::next\nSELECT max(number) FROM records")?;
        Ok(select.query_row((), |row| row.get::<Option<i64>>(0))?.map_or(0, |last| last + 1))
    }

    /// Adds sealed records.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn add_records(&self, rows: &[Row]) -> Result<(), Error> {
        self.insert_many("records", RECORD, |into| {
            for row in rows {
                into.add((
                    row.number,
                    row.what,
                    row.target,
                    row.seq,
                    row.kind,
                    row.shard,
                    row.idx,
                    row.ordinal,
                    row.party,
                    row.party_seq,
                    row.nonce,
                    &row.sealed,
                ))?;
            }
            Ok(())
        })
    }

    /// One sealed record.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn record(&self, number: i64) -> Result<Option<Row>, Error> {
        let text = format!("-- sealed::record\nSELECT {RECORD} FROM records WHERE number = $1");
        Ok(self.prepare(&text)?.query_row([number], record).optional()?)
    }

    /// The records of a stream, the first first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn records_of(&self, what: i64, target: i64) -> Result<Vec<Row>, Error> {
        let text = format!("-- sealed::records_of\nSELECT {RECORD} FROM records WHERE what = $1 AND target = $2 ORDER BY seq");
        Ok(self.prepare(&text)?.query_map((what, target), record)?.collect::<Result<_, _>>()?)
    }

    /// The records of all letters to and about a party, the first first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn letters_of(&self, party: i64) -> Result<Vec<Row>, Error> {
        let text =
            format!("-- sealed::letters_of\nSELECT {RECORD} FROM records WHERE party = $1 AND party <> 0 ORDER BY party_seq");
        Ok(self.prepare(&text)?.query_map([party], record)?.collect::<Result<_, _>>()?)
    }

    /// The record of a batch of reports: its number, the shard and the index of its entry. `None` when it is not sealed, or
    /// has none of its own.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn record_of_batch(&self, submission: i64, batch: i64) -> Result<Option<(i64, i64, i64)>, Error> {
        let mut select = self.prepare(
            "-- sealed::of_batch\nSELECT number, shard, idx FROM records WHERE what = 0 AND target = $1 AND ordinal = $2",
        )?;
        Ok(select.query_row((submission, batch), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?)
    }

    /// The end of a stream; `None` when nothing of it is sealed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn head(&self, what: i64, target: i64) -> Result<Option<Head>, Error> {
        let text = format!("-- sealed::head\nSELECT {HEAD} FROM heads WHERE what = $1 AND target = $2");
        Ok(self.prepare(&text)?.query_row((what, target), head).optional()?)
    }

    /// Moves the ends of streams.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_heads(&self, heads: &[Head]) -> Result<(), Error> {
        if let Some(open) = self.open_postgres() {
            return Ok(sets::heads(open, heads)?);
        }
        let mut upsert = self.prepare(
            "-- sealed::set_head
             INSERT INTO heads (what, target, seq, commitment, ordinal, first, chain) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (what, target)
             DO UPDATE SET seq = excluded.seq, commitment = excluded.commitment, ordinal = excluded.ordinal, chain = excluded.chain",
        )?;
        for head in heads {
            upsert.execute((head.what, head.target, head.seq, head.commitment, head.ordinal, head.first, head.chain))?;
        }
        Ok(())
    }

    /// The last sealed letter to a party.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn party_head(&self, party: i64) -> Result<Option<PartyHead>, Error> {
        let mut select =
            self.prepare("-- sealed::party_head\nSELECT party, seq, commitment FROM party_heads WHERE party = $1")?;
        Ok(select
            .query_row([party], |row| Ok(PartyHead { party: row.get(0)?, seq: row.get(1)?, commitment: row.get(2)? }))
            .optional()?)
    }

    /// Keeps the last letters to parties.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_party_heads(&self, heads: &[PartyHead]) -> Result<(), Error> {
        let mut upsert = self.prepare(
            "-- sealed::set_party_head
             INSERT INTO party_heads (party, seq, commitment) VALUES ($1, $2, $3)
             ON CONFLICT (party) DO UPDATE SET seq = excluded.seq, commitment = excluded.commitment",
        )?;
        for head in heads {
            upsert.execute((head.party, head.seq, head.commitment))?;
        }
        Ok(())
    }
}
