//! The one transaction in which what was read becomes rows: reports, cases, steps, roll-ups, what was set aside, and
//! the submission's cursor. A kill before its end leaves nothing of it; after it, everything.

pub(crate) mod sets;

use std::collections::{BTreeMap, HashMap, HashSet};

use model::address::Address;
use model::case::CaseKey;
use model::category::Kind;
use model::chain::{Chain, Chains, Index, PartyId};
use model::outbox::Errand;
use model::report::{Batch, Core};
use model::time::Time;

use crate::Error;
use crate::db::{Bulk, Failure, Open, OptionalExtension, Transaction};
use crate::keys::sha256;
use crate::queues::{Queue, SetAside};
use crate::reports::{BATCH, CHUNK, compressor, labels, pack};
use crate::sealed::what;
use crate::touch::{Arrival, How, Known, Opening, Place, Terms};

/// Reports that one person's message may make. What a person or an authority wrote stands in the first records of the cases that it
/// opens; unless each report opens one, it is sealed as a batch, as feeds and longer lists always are.
const FEW: usize = 8;

/// Reports of one case in a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What makes them one case: bytes of [`Placed::keys`], as [`CaseKey`] has them.
    pub key: std::ops::Range<usize>,
    /// Which they are: places in [`Placed::order`].
    pub reports: std::ops::Range<usize>,
    /// Earliest sighting among them.
    pub first_seen: Time,
    /// Latest sighting among them.
    pub last_seen: Time,
    /// When the first of them arrived that gives knowledge; see [`model::case::Case::first_valid_notice`].
    pub first_notice: Option<Time>,
    /// Whether all of them were old when they came.
    pub history: bool,
    /// What they rest on: its place in [`Placed::openings`].
    pub opening: u32,
    /// The party that rents from the operator itself; 0 when there is none.
    pub direct: PartyId,
    /// Set when they are of the minutes of a change of holder: who held it on its other side, 0 when nobody.
    pub other: Option<PartyId>,
    /// The receipt that their reporter gets: one more than its place in [`Placed::receipts`]; 0 for none.
    pub receipt: u32,
}

/// What tells a reporter that its reports have arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptTo {
    /// The reporter's address.
    pub contact: String,
    /// When it may go, and what holds it; to nobody of the chain.
    pub errand: Errand,
}

/// A batch whose reports have been traced and sorted by case: what [`Transaction::apply`] needs.
#[derive(Debug, Default)]
pub struct Placed {
    /// The reports.
    pub batch: Batch,
    /// Their chains.
    pub chains: Chains,
    /// Case keys, one after the other.
    pub keys: Vec<u8>,
    /// Reports by case, groups in the order of their keys; those without a credible time stand behind all groups.
    pub order: Vec<u32>,
    /// One for each case.
    pub groups: Vec<Group>,
    /// What groups rest on.
    pub openings: Vec<Opening>,
    /// Receipts to reporters.
    pub receipts: Vec<ReceiptTo>,
    /// Terms of the policy.
    pub terms: Terms,
    /// The other fields, packed ahead of the transaction by [`Placed::pack`]; empty when they are not.
    packed: Vec<Vec<u8>>,
}

/// What a flush does to its submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Advance {
    /// Row number of the submission.
    pub submission: i64,
    /// When it was received.
    pub received: Time,
    /// The time of the node's clock.
    pub now: Time,
    /// Statements worked off, this flush included.
    pub cursor: u32,
    /// Places of statements that were rejects and have been read once more: they leave that queue, or enter it anew.
    pub read_again: Vec<u32>,
    /// Statements that a person has to look at.
    pub set_aside: Vec<SetAside>,
    /// Remarks: place and text.
    pub notes: Vec<(String, String)>,
    /// The feed that it is of: format, report type, and what does not change in the file's name; `None` when it is of none.
    pub feed: Option<String>,
    /// What a run of that feed must bring to count.
    pub expected: crate::feeds::Expected,
    /// The end of the work: the format that read it, and why not, when none did.
    pub end: Option<(String, Option<String>)>,
}

