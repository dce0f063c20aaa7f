//! A party's directory, and what it holds there of each task: the task with its signatures, the cohort, and the files of its work.

use std::{
    fs,
    path::{Path, PathBuf},
};

use matching::{
    Digest,
    envelope::{EVERYBODY, Envelope, Expected, Header, KeyId, Kind},
    tally::{Cohort, Role, Task},
};
use rand_core::CryptoRng;

use super::{Error, MOST_FILE, rule};
use crate::{
    files::{self, Lock},
    keys::{self, Identity, hex, unhex},
};

/// A party's directory, open for one process.
#[derive(Debug)]
pub struct Home {
    pub(super) dir: PathBuf,
    /// Who it is.
    pub identity: Identity,
    _lock: Lock,
}

impl Home {
    /// Makes one, with new keys in `identity.key` and, for everybody, `identity.key.pub`.
    ///
    /// # Errors
    /// When there are keys already, and those of the system.
    pub fn create(
        dir: &Path,
        role: keys::Role,
        name: &str,
        passphrase: Option<&str>,
        rng: &mut impl CryptoRng,
    ) -> Result<Home, Error> {
        files::directory(dir)?;
        let lock = Lock::of(dir)?;
        let identity = keys::create(&dir.join("identity.key"), role, name, passphrase, rng)?;
        Home::with(dir, identity, lock)
    }

    /// Opens one.
    ///
    /// # Errors
    /// When another process is at work there, its keys are for another role, or the passphrase is another.
    pub fn open(dir: &Path, role: keys::Role, passphrase: Option<&str>) -> Result<Home, Error> {
        let lock = Lock::of(dir)?;
        let identity = keys::open(&dir.join("identity.key"), role, passphrase)?;
        Home::with(dir, identity, lock)
    }

    /// Opens one, whatever its role.
    ///
    /// # Errors
    /// As [`Home::open`].
    pub fn of(dir: &Path, passphrase: Option<&str>) -> Result<Home, Error> {
        let path = keys::public_path(&dir.join("identity.key"));
        let bytes = files::read(&path, 8 * 1024)?;
        let text = std::str::from_utf8(&bytes).or_else(|_| rule("identity.key.pub is not text; take it back from a backup"))?;
        Home::open(dir, keys::Public::parse(text)?.role, passphrase)
    }

