//! What a provider found in its own customer base, and what people decided on it: the one file of hits in its directory.
//!
//! Only candidates are kept here. A customer that opened nothing, or something that does not resemble it, leaves no trace. This is the
//! hoster's own record: it is meant to be kept, and a hit goes a year after its last decision.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use crate::files;

/// One day, in milliseconds.
pub const DAY: i64 = 24 * 60 * 60 * 1000;
/// How long a provider has to reconsider its decision after an entry was withdrawn: 14 days.
pub const RECONSIDER: i64 = 14 * DAY;
/// How long a hit is kept after its last decision: a year.
pub const KEPT: i64 = 365 * DAY;
/// The most hits in one file. A list that gives more than this is wrong, or the customers are.
pub const MOST: usize = 100_000;
/// The largest file that is read: 1 GiB.
const MOST_BYTES: u64 = 1 << 30;

/// A customer beside an entry that may be about it. Never more than that: a person decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// What people call it: `H` and eight letters, made of customer and entry.
    pub id: String,
    /// The customer, as its own administration has it.
    pub customer: Customer,
    /// The entry.
    pub entry: Entry,
    /// By which tokens the two met.
    pub met: Vec<Met>,
    /// How alike their names are; nothing where one of them has none.
    pub names: Option<Likeness>,
    /// How sure it is that they are the same. Never certain.
    pub sureness: Sureness,
    /// What else agrees or differs.
    pub facts: Vec<Fact>,
    /// When it was first found.
    pub first: i64,
    /// When it was last found.
    pub last: i64,
    /// When the customer was not in the file any more.
    pub gone: Option<i64>,
    /// When the desk was asked for the reason.
    pub asked: Option<i64>,
    /// What people decided, oldest first.
    pub decisions: Vec<Decision>,
    /// Until when a decision has to be reconsidered, since the entry was withdrawn.
    pub reconsider: Option<i64>,
}

/// What a person needs to know a customer by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Its number in the administration.
    pub id: String,
    /// The row of the file it stood in.
    pub row: u64,
    /// Its names.
    pub names: Vec<String>,
    /// Country, two letters.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
}

/// What is known of an entry. Names and country stand in what a name opens; the rest is there when the whole entry opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, 32 hexadecimal digits.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Its slot in the publication.
    pub slot: u32,
    /// The list, as its manifest calls it.
    pub list: String,
    /// The epoch it was opened in.
    pub epoch: u32,
    /// Names and aliases.
    pub names: Vec<String>,
    /// Country, two letters.
    pub country: Option<String>,
    /// Whether it holds now.
    pub status: Status,
    /// Since when its status is what it is; zero when it was never changed.
    pub since: i64,
    /// The reason and all of the rest.
    pub reason: Option<Reason>,
    /// From where the reason is.
    pub told_by: Option<ToldBy>,
    /// That it stands in the log: its leaf and the size of the log it was checked against.
    pub leaf: u64,
    /// See `leaf`.
    pub log_size: u64,
}

/// From where a reason is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToldBy {
    /// The list itself: a number, an address or a name with its place opened it.
    List,
    /// The contest desk, which was asked.
    Desk,
}

/// Why a party is listed, and all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The category.
    pub category: String,
    /// In Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
    /// Case or reference number, or public address.
    pub source: String,
    /// What kind of source that is.
    pub source_kind: String,
    /// On what law the listing rests.
    pub legal_basis: String,
    /// The criterion of the published protocol.
    pub criterion: String,
    /// The protocol.
    pub protocol: String,
    /// Since when it is listed.
    pub listed_at: i64,
    /// Until when it holds without a review.
    pub review_by: i64,
    /// Who may see it.
    pub tlp: String,
    /// What may be done with it.
    pub pap: String,
    /// The role of the officer.
    pub officer_role: String,
    /// Where to ask.
    pub contact: String,
    /// Where to contest it.
    pub contest_url: String,
    /// The desk that handles contests.
    pub contest_desk: String,
    /// Numbers and addresses, as written: class and text.
    pub identifiers: Vec<(String, String)>,
    /// Places, as written.
    pub places: Vec<String>,
    /// Digests of what the listing rests on.
    pub evidence: Vec<String>,
    /// With whom it must not be confused.
    pub not_to_be_confused_with: String,
    /// What the list holder advises. Always a review.
    pub advice: String,
}

/// Whether an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It holds.
    Live,
    /// Somebody contests it: no new measure.
    Suspended,
    /// It was taken back.
    Withdrawn,
    /// Its time for review ran out: it is no hit any more.
    Expired,
    /// It does not agree any more: it is not on the list of a new epoch, or what is known of the customer changed.
    Absent,
}

