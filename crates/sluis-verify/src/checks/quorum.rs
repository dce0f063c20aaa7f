//! Check 7: enough witnesses saw the checkpoint. Persons are counted, and never the log's own operator.

use seal::policy::{Cosigned, Judged, Policy};

use super::Matter;
use crate::clock::{Counted, TOLERANCE};
use crate::moment::told;
use crate::said::quote;
use crate::verdict::Check;

pub(crate) fn check(matter: &Matter<'_>) -> Check {
    let mut check = Check::new(7);
    let (Some(policy), Some(counted), Some(Ok(main))) = (matter.policy, matter.counted, &matter.subject.main) else {
        check.lacks("there is no checkpoint, or no policy for it", "er is geen ijkpunt, of geen beleid daarvoor");
        return check;
    };
    let Ok(judged) = policy.judge(&main.note) else {
        check.lacks("the checkpoint is not signed as it must be (6)", "het ijkpunt is niet ondertekend zoals het moet (6)");
        return check;
    };
    if policy.wants_no_witness() {
        check.ok("your policy asks for no witness", "uw beleid vraagt geen getuigen");
        check.say(
            "so it is not proven that the log showed everybody the same",
            "daarom is niet bewezen dat het logboek iedereen hetzelfde toonde",
        );
        return check;
    }
    let (cosigned, future) = counting(matter, policy, counted, &judged);
    for one in future {
        check.say(
            format!("the cosignature of {} is of the future: it does not count", quote(&one.witness.holder)),
            format!("de medeondertekening van {} is van de toekomst: zij telt niet", quote(&one.witness.holder)),
        );
    }
    let holders = holders(&cosigned);
    let names =
        if holders.is_empty() { "—".to_owned() } else { holders.iter().map(|one| quote(one)).collect::<Vec<_>>().join(", ") };
    let asked = policy.quorum_in_words();
    if policy.is_quorum(&cosigned) {
        let newest = told(cosigned.iter().map(|one| one.at).max().unwrap_or_default());
        check.ok(
            format!("witnessed by {names}; the newest of them on {}", newest.en),
            format!("gezien door {names}; de laatste van hen op {}", newest.nl),
        );
        check.say(format!("your policy asks for {}", quote(&asked)), format!("uw beleid vraagt {}", quote(&asked)));
    } else {
        check.lacks(
            format!("not enough witnesses: {names}. Your policy asks for {}", quote(&asked)),
            format!("niet genoeg getuigen: {names}. Uw beleid vraagt {}", quote(&asked)),
        );
    }
    check
}

/// The persons who cosigned the checkpoint of the bundle, and count.
pub(crate) fn witnesses(matter: &Matter<'_>) -> Vec<String> {
    let (Some(policy), Some(counted), Some(Ok(main))) = (matter.policy, matter.counted, &matter.subject.main) else {
        return Vec::new();
    };
    let judged = policy.judge(&main.note);
    let cosigned = judged.map(|judged| counting(matter, policy, counted, &judged).0).unwrap_or_default();
    holders(&cosigned).into_iter().map(str::to_owned).collect()
}

fn holders<'a>(cosigned: &[Cosigned<'a>]) -> Vec<&'a str> {
    let mut holders: Vec<&str> = cosigned.iter().map(|one| one.witness.holder.as_str()).collect();
    holders.sort_unstable();
    holders.dedup();
    holders
}

/// The cosignatures that count, and those that are said to be of the future.
fn counting<'a>(
    matter: &Matter<'_>,
    policy: &Policy,
    counted: &Counted<'_>,
    judged: &Judged<'a>,
) -> (Vec<Cosigned<'a>>, Vec<Cosigned<'a>>) {
    let latest = matter.at.map_or(i64::MAX, |at| at.saturating_add(TOLERANCE));
    let stamped = judged.checkpoint.size.checked_sub(1).and_then(|last| counted.upper(last));
    policy.counting(judged, stamped).into_iter().partition(|one| one.at <= latest)
}
