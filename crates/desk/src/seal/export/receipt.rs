//! Receipts: what was sealed of one notice, for who sent it (DSA article 16(4)).

use std::collections::HashSet;
use std::path::Path;

use ::seal::bundle::Form;
use ::seal::record::{OPENED, Value};
use model::time::Time;
use store::Transaction;
use store::keys::Keys;
use store::sealed::what;

use super::Made;
use super::assemble::Assembly;
use super::choice::Choice;
use crate::Error;
use crate::seal::open::{self, Opened};

/// Cases that one person's notice opens, at the most; more make it a list.
const FEW: u32 = 64;
/// Rows of a list that one receipt has, at the most.
pub const MOST_ROWS: usize = 20_000;

/// The receipt of a submission: what its own records say, and nothing of the case that came of it. Of a list, the rows whose
/// ordinals in the submission are named, or all.
///
/// # Errors
/// [`Error::NotFound`] when there is no such submission; [`Error::Conflict`] when nothing of it is sealed, or there are too many rows.
pub fn submission(
    transaction: &Transaction<'_>,
    keys: &Keys,
    directory: &Path,
    submission: i64,
    rows: &[u32],
    now: Time,
) -> Result<Made, Error> {
    let filed = transaction.submission(submission)?.ok_or_else(|| Error::NotFound("there is no such submission".to_owned()))?;
    let mut batches = open::stream(transaction, keys, what::BATCH, submission)?;
    if !batches.is_empty() {
        // Of a long letter that was read in parts, what opened cases may stand alone.
        let mut alone = if rows.is_empty() { opened_by(transaction, keys, submission)? } else { Vec::new() };
        alone.retain(|record| *record.get("batch") == Value::Absent);
        batches.extend(alone);
        let mut made = list(transaction, keys, directory, filed.public.0.to_be_bytes(), batches, rows, now)?;
        if transaction.is_unsealed(what::BATCH, submission)? {
            made.remarks.push("the rest of it still waits for the log, and is not in this receipt".to_owned());
        }
        return Ok(made);
    }
    if transaction.is_unsealed(what::BATCH, submission)? {
        return Err(Error::Conflict("this submission still waits for the log: make the receipt when it is sealed".to_owned()));
    }
    if !rows.is_empty() {
        return Err(Error::Invalid("this submission is no list: its receipt has no rows to choose from".to_owned()));
    }
    let mut records = opened_by(transaction, keys, submission)?;
    let (Some(shard), Some(stream)) = (records.first().map(|record| record.row.shard), records.first().and_then(stream_of))
    else {
        return Err(Error::Conflict(
            "nothing of this submission is sealed for itself: its case still waits for the log, no report was read of it, it was erased, or it joined a case before there was a log".to_owned(),
        ));
    };
    records.retain(|record| record.row.shard == shard);
    let mut assembly = Assembly::begin(transaction, keys, directory, shard, Form::Receipt, stream)?;
    let remarks = until_published(&mut assembly, &records)?;
    for record in &records {
        assembly.add(record, &Choice::of_reporter())?;
    }
    assembly.finish(now, remarks)
}

/// The receipt of a list, and of a notice that joined a case which was there: its batches, rows of them, and records of cases that
/// stand alone.
fn list(
    transaction: &Transaction<'_>,
    keys: &Keys,
    directory: &Path,
    stream: [u8; 16],
    mut records: Vec<Opened>,
    rows: &[u32],
    now: Time,
) -> Result<Made, Error> {
    let shard = records.first().map_or(0, |record| record.row.shard);
    records.retain(|record| record.row.shard == shard);
    let count = |batch: &Opened| match batch.get("count") {
        Value::Number(count) => u32::try_from(*count).unwrap_or(0),
        _ => 0,
    };
    let all: u64 = records.iter().map(|record| u64::from(count(record))).sum();
    if rows.is_empty() && all > MOST_ROWS as u64 || rows.len() > MOST_ROWS {
        return Err(Error::Conflict(format!(
            "the list has {all} rows, and a receipt has {MOST_ROWS} at the most: name those it is to show with --row"
        )));
    }
    let mut assembly = Assembly::begin(transaction, keys, directory, shard, Form::Receipt, stream)?;
    let mut remarks = until_published(&mut assembly, &records)?;
    let named: HashSet<u32> = rows.iter().copied().collect();
    let (mut shown, mut wanted) = (0, 0);
    for batch in &records {
        if batch.kind.number == OPENED.number {
            assembly.add(batch, &Choice::of_reporter())?;
            continue;
        }
        assembly.add(batch, &Choice::of_lister())?;
        // A batch is sorted by case: where a row stands in it is not where it stood in the list.
        let places = transaction.places_in(batch.row.ordinal)?;
        let is_wanted = |ordinal: u32| rows.is_empty() || named.contains(&ordinal);
        let places: Vec<u32> = places.into_iter().filter(|(ordinal, _)| is_wanted(*ordinal)).map(|(_, place)| place).collect();
        if !places.is_empty() {
            wanted += places.len();
            shown += assembly.add_reports(batch.row.ordinal, batch.commitment, &places, &Choice::of_lister())?;
        }
    }
    if shown < wanted {
        remarks.push(format!("{} rows were erased, and are not in it", wanted - shown));
    }
    if wanted < named.len() {
        remarks.push(format!("{} of the rows that were asked for are not there", named.len() - wanted));
    }
    assembly.finish(now, remarks)
}

/// Takes the checkpoint over all of these, if there is one; else the receipt is one from before it.
fn until_published(assembly: &mut Assembly<'_, '_>, records: &[Opened]) -> Result<Vec<String>, Error> {
    if assembly.cover(records)? {
        return Ok(Vec::new());
    }
    Ok(vec!["it is sealed, and not published yet: this receipt commits to it, and one made later proves it".to_owned()])
}

/// The first records of the cases that a person's notice opened.
fn opened_by(transaction: &Transaction<'_>, keys: &Keys, submission: i64) -> Result<Vec<Opened>, Error> {
    let Some(digest) = transaction.submission_sha256(submission)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for case in transaction.cases_of_submission(submission, FEW)? {
        let Some(number) = transaction.head(what::CASE, case)?.map(|head| head.first) else { continue };
        let Some(record) = open::record(transaction, keys, number)? else { continue };
        if record.kind.number == OPENED.number && *record.get("submission") == Value::Digest(digest) {
            found.push(record);
        }
    }
    Ok(found)
}

fn stream_of(record: &Opened) -> Option<[u8; 16]> {
    match record.get("stream") {
        Value::Bytes(stream) => stream.as_slice().try_into().ok(),
        _ => None,
    }
}
