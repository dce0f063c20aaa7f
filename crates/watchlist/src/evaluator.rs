//! The evaluator: a machine with the keys of an epoch and no list. It applies the list holder's function to elements that say nothing, proves
//! it, and counts. It can run where nothing else of the list holder runs.
//!
//! What it keeps of a batch is its number, the hash of its body, its size and when it came, and never an element (M13): an answer that is
//! asked for again is computed again, with the same bytes.

mod account;
mod evaluate;
mod secret;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use matching::bytes::Malformed;
use matching::envelope::{Envelope, Expected, KeyId, Kind, Refused};
use matching::list::Manifest;
use matching::message::{Enrolment, Leaving};
use matching::parcel::Unopened;
use matching::token::Group;
use matching::voprf::Wrong;

pub use account::{Account, Charged, Epoch, Known, State};
pub use evaluate::{Evaluated, Told};
pub use secret::Secret;

use crate::enrolment::{self, Batches};
use crate::files::{self, Lock};
use crate::hex::Hex;
use crate::keys::{self, Identity, Public, Role};

/// The file with the evaluator's key.
pub const KEY: &str = "identity.key";
/// The file with its state.
pub const STATE: &str = "state.json";
/// The folder with the keys of its epochs, each in the parcel that they came in: only the evaluator's key opens them.
pub const EPOCHS: &str = "epochs";

const MOST_STATE: u64 = 1 << 30;

