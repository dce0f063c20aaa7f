//! The demo: a provider's year of abuse reports, through the real pipeline, on a clock of its own.
//!
//! [`world`] is what is true: who held what, when. [`story`] is what goes wrong there, [`files`], [`mails`] and [`others`] are the
//! reports of it, and [`administration`] what the provider hands over. [`Play::perform`] gives all of it to a node: files are
//! received at the moment they arrive; in the first months the node observes, and each Monday the administration is imported
//! and the reports are worked off. Then the operator lets it act, and it lives: hour by hour, with an import each morning,
//! but for some days in which the export fails. [`survey`] then looks at what the node made of it, and holds every report
//! against the truth; [`care`] looks at what followed, and [`seal`] has it all sealed and gives one case away, with its proof.

pub(crate) mod administration;
pub(crate) mod care;
mod dice;
pub(crate) mod files;
mod mails;
mod names;
mod others;
pub(crate) mod seal;
mod story;
pub(crate) mod survey;
pub(crate) mod watchlist;
pub(crate) mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Context, Result};
use desk::acts::{Doing, Verb, Which};
use desk::correct::decide::Correcting;
use desk::correct::is_of_minutes;
use desk::import::How;
use desk::{Clock, Desk, Reading};
use model::case::State;
use model::time::{DAY, HOUR, Time};
use parsers::administration::{Finding, Limits, Snapshot, csv, rpsl};
use serde::{Deserialize, Serialize};
use store::clocks::Standing;
use store::listing::Listing;

use files::File;
pub(crate) use others::WEAK_POINT;
use seal::Notary;
use world::{ROUND, World};

/// Folder in the node's data where the demo's own files are.
const FOLDER: &str = "demo";
/// Rounds between two imports of the registry's database, which hardly changes.
const REGISTRY_ROUNDS: i64 = 4;

/// Rounds after which the operator lets the node act; from then on it works every hour.
pub(crate) const OBSERVED_ROUNDS: i64 = 47;
/// Days after that on which the export of customers fails: the first, and the one on which it is there again.
pub(crate) const OUTAGE: (i64, i64) = (17, 21);
/// How old the customers' administration may be.
const FRESH: i64 = 30 * HOUR;
/// What the operator's policy file says when the node is to act.
const POLICY: &str = "name = \"demo\"
[severity.P0]
mode = \"act\"
[severity.P1]
mode = \"act\"
[severity.P2]
mode = \"act\"
[severity.P3]
mode = \"act\"
[severity.P4]
mode = \"act\"
";
/// How long nothing may be heard of a case that is overdue before somebody finds it mended.
const SILENCE: i64 = 4 * DAY;
/// Who decides in the demo.
const PERSON: &str = "Noor";

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
pub(crate) struct SetClock(AtomicI64);

impl SetClock {
    fn time(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, time: Time) {
        self.0.store(time.0, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Time {
        self.time()
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
        let notary = Notary::new(&clock, self.world.start, self.world.end)?;
        let month = Month::default();
        let mut performance = Performance { play: self, directory, desk, clock, notary, files: &self.files, month };
        for round in 0..OBSERVED_ROUNDS {
            let at = self.world.start.plus(round * ROUND);
            performance.begin_month(at, told);
            performance.receive(at)?;
            performance.import(round % REGISTRY_ROUNDS == 0, at)?;
            performance.work(at)?;
            performance.notary.publish(&performance.desk)?;
        }
        performance.live(told)?;
        let Performance { desk, month, mut notary, .. } = performance;
        told(&month);
        notary.give(&desk, directory)?;
        desk.store().checkpoint()?;
        note.finished = true;
        note.write(directory)
    }

    /// Where a file of the year is.
    pub(crate) fn path(&self, directory: &Path, file: &File) -> PathBuf {
        let date = files::date(file.received);
        directory.join(FOLDER).join(date.get(..7).unwrap_or_default()).join(&file.name)
    }
}

/// A play under way on a node.
struct Performance<'p> {
    play: &'p Play,
    directory: &'p Path,
    desk: Desk,
    clock: Arc<SetClock>,
    /// Who publishes what it sealed.
    notary: Notary,
    /// Files that have not arrived yet.
    files: &'p [File],
    month: Month,
}

impl Performance<'_> {
    /// Tells of the month before when `at` is in another.
    fn begin_month(&mut self, at: Time, told: &mut dyn FnMut(&Month)) {
        if self.month.begin.is_some_and(|begin| begin.date().1 != at.date().1) {
            told(&self.month);
            self.month = Month::default();
        }
        self.month.begin = self.month.begin.or(Some(at));
    }

    /// The operator lets the node act, and it does its work every hour until the end.
    fn live(&mut self, told: &mut dyn FnMut(&Month)) -> Result<()> {
        let world = &self.play.world;
        let on = world.start.plus(OBSERVED_ROUNDS * ROUND);
        self.clock.set(on);
        self.desk.set_policy(POLICY, "policy.toml")?;
        self.desk.store().write("demo", |transaction| transaction.set_fresh(administration::CUSTOMERS, FRESH))?;
        let mut at = on;
        while at <= world.end {
            self.begin_month(at, told);
            self.receive(at)?;
            let day = (at.0 - on.0) / DAY;
            if (at.0 - on.0) % DAY == 0 && !(OUTAGE.0..OUTAGE.1).contains(&day) {
                self.import(day % (7 * REGISTRY_ROUNDS) == 0, at)?;
                self.correct()?;
            }
            if (at.0 - on.0) % DAY == 0 {
                self.resolve(at)?;
            }
            self.work(at)?;
            self.desk.seal()?;
            if (at.0 - on.0) % DAY == 0 {
                self.notary.publish(&self.desk)?;
            }
            if self.desk.store().reader()?.read(|transaction| transaction.counter("brake"))? != 0 {
                // What was only shown until today all goes out at once: more than usual, so somebody looks.
                self.desk.brake_off(false, "everything that was open when we switched it on", PERSON)?;
            }
            at = at.plus(HOUR);
        }
        Ok(())
    }

