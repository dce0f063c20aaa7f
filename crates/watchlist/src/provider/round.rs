//! One round of `sluis watchlist match`: as much as can be done now without asking anybody, and what to do next. A stop at any point costs
//! nothing: the next round goes on from what the files say.

use std::collections::HashSet;

use matching::envelope::{Envelope, Kind};
use matching::token::Token;
use rand_core::CryptoRng;
use rayon::prelude::*;
use seal::policy::Policy;

use super::ask;
use super::cache::{Cache, Of};
use super::directory::Provider;
use super::error::{Error, Result};
use super::hits::{Changes, Fate, Hits, MOST};
use super::look::{Against, Found, Subject};
use super::query::{self, Taken};
use super::report::{Customers, Language, List, Next, Report, day};
use super::shelf::{self, Shelf};
use crate::vault::Key;

/// Customers that are made into tokens at once, by all processors.
const AT_ONCE: usize = 8_192;
/// The most envelopes of one answer file.
const MOST_ENVELOPES: usize = 1 << 16;

/// What a round is given.
#[derive(Debug)]
pub struct Round<'a> {
    /// New files of the list.
    pub list: Vec<Vec<u8>>,
    /// Answers of the evaluator and of the desk.
    pub answers: Vec<Vec<u8>>,
    /// The cache key.
    pub key: Key,
    /// Whether answers are kept for later deltas; else they are used in this round and forgotten.
    pub keep: bool,
    /// Which witnesses must have signed the log, if a policy says so.
    pub policy: Option<&'a Policy>,
    /// Whether to forget cached tokens of customers that are not in the file, however many they are.
    pub forget: bool,
    /// The language of what went wrong.
    pub language: Language,
    /// Now, in milliseconds since 1970 UTC.
    pub now: i64,
}

/// How far a round is, for whoever waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The files of the list are being checked.
    List,
    /// Answers are being checked and kept.
    Answers,
    /// So many customers were looked up.
    Customers(u64),
    /// The query is being made.
    Query,
}

/// Does one round. `customers` are those of the administration, all of them; `subject` makes tokens of one.
///
/// # Errors
/// When a file does not fit, the cache key is another, or a file cannot be written. What was done before stays done.
pub fn run<C: Send>(
    provider: &mut Provider,
    round: &Round<'_>,
    customers: impl Iterator<Item = Result<C>>,
    subject: impl Fn(C) -> Subject + Sync,
    mut progress: impl FnMut(Progress),
    rng: &mut impl CryptoRng,
) -> Result<Report> {
    let pinned = provider.pinned()?.clone();
    let say = |nl: String, en: String| round.language.say(nl, en);
    let mut problems = Vec::new();
    let mut next = Vec::new();

    progress(Progress::List);
    let shelf = if round.list.is_empty() && !shelf::has_any(provider)? {
        let why = round.language.say("de lijst zelf is hier nog niet", "the list itself is not here yet");
        next.push(Next::Renew { why: why.to_owned() });
        None
    } else {
        Some(shelf::open(provider, &round.list, round.policy, round.now)?)
    };
    let fresh = shelf.as_ref().filter(|shelf| shelf.is_fresh(round.now));
    if let (Some(shelf), None) = (&shelf, fresh) {
        next.push(Next::Renew { why: old(shelf, round) });
    }

    progress(Progress::Answers);
    let of = Of { list: pinned.list.0, epoch: pinned.epoch };
    let mut cache =
        if round.keep { Cache::open(provider.dir(), round.key.clone(), of)? } else { Cache::memory(round.key.clone(), of) };
    let mut hits = Hits::open(provider.dir())?;
    let mut taken = Vec::new();
    for file in &round.answers {
        taken.extend(take(provider, round, file, shelf.as_ref(), &mut cache, &mut hits, &mut problems, rng)?);
    }

    let told = hits.told();
    let mut seen = Seen::of(&hits, &cache);
    let mut found = Found::default();
    walk(customers, subject, &mut progress, |subject| {
        seen.note(subject, &cache);
        if let Some(shelf) = fresh {
            let against = Against {
                book: &shelf.book,
                side: &shelf.side,
                roots: &shelf.roots,
                list: &shelf.manifest.name,
                cache: &cache,
                told: &told,
                now: round.now,
            };
            found.look(subject, &against);
        } else {
            found.pass(subject);
        }
    })?;

    seen.unanswered.sort_unstable();
    seen.unanswered.dedup();
    let unanswered = seen.unanswered.len() as u64;
    let looked_up = if fresh.is_some() { seen.answered } else { 0 };
    sweep(&mut cache, &seen.names, round, &mut problems, rng)?;
    let changes = match fresh {
        Some(_) => hits.take_in(found.hits, |customer| fate(customer, &seen.left, &seen.whole), round.now),
        None => Changes::default(),
    };
    hits.save(provider.dir())?;
    // Only now may it be forgotten what was asked: a stop before this has the same answer taken in again.
    for taken in &taken {
        taken.settle(provider, &round.key, rng)?;
    }

    progress(Progress::Query);
    let prepared = query::prepare(provider, &round.key, seen.unanswered, |_| false, round.now, rng);
    match prepared {
        Ok(prepared) => {
            next.extend(prepared.files.iter().map(|query| Next::Send {
                file: query.path.display().to_string(),
                to: say("de evaluator".to_owned(), "the evaluator".to_owned()),
            }));
            if let (true, Some(until)) = (prepared.waiting > 0, prepared.next) {
                next.push(Next::Wait { tokens: prepared.waiting as u64, until });
            }
            if prepared.unplanned > 0 {
                problems.push(say(
                    format!(
                        "{} kenmerken zijn van een groep die uw plan niet heeft: zij worden niet gevraagd",
                        prepared.unplanned
                    ),
                    format!("{} tokens are of a group that your plan does not have: they are not asked", prepared.unplanned),
                ));
            }
        }
        // What is cached was looked up all the same.
        Err(Error::Said(why)) => problems.push(why),
        Err(error) => return Err(error),
    }

    if changes.too_many > 0 {
        problems.push(say(
            format!(
                "{} kandidaten te veel (meer dan {MOST}) en niet bewaard: klopt de lijst, en kloppen de klanten?",
                changes.too_many
            ),
            format!(
                "{} candidates too many (more than {MOST}) and not kept: are the list and the customers right?",
                changes.too_many
            ),
        ));
    }
    for (why, times) in &found.invalid {
        problems.push(say(format!("{times} keer niet geldig: {why}"), format!("{times} times not valid: {why}")));
    }
    let counts = Customers {
        all: found.customers,
        without_tokens: found.without_tokens,
        without_tokens_first: found.without_tokens_first,
        cells_refused: 0,
        tokens: seen.answered + unanswered,
        looked_up,
        unanswered,
        unlike: found.unlike,
        invalid: found.invalid.values().sum(),
    };
    let list = shelf.as_ref().map_or_else(
        || List { name: pinned.name.clone(), holder: pinned.holder.clone(), epoch: pinned.epoch, ..List::default() },
        Shelf::list,
    );
    let mut report = Report::new(list, counts, &hits, changes, next, round.now);
    report.problems = problems;
    Ok(report)
}

