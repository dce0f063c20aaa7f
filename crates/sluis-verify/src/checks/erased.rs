//! Check 12: a field that nobody can show any more was erased, as a record of the log says that names it.

use seal::batch;
use seal::bundle::Opening;
use seal::record::{ERASURE, Hash, kind_of};

use super::name;
use crate::moment::told;
use crate::said::quote;
use crate::subject::{Known, Subject};
use crate::verdict::Check;

pub(crate) fn check(subject: &Subject<'_>) -> Check {
    let mut check = Check::new(12);
    let mut erased = 0;
    for record in &subject.records {
        let (en, nl) = name(subject, record);
        for (ordinal, opening) in record.shown.openings.iter().enumerate() {
            let Opening::Erased { record: by, .. } = opening else { continue };
            let field = kind_of(record.shown.kind).and_then(|kind| kind.field(ordinal)).map_or("?", |(field, _)| field);
            erased += 1;
            of_field(
                subject,
                (&record.commitment, ordinal),
                by,
                (&format!("{en}, {field}"), &format!("{nl}, {field}")),
                &mut check,
            );
        }
    }
    for report in &subject.bundle.reports {
        let commitment = batch::commitment(&std::array::from_fn(|ordinal| report.openings[ordinal].digest()));
        for (ordinal, opening) in report.openings.iter().enumerate() {
            let Opening::Erased { record: by, .. } = opening else { continue };
            erased += 1;
            let (en, nl) =
                (format!("report {}, field {ordinal}", report.place), format!("melding {}, veld {ordinal}", report.place));
            of_field(subject, (&commitment, ordinal), by, (&en, &nl), &mut check);
        }
    }
    if erased == 0 {
        check.say("nothing of what is shown was erased", "van wat getoond wordt, is niets gewist");
    }
    check
}

fn of_field(subject: &Subject<'_>, what: (&Hash, usize), by: &Hash, (en, nl): (&str, &str), check: &mut Check) {
    let Some(record) = subject.with_commitment(by) else {
        check.lacks(
            format!("{en}: said to be erased, but the record of it is not shown"),
            format!("{nl}: zou gewist zijn, maar de regel daarvan wordt niet getoond"),
        );
        return;
    };
    match names(record, what) {
        Some(true) => {}
        Some(false) => {
            check.wrong(
                format!("{en}: said to be erased, but the record of the erasure does not name it"),
                format!("{nl}: zou gewist zijn, maar de regel van de wissing noemt het niet"),
            );
            return;
        }
        None => {
            check.lacks(
                format!("{en}: the record of the erasure does not show what was erased"),
                format!("{nl}: de regel van de wissing toont niet wat gewist is"),
            );
            return;
        }
    }
    let ground = record.text("ground").map(quote).unwrap_or_default();
    let done = record.text("stage") == Some("done");
    let (mut said, mut gezegd) =
        if done { ("erased".to_owned(), "gewist".to_owned()) } else { ("being erased".to_owned(), "wordt gewist".to_owned()) };
    if let Some(until) = record.time("keys_until") {
        let until = told(until);
        said += &format!("; backups of keys end on {}", until.en);
        gezegd += &format!("; reservekopieën van sleutels eindigen op {}", until.nl);
    }
    if !ground.is_empty() {
        said += &format!("; ground {ground}");
        gezegd += &format!("; grond {ground}");
    }
    check.ok(format!("{en}: {said}"), format!("{nl}: {gezegd}"));
}

/// Whether an erasure record names a field: C of the record, and the bit of the ordinal. `None` when it does not show that.
fn names(erasure: &Known<'_>, (commitment, ordinal): (&Hash, usize)) -> Option<bool> {
    if erasure.shown.kind != ERASURE.number {
        return Some(false);
    }
    let list = erasure.bytes("records")?;
    let (entries, rest) = list.as_chunks::<36>();
    let is_it = |entry: &[u8; 36]| {
        let (record, bits) = entry.split_at(32);
        let bits = bits.try_into().map_or(0, u32::from_be_bytes);
        record == commitment && bits.checked_shr(ordinal as u32).unwrap_or(0) & 1 == 1
    };
    Some(rest.is_empty() && entries.iter().any(is_it))
}
