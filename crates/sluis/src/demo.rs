//! The demo: a provider's year of abuse reports, through the real pipeline, on a clock of its own.
//!
//! [`world`] is what is true: who held what, when. [`story`] is what goes wrong there, [`files`] and [`mails`] are the reports
//! of it, and [`administration`] what the provider hands over. [`Play::perform`] gives all of it to a node, week by week:
//! files are received at the moment they arrive; each Monday the administration is imported and the reports are worked
//! off. [`survey`] then looks at what the node made of it, and holds every report against the truth.

pub(crate) mod administration;
mod dice;
pub(crate) mod files;
mod mails;
mod names;
mod story;
pub(crate) mod survey;
pub(crate) mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Context, Result};
use desk::import::How;
use desk::{Clock, Desk, Reading};
use model::time::Time;
use parsers::administration::{Finding, Limits, Snapshot, csv, rpsl};
use serde::{Deserialize, Serialize};

use files::File;
use world::{ROUND, ROUNDS, World};

/// Folder in the node's data where the demo's own files are.
const FOLDER: &str = "demo";
/// Rounds between two imports of the registry's database, which hardly changes.
const REGISTRY_ROUNDS: i64 = 4;

/// A world, and everything that is reported about it.
pub(crate) struct Play {
    seed: u64,
    pub(crate) world: World,
    pub(crate) files: Vec<File>,
}

/// What one month came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Month {
    /// Its first moment in the demo.
    pub(crate) begin: Option<Time>,
    pub(crate) submissions: u64,
    pub(crate) reports: u64,
    /// Cases that were opened.
    pub(crate) opened: u64,
    /// Resources that came to somebody, and that somebody lost.
    pub(crate) begun: usize,
    pub(crate) ended: usize,
    /// Customers who hold something at its end.
    pub(crate) customers: usize,
}

/// A note in the demo's folder: by it a later run knows what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) seed: u64,
    /// The moment, in milliseconds since 1970, before which the year ended.
    pub(crate) now: i64,
    /// Whether it was played to its end.
    pub(crate) finished: bool,
}

impl Note {
    fn path(directory: &Path) -> PathBuf {
        directory.join(FOLDER).join("note.json")
    }

    /// The note of a directory; `None` when no demo was ever there.
    pub(crate) fn read(directory: &Path) -> Option<Note> {
        serde_json::from_slice(&std::fs::read(Note::path(directory)).ok()?).ok()
    }

    fn write(&self, directory: &Path) -> Result<()> {
        save(&Note::path(directory), serde_json::to_string(self)?.as_bytes())
    }
}

/// A clock that is set.
#[derive(Debug)]
struct SetClock(AtomicI64);

impl SetClock {
    fn set(&self, time: Time) {
        self.0.store(time.0, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }
}

impl Play {
    /// The year before `now`, from `seed`.
    pub(crate) fn new(seed: u64, now: Time) -> Play {
        let world = World::new(seed, now);
        let files = files::files(&world, &story::sightings(&world, seed), seed);
        Play { seed, world, files }
    }

    /// Plays the year on a node in `directory`. `told` hears of each month as it ends.
    ///
    /// # Errors
    /// When the directory cannot be written, or another process works on it.
    pub(crate) fn perform(&self, directory: &Path, told: &mut dyn FnMut(&Month)) -> Result<()> {
        let mut note = Note { seed: self.seed, now: self.world.end.0, finished: false };
        let clock = Arc::new(SetClock(AtomicI64::new(self.world.start.0)));
        let desk = Desk::open(directory, Arc::clone(&clock) as Arc<dyn Clock>, Reading::default())?;
        note.write(directory)?;
        let mut files = self.files.as_slice();
        let mut month = Month::default();
        for round in 0..=ROUNDS {
            let at = self.world.start.plus(round * ROUND);
            let (now, later) = files.split_at(files.partition_point(|file| file.received < at));
            files = later;
            if month.begin.is_some_and(|begin| begin.date().1 != at.date().1) {
                told(&month);
                month = Month::default();
            }
            month.begin = month.begin.or(Some(at));
            self.receive(directory, &desk, &clock, now)?;
            clock.set(at);
            self.import(directory, &desk, round, at, &mut month)?;
            let worked = desk.work(&|_, _| {})?;
            month.submissions += now.len() as u64;
            month.reports += worked.applied.reports;
            month.opened += worked.applied.opened;
            month.customers = administration::active(&self.world, at);
        }
        told(&month);
        desk.store().checkpoint()?;
        note.finished = true;
        note.write(directory)
    }

    /// Hands files in, each at its own time; they are acknowledged together, as a mailbox is emptied.
    fn receive(&self, directory: &Path, desk: &Desk, clock: &SetClock, files: &[File]) -> Result<()> {
        let mut arrived = Vec::with_capacity(files.len());
        for file in files {
            let path = self.path(directory, file);
            save(&path, &file.bytes)?;
            clock.set(file.received);
            let mut reader = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
            arrived.push(desk.arrive(file.door, &file.name, &mut reader)?);
        }
        desk.acknowledge(arrived)?;
        Ok(())
    }

    fn import(&self, directory: &Path, desk: &Desk, round: i64, at: Time, month: &mut Month) -> Result<()> {
        let folder = directory.join(FOLDER).join("administration");
        let mut import = |source: &str, kind: &str, text: &str, (said, findings): (Snapshot, Vec<Finding>)| {
            save(&folder.join(format!("{source}-{}.{kind}", files::date(at))), text.as_bytes())?;
            if let Some(finding) = findings.first() {
                anyhow::bail!("{source}, {}: {} ('{}')", finding.place, finding.reason, finding.text);
            }
            let imported = desk.import(source, kind, &said, How::Careful)?;
            month.begun += imported.changes.begun.len();
            month.ended += imported.changes.ended.len();
            Ok(())
        };
        if round % REGISTRY_ROUNDS == 0 {
            let text = administration::registry(&self.world);
            let read = rpsl::read(&mut text.as_bytes(), &rpsl::Options::default());
            import(administration::REGISTRY, "rpsl", &text, read)?;
        }
        let text = administration::customers(&self.world, at);
        let read = csv::read(&mut text.as_bytes(), None, &Limits::default());
        import(administration::CUSTOMERS, "csv", &text, read)
    }

    /// Where a file of the year is.
    pub(crate) fn path(&self, directory: &Path, file: &File) -> PathBuf {
        let date = files::date(file.received);
        directory.join(FOLDER).join(date.get(..7).unwrap_or_default()).join(&file.name)
    }
}

/// Removes what a demo left in `directory`, and nothing else.
///
/// # Errors
/// When another process works on it, or it cannot be removed.
pub(crate) fn remove(directory: &Path) -> Result<()> {
    // While the node is open here nobody else works on it; it goes before its files do.
    drop(Desk::open(directory, Arc::new(desk::SystemClock), Reading::default())?);
    let parts =
        ["sluis.db", "sluis.db-wal", "sluis.db-shm", "keys.db", "keys.db-wal", "keys.db-shm", "lock", "raw", "spool", FOLDER];
    for part in parts {
        let path = directory.join(part);
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| path.display().to_string());
            }
            _ => {}
        }
    }
    Ok(())
}

fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, bytes)
    };
    write().with_context(|| path.display().to_string())
}