/// One token by which the two met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Met {
    /// The class of the customer's token.
    pub class: String,
    /// How the list came to that token: which family of names, or nothing for an identifier.
    pub family: String,
    /// Whether it opened the reason.
    pub strong: bool,
}

/// How alike two names are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Likeness {
    /// 0 to 100.
    pub score: u8,
    /// The customer's name.
    pub customer: String,
    /// The listed name that resembles it most.
    pub listed: String,
    /// Words in both.
    pub common: Vec<String>,
    /// Words of the customer's name alone.
    pub only_customer: Vec<String>,
    /// Words of the listed name alone.
    pub only_listed: Vec<String>,
}

/// How sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sureness {
    /// Something agrees; look closely.
    Possible,
    /// A number of a register agrees, or the names do.
    Likely,
}

/// Something of both sides, side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is of: `country`, `city`, or the name of a class of identifiers.
    pub what: String,
    /// What it says.
    pub says: Says,
    /// At the customer.
    pub customer: String,
    /// In the entry.
    pub listed: String,
}

/// What a fact says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// For the two being one.
    Agrees,
    /// Against it.
    Differs,
    /// Nothing: one side does not have it.
    Unknown,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What.
    pub what: What,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: i64,
    /// Evidence of the provider's own that it rests on, beside the entry.
    pub own_evidence: Option<String>,
    /// The version of the entry it was taken on.
    pub version: u32,
    /// What its status was.
    pub status: Status,
}

/// What can be decided. The tally counts these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The contract was ended.
    Terminated,
    /// Services were limited.
    Quarantined,
    /// Looked at: it is whom the entry is of, and nothing is done.
    Kept,
    /// Being looked at.
    Pending,
    /// The customer contests it.
    Contested,
    /// It is somebody else: a namesake. No hit for the tally.
    SomebodyElse,
}

impl What {
    /// Those that the tally counts, in the order of its parts.
    pub const COUNTED: [What; 5] = [What::Terminated, What::Quarantined, What::Kept, What::Pending, What::Contested];

    /// Whether it takes something from the customer.
    #[must_use]
    pub fn is_measure(self) -> bool {
        matches!(self, What::Terminated | What::Quarantined)
    }
}

impl Hit {
    /// The decision that counts now: the last one.
    #[must_use]
    pub fn decided(&self) -> Option<&Decision> {
        self.decisions.last()
    }

    /// Whether a number in a register says that these are two parties, and nothing that identifies anybody says that they are one.
    #[must_use]
    pub fn is_another_by_register(&self) -> bool {
        let is = |fact: &Fact, says, of: fn(&str) -> bool| fact.says == says && of(&fact.what);
        let differs = self.facts.iter().any(|fact| is(fact, Says::Differs, |what| matches!(what, "kvk" | "registry" | "vat")));
        differs && !self.facts.iter().any(|fact| is(fact, Says::Agrees, |what| !matches!(what, "country" | "city")))
    }

    /// Days left to reconsider, rounded up; zero or less when they are over. Nothing when there is nothing to reconsider.
    #[must_use]
    pub fn days_left(&self, now: i64) -> Option<i64> {
        Some(self.reconsider?.saturating_sub(now).saturating_add(DAY - 1).div_euclid(DAY))
    }

    /// Whether a person has to look at it now: not while somebody contests the entry.
    #[must_use]
    pub fn is_to_decide(&self) -> bool {
        self.is_open() && self.entry.status == Status::Live
    }

    /// Whether nobody decided on it yet, and it is still a hit.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.decisions.is_empty() && matches!(self.entry.status, Status::Live | Status::Suspended) && self.gone.is_none()
    }
}

/// What a hit is called: the same customer and entry always have the same name.
#[must_use]
pub fn name(customer: &str, entry: &[u8; 16]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let digest = matching::sha256(&[b"sluis/v1/hit\0", entry, customer.as_bytes()]);
    let letters = digest.iter().take(8).map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
    std::iter::once('H').chain(letters).collect()
}

/// The file of hits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hits {
    /// The version of this file.
    pub version: u32,
    /// The hits, by the name of each.
    pub hits: Vec<Hit>,
}

