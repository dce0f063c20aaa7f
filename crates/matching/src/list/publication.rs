//! Making what everybody downloads: the list holder's segment and deltas, and the desk's status tables.
//!
//! Nothing in here asks a clock or draws chance of its own. What a [`Publication`] remembers is secret: it opens every capsule and says which
//! slots are empty.

use std::collections::HashSet;

use rand_core::CryptoRng;
use zeroize::{Zeroize as _, Zeroizing};

use super::{
    CAPSULE_SIZES, Error, Key, LEAST_RECORDS, LEAST_SLOTS, ListId, MOST_RECORDS, MOST_SHARED, MOST_SLOTS, Output, REASON_SIZES,
    Stats, Status, Tag,
    body::{Body, BodyKind},
    keys::{Chaff, Extractor, Found, Part, Place, Salt, Slot, TokenKeys, compare_key},
};
use crate::{
    bytes::{Malformed, Reader, Writer},
    sha256,
    token::Class,
};

/// An entry to be published.
#[derive(Clone)]
pub struct Listed {
    /// What opens all of it: 32 random bytes, drawn for this entry and publication alone.
    pub key_full: Key,
    /// [`super::Entry::capsule_bytes`].
    pub capsule: Vec<u8>,
    /// What proves the capsule; this module does not look into it.
    pub capsule_proof: Vec<u8>,
    /// [`super::Entry::reason_bytes`].
    pub reason: Vec<u8>,
    /// What proves the reason.
    pub reason_proof: Vec<u8>,
    /// How it begins: live, or suspended when a contest of an earlier epoch is not decided.
    pub status: Status,
    /// Since when it is so, in milliseconds since 1970 UTC.
    pub since: i64,
    /// What finds it, each token once: its output, its class, and the family that made it, which a provider is shown.
    pub tokens: Vec<(Output, Class, u8)>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        for (output, ..) in &mut self.tokens {
            output.zeroize();
        }
    }
}

/// A body to be published, and where its entries sit in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The body of a segment or delta.
    pub body: Vec<u8>,
    /// The slot of each entry added, in the order they were given.
    pub slots: Vec<u32>,
}

/// What the list holder remembers of one publication.
pub struct Publication {
    table: Table,
    epoch: u32,
    /// Numbers of records rise over segment and deltas and are never used again (M4).
    next_record: u64,
    capsule_size: u32,
    reason_size: u32,
    /// All tags published, dummies too, sorted. A token's next record takes the first of its tags that is not among them.
    tags: Vec<Tag>,
}

/// What the list holder and the desk remember of the status of entries: the comparison key of each slot that holds one.
pub struct Table {
    list: ListId,
    next_seq: u64,
    slots: Vec<Option<Standing>>,
}

struct Standing {
    key: Key,
    status: Status,
    since: i64,
}

impl Publication {
    /// A publication of which nothing is built: `list` is 16 random bytes, drawn for it alone.
    #[must_use]
    pub fn new(list: ListId, epoch: u32) -> Publication {
        let table = Table { list, next_seq: 0, slots: Vec::new() };
        Publication { table, epoch, next_record: 0, capsule_size: CAPSULE_SIZES.0, reason_size: REASON_SIZES.0, tags: Vec::new() }
    }

    /// What names it.
    #[must_use]
    pub fn list(&self) -> &ListId {
        &self.table.list
    }

