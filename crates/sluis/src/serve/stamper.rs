//! The thread that has the log stamped with the time, by each authority of the settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::Desk;
use desk::seal::anchor::{Anchoring, Authority};

use crate::log::tsa::Tsa;
use crate::serve::logs;

/// Between two looks at what is to be done.
const LOOK: Duration = Duration::from_secs(1);
/// After the log or the database did not let us.
const PAUSE: Duration = Duration::from_secs(5);

/// Starts it. Without authorities there is nothing to do, but for what a process before this one left half done.
///
/// # Errors
/// When there can be no thread.
pub(crate) fn start(desk: &Arc<Desk>, authorities: Vec<Tsa>) -> std::io::Result<()> {
    let desk = Arc::clone(desk);
    // Nobody waits for it at the end: an authority may take its time, and what is cut short is made up for by the next process.
    std::thread::Builder::new().name("stamper".to_owned()).spawn(move || run(&desk, &authorities)).map(drop)
}

fn run(desk: &Desk, authorities: &[Tsa]) {
    let authorities: Vec<&dyn Authority> = authorities.iter().map(|one| one as &dyn Authority).collect();
    let (mut anchoring, mut said) = (Anchoring::default(), Said::default());
    while !desk.is_stopping() {
        let result = desk.anchor(&mut anchoring, &authorities);
        said.of_log(result.as_ref().err());
        said.of_authorities(&anchoring);
        let (begun, pause) = (Instant::now(), if result.is_ok() { LOOK } else { PAUSE });
        while begun.elapsed() < pause && !desk.is_stopping() {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Says what is wrong once, and once that it is over.
#[derive(Default)]
struct Said {
    log: bool,
    authorities: BTreeMap<String, String>,
    clocks: BTreeMap<String, i64>,
}

impl Said {
    fn of_log(&mut self, error: Option<&desk::Error>) {
        let was = std::mem::replace(&mut self.log, error.is_some());
        if let (Some(error), false) = (error, was) {
            let (reason, hint) = logs::cause(&error.to_string());
            tracing::error!(reason, hint, "time-stamps cannot be kept or told of in the log; it is tried again");
        }
    }

    fn of_authorities(&mut self, anchoring: &Anchoring) {
        let now: BTreeMap<String, String> = anchoring.troubles().map(|(name, why)| (name.to_owned(), why.to_owned())).collect();
        for (name, reason) in now.iter().filter(|(name, _)| !self.authorities.contains_key(*name)) {
            tracing::warn!(tsa = name, reason, "gives no time-stamp; it is asked again, ever more seldom");
        }
        for name in self.authorities.keys().filter(|name| !now.contains_key(*name)) {
            tracing::info!(tsa = name, "gives time-stamps again");
        }
        self.authorities = now;
        let clocks: BTreeMap<String, i64> = anchoring.differences().map(|(name, ahead)| (name.to_owned(), ahead)).collect();
        for (name, ahead) in clocks.iter().filter(|(name, _)| !self.clocks.contains_key(*name)) {
            let seconds = ahead / 1_000;
            tracing::warn!(tsa = name, seconds, "its clock is ahead of this machine's by so much: is this one right?");
        }
        self.clocks = clocks;
    }
}
