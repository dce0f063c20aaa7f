//! Deciding: a pure function of what is known of a case, the policy and the time.

use super::{Addressee, Mode, Policy, Rule};
use crate::advisory::Exploited;
use crate::chain::PartyId;
use crate::outbox::{Errand, Hold, Purpose, closed_set};
use crate::severity::Severity;
use crate::step::{Step, What};
use crate::time::{DAY, Time};

closed_set! {
    /// How far the ladder has been climbed with the present holder.
    Rung {
        /// It has not been told.
        Start = "start",
        /// It has been told, or would have been.
        Told = "told",
        /// It has been reminded.
        Reminded = "reminded",
        /// It has been warned for the last time.
        Warned = "warned",
        /// The time to mend it has passed: a person decides what is next.
        Due = "due",
        /// The operator's own time to act has passed too.
        Force = "force",
    }
}

closed_set! {
    /// Why a case was closed.
    Closure {
        /// The party mended it, as a person confirmed.
        Fixed = "fixed",
        /// The operator mended it.
        FixedByOperator = "fixed by operator",
        /// No report came any more.
        Quiet = "quiet",
        /// The feed that named it came, and named it no more.
        NoLongerListed = "no longer listed",
        /// It is not on our network.
        NotOurs = "not ours",
        /// The report was wrong.
        FalseReport = "false report",
        /// It is lawful.
        Lawful = "lawful",
        /// Too little is known to do anything.
        Insufficient = "insufficient",
        /// It is part of another case.
        Merged = "merged",
        /// It went up or down the chain to who can end it.
        PassedOn = "passed on",
        /// It was too old when it came for anything to be done.
        History = "history",
    }
}

closed_set! {
    /// What wakes a person.
    Alarm {
        /// A case of P0 or P1 was opened.
        Urgent = "urgent case",
        /// A clock of a case of P0 or P1 ran out.
        Overdue = "overdue case",
        /// More went out than in the usual hour: the outbox stands still.
        Brake = "brake",
        /// A feed that came regularly did not.
        QuietFeed = "quiet feed",
        /// A source of administration is older than it may be.
        StaleSource = "stale source",
        /// The disk is nearly full.
        Disk = "disk",
        /// The log cannot be signed.
        Unsigned = "log cannot sign",
        /// Something that is worded like an order, or came from an authority.
        Order = "order",
        /// A dispute was not decided in time.
        Dispute = "dispute",
        /// A party's conduct is to be looked at by a person.
        Review = "review",
        /// The policy file cannot be used: the last good one holds.
        Policy = "policy",
        /// A witness does not cosign the log, or a log that is looked at cannot be seen or does not fit what was seen.
        Witness = "witness",
        /// A log of somebody else has two histories, and that is proven.
        Fork = "fork",
        /// A feed came with far fewer reports than usual, or with none.
        FallenFeed = "fallen feed",
        /// What a known sender sends is laid out otherwise than before.
        Shape = "changed layout",
    }
}

/// The moments by which things must be done. `None`: no such clock runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// The reporter has been told that the report arrived.
    pub acknowledge: Option<Time>,
    /// The party has been told.
    pub customer: Option<Time>,
    /// It has been mended.
    pub fix: Option<Time>,
    /// The operator acts itself.
    pub force: Option<Time>,
}

/// What the ladder and the clocks of a case are at: kept with the case, changed by [`decide`] only, and by people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How bad it is.
    pub severity: Severity,
    /// Whether everything so far was only shown.
    pub observed: bool,
    /// Clocks.
    pub clocks: Clocks,
    /// Rung of the ladder.
    pub rung: Rung,
    /// Since when the party knows, or would know.
    pub told: Option<Time>,
}

