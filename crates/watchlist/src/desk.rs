//! The contest desk: it answers providers that ask for the reason behind a name, suspends an entry that somebody contests, and handles the
//! question "am I listed?". It can read the whole list, and it can change nothing but "live" into "suspended".
//!
//! What it did stands in [`record`], a chain of hashes signed with its key.

pub mod letters;
pub mod listed;
pub mod record;

use std::path::{Path, PathBuf};

use matching::envelope::{EVERYBODY, Envelope, Expected, Header, KeyId, Kind};
use matching::list::{Entry, Manifest, Status, Table};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::files::{self, Lock};
use crate::hex::Hex;
use crate::holder::desk::{DeskEntry, DeskList, INFO, label};
use crate::keys::{self, Identity, Public, Role, hex};
use crate::log::Anchor;
use crate::provider::ask::{Answer, Ask, MOST_A_QUARTER, TRAVEL, quarter};
use crate::provider::error::{Error, Result};
use crate::provider::shelf::{self, Shelf};
use record::Record;

/// The file with the desk's key.
pub const KEY: &str = "identity.key";
/// The file with its state.
pub const STATE: &str = "state.json";
/// The folder with files of the list, as they came.
pub const LIST: &str = "list";
/// The folder with files to be taken to others.
pub const OUTBOX: &str = "outbox";
const MOST_STATE: u64 = 64 << 20;
const MOST_FILE: u64 = 1 << 30;
const MOST_ENVELOPES: usize = 4_096;

/// What a desk knows beside its key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// The officers whose fingerprints a person compared.
    pub officers: Vec<Hex<32>>,
    /// The manifest in force, and its epoch.
    pub manifest: Option<(Hex<32>, u32)>,
    /// Providers that may ask.
    pub providers: Vec<Known>,
    /// What was answered.
    pub answered: Vec<Answered>,
    /// What was contested: an entry and a fact, once.
    pub contests: Vec<Contest>,
    /// Questions of "am I listed?".
    pub requests: Vec<listed::Request>,
}

/// A provider that may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What it calls itself.
    pub name: String,
    /// Its key.
    pub key: Hex<32>,
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// To whom.
    pub provider: Hex<32>,
    /// To which question, by its hash.
    pub question: Hex<32>,
    /// When.
    pub at: i64,
}

/// A contest on which the desk suspended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contest {
    /// The entry, in hexadecimal digits.
    pub entry: String,
    /// The fact that is contested, as a digest.
    pub fact: String,
    /// When.
    pub at: i64,
}

/// One entry that the desk can read.
#[derive(Debug, Clone)]
pub struct Readable {
    /// Where it stands.
    pub slot: u32,
    /// The entry.
    pub entry: Entry,
    /// How it stands, after the newest change.
    pub status: Status,
    /// As it was given to the desk, with proofs.
    parts: DeskEntry,
}

/// What a provider asked, and what the desk may do with it.
#[derive(Debug, Clone)]
pub struct Question {
    /// Who asks.
    pub provider: String,
    /// Why, in its words.
    pub why: String,
    /// When it asked.
    pub at: i64,
    /// What it asks about; nothing when the desk has no such entry.
    pub about: Option<Readable>,
    /// Why it is not answered.
    pub refused: Option<String>,
    ask: Ask,
    envelope: Envelope,
}

/// An opened directory.
#[derive(Debug)]
pub struct Desk {
    dir: PathBuf,
    _lock: Lock,
    identity: Identity,
    /// What it knows. Whoever changes it calls [`Desk::save`].
    pub state: State,
}

impl Desk {
    /// Makes a directory with a new key.
    ///
    /// # Errors
    /// When there is one already, and those of the system.
    pub fn create(dir: &Path, name: &str, passphrase: Option<&str>, rng: &mut impl CryptoRng) -> Result<Desk> {
        files::directory(dir)?;
        let lock = Lock::of(dir)?;
        let identity = keys::create(&dir.join(KEY), Role::Desk, name, passphrase, rng)?;
        let desk = Desk { dir: dir.to_owned(), _lock: lock, identity, state: State::default() };
        desk.save()?;
        Ok(desk)
    }

