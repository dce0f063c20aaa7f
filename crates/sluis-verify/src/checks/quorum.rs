//! Check 7: enough witnesses saw the checkpoint. Persons are counted, and never the log's own operator.

use super::Matter;
use crate::clock::TOLERANCE;
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
    let latest = matter.at.map_or(i64::MAX, |at| at.saturating_add(TOLERANCE));
    let stamped = main.checkpoint.size.checked_sub(1).and_then(|last| counted.upper(last));
    let (cosigned, future): (Vec<_>, Vec<_>) = policy.counting(&judged, stamped).into_iter().partition(|one| one.at <= latest);
    for one in future {
        check.say(
            format!("the cosignature of {} is of the future: it does not count", quote(&one.witness.holder)),
            format!("de medeondertekening van {} is van de toekomst: zij telt niet", quote(&one.witness.holder)),
        );
    }
    let mut holders: Vec<&str> = cosigned.iter().map(|one| one.witness.holder.as_str()).collect();
    holders.sort_unstable();
    holders.dedup();
    let names = if holders.is_empty() { "—".to_owned() } else { holders.iter().map(|one| quote(one)).collect::<Vec<_>>().join(", ") };
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
