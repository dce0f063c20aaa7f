//! The work: one file per thing the abuse desk does. Each loads, decides and commits.
//!
//! - [`receive`]: bytes become a submission, durable before anybody understands them.
//! - [`screen`]: child abuse material is recognised before anything is acknowledged, and only its traces are kept.
//! - [`work`]: a submission is read, traced, placed in cases and applied, batch by batch.
//! - [`advance`]: cases whose moment has come are looked at again: the clocks.
//! - [`advisory`]: advice about weak points, and what follows when one is exploited.
//! - [`outbox`]: what would be sent or done, let go or discarded by people.
//! - [`place`]: which reports of a batch belong together; a pure function.
//! - [`policy`]: the policy file, its versions, and which one is in force; [`calendar`]: its business days.
//! - [`acts`]: what people do to cases.
//! - [`alert`]: what wakes people, whom, and when.
//! - [`import`]: an address administration is compared with what is known, and changes it.
//! - [`correct`]: cases that turn out to be another party's.
//! - [`changes`]: changes of it that are told one by one, for those who have thousands a day.
//! - [`progress`]: what this process did since it began, and how it is asked to stop.
//! - [`seal`]: what waits becomes entries of the log, which is signed and published.
//! - [`sender`]: who a mail is from, and what proves it.
//! - [`simulate`]: what another policy would have done over what is recorded.
//! - [`mailboxes`]: from which mail on a mailbox on a server is taken.
//! - [`taking`]: what people find in submissions that no format understood becomes reports.
//! - [`spool`]: where bytes wait when another process owns the desk, and the maildirs that are watched.
//!
//! [`Desk`] is a node at work: its store, its index of who held what, and its clock. Time is passed in through
//! [`Clock`], so every test repeats. Everything here blocks.

pub mod acts;
pub mod advance;
pub mod advisory;
pub mod alert;
pub mod backup;
pub mod calendar;
pub mod changes;
pub mod correct;
mod decide;
pub mod fetches;
pub mod forget;
pub mod import;
pub mod mailboxes;
pub mod outbox;
pub mod place;
pub mod policy;
pub mod progress;
pub mod receive;
pub mod restore;
pub mod retain;
pub mod screen;
pub mod seal;
pub mod sender;
mod shapes;
pub mod simulate;
pub mod spool;
pub mod taking;
pub mod work;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use model::category::Kind;
use model::chain::Index;
use model::time::Time;
use parsers::formats::csv::Declared;
use parsers::formats::shadowserver::Maps;
use parsers::source::Limits;
use store::apply::Memory;
use store::clocks::Around;
use store::{Engine, Store};