/// What one flush came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Reports added.
    pub reports: u64,
    /// Cases opened.
    pub opened: u64,
    /// Cases joined.
    pub joined: u64,
    /// Closed cases that were opened again.
    pub reopened: u64,
    /// Statements set aside.
    pub set_aside: u64,
    /// Those among them that are new in the queue of rejects.
    pub rejects: u64,
}

/// What the writer remembers between flushes. Thrown away whenever a transaction fails or assignments change.
#[derive(Default)]
pub struct Memory {
    chains: HashMap<Vec<u8>, i64>,
}

/// Reports and new cases of a day, a holder and a kind.
pub(crate) type Rolled = ((i64, i64, u8), (i64, i64));

/// A batch and what its flush does to its submission, on their way into a transaction.
#[derive(Clone, Copy)]
pub struct Flush<'a> {
    /// The reports.
    pub placed: &'a Placed,
    /// What they were traced by.
    pub index: &'a Index,
    /// What becomes of the submission.
    pub advance: &'a Advance,
}

impl Memory {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.chains.clear();
    }
}

impl Transaction<'_> {
    /// Adds placed batches and moves the cursors of their submissions.
    ///
    /// # Errors
    /// [`Error::Database`]; then nothing is changed, and `memory` is to be cleared.
    pub fn apply(&self, flushes: &[Flush<'_>], memory: &mut Memory) -> Result<Vec<Applied>, Error> {
        if let (Some(open), [_, _, ..]) = (self.open_postgres(), flushes) {
            let mut keys: Vec<&[u8]> = Vec::new();
            for flush in flushes {
                keys.extend(flush.placed.groups.iter().map(|group| &flush.placed.keys[group.key.clone()]));
            }
            keys.sort_unstable();
            keys.dedup();
            sets::lock(open, &keys)?;
        }
        let mut daily = BTreeMap::new();
        let applied = flushes.iter().map(|flush| self.apply_one(flush, memory, &mut daily)).collect::<Result<_, _>>()?;
        self.roll_up(daily.into_iter().collect())?;
        Ok(applied)
    }

    fn apply_one(
        &self,
        flush: &Flush<'_>,
        memory: &mut Memory,
        daily: &mut BTreeMap<(i64, i64, u8), (i64, i64)>,
    ) -> Result<Applied, Error> {
        let Flush { placed, advance, .. } = *flush;
        let mut applied =
            Applied { reports: placed.order.len() as u64, set_aside: advance.set_aside.len() as u64, ..Applied::default() };
        if !placed.order.is_empty() {
            self.apply_reports(flush, memory, &mut applied, daily)?;
        }
        if let (Some(name), Some((_, unreadable))) = (&advance.feed, &advance.end) {
            // A feed came when it was read to its end.
            self.feed_run(name, advance.submission, advance.received)?;
            // What was passed over came too: how much a list brings says whether it is whole.
            let before: i64 = self
                .prepare("-- apply::so_far\nSELECT rejects FROM submissions WHERE id = $1")?
                .query_row([advance.submission], |row| row.get(0))?;
            let rejects = advance.set_aside.iter().filter(|entry| entry.queue == Queue::Rejects).count() as i64;
            let reports = unreadable.is_none().then_some(i64::from(advance.cursor) - before - rejects);
            self.end_run(name, advance.submission, advance.received, reports, advance.expected)?;
        }
        self.take_from_rejects(advance.submission, &advance.read_again)?;
        let rejects = self.set_aside(advance)?;
        applied.rejects = rejects.unsigned_abs();
        self.advance(advance, &applied, rejects)?;
        Ok(applied)
    }

    fn apply_reports(
        &self,
        flush: &Flush<'_>,
        memory: &mut Memory,
        applied: &mut Applied,
        daily: &mut BTreeMap<(i64, i64, u8), (i64, i64)>,
    ) -> Result<(), Error> {
        let Flush { placed, index, advance } = *flush;
        let batch_id = self.numbers("batches", 1)?;
        let first_report = batch_id * BATCH;
        self.execute(
            "-- apply::batch\nINSERT INTO batches (id, submission, format, received, count) VALUES ($1, $2, $3, $4, $5)",
            (batch_id, advance.submission, placed.batch.format, advance.received.0, placed.order.len() as i64),
        )?;
        let (feed, run, every) = match &advance.feed {
            Some(name) if advance.expected.complete => self.feed_run(name, advance.submission, advance.received)?,
            _ => (0, 0, 0),
        };
        let arrival = Arrival {
            now: advance.now,
            received: advance.received,
            feed: (feed, run),
            every,
            terms: placed.terms,
            openings: &placed.openings,
        };
        let places = self.places(placed, index, first_report, memory, &arrival)?;
        let touched = self.touch_cases(&places, &arrival)?;
        drop(places);
        let stands_alone = touched.len() == placed.order.len() && touched.iter().all(|touched| touched.how == How::Opened);
        if advance.feed.is_some() || placed.order.len() > FEW || !stands_alone {
            self.queue_for_seal(what::BATCH, advance.submission, batch_id, 0, false)?;
        }
        let columns = "id, case_id, prev, ordinal, observed, address, port, kind, confidence, labels";
        self.insert_many("reports", columns, |into| {
            let mut sorted = 0;
            for (group, touched) in placed.groups.iter().zip(&touched) {
                let mut prev = touched.prev;
                for place in group.reports.clone() {
                    add_report(into, placed, first_report, place, touched.case, prev.take())?;
                }
                sorted = group.reports.end;
            }
            // Those without a credible time stand behind all groups.
            (sorted..placed.order.len()).try_for_each(|place| add_report(into, placed, first_report, place, 0, None))
        })?;
        self.add_fields(placed, first_report)?;
        let day = advance.received.day();
        for (group, touched) in placed.groups.iter().zip(&touched) {
            match touched.how {
                How::Opened => applied.opened += 1,
                How::Joined => applied.joined += 1,
                How::Reopened => applied.reopened += 1,
            }
            let of_first = placed.order[group.reports.start] as usize;
            let holder = placed.chains.holder(of_first).unwrap_or(0);
            let kind = placed.batch.cores()[of_first].kind as u8;
            let counts = daily.entry((day, holder, kind)).or_default();
            counts.0 += group.reports.len() as i64;
            counts.1 += i64::from(touched.how == How::Opened);
        }
        self.follow(placed, &touched, advance.now)
    }

    /// What `touch_cases` needs to know of each group.
    fn places<'p>(
        &self,
        placed: &'p Placed,
        index: &Index,
        first_report: i64,
        memory: &mut Memory,
        arrival: &Arrival<'_>,
    ) -> Result<Vec<Place<'p>>, Error> {
        let mut places = Vec::with_capacity(placed.groups.len());
        for group in &placed.groups {
            let of_first = placed.order[group.reports.start] as usize;
            let core = &placed.batch.cores()[of_first];
            places.push(Place {
                key: &placed.keys[group.key.clone()],
                kind: core.kind,
                holder: placed.chains.holder(of_first),
                address: core.address,
                first_seen: group.first_seen,
                last_seen: group.last_seen,
                first_notice: group.first_notice,
                history: group.history,
                reports: group.reports.len() as i64,
                tail: first_report + group.reports.start as i64,
                chain: None,
                known: Known::No(None),
                of_first,
                opening: group.opening,
            });
        }
        // Only a case that opens needs its chain written out; which ones do is known after looking them up.
        self.mark_known(&mut places, arrival)?;
        let chain = |place: &Place<'_>| {
            let at = placed.batch.cores()[place.of_first].observed().unwrap_or(Time::MIN);
            placed.chains.chain(place.of_first, at, index)
        };
        if let Some(open) = self.open_postgres() {
            let new: Vec<Chain> = places.iter().filter(|place| place.known.is_none()).map(&chain).collect();
            self.remember_chains(open, &new, memory)?;
        }
        for place in &mut places {
            if place.known.is_none() {
                place.chain = self.chain_number(&chain(place), memory)?;
            }
        }
        Ok(places)
    }

    /// Looks chains up and writes those that are missing, all together, so that [`Transaction::chain_number`] remembers them.
    fn remember_chains(&self, open: &Open, chains: &[Chain], memory: &mut Memory) -> Result<(), Error> {
        let mut missing: Vec<([u8; 32], Vec<u8>, &Chain)> = Vec::new();
        let mut seen = HashSet::new();
        for chain in chains.iter().filter(|chain| !chain.links.is_empty()) {
            let bytes = bytes_of(chain);
            if !memory.chains.contains_key(&bytes) && !seen.contains(&bytes) {
                seen.insert(bytes.clone());
                missing.push((sha256(&bytes), bytes, chain));
            }
        }
        let mut known: HashMap<Vec<u8>, i64> = HashMap::new();
        // Once to look and to write what is not there, once more for what another worker wrote meanwhile.
        for _ in 0..2 {
            let mut asked: Vec<_> = missing.iter().filter(|(digest, ..)| !known.contains_key(&digest[..])).collect();
            if asked.is_empty() {
                break;
            }
            known.extend(sets::known_chains(open, &asked.iter().map(|(digest, ..)| &digest[..]).collect::<Vec<_>>())?);
            asked.retain(|(digest, ..)| !known.contains_key(&digest[..]));
            let first = self.numbers("chains", asked.len() as i64)?;
            let mut new: Vec<(&[u8], i64, &Chain)> =
                (first..).zip(asked).map(|(number, (digest, _, chain))| (&digest[..], number, *chain)).collect();
            new.sort_unstable_by_key(|(digest, ..)| *digest);
            let taken = sets::add_chains(open, &new)?;
            new.retain(|(_, number, _)| taken.contains(number));
            self.insert_many("chain_links", LINK, |links| {
                new.iter().try_for_each(|(_, number, chain)| add_links(links, *number, chain))
            })?;
            known.extend(new.iter().map(|(digest, number, _)| (digest.to_vec(), *number)));
        }
        for (digest, bytes, _) in missing {
            let number = known.get(&digest[..]).ok_or(Failure::Overtaken)?;
            memory.chains.insert(bytes, *number);
        }
        Ok(())
    }

    /// The number of a chain, which is written once however many cases have it. `None` for the empty chain.
    pub(crate) fn chain_number(&self, chain: &Chain, memory: &mut Memory) -> Result<Option<i64>, Error> {
        if chain.links.is_empty() {
            return Ok(None);
        }
        let bytes = bytes_of(chain);
        if let Some(number) = memory.chains.get(&bytes) {
            return Ok(Some(*number));
        }
        let digest = sha256(&bytes);
        let known: Option<i64> = self
            .prepare("-- apply::chain\nSELECT id FROM chains WHERE digest = $1")?
            .query_row([&digest[..]], |row| row.get(0))
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => self.add_chain(chain, &digest)?,
        };
        if memory.chains.len() > 500_000 {
            memory.chains.clear();
        }
        memory.chains.insert(bytes, number);
        Ok(Some(number))
    }

    fn add_chain(&self, chain: &Chain, digest: &[u8]) -> Result<i64, Error> {
        let number = self.numbers("chains", 1)?;
        self.execute("-- apply::add_chain\nINSERT INTO chains (id, digest) VALUES ($1, $2)", (number, digest))?;
        self.insert_many("chain_links", LINK, |links| add_links(links, number, chain))?;
        Ok(number)
    }

    fn add_fields(&self, placed: &Placed, first_report: i64) -> Result<(), Error> {
        let now;
        let packed = if placed.packed.is_empty() {
            now = placed.packed_now()?;
            &now
        } else {
            &placed.packed
        };
        self.insert_many("fields", "id, data", |into| {
            for (number, data) in packed.iter().enumerate() {
                into.add((first_report / CHUNK + number as i64, data))?;
            }
            Ok(())
        })
    }

    /// Adds to the roll-ups; `rolled` is sorted.
    fn roll_up(&self, rolled: Vec<Rolled>) -> Result<(), Error> {
        if rolled.is_empty() {
            return Ok(());
        }
        if let Some(open) = self.open_postgres() {
            return Ok(sets::roll_up(open, &rolled)?);
        }
        let mut upsert = self.prepare(
            "-- apply::daily
             INSERT INTO daily (day, holder, kind, reports, cases) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (day, holder, kind) DO UPDATE SET reports = daily.reports + excluded.reports, cases = daily.cases + excluded.cases",
        )?;
        for ((day, holder, kind), (reports, cases)) in rolled {
            upsert.execute((day, holder, kind, reports, cases))?;
        }
        Ok(())
    }

    fn advance(&self, advance: &Advance, applied: &Applied, rejects: i64) -> Result<(), Error> {
        self.execute(
            "-- apply::advance
             UPDATE submissions SET cursor = $2, reports = reports + $3, rejects = rejects + $4, attempts = 0 WHERE id = $1",
            (advance.submission, advance.cursor, applied.reports as i64, rejects),
        )?;
        if let Some((format, unreadable)) = &advance.end {
            let progress = if unreadable.is_some() { 2 } else { 1 };
            let reason = unreadable.as_deref().unwrap_or_default();
            self.execute(
                // What a person has taken from it, or found nothing in, comes back to nobody.
                "-- apply::end
                 UPDATE submissions SET format = $2, reason = $4,
                     progress = CASE WHEN EXISTS (SELECT 1 FROM taken WHERE taken.submission = $1) THEN 1 ELSE CAST($3 AS BIGINT) END
                 WHERE id = $1",
                (advance.submission, format, progress, reason),
            )?;
        }
        Ok(())
    }
}

