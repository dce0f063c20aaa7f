//! Bundles and receipts: what was sealed of one case, or of one notice, with the proofs, for somebody outside.
//!
//! Everything here reads only, so that it also runs beside the process that owns the data. [`choice`] says what is shown,
//! `assemble` fetches the proofs, [`receipt`] is for reporters.

mod assemble;
pub mod choice;
pub mod receipt;

use std::collections::BTreeSet;

use model::label::{Pap, Tlp};
use model::time::Time;
use seal::bundle::Form;
use seal::record::ISSUED;
use store::Transaction;
use store::cases::Filed;
use store::keys::Keys;
use store::sealed::{Row, what};

use super::open::{self, Opened};
use crate::Error;
use assemble::Assembly;
use choice::Choice;

/// Reports of a case whose labels are looked at.
const LABELLED: usize = 256;

/// A bundle or receipt, ready to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its SHA-256.
    pub digest: [u8; 32],
    /// Records in it.
    pub records: u64,
    /// Reports of batches in it.
    pub reports: u64,
    /// Fields that have something in them and are not shown, by their names, each once.
    pub hidden: Vec<&'static str>,
    /// Size of the checkpoint; `None` for a receipt from before one.
    pub size: Option<u64>,
    /// Authorities that stamped a checkpoint which covers all of it.
    pub stamped: u64,
    /// Cosignatures under the checkpoint.
    pub witnesses: u64,
    /// What whoever gives it away should know, in sentences.
    pub remarks: Vec<String>,
}

/// How far a case is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All of it is under a published checkpoint.
    Published,
    /// All of it is sealed, and the checkpoint is not published yet.
    Sealed,
    /// Some of it still waits to be sealed.
    Waits,
}

/// How far a case is sealed.
///
/// # Errors
/// [`store::Error::Database`].
pub fn standing(transaction: &Transaction<'_>, case: i64) -> Result<Standing, store::Error> {
    if transaction.is_unsealed(what::CASE, case)? {
        return Ok(Standing::Waits);
    }
    // That a bundle was given out is no reason to wait before the next one is.
    let mut records = transaction.records_of(what::CASE, case)?.into_iter().rev();
    let Some(last) = records.find(|row| row.kind != ISSUED.number) else { return Ok(Standing::Waits) };
    let is_covered = !transaction.published_covering(last.shard, last.idx.unsigned_abs(), 1)?.is_empty();
    Ok(if is_covered { Standing::Published } else { Standing::Sealed })
}

