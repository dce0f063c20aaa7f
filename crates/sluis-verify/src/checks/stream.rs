//! Check 10: the records of the case follow each other from the first to the last that is shown. Each has the slot that the case's
//! secret gives to its number, and names the one before it; so none can be left out, and none can stand there twice.

use seal::bundle::Form;
use seal::record::{BATCH, ERASURE, Hash, OPENED, secret_commitment, slot};

use super::{Matter, name};
use crate::letters;
use crate::subject::{Known, Subject};
use crate::verdict::Check;

pub(crate) fn check(matter: &Matter<'_>) -> Check {
    let mut check = Check::new(10);
    let subject = matter.subject;
    is_the_secret(subject, &mut check);
    for record in &subject.records {
        has_its_slot(subject, record, &mut check);
    }
    // They stand by stream and number.
    for (earlier, record) in subject.records.iter().zip(subject.records.iter().skip(1)) {
        follows(subject, earlier, record, &mut check);
    }
    let walked = matter.log.is_some_and(|log| log.told(&mut check));
    let own: Vec<&Known<'_>> = subject.own().collect();
    let missing = missing(&own);
    match (subject.bundle.form, own.last()) {
        (_, None) => check.lacks("no record of the case is shown", "geen regel van het dossier wordt getoond"),
        (Form::Receipt, Some(_)) => is_a_receipt(subject, &mut check),
        (Form::Evidence, Some(_)) if !missing.is_empty() => {
            let list = missing.iter().take(20).map(|(from, to)| range(*from, *to)).collect::<Vec<_>>().join(", ");
            check.lacks(format!("not shown: records {list}"), format!("niet getoond: regels {list}"));
        }
        (Form::Evidence, Some(last)) => whole(matter, last, walked, &mut check),
    }
    for letters in letters::by_party(subject) {
        letters.told(&mut check);
    }
    check
}

/// The shown secret of the case is the one that its first record committed to.
fn is_the_secret(subject: &Subject<'_>, check: &mut Check) {
    let own = &subject.bundle.stream;
    let evidence = subject.bundle.form == Form::Evidence;
    if evidence && !subject.secrets.contains_key(own) {
        check.lacks("the secret of the case is not shown", "het geheim van het dossier wordt niet getoond");
    }
    for (stream, secret) in &subject.secrets {
        match subject.first_of(stream).map(|first| first.digest("secret_commitment")) {
            Some(Some(committed)) if *committed != secret_commitment(secret) => check.wrong(
                "a stream's secret is not the one that its first record committed to",
                "het geheim van een reeks is niet dat wat in de eerste regel vastgelegd is",
            ),
            Some(None) if evidence && stream == own => check.lacks(
                "record 0 does not show what it committed to as the secret of the case",
                "regel 0 toont niet welk geheim van het dossier daarin vastgelegd is",
            ),
            _ => {}
        }
    }
}

/// A record has the slot of its number in its stream, and not that of its number in the case if it is of another.
fn has_its_slot(subject: &Subject<'_>, record: &Known<'_>, check: &mut Check) {
    let (en, nl) = name(subject, record);
    if subject.secrets.get(&record.stream).is_some_and(|secret| record.shown.slot != slot(secret, record.seq)) {
        check
            .wrong(format!("{en}: its slot is not that of its number"), format!("{nl}: haar plaats is niet die van haar nummer"));
    }
    let own = &subject.bundle.stream;
    let of_the_case = |secret: &Hash| record.stream != *own && record.shown.slot == slot(secret, record.seq);
    if subject.secrets.get(own).is_some_and(of_the_case) {
        check.wrong(format!("{en} has a slot of this case"), format!("{nl} heeft een plaats van dit dossier"));
    }
}

/// A record follows the one that stands before it in the bundle, if both are of one stream.
fn follows(subject: &Subject<'_>, earlier: &Known<'_>, record: &Known<'_>, check: &mut Check) {
    if earlier.stream != record.stream {
        return;
    }
    let (en, nl) = name(subject, record);
    if earlier.seq == record.seq {
        check.wrong(format!("{en} is there twice"), format!("{nl} is er twee keer"));
        return;
    }
    if earlier.seq.checked_add(1) == Some(record.seq) && record.digest("prev") != Some(&earlier.commitment) {
        check.wrong(format!("{en} does not name the one before it"), format!("{nl} noemt de vorige niet"));
    }
    if earlier.time("recorded_at") > record.time("recorded_at") {
        check.lacks(
            format!("{en} says to be sealed before the one before it: the sender's clock went back"),
            format!("{nl} zou eerder verzegeld zijn dan de vorige: de klok van de afzender ging terug"),
        );
    }
    if subject.main.is_some() && earlier.shown.index >= record.shown.index {
        check.wrong(
            format!("{en} stands in the log before the one before it"),
            format!("{nl} staat in het logboek voor de vorige"),
        );
    }
}

/// A receipt shows the report of who gets it, and no more: what happened then is for a case that is shown whole.
fn is_a_receipt(subject: &Subject<'_>, check: &mut Check) {
    let of_a_receipt = |record: &&Known<'_>| [OPENED.number, BATCH.number, ERASURE.number].contains(&record.shown.kind);
    for record in subject.records.iter().filter(|record| !of_a_receipt(record)) {
        let (en, nl) = name(subject, record);
        check.lacks(
            format!("{en} has no place in a receipt: what happened in a case is proven by showing it whole"),
            format!("{nl} hoort niet in een ontvangstbevestiging: wat er in een dossier gebeurde, blijkt uit het hele dossier"),
        );
    }
    check.ok(
        "what is shown of the case hangs together; a receipt does not show a case whole",
        "wat van het dossier getoond wordt, hangt samen; een ontvangstbevestiging toont geen heel dossier",
    );
}

/// The numbers from 0 to the last that is shown, which are not: as ranges.
fn missing(own: &[&Known<'_>]) -> Vec<(u64, u64)> {
    let mut missing = Vec::new();
    let mut next = 0;
    for seq in own.iter().map(|record| record.seq) {
        if seq > next {
            missing.push((next, seq - 1));
        }
        next = seq.saturating_add(1);
    }
    missing
}

fn range(from: u64, to: u64) -> String {
    if from == to { from.to_string() } else { format!("{from}-{to}") }
}

/// What it means that there is no gap: no more than it says.
fn whole(matter: &Matter<'_>, last: &Known<'_>, walked: bool, check: &mut Check) {
    let last = last.seq;
    let size = matter.subject.checkpoint().map_or(0, |checkpoint| checkpoint.size);
    let (en, nl) = match matter.log.filter(|_| walked).map(|log| log.next) {
        Some(None) => (format!("none exists up to {size}"), format!("er bestaat er geen tot {size}")),
        Some(Some(place)) => {
            check.lacks(
                format!("the log has a record {} at {place}, which is not shown", last.saturating_add(1)),
                format!("het logboek heeft een regel {} op {place}, die niet getoond wordt", last.saturating_add(1)),
            );
            return;
        }
        None => (
            format!("later records may exist, also before checkpoint {size}"),
            format!("latere regels kunnen bestaan, ook voor ijkpunt {size}"),
        ),
    };
    check.ok(
        format!("no gap from 0 to {last}; {en}; other cases about this party are not covered"),
        format!("geen gat van 0 tot {last}; {nl}; andere dossiers over deze partij vallen hier niet onder"),
    );
}
