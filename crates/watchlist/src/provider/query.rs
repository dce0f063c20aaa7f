//! Asking the evaluator, by files: [`prepare`] makes the query of a period, [`take()`] takes in the answer.
//!
//! A query is what the plan says and nothing else: batches of one size, filled with dummies, whatever there is to ask (M6). What does not fit
//! waits for the next period. Until an answer is kept, the query file can be made again, byte by byte the same (M9).

mod take;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashSet;
use std::path::PathBuf;

use matching::envelope::Envelope;
use matching::token::{Group, Token};
use rand_core::CryptoRng;
use rayon::prelude::*;
use zeroize::Zeroizing;

pub use take::{Bad, Failure, Taken, receipts, take};

use super::directory::{Pinned, Provider};
use super::error::Error;
use super::pending::{self, Asked, Batch, MOST_BATCHES};
use super::plan::{self, Owed};
use crate::chance;
use crate::files;
use crate::vault::Key;

/// How long a query may be on its way: 45 days, in milliseconds.
pub const TRAVEL: i64 = 45 * 24 * 60 * 60 * 1_000;

/// The most bytes of a query or answer file: 4 GiB.
pub const MOST_FILE: u64 = 4 << 30;

/// What is to be taken to the evaluator, and what is not in it.
#[derive(Debug, Default)]
pub struct Prepared {
    /// Files in the outbox that are not answered, oldest first. The last one may be new.
    pub files: Vec<Query>,
    /// Whether the last file was made now.
    pub new: bool,
    /// Tokens that were asked now.
    pub asked: usize,
    /// Tokens that were asked before and are not answered.
    pub pending: usize,
    /// Tokens that are known already.
    pub known: usize,
    /// Tokens that wait for the next period, since this one is full.
    pub waiting: usize,
    /// Tokens of groups that the plan does not have: nobody will ask them.
    pub unplanned: usize,
    /// When the next batches are due, in milliseconds since 1970 UTC; nothing when the epoch ends before.
    pub next: Option<i64>,
}

/// One file for the evaluator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Where it is.
    pub path: PathBuf,
    /// How many batches it has.
    pub batches: usize,
    /// How many bytes.
    pub bytes: u64,
}

/// Makes the query of this period, unless it was made. `tokens` is all that the provider wants to know, `known` says which of them are in
/// the cache. `key` is the cache key: what is asked stays encrypted under it until it is answered.
///
/// # Errors
/// When no list is pinned, there is no enrolment, or the epoch is over; when the key is another than before; those of the system.
pub fn prepare(
    provider: &mut Provider,
    key: &Key,
    tokens: Vec<Token>,
    known: impl Fn(&Token) -> bool,
    now: i64,
    rng: &mut impl CryptoRng,
) -> Result<Prepared, Error> {
    let plan = provider.plan(now)?;
    let pinned = provider.pinned()?.clone();
    if now > pinned.not_after {
        return Err(Error::said("the epoch of the pinned list is over; take in the list holder's newest file"));
    }
    let mut unanswered = pending::all(provider, key)?;
    let mut prepared = Prepared::default();
    let waiting = sort_out(tokens, &unanswered, known, &mut prepared);
    for asked in &mut unanswered {
        if asked.until < now {
            renew(asked, provider, &pinned, key, now, rng)?;
        }
        prepared.files.push(put(asked, provider, &pinned)?);
    }
    let owed = plan::owed(&plan, &pinned, &provider.state.traffic, now);
    let waiting = waiting.into_iter().map(|(group, tokens)| {
        let planned = plan.group(group).is_some() && pinned.keys.contains_key(&(group as u8));
        prepared.unplanned += if planned { 0 } else { tokens.len() };
        (group, if planned { tokens } else { Vec::new() })
    });
    let mut waiting: Vec<(Group, Vec<Token>)> = waiting.collect();
    if !owed.is_empty() {
        let asked = fill(&owed, &mut waiting, provider, &pinned, now, rng)?;
        prepared.asked = asked.batches.iter().map(|batch| batch.inputs.len()).sum();
        // In this order a stop at any point is survived: before the state is written nobody has seen the batches, and they are made anew;
        // after it, the query file is made again from what is pending.
        let envelopes = requests(&asked, provider, &pinned)?;
        let asked = signed(asked, &envelopes);
        asked.keep(provider, key, rng)?;
        plan::note(&mut provider.state.traffic, &pinned, &owed);
        provider.save()?;
        prepared.files.push(write(&asked, &envelopes, provider)?);
        prepared.new = true;
    }
    prepared.waiting = waiting.iter().map(|(_, tokens)| tokens.len()).sum();
    prepared.next = plan::next(&plan, &pinned, &provider.state.traffic, now);
    Ok(prepared)
}

/// Each token once, by group, without those that are known or asked already.
fn sort_out(
    mut tokens: Vec<Token>,
    unanswered: &[Asked],
    known: impl Fn(&Token) -> bool,
    prepared: &mut Prepared,
) -> Vec<(Group, Vec<Token>)> {
    tokens.sort_unstable();
    tokens.dedup();
    let pending: HashSet<&[u8]> =
        unanswered.iter().flat_map(|asked| &asked.batches).flat_map(|batch| &batch.inputs).map(|input| &**input).collect();
    let mut groups: Vec<(Group, Vec<Token>)> = Group::ALL.into_iter().map(|group| (group, Vec::new())).collect();
    for token in tokens {
        if known(&token) {
            prepared.known += 1;
        } else if !pending.is_empty() && pending.contains(Zeroizing::new(token.input()).as_slice()) {
            prepared.pending += 1;
        } else if let Some((_, tokens)) = groups.iter_mut().find(|(group, _)| *group == token.class().group()) {
            tokens.push(token);
        }
    }
    groups
}

