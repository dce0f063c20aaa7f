//! Time-stamps over published checkpoints: each authority is asked at most so often, what it gave is kept, an entry of the log
//! tells of it, and once a year all of them are renewed by one.
//!
//! The order is what a kill leaves whole: the response is kept, then its file, then its entry, then where the entry is. Whatever is
//! missing of that is made up for the next time, and nothing is told twice.
//!
//! Authorities are asked while nothing is held: no lock, no transaction.

use std::collections::{BTreeMap, BTreeSet};

use ::seal::note::Note;
use ::seal::shelf::Shelf;
use ::seal::tsp::{self, Imprint, Stamp, restamp};
use model::time::{DAY, HOUR, MINUTE, Time};
use store::anchors::Anchor;
use store::log::{Checkpoint, Shard};

use super::{disk, public_entry};
use crate::{Desk, Error};

/// After how long all time-stamps are renewed. Certificates of authorities are valid for longer.
const RENEWAL: i64 = 365 * DAY;
/// How long an authority is left alone after it failed, doubling up to an hour.
const PAUSE: i64 = MINUTE;
/// By how much the clock of an authority and ours may differ before it is worth a word.
const DIFFERENCE: i64 = 2 * MINUTE;
/// Time-stamps whose entries are made up for at once.
const TOGETHER: u32 = 64;
/// Files of one checkpoint.
const FILES: usize = 64;

/// What begins the body of an entry about a time-stamp, and about a renewal (`docs/seal.md` 4).
const ANCHOR: u8 = 1;
const ARCHIVE: u8 = 6;

/// Who gives time-stamps. Asking may take its time, but must come to an end.
pub trait Authority {
    /// What the operator calls it.
    fn name(&self) -> &str;

    /// The least time between two time-stamps over checkpoints, in milliseconds.
    fn every(&self) -> i64;

    /// Has a digest stamped: the response as it came, and what it proves, verified.
    ///
    /// # Errors
    /// Why there is none, in words for people.
    fn stamp(&self, imprint: Imprint<'_>) -> Result<(Vec<u8>, Stamp), String>;
}

/// How it goes with the authorities; kept between two calls of [`Desk::anchor`].
#[derive(Clone, Debug, Default)]
pub struct Anchoring {
    asked: BTreeMap<String, Asked>,
    /// Time-stamps whose entry was looked for, or cannot be there yet.
    searched: BTreeSet<i64>,
}

/// How it went with one authority.
#[derive(Clone, Debug)]
struct Asked {
    at: Time,
    failures: u32,
    /// Why it gave nothing the last time.
    trouble: Option<String>,
    /// How far its clock was ahead of ours, in milliseconds.
    ahead: i64,
}

impl Anchoring {
    /// Authorities that gave nothing the last time they were asked, with the reason in words for people.
    pub fn troubles(&self) -> impl Iterator<Item = (&str, &str)> {
        self.asked.iter().filter_map(|(name, asked)| Some((name.as_str(), asked.trouble.as_deref()?)))
    }

    /// Authorities whose clock differs from ours by more than two minutes, and by how much it is ahead, in milliseconds.
    pub fn differences(&self) -> impl Iterator<Item = (&str, i64)> {
        let differs = |asked: &Asked| asked.ahead.abs() > DIFFERENCE;
        self.asked.iter().filter(move |(_, asked)| differs(asked)).map(|(name, asked)| (name.as_str(), asked.ahead))
    }

    /// Whether an authority may be asked: it did not fail a moment ago, and was not asked for the same less than `every` ago.
    fn may(&self, name: &str, every: i64, now: Time) -> bool {
        let Some(asked) = self.asked.get(name) else { return true };
        let pause = match asked.failures {
            0 => every,
            failures => PAUSE.saturating_mul(1_i64.wrapping_shl(failures.min(7) - 1)).min(HOUR),
        };
        // A clock that was set back does not make us wait.
        !(0..pause).contains(&(now.0 - asked.at.0))
    }