/// The bundle of a case, as far as it is under a published checkpoint. `now` is when it is said to be made.
///
/// # Errors
/// [`Error::NotFound`] when there is no such case; [`Error::Conflict`] when nothing of it is published yet, or what is asked to
/// be shown may not be.
pub fn case(
    transaction: &Transaction<'_>,
    keys: &Keys,
    directory: &std::path::Path,
    case: i64,
    choice: &Choice,
    now: Time,
) -> Result<Made, Error> {
    let filed = transaction.case(case)?.ok_or_else(|| Error::NotFound("there is no such case".to_owned()))?;
    let mut choice = choice.clone();
    let mut remarks = choice.restrict(strictest(transaction, &filed)?, filed.case.kind.is_child_abuse())?;
    let mut records = open::stream(transaction, keys, what::CASE, case)?;
    let Some(shard) = records.last().map(|record| record.row.shard) else {
        return Err(Error::Conflict("nothing of this case is sealed yet".to_owned()));
    };
    let elsewhere = records.iter().filter(|record| record.row.shard != shard).count();
    if elsewhere > 0 {
        remarks.push(format!("the first {elsewhere} records are in an earlier shard of the log, and are not in this bundle"));
    }
    records.retain(|record| record.row.shard == shard);

    let mut assembly = Assembly::begin(transaction, keys, directory, shard, Form::Evidence, filed.case.public.0.to_be_bytes())?;
    remarks.extend(assembly.only_published(&mut records)?);
    if records.is_empty() {
        return Err(Error::Conflict("nothing of this case is under a published checkpoint yet".to_owned()));
    }
    let row = first_row(transaction, keys, &filed, &records)?;
    for record in &records {
        let mut choice = choice.clone();
        if matches!(&row, FirstRow::Gone) {
            // Nobody can show the row any more, so the case does not lead there.
            choice.hide(&["batch", "batch_index"]);
        }
        assembly.add(record, &choice)?;
    }
    assembly.add_secret(what::CASE, case)?;
    if choice.letters {
        let parties: BTreeSet<i64> = records.iter().map(|record| record.row.party).filter(|party| *party != 0).collect();
        for party in parties {
            remarks.extend(assembly.add_letters(party)?);
        }
    }
    match row {
        FirstRow::Is { batch, record, place } => {
            if assembly.is_published(&record.row) {
                assembly.add(&record, &choice)?;
                assembly.add_first_secret(&record)?;
                assembly.add_reports(batch, record.commitment, &[place], &choice)?;
            } else {
                remarks
                    .push("the batch that opened the case is in another shard of the log, and is not in this bundle".to_owned());
            }
        }
        FirstRow::Gone => {
            remarks.push("the row of the feed that opened the case was erased: the bundle says what the case says".to_owned())
        }
        FirstRow::None => {}
    }
    assembly.finish(now, remarks)
}

/// The row of a batch that opened a case.
enum FirstRow {
    /// It stands alone, or the record that says so is not there.
    None,
    /// It was erased.
    Gone,
    /// It can be shown.
    Is { batch: i64, record: Box<Opened>, place: u32 },
}

fn first_row(transaction: &Transaction<'_>, keys: &Keys, filed: &Filed, records: &[Opened]) -> Result<FirstRow, Error> {
    use seal::record::Value;
    let named = records.iter().find_map(|record| match (record.get("batch"), record.get("batch_index")) {
        (Value::Digest(batch), Value::Number(place)) => Some((*batch, u32::try_from(*place).ok()?)),
        _ => None,
    });
    let Some((commitment, place)) = named else { return Ok(FirstRow::None) };
    let Some((report, _)) = transaction.first_of_case(filed.tail)? else { return Ok(FirstRow::Gone) };
    let (batch, _) = Transaction::batch_of(report);
    let Some(kept) = transaction.kept_batch(batch)? else { return Ok(FirstRow::Gone) };
    let Some((number, ..)) = transaction.record_of_batch(kept.submission, batch)? else { return Ok(FirstRow::Gone) };
    let Some(record) = open::record(transaction, keys, number)? else { return Ok(FirstRow::Gone) };
    if record.commitment != commitment {
        return Ok(FirstRow::Gone);
    }
    let report = open::reports(transaction, keys, batch, &[place])?.pop();
    let is_open = report.is_some_and(|report| report.fields.iter().all(|field| field.open.is_some()));
    Ok(if is_open { FirstRow::Is { batch, record: Box::new(record), place } } else { FirstRow::Gone })
}

/// The strictest labels of the reports of a case.
fn strictest(transaction: &Transaction<'_>, filed: &Filed) -> Result<(Tlp, Pap), Error> {
    let (batch, kept) = transaction.reports_of(&filed.case, filed.tail, LABELLED)?;
    // The first report is the one that is sealed.
    let first = transaction.first_of_case(filed.tail)?.map(|(_, core)| (core.tlp, core.pap)).unwrap_or_default();
    let labels = kept.iter().map(|kept| batch.report(kept.place).core).map(|core| (core.tlp, core.pap));
    Ok(labels.fold(first, |(tlp, pap), (other, also)| (tlp.max(other), pap.max(also))))
}

/// Where a record stands in the log.
fn index(row: &Row) -> u64 {
    row.idx.unsigned_abs()
}
