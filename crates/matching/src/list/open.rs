//! Finding and opening: what a provider does with the list it downloaded, without asking anybody.

use super::{
    By, Error, Key, ListId, MOST_SHARED, Output, Stats, Status, Tag,
    body::{Body, BodyKind},
    index::Index,
    keys::{Found, Part, Place, Slot, TokenKeys, compare_key},
};
use crate::token::Class;

/// A segment and the deltas after it.
pub struct Book {
    list: ListId,
    epoch: u32,
    bodies: Vec<(Body, By)>,
    index: Index,
}

/// What a token opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// Where the entry sits: what the desk calls it by.
    pub slot: u32,
    /// The class of the token that opened it.
    pub class: Class,
    /// The family that made the token.
    pub family: u8,
    /// The capsule, as [`super::Capsule::read`] takes it.
    pub capsule: Vec<u8>,
    /// What proves the capsule.
    pub capsule_proof: Vec<u8>,
    /// The reason and what proves it, `(bytes, proof)`; nothing when a name alone opened it.
    pub reason: Option<(Vec<u8>, Vec<u8>)>,
    /// Whether the entry may be used, after the newest delta.
    pub status: Status,
    /// Since when, in milliseconds since 1970 UTC. 0 when it is unreadable.
    pub since: i64,
    /// The key of the capsule and the status: the leaf of the log has its digest (M3). Secret.
    pub key_compare: Key,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut f = f.debug_struct("Opened");
        f.field("slot", &self.slot).field("class", &self.class).field("family", &self.family).field("status", &self.status);
        f.field("reason", &self.reason.is_some()).finish_non_exhaustive()
    }
}

/// A record that a token found and that did not open as the format has it: the list holder's mistake, or an attack on whoever has this token. It
/// is not a hit, and worth keeping the list for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("record {record} was found and {what}; it is no hit: keep the list, and tell the list holder and the desk")]
pub struct Unopened {
    /// The number of the record.
    pub record: u32,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Book {
    /// The list of a segment's body. Its memory is that of the body and 28 bytes a record.
    ///
    /// # Errors
    /// When the body is none. Whether it is the one of the manifest is asked before, see [`super::Manifest::is_segment`].
    pub fn new(list: ListId, epoch: u32, body: Vec<u8>) -> Result<Book, Error> {
        let body = Body::parse(body)?;
        if body.kind != BodyKind::Segment {
            return Err(Error::Order("this delta"));
        }
        let mut book = Book { list, epoch, bodies: Vec::new(), index: Index::new() };
        book.push(body, By::Officers)?;
        Ok(book)
    }

    /// The next delta, after [`super::chain::Tip::next`] checked its envelope and said who made it.
    ///
    /// # Errors
    /// When it is not the next one, or the desk's and more than a table. Nothing changed then.
    pub fn add(&mut self, body: Vec<u8>, by: By) -> Result<(), Error> {
        let body = Body::parse(body)?;
        if (by == By::Desk) != (body.kind == BodyKind::Table) {
            return Err(if by == By::Desk { Error::DeskOnlySuspends } else { Error::Order("this body") });
        }
        let numbered = body.kind == BodyKind::Table || body.stats.first_record == self.index.len() as u64;
        if body.stats.seq != self.bodies.len() as u64 || body.stats.first_slot != self.slots() || !numbered {
            return Err(Error::Order("this delta"));
        }
        self.push(body, by)
    }

    fn push(&mut self, body: Body, by: By) -> Result<(), Error> {
        // Record numbers fit in four bytes: the layout refuses others.
        let added = body.records().iter().enumerate().map(|(at, record)| {
            let mut tag = [0; 16];
            tag.copy_from_slice(&record[..16]);
            (tag, (body.stats.first_record as u32).saturating_add(at as u32))
        });
        if !self.index.add(added) {
            return Err(Error::Order("a record with the tag of another"));
        }
        self.bodies.push((body, by));
        Ok(())
    }

    /// What names the publication.
    #[must_use]
    pub fn list(&self) -> &ListId {
        &self.list
    }

    /// The epoch.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The number of the newest delta; 0 when there is none.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.bodies.last().map_or(0, |(body, _)| body.stats.seq)
    }

    /// How many records there are to find, dummies counted.
    #[must_use]
    pub fn records(&self) -> usize {
        self.index.len()
    }