/// What changed when new candidates were taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Hits that are new.
    pub new: Vec<String>,
    /// Hits whose entry changed its status or version.
    pub changed: Vec<String>,
    /// Hits whose customer is not in the file any more.
    pub gone: Vec<String>,
    /// Hits that were removed, a year after their last decision.
    pub removed: Vec<String>,
    /// Candidates beyond [`MOST`], which are not kept: the list or the customers cannot be right.
    pub too_many: u64,
}

/// What is known of a customer in one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is not in the administration any more.
    Left,
    /// All that is asked of it was looked up.
    Whole,
    /// It is there, and not all of it was looked up.
    Partly,
}

impl Hits {
    /// Where it is in a provider's directory.
    #[must_use]
    pub fn path(directory: &Path) -> PathBuf {
        directory.join("hits").join("hits.json")
    }

    /// Those of a provider's directory; none when there is no file yet.
    ///
    /// # Errors
    /// When the file cannot be read, or is of another version.
    pub fn open(directory: &Path) -> Result<Hits> {
        let path = Hits::path(directory);
        if !path.exists() {
            return Ok(Hits { version: 1, hits: Vec::new() });
        }
        let bytes = files::read(&path, MOST_BYTES)?;
        let hits: Hits = serde_json::from_slice(&bytes)
            .map_err(|error| Error::said(format!("{} cannot be read ({error}); restore it from a backup", path.display())))?;
        if hits.version != 1 {
            return Err(Error::said(format!("{} was written by a newer Sluis; use that one", path.display())));
        }
        Ok(hits)
    }

    /// Writes them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, directory: &Path) -> Result<()> {
        let path = Hits::path(directory);
        if let Some(folder) = path.parent() {
            files::directory(folder)?;
        }
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::said(format!("hits cannot be written: {error}")))?;
        Ok(files::write(&path, &bytes)?)
    }

    /// The reasons that the desk told, by number and version of the entry.
    #[must_use]
    pub fn told(&self) -> BTreeMap<(String, u32), Reason> {
        let by_desk = self.hits.iter().map(|hit| &hit.entry).filter(|entry| entry.told_by == Some(ToldBy::Desk));
        by_desk.filter_map(|entry| Some(((entry.id.clone(), entry.version), entry.reason.clone()?))).collect()
    }

    /// The hit of this name, however its letters are written.
    ///
    /// # Errors
    /// When there is none.
    pub fn get_mut(&mut self, name: &str) -> Result<&mut Hit> {
        self.hits.iter_mut().find(|hit| hit.id.eq_ignore_ascii_case(name)).ok_or_else(|| no_such(name))
    }

    /// The hit of this name, however its letters are written.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, name: &str) -> Result<&Hit> {
        self.hits.iter().find(|hit| hit.id.eq_ignore_ascii_case(name)).ok_or_else(|| no_such(name))
    }

    /// Takes in what was found now. `fate` says what is known of a customer, by its number.
    ///
    /// What people decided stays. When an entry does not hold any more, the time to reconsider begins, once.
    pub fn take_in(&mut self, found: Vec<Hit>, fate: impl Fn(&str) -> Fate, now: i64) -> Changes {
        let mut changes = Changes::default();
        self.hits.retain(|hit| {
            let old = hit.decided().is_some_and(|decision| decision.at.saturating_add(KEPT) < now) && hit.reconsider.is_none();
            if old {
                changes.removed.push(hit.id.clone());
            }
            !old
        });
        let mut found: HashMap<String, Hit> = found.into_iter().map(|hit| (hit.id.clone(), hit)).collect();
        for hit in &mut self.hits {
            let before = (hit.entry.status, hit.entry.version);
            match (found.remove(&hit.id), fate(&hit.customer.id)) {
                (Some(new), _) => hit.renew(new, now),
                (None, Fate::Left) if hit.gone.is_none() => {
                    hit.gone = Some(now);
                    changes.gone.push(hit.id.clone());
                }
                // All of this customer was looked up, and the two do not meet any more.
                (None, Fate::Whole) if matches!(before.0, Status::Live | Status::Suspended) => {
                    (hit.entry.status, hit.entry.since, hit.gone) = (Status::Absent, now, None);
                    hit.reconsider = Some(now.saturating_add(RECONSIDER));
                }
                (None, _) => {}
            }
            if before != (hit.entry.status, hit.entry.version) {
                changes.changed.push(hit.id.clone());
            }
        }
        for (id, new) in found {
            // An entry that does not hold is no hit; only who decided on it has to know.
            if !matches!(new.entry.status, Status::Live | Status::Suspended) {
                continue;
            }
            if self.hits.len() < MOST {
                changes.new.push(id);
                self.hits.push(new);
            } else {
                changes.too_many += 1;
            }
        }
        changes.new.sort();
        self.hits.sort_by(|a, b| a.id.cmp(&b.id));
        changes
    }
}

