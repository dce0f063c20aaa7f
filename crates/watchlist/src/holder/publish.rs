//! Making a publication: the leaves of its entries go into the log, the list is encrypted, one officer signs, another officer signs, and then it
//! goes into the log itself and out as one file.
//!
//! Each step is durable before the next begins, and repeating a step changes nothing: whenever the process is killed, there is the old
//! publication or the new one. Nothing that was given out is ever taken back: numbers of epochs and deltas only rise.

use std::collections::{BTreeMap, HashMap, HashSet};

use matching::{
    envelope::{EVERYBODY, Envelope, Header, Kind},
    list::{Listed, Manifest, Publication, Status, entry::Entry, manifest::EditSide},
    message::{Plan as Batches, enrol::bucket},
    sha256,
    token::{Group, NORM_VERSION, name},
    voprf::Output,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    Error, Holder, LogAt,
    keyed::{EpochKeys, edit_side, tokens},
    put,
    state::{Draft, Epoch, Kept},
};
use crate::{
    chance,
    evaluator::Secret,
    files,
    keys::{Identity, hex, unhex},
    log::{
        ListLog, Seen,
        listed::{Salts, Sealed, seal_entry, seal_status},
        padding,
    },
};

/// A day, in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;
/// How long an epoch goes on beside the next one, so that providers can ask anew: 14 days.
const OVERLAP: i64 = 14 * DAY;
/// The fewest leaves that one publication adds to the log: what was added looks the same for nothing and for many.
const LEAST_LEAVES: usize = 64;
/// The most bytes of a file of a publication.
pub const MOST_FILE: u64 = 1 << 30;

/// What is to be on the list.
#[derive(Debug, Default)]
pub struct Plan {
    /// Places in the state, with the entry and how it stands.
    entries: Vec<(usize, Entry, Status, i64)>,
    /// What is not, and why, in sentences.
    pub left_out: Vec<String>,
}

