//! The second signature, and what follows from it: a leaf in the log, a file for everybody, one for the desk.

use matching::{
    envelope::{EVERYBODY, Envelope, Expected, Header, Kind, Refused},
    list::Manifest,
    sha256,
};
use rand_core::CryptoRng;
use seal::tree::Hash;

use super::{
    Error, Holder, LogAt, desk,
    publish::MOST_FILE,
    put,
    state::{Draft, Epoch, Person, Published},
};
use crate::{
    files,
    keys::{Identity, hex, unhex},
    log::{LogProof, Seen, proof::MOST_SINCE, published},
};

/// A publication that was finished.
#[derive(Debug)]
pub struct Finished {
    /// The file for everybody.
    pub file: String,
    /// The keys of a new epoch, for the evaluator; empty with a delta.
    pub evaluator: String,
    /// The file for the desk.
    pub desk: String,
    /// The hash of the manifest or delta.
    pub hash: String,
    /// Epoch and number of the delta.
    pub number: (u32, u64),
}

impl Holder {
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
        let first = envelopes
            .first()
            .filter(|first| hex(&first.hash()) == draft.hash)
            .ok_or_else(|| Error::OtherDraft(draft.file.clone()))?;
        let kind = if draft.base { Kind::Manifest } else { Kind::Delta };
        first.open(kind, &Expected::default(), now)?;
        let officers = self.state.officers.iter().map(Person::key).collect::<Result<Vec<_>, _>>()?;
        if officers.iter().filter(|key| first.is_signed_by(key)).count() < 2 {
            return Err(Error::SameSigner);
        }
        let epoch = draft.epoch.clone().ok_or(Error::Damaged("a draft"))?;
        if draft.base {
            // Providers take a manifest from two officers of the one before.
            if let Some(before) = self.state.epochs.last() {
                let known = before.officers.iter().filter_map(|key| unhex(key).ok());
                if known.filter(|key| first.is_signed_by(key)).count() < 2 {
                    return Err(Error::Begin(
                        "a new epoch is signed by two officers whom the epoch before names, or providers refuse it",
                    ));
                }
            }
            let manifest = Manifest::read(&first.body)?;
            let good = |segment: &&Envelope| segment.header.kind == Kind::Segment && sha256(&[&segment.body]) == manifest.segment;
            envelopes.get(1).filter(good).ok_or_else(|| Error::OtherDraft(draft.file.clone()))?;
        }
        let root: Hash = unhex(&draft.entries.1).map_err(|_| Error::Damaged("a draft"))?;
        if draft.signed.is_none() {
            let name = signed_name(&draft.file);
            put(&self.dir.join("drafts").join(&name), signed)?;
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
        put(&self.dir.join("public").join(&name), &bytes)?;
        let evaluator = if draft.base { self.keys_for_evaluator(&epoch, &envelopes[0], rng)? } else { String::new() };
        let desk = desk::write(self, &epoch, &header, log_at, &log, index, rng)?;

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
            snapshot: draft.snapshot.clone(),
        });
        self.state.log_size = size;
        self.state.draft = None;
        self.save()?;
        self.tidy(&draft, now);
        Ok(Finished {
            file: self.dir.join("public").join(name).display().to_string(),
            desk,
            evaluator,
            hash: draft.hash.clone(),
            number: (epoch.epoch, epoch.seq),
        })
    }
}

impl Holder {
    /// Takes away what is not needed any more: drafts, states that were followed by others, and the keys of epochs that are over. What cannot be
    /// taken away now is the next time.
    fn tidy(&self, done: &Draft, now: i64) {
        let drafts = self.dir.join("drafts");
        for name in [done.file.clone(), signed_name(&done.file)] {
            let _ = files::remove(&drafts.join(name));
        }
        let last = self.state.epochs.last().map(|epoch| epoch.epoch);
        let needed: Vec<&String> = self
            .state
            .epochs
            .iter()
            .filter(|epoch| epoch.until > now || Some(epoch.epoch) == last)
            .flat_map(|epoch| [&epoch.publication, &epoch.seed])
            .collect();
        for file in std::fs::read_dir(self.dir.join("epochs")).into_iter().flatten().flatten() {
            if !needed.iter().any(|needed| file.file_name() == needed.as_str()) {
                let _ = files::remove(&file.path());
            }
        }
    }

    /// The keys of an epoch in a parcel that the evaluator alone opens. Whoever has them and the published list can test guesses of its
    /// entries.
    fn keys_for_evaluator(&self, epoch: &Epoch, manifest: &Envelope, rng: &mut impl CryptoRng) -> Result<String, Error> {
        let keys = self.secret_of(epoch)?;
        let parcel = keys.parcel(&self.state.evaluator.address()?, rng).map_err(|_| Error::Parcel)?;
        let folder = self.dir.join("evaluator");
        // The manifest alone: a machine that evaluates has no list.
        put(&folder.join(format!("{}-E{}.manifest.slu", self.state.name, epoch.epoch)), &manifest.encode())?;
        let path = folder.join(format!("{}-E{}.keys", self.state.name, epoch.epoch));
        put(&path, &parcel)?;
        Ok(path.display().to_string())
    }
}

/// What a draft is called once two officers signed.
fn signed_name(draft: &str) -> String {
    draft.replace(".draft.", ".signed.")
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
