//! Check 8: time-stamping authorities that the policy names, and whose certificates the verifier brought along, stamped checkpoints
//! that hold the records.

use seal::tsp::Wrong;

use super::{Matter, name};
use crate::clock::{Skipped, Stamped};
use crate::moment::told;
use crate::said::quote;
use crate::verdict::Check;

pub(crate) fn check(matter: &Matter<'_>) -> Check {
    let mut check = Check::new(8);
    for (size, place, wrong) in &matter.clock.refused {
        let (en, nl) = (
            format!("time-stamp {place} over the checkpoint of {size} entries"),
            format!("tijdstempel {place} over het ijkpunt van {size} regels"),
        );
        match wrong {
            // Others than the verifier may believe these; they are no fault of the bundle.
            Wrong::Untrusted(_) | Wrong::Algorithm(_) => check.say(
                format!("{en} does not count: {}", quote(&wrong.to_string())),
                format!("{nl} telt niet: u gaf geen certificaten waarmee het te controleren is ({})", quote(&wrong.to_string())),
            ),
            _ => check.wrong(
                format!("{en}: {}", quote(&wrong.to_string())),
                format!("{nl} klopt niet ({})", quote(&wrong.to_string())),
            ),
        }
    }
    for place in &matter.clock.misstated {
        check.wrong(
            format!("the anchor entry at {place} says something else than the time-stamp that it names"),
            format!("de ankerregel op {place} zegt iets anders dan het tijdstempel dat zij noemt"),
        );
    }
    let Some(counted) = matter.counted else {
        check.lacks("there is no policy for this time", "er is geen beleid voor dit moment");
        return check;
    };
    let mut stamps = counted.stamps.clone();
    stamps.sort_by_key(|(stamped, _)| stamped.stamp.gen_time_ms);
    for (stamped, holder) in stamps {
        let (when, size, holder, tsa) = (told(stamped.stamp.gen_time_ms), stamped.size, quote(holder), quote(&stamped.stamp.tsa));
        check.say(
            format!("{holder} (certificate of {tsa}) stamped the log of {size} entries on {}", when.en),
            format!("{holder} (certificaat van {tsa}) stempelde het logboek van {size} regels op {}", when.nl),
        );
    }
    for (stamped, why) in &counted.skipped {
        skipped(stamped, *why, &mut check);
    }
    let (asked, mut bound) = (counted.required, 0);
    for record in &matter.subject.records {
        if matter.subject.main.is_some() && counted.upper(record.shown.index).is_some() {
            bound += 1;
            continue;
        }
        let (en, nl) = name(matter.subject, record);
        check.lacks(
            format!("{en}: fewer than {asked} authorities stamped a checkpoint that holds it"),
            format!("{nl}: minder dan {asked} instanties stempelden een ijkpunt waarin zij staat"),
        );
    }
    check.unless_worse(
        format!("all {bound} records are under time-stamps of {asked} authorities that you trust"),
        format!("alle {bound} regels vallen onder tijdstempels van {asked} instanties die u vertrouwt"),
    )
}

fn skipped(stamped: &Stamped, why: Skipped, check: &mut Check) {
    let tsa = quote(&stamped.stamp.anchor);
    let until = told(stamped.stamp.valid_until_ms);
    let (en, nl) = match why {
        Skipped::Unnamed => ("your policy does not name it".to_owned(), "uw beleid noemt haar niet".to_owned()),
        Skipped::Own => ("it is the log's own operator".to_owned(), "het is de beheerder van het logboek zelf".to_owned()),
        Skipped::Future => ("it is from after the date of verifying".to_owned(), "het is van na de controledatum".to_owned()),
        Skipped::Ended => (
            format!("its certificates ended on {}, and no renewal is shown: ask for the bundle once more", until.en),
            format!("de certificaten liepen af op {} en er is geen vernieuwing bij: vraag de bundel opnieuw op", until.nl),
        ),
    };
    let size = stamped.size;
    check.say(
        format!("the time-stamp of {tsa} over {size} entries does not count: {en}"),
        format!("het tijdstempel van {tsa} over {size} regels telt niet: {nl}"),
    );
}
