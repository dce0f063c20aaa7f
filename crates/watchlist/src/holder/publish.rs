//! Making a publication: the leaves of its entries go into the log, the list is encrypted, one officer signs, another officer signs, and then it
//! goes into the log itself and out as one file.
//!
//! Each step is durable before the next begins, and repeating a step changes nothing: whenever the process is killed, there is the old
//! publication or the new one. Nothing that was given out is ever taken back: numbers of epochs and deltas only rise.

use std::collections::BTreeMap;

use matching::{
    envelope::{EVERYBODY, Envelope, Expected, Header, Kind, Refused},
    list::{
        Listed, Manifest, Publication, Status,
        entry::Entry,
        manifest::EditSide,
    },
    sha256,
    token::{
        Group, NORM_VERSION, Token, identifier,
        name::{self, Name},
    },
    voprf::{Output, SecretKey},
};
use rand_core::CryptoRng;
use rayon::prelude::*;
use seal::tree::Hash;
use zeroize::Zeroizing;

use super::{
    Error, Holder, LogAt, desk,
    form::day_of,
    state::{Draft, Epoch, Kept, Published},
};
use crate::{
    chance, files,
    keys::{Identity, hex, unhex},
    log::{
        ListLog, LogProof, Seen,
        listed::{Salts, Sealed, seal_entry, seal_status},
        padding, proof::MOST_SINCE, published,
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

/// A draft that was made.
#[derive(Debug)]
pub struct Made {
    /// The file with one signature.
    pub file: String,
    /// What a person should know of it before signing.
    pub summary: Vec<String>,
}

/// A publication that was finished.
#[derive(Debug)]
pub struct Finished {
    /// The file for everybody.
    pub file: String,
    /// The file for the desk.
    pub desk: String,
    /// The hash of the manifest or delta.
    pub hash: String,
    /// Epoch and number of the delta.
    pub number: (u32, u64),
}

impl Holder {
    /// What would be published now, and what would be left out.
    #[must_use]
    pub fn plan(&self, now: i64) -> Plan {
        let mut plan = Plan::default();
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        let mut waiting: Vec<usize> = Vec::new();
        for (at, kept) in self.state.entries.iter().enumerate().filter(|(_, kept)| kept.withdrawn.is_none()) {
            let read = self.parse(kept, now).map(|(entry, problems)| (problems.is_empty() && self.is_read_by_two(kept, &entry), entry));
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
        for (id, version, slot) in &epoch.slots {
            let Some(at) = self.state.entries.iter().position(|kept| kept.id == *id && kept.version == *version) else { continue };
            let kept = &self.state.entries[at];
            let planned = plan.entries.iter().find(|(planned, ..)| *planned == at);
            let (status, since, why) = match (planned, &kept.withdrawn, &kept.suspended) {
                (_, Some(change), _) => (Status::Withdrawn, change.since, change.why.clone()),
                (None, None, _) => (Status::Withdrawn, now, "its review date is over, or a newer version took its place".to_owned()),
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
    fn recover(&mut self, log: &mut ListLog) -> Result<(), Error> {
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
    fn listed(&self, log: &ListLog, plan: &[&(usize, Entry, Status, i64)], keys: &EpochKeys, bits: u32) -> Result<Vec<Listed>, Error> {
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
        files::write_new(&self.dir.join("epochs").join(&seed_file), &seed[..])?;
        let keys = EpochKeys::derive(&seed, number)?;

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
        let stats = matching::list::Stats::read(&built.body)?;
        let groups = keys.public();
        let guesses = groups.iter().map(|(group, _)| (*group, settings.guesses.get(group.name()).copied().unwrap_or_default())).collect();
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
            predecessor: self.state.epochs.last().map_or(Ok([0; 32]), |before| unhex(&before.manifest)).map_err(|_| Error::Damaged("an epoch"))?,
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
            seed: seed_file,
            bits,
            slots: plan.entries.iter().zip(&built.slots).map(|((_, entry, ..), slot)| (hex(&entry.id), entry.version, *slot)).collect(),
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
        let placed = |entry: &Entry| epoch.slots.iter().any(|(id, version, _)| *id == hex(&entry.id) && *version == entry.version);
        let added: Vec<_> = plan.entries.iter().filter(|(_, entry, ..)| !placed(entry)).collect();
        let listed = self.listed(log, &added, &keys, epoch.bits)?;
        let mut publication = self.publication(&epoch)?;
        let seq = publication.next_seq();
        let changed: Vec<(u32, Status, i64)> = changes.iter().map(|(_, slot, status, since, _)| (*slot, *status, *since)).collect();
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
        files::write(&self.dir.join("epochs").join(&name), &publication.encode())?;
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
        files::write(&self.dir.join("drafts").join(&file), &bytes)?;
        epoch.publication = self.keep_publication(&epoch, &hash, publication)?;
        let snapshot = plan.entries.iter().map(|(_, entry, status, _)| (hex(&entry.id), entry.version, status.name().to_owned()));
        self.state.draft = Some(Draft {
            file: file.clone(),
            signed: None,
            hash,
            start: seen.size,
            leaves: Vec::new(),
            entries: (seen.size, hex(&seen.root)),
            issued: now,
            base: epoch.seq == 0,
            epoch: Some(epoch),
            snapshot: snapshot.collect(),
            summary: summary.clone(),
        });
        self.save()?;
        Ok(Made { file: self.dir.join("drafts").join(file).display().to_string(), summary })
    }

    /// What a person is told before signing.
    fn summary(&self, plan: &Plan, epoch: u32, seq: u64) -> Vec<String> {
        let mut lines = vec![if seq == 0 { format!("a new epoch: {epoch}, with all entries and new keys") } else { format!("delta {seq} of epoch {epoch}") }];
        let before = self.state.published.last().map_or(&[][..], |published| &published.snapshot);
        let after: Vec<_> = plan.entries.iter().map(|(_, entry, status, _)| (hex(&entry.id), entry.version, status.name().to_owned())).collect();
        lines.extend(super::diff::lines(self, before, &after));
        lines.extend(plan.left_out.iter().map(|why| format!("left out: {why}")));
        lines
    }

    /// Throws a draft away that has one signature. Its number of the epoch is used; the leaves of its entries stay in the log.
    ///
    /// # Errors
    /// When nothing waits, or it has both signatures.
    pub fn discard(&mut self, log_at: &LogAt) -> Result<(), Error> {
        let mut log = self.log(log_at)?;
        self.recover(&mut log)?;
        let draft = self.state.draft.as_ref().ok_or(Error::NothingPending)?;
        if draft.signed.is_some() {
            return Err(Error::Final);
        }
        files::remove(&self.dir.join("drafts").join(&draft.file))?;
        self.state.draft = None;
        self.save()
    }

    /// The second signature, on this machine, and everything after it.
    ///
    /// # Errors
    /// When nothing waits, or the officer is the one who signed already or none of this list's.
    pub fn sign(&mut self, officer: &Identity, log_at: &LogAt, now: i64, rng: &mut impl CryptoRng) -> Result<Finished, Error> {
        self.officer(officer)?;
        let draft = self.state.draft.as_ref().filter(|draft| !draft.file.is_empty()).ok_or(Error::NothingPending)?;
        let bytes = files::read(&self.dir.join("drafts").join(draft.signed.as_ref().unwrap_or(&draft.file)), MOST_FILE)?;
        let signed = if draft.signed.is_some() { bytes } else { countersign(&bytes, officer)? };
        self.finish(&signed, log_at, now, rng)
    }

    /// Takes in a draft that has its second signature, and publishes it: into the log, and as a file for everybody and one for the desk.
    /// May be repeated when it was interrupted.
    ///
    /// # Errors
    /// When it is not the draft that waits, or not signed by two officers of this list.
    pub fn finish(&mut self, signed: &[u8], log_at: &LogAt, now: i64, rng: &mut impl CryptoRng) -> Result<Finished, Error> {
        let draft = self.state.draft.clone().filter(|draft| !draft.file.is_empty()).ok_or(Error::NothingPending)?;
        let mut log = self.log(log_at)?;
        let mut envelopes = Envelope::read_all(signed, 2).map_err(Refused::from)?;
        let first = envelopes.first().filter(|first| hex(&first.hash()) == draft.hash).ok_or_else(|| Error::OtherDraft(draft.file.clone()))?;
        let kind = if draft.base { Kind::Manifest } else { Kind::Delta };
        first.open(kind, &Expected::default(), now)?;
        let officers = self.state.officers.iter().map(super::state::Person::key).collect::<Result<Vec<_>, _>>()?;
        if officers.iter().filter(|key| first.is_signed_by(key)).count() < 2 {
            return Err(Error::SameSigner);
        }
        let epoch = draft.epoch.clone().ok_or(Error::Damaged("a draft"))?;
        if draft.base {
            let manifest = Manifest::read(&first.body)?;
            let good = |segment: &&Envelope| segment.header.kind == Kind::Segment && sha256(&[&segment.body]) == manifest.segment;
            envelopes.get(1).filter(good).ok_or_else(|| Error::OtherDraft(draft.file.clone()))?;
        }
        let root: Hash = unhex(&draft.entries.1).map_err(|_| Error::Damaged("a draft"))?;
        if draft.signed.is_none() {
            let name = draft.file.replace(".draft.", ".signed.");
            files::write(&self.dir.join("drafts").join(&name), signed)?;
            if let Some(waiting) = &mut self.state.draft {
                waiting.signed = Some(name);
            }
            self.save()?;
        }
        let (index, hash) = (draft.entries.0, envelopes[0].hash());
        log.append(index, &[published(kind, &hash)])?;
        let checkpoint = log.checkpoint()?.to_string();
        let size = log.size();
        let before = self.state.published.iter().filter(|before| before.size > 0).map(|before| before.size);
        let mut before: Vec<u64> = before.collect();
        before.dedup();
        let since = before.iter().rev().take(MOST_SINCE).rev();
        let proof = LogProof {
            checkpoint,
            index,
            path: log.inclusion(index, size)?,
            since: since.map(|old| Ok((*old, log.consistency(*old, size)?))).collect::<Result<_, Error>>()?,
            entries: Seen { size: index, root },
            entries_path: log.consistency(index, size)?,
        };
        let mut header = Header::new(Kind::LogProof, log_at.key.public.key, EVERYBODY, draft.issued, epoch.until);
        header.list = unhex(&epoch.list).map_err(|_| Error::Damaged("an epoch"))?;
        (header.epoch, header.seq) = (epoch.epoch, epoch.seq);
        header.under = unhex(&epoch.manifest).map_err(|_| Error::Damaged("an epoch"))?;
        envelopes.push(Envelope::signed(header.clone(), proof.encode(), &log_at.key.signing));
        let name = format!("{}-E{}-D{}.slu", self.state.name, epoch.epoch, epoch.seq);
        let bytes: Vec<u8> = envelopes.iter().flat_map(Envelope::encode).collect();
        files::write(&self.dir.join("public").join(&name), &bytes)?;
        let desk = desk::write(self, &epoch, &header, log_at, &log, rng)?;

        match self.state.epochs.last_mut().filter(|last| last.epoch == epoch.epoch) {
            Some(last) => *last = epoch.clone(),
            None => self.state.epochs.push(epoch.clone()),
        }
        self.state.published.push(Published {
            epoch: epoch.epoch,
            seq: epoch.seq,
            file: name.clone(),
            hash: draft.hash.clone(),
            at: draft.issued,
            size,
            snapshot: draft.snapshot,
        });
        self.state.log_size = size;
        self.state.draft = None;
        self.save()?;
        Ok(Finished {
            file: self.dir.join("public").join(name).display().to_string(),
            desk,
            hash: draft.hash,
            number: (epoch.epoch, epoch.seq),
        })
    }

    /// The secret keys of the newest epoch, for a machine that evaluates and has no list. Whoever has them and the published list can test
    /// guesses of its entries.
    ///
    /// # Errors
    /// When nothing was published.
    pub fn evaluator_keys(&self) -> Result<(Epoch, EpochKeys), Error> {
        let epoch = self.state.epochs.last().ok_or(Error::Empty)?;
        Ok((epoch.clone(), self.keys_of(epoch)?))
    }

    fn keys_of(&self, epoch: &Epoch) -> Result<EpochKeys, Error> {
        let bytes = Zeroizing::new(files::read(&self.dir.join("epochs").join(&epoch.seed), 32)?);
        let seed = Zeroizing::new(<[u8; 32]>::try_from(&bytes[..]).map_err(|_| Error::Damaged("the seed of the epoch"))?);
        EpochKeys::derive(&seed, epoch.epoch)
    }

    /// An entry with its proofs, for the desk.
    pub(super) fn for_desk(&self, log: &ListLog, entry: &Entry, index: u64) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let sealed = self.sealed(entry);
        let size = self.state.log_size.max(index + 1);
        Ok((sealed.capsule_proof(index, size, &log.inclusion(index, size)?), sealed.reason_proof()))
    }
}

/// Adds the signature of a second officer to a draft, on whatever machine that officer has.
///
/// # Errors
/// When it is no draft, is not signed well by a first officer, or this officer is that one.
pub fn countersign(draft: &[u8], officer: &Identity) -> Result<Vec<u8>, Error> {
    let mut envelopes = Envelope::read_all(draft, 2).map_err(Refused::from)?;
    let first = envelopes.first_mut().ok_or(Error::NothingPending)?;
    if !matches!(first.header.kind, Kind::Manifest | Kind::Delta) {
        return Err(Refused::Kind(first.header.kind, Kind::Manifest).into());
    }
    if !first.is_signed_by(&first.header.sender) {
        return Err(Refused::Unsigned("by the first officer").into());
    }
    if first.header.sender == officer.public.key {
        return Err(Error::SameSigner);
    }
    first.sign(&officer.signing);
    Ok(envelopes.iter().flat_map(Envelope::encode).collect())
}

/// The secret keys of an epoch, one for each group.
pub struct EpochKeys {
    keys: Vec<(Group, SecretKey)>,
    entries: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for EpochKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EpochKeys(secret)")
    }
}

impl EpochKeys {
    /// From the seed of an epoch.
    ///
    /// # Errors
    /// With a chance of 2^-64512.
    pub fn derive(seed: &[u8; 32], epoch: u32) -> Result<EpochKeys, Error> {
        let key = |group: Group| {
            let mut info = b"sluis/v1/oprf".to_vec();
            info.extend_from_slice(&epoch.to_be_bytes());
            info.push(group as u8);
            Ok((group, SecretKey::derive(seed, &info)?))
        };
        let keys = Group::ALL.into_iter().map(key).collect::<Result<Vec<_>, Error>>()?;
        Ok(EpochKeys { keys, entries: Zeroizing::new(sha256(&[b"sluis/v1/entry-keys\0", seed])) })
    }

    /// By group, in order.
    pub fn groups(&self) -> impl Iterator<Item = (Group, &SecretKey)> {
        self.keys.iter().map(|(group, key)| (*group, key))
    }

    fn public(&self) -> Vec<(Group, Vec<[u8; 32]>)> {
        self.groups().map(|(group, key)| (group, vec![key.public().to_bytes()])).collect()
    }

    /// What opens all of an entry in this epoch.
    fn of_entry(&self, entry: &Entry) -> matching::list::Key {
        Zeroizing::new(sha256(&[b"sluis/v1/entry-key\0", &self.entries[..], &entry.id, &entry.version.to_be_bytes()]))
    }

    /// The outputs of all tokens, in their order.
    fn evaluate(&self, entries: &[Vec<(Token, u8)>]) -> Result<Vec<Output>, Error> {
        let tokens: Vec<&Token> = entries.iter().flatten().map(|(token, _)| token).collect();
        let mut outputs = vec![[0; 64]; tokens.len()];
        for (group, key) in self.groups() {
            let places: Vec<usize> = (0..tokens.len()).filter(|at| tokens[*at].class().group() == group).collect();
            let done: Vec<Vec<Output>> = places
                .par_chunks(1024)
                .map(|some| key.evaluate_all(&some.iter().map(|at| tokens[*at].input()).collect::<Vec<_>>()))
                .collect::<Result<_, _>>()?;
            for (at, output) in places.into_iter().zip(done.into_iter().flatten()) {
                outputs[at] = output;
            }
        }
        Ok(outputs)
    }
}

/// What an entry is found by: each token once, with the family that made it (0 for identifiers).
pub fn tokens(entry: &Entry, edit: EditSide, bits: u32) -> Result<Vec<(Token, u8)>, Error> {
    let edit = match edit {
        EditSide::List => name::EditSide::List,
        EditSide::Both => name::EditSide::Both,
    };
    let mut found: BTreeMap<Token, u8> = BTreeMap::new();
    let mut add = |token: Token, family: u8| {
        found.entry(token).and_modify(|known| *known = family.min(*known)).or_insert(family);
    };
    for (class, text) in &entry.identifiers {
        let token = identifier::of(*class, text).map_err(|wrong| Error::Problems(vec![super::Problem::of(class.name(), wrong)]))?;
        add(token, 0);
    }
    let full = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let places: Vec<name::Place> = entry.country.map_or_else(Vec::new, |country| {
        let place = |place: &matching::list::entry::Place| name::Place { country, city: full(&place.city), postal: full(&place.postal_code) };
        entry.places.iter().map(place).collect()
    });
    for text in entry.names.iter().chain(&entry.aliases) {
        let name = Name::read(text).map_err(|wrong| Error::Problems(vec![super::Problem::of("names", wrong)]))?;
        let with: Vec<Option<&name::Place>> = if places.is_empty() { vec![None] } else { places.iter().map(Some).collect() };
        for place in with {
            for (token, family) in name::listed(&name, place, edit, bits) {
                add(token, family as u8);
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn edit_side(text: &str) -> EditSide {
    if text == "both" { EditSide::Both } else { EditSide::List }
}

fn statuses<'a>(slots: impl Iterator<Item = (Status, &'a u32)>) -> BTreeMap<u32, String> {
    slots.filter(|(status, _)| *status != Status::Live).map(|(status, slot)| (*slot, status.name().to_owned())).collect()
}

/// How an entry is called in sentences.
pub(super) fn called(kept: &Kept) -> String {
    format!("{} ({}, version {})", kept.id.get(..8).unwrap_or_default(), kept.form.title(), kept.version)
}

fn unbytes(text: &str) -> Result<Vec<u8>, Error> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
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

/// The day until which an epoch is open.
#[must_use]
pub fn until(epoch: &Epoch) -> String {
    day_of(epoch.until)
}