/// What went wrong, by what its reader can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// What was asked for is not well-formed.
    #[error("{0}")]
    Invalid(String),
    /// It does not fit what is there: another process owns the data, the data is newer than the program.
    #[error("{0}")]
    Conflict(String),
    /// It would work at another time: the disk is full, the database is busy.
    #[error("{0}")]
    Unavailable(String),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        match error {
            store::Error::Owned(_) | store::Error::Newer { .. } => Error::Conflict(error.to_string()),
            ref full if full.is_full() => {
                Error::Unavailable(format!("the disk is full ({error}); make room and try again, nothing was lost"))
            }
            _ => Error::Unavailable(error.to_string()),
        }
    }
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Time(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// What readers are told: column maps, a declared CSV, bounds.
#[derive(Debug, Default)]
pub struct Reading {
    /// Column maps of Shadowserver's report types, in place of those the program brings.
    pub maps: Option<Maps>,
    /// The operator's description of a CSV of their own.
    pub declared: Option<Declared>,
    /// The format to use whatever the bytes look like.
    pub format: Option<String>,
    /// What is known of the feeds that are downloaded, by their names.
    pub feeds: BTreeMap<String, Feed>,
    /// Bounds.
    pub limits: Limits,
}

/// What readers are told of what one feed brings.
#[derive(Debug, Default)]
pub struct Feed {
    /// The URL it is fetched from, without what is secret in it.
    pub location: String,
    /// Its format, when its bytes do not tell.
    pub format: Option<String>,
    /// The kind of abuse of all it lists, when it does not say.
    pub kind: Option<Kind>,
    /// The operator's description of its columns.
    pub declared: Option<Declared>,
    /// What one download of it must bring for anything to follow from what it does not name.
    pub expected: store::feeds::Expected,
    /// Whether it lists the world, so that what nobody of ours held is passed over: counted, and in no case.
    pub only_ours: bool,
    /// How long it may bring nothing else than before until somebody is told, in milliseconds; `None` for ever.
    pub quiet: Option<i64>,
}

/// The index with the generation of assignments it was built from.
struct Known {
    index: Index,
    generation: i64,
}

/// A node at work on its data directory.
pub struct Desk {
    store: Store,
    clock: Arc<dyn Clock>,
    reading: Reading,
    known: RwLock<Arc<Known>>,
    /// What decisions look at beside cases; forgotten when an administration is imported.
    around: Mutex<Option<Arc<Around>>>,
    /// Which sources were stale when entries that wait for that were looked at last, and by which policy.
    settled: Mutex<Option<(Vec<bool>, i64)>>,
    /// What workers remember, while they are not at work.
    memories: Mutex<Vec<Memory>>,
    workers: usize,
    totals: Mutex<progress::Totals>,
    stopping: AtomicBool,
    pulse: AtomicU64,
    in_force: RwLock<Arc<policy::InForce>>,
    watched: Mutex<policy::Watched>,
    log: seal::Log,
    senders: sender::Senders,
}

impl Desk {
    /// Opens a data directory whose rows are in SQLite; see [`Desk::open_on`].
    ///
    /// # Errors
    /// As [`Desk::open_on`].
    pub fn open(directory: &Path, clock: Arc<dyn Clock>, reading: Reading) -> Result<Desk, Error> {
        Desk::open_on(directory, &Engine::Sqlite, clock, reading)
    }

    /// Opens a data directory, which no other process may have open to write.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another process owns it or a newer program wrote it, [`Error::Unavailable`] otherwise.
    pub fn open_on(directory: &Path, engine: &Engine, clock: Arc<dyn Clock>, reading: Reading) -> Result<Desk, Error> {
        let store = Store::open_on(directory, engine)?;
        let (index, generation) = store.reader()?.read(|transaction| transaction.index())?;
        let known = RwLock::new(Arc::new(Known { index, generation }));
        let in_force = RwLock::new(Arc::new(policy::InForce { policy: policy::shipped(), version: 0 }));
        let desk = Desk {
            store,
            clock,
            reading,
            known,
            around: Mutex::default(),
            settled: Mutex::default(),
            memories: Mutex::default(),
            workers: if matches!(engine, Engine::Sqlite) { 1 } else { 2 },
            totals: Mutex::default(),
            stopping: AtomicBool::new(false),
            pulse: AtomicU64::new(0),
            in_force,
            watched: Mutex::new(policy::Watched::of(directory)),
            log: seal::Log::default(),
            senders: sender::Senders::default(),
        };
        desk.erase_again()?;
        desk.begin_policy()?;
        Ok(desk)
    }

    /// Sets how many threads work submissions off, 1 to 64. SQLite has one writer, so there it stays at one.
    pub fn set_workers(&mut self, workers: usize) {
        self.workers = if matches!(self.store.engine(), Engine::Sqlite) { 1 } else { workers.clamp(1, 64) };
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Now, by this node's clock.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    fn known(&self) -> Arc<Known> {
        // A panic elsewhere cannot leave a half-written Arc behind.
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_known(&self, index: Index, generation: i64) -> Arc<Known> {
        let known = Arc::new(Known { index, generation });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        *self.around.lock().unwrap_or_else(PoisonError::into_inner) = None;
        known
    }

    /// What decisions look at has changed: it is looked up again.
    fn forget_around(&self) {
        *self.around.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What decisions look at beside cases.
    fn around(&self) -> Result<Arc<Around>, Error> {
        let mut kept = self.around.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(around) = &*kept {
            return Ok(Arc::clone(around));
        }
        let around = Arc::new(self.store.reader()?.read(|transaction| transaction.around())?);
        *kept = Some(Arc::clone(&around));
        Ok(around)
    }
}
