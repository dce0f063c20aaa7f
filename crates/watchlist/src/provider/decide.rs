//! What a person decides on a hit, written down with name, reason and time. Sluis itself never takes a measure.

use matching::list::chain::FRESH;

use super::error::{Error, Result};
use super::hits::{Decision, Hit, Hits, Status, What};

/// The longest text of a decision, in bytes.
pub const MOST: usize = 4_096;

/// What is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decide<'a> {
    /// What was decided.
    pub what: What,
    /// By whom.
    pub by: &'a str,
    /// Why.
    pub why: &'a str,
    /// Evidence of the provider's own that carries the measure without the entry.
    pub own_evidence: Option<&'a str>,
}

/// Writes a decision down, and closes the time to reconsider.
///
/// # Errors
/// When there is no such hit; when name or reason is missing; when a measure would rest on an entry that is suspended, withdrawn or
/// expired, whose reason is not known, whose number in a register is another than the customer's, or that was not found in the last seven days (M8): such a measure needs evidence of its own (M12).
pub fn decide<'a>(hits: &'a mut Hits, hit: &str, decide: &Decide<'_>, now: i64) -> Result<&'a Hit> {
    let hit = hits.get_mut(hit)?;
    for (what, text) in [("--by: who decides", decide.by), ("--why: the reason", decide.why)] {
        if text.trim().is_empty() || text.len() > MOST {
            return Err(Error::said(format!("{what}, is needed, in at most {MOST} bytes")));
        }
    }
    let own = decide.own_evidence.map(str::trim).filter(|text| !text.is_empty());
    if own.is_some_and(|text| text.len() > MOST) {
        return Err(Error::said(format!("--own-evidence takes at most {MOST} bytes; say where it lies")));
    }
    if decide.what.is_measure() && own.is_none() {
        refuse(hit, now)?;
    }
    hit.decisions.push(Decision {
        what: decide.what,
        by: matching::bytes::plain(decide.by.trim()),
        why: matching::bytes::plain(decide.why.trim()),
        at: now,
        own_evidence: own.map(matching::bytes::plain),
        version: hit.entry.version,
        status: hit.entry.status,
    });
    hit.reconsider = None;
    Ok(hit)
}

fn refuse(hit: &Hit, now: i64) -> Result<()> {
    // What the last look wrote down may have become untrue since: a contest, a withdrawal, a review that did not come.
    let is_overdue = hit.entry.reason.as_ref().is_some_and(|reason| reason.review_by < now);
    let why = match hit.entry.status {
        Status::Suspended => "somebody contests this entry: no new measure may rest on it until that is decided",
        Status::Withdrawn => "this entry was withdrawn: nothing may rest on it",
        Status::Absent => "this entry does not agree with the customer any more: nothing may rest on it",
        Status::Expired => "this entry was not reviewed in time: it is no hit any more",
        Status::Live if hit.entry.reason.is_none() => {
            "only a name agrees, and the reason is not known: ask the desk first (`sluis watchlist ask`)"
        }
        Status::Live if is_overdue => "this entry was not reviewed in time: it is no hit any more",
        Status::Live if now.saturating_sub(hit.last) > FRESH => {
            "this hit was last found more than seven days ago, and the entry may be contested or withdrawn since: run `sluis watchlist match` with the newest files of the list first"
        }
        Status::Live if hit.is_another_by_register() => {
            "its number in a register is another than the one listed, and no number or address agrees: this is a namesake until something of your own says otherwise"
        }
        Status::Live => return Ok(()),
    };
    Err(Error::said(format!(
        "{why}. Decide `kept`, `pending`, `contested` or `somebody-else`, or name evidence of your own that carries the measure (--own-evidence)"
    )))
}

