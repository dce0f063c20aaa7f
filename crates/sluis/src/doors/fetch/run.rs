//! The thread of `serve` that has feeds downloaded when they are due, a few at the same time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use desk::Desk;
use store::fetches::Fetch;

use super::Fetcher;
use crate::serve::{Node, logs};

/// Between two looks at what is due.
const LOOK: Duration = Duration::from_secs(1);
/// After the database could not be read or written.
const PAUSE: Duration = Duration::from_secs(60);
/// Feeds that are downloaded at the same time.
const TOGETHER: u32 = 4;

/// Starts the thread. Nobody waits for it at the end: what is cut short has not been received, and comes again.
///
/// # Errors
/// When there can be no thread.
pub(crate) fn start(node: &Arc<Node>, fetchers: Vec<Fetcher>) -> std::io::Result<()> {
    if fetchers.is_empty() {
        return Ok(());
    }
    let node = Arc::clone(node);
    std::thread::Builder::new().name("feeds".to_owned()).spawn(move || {
        let states = fetchers
            .into_iter()
            .map(|fetcher| Arc::new(State { fetcher, under_way: AtomicU32::new(0), after: std::sync::Mutex::new(None) }));
        watch(&node, &states.collect::<Vec<_>>());
    })?;
    Ok(())
}

/// A feed, and what it is about.
struct State {
    fetcher: Fetcher,
    /// 1 while it is being downloaded.
    under_way: AtomicU32,
    /// Not before this, whatever the database says.
    after: std::sync::Mutex<Option<Instant>>,
}

impl State {
    fn may_begin(&self, fetches: &[Fetch], desk: &Desk) -> bool {
        let after = self.after.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = fetches.iter().find(|fetch| fetch.feed == self.fetcher.name);
        self.under_way.load(Ordering::SeqCst) == 0
            && after.is_none_or(|after| after <= Instant::now())
            && self.fetcher.is_due(known, desk.now())
    }

    fn pause(&self) {
        *self.after.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now() + PAUSE);
    }
}

fn watch(node: &Arc<Node>, states: &[Arc<State>]) {
    let desk = &node.desk;
    let under_way = Arc::new(AtomicU32::new(0));
    let mut said = false;
    while !desk.is_stopping() {
        match desk.fetches() {
            Ok(fetches) => {
                said = false;
                for state in states {
                    if under_way.load(Ordering::SeqCst) < TOGETHER && state.may_begin(&fetches, desk) {
                        begin(node, state, &under_way);
                    }
                }
            }
            Err(error) if !said => {
                let (reason, hint) = logs::cause(&error.to_string());
                tracing::error!(reason, hint, "feeds cannot be downloaded, and it is tried again");
                said = true;
            }
            Err(_) => {}
        }
        std::thread::sleep(LOOK);
    }
}

/// Counts down however the work ends.
struct UnderWay(Arc<State>, Arc<AtomicU32>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.store(0, Ordering::SeqCst);
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

fn begin(node: &Arc<Node>, state: &Arc<State>, under_way: &Arc<AtomicU32>) {
    state.under_way.store(1, Ordering::SeqCst);
    under_way.fetch_add(1, Ordering::SeqCst);
    let (node, guard) = (Arc::clone(node), UnderWay(Arc::clone(state), Arc::clone(under_way)));
    let begun = std::thread::Builder::new().name("feed".to_owned()).spawn(move || {
        let fetcher = &guard.0.fetcher;
        if catch_unwind(AssertUnwindSafe(|| look(&node, fetcher))).is_ok_and(|kept| kept) {
            return;
        }
        guard.0.pause();
    });
    if begun.is_err() {
        state.pause();
    }
}

/// Looks once; whether what came of it was kept.
fn look(node: &Node, fetcher: &Fetcher) -> bool {
    let feed = &fetcher.name;
    let was = node.desk.fetches().ok().and_then(|all| all.into_iter().find(|fetch| fetch.feed == *feed));
    let was = was.map(|fetch| fetch.trouble).unwrap_or_default();
    let chance = u16::from_be_bytes(store::keys::random().unwrap_or([128, 0]));
    match fetcher.look(&node.desk, chance) {
        Ok(looked) => {
            if looked.received > 0 {
                tracing::info!(feed, submissions = looked.received, "downloaded");
                node.intake.wake();
            }
            match (looked.trouble.as_str(), was.as_str()) {
                ("", "") => tracing::debug!(feed, "looked at"),
                ("", _) => tracing::info!(feed, "can be downloaded again"),
                (reason, was) if reason != was && !node.desk.is_stopping() => {
                    tracing::warn!(feed, reason, hint = "it is tried again, ever more seldom", "a feed cannot be downloaded");
                }
                _ => {}
            }
            true
        }
        Err(_) if node.desk.is_stopping() => false,
        Err(error) => {
            let (reason, hint) = logs::cause(&error.to_string());
            tracing::error!(feed, reason, hint, "what came of a download was not kept, and it is tried again");
            false
        }
    }
}