    /// Opens a directory.
    ///
    /// # Errors
    /// When another process works in it, it is none, or its key asks for another passphrase.
    pub fn open(dir: &Path, passphrase: Option<&str>) -> Result<Desk> {
        if !dir.join(KEY).exists() {
            let dir = dir.display();
            return Err(Error::said(format!(
                "{dir} is no directory of a desk; make one with `sluis watchlist desk new --dir {dir}`"
            )));
        }
        let lock = Lock::of(dir)?;
        let identity = keys::open(&dir.join(KEY), Role::Desk, passphrase)?;
        let path = dir.join(STATE);
        let state = match files::read_if_there(&path, MOST_STATE)? {
            None => State::default(),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Error::said(format!("{} cannot be read ({error}); put it back from a backup", path.display()))
            })?,
        };
        Ok(Desk { dir: dir.to_owned(), _lock: lock, identity, state })
    }

    /// Writes the state.
    ///
    /// # Errors
    /// Those of the system.
    pub fn save(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.state)
            .map_err(|error| Error::said(format!("the state cannot be written: {error}")))?;
        Ok(files::write(&self.dir.join(STATE), &text)?)
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Its record.
    ///
    /// # Errors
    /// When it was changed.
    pub fn record(&self) -> Result<Record> {
        Record::open(&self.dir, &self.identity.public.key)
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.dir.join(name);
        files::directory(&folder)?;
        Ok(folder)
    }

    /// Lets a provider ask: a person compared its fingerprint.
    ///
    /// # Errors
    /// When the fingerprint is another.
    pub fn admit(&mut self, provider: &Public, fingerprint: &str, now: i64) -> Result<()> {
        if !same_print(&provider.fingerprint(), fingerprint) {
            return Err(Error::said(
                "the fingerprint of this key is another; have the provider read it to you again, and do not use this file",
            ));
        }
        let key = Hex(provider.key);
        if !self.state.providers.iter().any(|known| known.key == key) {
            self.state.providers.push(Known { name: provider.name.clone(), key });
            self.record()?.add(now, "admitted", &hex(&provider.key), &self.identity)?;
            self.save()?;
        }
        Ok(())
    }

    /// Takes in files of the list holder: the public ones, and those for the desk. The first time the fingerprints of the officers are needed.
    ///
    /// # Errors
    /// When one does not fit. Nothing was kept then.
    pub fn take(&mut self, new: &[Vec<u8>], fingerprints: &[String], now: i64) -> Result<Shelf> {
        let mut envelopes = self.envelopes()?;
        for bytes in new {
            envelopes.append(&mut Envelope::read_all(bytes, MOST_ENVELOPES)?);
        }
        let newest = envelopes.iter().filter(|envelope| envelope.header.kind == Kind::Manifest);
        let newest = newest.max_by_key(|envelope| (envelope.header.epoch, envelope.header.issued));
        let newest =
            newest.ok_or_else(|| Error::said("there is no manifest among the files; give the list holder's public file too"))?;
        let manifest = Manifest::read(&newest.body)?;
        let mut officers = self.state.officers.clone();
        if officers.is_empty() {
            for print in fingerprints {
                let known = manifest.officers.iter().find(|key| same_print(&matching::envelope::fingerprint(key), print));
                officers.push(Hex(*known.ok_or_else(|| {
                    Error::said(format!(
                        "no officer of the manifest has the fingerprint {print}; have the officers read theirs to you again"
                    ))
                })?));
            }
            if officers.len() < 2 {
                return Err(Error::said("give the fingerprints of two officers (--officers), as they read them to you"));
            }
        }
        // A manifest that is pinned already was checked then, perhaps by officers who are none any more.
        if self.state.manifest.as_ref().is_none_or(|(pinned, _)| pinned.0 != newest.hash()) {
            let officers: Vec<KeyId> = officers.iter().map(|key| key.0).collect();
            Manifest::open(newest, &officers, self.state.manifest.as_ref().map(|(_, epoch)| *epoch), now)?;
            let of_epoch = self.state.manifest.as_ref().filter(|(_, epoch)| *epoch == newest.header.epoch);
            if of_epoch.is_some_and(|(pinned, _)| pinned.0 != manifest.predecessor) {
                return Err(Error::said(
                    "there is another manifest of this epoch, and it does not follow the one that you have: keep both files, they prove it, and tell the list holder and providers",
                ));
            }
        }
        let shelf = Desk::walk(&envelopes, newest, now)?;
        if shelf.manifest.desk != self.identity.public.key {
            return Err(Error::said("the manifest names another desk; give the list holder the public key of this one"));
        }
        let folder = self.folder(LIST)?;
        for bytes in new {
            files::write(&folder.join(format!("{}.slu", hex(&matching::sha256(&[bytes])[..12]))), bytes)?;
        }
        self.state.officers = shelf.manifest.officers.iter().map(|key| Hex(*key)).collect();
        self.state.manifest = Some((Hex(shelf.tip.manifest), shelf.tip.epoch));
        self.save()?;
        Ok(shelf)
    }

    fn envelopes(&self) -> Result<Vec<Envelope>> {
        let folder = self.folder(LIST)?;
        let entries = std::fs::read_dir(&folder).map_err(|error| Error::io(&folder, error))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let mut envelopes = Vec::new();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "slu")) {
            envelopes.append(&mut Envelope::read_all(&files::read(path, MOST_FILE)?, MOST_ENVELOPES)?);
        }
        Ok(envelopes)
    }

    fn walk(envelopes: &[Envelope], manifest: &Envelope, now: i64) -> Result<Shelf> {
        let log = Manifest::read(&manifest.body)?.log_key;
        shelf::walk(envelopes, &manifest.hash(), &log, now)
    }

    /// The list as it stands: what may be read, the table that suspends, and the chain.
    fn list(&self, now: i64) -> Result<(Vec<Readable>, Table, Shelf)> {
        let envelopes = self.envelopes()?;
        let missing =
            || Error::said("there is no list here yet; take in the list holder's files with `sluis watchlist desk take`");
        let (manifest, epoch) = self.state.manifest.as_ref().ok_or_else(missing)?;
        let of_manifest = envelopes.iter().find(|envelope| envelope.hash() == manifest.0).ok_or_else(missing)?;
        let shelf = Desk::walk(&envelopes, of_manifest, now)?;
        let anchor = Anchor::parse(&shelf.manifest.log_key)?;
        let me = self.identity.public.key;
        let log_key = anchor_key(&anchor);
        let expected = Expected { sender: log_key.as_ref(), recipient: Some(&me), ..Expected::default() };
        let packed = envelopes
            .iter()
            .filter(|envelope| envelope.header.kind == Kind::DeskList && envelope.header.epoch == *epoch)
            .filter(|envelope| envelope.header.list == shelf.tip.list)
            // One that nobody signed well does not stand before those that are good, whatever number it gives itself.
            .max_by_key(|envelope| {
                let is_good = envelope.open(Kind::DeskList, &expected, now).is_ok();
                (is_good, envelope.header.seq, envelope.header.issued)
            })
            .ok_or_else(|| {
                Error::said("the desk's own file of this epoch is not here; ask the list holder for it (.desk.slu)")
            })?;
        packed
            .open(Kind::DeskList, &expected, now)
            .map_err(|why| Error::Refused("the list holder's file for the desk".to_owned(), why))?;
        let opened = self.identity.opener.open(&packed.body, INFO, &label(&packed.header));
        let opened = Zeroizing::new(
            opened.map_err(|_| Error::said("the list holder's file was packed for another desk; ask for a new one"))?,
        );
        let list = DeskList::decode(&opened)?;
        let mut table = Table::decode(&list.table)?;
        // The table is as it was at its publication; the changes since are in the chain.
        for body in shelf.bodies.iter().skip(usize::try_from(table.next_seq()).unwrap_or(usize::MAX).saturating_sub(1)) {
            table.take(&body.0, body.1)?;
        }
        let mut readable = Vec::new();
        for parts in list.entries {
            let entry = Entry::read(&parts.capsule, &parts.reason)?;
            let status = table.status(parts.slot).map_or(Status::Unreadable, |(status, _)| status);
            readable.push(Readable { slot: parts.slot, entry, status, parts });
        }
        Ok((readable, table, shelf))
    }

    /// All entries that the desk can read, for whoever has to decide on a contest.
    ///
    /// # Errors
    /// When there is no list yet.
    pub fn entries(&self, now: i64) -> Result<Vec<Readable>> {
        Ok(self.list(now)?.0)
    }

    /// Reads the questions of a file, without answering.
    ///
    /// # Errors
    /// When the file is none, or there is no list yet.
    pub fn questions(&self, file: &[u8], now: i64) -> Result<Vec<Question>> {
        let (entries, _, shelf) = self.list(now)?;
        let me = self.identity.public.key;
        let mut questions = Vec::new();
        let mut counted: Vec<Answered> = self.state.answered.clone();
        for envelope in Envelope::read_all(file, MOST_ENVELOPES)? {
            let expected = Expected { recipient: Some(&me), list: Some(&shelf.tip.list), ..Expected::default() };
            envelope.open(Kind::Ask, &expected, now).map_err(|why| Error::Refused("a question".to_owned(), why))?;
            let ask = Ask::open(&envelope, &self.identity.opener)?;
            let key = Hex(envelope.header.sender);
            let known = self.state.providers.iter().find(|known| known.key == key);
            let about = entries.iter().find(|one| one.entry.id == ask.entry && one.entry.version == ask.version).cloned();
            let question = Hex(envelope.hash());
            let again = counted.iter().any(|answered| answered.question == question);
            let used = counted.iter().filter(|answered| answered.provider == key && quarter(answered.at) == quarter(now)).count();
            let refused = match (known, &about) {
                (None, _) => {
                    Some("nobody admitted this provider; compare its fingerprint and use `sluis watchlist desk admit`".to_owned())
                }
                (_, None) => Some("there is no such entry in the newest list; the provider has to match anew".to_owned()),
                (_, Some(about)) if about.status == Status::Withdrawn => {
                    Some("the entry was withdrawn; nothing may rest on it".to_owned())
                }
                _ if !again && used >= MOST_A_QUARTER => Some(format!(
                    "this provider had its {MOST_A_QUARTER} answers of this quarter; a look at what happens there is due"
                )),
                _ => None,
            };
            if refused.is_none() && !again {
                counted.push(Answered { provider: key, question, at: now });
            }
            questions.push(Question {
                provider: known.map_or_else(|| matching::envelope::fingerprint(&key.0), |known| known.name.clone()),
                why: ask.why.clone(),
                at: ask.at,
                about,
                refused,
                ask,
                envelope,
            });
        }
        Ok(questions)
    }

    /// Answers questions that were read and not refused: the whole entry, packed for the provider. Gives one file for each provider.
    ///
    /// # Errors
    /// Those of the system. What was answered before a stop is not counted twice.
    pub fn answer(&mut self, questions: &[Question], now: i64, rng: &mut impl CryptoRng) -> Result<Vec<PathBuf>> {
        let outbox = self.folder(OUTBOX)?;
        let mut written: Vec<PathBuf> = Vec::new();
        for question in questions.iter().filter(|question| question.refused.is_none()) {
            let Some(about) = &question.about else { continue };
            let header_of = &question.envelope.header;
            let mut header =
                Header::new(Kind::Answer, self.identity.public.key, header_of.sender, now, now.saturating_add(TRAVEL));
            (header.list, header.epoch, header.under, header.seq) =
                (header_of.list, header_of.epoch, header_of.under, header_of.seq);
            let hash = question.envelope.hash();
            let DeskEntry { capsule, capsule_proof, reason, reason_proof, .. } = about.parts.clone();
            let answer = Answer { question: hash, capsule, capsule_proof, reason, reason_proof };
            let envelope = answer.pack(header, &question.ask.address, &self.identity.signing, rng)?;
            let said = format!("{} {} {} {}", hex(&header_of.sender), hex(&about.entry.id), about.entry.version, hex(&hash));
            self.record()?.add(now, "answered", &said, &self.identity)?;
            if !self.state.answered.iter().any(|answered| answered.question.0 == hash) {
                self.state.answered.push(Answered { provider: Hex(header_of.sender), question: Hex(hash), at: now });
                self.save()?;
            }
            let path = outbox.join(format!("answer-{}-{}.slu", &hex(&header_of.sender)[..8], &hex(&hash)[..8]));
            files::write(&path, &envelope.encode())?;
            written.push(path);
        }
        Ok(written)
    }

    /// Suspends an entry that somebody contests, once for each fact. Gives the file for providers and the list holder.
    ///
    /// # Errors
    /// When there is no such entry, it is not live, or this fact was contested before (M12): then only the list holder can decide.
    pub fn suspend(&mut self, entry: &[u8; 16], fact: &str, now: i64, rng: &mut impl CryptoRng) -> Result<PathBuf> {
        let fact = fact.trim();
        if fact.is_empty() {
            return Err(Error::said("--fact: say which fact is contested; a contest suspends once for each fact"));
        }
        let words: Vec<String> = fact.split_whitespace().map(str::to_lowercase).collect();
        let contest = Contest { entry: hex(entry), fact: hex(&matching::sha256(&[words.join(" ").as_bytes()])), at: now };
        let (entries, mut table, shelf) = self.list(now)?;
        // A suspension that the list holder never heard of is lost with its branch: the entry is live as of before the contest. That fact may
        // be told again; one that the list holder decided on may not (M12).
        let is_lost = |before: &Contest| {
            let mut live = entries.iter().filter(|one| one.entry.id == *entry && one.status == Status::Live);
            live.any(|one| table.status(one.slot).is_some_and(|(_, since)| since < before.at))
        };
        let same = self.state.contests.iter().filter(|before| before.entry == contest.entry && before.fact == contest.fact);
        if same.max_by_key(|before| before.at).is_some_and(|before| !is_lost(before)) {
            return Err(Error::said("this fact of this entry was contested before; once is enough, now the list holder decides"));
        }
        let slots: Vec<(u32, i64)> = entries
            .iter()
            .filter(|one| one.entry.id == *entry && one.status == Status::Live)
            .map(|one| (one.slot, now))
            .collect();
        if slots.is_empty() {
            return Err(Error::said("there is no such entry that holds now; it may be suspended or withdrawn already"));
        }
        let body = table.suspend(&slots, rng)?;
        let mut header = Header::new(Kind::Delta, self.identity.public.key, EVERYBODY, now, shelf.manifest.not_after.max(now));
        (header.list, header.epoch, header.under) = (shelf.tip.list, shelf.tip.epoch, shelf.tip.manifest);
        (header.seq, header.previous) = (shelf.tip.seq + 1, shelf.tip.hash);
        let envelope = Envelope::signed(header, body, &self.identity.signing);
        let bytes = envelope.encode();
        let name = format!("desk-E{}-D{}.slu", shelf.tip.epoch, shelf.tip.seq + 1);
        let path = self.folder(OUTBOX)?.join(&name);
        files::write(&path, &bytes)?;
        self.record()?.add(
            now,
            "suspended",
            &format!("{} {} {}", contest.entry, contest.fact, hex(&envelope.hash())),
            &self.identity,
        )?;
        self.state.contests.push(contest);
        self.save()?;
        files::write(&self.folder(LIST)?.join(&name), &bytes)?;
        Ok(path)
    }
}

fn same_print(a: &str, b: &str) -> bool {
    let letters =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect::<String>();
    letters(a) == letters(b)
}

fn anchor_key(anchor: &Anchor) -> Option<KeyId> {
    anchor.key.public().try_into().ok()
}
