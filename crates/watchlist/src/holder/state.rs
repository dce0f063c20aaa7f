//! What a list holder's directory remembers, in one file that is replaced whole.

use std::collections::{BTreeMap, HashMap};

use matching::envelope::KeyId;
use serde::{Deserialize, Serialize};

use super::{Error, form::Form};
use crate::keys::{Public, unhex};

/// The form of this file.
pub const FORM: &str = "sluis-list/1";

/// Everything.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// [`FORM`].
    pub form: String,
    /// The list, in its file names.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Who may sign; two or more, pinned when the list was begun.
    pub officers: Vec<Person>,
    /// Officers who were, and until when what they signed counts.
    pub former: Vec<Former>,
    /// Who evaluates.
    pub evaluator: Person,
    /// Who answers contests, and may suspend.
    pub desk: Person,
    /// The log.
    pub log: LogKey,
    /// What the manifest says beside.
    pub settings: Settings,
    /// Every version of every entry there ever was, in order of adding.
    pub entries: Vec<Kept>,
    /// Epochs that were published, in order.
    pub epochs: Vec<Epoch>,
    /// The next epoch gets this number; one that was drafted and thrown away has used its own.
    pub next_epoch: u32,
    /// Entries that the log has, as far as this directory knows.
    pub log_size: u64,
    /// Leaves that go into the log with the next publication: deltas of the desk.
    pub unlogged: Vec<String>,
    /// What waits for its second signature, or for its place in the log.
    pub draft: Option<Draft>,
    /// Every publication, in order.
    pub published: Vec<Published>,
}

/// Somebody's pinned public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// What they call themselves.
    pub name: String,
    /// Their key, hexadecimal.
    pub key: String,
    /// The address for parcels, hexadecimal.
    pub address: String,
}

impl Person {
    /// Of a public file.
    #[must_use]
    pub fn of(public: &Public) -> Person {
        let hex = crate::keys::hex;
        Person { name: public.name.clone(), key: hex(&public.key), address: hex(&public.address) }
    }

    /// Their key.
    ///
    /// # Errors
    /// When the state was damaged.
    pub fn key(&self) -> Result<KeyId, Error> {
        unhex(&self.key).map_err(|_| Error::Damaged("a key"))
    }

    /// Their address.
    ///
    /// # Errors
    /// When the state was damaged.
    pub fn address(&self) -> Result<[u8; 32], Error> {
        unhex(&self.address).map_err(|_| Error::Damaged("an address"))
    }
}

/// An officer who was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Former {
    /// Who.
    pub person: Person,
    /// What they read until then counts.
    pub until: i64,
}

/// The log of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogKey {
    /// Its origin.
    pub origin: String,
    /// Its verifier key (C2SP `signed-note`).
    pub key: String,
}

/// What a manifest says beside keys and hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where a listed party contests: an address beginning with `https://`.
    pub contest: String,
    /// Where the published protocol with its criteria is.
    pub protocol: String,
    /// How many days an epoch lasts (90: quarterly rotation).
    pub days: u32,
    /// `list` or `both`.
    pub edit_side: String,
    /// How many customers the largest provider has: with the number of names it sets how rare a shortened name must be.
    pub customers: u64,
    /// By group, the most guesses that any provider has in an epoch, as its enrolment allows.
    pub guesses: BTreeMap<String, u64>,
}

/// That an officer did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    /// Whose key.
    pub key: String,
    /// When.
    pub at: i64,
    /// Signature over the entry as it was, hexadecimal.
    pub signature: String,
}

/// One version of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Its name, hexadecimal.
    pub id: String,
    /// From 1.
    pub version: u32,
    /// As written.
    pub form: Form,
    /// Who wrote it.
    pub added: By,
    /// Who read it second and accepted it.
    pub accepted: Option<By>,
    /// Why it is withdrawn, once it is.
    pub withdrawn: Option<Change>,
    /// Since when it is suspended, and why.
    pub suspended: Option<Change>,
    /// Index of its leaf in the log.
    pub leaf: Option<u64>,
    /// How many changes of status are in the log.
    pub changes: u32,
}