/// What tells a chain from others.
fn bytes_of(chain: &Chain) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(chain.links.len() * 16);
    for link in &chain.links {
        bytes.extend_from_slice(&link.party.to_be_bytes());
        bytes.extend_from_slice(&link.assignment.unwrap_or(0).to_be_bytes());
    }
    bytes
}

const LINK: &str = "chain, position, party, assignment, level, source, recorded, since";

fn add_links(links: &mut Bulk<'_>, number: i64, chain: &Chain) -> Result<(), Error> {
    for (position, link) in chain.links.iter().enumerate() {
        let since = (link.since != Time::MIN).then_some(link.since.0);
        links.add((
            number,
            position as i64,
            link.party,
            link.assignment,
            link.level as u8,
            link.source,
            link.recorded.0,
            since,
        ))?;
    }
    Ok(())
}

fn add_report(
    into: &mut Bulk<'_>,
    placed: &Placed,
    first_report: i64,
    place: usize,
    case: i64,
    prev: Option<i64>,
) -> Result<(), Error> {
    let report = placed.batch.report(placed.order[place] as usize);
    let core = report.core;
    let address = (core.address != Address::NONE).then(|| core.address.bytes());
    let confidence = (core.confidence != Core::UNSTATED).then_some(core.confidence);
    let observed = core.observed().map(|time| time.0);
    let (number, kind) = (first_report + place as i64, core.kind as u8);
    Ok(into.add((number, case, prev, core.ordinal, observed, address, core.port, kind, confidence, labels(&report)))?)
}

impl Placed {
    /// A batch whose reports have been put in order.
    pub fn new(batch: Batch, chains: Chains, keys: Vec<u8>, order: Vec<u32>, groups: Vec<Group>) -> Placed {
        Placed { batch, chains, keys, order, groups, ..Placed::default() }
    }

    /// Packs the fields that are not columns, so that the transaction need not: it takes the time of compressing them.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the compressor fails.
    pub fn pack(&mut self) -> Result<(), Error> {
        self.packed = self.packed_now()?;
        Ok(())
    }

    fn packed_now(&self) -> Result<Vec<Vec<u8>>, Error> {
        let mut compressor = compressor()?;
        self.order.chunks(CHUNK as usize).map(|order| pack(&self.batch, order, &mut compressor)).collect()
    }

    /// The key of a group.
    pub fn key(&self, group: &Group) -> CaseKey {
        CaseKey(self.keys[group.key.clone()].to_vec())
    }

    /// The kind of a group's reports.
    pub fn kind(&self, group: &Group) -> Kind {
        self.batch.cores()[self.order[group.reports.start] as usize].kind
    }
}
