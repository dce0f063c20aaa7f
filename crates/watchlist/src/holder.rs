//! The directory of a list holder: entries in clear, who read them, what was published, and the log of it all. For a machine that needs no
//! network; everything leaves it as files.
//!
//! An entry is written by one officer and accepted by another ([`Holder::add`], [`Holder::accept`]); a publication is signed by two
//! ([`publish`]). Nothing is changed in place: an amended entry is a new version, and the old one is withdrawn in the next delta.

pub mod desk;
pub mod diff;
pub mod form;
pub mod import;
mod keyed;
pub mod publish;
pub mod replace;
pub mod review;
pub mod sign;
pub mod state;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use matching::{
    bytes::Writer,
    envelope::KeyId,
    list::entry::{Entry, EntryId},
    sha256,
    token::identifier,
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    chance,
    files::{self, Lock},
    keys::{self, Identity, Public, hex, unhex},
    log::{self, ListLog},
};
use form::{Form, Problem, short};
use state::{By, Change, Kept, LogKey, Person, Settings, State};

/// The most bytes of the file with the state.
const MOST_STATE: u64 = 512 << 20;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A key.
    #[error(transparent)]
    Key(#[from] keys::Error),
    /// The log.
    #[error(transparent)]
    Log(#[from] log::Error),
    /// The list.
    #[error(transparent)]
    List(#[from] matching::list::Error),
    /// Key material of the epoch.
    #[error("the keys of the epoch cannot be used: {0}; begin a new epoch")]
    Oprf(#[from] matching::voprf::Wrong),
    /// The state cannot be read.
    #[error("the state of this directory is damaged ({0}); bring back the newest copy, and do not publish before")]
    Damaged(&'static str),
    /// There is a list already.
    #[error("{0} holds a list already; choose another directory")]
    Exists(String),
    /// There is none.
    #[error("{0} holds no list; make one with `sluis watchlist new`")]
    Missing(String),
    /// What was asked of the caller when beginning a list.
    #[error("{0}")]
    Begin(&'static str),
    /// Not one of the pinned officers.
    #[error("the key of {0} is not that of an officer of this list; use one of the keys with which the list was begun")]
    Officer(String),
    /// An entry is not as it must be.
    #[error("the entry cannot be listed: {}", several(.0))]
    Problems(Vec<Problem>),
    /// No such entry.
    #[error("there is no entry {0}; `sluis watchlist review` shows them all")]
    NoEntry(String),
    /// More entries begin like this.
    #[error("more than one entry begins with {0}; give more of its digits")]
    Ambiguous(String),
    /// One person twice.
    #[error("this officer wrote the entry; another officer has to read and accept it")]
    SameReader,
    /// One person twice.
    #[error("this officer signed already; the second signature has to be of another officer")]
    SameSigner,
    /// Nothing but names that many have.
    #[error(
        "{0}: so many have a name like this that it says nothing of who is meant; give an identifier of the party, or leave it off the list"
    )]
    Common(String),
    /// It is withdrawn.
    #[error("entry {0} is withdrawn already")]
    Withdrawn(String),
    /// Something is on its way.
    #[error("{0} waits for its second signature: `sluis watchlist sign` it, or throw it away with `publish --discard`")]
    Pending(String),
    /// Nothing is on its way.
    #[error("nothing waits for a signature; make a publication with `sluis watchlist publish`")]
    NothingPending,
    /// It is signed twice and on its way into the log.
    #[error("this publication has both signatures and cannot be thrown away any more; run `sluis watchlist sign` to finish it")]
    Final,
    /// The file is not the draft that waits.
    #[error("this is not the publication that waits for a signature here; take {0}")]
    OtherDraft(String),
    /// An envelope.
    #[error(transparent)]
    Envelope(#[from] matching::envelope::Refused),
    /// The log went on without this directory.
    #[error(
        "the log has {log} entries and this directory knows {known}: it is an old copy. Bring back the newest one; publishing from an old copy would tell two stories"
    )]
    Old {
        /// Entries of the log.
        log: u64,
        /// Entries that the state knows.
        known: u64,
    },
    /// Nothing to publish.
    #[error("no entry is ready: each has to be accepted by a second officer first (`sluis watchlist review --accept`)")]
    Empty,
    /// The desk.
    #[error("{0}")]
    Desk(&'static str),
    /// A name.
    #[error("the name of a list has 1 to 40 letters a-z, digits and hyphens, since it stands in names of files")]
    Name,
    /// A parcel.
    #[error(
        "the list cannot be packed for the desk: or the keys for the evaluator: its public key is no usable one; put another in its place"
    )]
    Parcel,
    /// No such publication.
    #[error("there is no publication {0}; it is one of {1}, or `now`")]
    NoPublication(String, String),
    /// The log's key is another.
    #[error("this is not the key of the log of this list ({0})")]
    LogKey(String),
}

fn several(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

/// With what a list begins.
#[derive(Debug)]
pub struct Begin<'a> {
    /// The list, as in its file names.
    pub name: &'a str,
    /// Who holds it.
    pub holder: &'a str,
    /// Two officers or more.
    pub officers: &'a [Public],
    /// Who evaluates.
    pub evaluator: &'a Public,
    /// The contest desk.
    pub desk: &'a Public,
    /// The origin of its log.
    pub origin: &'a str,
    /// The rest.
    pub settings: Settings,
}

/// The key of the log, and the directory in which it stands: there the log keeps what it promised.
#[derive(Debug, Clone)]
pub struct LogAt {
    /// The key.
    pub key: Identity,
    /// Its directory.
    pub beside: PathBuf,
}

impl LogAt {
    /// A secret file.
    ///
    /// # Errors
    /// When it is no key of a log, or asks for another passphrase.
    pub fn open(file: &Path, passphrase: Option<&str>) -> Result<LogAt, Error> {
        let key = keys::open(file, keys::Role::Log, passphrase)?;
        let beside = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(LogAt { key, beside: beside.to_owned() })
    }

    fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.key.signing.to_bytes())
    }
}