/// What an evaluator cannot do, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A key.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// An envelope.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Bytes.
    #[error("{0}; ask for the file again")]
    Malformed(#[from] Malformed),
    /// The manifest.
    #[error(transparent)]
    List(#[from] matching::list::Error),
    /// A parcel.
    #[error(transparent)]
    Unopened(#[from] Unopened),
    /// Mathematics.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// Anything else, in a sentence.
    #[error("{0}")]
    Said(String),
}

impl Error {
    /// A sentence that says what is wrong and what to do.
    pub(crate) fn said(text: impl Into<String>) -> Error {
        Error::Said(text.into())
    }
}

/// An opened directory.
#[derive(Debug)]
pub struct Evaluator {
    dir: PathBuf,
    _lock: Lock,
    identity: Identity,
    state: State,
}

impl Evaluator {
    /// Makes a directory with a new key, which trusts these officers.
    ///
    /// # Errors
    /// When there is one already, fewer than two officers are given, or one of them is no officer; those of the system.
    pub fn create(
        dir: &Path,
        name: &str,
        officers: &[Public],
        passphrase: Option<&str>,
        rng: &mut impl rand_core::CryptoRng,
    ) -> Result<Evaluator, Error> {
        let mut keys: Vec<Hex<32>> = officers.iter().map(|officer| Hex(officer.key)).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() < 2 {
            return Err(Error::said("a list has at least two officers; give the public file of each"));
        }
        if let Some(other) = officers.iter().find(|officer| officer.role != Role::Officer) {
            return Err(keys::Error::Role(other.role, Role::Officer).into());
        }
        files::directory(dir)?;
        let lock = Lock::of(dir)?;
        let identity = keys::create(&dir.join(KEY), Role::Evaluator, name, passphrase, rng)?;
        let state = State { officers: keys, ..State::default() };
        let evaluator = Evaluator { dir: dir.to_owned(), _lock: lock, identity, state };
        evaluator.save()?;
        Ok(evaluator)
    }

    /// Opens a directory.
    ///
    /// # Errors
    /// When another process works in it, it is none, or its key asks for another passphrase.
    pub fn open(dir: &Path, passphrase: Option<&str>) -> Result<Evaluator, Error> {
        if !dir.join(KEY).exists() {
            let dir = dir.display();
            return Err(Error::said(format!(
                "{dir} is no directory of an evaluator; make one with `sluis watchlist evaluator new --dir {dir}`"
            )));
        }
        let lock = Lock::of(dir)?;
        let identity = keys::open(&dir.join(KEY), Role::Evaluator, passphrase)?;
        let path = dir.join(STATE);
        let state = serde_json::from_slice(&files::read(&path, MOST_STATE)?)
            .map_err(|error| Error::said(format!("{} cannot be read ({error}); put it back from a backup", path.display())))?;
        Ok(Evaluator { dir: dir.to_owned(), _lock: lock, identity, state })
    }

    fn save(&self) -> Result<(), Error> {
        let text =
            serde_json::to_vec(&self.state).map_err(|error| Error::said(format!("the state cannot be written: {error}")))?;
        Ok(files::write(&self.dir.join(STATE), &text)?)
    }

    /// Who it is.
    #[must_use]
    pub fn public(&self) -> &Public {
        &self.identity.public
    }

    /// What it knows: providers, epochs, and how much was asked.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes in an epoch: its manifest, and the parcel with its keys. Of a file with a whole list nothing but the manifest is kept.
    ///
    /// # Errors
    /// When the manifest is not signed by two officers, names another evaluator, or the keys are not those in it; those of the system.
    pub fn take_epoch(&mut self, file: &[u8], parcel: &[u8], now: i64) -> Result<Epoch, Error> {
        let envelopes = Envelope::read_all(file, 4_096)?;
        let envelope = envelopes
            .iter()
            .filter(|envelope| envelope.header.kind == Kind::Manifest)
            .max_by_key(|envelope| envelope.header.epoch)
            .ok_or_else(|| {
                Error::said("there is no manifest in this file; give the file with which the list holder began the epoch")
            })?;
        let officers: Vec<KeyId> = self.state.officers.iter().map(|key| key.0).collect();
        let manifest = Manifest::open(envelope, &officers, None, now)?;
        if manifest.evaluator != self.identity.public.key {
            return Err(Error::said(
                "the manifest names another evaluator; check which file you gave, or which directory this is",
            ));
        }
        let keys: Vec<(Group, [u8; 32])> =
            manifest.groups.iter().filter_map(|(group, _)| Some((*group, *manifest.key(*group)?))).collect();
        let epoch = Epoch {
            list: Hex(envelope.header.list),
            epoch: envelope.header.epoch,
            manifest: Hex(envelope.hash()),
            not_before: manifest.not_before,
            not_after: manifest.not_after,
            groups: keys.iter().map(|(group, _)| *group as u8).collect(),
            guesses: manifest.guesses.iter().map(|(group, most)| (*group as u8, *most)).collect(),
        };
        self.open_epoch(epoch.clone(), &keys, parcel)?;
        // The officers of the newest epoch are those who enrol.
        if self.state.epochs.iter().all(|known| known.epoch <= epoch.epoch) {
            self.state.officers = manifest.officers.iter().map(|key| Hex(*key)).collect();
            self.save()?;
        }
        Ok(epoch)
    }

    /// Opens an epoch with the keys in a parcel, once they are those of the manifest. The same epoch again changes nothing.
    ///
    /// # Errors
    /// When the parcel is for somebody else or of another epoch, or a key is another one than the manifest has.
    pub(crate) fn open_epoch(&mut self, epoch: Epoch, keys: &[(Group, [u8; 32])], parcel: &[u8]) -> Result<(), Error> {
        let secret = Secret::open(parcel, &self.identity.opener)?;
        if (secret.list, secret.epoch) != (epoch.list.0, epoch.epoch) {
            return Err(Error::said("the keys are of another list or epoch than the manifest; ask for both again"));
        }
        for (group, public) in keys {
            if secret.key(*group).is_none_or(|key| key.public().to_bytes() != *public) {
                let name = group.name();
                return Err(Error::said(format!(
                    "the key of the group {name} is not the one in the manifest; ask for both again"
                )));
            }
        }
        match self.state.epochs.iter().find(|known| known.list == epoch.list) {
            Some(known) if known.manifest != epoch.manifest => {
                return Err(Error::said(
                    "there is another manifest of this list already; a list has one, so ask the list holder which is right",
                ));
            }
            Some(_) => return Ok(()),
            None => {}
        }
        files::directory(&self.dir.join(EPOCHS))?;
        files::write(&self.parcel_path(&secret.list), parcel)?;
        self.state.epochs.push(epoch);
        self.save()
    }

    /// Takes in an enrolment or a leaving. Nothing changes when a newer one was taken in before. Says what it did, for people.
    ///
    /// # Errors
    /// When it is none, or not signed by an officer (or, for a leaving, by the provider itself); those of the system.
    pub fn take_enrolment(&mut self, file: &[u8], now: i64) -> Result<String, Error> {
        let envelope = enrolment::one(file)?;
        let said = self.enrolment(&envelope, now)?;
        self.save()?;
        Ok(said)
    }

    fn enrolment(&mut self, envelope: &Envelope, now: i64) -> Result<String, Error> {
        let header = &envelope.header;
        let by_officer = self.state.officers.contains(&Hex(header.sender));
        if header.kind == Kind::Leaving {
            let leaving = Leaving::decode(envelope.open(Kind::Leaving, &Expected::default(), now)?)?;
            if !by_officer && leaving.provider != header.sender {
                return Err(Refused::Sender.into());
            }
            let Some(known) = self.known_mut(&leaving.provider) else {
                return Ok("the provider that leaves is not enrolled here".to_owned());
            };
            if known.issued > header.issued {
                return Ok(format!("{} was enrolled anew after this; it changes nothing", known.name));
            }
            known.left = Some(known.left.map_or(header.issued, |left| left.max(header.issued)));
            return Ok(format!("{} is not enrolled any more", known.name));
        }
        let enrolment = Enrolment::decode(envelope.open(Kind::Enrolment, &Expected::default(), now)?)?;
        if !by_officer || header.recipient != enrolment.provider {
            return Err(Refused::Sender.into());
        }
        let fresh = Known {
            key: Hex(enrolment.provider),
            name: enrolment.name,
            customers: enrolment.customers,
            plan: Batches::of(&enrolment.plan),
            issued: header.issued,
            until: header.until,
            left: None,
        };
        let name = fresh.name.clone();
        let is_same = |known: &&Known| known.key != fresh.key && known.name.to_lowercase() == name.to_lowercase();
        let namesakes = self.state.providers.iter().filter(is_same).count();
        match self.known_mut(&enrolment.provider) {
            None => {
                self.state.providers.push(fresh);
                self.state.providers.sort_by_key(|known| known.key);
            }
            Some(known) if known.issued.max(known.left.unwrap_or(i64::MIN)) < fresh.issued => *known = fresh,
            Some(known) if known.issued == fresh.issued && known.left.is_none() => {}
            Some(_) => return Ok(format!("a newer paper of {name} was taken in before; this one changes nothing")),
        }
        // Who leaves and comes back with a new key begins a new quota in an epoch in which it had one.
        if namesakes > 0 {
            return Ok(format!(
                "{name} is enrolled. MIND: another key was enrolled under that name before, and has a quota of its own in each open epoch; \
                 if it is the same provider, have it wait for the next epoch, or give it a plan for what is left"
            ));
        }
        Ok(format!("{name} is enrolled"))
    }

    fn known_mut(&mut self, key: &KeyId) -> Option<&mut Known> {
        self.state.providers.iter_mut().find(|known| known.key.0 == *key)
    }
}