    /// Its epoch.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The number of the next delta; 0 before the list is built.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.table.next_seq
    }

    /// What the desk gets, so that it can suspend.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The whole list, once. Records, slots and sizes of parts are padded to powers of two; entries sit in random slots.
    ///
    /// # Errors
    /// When it is built already, or an entry cannot be published. Nothing changed then.
    pub fn build(&mut self, listed: &[Listed], rng: &mut impl CryptoRng) -> Result<Built, Error> {
        if self.table.next_seq != 0 {
            return Err(Error::Built);
        }
        let records = listed.iter().map(|one| one.tokens.len()).sum();
        self.make(BodyKind::Segment, listed, &[], records, rng)
    }

    /// What changed: entries added (a withdrawn one is not taken out but says so), and statuses `(slot, status, since)`. The tokens of each
    /// entry count as a power of two, so does the whole, and there are always dummies enough that nothing added looks like a few added.
    ///
    /// # Errors
    /// When the list is not built, an entry cannot be published, or a status may not follow. Nothing changed then.
    pub fn delta(&mut self, added: &[Listed], statuses: &[(u32, Status, i64)], rng: &mut impl CryptoRng) -> Result<Built, Error> {
        if self.table.next_seq == 0 {
            return Err(Error::Unbuilt);
        }
        let records = added.iter().map(|one| one.tokens.len().next_power_of_two()).sum();
        self.make(BodyKind::Delta, added, statuses, records, rng)
    }

    /// Takes in a delta that the desk made, after its envelope was checked. Gives the slots that it suspended.
    ///
    /// # Errors
    /// When it is not the next one, or does more than suspend. Nothing changed then.
    pub fn take(&mut self, desk_body: &[u8]) -> Result<Vec<u32>, Error> {
        self.table.take(desk_body, super::By::Desk)
    }

    fn make(
        &mut self,
        kind: BodyKind,
        added: &[Listed],
        statuses: &[(u32, Status, i64)],
        records: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<Built, Error> {
        let changes = self.table.changes(statuses, false)?;
        let keys = self.table.new_keys(added)?;
        let stats = self.sizes(added, records)?;
        let mut seed = Key::default();
        let mut salt: Salt = [0; 16];
        rng.fill_bytes(&mut *seed);
        rng.fill_bytes(&mut salt);
        let mut chaff = Chaff::new(&seed);
        let slots = places(&mut chaff, added.len(), &stats);
        let records = self.records(added, stats.records, &mut chaff)?;

        let mut body = Body::blank(kind, stats, salt).ok_or(Error::TooMany("bytes"))?;
        chaff.fill(body.content_mut());
        let list = self.table.list;
        for (number, (record, (tag, token))) in (stats.first_record..).zip(body.records_mut().iter_mut().zip(&records)) {
            record[..16].copy_from_slice(tag);
            if let Some(Sealing { prk, entry, class, family }) = token
                && let (Some(token), Some(listed), Some(key), Some(slot)) =
                    (TokenKeys::of(prk), added.get(*entry), keys.get(*entry), slots.get(*entry))
            {
                let full = class.is_strong();
                let key = if full { &listed.key_full } else { key };
                let found = Found { key: key.clone(), slot: *slot, full, family: *family, class: *class };
                *record = token.seal(&Place { list: &list, epoch: self.epoch, number, salt: &salt }, tag, &found);
            }
        }
        for (entry, ((listed, key), slot)) in added.iter().zip(&keys).zip(&slots).enumerate() {
            let place = Slot { list: &list, salt: &salt, slot: *slot };
            let (capsule, reason) = body.slot_mut(*slot).ok_or(Error::TooMany("entries"))?;
            if !place.seal_part(key, Part::Capsule, &listed.capsule, &listed.capsule_proof, capsule) {
                return Err(Error::TooLarge(entry, "capsule"));
            }
            if !place.seal_part(&listed.key_full, Part::Reason, &listed.reason, &listed.reason_proof, reason) {
                return Err(Error::TooLarge(entry, "reason"));
            }
        }

        // From here on nothing fails.
        self.table.slots.resize_with(stats.slots_after() as usize, || None);
        for ((listed, key), slot) in added.iter().zip(keys).zip(&slots) {
            if let Some(standing) = self.table.slots.get_mut(*slot as usize) {
                *standing = Some(Standing { key, status: listed.status, since: listed.since });
            }
        }
        self.table.apply(&changes);
        self.table.write(&mut body);
        self.table.next_seq += 1;
        self.next_record = stats.first_record + u64::from(stats.records);
        (self.capsule_size, self.reason_size) = (stats.capsule_size, stats.reason_size);
        self.tags.extend(records.iter().map(|(tag, _)| *tag));
        self.tags.sort_unstable();
        Ok(Built { body: body.into_bytes(), slots })
    }

    /// The sizes of the next body.
    fn sizes(&self, added: &[Listed], records: usize) -> Result<Stats, Error> {
        let padded = |n: usize, least: u32, most: u32, what| {
            let n = u32::try_from(n).ok().filter(|n| *n <= most).ok_or(Error::TooMany(what))?;
            Ok::<u32, Error>(n.next_power_of_two().max(least))
        };
        let part = |size: u32, most: u32, what, length: fn(&Listed) -> usize| {
            added.iter().enumerate().try_fold(size, |size, (entry, listed)| {
                let needed =
                    u32::try_from(length(listed)).ok().filter(|needed| *needed <= most).ok_or(Error::TooLarge(entry, what))?;
                Ok::<u32, Error>(size.max(needed.next_power_of_two()))
            })
        };
        // Two lengths of four bytes, and the MAC.
        let capsule_size =
            part(self.capsule_size, CAPSULE_SIZES.1, "capsule", |one| one.capsule.len() + one.capsule_proof.len() + 40)?;
        let reason_size = part(self.reason_size, REASON_SIZES.1, "reason", |one| one.reason.len() + one.reason_proof.len() + 40)?;
        let records = padded(records, LEAST_RECORDS, MOST_RECORDS, "records")?;
        let slots = padded(added.len(), LEAST_SLOTS, MOST_SLOTS, "entries")?;
        let first_slot = u32::try_from(self.table.slots.len()).map_err(|_| Error::TooMany("entries"))?;
        let after = first_slot.checked_add(slots).filter(|after| *after <= MOST_SLOTS).ok_or(Error::TooMany("entries"))?;
        if self.next_record.saturating_add(u64::from(records)) > u64::from(u32::MAX) {
            return Err(Error::TooMany("records"));
        }
        let (seq, first_record, table) = (self.table.next_seq, self.next_record, after.next_power_of_two());
        Ok(Stats { seq, first_record, records, first_slot, slots, capsule_size, reason_size, table })
    }

    /// Tags of all records of the next body in their order, and what is to be sealed under those that are no dummies.
    fn records(&self, added: &[Listed], count: u32, chaff: &mut Chaff) -> Result<Vec<(Tag, Option<Sealing>)>, Error> {
        // Nothing to be done about a salt that HMAC would not take: it takes any.
        let extractor = Extractor::new().ok_or(Error::TooMany("records"))?;
        let mut records: Vec<(Tag, Option<Sealing>)> = Vec::with_capacity(count as usize);
        let mut fresh: HashSet<Tag> = HashSet::with_capacity(count as usize);
        let mut own: HashSet<Tag> = HashSet::new();
        for (entry, listed) in added.iter().enumerate() {
            own.clear();
            for (output, class, family) in &listed.tokens {
                let prk = extractor.prk(output);
                let keys = TokenKeys::of(&prk).ok_or(Error::TooMany("records"))?;
                let first = keys.tag(&self.table.list, self.epoch, 0);
                if !own.insert(first) {
                    return Err(Error::DuplicateToken(entry));
                }
                let mut tag = first;
                let mut j = 0;
                while fresh.contains(&tag) || self.tags.binary_search(&tag).is_ok() {
                    j += 1;
                    if j == MOST_SHARED {
                        return Err(Error::TooShared(entry));
                    }
                    tag = keys.tag(&self.table.list, self.epoch, j);
                }
                fresh.insert(tag);
                records.push((tag, Some(Sealing { prk, entry, class: *class, family: *family })));
            }
        }
        while records.len() < count as usize {
            let mut tag = [0; 16];
            chaff.fill(&mut tag);
            if fresh.insert(tag) && self.tags.binary_search(&tag).is_err() {
                records.push((tag, None));
            }
        }
        records.sort_unstable_by_key(|(tag, _)| *tag);
        Ok(records)
    }

    /// Its bytes, to be kept as secret as the list itself.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.raw(&PUBLICATION).u32(self.epoch).u64(self.next_record).u32(self.capsule_size).u32(self.reason_size);
        w.u64(self.tags.len() as u64);
        for tag in &self.tags {
            w.raw(tag);
        }
        w.raw(&self.table.encode());
        Zeroizing::new(w.done())
    }

    /// The publication of its bytes.
    ///
    /// # Errors
    /// When they are none.
    pub fn decode(bytes: &[u8]) -> Result<Publication, Malformed> {
        let mut r = Reader::new(bytes);
        let start = r.clone();
        if r.array()? != PUBLICATION {
            return Err(start.wrong("the state of a publication"));
        }
        let (epoch, next_record, capsule_size, reason_size) = (r.u32()?, r.u64()?, r.u32()?, r.u32()?);
        let count =
            usize::try_from(r.u64()?).ok().and_then(|count| count.checked_mul(16)).ok_or_else(|| start.wrong("fewer tags"))?;
        let tags = r.raw(count)?.as_chunks().0.to_vec();
        let table = Table::decode(r.rest())?;
        let sizes = [(capsule_size, CAPSULE_SIZES), (reason_size, REASON_SIZES)];
        let sized = sizes.iter().all(|(size, (least, most))| size.is_power_of_two() && (least..=most).contains(&size));
        if !sized || !tags.is_sorted() || next_record != tags.len() as u64 {
            return Err(start.wrong("a state that its program wrote"));
        }
        Ok(Publication { table, epoch, next_record, capsule_size, reason_size, tags })
    }
}

