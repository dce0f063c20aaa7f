//! Simulation: what another policy would have done over recorded history, case by case.
//!
//! Each case lives its time line again: the reports that joined it, by day, what people did to it, and the clocks between,
//! with the same [`decide`](model::policy::decide()) as the desk's. What was recorded of reporters (how far they were believed)
//! stays as it was; runs of a feed are taken to have come in its usual rhythm; a restriction is counted as proposed,
//! whatever would speak against it.
//!
//! - `line`: one case's time line.
//! - `count`: what comes of many, added up.

mod count;
mod line;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use model::chain::PartyId;
use model::policy::{Mode, Policy};
use model::severity::Severity;
use model::submission::PublicId;
use model::time::Time;
use store::Reader;
use store::clocks::Around;
use store::feeds::Feed;
use store::recorded::Recorded;

pub use count::{Sum, Totals};

use crate::Error;
use count::Counter;
use line::Case;

/// Cases that one thread takes at once.
const CHUNK: i64 = 10_000;
/// Threads: more would wait for the disk.
const THREADS: usize = 2;

/// What to compare with.
pub enum Old {
    /// One policy for all cases.
    One(Box<Policy>),
    /// The policies that held, oldest first: each case lives by the one that held when it was opened.
    Recorded(Vec<(Time, Policy)>),
}

/// What is asked.
pub struct Asked {
    /// What to compare with.
    pub old: Old,
    /// The policy that is thought of.
    pub new: Policy,
    /// Cases opened before it are left out.
    pub since: Time,
    /// Time lines end here.
    pub until: Time,
    /// Whether to take every severity as acting, in both.
    pub acting: bool,
    /// How many cases that differ are named.
    pub cases: usize,
}

/// What one policy would have done with one case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// Name of the rule.
    pub rule: String,
    /// How bad it was in the end.
    pub severity: Option<Severity>,
    /// Letters to parties, reminders and last warnings, proposed restrictions; and times it was closed by rule.
    pub letters: u32,
    /// See [`Fate::letters`].
    pub reminders: u32,
    /// See [`Fate::letters`].
    pub warnings: u32,
    /// See [`Fate::letters`].
    pub restrictions: u32,
    /// See [`Fate::letters`].
    pub closed: u32,
}

/// A case with which the two would have done different things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differs {
    /// Row number.
    pub case: i64,
    /// The identifier that others see.
    pub public: PublicId,
    /// What the old one would have done.
    pub old: Fate,
    /// What the new one would have done.
    pub new: Fate,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Simulated {
    /// Cases that were looked at.
    pub cases: u64,
    /// Those among them that differ.
    pub differ: u64,
    /// The first of those, by their numbers.
    pub named: Vec<Differs>,
    /// What the old policy would have done, by rule.
    pub old: Totals,
    /// What the new one would have done.
    pub new: Totals,
}

/// Policies with the rows of the table that their rules count in.
struct Judged {
    policies: Vec<(Time, Policy)>,
    rows: Vec<Vec<usize>>,
}

impl Judged {
    fn new(mut policies: Vec<(Time, Policy)>, acting: bool, names: &mut Vec<String>) -> Judged {
        let mut rows = Vec::new();
        for (_, policy) in &mut policies {
            if acting {
                policy.care.iter_mut().for_each(|care| care.mode = Mode::Act);
            }
            let mut row = |name: &String| match names.iter().position(|known| known == name) {
                Some(row) => row,
                None => {
                    names.push(name.clone());
                    names.len() - 1
                }
            };
            rows.push(policy.rules.iter().map(|rule| row(&rule.name)).collect());
        }
        Judged { policies, rows }
    }

    /// The policy that held at a moment; the first one before that.
    fn at(&self, at: Time) -> Option<(&Policy, &[usize])> {
        let next = self.policies.partition_point(|(since, _)| *since <= at);
        let place = next.saturating_sub(1);
        Some((&self.policies.get(place)?.1, self.rows.get(place)?))
    }
}

/// The parties of a case's chain: who rents from the operator, and the last one.
type Parties = (Option<PartyId>, Option<PartyId>);

/// What all threads look at.
struct Shared<'a> {
    asked: &'a Asked,
    old: Judged,
    new: Judged,
    parties: HashMap<i64, Parties>,
    feeds: HashMap<i64, Feed>,
    around: Around,
    next: AtomicI64,
    last: i64,
}

