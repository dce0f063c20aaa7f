//! A provider's directory: its key, what it pinned, its plan, and how far it is. One process at a time works in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use matching::envelope::KeyId;
use matching::message::Plan;
use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::enrolment::Batches;
use crate::files::{self, Lock};
use crate::hex::Hex;
use crate::keys::{self, Identity, Role};

/// The file with the provider's key.
pub const KEY: &str = "identity.key";
/// The file with its state.
pub const STATE: &str = "state.json";
/// The folder that backups leave out: what was asked and not yet answered, and the cache (M9, M10).
pub const CACHE: &str = "cache";
/// The folder with files to be taken to others.
pub const OUTBOX: &str = "outbox";
/// The folder with receipts of the evaluator.
pub const RECEIPTS: &str = "receipts";
/// The folder with what shows that an evaluator answered wrongly.
pub const EVIDENCE: &str = "evidence";

const MOST_STATE: u64 = 64 << 20;

/// What a provider knows beside its key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// The keys of the officers whose fingerprints a person compared.
    pub officers: Vec<Hex<32>>,
    /// The manifest in force.
    pub pinned: Option<Pinned>,
    /// The enrolment in force.
    pub enrolled: Option<Enrolled>,
    /// The batches made so far.
    pub traffic: Traffic,
    /// The newest that was seen of the list, below which nothing is taken.
    pub seen: Seen,
}

/// What of a manifest is needed to ask, and to know who may say what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// What the list is called.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// The publication.
    pub list: Hex<16>,
    /// The epoch.
    pub epoch: u32,
    /// The hash of the manifest.
    pub manifest: Hex<32>,
    /// From when, in milliseconds since 1970 UTC.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
    /// The version of the canonical forms.
    pub norm_version: u8,
    /// Who evaluates.
    pub evaluator: Hex<32>,
    /// The contest desk.
    pub desk: Hex<32>,
    /// The key to pack for the contest desk with.
    pub desk_address: Hex<32>,
    /// The public key of each group, by its number.
    pub keys: BTreeMap<u8, Hex<32>>,
    /// The verifier key of the list's log, as a line of text.
    pub log: String,
    /// Whether both sides make one-letter edits of names; else the list alone does.
    pub edits_both: bool,
    /// How rare what is left of a name must be, in bits.
    pub rarity: u8,
}

/// An enrolment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The hash of the enrolment.
    pub enrolment: Hex<32>,
    /// When the officer signed it.
    pub issued: i64,
    /// Until when it counts.
    pub until: i64,
    /// Its plan.
    pub plan: Vec<Batches>,
}

/// The batches made under one manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// The manifest they are under; another one begins anew.
    pub manifest: Option<Hex<32>>,
    /// By number of the group.
    pub groups: BTreeMap<u8, GroupTraffic>,
}

/// The batches made of one group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTraffic {
    /// The number of the last batch; the first is 1.
    pub last: u64,
    /// The last period for which batches were made.
    pub period: Option<u32>,
    /// Elements sent beside those of each period.
    pub initial: u64,
}

/// The newest that was seen of a list, so that nothing older is taken for news (M8).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The number of the newest delta under the manifest in force; 0: none.
    pub delta: u64,
    /// Its hash.
    pub delta_hash: Option<Hex<32>>,
    /// When it was signed.
    pub delta_issued: i64,
    /// The size of the log at its newest checkpoint.
    pub log_size: u64,
    /// The root of the log at that size.
    pub log_root: Option<Hex<32>>,
}

/// An opened directory.
#[derive(Debug)]
pub struct Provider {
    dir: PathBuf,
    _lock: Lock,
    identity: Identity,
    /// What it knows. Whoever changes it calls [`Provider::save`].
    pub state: State,
}

impl Provider {
    /// Makes a directory with a new key.
    ///
    /// # Errors
    /// When there is one already, and those of the system.
    pub fn create(
        dir: &Path,
        name: &str,
        passphrase: Option<&str>,
        rng: &mut impl rand_core::CryptoRng,
    ) -> Result<Provider, Error> {
        files::directory(dir)?;
        let lock = Lock::of(dir)?;
        let identity = keys::create(&dir.join(KEY), Role::Provider, name, passphrase, rng)?;
        let provider = Provider { dir: dir.to_owned(), _lock: lock, identity, state: State::default() };
        provider.save()?;
        Ok(provider)
    }

    /// Opens a directory.
    ///
    /// # Errors
    /// When another process works in it, it is none, or its key asks for another passphrase.
    pub fn open(dir: &Path, passphrase: Option<&str>) -> Result<Provider, Error> {
        if !dir.join(KEY).exists() {
            let dir = dir.display();
            return Err(Error::said(format!(
                "{dir} is no directory of a provider; make one with `sluis watchlist join --dir {dir}`"
            )));
        }
        let lock = Lock::of(dir)?;
        let identity = keys::open(&dir.join(KEY), Role::Provider, passphrase)?;
        let state = match files::read_if_there(&dir.join(STATE), MOST_STATE)? {
            None => State::default(),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Error::said(format!("{} cannot be read ({error}); put it back from a backup", dir.join(STATE).display()))
            })?,
        };
        Ok(Provider { dir: dir.to_owned(), _lock: lock, identity, state })
    }

    /// Writes the state.
    ///
    /// # Errors
    /// Those of the system.
    pub fn save(&self) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(&self.state)
            .map_err(|error| Error::said(format!("the state cannot be written: {error}")))?;
        Ok(files::write(&self.dir.join(STATE), &text)?)
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Its public key.
    #[must_use]
    pub fn key(&self) -> KeyId {
        self.identity.public.key
    }

    /// A folder of its directory, made when it is not there.
    ///
    /// # Errors
    /// Those of the system.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Error> {
        let folder = self.dir.join(name);
        files::directory(&folder)?;
        if name == CACHE && !folder.join("CACHEDIR.TAG").exists() {
            files::leave_out_of_backups(&folder)?;
        }
        Ok(folder)
    }

    /// The manifest in force.
    ///
    /// # Errors
    /// When there is none yet.
    pub fn pinned(&self) -> Result<&Pinned, Error> {
        self.state.pinned.as_ref().ok_or_else(|| {
            Error::said("no list is pinned yet; take in the list holder's file with `sluis watchlist join --list FILE --officers FINGERPRINTS`")
        })
    }

    /// The plan in force.
    ///
    /// # Errors
    /// When there is no enrolment, it ran out, or the state file was changed.
    pub fn plan(&self, now: i64) -> Result<Plan, Error> {
        let enrolled = self.state.enrolled.as_ref().ok_or_else(|| {
            Error::said("there is no enrolment yet; give the list holder the enrolment request, and take in what it answers with `sluis watchlist join --enrolment FILE`")
        })?;
        if enrolled.until < now {
            return Err(Error::said("the enrolment ran out; ask the list holder for a new one"));
        }
        Batches::plan(&enrolled.plan).ok_or_else(|| Error::said("the plan in state.json is none; take in the enrolment again"))
    }
}
