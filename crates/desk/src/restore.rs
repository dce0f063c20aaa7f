//! Restoring: a backup becomes a data directory again, says what is missing, and reads again what is still there.
//!
//! Nothing goes out twice: what waited in the outbox when the backup was taken may have been sent since, and so may what is
//! decided about reports that are read again. All that is held until a person has looked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::outbox::{Delivery, Hold};
use model::submission::{Door, PublicId};
use model::time::{DAY, Time};
use store::Engine;
use store::backup::copy_file;
use store::keys::Keys;

use crate::backup::{self, Lost, failed, make};
use crate::{Clock, Desk, Error, Reading};

/// What is to be restored, and where to.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// A backup, or a folder of backups: then the newest.
    pub from: &'a Path,
    /// The folder of the keys.
    pub keys: Option<&'a Path>,
    /// The data directory: empty, or not there.
    pub data: &'a Path,
    /// Where the rows go. PostgreSQL's database must be empty.
    pub engine: &'a Engine,
}

/// What a restored node has and lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub folder: PathBuf,
    /// When it was taken: from then on things are missing.
    pub taken: Time,
    /// Until when.
    pub now: Time,
    /// Submissions in it.
    pub submissions: i64,
    /// Cases in it.
    pub cases: i64,
    /// Bytes that were copied.
    pub bytes: u64,
    /// Files that lay outside of the data directory, and where they are now.
    pub settings: Option<PathBuf>,
    /// Letters that waited, and are held now.
    pub held: u64,
    /// Whether there were keys.
    pub has_keys: bool,
    /// Submissions whose bytes cannot be read any more.
    pub lost: Lost,
    /// Erasures in the seal that the keys have been through and the rows know nothing of: what they took out of rows is in them again.
    pub erased_since: u64,
}

/// What was read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// Files that were looked at.
    pub files: u64,
    /// Those whose bytes were not here: they are submissions now.
    pub new: u64,
}

/// Makes a data directory of a backup.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] when the backup is not whole, [`Error::Conflict`] when the target is not empty,
/// [`Error::Unavailable`]. The target is then not to be used: empty it and try again.
pub fn restore(plan: &Plan<'_>, clock: Arc<dyn Clock>) -> Result<Restored, Error> {
    let (folder, manifest) = backup::find(plan.from)?;
    let is_empty = std::fs::read_dir(plan.data).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        return Err(Error::Conflict(format!(
            "{}: there is something here already; a backup is restored into a directory that is empty or not there",
            plan.data.display()
        )));
    }
    let is_sqlite = manifest.engine == "sqlite";
    if is_sqlite != matches!(plan.engine, Engine::Sqlite) {
        return Err(Error::Invalid(format!(
            "the rows in this backup are of {}, and the configuration asks for the other database",
            manifest.engine
        )));
    }
    // Everything is looked at before anything is written.
    for entry in &manifest.files {
        let path = folder.join(&entry.path);
        let size = std::fs::metadata(&path).map_err(|error| failed(&path, &error))?.len();
        if size != entry.sum.0 {
            return Err(Error::Invalid(format!("{}: has {size} bytes, and had {}", path.display(), entry.sum.0)));
        }
    }
    let keys = plan.keys.map(|keys| keys.join("keys.db"));
    if let Some(keys) = &keys {
        Keys::open_to_read(keys).map_err(|error| Error::NotFound(format!("{}: {error}", keys.display())))?;
    }
    make(plan.data)?;
    let mut settings = None;
    for entry in &manifest.files {
        let to = match entry.path.split_once('/') {
            Some(("data", name)) => plan.data.join(name),
            Some(("settings", name)) => {
                let folder = plan.data.join("settings-of-backup");
                let to = folder.join(name);
                settings = Some(folder);
                to
            }
            Some(("postgres", _)) => continue,
            _ => plan.data.join(&entry.path),
        };
        if let Some(parent) = to.parent() {
            make(parent)?;
        }
        if copy_file(&folder.join(&entry.path), &to)? != entry.sum {
            return Err(Error::Invalid(format!(
                "{}: its bytes are not those that were written ('sluis backup check' lists all that are wrong); take an older \
                 backup",
                folder.join(&entry.path).display()
            )));
        }
    }
    if !is_sqlite {
        store::db::load_tables(&folder.join("postgres"), manifest.schema, plan.engine)?;
    }
    if let Some(keys) = &keys {
        store::backup::bring_back_keys(keys, &plan.data.join("keys.db"))?;
    }
    let been_through = match &keys {
        Some(keys) => Keys::open_to_read(keys)?.erasures()?,
        None => 0,
    };
    let desk = Desk::open_on(plan.data, plan.engine, clock, Reading::default())?;
    let known = desk.store.reader()?.read(|transaction| transaction.last_destroyed())?;
    desk.begin_numbers_again()?;
    let now = desk.now();
    let held = desk.store.write("restore", |transaction| transaction.set_restored(manifest.taken, now))?;
    let lost = backup::lost(&mut desk.store.reader()?, plan.data, desk.store.keys())?;
    Ok(Restored {
        folder,
        taken: manifest.taken,
        now,
        submissions: manifest.submissions,
        cases: manifest.cases,
        bytes: manifest.bytes(),
        settings,
        held,
        has_keys: keys.is_some(),
        lost,
        erased_since: u64::try_from(been_through - known).unwrap_or(0),
    })
}