const PUBLICATION: [u8; 4] = *b"SLP1";
const TABLE: [u8; 4] = *b"SLT1";

/// A record that is no dummy.
struct Sealing {
    prk: Key,
    entry: usize,
    class: Class,
    family: u8,
}

/// A random slot for each of `count` entries, each its own, so that a slot's number says nothing of how many are in use.
fn places(chaff: &mut Chaff, count: usize, stats: &Stats) -> Vec<u32> {
    let mut slots: Vec<u32> = (stats.first_slot..stats.slots_after()).collect();
    for at in 0..count.min(slots.len()) {
        let mut drawn = [0; 8];
        chaff.fill(&mut drawn);
        let left = (slots.len() - at) as u128;
        // Of 2^64 equally likely numbers onto `left` places: the difference between any two is below 2^-46.
        let other = at + ((u128::from(u64::from_be_bytes(drawn)) * left) >> 64) as usize;
        slots.swap(at, other);
    }
    slots.truncate(count);
    slots
}

impl Table {
    /// What names the publication.
    #[must_use]
    pub fn list(&self) -> &ListId {
        &self.list
    }

    /// The number of the next delta.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// What an entry is now, and since when; nothing for an empty slot, or one whose key we were not given.
    #[must_use]
    pub fn status(&self, slot: u32) -> Option<(Status, i64)> {
        let standing = self.slots.get(slot as usize)?.as_ref()?;
        Some((standing.status, standing.since))
    }