/// A change of status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Since when.
    pub since: i64,
    /// Why, for the record; it is committed to in the log.
    pub why: String,
    /// Whose decision: an officer's key, or the desk's.
    pub by: String,
}

/// An epoch that is open or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Its number.
    pub epoch: u32,
    /// The list's name in it: 16 random bytes, hexadecimal.
    pub list: String,
    /// [`matching::envelope::Envelope::hash`] of its manifest.
    pub manifest: String,
    /// That of the newest delta, else of the manifest.
    pub newest: String,
    /// Number of the newest delta; 0 for none.
    pub seq: u64,
    /// When it ends.
    pub until: i64,
    /// The file with the state of the encrypted list, in `epochs/`.
    pub publication: String,
    /// The officers that its manifest names.
    pub officers: Vec<String>,
    /// [`State::pinned`] when it began.
    pub pinned: String,
    /// The file with the seed of its keys, in `epochs/`.
    pub seed: String,
    /// How rare a shortened name must be, in bits.
    pub bits: u32,
    /// Where each entry stands: (hexadecimal name, version, slot).
    pub slots: Vec<(String, u32, u32)>,
    /// What the newest status table says of slots that are not live.
    pub statuses: BTreeMap<u32, String>,
}

/// A publication that is being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The file with one signature, in `drafts/`. Empty while only the leaves of its entries are on their way.
    pub file: String,
    /// Once two officers signed: the file in `drafts/` that goes into the log.
    pub signed: Option<String>,
    /// Hash of its manifest or delta.
    pub hash: String,
    /// Leaves of entries and statuses: from this index.
    pub start: u64,
    /// Those leaves, hexadecimal.
    pub leaves: Vec<String>,
    /// The tree to which the entries' proofs lead: its size, and its root in hexadecimal.
    pub entries: (u64, String),
    /// When it was made.
    pub issued: i64,
    /// The epoch as it is once this is published.
    pub epoch: Option<Epoch>,
    /// Whether it begins an epoch.
    pub base: bool,
    /// What is on the list afterwards: (name, version, status).
    pub snapshot: Vec<(String, u32, String)>,
    /// What people are told of it.
    pub summary: Vec<String>,
}

/// A publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The epoch.
    pub epoch: u32,
    /// The delta; 0 for the manifest and its list.
    pub seq: u64,
    /// The file in `public/`; empty for a delta of the desk.
    pub file: String,
    /// Hash of its manifest or delta.
    pub hash: String,
    /// When.
    pub at: i64,
    /// Size of the log that shows it.
    pub size: u64,
    /// What was on the list: (name, version, status).
    pub snapshot: Vec<(String, u32, String)>,
}

impl State {
    /// The epoch that is open at a time; nothing when none is, or when keys were replaced that its manifest names.
    #[must_use]
    pub fn open_epoch(&self, now: i64) -> Option<&Epoch> {
        self.epochs.last().filter(|epoch| epoch.until > now && epoch.pinned == self.pinned())
    }

    /// A digest of every key that providers pin with an epoch.
    #[must_use]
    pub fn pinned(&self) -> String {
        let people = self.officers.iter().chain([&self.evaluator, &self.desk]);
        let keys: Vec<&str> = people.flat_map(|person| [person.key.as_str(), person.address.as_str()]).collect();
        crate::keys::hex(&matching::sha256(&[keys.join(" ").as_bytes(), self.log.key.as_bytes()]))
    }

    /// Of each entry its newest version, in order of adding.
    pub fn newest(&self) -> impl Iterator<Item = &Kept> {
        let mut versions: HashMap<&str, u32> = HashMap::new();
        for kept in &self.entries {
            let version = versions.entry(&kept.id).or_default();
            *version = kept.version.max(*version);
        }
        self.entries.iter().filter(move |kept| versions.get(kept.id.as_str()) == Some(&kept.version))
    }
}