/// Takes in one file of answers.
#[expect(clippy::too_many_arguments, reason = "all that an answer may touch")]
fn take(
    provider: &Provider,
    round: &Round<'_>,
    file: &[u8],
    shelf: Option<&Shelf>,
    cache: &mut Cache,
    hits: &mut Hits,
    problems: &mut Vec<String>,
    rng: &mut impl CryptoRng,
) -> Result<Option<Taken>> {
    let say = |nl: String, en: String| round.language.say(nl, en);
    let envelopes = Envelope::read_all(file, MOST_ENVELOPES)?;
    let (desk, evaluator): (Vec<_>, Vec<_>) = envelopes.iter().partition(|envelope| envelope.header.kind == Kind::Answer);
    for envelope in desk {
        let shelf =
            shelf.ok_or_else(|| Error::said("the desk's answer needs the list to be checked with; give it too (--list)"))?;
        ask::take(provider, hits, envelope, shelf, round.now)?;
        hits.save(provider.dir())?;
    }
    if evaluator.is_empty() {
        return Ok(None);
    }
    let pinned = provider.pinned()?;
    let taken = query::take(provider, &round.key, file, round.now)?;
    let (list, epoch) = (pinned.list.0, pinned.epoch);
    let tags: Vec<[u8; 16]> = taken.outputs.par_iter().map(|(_, output)| matching::list::tag(output, &list, epoch)).collect();
    cache.add(taken.outputs.iter().zip(tags).map(|((token, output), tag)| (token, tag, output)));
    cache.save(rng)?;
    if taken.unknown > 0 && taken.batches == 0 {
        problems.push(say(
            "een antwoordbestand hoort bij niets dat hier openstaat: het is al verwerkt, of het is van een andere map".to_owned(),
            "a file of answers belongs to nothing that is open here: it was taken in before, or is of another directory"
                .to_owned(),
        ));
    }
    for error in &taken.errors {
        let (group, seq) = (error.group.name(), error.seq);
        problems.push(say(
            format!("partij {seq} van groep {group} is niet beantwoord: {}", error.code.advice()),
            format!("batch {seq} of group {group} was not answered: {}", error.code.advice()),
        ));
    }
    for bad in &taken.bad {
        problems.push(say(
            format!("een antwoord klopt niet ({}); er is niets van gebruikt. Lees {}", bad.why, bad.evidence.display()),
            format!("an answer is wrong ({}); nothing of it was used. Read {}", bad.why, bad.evidence.display()),
        ));
    }
    for refused in &taken.refused {
        problems.push(say(format!("een antwoord is geweigerd: {refused}"), format!("an answer was refused: {refused}")));
    }
    Ok(Some(taken))
}