/// Fills the batches that are owed, at random.
fn fill(
    owed: &[Owed],
    waiting: &mut [(Group, Vec<Token>)],
    provider: &Provider,
    pinned: &Pinned,
    now: i64,
    rng: &mut impl CryptoRng,
) -> Result<Asked, Error> {
    if owed.iter().map(|owed| owed.batches as usize).sum::<usize>() > MOST_BATCHES {
        return Err(Error::said("the plan asks for more batches than one file can have; ask the list holder for larger batches"));
    }
    let shortest = owed.iter().min_by_key(|owed| owed.plan.cadence);
    let name = name(provider, pinned.epoch, shortest.map_or(0, |owed| owed.period))?;
    let until = now.saturating_add(TRAVEL).min(pinned.not_after);
    let mut asked = Asked {
        name,
        list: pinned.list.0,
        epoch: pinned.epoch,
        manifest: pinned.manifest.0,
        issued: now,
        until,
        batches: Vec::new(),
    };
    for owed in owed {
        let Some((group, tokens)) = waiting.iter_mut().find(|(group, _)| *group == owed.plan.group) else { continue };
        shuffle(tokens, rng);
        for number in 0..owed.batches {
            let rest = tokens.len().saturating_sub(usize::from(owed.plan.batch));
            let inputs = tokens.split_off(rest).iter().map(|token| token.input().into()).collect();
            asked.batches.push(Batch {
                group: *group,
                size: owed.plan.batch,
                seq: owed.first.saturating_add(u64::from(number)),
                seed: Zeroizing::new(chance::draw(rng)),
                request: [0; 32],
                inputs,
            });
        }
    }
    Ok(asked)
}

/// A name that no file has yet.
fn name(provider: &Provider, epoch: u32, period: u32) -> Result<String, Error> {
    let outbox = provider.folder(super::directory::OUTBOX)?;
    let first = format!("query-E{epoch}-P{period}");
    let others = (2..).map(|number| format!("{first}-{number}"));
    Ok(std::iter::once(first.clone())
        .chain(others.take(1_000))
        .find(|name| !outbox.join(format!("{name}.slu")).exists())
        .unwrap_or(first))
}

/// Every order as likely as any other (Fisher and Yates), so that the place of an element says nothing of its customer.
fn shuffle<T>(items: &mut [T], rng: &mut impl CryptoRng) {
    for last in (1..items.len()).rev() {
        let bound = last as u64 + 1;
        // Numbers above the largest multiple of the bound would favour the first places.
        let most = u64::MAX - u64::MAX % bound;
        let drawn = loop {
            let drawn = rng.next_u64();
            if drawn < most {
                break drawn;
            }
        };
        // Less than the number of items.
        items.swap(last, (drawn % bound) as usize);
    }
}

/// The signed requests of a file, made by all processors.
fn requests(asked: &Asked, provider: &Provider, pinned: &Pinned) -> Result<Vec<Envelope>, Error> {
    Ok(asked.batches.par_iter().map(|batch| batch.request(asked, pinned, provider)).collect::<Result<_, _>>()?)
}

fn signed(mut asked: Asked, envelopes: &[Envelope]) -> Asked {
    for (batch, envelope) in asked.batches.iter_mut().zip(envelopes) {
        batch.request = envelope.hash();
    }
    asked
}

fn write(asked: &Asked, envelopes: &[Envelope], provider: &Provider) -> Result<Query, Error> {
    let path = asked.query_path(provider)?;
    let bytes: Vec<u8> = envelopes.iter().flat_map(Envelope::encode).collect();
    files::write(&path, &bytes)?;
    Ok(Query { path, batches: envelopes.len(), bytes: bytes.len() as u64 })
}

/// The query file of what is pending: as it lies in the outbox, or made again with the same bytes.
fn put(asked: &Asked, provider: &Provider, pinned: &Pinned) -> Result<Query, Error> {
    let path = asked.query_path(provider)?;
    match std::fs::metadata(&path) {
        Ok(there) => Ok(Query { path, batches: asked.batches.len(), bytes: there.len() }),
        Err(_) => write(asked, &requests(asked, provider, pinned)?, provider),
    }
}

/// Signs a query anew whose time ran out on the way. Its bodies and numbers stay, so that nothing is charged twice.
fn renew(
    asked: &mut Asked,
    provider: &Provider,
    pinned: &Pinned,
    key: &Key,
    now: i64,
    rng: &mut impl CryptoRng,
) -> Result<(), Error> {
    asked.issued = now;
    asked.until = now.saturating_add(TRAVEL).min(pinned.not_after);
    let envelopes = requests(asked, provider, pinned)?;
    for (batch, envelope) in asked.batches.iter_mut().zip(&envelopes) {
        batch.request = envelope.hash();
    }
    asked.keep(provider, key, rng)?;
    write(asked, &envelopes, provider).map(drop)
}
