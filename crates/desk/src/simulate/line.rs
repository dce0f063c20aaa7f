//! The time line of one case: reports, deeds of people, and the moments at which the policy asks to look again.

use model::advisory::Exploited;
use model::chain::PartyId;
use model::outbox::{Hold, Purpose};
use model::policy::{Facts, Policy, decide};
use model::step::What;
use model::time::{DAY, HOUR, Time};
use store::cases::marks;
use store::feeds::Feed;
use store::outbox::gathered;
use store::recorded::{Deed, Recorded};

use super::Fate;
use super::count::Counter;

/// Looks at one case; more can only be a mistake.
const LOOKS: u32 = 10_000;

/// What is recorded of a case.
pub(super) struct Case<'a> {
    pub recorded: &'a Recorded,
    /// Days on which reports joined it, the first left out or not.
    pub days: &'a [i64],
    pub deeds: &'a [Deed],
    pub direct: Option<PartyId>,
    pub deepest: Option<PartyId>,
    pub feed: Option<&'a Feed>,
    pub exploited: Option<Exploited>,
}

enum Moment {
    Report,
    Deed(Deed),
}

impl Case<'_> {
    /// Reports and deeds in the order of time. A report of another day is taken to have come at the hour of the first.
    fn moments(&self) -> Vec<(Time, Moment)> {
        let (opened, last) = (self.recorded.opened, self.recorded.last_received);
        let of_day = opened.0.rem_euclid(DAY);
        let mut moments: Vec<(Time, Moment)> = Vec::with_capacity(self.days.len() + self.deeds.len() + 1);
        for day in self.days {
            let at = if *day == last.day() { last } else { Time(day.saturating_mul(DAY).saturating_add(of_day)) };
            if at > opened {
                moments.push((at, Moment::Report));
            }
        }
        if last > opened && !self.days.contains(&last.day()) {
            moments.push((last, Moment::Report));
        }
        moments.extend(self.deeds.iter().map(|deed| (deed.at.max(opened), Moment::Deed(*deed))));
        moments.sort_by_key(|(at, _)| *at);
        moments
    }

    /// Lets it live by a policy until `until`; what comes of it is counted in the row of its rule.
    pub(super) fn live(&self, policy: &Policy, rows: &[usize], until: Time, counter: &mut Counter) -> Fate {
        let recorded = self.recorded;
        let rule = policy.rule_for(recorded.kind, recorded.port, &recorded.traits, recorded.ordered.is_some());
        let Some((number, rule)) = rule.and_then(|number| Some((number, policy.rules.get(number)?))) else {
            return Fate::default();
        };
        let row = rows.get(number).copied().unwrap_or(0);
        counter.case(row, rule.severity, self.deepest);
        let has = |mark: i64| recorded.marks & mark != 0;
        let mut facts = Facts {
            rule: number,
            progress: None,
            received: recorded.opened,
            last_received: recorded.opened,
            history: recorded.history,
            deepest: self.deepest,
            direct: self.direct,
            confidence: recorded.confidence,
            authenticated: has(marks::AUTHENTICATED),
            signed: has(marks::SIGNED),
            corroborated: has(marks::CORROBORATED),
            spoofable: has(marks::SPOOFABLE),
            stale: false,
            holder_changed: false,
            holds_now: true,
            shared: false,
            protected: false,
            disputed: None,
            snoozed: None,
            ordered: recorded.ordered,
            absent: None,
            exploited: self.exploited,
            next_run: None,
        };
        let mut fate = Fate { rule: rule.name.clone(), severity: Some(rule.severity), ..Fate::default() };
        let runs = rule.absent_runs.filter(|_| !has(marks::NOT_ONE_FEED));
        let mut moments = self.moments().into_iter().peekable();
        let mut now = recorded.opened;
        let mut is_open = true;
        for _ in 0..LOOKS {
            let mut next = None;
            if is_open {
                self.absence(&mut facts, runs, now);
                let decided = decide(&facts, policy, now);
                facts.progress = Some(decided.progress);
                fate.severity = Some(decided.progress.severity);
                if decided.closed.is_none() {
                    let gather = policy.care(decided.progress.severity).gather;
                    for errand in &decided.errands {
                        let ready = gathered(errand.ready, gather, now);
                        let goes = errand.hold == Hold::Free || errand.purpose == Purpose::Restriction;
                        counter.errand(row, errand.purpose, errand.party, ready, goes, decided.progress.severity);
                        match errand.purpose {
                            Purpose::ToCustomer => {
                                fate.letters += 1;
                                counter.told(row, ready.0 - facts.received.0);
                            }
                            Purpose::Reminder => fate.reminders += 1,
                            Purpose::LastWarning => fate.warnings += 1,
                            Purpose::Restriction => fate.restrictions += 1,
                            _ => {}
                        }
                    }
                } else {
                    fate.closed += 1;
                    counter.closed(row);
                    is_open = false;
                }
                next = decided.next.filter(|_| is_open);
            }
            let happens = moments.peek().map(|(at, _)| *at);
            now = match (next, happens) {
                (Some(next), Some(at)) => next.min(at),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => return fate,
            };
            if now > until {
                return fate;
            }
            while let Some((at, moment)) = moments.next_if(|(at, _)| *at <= now) {
                is_open = happen(&mut facts, at, &moment, is_open);
            }
        }
        fate
    }

    /// How often its feed came without it, if it kept its usual rhythm.
    fn absence(&self, facts: &mut Facts, runs: Option<u16>, now: Time) {
        let (Some(runs), Some(feed)) = (runs, self.feed) else { return };
        let every = feed.every.unwrap_or(DAY).max(HOUR);
        let since = facts.last_received;
        let absent = (now.min(feed.last).0 - since.0).max(0) / every;
        facts.absent = Some(u32::try_from(absent).unwrap_or(u32::MAX));
        let expected = since.plus(every.saturating_mul(i64::from(runs)));
        facts.next_run = (expected > now && expected <= feed.last).then_some(expected);
    }
}

/// What a moment does to what is known; whether the case is open after it.
fn happen(facts: &mut Facts, at: Time, moment: &Moment, is_open: bool) -> bool {
    let deed = match moment {
        Moment::Report => {
            facts.last_received = at;
            if !is_open {
                // Seen again after it was closed: everything begins anew.
                (facts.progress, facts.received) = (None, at);
            }
            return true;
        }
        Moment::Deed(deed) => deed,
    };
    match deed.what {
        What::Closed | What::Merged => return false,
        What::Reopened => {
            if !is_open {
                (facts.progress, facts.received, facts.last_received) = (None, at, at);
            }
            return true;
        }
        What::Snoozed => facts.snoozed = deed.due,
        What::Disputed => facts.disputed = Some(at),
        What::DisputeDecided => facts.disputed = None,
        What::HolderChanged => facts.holder_changed = true,
        What::HolderCorrected => {
            facts.holder_changed = false;
            facts.progress = None;
            facts.received = at;
        }
        _ => {}
    }
    is_open
}