/// What is known of a case when something is decided about it. Collected by the desk, kept for simulation by the store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// Place of the rule that holds.
    pub rule: usize,
    /// Where it stands; `None` for a case that has never been decided about.
    pub progress: Option<Progress>,
    /// From when clocks count: arrival of the first report that is no history.
    pub received: Time,
    /// Arrival of the last report.
    pub last_received: Time,
    /// Whether all its reports were old when they came.
    pub history: bool,
    /// The last party of the chain.
    pub deepest: Option<PartyId>,
    /// The party that rents from the operator itself; `None` when that is nobody, or the operator.
    pub direct: Option<PartyId>,
    /// Best confidence in a reporter, 0 to 100.
    pub confidence: u8,
    /// Whether a reporter is known to be who it says.
    pub authenticated: bool,
    /// Whether one is known by more than the envelope of a mail: by a signature, or because the operator vouches for its door.
    pub signed: bool,
    /// Whether two who share no data say the same.
    pub corroborated: bool,
    /// Whether the sender of the packets that are evidence may be another than it seems.
    pub spoofable: bool,
    /// Whether a source that the chain rests on is older than it may be.
    pub stale: bool,
    /// Whether the administration was corrected, and a person has not yet looked.
    pub holder_changed: bool,
    /// Whether who holds it now is who held it then.
    pub holds_now: bool,
    /// Whether others are on the same address.
    pub shared: bool,
    /// Whether the operator protects it.
    pub protected: bool,
    /// Since when it is disputed.
    pub disputed: Option<Time>,
    /// Until when a person put it off.
    pub snoozed: Option<Time>,
    /// The end of the shortest term that an order or notice about it sets.
    pub ordered: Option<Time>,
    /// The weak point that it is about, when that is known to be exploited.
    pub exploited: Option<Exploited>,
    /// Runs of its feed that named it no more; `None` when others than one feed report it.
    pub absent: Option<u32>,
    /// When its feed is to come next, so that [`Facts::absent`] is worth looking at again.
    pub next_run: Option<Time>,
}

/// When a case is to be looked at again.
pub type Next = Option<Time>;

/// What follows. To be applied in one transaction with what was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// Where the case stands now.
    pub progress: Progress,
    /// Journal entries, in order; their ordinals are given by the store.
    pub steps: Vec<Step>,
    /// What is to be sent or done.
    pub errands: Vec<Errand>,
    /// Who is to be woken.
    pub alarms: Vec<Alarm>,
    /// Why it is closed, if it is.
    pub closed: Option<Closure>,
    /// When to look again; `None` for never, unless something happens.
    pub next: Next,
}

/// What follows for a case at `now`. The same facts, policy and time give the same answer, and deciding again at once
/// gives no further steps.
pub fn decide(facts: &Facts, policy: &Policy, now: Time) -> Decided {
    let Some(rule) = policy.rules.get(facts.rule) else {
        // A rule that is gone decides nothing: the desk finds another before it asks.
        let progress = facts.progress.unwrap_or_else(|| Progress::new(Severity::P3));
        return Decided { progress, steps: Vec::new(), errands: Vec::new(), alarms: Vec::new(), closed: None, next: None };
    };
    let severity = facts.exploited.map_or(rule.severity, |_| policy.exploited.severity(rule.severity));
    let mut work = Work {
        facts,
        policy,
        rule,
        severity,
        now,
        done: Decided {
            progress: facts.progress.unwrap_or_else(|| Progress::new(severity)),
            steps: Vec::new(),
            errands: Vec::new(),
            alarms: Vec::new(),
            closed: None,
            next: None,
        },
    };
    work.run();
    work.done
}

impl Progress {
    /// Before anything was decided.
    pub fn new(severity: Severity) -> Progress {
        Progress { severity, observed: true, clocks: Clocks::default(), rung: Rung::Start, told: None }
    }
}

/// A report that lies here for longer before anything is decided about it is known from then on.
const UNREAD: i64 = DAY;

struct Work<'a> {
    facts: &'a Facts,
    policy: &'a Policy,
    rule: &'a Rule,
    /// What the rule says, and worse when a weak point is exploited.
    severity: Severity,
    now: Time,
    done: Decided,
}