/// The directory of a list, held by this process alone.
#[derive(Debug)]
pub struct Holder {
    dir: PathBuf,
    state: State,
    secret: Zeroizing<[u8; 32]>,
    _lock: Lock,
}

impl Holder {
    /// Begins a list in a directory that has none.
    ///
    /// # Errors
    /// When there is one, or what is given cannot be a list.
    pub fn create(dir: &Path, begin: &Begin<'_>, log: &LogAt, rng: &mut impl CryptoRng) -> Result<Holder, Error> {
        let fits = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        if begin.name.is_empty() || begin.name.len() > 40 || !begin.name.bytes().all(fits) {
            return Err(Error::Name);
        }
        let officers: BTreeMap<KeyId, &Public> = begin.officers.iter().map(|officer| (officer.key, officer)).collect();
        if officers.len() < 2 || officers.len() != begin.officers.len() {
            return Err(Error::Begin("a list has two officers or more, each with a key of their own: nobody publishes alone"));
        }
        let others = [&begin.evaluator.key, &begin.desk.key, &log.key.public.key];
        if others.iter().any(|key| officers.contains_key(*key)) || others[0] == others[1] || others[1] == others[2] {
            return Err(Error::Begin("the log, the evaluator and the desk have keys of their own; make one for each role"));
        }
        for text in [&begin.settings.contest, &begin.settings.protocol] {
            if !text.starts_with("https://") {
                return Err(Error::Begin("the addresses for contesting and of the protocol begin with https://"));
            }
        }
        if begin.settings.days == 0 || begin.settings.days > 92 {
            return Err(Error::Begin("an epoch lasts 1 to 92 days: keys are renewed every quarter"));
        }
        files::directory(dir)?;
        let lock = Lock::of(dir)?;
        if dir.join("state.json").exists() {
            return Err(Error::Exists(dir.display().to_string()));
        }
        for folder in ["epochs", "drafts", "public", "desk", "evaluator"] {
            files::directory(&dir.join(folder))?;
        }
        let made = ListLog::create(&dir.join("log"), &log.beside, begin.origin, &log.seed())?;
        let secret = Zeroizing::new(chance::draw::<32>(rng));
        put(&dir.join("list.secret"), &secret[..])?;
        let state = State {
            form: state::FORM.to_owned(),
            name: begin.name.to_owned(),
            holder: begin.holder.to_owned(),
            officers: begin.officers.iter().map(Person::of).collect(),
            former: Vec::new(),
            evaluator: Person::of(begin.evaluator),
            desk: Person::of(begin.desk),
            log: LogKey { origin: begin.origin.to_owned(), key: made.key().to_string() },
            settings: begin.settings.clone(),
            entries: Vec::new(),
            epochs: Vec::new(),
            next_epoch: 1,
            log_size: 0,
            unlogged: Vec::new(),
            draft: None,
            published: Vec::new(),
        };
        let holder = Holder { dir: dir.to_owned(), state, secret, _lock: lock };
        holder.save()?;
        Ok(holder)
    }