/// What was seen of the customers.
struct Seen {
    names: super::cache::Names,
    unanswered: Vec<Token>,
    answered: u64,
    /// Customers with a hit that did not come by yet.
    left: HashSet<String>,
    /// Customers with a hit of whom everything was answered.
    whole: HashSet<String>,
}

/// What is known of a customer with a hit.
fn fate(customer: &str, left: &HashSet<String>, whole: &HashSet<String>) -> Fate {
    match (left.contains(customer), whole.contains(customer)) {
        (true, _) => Fate::Left,
        (false, true) => Fate::Whole,
        (false, false) => Fate::Partly,
    }
}

impl Seen {
    fn of(hits: &Hits, cache: &Cache) -> Seen {
        Seen {
            names: cache.names(),
            unanswered: Vec::new(),
            answered: 0,
            left: hits.hits.iter().map(|hit| hit.customer.id.clone()).collect(),
            whole: HashSet::new(),
        }
    }

    fn note(&mut self, subject: &Subject, cache: &Cache) {
        let has_hit = !self.left.is_empty() && self.left.remove(&subject.id);
        if has_hit && !subject.tokens.is_empty() && subject.tokens.iter().all(|token| cache.has(token)) {
            self.whole.insert(subject.id.clone());
        }
        for token in &subject.tokens {
            if cache.has(token) {
                if cache.note(&mut self.names, token) {
                    self.answered += 1;
                }
            } else {
                self.unanswered.push(token.clone());
            }
        }
    }
}

/// All customers, a piece at a time: their tokens by all processors, the rest in their order.
fn walk<C: Send>(
    customers: impl Iterator<Item = Result<C>>,
    subject: impl Fn(C) -> Subject + Sync,
    progress: &mut impl FnMut(Progress),
    mut each: impl FnMut(&Subject),
) -> Result<()> {
    let mut customers = customers.peekable();
    let mut count = 0;
    while customers.peek().is_some() {
        let piece: Vec<C> = customers.by_ref().take(AT_ONCE).collect::<Result<_>>()?;
        let subjects: Vec<Subject> = piece.into_par_iter().map(&subject).collect();
        for subject in &subjects {
            each(subject);
        }
        count += subjects.len() as u64;
        progress(Progress::Customers(count));
    }
    Ok(())
}

/// Forgets the tokens of customers that left. When they are many the file may not be whole, and asking again costs quota: then a person says.
fn sweep(
    cache: &mut Cache,
    names: &super::cache::Names,
    round: &Round<'_>,
    problems: &mut Vec<String>,
    rng: &mut impl CryptoRng,
) -> Result<()> {
    let gone = cache.gone(names);
    if gone == 0 {
        return Ok(());
    }
    if round.forget || gone.saturating_mul(5) <= cache.len() {
        cache.keep_only(names, rng)?;
    } else {
        problems.push(round.language.say(
            format!(
                "{gone} van de {} bewaarde antwoorden zijn van klanten die niet in dit bestand staan. Is het bestand volledig? Zo ja, draai dit met --forget",
                cache.len()
            ),
            format!(
                "{gone} of the {} kept answers are of customers that are not in this file. Is the file whole? If so, run this with --forget",
                cache.len()
            ),
        ));
    }
    Ok(())
}

fn old(shelf: &Shelf, round: &Round<'_>) -> String {
    let at = day(round.language, shelf.signed);
    if round.now > shelf.manifest.not_after {
        return round.language.say(
            format!("dit tijdvak is op {} afgelopen", day(round.language, shelf.manifest.not_after)),
            format!("this epoch ended on {}", day(round.language, shelf.manifest.not_after)),
        );
    }
    round.language.say(
        format!(
            "de nieuwste wijziging is van {at}, ouder dan zeven dagen; een intrekking kan ontbreken, dus er is niets opgezocht"
        ),
        format!("the newest change is of {at}, older than seven days; a withdrawal may be missing, so nothing was looked up"),
    )
}

#[cfg(test)]
mod tests;