    /// The body of a delta that suspends these `(slot, since)` and holds nothing else: all that the desk can do.
    ///
    /// # Errors
    /// When there is no list, or a slot is not live. Nothing changed then.
    pub fn suspend(&mut self, slots: &[(u32, i64)], rng: &mut impl CryptoRng) -> Result<Vec<u8>, Error> {
        if self.next_seq == 0 {
            return Err(Error::Unbuilt);
        }
        let statuses: Vec<_> = slots.iter().map(|(slot, since)| (*slot, Status::Suspended, *since)).collect();
        let changes = self.changes(&statuses, true)?;
        let mut seed = Key::default();
        let mut salt: Salt = [0; 16];
        rng.fill_bytes(&mut *seed);
        rng.fill_bytes(&mut salt);
        let first_slot = u32::try_from(self.slots.len()).map_err(|_| Error::TooMany("entries"))?;
        let stats = Stats {
            seq: self.next_seq,
            first_record: 0,
            records: 0,
            first_slot,
            slots: 0,
            capsule_size: 0,
            reason_size: 0,
            table: first_slot.next_power_of_two(),
        };
        let mut body = Body::blank(BodyKind::Table, stats, salt).ok_or(Error::TooMany("bytes"))?;
        Chaff::new(&seed).fill(body.content_mut());
        self.apply(&changes);
        self.write(&mut body);
        self.next_seq += 1;
        Ok(body.into_bytes())
    }

    /// Takes in a delta of the other: at the desk the holder's, at the holder the desk's, after its envelope was checked. Gives the slots whose
    /// status changed. A slot that it adds is unknown here until the next [`Publication::table`] comes.
    ///
    /// # Errors
    /// When it is not the next one, or the desk does more than suspend. Nothing changed then.
    pub fn take(&mut self, body: &[u8], by: super::By) -> Result<Vec<u32>, Error> {
        let body = Body::parse(body.to_vec())?;
        let desk = by == super::By::Desk;
        if desk != (body.kind == BodyKind::Table) {
            return Err(if desk { Error::DeskOnlySuspends } else { Error::Order("this body") });
        }
        if body.stats.seq != self.next_seq || body.stats.seq == 0 || body.stats.first_slot as usize != self.slots.len() {
            return Err(Error::Order("this delta"));
        }
        let mut changes = Vec::new();
        for (slot, standing) in (0u32..).zip(&self.slots) {
            let (Some(standing), Some(bytes)) = (standing, body.status(slot)) else { continue };
            let place = Slot { list: &self.list, salt: &body.salt, slot };
            let Some((status, since)) = place.open_status(&standing.key, body.stats.seq, bytes) else { continue };
            if status != standing.status {
                if desk && (standing.status, status) != (Status::Live, Status::Suspended) {
                    return Err(Error::DeskOnlySuspends);
                }
                changes.push((slot, status, since));
            }
        }
        self.slots.resize_with(body.stats.slots_after() as usize, || None);
        self.apply(&changes);
        self.next_seq += 1;
        Ok(changes.into_iter().map(|(slot, ..)| slot).collect())
    }

