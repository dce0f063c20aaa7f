//! Check 4: every record stands in the log, at its own place, under the checkpoint of the bundle.

use super::name;
use crate::subject::Subject;
use crate::verdict::Check;

pub(crate) fn check(subject: &Subject<'_>) -> Check {
    let mut check = Check::new(4);
    let checkpoint = match &subject.main {
        None => {
            check.lacks(
                "there is no checkpoint yet: ask for this receipt once more later",
                "er is nog geen ijkpunt: vraag deze ontvangstbevestiging later nog eens op",
            );
            return check;
        }
        Some(Err(why)) => {
            check.wrong(format!("checkpoint.txt: {why}"), format!("checkpoint.txt is geen ijkpunt ({why})"));
            return check;
        }
        Some(Ok(parsed)) => &parsed.checkpoint,
    };
    for record in &subject.records {
        let index = record.shown.index;
        if subject.proof(index).is_none() {
            let (en, nl) = name(subject, record);
            check.wrong(
                format!("{en}: no proof that it stands at {index}"),
                format!("{nl}: geen bewijs dat zij op {index} staat"),
            );
        }
    }
    let mut places: Vec<u64> = subject.records.iter().map(|record| record.shown.index).collect();
    places.sort_unstable();
    if let Some(pair) = places.windows(2).find(|pair| pair[0] == pair[1]) {
        check.wrong(format!("two records say to stand at {}", pair[0]), format!("twee regels zouden op {} staan", pair[0]));
    }
    for proof in subject.bundle.proofs.iter().filter(|proof| !subject.is_proven(proof)) {
        check.wrong(
            format!("the entry at {} is not in the log of {} entries", proof.index, checkpoint.size),
            format!("wat op {} zou staan, staat niet in het logboek van {} regels", proof.index, checkpoint.size),
        );
    }
    let (shown, size) = (places.len(), checkpoint.size);
    check.unless_worse(
        format!("all {shown} stand among the {size} entries of the log"),
        format!("alle {shown} staan tussen de {size} regels van het logboek"),
    )
}