    fn note(&mut self, name: &str, now: Time, outcome: &Result<(Vec<u8>, Stamp), String>) {
        let failures = self.asked.get(name).map_or(0, |asked| asked.failures);
        let asked = match outcome {
            Ok((_, stamp)) => Asked { at: now, failures: 0, trouble: None, ahead: stamp.gen_time_ms - now.0 },
            Err(why) => Asked { at: now, failures: failures.saturating_add(1), trouble: Some(why.clone()), ahead: 0 },
        };
        self.asked.insert(name.to_owned(), asked);
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anchored {
    /// Time-stamps over checkpoints that were kept.
    pub stamped: u32,
    /// Renewals that were kept.
    pub renewed: u32,
    /// Entries that were added to the log.
    pub entries: u32,
}

impl Desk {
    /// Asks each authority whose time it is for a time-stamp over the last published checkpoint, and once a year for a renewal;
    /// and lets the log tell of what was kept. Meant to be called every few seconds, by one thread.
    ///
    /// # Errors
    /// As [`Desk::seal`]. That an authority gives nothing is no error: `anchoring` says so, and it is asked again later.
    pub fn anchor(&self, anchoring: &mut Anchoring, authorities: &[&dyn Authority]) -> Result<Anchored, Error> {
        let mut done = Anchored { entries: self.tell_of_anchors(anchoring)?, ..Anchored::default() };
        for authority in authorities {
            done.stamped += u32::from(self.stamp_checkpoint(anchoring, *authority)?);
        }
        done.renewed += u32::from(self.renew(anchoring, authorities)?);
        if done.stamped + done.renewed > 0 {
            done.entries += self.tell_of_anchors(anchoring)?;
        }
        Ok(done)
    }

    /// Has the last published checkpoint stamped, unless it is or it is too soon.
    fn stamp_checkpoint(&self, anchoring: &mut Anchoring, authority: &dyn Authority) -> Result<bool, Error> {
        let (name, now) = (authority.name(), self.now());
        if !anchoring.may(name, authority.every(), now) {
            return Ok(false);
        }
        let Some((shard, checkpoint)) = self.newest_published()? else { return Ok(false) };
        let last = self.store.reader()?.read(|transaction| transaction.last_anchor(shard.id, name, false))?;
        let due =
            last.is_none_or(|last| last.size < checkpoint.size && !(0..authority.every()).contains(&(now.0 - last.stamped.0)));
        if !due {
            return Ok(false);
        }
        let digest = tsp::digest(text_of(&checkpoint)?.as_bytes());
        let outcome = authority.stamp(Imprint::Sha256(&digest));
        anchoring.note(name, now, &outcome);
        let Ok((response, stamp)) = outcome else { return Ok(false) };
        let anchor = anchor(&checkpoint, name, response, &stamp, false);
        let id = self.store.write("anchor", |transaction| transaction.add_anchor(&anchor))?;
        anchoring.searched.extend(id);
        Ok(id.is_some())
    }

    /// Renews all time-stamps when the last renewal, or else the first of them, is a year old. The first authority that gives
    /// something is enough.
    fn renew(&self, anchoring: &mut Anchoring, authorities: &[&dyn Authority]) -> Result<bool, Error> {
        let now = self.now();
        let (first, renewed) = self.store.reader()?.read(|transaction| transaction.anchor_times())?;
        let is_old = |moment: Time| now.0.saturating_sub(moment.0) >= RENEWAL;
        if !renewed.or(first).is_some_and(is_old) {
            return Ok(false);
        }
        let Some((_, checkpoint)) = self.newest_published()? else { return Ok(false) };
        let ready: Vec<_> = authorities.iter().filter(|authority| anchoring.may(authority.name(), 0, now)).collect();
        if ready.is_empty() {
            return Ok(false);
        }
        // All responses are read for this: not before somebody is there to be asked.
        let (digest, through) = self.renewal(&checkpoint, i64::MAX)?;
        for authority in ready {
            let outcome = authority.stamp(Imprint::Sha512(&digest));
            anchoring.note(authority.name(), now, &outcome);
            let Ok((response, stamp)) = outcome else { continue };
            let anchor = anchor(&checkpoint, authority.name(), response, &stamp, true);
            let id = self.store.write("anchor", |transaction| {
                // It is over all that came before it: if one came in between, it is not, and the next one is.
                if transaction.last_anchor_id()? == through { transaction.add_anchor(&anchor) } else { Ok(None) }
            })?;
            anchoring.searched.extend(id);
            return Ok(id.is_some());
        }
        Ok(false)
    }

    /// What a renewal with this number stamps, and the number of the last time-stamp that it is over.
    fn renewal(&self, checkpoint: &Checkpoint, before: i64) -> Result<(restamp::Hash, i64), Error> {
        let (mut tokens, mut through) = (restamp::Tokens::new(), 0);
        self.store.reader()?.read(|transaction| {
            transaction.each_anchor(before, |anchor| {
                tokens.push(&anchor.response);
                through = anchor.id;
            })
        })?;
        Ok((tokens.digest(text_of(checkpoint)?.as_bytes()), through))
    }

    /// Files and entries for time-stamps that have none; how many entries that made.
    fn tell_of_anchors(&self, anchoring: &mut Anchoring) -> Result<u32, Error> {
        let Some(shard) = self.store.reader()?.read(|transaction| transaction.shard())? else { return Ok(0) };
        let silent = self.store.reader()?.read(|transaction| transaction.anchors_without_entry(shard.id, TOGETHER))?;
        let mut told = Vec::new();
        for anchor in &silent {
            self.show_anchor(&shard, anchor)?;
            let body = self.body_of(anchor)?;
            // What was kept before this process began may have its entry already.
            let known = anchoring.searched.insert(anchor.id);
            match known.then(|| self.entry_of(anchor, &body)).transpose()?.flatten() {
                Some(index) => self.store.write("anchor", |transaction| transaction.set_anchor_entry(anchor.id, index))?,
                None => told.push((anchor.id, body)),
            }
        }
        if told.is_empty() {
            return Ok(0);
        }
        let (ids, bodies): (Vec<i64>, Vec<Vec<u8>>) = told.into_iter().unzip();
        let (in_shard, first) = self.add_public(&bodies)?;
        // At the turn of a year the entries stand in the next shard; there they prove the same, and nobody looks for them here.
        if in_shard == shard.id {
            self.store.write("anchor", |transaction| {
                (first..).zip(&ids).try_for_each(|(index, id)| transaction.set_anchor_entry(*id, index))
            })?;
        }
        Ok(ids.len() as u32)
    }

    /// Writes the file of a time-stamp over a checkpoint: `anchor/<size>.tsr`, and for further authorities `<size>.2.tsr` and on.
    fn show_anchor(&self, shard: &Shard, anchor: &Anchor) -> Result<(), Error> {
        let shelf = self.shelf_of(shard.label());
        let kind = if anchor.archive { "archive" } else { "anchor" };
        for number in 1..=FILES {
            let path = match number {
                1 => format!("{kind}/{}.tsr", anchor.size),
                more => format!("{kind}/{}.{more}.tsr", anchor.size),
            };
            match shelf.read(&path).map_err(|error| disk(&error))? {
                Some(there) if there != anchor.response => {}
                Some(_) => break,
                None => {
                    shelf.publish(&path, &anchor.response).map_err(|error| disk(&error))?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// The body of the entry that tells of a time-stamp.
    fn body_of(&self, anchor: &Anchor) -> Result<Vec<u8>, Error> {
        let digest = tsp::digest(&anchor.response);
        if !anchor.archive {
            let (time, size) = (anchor.stamped.0.to_be_bytes(), anchor.size.to_be_bytes());
            return Ok([&[ANCHOR][..], &digest, &time, &size].concat());
        }
        let checkpoint = self.store.reader()?.read(|transaction| transaction.checkpoint_at(anchor.shard, anchor.size))?;
        let checkpoint = checkpoint.ok_or_else(|| Error::Conflict("a checkpoint that was stamped is not there".to_owned()))?;
        let (over, _) = self.renewal(&checkpoint, anchor.id)?;
        Ok([&[ARCHIVE][..], &anchor.size.to_be_bytes(), &over, &digest].concat())
    }

    /// Where the log has an entry with this body, after the checkpoint that the time-stamp is over.
    fn entry_of(&self, anchor: &Anchor, body: &[u8]) -> Result<Option<u64>, Error> {
        let (entry, mut found) = (public_entry(body)?, None);
        self.store.reader()?.read(|transaction| {
            let size = transaction.log_size(anchor.shard)?;
            transaction.each_entry(anchor.shard, anchor.size, size, |index, there| {
                if there == entry {
                    found = Some(index);
                }
                Ok::<_, store::Error>(())
            })
        })?;
        Ok(found)
    }

    /// The shard that grows, and its last checkpoint that others see.
    fn newest_published(&self) -> Result<Option<(Shard, Checkpoint)>, Error> {
        Ok(self.store.reader()?.read(|transaction| {
            let Some(shard) = transaction.shard()? else { return Ok(None) };
            let checkpoint = transaction.published_checkpoint(shard.id)?;
            Ok::<_, store::Error>(checkpoint.map(|checkpoint| (shard, checkpoint)))
        })?)
    }
}

fn anchor(checkpoint: &Checkpoint, tsa: &str, response: Vec<u8>, stamp: &Stamp, archive: bool) -> Anchor {
    let stamped = Time(stamp.gen_time_ms);
    Anchor { id: 0, shard: checkpoint.shard, size: checkpoint.size, tsa: tsa.to_owned(), archive, response, stamped, index: None }
}

/// The text that is stamped: without signatures, so that cosignatures may come later.
fn text_of(checkpoint: &Checkpoint) -> Result<String, Error> {
    let note = Note::parse(checkpoint.note.as_bytes());
    Ok(note.map_err(|wrong| Error::Conflict(format!("a checkpoint that was kept cannot be read: {wrong}")))?.text)
}