impl Plan {
    /// Name, version and status of each.
    #[must_use]
    pub fn snapshot(&self) -> Vec<(String, u32, String)> {
        self.entries.iter().map(|(_, entry, status, _)| (hex(&entry.id), entry.version, status.name().to_owned())).collect()
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// A draft that was made.
#[derive(Debug)]
pub struct Made {
    /// The file with one signature.
    pub file: String,
    /// The hash of the manifest or delta, hexadecimal, to be read aloud.
    pub hash: String,
    /// What a person should know of it before signing.
    pub summary: Vec<String>,
}

/// The seed of an epoch, for a machine that evaluates. Whoever has it and the published list can test guesses of its entries.
#[derive(Clone)]
pub struct EvaluatorKeys {
    /// The list in this epoch.
    pub list: [u8; 16],
    /// The epoch.
    pub epoch: u32,
    /// From which [`Secret::derive`] has the key of each group.
    pub seed: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for EvaluatorKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EvaluatorKeys").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Holder {
    /// What would be published now, and what would be left out.
    #[must_use]
    pub fn plan(&self, now: i64) -> Plan {
        let mut plan = Plan::default();
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        let mut waiting: Vec<usize> = Vec::new();
        for (at, kept) in self.state.entries.iter().enumerate().filter(|(_, kept)| kept.withdrawn.is_none()) {
            let read =
                self.parse(kept, now).map(|(entry, problems)| (problems.is_empty() && self.is_read_by_two(kept, &entry), entry));
            match read {
                Ok((true, _)) => {
                    let best = taken.entry(&kept.id).or_insert(at);
                    if self.state.entries[*best].version < kept.version {
                        *best = at;
                    }
                }
                _ => waiting.push(at),
            }
        }
        for at in waiting {
            let kept = &self.state.entries[at];
            if taken.get(kept.id.as_str()).is_none_or(|best| self.state.entries[*best].version < kept.version) {
                plan.left_out.push(format!("{}: no second officer accepted it", called(kept)));
            }
        }
        for at in taken.into_values() {
            let kept = &self.state.entries[at];
            match self.read(kept, now) {
                Ok(entry) => {
                    let (status, since) = match &kept.suspended {
                        Some(change) => (Status::Suspended, change.since),
                        None => (Status::Live, kept.accepted.as_ref().map_or(kept.added.at, |by| by.at)),
                    };
                    plan.entries.push((at, entry, status, since));
                }
                Err(Error::Problems(problems)) => {
                    let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    plan.left_out.push(format!("{}: {}", called(kept), why.join("; ")));
                }
                Err(error) => plan.left_out.push(format!("{}: {error}", called(kept))),
            }
        }
        plan.entries.sort_by_key(|(at, ..)| *at);
        plan
    }

    /// Makes a draft signed by one officer: a delta while an epoch is open, else (or when asked for) a new epoch. `seed` gives the keys of a new
    /// epoch when they were drawn elsewhere.
    ///
    /// # Errors
    /// When something waits already, nothing is ready, the directory is an old copy, or the disk says no.
    pub fn publish(
        &mut self,
        officer: &Identity,
        log_at: &LogAt,
        new_epoch: bool,
        seed: Option<&[u8; 32]>,
        now: i64,
        rng: &mut impl CryptoRng,
    ) -> Result<Made, Error> {
        self.officer(officer)?;
        let mut log = self.log(log_at)?;
        self.recover(&mut log)?;
        if let Some(draft) = &self.state.draft {
            return Err(Error::Pending(self.dir.join("drafts").join(&draft.file).display().to_string()));
        }
        if log.size() != self.state.log_size {
            return Err(Error::Old { log: log.size(), known: self.state.log_size });
        }
        let plan = self.plan(now);
        let open = self.state.open_epoch(now).filter(|_| !new_epoch).cloned();
        if open.is_none() && plan.entries.is_empty() {
            return Err(Error::Empty);
        }
        let changes = open.as_ref().map_or_else(Vec::new, |epoch| self.changes(epoch, &plan, now));
        self.grow(&mut log, &plan, &changes, now, rng)?;
        let made = match open {
            Some(epoch) => self.draft_delta(&log, &plan, epoch, &changes, officer, now, rng)?,
            None => self.draft_epoch(&log, &plan, seed, officer, now, rng)?,
        };
        Ok(made)
    }

    /// Which slots of an epoch have another status now: (place in the state, slot, status, since, why).
    fn changes(&self, epoch: &Epoch, plan: &Plan, now: i64) -> Vec<(usize, u32, Status, i64, String)> {
        let mut changes = Vec::new();
        let places = self.state.entries.iter().enumerate().map(|(at, kept)| ((kept.id.as_str(), kept.version), at));
        let places: HashMap<(&str, u32), usize> = places.collect();
        let planned: HashSet<usize> = plan.entries.iter().map(|(at, ..)| *at).collect();
        for (id, version, slot) in &epoch.slots {
            let Some(at) = places.get(&(id.as_str(), *version)).copied() else { continue };
            let kept = &self.state.entries[at];
            let planned = planned.get(&at);
            let (status, since, why) = match (planned, &kept.withdrawn, &kept.suspended) {
                (_, Some(change), _) => (Status::Withdrawn, change.since, change.why.clone()),
                (None, None, _) => (
                    Status::Withdrawn,
                    now,
                    "its review is over, a newer version took its place, or it is not accepted any more".to_owned(),
                ),
                (Some(_), None, Some(change)) => (Status::Suspended, change.since, change.why.clone()),
                (Some(_), None, None) => (Status::Live, now, "the contest was decided".to_owned()),
            };
            let before = epoch.statuses.get(slot).map_or(Status::Live.name(), String::as_str);
            if before != status.name() && before != Status::Withdrawn.name() {
                changes.push((at, *slot, status, since, why));
            }
        }
        changes
    }

    /// Puts the leaves of new entries and changed statuses into the log, among leaves that say nothing.
    fn grow(
        &mut self,
        log: &mut ListLog,
        plan: &Plan,
        changes: &[(usize, u32, Status, i64, String)],
        now: i64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Error> {
        let start = log.size();
        let mut public = Vec::new();
        for leaf in &self.state.unlogged {
            public.push(unbytes(leaf)?);
        }
        let mut leaves: Vec<(Option<usize>, Vec<u8>)> = Vec::new();
        for (at, entry, ..) in plan.entries.iter().filter(|(at, ..)| self.state.entries[*at].leaf.is_none()) {
            leaves.push((Some(*at), self.sealed(entry).leaf.to_vec()));
        }
        for (at, _, status, since, why) in changes {
            let kept = &mut self.state.entries[*at];
            kept.changes = kept.changes.saturating_add(1);
            let id = unhex(&kept.id).map_err(|_| Error::Damaged("an entry"))?;
            let salts = Salts::of(&self.secret, id, kept.version);
            leaves.push((None, seal_status(&salts, u64::from(kept.changes), status.name(), *since, why).to_vec()));
        }
        let full = leaves.len().next_power_of_two().max(LEAST_LEAVES);
        leaves.resize_with(full, || (None, padding(rng)));
        shuffle(&mut leaves, rng);
        let first = start + public.len() as u64;
        for (index, (at, _)) in (first..).zip(&leaves) {
            if let Some(at) = at {
                self.state.entries[*at].leaf = Some(index);
            }
        }
        let leaves: Vec<Vec<u8>> = public.into_iter().chain(leaves.into_iter().map(|(_, leaf)| leaf)).collect();
        self.state.unlogged.clear();
        self.state.draft = Some(Draft {
            file: String::new(),
            signed: None,
            hash: String::new(),
            start,
            leaves: leaves.iter().map(|leaf| hex(leaf)).collect(),
            entries: (0, String::new()),
            issued: now,
            epoch: None,
            base: false,
            snapshot: Vec::new(),
            summary: Vec::new(),
        });
        self.save()?;
        self.recover(log)
    }

    /// Brings to its end what a process that was killed had begun: the leaves of a draft. A draft without a file never came to be.
    pub(super) fn recover(&mut self, log: &mut ListLog) -> Result<(), Error> {
        let Some(draft) = self.state.draft.as_ref().filter(|draft| draft.file.is_empty()) else { return Ok(()) };
        let leaves = draft.leaves.iter().map(|leaf| unbytes(leaf)).collect::<Result<Vec<_>, _>>()?;
        log.append(draft.start, &leaves)?;
        log.checkpoint()?;
        self.state.log_size = draft.start + leaves.len() as u64;
        self.state.draft = None;
        self.save()
    }

    fn sealed(&self, entry: &Entry) -> Sealed {
        seal_entry(&Salts::of(&self.secret, entry.id, entry.version), &entry.capsule_bytes(), &entry.reason_bytes())
    }

    /// Entries as they are encrypted, with their tokens evaluated.
    fn listed(
        &self,
        log: &ListLog,
        plan: &[&(usize, Entry, Status, i64)],
        keys: &EpochKeys,
        bits: u32,
    ) -> Result<Vec<Listed>, Error> {
        let edit = edit_side(&self.state.settings.edit_side);
        let tokens = plan.iter().map(|(_, entry, ..)| tokens(entry, edit, bits)).collect::<Result<Vec<_>, _>>()?;
        let mut outputs = keys.evaluate(&tokens)?.into_iter();
        let size = log.size();
        let mut all = Vec::with_capacity(plan.len());
        for ((at, entry, status, since), tokens) in plan.iter().zip(&tokens) {
            let index = self.state.entries[*at].leaf.ok_or(Error::Damaged("an entry without a leaf"))?;
            let sealed = self.sealed(entry);
            let outputs: Vec<Output> = outputs.by_ref().take(tokens.len()).collect();
            all.push(Listed {
                key_full: keys.of_entry(entry),
                capsule: entry.capsule_bytes(),
                capsule_proof: sealed.capsule_proof(index, size, &log.inclusion(index, size)?),
                reason: entry.reason_bytes(),
                reason_proof: sealed.reason_proof(),
                status: *status,
                since: *since,
                tokens: tokens.iter().zip(outputs).map(|((token, family), output)| (output, token.class(), *family)).collect(),
            });
        }
        Ok(all)
    }

    fn draft_epoch(
        &mut self,
        log: &ListLog,
        plan: &Plan,
        seed: Option<&[u8; 32]>,
        officer: &Identity,
        now: i64,
        rng: &mut impl CryptoRng,
    ) -> Result<Made, Error> {
        let number = self.state.next_epoch;
        self.state.next_epoch = number.checked_add(1).ok_or(Error::Damaged("the number of the epoch"))?;
        self.save()?;
        let list: [u8; 16] = chance::draw(rng);
        let until = now.saturating_add(i64::from(self.state.settings.days) * DAY).saturating_add(OVERLAP);
        let seed = Zeroizing::new(seed.copied().unwrap_or_else(|| chance::draw(rng)));
        let seed_file = format!("E{number}-{}.seed", hex(&list[..4]));
        put(&self.dir.join("epochs").join(&seed_file), &seed[..])?;
        let keys = EpochKeys::derive(&seed, number, &self.secret, &list)?;

        let names: usize = plan.entries.iter().map(|(_, entry, ..)| entry.names.len() + entry.aliases.len()).sum();
        let bits = name::rarity_bits(self.state.settings.customers, names as u64);
        let entries: Vec<_> = plan.entries.iter().collect();
        let listed = self.listed(log, &entries, &keys, bits)?;
        let mut publication = Publication::new(list, number);
        let built = publication.build(&listed, rng)?;
        let seen = log.seen();
        let settings = &self.state.settings;
        let mut officers = self.state.officers.iter().map(super::state::Person::key).collect::<Result<Vec<_>, _>>()?;
        officers.sort_unstable();
        let stats = matching::list::Stats::of(&built.body).map_err(matching::list::Error::from)?;
        let groups = keys.public();
        // What is not set is what the usual plan of the largest provider allows (M6).
        let both = edit_side(&settings.edit_side) == EditSide::Both;
        // A provider is enrolled for its number of customers rounded up.
        let usual = Batches::usual(bucket(u32::try_from(settings.customers).unwrap_or(u32::MAX)), both);
        let most = |group: Group| {
            let usual = || usual.group(group).map(|plan| plan.quota(now, until)).unwrap_or_default();
            (group, settings.guesses.get(group.name()).copied().unwrap_or_else(usual))
        };
        let guesses = groups.iter().map(|(group, _)| most(*group)).collect();
        let manifest = Manifest {
            name: self.state.name.clone(),
            holder: self.state.holder.clone(),
            not_before: now,
            not_after: until,
            norm_version: NORM_VERSION,
            edit_side: edit_side(&settings.edit_side),
            rarity_bits: u8::try_from(bits).map_err(|_| Error::Damaged("the number of customers"))?,
            groups,
            officers,
            evaluator: self.state.evaluator.key()?,
            desk: self.state.desk.key()?,
            desk_hpke: self.state.desk.address()?,
            log_origin: self.state.log.origin.clone(),
            log_key: self.state.log.key.clone(),
            segment: sha256(&[&built.body]),
            records: stats.records,
            slots: stats.slots,
            entries_size: seen.size,
            entries_root: seen.root,
            predecessor: self
                .state
                .epochs
                .last()
                .map_or(Ok([0; 32]), |before| unhex(&before.manifest))
                .map_err(|_| Error::Damaged("an epoch"))?,
            guesses,
            contest: settings.contest.clone(),
            protocol: settings.protocol.clone(),
        };
        manifest.check()?;
        let header = |kind| {
            let mut header = Header::new(kind, officer.public.key, EVERYBODY, now, until);
            (header.list, header.epoch) = (list, number);
            header
        };
        let envelope = Envelope::signed(header(Kind::Manifest), manifest.encode(), &officer.signing);
        let segment = Envelope::signed(header(Kind::Segment), built.body, &officer.signing);
        let hash = hex(&envelope.hash());
        let mut summary = self.summary(plan, number, 0);
        for (group, most) in &manifest.guesses {
            summary.push(format!("a provider has at most {most} guesses among {} in this epoch", group.name()));
        }
        let epoch = Epoch {
            epoch: number,
            list: hex(&list),
            manifest: hash.clone(),
            newest: hash.clone(),
            seq: 0,
            until,
            publication: String::new(),
            officers: self.state.officers.iter().map(|officer| officer.key.clone()).collect(),
            pinned: self.state.pinned(),
            seed: seed_file,
            bits,
            slots: plan
                .entries
                .iter()
                .zip(&built.slots)
                .map(|((_, entry, ..), slot)| (hex(&entry.id), entry.version, *slot))
                .collect(),
            statuses: statuses(plan.entries.iter().map(|(_, _, status, _)| *status).zip(&built.slots)),
        };
        self.keep_draft(&[envelope, segment], hash, epoch, &publication, seen, plan, summary, now)
    }

    #[expect(clippy::too_many_arguments, reason = "all of it is what a delta is made of")]
    fn draft_delta(
        &mut self,
        log: &ListLog,
        plan: &Plan,
        mut epoch: Epoch,
        changes: &[(usize, u32, Status, i64, String)],
        officer: &Identity,
        now: i64,
        rng: &mut impl CryptoRng,
    ) -> Result<Made, Error> {
        let keys = self.keys_of(&epoch)?;
        let placed: HashSet<(&str, u32)> = epoch.slots.iter().map(|(id, version, _)| (id.as_str(), *version)).collect();
        let is_new = |(at, ..): &&(usize, Entry, Status, i64)| {
            let kept = &self.state.entries[*at];
            !placed.contains(&(kept.id.as_str(), kept.version))
        };
        let added: Vec<_> = plan.entries.iter().filter(is_new).collect();
        let listed = self.listed(log, &added, &keys, epoch.bits)?;
        let mut publication = self.publication(&epoch)?;
        let seq = publication.next_seq();
        let changed: Vec<(u32, Status, i64)> =
            changes.iter().map(|(_, slot, status, since, _)| (*slot, *status, *since)).collect();
        let built = publication.delta(&listed, &changed, rng)?;
        let damaged = |_| Error::Damaged("an epoch");
        let mut header = Header::new(Kind::Delta, officer.public.key, EVERYBODY, now, epoch.until);
        (header.list, header.epoch, header.seq) = (unhex(&epoch.list).map_err(damaged)?, epoch.epoch, seq);
        (header.under, header.previous) = (unhex(&epoch.manifest).map_err(damaged)?, unhex(&epoch.newest).map_err(damaged)?);
        let envelope = Envelope::signed(header, built.body, &officer.signing);
        let hash = hex(&envelope.hash());
        let summary = self.summary(plan, epoch.epoch, seq);
        epoch.slots.extend(added.iter().zip(&built.slots).map(|((_, entry, ..), slot)| (hex(&entry.id), entry.version, *slot)));
        for (slot, status, _) in changed {
            epoch.statuses.insert(slot, status.name().to_owned());
        }
        epoch.statuses.extend(statuses(added.iter().map(|(_, _, status, _)| *status).zip(&built.slots)));
        (epoch.newest, epoch.seq) = (hash.clone(), seq);
        self.keep_draft(&[envelope], hash, epoch, &publication, log.seen(), plan, summary, now)
    }

    /// The state of the encrypted list of an epoch.
    pub(super) fn publication(&self, epoch: &Epoch) -> Result<Publication, Error> {
        let bytes = Zeroizing::new(files::read(&self.dir.join("epochs").join(&epoch.publication), MOST_FILE)?);
        Publication::decode(&bytes).map_err(|_| Error::Damaged("the state of the epoch"))
    }

    /// Keeps the state of the encrypted list under a name that nothing else has.
    pub(super) fn keep_publication(&self, epoch: &Epoch, hash: &str, publication: &Publication) -> Result<String, Error> {
        let name = format!("E{}-D{}-{}.state", epoch.epoch, epoch.seq, hash.get(..8).unwrap_or_default());
        put(&self.dir.join("epochs").join(&name), &publication.encode())?;
        Ok(name)
    }

    #[expect(clippy::too_many_arguments, reason = "all of it is what a draft is")]
    fn keep_draft(
        &mut self,
        envelopes: &[Envelope],
        hash: String,
        mut epoch: Epoch,
        publication: &Publication,
        seen: Seen,
        plan: &Plan,
        summary: Vec<String>,
        now: i64,
    ) -> Result<Made, Error> {
        let file = format!("{}-E{}-D{}-{}.draft.slu", self.state.name, epoch.epoch, epoch.seq, hash.get(..8).unwrap_or_default());
        let bytes: Vec<u8> = envelopes.iter().flat_map(Envelope::encode).collect();
        put(&self.dir.join("drafts").join(&file), &bytes)?;
        epoch.publication = self.keep_publication(&epoch, &hash, publication)?;
        self.state.draft = Some(Draft {
            file: file.clone(),
            signed: None,
            hash: hash.clone(),
            start: seen.size,
            leaves: Vec::new(),
            entries: (seen.size, hex(&seen.root)),
            issued: now,
            base: epoch.seq == 0,
            epoch: Some(epoch),
            snapshot: plan.snapshot(),
            summary: summary.clone(),
        });
        self.save()?;
        Ok(Made { file: self.dir.join("drafts").join(file).display().to_string(), hash, summary })
    }

    /// What a person is told before signing.
    fn summary(&self, plan: &Plan, epoch: u32, seq: u64) -> Vec<String> {
        let mut lines = vec![if seq == 0 {
            format!("a new epoch: {epoch}, with all entries and new keys")
        } else {
            format!("delta {seq} of epoch {epoch}")
        }];
        let before = self.state.published.last().map_or(&[][..], |published| &published.snapshot);
        lines.extend(super::diff::lines(self, before, &plan.snapshot()));
        lines.extend(plan.left_out.iter().map(|why| format!("left out: {why}")));
        lines
    }

    /// The seed of the newest epoch. Each new epoch writes it in a parcel for the evaluator; this is for a parcel to be made again.
    ///
    /// # Errors
    /// When nothing was published.
    pub fn evaluator_keys(&self) -> Result<EvaluatorKeys, Error> {
        let epoch = self.state.epochs.last().ok_or(Error::Empty)?;
        let list = unhex(&epoch.list).map_err(|_| Error::Damaged("an epoch"))?;
        Ok(EvaluatorKeys { list, epoch: epoch.epoch, seed: self.seed(epoch)? })
    }

    /// The keys of an epoch, as the evaluator gets them.
    pub(super) fn secret_of(&self, epoch: &Epoch) -> Result<Secret, Error> {
        let list = unhex(&epoch.list).map_err(|_| Error::Damaged("an epoch"))?;
        let seed = self.seed(epoch)?;
        Ok(Secret::derive(list, epoch.epoch, &seed)?)
    }

    fn seed(&self, epoch: &Epoch) -> Result<Zeroizing<[u8; 32]>, Error> {
        let bytes = Zeroizing::new(files::read(&self.dir.join("epochs").join(&epoch.seed), 32)?);
        Ok(Zeroizing::new(<[u8; 32]>::try_from(&bytes[..]).map_err(|_| Error::Damaged("the seed of the epoch"))?))
    }

    pub(super) fn keys_of(&self, epoch: &Epoch) -> Result<EpochKeys, Error> {
        let list = unhex(&epoch.list).map_err(|_| Error::Damaged("an epoch"))?;
        let seed = self.seed(epoch)?;
        EpochKeys::derive(&seed, epoch.epoch, &self.secret, &list)
    }

    /// What proves an entry in the log of `size` entries: next to the capsule, and next to the reason.
    pub(super) fn proofs(&self, log: &ListLog, entry: &Entry, index: u64, size: u64) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let sealed = self.sealed(entry);
        Ok((sealed.capsule_proof(index, size, &log.inclusion(index, size)?), sealed.reason_proof()))
    }

    /// The entry that stands in a slot, also when its review date is over.
    pub(super) fn entry_of(&self, id: &str, version: u32, now: i64) -> Result<(Entry, u64), Error> {
        let kept = self.state.entries.iter().find(|kept| kept.id == id && kept.version == version);
        let kept = kept.ok_or(Error::Damaged("an entry that is published"))?;
        Ok((self.parse(kept, now)?.0, kept.leaf.ok_or(Error::Damaged("an entry without a leaf"))?))
    }
}

fn statuses<'a>(slots: impl Iterator<Item = (Status, &'a u32)>) -> BTreeMap<u32, String> {
    slots.filter(|(status, _)| *status != Status::Live).map(|(status, slot)| (*slot, status.name().to_owned())).collect()
}

/// How an entry is called in sentences.
pub(super) fn called(kept: &Kept) -> String {
    format!("{} ({}, version {})", kept.id.get(..8).unwrap_or_default(), kept.form.title(), kept.version)
}

fn unbytes(text: &str) -> Result<Vec<u8>, Error> {
    let digits =
        text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
    digits.collect::<Option<Vec<u8>>>().ok_or(Error::Damaged("a leaf"))
}

/// In an order that says nothing (Fisher and Yates).
fn shuffle<T>(items: &mut [T], rng: &mut impl CryptoRng) {
    for last in (1..items.len()).rev() {
        // The bias of a remainder of 64 random bits is below 2^-40 for the lengths that occur.
        let at = (u64::from_be_bytes(chance::draw(rng)) % (last as u64 + 1)) as usize;
        items.swap(last, at);
    }
}