    /// How many slots, empty ones counted.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.bodies.last().map_or(0, |(body, _)| body.stats.slots_after())
    }

    /// The sizes of the segment and of each delta.
    pub fn stats(&self) -> impl Iterator<Item = Stats> {
        self.bodies.iter().map(|(body, _)| body.stats)
    }

    /// Whether a token with this tag ([`super::tag`]) finds something. No cryptography, some millions a second.
    #[must_use]
    #[inline]
    pub fn has(&self, tag: &Tag) -> bool {
        self.index.find(tag).is_some()
    }

    /// The entries that a token opens, most often none.
    #[must_use]
    pub fn open(&self, output: &Output) -> Vec<Opened> {
        self.examine(output).into_iter().filter_map(Result::ok).collect()
    }

    /// The entries that a token opens, and the records that it found and that did not open.
    #[must_use]
    pub fn examine(&self, output: &Output) -> Vec<Result<Opened, Unopened>> {
        let Some(keys) = TokenKeys::of_output(output) else { return Vec::new() };
        (0..MOST_SHARED)
            .map_while(|j| self.index.find(&keys.tag(&self.list, self.epoch, j)))
            .map(|number| self.open_record(&keys, number))
            .collect()
    }

    /// The same entry with its reason, under the key that opens all of it.
    ///
    /// # Errors
    /// When the key is of another entry.
    pub fn open_with(&self, opened: &Opened, key_full: &Key) -> Result<Opened, Error> {
        let found = Found { key: key_full.clone(), slot: opened.slot, full: true, family: opened.family, class: opened.class };
        self.bodies
            .iter()
            .find(|(body, _)| body.holds(opened.slot))
            .and_then(|(body, _)| self.open_slot(body, found).ok())
            .filter(|whole| whole.key_compare == opened.key_compare)
            .ok_or(Error::NoEntry(opened.slot))
    }

    fn open_record(&self, keys: &TokenKeys, number: u32) -> Result<Opened, Unopened> {
        let wrong = |what| Unopened { record: number, what };
        let number = u64::from(number);
        let (body, record) = self
            .bodies
            .iter()
            .find_map(|(body, _)| body.record(number).map(|record| (body, record)))
            .ok_or_else(|| wrong("is not there"))?;
        let place = Place { list: &self.list, epoch: self.epoch, number, salt: &body.salt };
        let found = keys.open(&place, record).ok_or_else(|| wrong("was not made for this token"))?;
        // A record leads to an entry that came with it. One that led elsewhere would put somebody under a token that their entry never had.
        if !body.holds(found.slot) {
            return Err(wrong("leads to an entry that did not come with it"));
        }
        self.open_slot(body, found).map_err(wrong)
    }

    fn open_slot(&self, body: &Body, found: Found) -> Result<Opened, &'static str> {
        let Found { key, slot, full, family, class } = found;
        let place = Slot { list: &self.list, salt: &body.salt, slot };
        let key_compare = if full { compare_key(&key) } else { key.clone() };
        let (capsule, reason) = body.slot(slot).ok_or("leads nowhere")?;
        let (capsule, capsule_proof) =
            place.open_part(&key_compare, Part::Capsule, capsule).ok_or("does not open its capsule")?;
        let reason = match full {
            true => Some(place.open_part(&key, Part::Reason, reason).ok_or("does not open its reason")?),
            false => None,
        };
        let (status, since) = self.status(slot, &key_compare);
        Ok(Opened { slot, class, family, capsule, capsule_proof, reason, status, since, key_compare })
    }

    /// What an entry is after the newest delta. The officers' tables say what is; the desk's can only suspend what is live, so whatever else
    /// stands in them changes nothing; and what was withdrawn stays so.
    fn status(&self, slot: u32, key: &Key) -> (Status, i64) {
        let mut now = (Status::Unreadable, 0);
        for (body, by) in self.bodies.iter().filter(|(body, _)| body.stats.slots_after() > slot) {
            let place = Slot { list: &self.list, salt: &body.salt, slot };
            let read = body.status(slot).and_then(|bytes| place.open_status(key, body.stats.seq, bytes));
            now = match (by, now, read) {
                (_, (Status::Withdrawn, _), _) => now,
                (By::Officers, _, Some(read)) => read,
                (By::Officers, _, None) => (Status::Unreadable, 0),
                (By::Desk, (Status::Live, _), Some(read @ (Status::Suspended, _))) => read,
                (By::Desk, ..) => now,
            };
        }
        now
    }
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book")
            .field("epoch", &self.epoch)
            .field("seq", &self.seq())
            .field("records", &self.records())
            .finish_non_exhaustive()
    }
}