impl Hit {
    fn renew(&mut self, new: Hit, now: i64) {
        let was = self.entry.status;
        let told = (new.entry.reason.is_none() && new.entry.version == self.entry.version)
            .then(|| (self.entry.reason.take(), self.entry.told_by));
        self.customer = new.customer;
        self.entry = new.entry;
        // What the desk told of this version stays known.
        if let Some((reason, by)) = told {
            (self.entry.reason, self.entry.told_by) = (reason, by);
        }
        (self.met, self.names, self.sureness, self.facts) = (new.met, new.names, new.sureness, new.facts);
        (self.last, self.gone) = (now, None);
        match (was, self.entry.status) {
            (Status::Withdrawn | Status::Absent, Status::Withdrawn) => {}
            (_, Status::Withdrawn) => self.reconsider = Some(now.saturating_add(RECONSIDER)),
            // It was not taken back after all.
            (Status::Withdrawn | Status::Absent, _) => self.reconsider = None,
            _ => {}
        }
    }
}

fn no_such(name: &str) -> Error {
    Error::said(format!("there is no hit {name:?}; `sluis watchlist hits` shows those there are"))
}

#[cfg(test)]
pub(crate) mod testing {
    //! A hit of our own making.

    use super::*;

    pub(crate) fn hit(customer: &str, entry: u8) -> Hit {
        Hit {
            id: name(customer, &[entry; 16]),
            customer: Customer {
                id: customer.to_owned(),
                row: 2,
                names: vec!["Noorderlicht Hosting B.V.".to_owned()],
                country: Some("NL".to_owned()),
                city: Some("Groningen".to_owned()),
            },
            entry: Entry {
                id: crate::keys::hex(&[entry; 16]),
                version: 1,
                slot: 4,
                list: "Proeflijst".to_owned(),
                epoch: 3,
                names: vec!["Noorderlicht Hosting".to_owned(), "NL-Host".to_owned()],
                country: Some("NL".to_owned()),
                status: Status::Live,
                since: 0,
                reason: Some(reason()),
                told_by: Some(ToldBy::List),
                leaf: 12,
                log_size: 64,
            },
            met: vec![
                Met { class: "kvk".to_owned(), family: String::new(), strong: true },
                Met { class: "name-sorted".to_owned(), family: "sorted".to_owned(), strong: false },
            ],
            names: Some(Likeness {
                score: 100,
                customer: "Noorderlicht Hosting B.V.".to_owned(),
                listed: "Noorderlicht Hosting".to_owned(),
                common: vec!["noorderlicht".to_owned(), "hosting".to_owned()],
                only_customer: Vec::new(),
                only_listed: Vec::new(),
            }),
            sureness: Sureness::Likely,
            facts: vec![
                Fact { what: "kvk".into(), says: Says::Agrees, customer: "12345678".into(), listed: "12345678".into() },
                Fact { what: "city".into(), says: Says::Differs, customer: "Groningen".into(), listed: "Assen".into() },
                Fact { what: "country".into(), says: Says::Agrees, customer: "NL".into(), listed: "NL".into() },
            ],
            first: 1,
            last: 1,
            gone: None,
            asked: None,
            decisions: Vec::new(),
            reconsider: None,
        }
    }

    pub(crate) fn reason() -> Reason {
        Reason {
            category: "bulletproof hosting".into(),
            nl: "Biedt op fora hosting aan die meldingen van misbruik negeert.".into(),
            en: "Offers hosting on forums that ignores reports of abuse.".into(),
            source: "PL-2026-0042".into(),
            source_kind: "case".into(),
            legal_basis: "Wpg 19".into(),
            criterion: "C-2".into(),
            protocol: "https://list.example/protocol/3".into(),
            listed_at: 1_760_000_000_000,
            review_by: 1_790_000_000_000,
            tlp: "TLP:AMBER+STRICT".into(),
            pap: "PAP:AMBER".into(),
            officer_role: "analist".into(),
            contact: "list@list.example".into(),
            contest_url: "https://desk.example/contest".into(),
            contest_desk: "Bezwaarloket".into(),
            identifiers: vec![("kvk".into(), "12345678".into())],
            places: vec!["Assen".into()],
            evidence: Vec::new(),
            not_to_be_confused_with: "Noorderlicht Bakkerij, KvK 87654321".into(),
            advice: "review".into(),
        }
    }
}