    /// The changes among these, when all may be.
    fn changes(&self, statuses: &[(u32, Status, i64)], desk: bool) -> Result<Vec<(u32, Status, i64)>, Error> {
        let mut changes = Vec::with_capacity(statuses.len());
        for (slot, status, since) in statuses {
            let (from, _) = self.status(*slot).ok_or(Error::NoEntry(*slot))?;
            let allowed = match (from, *status) {
                (Status::Live, Status::Suspended) => true,
                (from, to) if from == to => !desk,
                (Status::Live | Status::Suspended, Status::Live | Status::Withdrawn) => !desk,
                _ => false,
            };
            if !allowed {
                return Err(Error::Change(*slot, from, *status));
            }
            if from != *status {
                changes.push((*slot, *status, *since));
            }
        }
        Ok(changes)
    }

    fn apply(&mut self, changes: &[(u32, Status, i64)]) {
        for (slot, status, since) in changes {
            if let Some(Some(standing)) = self.slots.get_mut(*slot as usize) {
                (standing.status, standing.since) = (*status, *since);
            }
        }
    }

    /// The comparison key of each entry added, when none was used before.
    fn new_keys(&self, added: &[Listed]) -> Result<Vec<Key>, Error> {
        let mut used: HashSet<_> = self.slots.iter().flatten().map(|standing| sha256(&[&*standing.key])).collect();
        let mut keys = Vec::with_capacity(added.len());
        for (entry, listed) in added.iter().enumerate() {
            if !matches!(listed.status, Status::Live | Status::Suspended) {
                return Err(Error::Withdrawn(entry));
            }
            let key = compare_key(&listed.key_full);
            if !used.insert(sha256(&[&*key])) {
                return Err(Error::DuplicateKey(entry));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// Writes the status of each slot with an entry; the others keep their random bytes.
    fn write(&self, body: &mut Body) {
        let (seq, salt) = (body.stats.seq, body.salt);
        for ((slot, standing), out) in (0u32..).zip(&self.slots).zip(body.statuses_mut()) {
            if let Some(standing) = standing
                && let Some(status) = (Slot { list: &self.list, salt: &salt, slot }).seal_status(
                    &standing.key,
                    seq,
                    standing.status,
                    standing.since,
                )
            {
                *out = status;
            }
        }
    }

    /// Its bytes, for the desk alone.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.raw(&TABLE).raw(&self.list).u64(self.next_seq).u32(self.slots.len() as u32);
        for standing in &self.slots {
            match standing {
                None => w.u8(0),
                Some(standing) => w.u8(standing.status as u8).raw(&*standing.key).time(standing.since),
            };
        }
        Zeroizing::new(w.done())
    }

    /// The table of its bytes.
    ///
    /// # Errors
    /// When they are none.
    pub fn decode(bytes: &[u8]) -> Result<Table, Malformed> {
        let mut r = Reader::new(bytes);
        let start = r.clone();
        if r.array()? != TABLE {
            return Err(start.wrong("a table of statuses"));
        }
        let (list, next_seq, count) = (r.array()?, r.u64()?, r.u32()?);
        if count > MOST_SLOTS {
            return Err(start.wrong("fewer slots"));
        }
        let mut slots = Vec::new();
        for _ in 0..count {
            let here = r.clone();
            slots.push(match r.u8()? {
                0 => None,
                status => {
                    let status = Status::of(status).ok_or_else(|| here.wrong("a status"))?;
                    Some(Standing { status, key: Zeroizing::new(r.array()?), since: r.time()? })
                }
            });
        }
        r.end()?;
        Ok(Table { list, next_seq, slots })
    }
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listed").field("status", &self.status).field("tokens", &self.tokens.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publication").field("epoch", &self.epoch).field("next_record", &self.next_record).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("next_seq", &self.next_seq).field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}
