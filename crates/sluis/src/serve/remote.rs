//! What other commands may have done in this process, because it owns the desk.

use std::io::Read;
use std::sync::atomic::{AtomicU32, Ordering};

use model::submission::{Progress, PublicId};
use parsers::administration::{Limits, changes};

use crate::acts::{self, Act};
use crate::cli::import::View;
use crate::serve::socket::{Again, Import, Remote, Status};
use crate::serve::{Node, wire};

/// Submissions that are listed together.
const PAGE: u32 = 1_000;

/// Counts a command as long as it is under way, however it ends.
struct UnderWay<'a>(&'a AtomicU32);

impl<'a> UnderWay<'a> {
    fn begin(counter: &'a AtomicU32) -> UnderWay<'a> {
        counter.fetch_add(1, Ordering::Relaxed);
        UnderWay(counter)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Remote for Node {
    fn wake(&self) {
        self.intake.wake();
    }

    fn status(&self) -> Status {
        let not_ready = self.not_ready();
        let worked = self.desk.totals().worked;
        let troubles = self.intake.state().parts.into_iter().filter_map(|part| Some((part.name, part.trouble?)));
        let sources = self.figures().map_or_else(|_| Vec::new(), |figures| figures.sources);
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            started: self.started.to_string(),
            listen: self.listen.to_string(),
            not_ready,
            warnings: self.desk.condition().map_or_else(|_| Vec::new(), |condition| condition.warnings()),
            submissions: worked.submissions,
            reports: worked.applied.reports,
            opened: worked.applied.opened,
            joined: worked.applied.joined,
            working: self.intake.is_working(),
            troubles: troubles.collect(),
            sources: sources.into_iter().map(|source| (source.id, source.name)).collect(),
        }
    }

    fn import(&self, import: &Import, body: &mut dyn Read) -> Result<serde_json::Value, String> {
        let _under_way = UnderWay::begin(&self.commands);
        let done = if import.kind == "changes" {
            let told = changes::read(body, &Limits::default())?;
            self.desk.import_changes(&import.source, &told, import.how())
        } else {
            let said = wire::read(body, import.complete).map_err(|error| format!("{error:#}"))?;
            self.desk.import(&import.source, &import.kind, &said, import.how())
        };
        let done = done.map_err(|error| error.to_string())?;
        let mut reader = self.desk.store().reader().map_err(|error| error.to_string())?;
        let view = reader.read(|transaction| View::of(import, &done, transaction)).map_err(|error| format!("{error:#}"))?;
        self.intake.wake();
        serde_json::to_value(view).map_err(|error| error.to_string())
    }

    fn again(&self, again: &Again) -> Result<u64, String> {
        let _under_way = UnderWay::begin(&self.commands);
        let said = |error: store::Error| error.to_string();
        let mut reader = self.desk.store().reader().map_err(said)?;
        let (progress, only_rejects) = match again.which.as_str() {
            "unreadable" => (Some(Progress::Unreadable), false),
            "rejects" => (Some(Progress::Read), true),
            "all" => (None, false),
            which => {
                let which = PublicId::parse(which)
                    .ok_or("name a submission by its 26 letters and digits, or say 'unreadable', 'rejects' or 'all'")?;
                let found = reader.read(|transaction| transaction.submission_by_public(which)).map_err(said)?;
                let submission = found.ok_or_else(|| format!("there is no submission {which}"))?;
                self.desk.read_again(submission.id).map_err(|error| error.to_string())?;
                self.intake.wake();
                return Ok(1);
            }
        };
        let (mut count, mut before) = (0, i64::MAX);
        // Newest first, and each page below the one before it: what is put back meanwhile is not met twice.
        while !self.desk.is_stopping() {
            let page = reader.read(|transaction| transaction.submissions(progress, before, PAGE)).map_err(said)?;
            let Some(last) = page.last() else { break };
            before = last.id;
            for submission in page.iter().filter(|submission| !only_rejects || submission.rejects > 0) {
                self.desk.read_again(submission.id).map_err(|error| error.to_string())?;
                count += 1;
            }
        }
        self.intake.wake();
        Ok(count)
    }

    fn act(&self, act: &Act) -> Result<serde_json::Value, String> {
        let _under_way = UnderWay::begin(&self.commands);
        let outcome = acts::perform(&self.desk, act).map_err(|error| error.to_string())?;
        // Clocks may have been woken.
        self.intake.wake();
        Ok(outcome)
    }
}