    fn with(dir: &Path, identity: Identity, lock: Lock) -> Result<Home, Error> {
        for folder in ["tally/tasks", "tally/keys", "tally/released"] {
            files::directory(&dir.join(folder))?;
        }
        Ok(Home { dir: dir.to_owned(), identity, _lock: lock })
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> KeyId {
        self.identity.public.key
    }

    /// Which aggregator or collector it is.
    ///
    /// # Errors
    /// When it is none.
    pub fn role(&self) -> Result<Role, Error> {
        match self.identity.public.role {
            keys::Role::Leader => Ok(Role::Leader),
            keys::Role::Helper => Ok(Role::Helper),
            keys::Role::Collector => Ok(Role::Collector),
            other => rule(format!("this directory is a {other}'s; the leader, helper or collector of the task does this")),
        }
    }

    /// That it is one of these roles.
    pub(super) fn must_be(&self, roles: &[Role]) -> Result<Role, Error> {
        let role = self.role()?;
        if roles.contains(&role) {
            return Ok(role);
        }
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        rule(format!("this directory is the {}'s; the {} does this", role.name(), names.join(" or the ")))
    }

    fn folder(&self, task: &Digest) -> PathBuf {
        self.dir.join("tally/tasks").join(hex(task))
    }

    /// The tasks it knows, by their names.
    ///
    /// # Errors
    /// Those of the system.
    pub fn tasks(&self) -> Result<Vec<Digest>, Error> {
        let folder = self.dir.join("tally/tasks");
        let mut found: Vec<Digest> = names(&folder)?.iter().filter_map(|name| unhex(name).ok()).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// The task with this name, or the only one when none is given.
    ///
    /// # Errors
    /// When it is not there, or there is more than one to choose from.
    pub fn task(&self, named: Option<&str>) -> Result<Held, Error> {
        let named = named.map(str::to_lowercase);
        let all = self.tasks()?;
        let fits: Vec<&Digest> = all.iter().filter(|id| named.as_ref().is_none_or(|named| hex(*id).starts_with(named))).collect();
        match fits.as_slice() {
            [] => rule("there is no such task here; take the task's file in with 'sluis tally join'"),
            [id] => self.held(id),
            _ => rule("there are several tasks here; name one by the first letters of its name"),
        }
    }

    /// What it holds of a task.
    ///
    /// # Errors
    /// When it does not know it, or a file of it is broken.
    pub fn held(&self, id: &Digest) -> Result<Held, Error> {
        let folder = self.folder(id);
        let Some(bytes) = files::read_if_there(&folder.join("task.slu"), MOST_FILE)? else {
            return rule(
                "this belongs to a task that this directory does not know; take the task's file in with 'sluis tally join'",
            );
        };
        let (envelope, cohort) = read_task(&bytes)?;
        let task = Task::decode(&envelope.body)?;
        Ok(Held { task, id: *id, envelope, cohort, folder })
    }

    /// Takes a task in, or more signatures of one. An aggregator and the collector sign it: that they are who it says, and take the role.
    /// Gives the file as it now is, for the next.
    ///
    /// # Errors
    /// When it is not the author's, does not name this party, breaks a rule, or the key of verification is not here.
    pub fn join(&self, bytes: &[u8], author: &KeyId, now: i64) -> Result<Held, Error> {
        let (mut envelope, mut cohort) = read_task(bytes)?;
        let task = Task::decode(&envelope.body)?;
        let id = task.id();
        let expected = Expected { sender: Some(author), under: Some(&id), ..Expected::default() };
        envelope.open(Kind::Task, &expected, now)?;
        if task.author != *author {
            return rule("its author is another than who sent it; do not use it");
        }
        if let Some(cohort) = &cohort {
            check_cohort(&task, &id, cohort, author, now)?;
        }
        let folder = self.folder(&id);
        if let Ok(known) = self.held(&id) {
            for (key, signature) in known.envelope.signatures {
                if !envelope.is_signed_by(&key) {
                    envelope.signatures.retain(|(other, _)| *other != key);
                    envelope.signatures.push((key, signature));
                }
            }
            cohort = cohort.or(known.cohort);
        }
        let parties = [task.leader.signing, task.helper.signing, task.collector.signing, task.author];
        envelope.signatures.retain(|(key, _)| parties.contains(key));
        envelope.signatures.sort_unstable();
        let held = Held { task, id, envelope, cohort, folder };
        let held = self.agree(held, now)?;
        files::directory(&held.folder)?;
        files::write(&held.folder.join("task.slu"), &held.file())?;
        Ok(held)
    }

    /// Signs a task that names this party in its role, and looks whether a provider is in the cohort.
    fn agree(&self, mut held: Held, now: i64) -> Result<Held, Error> {
        if self.identity.public.role == keys::Role::Provider {
            if held.cohort()?.member(&self.key()).is_none() {
                return rule("this provider is not in the cohort; the association enrols it for the next period");
            }
            return Ok(held);
        }
        if self.identity.public.role == keys::Role::Association {
            return Ok(held);
        }
        let role = self.role()?;
        let party = held.task.party(role);
        if party.signing != self.key() || party.sealing != self.identity.public.address {
            return rule(format!("the task names another {}; check the fingerprints with the association", role.name()));
        }
        if role != Role::Collector {
            let members: Vec<KeyId> = held.cohort()?.members().iter().map(|member| member.key).collect();
            self.verify_key(&held.task)?;
            self.check_spent(&held.task, &members, now)?;
        }
        if now <= held.task.ends {
            held.envelope.sign(&self.identity.signing);
        }
        Ok(held)
    }
}

fn check_cohort(task: &Task, id: &Digest, envelope: &Envelope, author: &KeyId, now: i64) -> Result<(), Error> {
    let expected = Expected { sender: Some(author), under: Some(id), ..Expected::default() };
    let cohort = Cohort::decode(envelope.open(Kind::Cohort, &expected, now)?)?;
    if cohort.root() != task.cohort || cohort.size()? != task.size {
        return rule("the cohort in the file is not the one that the task names; ask the association for both again");
    }
    cohort.least(task.floor)?;
    Ok(())
}

/// A task's file: its envelope, and, for aggregators and members alone, that of its cohort.
fn read_task(bytes: &[u8]) -> Result<(Envelope, Option<Envelope>), Error> {
    let mut all = Envelope::read_all(bytes, 2)?;
    let cohort = if all.len() == 2 { all.pop() } else { None };
    match all.pop() {
        Some(task) => Ok((task, cohort)),
        None => rule("the file is empty; ask for it again"),
    }
}

/// What a directory holds of one task.
#[derive(Debug, Clone)]
pub struct Held {
    /// The task.
    pub task: Task,
    /// Its name.
    pub id: Digest,
    pub(super) envelope: Envelope,
    cohort: Option<Envelope>,
    pub(super) folder: PathBuf,
}

impl Held {
    /// Its cohort.
    ///
    /// # Errors
    /// When it was not in the file.
    pub fn cohort(&self) -> Result<Cohort, Error> {
        match &self.cohort {
            Some(envelope) => Ok(Cohort::decode(&envelope.body)?),
            None => rule("the task came without its cohort; ask the association for the file for members"),
        }
    }

    /// The file for members and aggregators: with the cohort, when it is here.
    #[must_use]
    pub fn file(&self) -> Vec<u8> {
        [self.public_file(), self.cohort.as_ref().map(Envelope::encode).unwrap_or_default()].concat()
    }

    /// The file for everybody: without the cohort.
    #[must_use]
    pub fn public_file(&self) -> Vec<u8> {
        self.envelope.encode()
    }

    /// Whose signatures are missing still.
    #[must_use]
    pub fn unsigned(&self) -> Vec<Role> {
        [Role::Leader, Role::Helper, Role::Collector]
            .into_iter()
            .filter(|role| !self.envelope.is_signed_by(&self.task.party(*role).signing))
            .collect()
    }

    /// That all have signed it.
    pub(super) fn must_be_signed(&self) -> Result<(), Error> {
        match self.unsigned().first() {
            None => Ok(()),
            Some(role) => rule(format!(
                "the {} has not signed the task; get its signed file and take it in with 'sluis tally join'",
                role.name()
            )),
        }
    }

    /// A header of this task.
    pub(super) fn header(&self, kind: Kind, from: KeyId, to: KeyId, now: i64) -> Header {
        let mut header = Header::new(kind, from, to, now, self.task.ends);
        header.under = self.id;
        header
    }

    /// What an envelope of this task must be, from this party, for us or everybody.
    pub(super) fn open<'a>(
        &self,
        envelope: &'a Envelope,
        kind: Kind,
        from: &KeyId,
        us: &KeyId,
        now: i64,
    ) -> Result<&'a [u8], Error> {
        let expected =
            Expected { sender: Some(from), recipient: Some(us), everybody: true, under: Some(&self.id), ..Expected::default() };
        Ok(envelope.open(kind, &expected, now)?)
    }

    /// One of its files.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(files::read_if_there(&self.folder.join(name), MOST_FILE)?)
    }

    /// Writes one of its files, whole or not at all.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            files::directory(folder)?;
        }
        Ok(files::write(&path, bytes)?)
    }

    /// The names of the files in one of its folders.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        names(&self.folder.join(folder))
    }
}

/// The names in a folder, sorted; none when it is not there. Files that were being written when the power went are passed over.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(files::Error::System { path: folder.to_owned(), source }.into()),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| files::Error::System { path: folder.to_owned(), source })?;
        match entry.file_name().into_string() {
            Ok(name) if !name.ends_with(".new") => names.push(name),
            _ => {}
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// An envelope for everybody, signed by its sender.
pub(super) fn for_everybody(held: &Held, kind: Kind, home: &Home, body: Vec<u8>, now: i64) -> Envelope {
    Envelope::signed(held.header(kind, home.key(), EVERYBODY, now), body, &home.identity.signing)
}