/// How many hits stand at each decision, for the tally: in the order of [`What::COUNTED`], then those nobody decided on. A namesake is
/// none. Only hits whose last decision, or whose finding when there is none, is in the period count.
#[must_use]
pub fn count(hits: &Hits, from: i64, until: i64) -> [u32; 6] {
    let mut counts = [0u32; 6];
    for hit in &hits.hits {
        let at = hit.decided().map_or(hit.first, |decision| decision.at);
        let bin = match hit.decided() {
            Some(decision) => match What::COUNTED.iter().position(|what| *what == decision.what) {
                Some(bin) => bin,
                None => continue,
            },
            None if matches!(hit.entry.status, Status::Live | Status::Suspended) => 5,
            None => continue,
        };
        if (from..until).contains(&at) {
            counts[bin] = counts[bin].saturating_add(1);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::hits::{DAY, Fact, Fate, KEPT, RECONSIDER, Says, ToldBy, testing::hit};

    fn of(hits: &[Hit]) -> Hits {
        Hits { version: 1, hits: hits.to_vec() }
    }

    /// A provider whose hits are all namesakes is not affected: it says zero.
    #[test]
    fn a_namesake_is_not_counted() {
        let one = hit("K-1", 1);
        let mut hits = of(&[one.clone()]);
        assert_eq!(count(&hits, 0, 100), [0, 0, 0, 0, 0, 1]);
        let namesake = Decide { what: What::SomebodyElse, why: "the baker in Zwolle", ..measure() };
        assert!(decide(&mut hits, &one.id, &namesake, 5).is_ok());
        assert_eq!(count(&hits, 0, 100), [0; 6]);
        assert!(!hits.hits[0].is_open());
    }

    fn measure<'a>() -> Decide<'a> {
        Decide { what: What::Terminated, by: "A. de Vries", why: "onze algemene voorwaarden, artikel 9", own_evidence: None }
    }

    #[test]
    fn a_measure_needs_an_entry_that_holds_and_a_reason() {
        for (status, reason, expected) in [
            (Status::Live, true, None),
            (Status::Live, false, Some("ask the desk")),
            (Status::Suspended, true, Some("contests")),
            (Status::Withdrawn, true, Some("withdrawn")),
            (Status::Expired, true, Some("not reviewed")),
        ] {
            let mut one = hit("K-1", 1);
            one.entry.status = status;
            if !reason {
                one.entry.reason = None;
            }
            let mut hits = of(&[one.clone()]);
            let said = decide(&mut hits, &one.id, &measure(), 5).map(|_| ()).map_err(|error| error.to_string());
            match expected {
                None => assert_eq!(said, Ok(()), "{status:?}"),
                Some(words) => assert!(said.is_err_and(|said| said.contains(words)), "{status:?} {reason}"),
            }
            // Evidence of one's own carries it whatever became of the entry; a contest does not undo such a case (M12).
            let own = Decide { own_evidence: Some("zaak 2026-118"), ..measure() };
            assert!(decide(&mut hits, &one.id, &own, 6).is_ok());
            // Looking closer is always possible.
            assert!(decide(&mut hits, &one.id, &Decide { what: What::Kept, ..measure() }, 7).is_ok());
        }
    }

    /// Two companies may have one name. Their numbers in a register tell them apart.
    #[test]
    fn a_namesake_by_register_carries_no_measure() {
        let fact = |what: &str, says| Fact { what: what.to_owned(), says, customer: "a".to_owned(), listed: "b".to_owned() };
        for (facts, allowed) in [
            (vec![fact("kvk", Says::Differs)], false),
            (vec![fact("kvk", Says::Differs), fact("country", Says::Agrees), fact("city", Says::Agrees)], false),
            (vec![fact("vat", Says::Differs), fact("phone", Says::Unknown)], false),
            (vec![fact("kvk", Says::Differs), fact("domain", Says::Agrees)], true),
            (vec![fact("kvk", Says::Differs), fact("vat", Says::Agrees)], true),
            (vec![fact("domain", Says::Differs), fact("kvk", Says::Unknown)], true),
        ] {
            let mut hits = of(&[Hit { facts: facts.clone(), ..hit("K-1", 1) }]);
            let id = hits.hits[0].id.clone();
            let said = decide(&mut hits, &id, &measure(), 5).map(|_| ()).map_err(|error| error.to_string());
            assert_eq!(said.is_ok(), allowed, "{facts:?}");
            assert!(said.is_ok() || said.is_err_and(|said| said.contains("namesake")), "{facts:?}");
            assert!(decide(&mut hits, &id, &Decide { own_evidence: Some("zaak 2026-118"), ..measure() }, 6).is_ok());
        }
    }

    /// The hit says what was true when it was found. Nobody is cut off on that a month later.
    #[test]
    fn a_measure_needs_a_hit_of_this_week_and_a_review_that_is_not_over() {
        let one = hit("K-1", 1);
        let review_by = one.entry.reason.as_ref().map_or(0, |reason| reason.review_by);
        for (last, now, expected) in [
            (1, 1 + FRESH, None),
            (1, 2 + FRESH, Some("seven days")),
            (review_by, review_by, None),
            (review_by, review_by + 1, Some("not reviewed")),
        ] {
            let mut hits = of(&[Hit { last, ..one.clone() }]);
            let said = decide(&mut hits, &one.id, &measure(), now).map(|_| ()).map_err(|error| error.to_string());
            match expected {
                None => assert_eq!(said, Ok(()), "{last} {now}"),
                Some(words) => assert!(said.is_err_and(|said| said.contains(words)), "{last} {now}"),
            }
            assert!(decide(&mut hits, &one.id, &Decide { own_evidence: Some("zaak 2026-118"), ..measure() }, now).is_ok());
        }
    }

    #[test]
    fn who_and_why_are_compulsory() {
        let one = hit("K-1", 1);
        let mut hits = of(std::slice::from_ref(&one));
        assert!(decide(&mut hits, &one.id, &Decide { by: " ", ..measure() }, 5).is_err());
        assert!(decide(&mut hits, &one.id, &Decide { why: "", ..measure() }, 5).is_err());
        assert!(decide(&mut hits, "HNOTTHERE", &measure(), 5).is_err());
        assert!(hits.hits[0].decisions.is_empty());
        assert!(decide(&mut hits, &one.id.to_lowercase(), &measure(), 5).is_ok());
    }

    #[test]
    fn a_withdrawal_opens_the_time_to_reconsider_once_and_a_decision_closes_it() {
        let live = hit("K-1", 1);
        let mut withdrawn = live.clone();
        withdrawn.entry.status = Status::Withdrawn;
        let mut hits = of(std::slice::from_ref(&live));
        decide(&mut hits, &live.id, &measure(), 5).map(|_| ()).unwrap();
        let changes = hits.take_in(vec![withdrawn.clone()], |_| Fate::Partly, 10);
        assert_eq!(changes.changed.join(" "), live.id);
        assert_eq!(hits.hits[0].reconsider, Some(10 + RECONSIDER));
        hits.take_in(vec![withdrawn.clone()], |_| Fate::Partly, 10 + DAY);
        assert_eq!(hits.hits[0].days_left(10 + DAY), Some(13));
        assert_eq!(hits.hits[0].days_left(10 + 20 * DAY), Some(-6));
        decide(&mut hits, &live.id, &Decide { what: What::Kept, ..measure() }, 10 + 2 * DAY).map(|_| ()).unwrap();
        assert_eq!(hits.hits[0].reconsider, None);
        hits.take_in(vec![withdrawn], |_| Fate::Partly, 10 + 3 * DAY);
        assert_eq!(hits.hits[0].reconsider, None, "once");
    }

    /// A new epoch may have left the entry out; and a customer's number may have been put right.
    #[test]
    fn what_does_not_meet_any_more_is_reconsidered_too() {
        let live = hit("K-1", 1);
        let mut hits = of(std::slice::from_ref(&live));
        assert!(hits.take_in(vec![], |_| Fate::Partly, 10).changed.is_empty(), "not all of it was looked up");
        assert_eq!(hits.take_in(vec![], |_| Fate::Whole, 20).changed.join(" "), live.id);
        assert_eq!((hits.hits[0].entry.status, hits.hits[0].reconsider), (Status::Absent, Some(20 + RECONSIDER)));
        assert!(decide(&mut hits, &live.id, &measure(), 25).is_err());
        assert!(hits.take_in(vec![], |_| Fate::Whole, 30).changed.is_empty(), "once");
        hits.take_in(vec![live], |_| Fate::Whole, 40);
        assert_eq!((hits.hits[0].entry.status, hits.hits[0].reconsider), (Status::Live, None), "they meet again");
    }

    #[test]
    fn a_withdrawn_or_expired_entry_is_no_new_hit() {
        for status in [Status::Withdrawn, Status::Expired] {
            let mut one = hit("K-1", 1);
            one.entry.status = status;
            let mut hits = of(&[]);
            assert_eq!(hits.take_in(vec![one], |_| Fate::Partly, 5).new, Vec::<String>::new());
            assert!(hits.hits.is_empty());
        }
    }

    #[test]
    fn what_the_desk_told_stays_known_until_the_entry_changes() {
        let mut asked = hit("K-1", 1);
        asked.entry.told_by = Some(ToldBy::Desk);
        let mut hits = of(&[asked.clone()]);
        let mut again = asked.clone();
        (again.entry.reason, again.entry.told_by) = (None, None);
        hits.take_in(vec![again.clone()], |_| Fate::Partly, 5);
        assert!(hits.hits[0].entry.reason.is_some() && hits.hits[0].entry.told_by == Some(ToldBy::Desk));
        again.entry.version += 1;
        hits.take_in(vec![again], |_| Fate::Partly, 6);
        assert_eq!(hits.hits[0].entry.reason, None, "another version, another reason");
    }

    #[test]
    fn who_left_is_marked_and_old_hits_go() {
        let (one, two) = (hit("K-1", 1), hit("K-2", 2));
        let mut hits = of(&[one.clone(), two.clone()]);
        assert_eq!(
            hits.take_in(vec![one.clone()], |_| Fate::Partly, 5).gone,
            Vec::<String>::new(),
            "still a customer, not found again"
        );
        assert_eq!(
            hits.take_in(vec![one.clone()], |id| if id == "K-2" { Fate::Left } else { Fate::Partly }, 6).gone.join(" "),
            two.id
        );
        decide(&mut hits, &two.id, &Decide { what: What::Kept, ..measure() }, 7).map(|_| ()).unwrap();
        assert_eq!(hits.take_in(vec![one.clone()], |_| Fate::Partly, 7 + KEPT).removed, Vec::<String>::new());
        assert_eq!(hits.take_in(vec![one], |_| Fate::Partly, 8 + KEPT).removed, [two.id]);
    }

    #[test]
    fn the_tally_counts_decisions_in_its_period() {
        let (one, two, three) = (hit("K-1", 1), hit("K-2", 2), hit("K-3", 3));
        let mut hits = of(&[one.clone(), two.clone(), three]);
        decide(&mut hits, &one.id, &measure(), 50).map(|_| ()).unwrap();
        decide(&mut hits, &two.id, &Decide { what: What::Pending, ..measure() }, 500).map(|_| ()).unwrap();
        assert_eq!(count(&hits, 0, 100), [1, 0, 0, 0, 0, 1]);
        assert_eq!(count(&hits, 100, 1_000), [0, 0, 0, 1, 0, 0]);
    }
}