impl Desk {
    /// Takes in, once more, what lies in a folder: what a mailbox or an archive still has of the time that is missing.
    /// What is known is counted and not reported again, whatever door it came through. A maildir is looked through in
    /// `new` and `cur`, another folder with all folders in it; files older than `since` are passed over. Nothing is moved.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such folder, [`Error::Unavailable`].
    pub fn take_again(&self, folder: &Path, since: Option<Time>) -> Result<Again, Error> {
        if !folder.is_dir() {
            return Err(Error::NotFound(format!("{}: there is no such folder", folder.display())));
        }
        let is_maildir = folder.join("cur").is_dir() && folder.join("new").is_dir();
        let mut folders = if is_maildir { vec![folder.join("cur"), folder.join("new")] } else { vec![folder.to_owned()] };
        let mut again = Again::default();
        while let Some(folder) = folders.pop() {
            let mut entries: Vec<PathBuf> = std::fs::read_dir(&folder)
                .map_err(|error| failed(&folder, &error))?
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect();
            entries.sort();
            for path in entries {
                let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
                if metadata.is_dir() && !is_maildir {
                    folders.push(path);
                } else if metadata.is_file() && since.is_none_or(|since| changed(&metadata) >= since.0) {
                    again.files += 1;
                    again.new += u64::from(self.take_file_again(&path, is_maildir)?);
                }
            }
        }
        Ok(again)
    }

    fn take_file_again(&self, path: &Path, is_maildir: bool) -> Result<bool, Error> {
        let mut file = std::fs::File::open(path).map_err(|error| failed(path, &error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = if is_maildir { name.split(":2,").next().unwrap_or_default() } else { &name };
        let door = if is_maildir { Door::Maildir } else { Door::File };
        let mut arrived = self.arrive(door, name, &mut file)?;
        let digest = arrived.written.digest;
        if let Some(door) = self.store.reader()?.read(|transaction| transaction.door_of(&digest))? {
            arrived.door = door;
        }
        let receipts = self.acknowledge(vec![arrived])?;
        Ok(receipts.iter().any(|receipt| matches!(receipt, store::submissions::Receipt::New(_))))
    }

    /// What is not as it should be with this node as a whole.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn condition(&self) -> Result<store::backup::Condition, Error> {
        Ok(self.store.reader()?.read(|transaction| transaction.condition())?)
    }

    /// A person has looked at a restored node: what is decided from now on may go. What was held until now stays held,
    /// unless it is to be let go or withdrawn: how many entries of the outbox that are. May be said more than once.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there is nothing to be looked at, [`Error::Unavailable`].
    pub fn confirm_restored(&self, release: bool, withdraw: bool, by: &str) -> Result<u64, Error> {
        let now = self.now();
        self.store.write("confirm", |transaction| {
            let was = transaction.confirm_restored()?;
            let held = transaction.held_by_restore()?;
            if !was && held.is_empty() {
                return Err(Error::Conflict("this node was not restored, or somebody has looked already".to_owned()));
            }
            for &entry in &held {
                if release {
                    if let Some(entry) = transaction.entry(entry)? {
                        transaction.set_hold(&entry, Hold::Free, by, "the restored node was looked at")?;
                    }
                } else if withdraw {
                    transaction.end_entry(entry, Delivery::Withdrawn, "it went out before the node was restored", by, now)?;
                }
            }
            Ok(held.len() as u64)
        })
    }
}

/// The moment from which on mailboxes are read again: mail servers' clocks and ours may differ, and asking for a day more
/// costs only reading.
pub fn since(taken: Time) -> Time {
    taken.plus(-DAY)
}

/// The first few of a list, for people.
pub fn first(list: &[PublicId], most: usize) -> Vec<String> {
    list.iter().take(most).map(PublicId::to_string).collect()
}

fn changed(metadata: &std::fs::Metadata) -> i64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(i64::MAX, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