/// Has two policies decide over what is recorded. `open` opens the data to read, once for each thread.
///
/// # Errors
/// [`Error::Unavailable`] when the data cannot be read.
pub fn simulate(open: &(dyn Fn() -> Result<Reader, store::Error> + Sync), asked: &Asked) -> Result<Simulated, Error> {
    let mut names = Vec::new();
    let old = match &asked.old {
        Old::One(policy) => vec![(Time::MIN, (**policy).clone())],
        Old::Recorded(versions) => versions.clone(),
    };
    let old = Judged::new(old, asked.acting, &mut names);
    let new = Judged::new(vec![(Time::MIN, asked.new.clone())], asked.acting, &mut names);
    let (parties, feeds, last, around) = open()?.read(|transaction| {
        let around = transaction.around()?;
        let operators = &around.operators;
        let parties = transaction.parties_of_chains()?.into_iter().map(|(chain, links)| {
            let direct = links.iter().find(|(party, is_allocated)| !is_allocated && !operators.contains(party));
            (chain, (direct.map(|(party, _)| *party), links.last().map(|(party, _)| *party)))
        });
        let parties: HashMap<_, _> = parties.collect();
        let feeds = transaction.feeds()?.into_iter().map(|feed| (feed.id, feed)).collect();
        Ok::<_, store::Error>((parties, feeds, transaction.last_case()?, around))
    })?;
    let shared = Shared { asked, old, new, parties, feeds, around, next: AtomicI64::new(0), last };
    let parts: Vec<Result<Part, store::Error>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| part(open, &shared))).collect();
        let crashed = || Err(store::Error::Damaged("a thread of the simulation crashed".to_owned()));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| crashed())).collect()
    });
    let mut whole = Part::default();
    for part in parts {
        whole.join(part?);
    }
    whole.named.sort_by_key(|differs| differs.case);
    whole.named.truncate(asked.cases);
    let brake = |judged: &Judged| judged.policies.last().map(|(_, policy)| policy.brake);
    Ok(Simulated {
        cases: whole.cases,
        differ: whole.differ,
        named: whole.named,
        old: whole.old.totals(&names, brake(&shared.old)),
        new: whole.new.totals(&names, brake(&shared.new)),
    })
}

/// What one thread found.
#[derive(Default)]
struct Part {
    cases: u64,
    differ: u64,
    named: Vec<Differs>,
    old: Counter,
    new: Counter,
}

impl Part {
    fn join(&mut self, other: Part) {
        self.cases += other.cases;
        self.differ += other.differ;
        self.named.extend(other.named);
        self.old.join(other.old);
        self.new.join(other.new);
    }
}

fn part(open: &(dyn Fn() -> Result<Reader, store::Error> + Sync), shared: &Shared<'_>) -> Result<Part, store::Error> {
    let mut part = Part::default();
    let mut reader = open()?;
    loop {
        let after = shared.next.fetch_add(CHUNK, Ordering::Relaxed);
        if after >= shared.last {
            return Ok(part);
        }
        let until = after.saturating_add(CHUNK);
        let (cases, mut days, mut deeds) = reader.read(|transaction| {
            let cases = transaction.recorded(after, until, shared.asked.since)?;
            Ok::<_, store::Error>((cases, transaction.recorded_days(after, until)?, transaction.recorded_deeds(after, until)?))
        })?;
        for recorded in cases {
            let days = days.remove(&recorded.id).unwrap_or_default();
            let deeds = deeds.remove(&recorded.id).unwrap_or_default();
            let (direct, deepest) = shared.parties.get(&recorded.chain).copied().unwrap_or_default();
            let feed = shared.feeds.get(&recorded.feed);
            let exploited = shared.around.exploited_of(&recorded.traits);
            let case = Case { recorded: &recorded, days: &days, deeds: &deeds, direct, deepest, feed, exploited };
            let old = live(&case, &shared.old, shared.asked.until, &mut part.old);
            let new = live(&case, &shared.new, shared.asked.until, &mut part.new);
            part.cases += 1;
            if old != new {
                part.differ += 1;
                if part.named.len() < shared.asked.cases {
                    let Recorded { id, public, .. } = recorded;
                    part.named.push(Differs { case: id, public, old, new });
                }
            }
        }
    }
}

/// Lets a case live by a policy.
fn live(case: &Case<'_>, judged: &Judged, until: Time, counter: &mut Counter) -> Fate {
    match judged.at(case.recorded.opened) {
        Some((policy, rows)) => case.live(policy, rows, until, counter),
        None => Fate::default(),
    }
}