    /// Opens the directory of a list.
    ///
    /// # Errors
    /// When there is none, another process has it, or its state is damaged.
    pub fn open(dir: &Path) -> Result<Holder, Error> {
        let at = dir.join("state.json");
        if !at.exists() {
            return Err(Error::Missing(dir.display().to_string()));
        }
        let lock = Lock::of(dir)?;
        let bytes = files::read(&at, MOST_STATE)?;
        let state: State = serde_json::from_slice(&bytes).map_err(|_| Error::Damaged("state.json"))?;
        if state.form != state::FORM {
            return Err(Error::Damaged("it is of another version"));
        }
        let secret = Zeroizing::new(files::read(&dir.join("list.secret"), 32)?);
        let secret = <[u8; 32]>::try_from(&secret[..]).map_err(|_| Error::Damaged("list.secret"))?;
        Ok(Holder { dir: dir.to_owned(), state, secret: Zeroizing::new(secret), _lock: lock })
    }

    /// What it remembers.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn save(&self) -> Result<(), Error> {
        let bytes = serde_json::to_vec_pretty(&self.state).map_err(|_| Error::Damaged("it cannot be written"))?;
        put(&self.dir.join("state.json"), &bytes)
    }

    /// Changes what other settings a list has; they count from the next manifest on.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn set(&mut self, settings: Settings) -> Result<(), Error> {
        self.state.settings = settings;
        self.save()
    }

    fn log(&self, at: &LogAt) -> Result<ListLog, Error> {
        let log = ListLog::open(&self.dir.join("log"), &at.beside, &self.state.log.origin, &at.seed())?;
        if log.key().to_string() == self.state.log.key { Ok(log) } else { Err(Error::LogKey(self.state.log.origin.clone())) }
    }

    fn officer(&self, officer: &Identity) -> Result<String, Error> {
        let key = hex(&officer.public.key);
        if self.state.officers.iter().any(|pinned| pinned.key == key) {
            Ok(key)
        } else {
            Err(Error::Officer(officer.public.name.clone()))
        }
    }

    /// What an officer's key is called; the key's beginning if it is none of theirs.
    #[must_use]
    pub fn name_of(&self, key: &str) -> String {
        let former = self.state.former.iter().map(|former| &former.person);
        let people = self.state.officers.iter().chain(former).chain([&self.state.evaluator, &self.state.desk]);
        let name = people.filter(|person| person.key == key).map(|person| person.name.clone()).next();
        name.unwrap_or_else(|| key.chars().take(8).collect())
    }

    /// Adds an entry that this officer wrote. Another has to accept it before it is published. Gives its name, and what a person should know.
    ///
    /// # Errors
    /// Everything that is wrong with it at once.
    pub fn add(
        &mut self,
        form: Form,
        officer: &Identity,
        now: i64,
        rng: &mut impl CryptoRng,
    ) -> Result<(EntryId, Vec<String>), Error> {
        let id = chance::draw(rng);
        let told = self.duplicates(&form, None);
        self.keep(form, id, 1, officer, now)?;
        self.save()?;
        Ok((id, told))
    }

    /// Adds several entries, or none: when one of them is wrong, nothing is kept.
    ///
    /// # Errors
    /// As [`Holder::add`].
    pub fn add_all(
        &mut self,
        forms: Vec<Form>,
        officer: &Identity,
        now: i64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<EntryId>, Error> {
        let before = self.state.entries.len();
        let mut ids = Vec::with_capacity(forms.len());
        for form in forms {
            let id = chance::draw(rng);
            if let Err(error) = self.keep(form, id, 1, officer, now) {
                self.state.entries.truncate(before);
                return Err(error);
            }
            ids.push(id);
        }
        self.save()?;
        Ok(ids)
    }

    /// A new version of an entry, as this officer wrote it. Once it is accepted and published, the one before is withdrawn.
    ///
    /// # Errors
    /// As [`Holder::add`], and when there is no such entry or it is withdrawn.
    pub fn amend(&mut self, entry: &str, form: Form, officer: &Identity, now: i64) -> Result<(EntryId, u32), Error> {
        let old = &self.state.entries[self.find(entry)?];
        if old.withdrawn.is_some() {
            return Err(Error::Withdrawn(entry.to_owned()));
        }
        let (id, version) = (unhex(&old.id).map_err(|_| Error::Damaged("an entry"))?, old.version.saturating_add(1));
        let contested = old.suspended.clone();
        self.keep(form, id, version, officer, now)?;
        // A contest is of the entry, whatever its version: only lifting ends it.
        if let Some(new) = self.state.entries.last_mut() {
            new.suspended = contested;
        }
        self.save()?;
        Ok((id, version))
    }

    fn keep(&mut self, mut form: Form, id: EntryId, version: u32, officer: &Identity, now: i64) -> Result<(), Error> {
        let key = self.officer(officer)?;
        if form.listed_at.trim().is_empty() {
            form.listed_at = form::day_of(now);
        }
        let replaces = (version > 1).then(|| (id, version - 1));
        let entry = form.entry(id, version, replaces, now).map_err(Error::Problems)?;
        let signature = hex(&officer.signing.sign(&statement("wrote", &entry, now)).to_bytes());
        self.state.entries.push(Kept {
            id: hex(&id),
            version,
            form,
            added: By { key, at: now, signature },
            accepted: None,
            withdrawn: None,
            suspended: None,
            leaf: None,
            changes: 0,
        });
        Ok(())
    }

    /// Which newest versions have an identifier of this form, told in sentences; `except` is an entry that may.
    #[must_use]
    pub fn duplicates(&self, form: &Form, except: Option<&str>) -> Vec<String> {
        self.known().told(form, except)
    }

    /// Who has which identifier, for asking often.
    fn known(&self) -> Known<'_> {
        let mut known: HashMap<Vec<u8>, Vec<&Kept>> = HashMap::new();
        for kept in self.state.newest().filter(|kept| kept.withdrawn.is_none()) {
            for (_, token, _) in canonical(&kept.form) {
                known.entry(token).or_default().push(kept);
            }
        }
        Known(known)
    }

    /// An officer who did not write an entry accepts it.
    ///
    /// # Errors
    /// When it is the same officer, none of this list's, or the entry cannot be listed (any more).
    pub fn accept(&mut self, entry: &str, officer: &Identity, now: i64) -> Result<EntryId, Error> {
        let id = self.accept_one(entry, officer, now)?;
        self.save()?;
        Ok(id)
    }

    /// As [`Holder::accept`], of several: all of them, or none.
    ///
    /// # Errors
    /// The first that cannot be accepted.
    pub fn accept_all(&mut self, entries: &[String], officer: &Identity, now: i64) -> Result<Vec<EntryId>, Error> {
        let before = self.state.entries.clone();
        let accepted = entries.iter().map(|entry| self.accept_one(entry, officer, now)).collect::<Result<Vec<_>, _>>();
        match accepted {
            Ok(_) => self.save()?,
            Err(_) => self.state.entries = before,
        }
        accepted
    }

    fn accept_one(&mut self, entry: &str, officer: &Identity, now: i64) -> Result<EntryId, Error> {
        let key = self.officer(officer)?;
        let at = self.find(entry)?;
        let kept = &self.state.entries[at];
        if kept.added.key == key {
            return Err(Error::SameReader);
        }
        if kept.withdrawn.is_some() {
            return Err(Error::Withdrawn(entry.to_owned()));
        }
        let read = self.read(kept, now)?;
        // Who is called "Hosting" or "Online" has hundreds of namesakes, and nothing but the name would tell them from the one who is meant.
        let mut names = read.names.iter().chain(&read.aliases).filter(|name| review::is_common(name));
        if read.identifiers.is_empty()
            && let Some(common) = names.next()
        {
            return Err(Error::Common(common.clone()));
        }
        let signature = hex(&officer.signing.sign(&statement("accepted", &read, now)).to_bytes());
        self.state.entries[at].accepted = Some(By { key, at: now, signature });
        Ok(read.id)
    }

    /// Withdraws an entry: shown as withdrawn from the next delta on, with all its versions.
    ///
    /// # Errors
    /// When there is none, or it is withdrawn already.
    pub fn withdraw(&mut self, entry: &str, why: &str, officer: &Identity, now: i64) -> Result<EntryId, Error> {
        let by = self.officer(officer)?;
        if why.trim().is_empty() {
            return Err(Error::Begin(
                "a withdrawal has a reason; it is committed to in the log, and the listed party may ask for it",
            ));
        }
        let id = self.state.entries[self.find(entry)?].id.clone();
        let mut changed = false;
        for kept in self.state.entries.iter_mut().filter(|kept| kept.id == id && kept.withdrawn.is_none()) {
            kept.withdrawn = Some(Change { since: now, why: why.trim().to_owned(), by: by.clone() });
            changed = true;
        }
        if !changed {
            return Err(Error::Withdrawn(short(&unhex(&id).map_err(|_| Error::Damaged("an entry"))?)));
        }
        self.save()?;
        unhex(&id).map_err(|_| Error::Damaged("an entry"))
    }

    /// Which version in the state somebody means: the newest one of the entry whose name begins so, or `NAME/VERSION`.
    fn find(&self, entry: &str) -> Result<usize, Error> {
        let (name, version) = match entry.split_once('/') {
            Some((name, version)) => (name, Some(version.parse::<u32>().map_err(|_| Error::NoEntry(entry.to_owned()))?)),
            None => (entry, None),
        };
        let name = name.to_ascii_lowercase();
        let mut found: Vec<usize> = (0..self.state.entries.len())
            .filter(|at| {
                let kept = &self.state.entries[*at];
                name.len() >= 4 && kept.id.starts_with(&name) && version.is_none_or(|version| version == kept.version)
            })
            .collect();
        let id = |at: &usize| &self.state.entries[*at].id;
        if found.iter().any(|at| id(at) != id(&found[0])) {
            return Err(Error::Ambiguous(entry.to_owned()));
        }
        found.sort_by_key(|at| self.state.entries[*at].version);
        found.last().copied().ok_or_else(|| Error::NoEntry(entry.to_owned()))
    }

    /// A version of an entry as a person would look at it.
    ///
    /// # Errors
    /// When there is none.
    pub fn kept(&self, entry: &str) -> Result<&Kept, Error> {
        Ok(&self.state.entries[self.find(entry)?])
    }

    /// The entry that a version is.
    ///
    /// # Errors
    /// What is wrong with it now.
    pub fn read(&self, kept: &Kept, now: i64) -> Result<Entry, Error> {
        let (entry, problems) = self.parse(kept, now)?;
        if !problems.is_empty() {
            return Err(Error::Problems(problems));
        }
        kept.form.entry(entry.id, entry.version, entry.replaces, now).map_err(Error::Problems)
    }

    /// As [`Holder::read`], also when its review is overdue.
    fn parse(&self, kept: &Kept, now: i64) -> Result<(Entry, Vec<Problem>), Error> {
        let id = unhex(&kept.id).map_err(|_| Error::Damaged("an entry"))?;
        let replaces = (kept.version > 1).then(|| (id, kept.version - 1));
        Ok(kept.form.parse(id, kept.version, replaces, now))
    }

    /// Whether two different officers of this list read this version as it stands there.
    fn is_read_by_two(&self, kept: &Kept, entry: &Entry) -> bool {
        let Some(accepted) = &kept.accepted else { return false };
        accepted.key != kept.added.key && self.signed(&kept.added, "wrote", entry) && self.signed(accepted, "accepted", entry)
    }

    fn signed(&self, by: &By, what: &str, entry: &Entry) -> bool {
        let former = self.state.former.iter().any(|former| former.person.key == by.key && by.at <= former.until);
        let pinned = former || self.state.officers.iter().any(|officer| officer.key == by.key);
        let (Ok(key), Ok(signature)) = (unhex::<32>(&by.key), unhex::<64>(&by.signature)) else { return false };
        let Ok(key) = VerifyingKey::from_bytes(&key) else { return false };
        pinned && key.verify_strict(&statement(what, entry, by.at), &Signature::from_bytes(&signature)).is_ok()
    }
}

