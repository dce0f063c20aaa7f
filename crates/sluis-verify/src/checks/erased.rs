//! Check 12: a field that nobody can show any more was erased, as a record of the log says that names it.

use std::collections::BTreeMap;

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
    let erasures = Erasures::new(subject);
    for record in &subject.records {
        let (en, nl) = name(subject, record);
        for (ordinal, opening) in record.shown.openings.iter().enumerate() {
            let Opening::Erased { record: by, .. } = opening else { continue };
            let field = kind_of(record.shown.kind).and_then(|kind| kind.field(ordinal)).map_or("?", |(field, _)| field);
            erased += 1;
            of_field(
                &erasures,
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
            of_field(&erasures, (&commitment, ordinal), by, (&en, &nl), &mut check);
        }
    }
    if erased == 0 {
        check.say("nothing of what is shown was erased", "van wat getoond wordt, is niets gewist");
    }
    check
}

fn of_field(erasures: &Erasures<'_>, what: (&Hash, usize), by: &Hash, (en, nl): (&str, &str), check: &mut Check) {
    let Some(record) = erasures.subject.with_commitment(by) else {
        check.lacks(
            format!("{en}: said to be erased, but the record of it is not shown"),
            format!("{nl}: zou gewist zijn, maar de regel daarvan wordt niet getoond"),
        );
        return;
    };
    match erasures.name(record, what) {
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

/// What the erasure records of a bundle name.
struct Erasures<'a> {
    subject: &'a Subject<'a>,
    /// By C of the erasure record and C of the record or report that it names: a bit for each ordinal.
    named: BTreeMap<(Hash, Hash), u32>,
}

impl<'a> Erasures<'a> {
    fn new(subject: &'a Subject<'a>) -> Erasures<'a> {
        let mut named: BTreeMap<(Hash, Hash), u32> = BTreeMap::new();
        for record in subject.records.iter().filter(|record| record.shown.kind == ERASURE.number) {
            let (entries, rest) = record.bytes("records").unwrap_or_default().as_chunks::<36>();
            for entry in entries.iter().filter(|_| rest.is_empty()) {
                let (Some(of), Some(bits)) = (entry.first_chunk::<32>(), entry.last_chunk::<4>()) else { continue };
                *named.entry((record.commitment, *of)).or_default() |= u32::from_be_bytes(*bits);
            }
        }
        Erasures { subject, named }
    }

    /// Whether an erasure record names a field. `None` when it does not show what it names.
    fn name(&self, erasure: &Known<'_>, (of, ordinal): (&Hash, usize)) -> Option<bool> {
        if erasure.shown.kind != ERASURE.number {
            return Some(false);
        }
        erasure.bytes("records")?;
        let bits = self.named.get(&(erasure.commitment, *of)).copied().unwrap_or(0);
        Some(bits.checked_shr(ordinal as u32).unwrap_or(0) & 1 == 1)
    }
}
