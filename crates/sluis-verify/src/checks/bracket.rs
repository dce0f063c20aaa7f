//! Check 9: when the sender's clock says that a record was sealed, against what others prove: not before one time-stamp, at the latest
//! by another. What is said of when it happened is a claim, and printed as one.

use super::{Matter, name};
use crate::clock::TOLERANCE;
use crate::moment::{long, told};
use crate::said::both;
use crate::subject::Known;
use crate::verdict::{Check, Outcome};

/// How a clock stands to the bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bracket {
    /// Between the bounds.
    Inside,
    /// Outside them by this many milliseconds, but no more than a clock may be off.
    Differs(i64),
    /// Outside them by this many milliseconds: negative is too early, that is before the lower bound.
    Outside(i64),
    /// There is no bound, or no time.
    Unknown,
}

/// Holds a time against its bounds, in UTC milliseconds since 1970.
pub(crate) fn bracket(recorded: Option<i64>, lower: Option<i64>, upper: Option<i64>) -> Bracket {
    let (Some(recorded), Some(upper)) = (recorded, upper) else { return Bracket::Unknown };
    let early = lower.map_or(0, |lower| lower.saturating_sub(recorded)).max(0);
    let late = recorded.saturating_sub(upper).max(0);
    match (early, late) {
        (0, 0) => Bracket::Inside,
        (early, 0) if early > TOLERANCE => Bracket::Outside(-early),
        (_, late) if late > TOLERANCE => Bracket::Outside(late),
        (early, late) => Bracket::Differs(early.max(late)),
    }
}

pub(crate) fn check(matter: &Matter<'_>) -> Check {
    let mut check = Check::new(9);
    let mut inside = 0;
    for record in &matter.subject.records {
        let (lower, upper) = bounds(matter, record);
        let recorded = record.time("recorded_at");
        let (en, nl) = name(matter.subject, record);
        let clock = told(recorded.unwrap_or_default());
        let edge = |late: bool| told(if late { upper } else { lower }.unwrap_or_default());
        if lower.is_none() && upper.is_some() {
            check.lacks(
                format!("{en}: nothing shows from when on it can be: ask for a bundle with a time-stamp from before it"),
                format!("{nl}: niets toont vanaf wanneer zij er kan zijn: vraag een bundel met een tijdstempel van daarvoor"),
            );
        }
        match bracket(recorded, lower, upper) {
            Bracket::Inside => inside += 1,
            Bracket::Differs(by) => {
                inside += 1;
                let by = long(by);
                check.say(
                    format!("{en}: the clock differs by {}, which a clock may", by.en),
                    format!("{nl}: de klok wijkt {} af, wat van een klok mag", by.nl),
                );
            }
            Bracket::Outside(by) => {
                let (edge, by, late) = (edge(by > 0), long(by), by > 0);
                let (word, woord) = if late { ("after", "na") } else { ("before", "voor") };
                check.lacks(
                    format!("{en}: outside by {}: the sender's clock said {}, {word} the {}", by.en, clock.en, edge.en),
                    format!("{nl}: {} buiten de grenzen: de klok van de afzender zei {}, {woord} {}", by.nl, clock.nl, edge.nl),
                );
            }
            Bracket::Unknown => {
                check.lacks(
                    format!("{en}: there is no bound to hold it against"),
                    format!("{nl}: er is geen grens om tegenaan te houden"),
                );
            }
        }
        late(record, (&en, &nl), &mut check);
    }
    check.unless_worse(
        format!("in all {inside} records it agrees with what others stamped"),
        format!("in alle {inside} regels klopt zij met wat anderen stempelden"),
    )
}

/// The bounds of a record: not before, and at the latest.
pub(crate) fn bounds(matter: &Matter<'_>, record: &Known<'_>) -> (Option<i64>, Option<i64>) {
    let Some(counted) = matter.counted.filter(|_| matter.subject.main.is_some()) else { return (None, None) };
    (counted.lower(record.shown.index), counted.upper(record.shown.index))
}

/// What was written down a day or more after it is said to have happened.
fn late(record: &Known<'_>, (en, nl): (&str, &str), check: &mut Check) {
    let (Some(recorded), Some(occurred)) = (record.time("recorded_at"), record.time("occurred_at")) else { return };
    let days = recorded.saturating_sub(occurred) / 86_400_000;
    if days >= 1 {
        let claim = told(occurred);
        let text = both(
            format!("{en}: recorded {days} days after it is said to have happened ({})", claim.en),
            format!("{nl}: vastgelegd {days} dagen nadat het gebeurd zou zijn ({})", claim.nl),
        );
        check.add(Outcome::Said, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_honest_clock_is_not_accused() {
        let (lower, upper) = (Some(1_000_000), Some(2_000_000));
        for (recorded, expected) in [
            (1_500_000, Bracket::Inside),
            (1_000_000, Bracket::Inside),
            (2_000_000, Bracket::Inside),
            (2_120_000, Bracket::Differs(120_000)),
            (2_120_001, Bracket::Outside(120_001)),
            (880_000, Bracket::Differs(120_000)),
            (879_999, Bracket::Outside(-120_001)),
            (i64::MIN, Bracket::Outside(-i64::MAX)),
            (i64::MAX, Bracket::Outside(i64::MAX - 2_000_000)),
        ] {
            assert_eq!(bracket(Some(recorded), lower, upper), expected, "{recorded}");
        }
        assert_eq!(bracket(Some(0), None, upper), Bracket::Inside);
        assert_eq!(bracket(Some(0), lower, None), Bracket::Unknown);
        // Bounds that contradict each other fit no clock.
        assert_eq!(bracket(Some(5_000_000), Some(9_000_000), Some(1_000_000)), Bracket::Outside(4_000_000));
    }
}