impl Work<'_> {
    fn run(&mut self) {
        if self.facts.history {
            if self.facts.progress.is_none() {
                self.done.progress.observed = self.observes();
            }
            return self.close_or_look_again();
        }
        if self.facts.progress.is_none() {
            self.begin(self.since());
        } else {
            if self.severity < self.done.progress.severity {
                self.worsen();
            }
            if self.done.progress.observed && !self.observes() {
                // What was only shown has told nobody: everything begins with the day it is switched on.
                self.done.progress.rung = Rung::Start;
                self.done.progress.told = None;
                self.begin(self.now);
            } else {
                self.done.progress.observed = self.observes();
            }
        }
        self.shorten();
        if self.stands_still() {
            return self.close_or_look_again();
        }
        self.tell();
        self.climb();
        self.close_or_look_again();
    }

    fn observes(&self) -> bool {
        self.policy.care(self.done.progress.severity).mode == Mode::Observe
    }

    /// From when the clocks of a case count about which nothing was decided before: from when its first report came, unless it lay
    /// here unread for longer than [`UNREAD`]. What only a newer version can read is known from today; otherwise terms of which
    /// nobody was told would be over before the first letter.
    fn since(&self) -> Time {
        let received = self.facts.received;
        if received < self.now.plus(-UNREAD) { self.now } else { received }
    }

    /// Sets the clocks, counted from `from`.
    fn begin(&mut self, from: Time) {
        let severity = self.done.progress.severity;
        self.done.progress.observed = self.observes();
        let calendar = &self.policy.calendar;
        let end = |term| calendar.after(from, term);
        self.done.progress.clocks = Clocks {
            acknowledge: match self.rule.acknowledge {
                super::Acknowledge::Within(term) => Some(end(term)),
                super::Acknowledge::Digest => Some(from.plus(DAY)),
                super::Acknowledge::Never => None,
            },
            customer: self.rule.customer.map(end),
            fix: self.rule.fix.map(end),
            force: self.rule.force.map(end),
        };
        let sooner = |clock: &mut Option<Time>, term: Option<crate::calendar::Term>| {
            // Only what a rule sets a clock for has one: an exploited weak point makes nobody's duty.
            if let (Some(clock), Some(term)) = (clock, term) {
                *clock = (*clock).min(end(term));
            }
        };
        if self.facts.exploited.is_some() {
            sooner(&mut self.done.progress.clocks.customer, self.policy.exploited.customer);
            sooner(&mut self.done.progress.clocks.fix, self.policy.exploited.fix);
        }
        let mut text = format!("rule {} ({severity})", self.rule.name);
        text.push_str(&self.why_worse());
        for (word, clock) in [("tell by", self.done.progress.clocks.customer), ("mend by", self.done.progress.clocks.fix)] {
            if let Some(clock) = clock {
                text.push_str(&format!(", {word} {clock}"));
            }
        }
        self.step(What::ClocksSet, self.done.progress.clocks.fix, text);
        if severity.is_urgent() && self.wakes() && self.is_believed() {
            self.done.alarms.push(Alarm::Urgent);
        }
    }

    /// Whether a person may be woken: what anybody could have written wakes nobody, unless lives may be at stake.
    fn wakes(&self) -> bool {
        self.facts.authenticated || self.facts.corroborated || self.done.progress.severity == Severity::P0
    }

    /// A report that is worse than what was known makes the case worse, and its clocks shorter, never longer.
    fn worsen(&mut self) {
        let before = self.done.progress;
        self.done.progress.severity = self.severity;
        let steps = self.done.steps.len();
        self.begin(self.now);
        self.done.steps.truncate(steps);
        let clocks = &mut self.done.progress.clocks;
        let sooner = |new: Option<Time>, old: Option<Time>| match (new, old) {
            (Some(new), Some(old)) => Some(new.min(old)),
            (new, old) => new.or(old),
        };
        clocks.acknowledge = sooner(clocks.acknowledge, before.clocks.acknowledge);
        clocks.customer = sooner(clocks.customer, before.clocks.customer);
        clocks.fix = sooner(clocks.fix, before.clocks.fix);
        clocks.force = sooner(clocks.force, before.clocks.force);
        let (fix, severity) = (clocks.fix, self.severity);
        self.done.progress.observed = before.observed;
        let text = format!("{} to {severity}, rule {}{}", before.severity, self.rule.name, self.why_worse());
        self.step(What::SeverityRaised, fix, text);
    }

    /// What makes it worse than its rule says, for people; empty when nothing does.
    fn why_worse(&self) -> String {
        match self.facts.exploited {
            Some(Exploited { cve, ransomware }) if self.severity < self.rule.severity => {
                let by = if ransomware { ", by ransomware too" } else { "" };
                format!(", {cve} is exploited{by}")
            }
            _ => String::new(),
        }
    }

    /// An order or notice may set a shorter term; a repeated one restarts nothing.
    fn shorten(&mut self) {
        let Some(ordered) = self.facts.ordered else { return };
        let clocks = &mut self.done.progress.clocks;
        if clocks.fix.is_none_or(|fix| ordered < fix) {
            clocks.fix = Some(ordered);
            clocks.force = clocks.force.map(|force| force.min(ordered));
            self.step(What::ClockShortened, Some(ordered), format!("an order or notice asks for it by {ordered}"));
        }
    }

    /// Whether nothing may be sent or counted now: a person is to look first, or has put it off.
    fn stands_still(&self) -> bool {
        self.facts.holder_changed || self.facts.disputed.is_some() || self.facts.snoozed.is_some_and(|until| until > self.now)
    }

    fn is_believed(&self) -> bool {
        self.facts.confidence >= self.policy.watch_below
    }

    /// What holds back a letter to a party of the chain.
    fn hold(&self) -> Hold {
        if self.done.progress.observed {
            Hold::Observing
        } else if self.facts.stale {
            Hold::StaleSource
        } else {
            Hold::Free
        }
    }

    fn addressees(&self) -> Vec<PartyId> {
        let (direct, deepest) = (self.facts.direct, self.facts.deepest.filter(|_| self.facts.direct.is_some()));
        let mut parties: Vec<PartyId> = match self.rule.addressee {
            Addressee::Direct => direct.into_iter().collect(),
            Addressee::Deepest => deepest.or(direct).into_iter().collect(),
            Addressee::Both => direct.into_iter().chain(deepest).collect(),
        };
        parties.dedup();
        parties
    }

    fn send(&mut self, purpose: Purpose, hold: Hold) {
        let gather = self.policy.care(self.done.progress.severity).gather;
        let mut ready = self.now.plus(gather);
        if let Some(customer) = self.done.progress.clocks.customer.filter(|_| purpose == Purpose::ToCustomer) {
            ready = ready.min(customer).max(self.now);
        }
        for party in self.addressees() {
            self.done.errands.push(Errand { purpose, party, ready, hold });
        }
    }

    /// Tells the party, when the rule wants it told, we know it, and the report is believed.
    fn tell(&mut self) {
        if self.done.progress.told.is_some() || self.rule.customer.is_none() {
            return;
        }
        if !self.is_believed() {
            if self.facts.progress.is_none() {
                let (confidence, below) = (self.facts.confidence, self.policy.watch_below);
                self.step(What::Watched, None, format!("confidence {confidence} is below {below}: watched, nobody is told"));
            }
            return;
        }
        if self.addressees().is_empty() {
            return;
        }
        self.done.progress.rung = Rung::Told;
        self.done.progress.told = Some(self.now);
        let hold = self.hold();
        self.send(Purpose::ToCustomer, hold);
        let text = if hold == Hold::Free { String::new() } else { format!("held: {}", hold.word()) };
        self.step(What::Told, None, text);
    }

    /// When each rung is reached, given when the party was told. A party that was told late has at least half of the
    /// fix term: it is not to pay for our delay.
    fn rungs(&self) -> [(Rung, Option<Time>); 4] {
        let clocks = self.done.progress.clocks;
        let Some(told) = self.done.progress.told else {
            // Nobody is told, because a person decides that or nobody is known: no ladder, but the operator's own clocks.
            // Whose holder is unknown waits in a queue of its own, so that only what is urgent is said once more.
            let is_silent = self.rule.customer.is_none();
            let is_lost = self.addressees().is_empty() && self.done.progress.severity.is_urgent();
            let due = clocks.fix.filter(|_| self.is_believed() && (is_silent || is_lost));
            let force = clocks.force.filter(|_| self.is_believed() && is_silent && self.facts.deepest.is_some());
            return [(Rung::Reminded, None), (Rung::Warned, None), (Rung::Due, due), (Rung::Force, force)];
        };
        let due = clocks.fix.map(|fix| {
            let half = (fix.0 - self.facts.received.0).max(0) / 2;
            fix.max(told.plus(half))
        });
        let part = |percent: u8| due.map(|due| told.plus((due.0 - told.0).max(0) / 100 * i64::from(percent)));
        [
            (Rung::Reminded, part(self.policy.remind)),
            (Rung::Warned, part(self.policy.warn)),
            (Rung::Due, due),
            (Rung::Force, clocks.force.map(|force| force.max(due.unwrap_or(force)))),
        ]
    }

    /// Climbs every rung whose moment has come. After a standstill the party gets only the last letter of those it missed.
    fn climb(&mut self) {
        let rungs = self.rungs();
        let reached = |rung: &&(Rung, Option<Time>)| rung.1.is_some_and(|at| at <= self.now) && rung.0 > self.done.progress.rung;
        let reached: Vec<(Rung, Time)> = rungs.iter().filter(reached).filter_map(|(rung, at)| Some((*rung, (*at)?))).collect();
        for (place, (rung, at)) in reached.iter().enumerate() {
            let is_letter = |(rung, _): &(Rung, Time)| matches!(rung, Rung::Reminded | Rung::Warned);
            let is_last = !reached.iter().skip(place + 1).any(is_letter);
            self.done.progress.rung = *rung;
            let late = if self.now.0 - at.0 > DAY { format!("; it was due {at}") } else { String::new() };
            match rung {
                Rung::Reminded | Rung::Warned => {
                    let (what, purpose) = if *rung == Rung::Reminded {
                        (What::Reminded, Purpose::Reminder)
                    } else {
                        (What::Warned, Purpose::LastWarning)
                    };
                    let hold = self.hold();
                    if is_last {
                        self.send(purpose, hold);
                    }
                    let held = if hold == Hold::Free { String::new() } else { format!("held: {}", hold.word()) };
                    let text = if is_last { held } else { "passed over: the next one is due too".to_owned() };
                    self.step(what, None, text + &late);
                }
                Rung::Due => {
                    let text = format!("not mended in the time of rule {}: a person decides what is next{late}", self.rule.name);
                    self.step(What::Overdue, None, text);
                    if self.done.progress.severity.is_urgent() && self.wakes() && !self.done.progress.observed {
                        self.done.alarms.push(Alarm::Overdue);
                    }
                }
                Rung::Force => self.restrict(&late),
                Rung::Start | Rung::Told => {}
            }
        }
    }

    /// The operator's own time to act has come. A person decides, unless the rule says otherwise and nothing speaks
    /// against it (design 5.2.3 and 5.2.4; security.md Y1 and Y2).
    fn restrict(&mut self, late: &str) {
        let facts = self.facts;
        let hold = if facts.protected {
            Hold::Protected
        } else if !facts.holds_now {
            Hold::HolderChanged
        } else if facts.shared {
            Hold::TwoPeople
        } else if self.done.progress.observed {
            Hold::Observing
        } else if facts.stale {
            Hold::StaleSource
        } else if !self.rule.automatic || !facts.signed || (facts.spoofable && !facts.corroborated) {
            Hold::Person
        } else {
            Hold::Free
        };
        if let Some(party) = facts.deepest {
            self.done.errands.push(Errand { purpose: Purpose::Restriction, party, ready: self.now, hold });
        }
        let text = match hold {
            Hold::Free => format!("rule {} restricts by itself", self.rule.name),
            hold => format!("a restriction is proposed; {}", hold.word()),
        };
        self.step(What::Proposed, None, text + late);
    }

    fn close_or_look_again(&mut self) {
        let calendar = &self.policy.calendar;
        let quiet = self.rule.quiet.map(|term| calendar.after(self.facts.last_received, term));
        // What a person has in hand, or is to look at, does not close by itself.
        let may_close = !self.facts.holder_changed && self.facts.disputed.is_none();
        if may_close && quiet.is_some_and(|quiet| quiet <= self.now) {
            let text = format!("no report since {} (rule {})", self.facts.last_received, self.rule.name);
            return self.close(Closure::Quiet, text);
        }
        if let (true, Some(runs), Some(absent)) = (may_close, self.rule.absent_runs, self.facts.absent)
            && absent >= u32::from(runs)
        {
            let text = format!("its feed came {absent} times without it (rule {})", self.rule.name);
            return self.close(Closure::NoLongerListed, text);
        }
        let mut next = if may_close { quiet } else { None };
        let mut consider = |at: Option<Time>| {
            if let Some(at) = at.filter(|at| *at > self.now) {
                next = Some(next.map_or(at, |next: Time| next.min(at)));
            }
        };
        if may_close && self.rule.absent_runs.is_some() && self.facts.absent.is_some() {
            consider(self.facts.next_run);
        }
        if let Some(since) = self.facts.disputed {
            consider(Some(calendar.after(since, self.policy.dispute)));
        } else if let Some(snoozed) = self.facts.snoozed.filter(|until| *until > self.now) {
            consider(Some(snoozed));
        } else if !self.facts.history && !self.facts.holder_changed {
            let progress = self.done.progress;
            for (rung, at) in self.rungs() {
                if rung > progress.rung {
                    consider(at);
                }
            }
        }
        self.done.next = next;
        if let Some(since) = self.facts.disputed
            && calendar.after(since, self.policy.dispute) <= self.now
        {
            self.done.alarms.push(Alarm::Dispute);
        }
    }

    fn close(&mut self, closure: Closure, text: String) {
        self.done.closed = Some(closure);
        self.done.next = None;
        self.step(What::Closed, None, format!("{}: {text}", closure.word()));
    }

    fn step(&mut self, what: What, due: Option<Time>, text: String) {
        let rule = self.rule.name.clone();
        self.done.steps.push(Step { ordinal: 0, what, at: self.now, text, person: String::new(), rule, due });
    }
}