/// The newest versions that have an identifier, by its canonical form.
struct Known<'a>(HashMap<Vec<u8>, Vec<&'a Kept>>);

impl Known<'_> {
    fn told(&self, form: &Form, except: Option<&str>) -> Vec<String> {
        let told = canonical(form).into_iter().filter_map(|(class, token, text)| {
            let other = self.0.get(&token)?.iter().find(|other| except != Some(other.id.as_str()))?;
            Some(format!("{class} {text} is also of entry {} ({})", other.id.get(..8)?, other.form.title()))
        });
        told.collect()
    }
}

/// The identifiers of a form that have a canonical form: class, that, and as written.
fn canonical(form: &Form) -> Vec<(String, Vec<u8>, String)> {
    let tokens = form.identifiers.iter().flat_map(|(name, texts)| {
        let class = form::classes().find(|class| class.name() == name);
        texts.iter().filter_map(move |text| Some((name.clone(), identifier::of(class?, text).ok()?.input(), text.clone())))
    });
    tokens.collect()
}

/// Writes a file, whole or not at all.
fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    crate::crash::point().map_err(|source| files::Error::System { path: path.to_owned(), source })?;
    Ok(files::write(path, bytes)?)
}

/// What an officer signs who wrote or accepted an entry.
fn statement(what: &str, entry: &Entry, at: i64) -> Vec<u8> {
    let mut w = Writer::new();
    w.raw(b"sluis/v1/reader\0").text(what).time(at).raw(&entry.id).u32(entry.version);
    w.raw(&sha256(&[&entry.capsule_bytes()])).raw(&sha256(&[&entry.reason_bytes()]));
    w.done()
}

#[cfg(test)]
mod tests;
