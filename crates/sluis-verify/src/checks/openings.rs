//! Check 2: what is shown is what was sealed. Every field gives its digest, the digests the commitment, and this, with the slot,
//! the entry of the log. Reports of a batch lead to the root that the batch's record commits to.

use seal::batch;
use seal::bundle::{Opening, ShownReport};
use seal::record::{self, Value};
use seal::tree;

use super::name;
use crate::said::{quote, short};
use crate::subject::{Known, Subject};
use crate::verdict::Check;

pub(crate) fn check(subject: &Subject<'_>) -> Check {
    let mut check = Check::new(2);
    for record in &subject.records {
        let (en, nl) = name(subject, record);
        let entry = record::entry(&record.shown.slot, &record.commitment);
        if subject.proof(record.shown.index).is_some_and(|proof| proof.entry != entry) {
            check.wrong(
                format!("{en}: what is shown is not what stands in the log at {}", record.shown.index),
                format!("{nl}: wat getoond wordt, is niet wat in het logboek staat op {}", record.shown.index),
            );
        }
    }
    for report in &subject.bundle.reports {
        if let Err(why) = leads_to_its_batch(subject, report) {
            let (place, batch) = (report.place, short(&report.batch));
            check.wrong(
                format!("report {place} of batch {batch}…: {why}"),
                format!("melding {place} van pakket {batch}…: klopt niet ({why})"),
            );
        }
    }
    for record in &subject.records {
        came_from(subject, record, &mut check);
    }
    let (records, reports) = (subject.records.len(), subject.bundle.reports.len());
    let shown =
        subject.records.iter().flat_map(|record| &record.shown.openings).filter(|opening| opening.value().is_some()).count();
    check.unless_worse(
        format!("{records} records with {shown} fields that are shown, and {reports} reports, give the digests that were sealed"),
        format!(
            "{records} regels met {shown} getoonde velden, en {reports} meldingen, geven de controlegetallen die verzegeld zijn"
        ),
    )
}

fn leads_to_its_batch(subject: &Subject<'_>, report: &ShownReport) -> Result<(), &'static str> {
    let batch = subject.with_commitment(&report.batch).ok_or("the record of its batch is not shown")?;
    if batch.shown.kind != record::BATCH.number {
        return Err("what it names is not a batch");
    }
    let root = batch.digest("root").ok_or("the record of its batch does not show the root")?;
    let count = batch.number("count").ok_or("the record of its batch does not show the count")?;
    for (opening, (field, kind)) in report.openings.iter().zip(record::REPORT) {
        if let Opening::Shown { name, value, .. } = opening
            && (name != field || (value.kind() != *kind && *value != Value::Absent))
        {
            return Err("a field has another name or type than it must");
        }
    }
    let commitment = batch::commitment(&std::array::from_fn(|ordinal| report.openings[ordinal].digest()));
    let leaf = tree::leaf_hash(&commitment);
    tree::verify_inclusion(report.place, count, &leaf, &report.path, root)
        .map_err(|_| "its path does not lead to the batch's root")
}

/// Which report of which batch a case was opened from.
fn came_from(subject: &Subject<'_>, record: &Known<'_>, check: &mut Check) {
    let (en, nl) = name(subject, record);
    let (Some(batch), Some(place)) = (record.digest("batch"), record.number("batch_index")) else { return };
    let Some(of) = subject.with_commitment(batch) else {
        check.lacks(
            format!("{en} comes from report {place} of batch {}…, whose record is not shown", short(batch)),
            format!("{nl} komt uit melding {place} van pakket {}…, waarvan de regel niet getoond wordt", short(batch)),
        );
        return;
    };
    if let (Some(own), Some(its)) = (record.digest("submission"), of.digest("submission"))
        && own != its
    {
        check.wrong(
            format!("{en} and the batch it names come from different submissions"),
            format!("{nl} en het pakket dat zij noemt, komen uit verschillende inzendingen"),
        );
    }
    let Some(report) = subject.report(batch, place) else {
        check.lacks(
            format!("{en} comes from report {place} of a batch, and that report is not shown"),
            format!("{nl} komt uit melding {place} van een pakket, en die melding wordt niet getoond"),
        );
        return;
    };
    if let (Some(own), Some(Value::Text(its))) = (record.text("resource"), report.openings[0].value()) {
        let (own, its) = (quote(own), quote(its));
        check.say(
            format!("{en} is about {own}; the report that it comes from names {its}"),
            format!("{nl} gaat over {own}; de melding waaruit zij komt, noemt {its}"),
        );
    }
}