    /// Hands in what arrived before `at`, each file at its own time; they are acknowledged together, as a mailbox is
    /// emptied.
    fn receive(&mut self, at: Time) -> Result<()> {
        let (now, later) = self.files.split_at(self.files.partition_point(|file| file.received < at));
        self.files = later;
        let mut arrived = Vec::with_capacity(now.len());
        for file in now {
            let path = self.play.path(self.directory, file);
            save(&path, &file.bytes)?;
            self.clock.set(file.received);
            let mut reader = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
            arrived.push(self.desk.arrive(file.door, &file.name, &mut reader)?);
        }
        self.desk.acknowledge(arrived)?;
        self.month.submissions += now.len() as u64;
        self.clock.set(at);
        Ok(())
    }

    fn import(&mut self, registry_too: bool, at: Time) -> Result<()> {
        let folder = self.directory.join(FOLDER).join("administration");
        let mut import = |source: &str, kind: &str, text: &str, (said, findings): (Snapshot, Vec<Finding>)| {
            save(&folder.join(format!("{source}-{}.{kind}", files::date(at))), text.as_bytes())?;
            if let Some(finding) = findings.first() {
                anyhow::bail!("{source}, {}: {} ('{}')", finding.place, finding.reason, finding.text);
            }
            let imported = self.desk.import(source, kind, &said, How::Careful)?;
            self.month.begun += imported.changes.begun.len();
            self.month.ended += imported.changes.ended.len();
            Ok(())
        };
        if registry_too {
            let text = administration::registry(&self.play.world);
            let read = rpsl::read(&mut text.as_bytes(), &rpsl::Options::default());
            import(administration::REGISTRY, "rpsl", &text, read)?;
        }
        let text = administration::customers(&self.play.world, at);
        let read = csv::read(&mut text.as_bytes(), None, &Limits::default());
        import(administration::CUSTOMERS, "csv", &text, read)
    }

    /// Cases that turned out to be somebody else's go there: in the demo somebody looks every morning. What was reported
    /// within minutes of a change of holder stays with whom the administration names.
    fn correct(&self) -> Result<()> {
        let waiting = self.desk.store().reader()?.read(|transaction| transaction.waiting_holder_changes(None, 5_000))?;
        let (near, late): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_of_minutes);
        for (changes, moved, reason) in [(near, false, "the service log says so"), (late, true, "the export was late")] {
            let cases: Vec<i64> = changes.iter().map(|change| change.case).collect();
            if !cases.is_empty() {
                let expected = Some(cases.len() as u64);
                let (by, reason) = (PERSON.to_owned(), reason.to_owned());
                self.desk.correct(&Correcting { cases, moved, expected, by, reason })?;
            }
        }
        Ok(())
    }

    /// Every morning somebody looks at cases that should have been mended, and closes those of which nothing was heard since.
    fn resolve(&self, at: Time) -> Result<()> {
        let overdue = Listing { state: Some(State::Open), mended_by: Some(at), ..Listing::default() };
        let overdue = self.desk.store().reader()?.read(|transaction| transaction.list_cases(&overdue, 1_000))?;
        let silent = |standing: &Standing| standing.last_received < at.plus(-SILENCE);
        let cases: Vec<i64> = overdue.iter().filter(|(_, standing)| silent(standing)).map(|(filed, _)| filed.case.id).collect();
        if !cases.is_empty() {
            self.desk.act(&Doing {
                verb: Verb::Resolve { by_operator: false, confirmed: false },
                expected: Some(cases.len() as u64),
                which: Which::These(cases),
                by: PERSON.to_owned(),
                reason: "looked at, and gone".to_owned(),
            })?;
        }
        Ok(())
    }

    /// Works off what came in, and lets clocks run until an hour later.
    fn work(&mut self, at: Time) -> Result<()> {
        let worked = self.desk.work(&|_, _| {})?;
        self.month.reports += worked.applied.reports;
        self.month.opened += worked.applied.opened;
        self.month.customers = administration::active(&self.play.world, at);
        let until = self.play.world.end.min(at.plus(HOUR));
        // A clock that runs out between two hours fires at its own moment.
        while let Some(next) = self.desk.advance()?.next.filter(|next| *next < until && *next > self.desk.now()) {
            self.clock.set(next);
        }
        Ok(())
    }
}

/// Removes what a demo left in `directory`, and nothing else.
///
/// # Errors
/// When another process works on it, or it cannot be removed.
pub(crate) fn remove(directory: &Path) -> Result<()> {
    // While the node is open here nobody else works on it; it goes before its files do.
    drop(Desk::open(directory, Arc::new(desk::SystemClock), Reading::default())?);
    let parts = [
        "sluis.db",
        "sluis.db-wal",
        "sluis.db-shm",
        "keys.db",
        "keys.db-wal",
        "keys.db-shm",
        "kek",
        "log",
        "signed",
        "lock",
        "raw",
        "spool",
        FOLDER,
    ];
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
