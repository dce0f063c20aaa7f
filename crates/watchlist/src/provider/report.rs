//! What a person reads before deciding: the candidates with their explanation, as a table, as JSON and as one HTML file that loads nothing.
//!
//! Customers that opened nothing do not stand in it, nor do listed names that do not resemble a customer: of those there is a number only.

mod html;
mod text;
mod words;

use serde::{Deserialize, Serialize};

use super::hits::{Changes, Hit, Hits, Status};

pub use html::html;
pub use text::{hit as hit_text, table};
pub use words::{Language, day, decision, line_no_measure};

/// A finding of one run, for people and machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this form.
    pub version: u32,
    /// When it was made, in milliseconds since 1970 UTC.
    pub made: i64,
    /// What it was held against.
    pub list: List,
    /// What was looked at.
    pub customers: Customers,
    /// What changed since the last time.
    pub changes: Changes,
    /// What is known now, also of earlier runs.
    pub hits: Vec<Hit>,
    /// What to do next, most urgent first.
    pub next: Vec<Next>,
    /// What went wrong on the way, in words.
    pub problems: Vec<String>,
    /// Who may see it: the strictest label of what stands in it.
    pub tlp: String,
    /// What may be done with it.
    pub pap: String,
}

/// The list, as its newest files have it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Its name.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// The epoch.
    pub epoch: u32,
    /// Until when this epoch holds.
    pub until: i64,
    /// The newest change that was taken in; zero for the list as it was published.
    pub delta: u64,
    /// When that was made.
    pub delta_at: i64,
    /// The log that proves it.
    pub log: String,
    /// The size of that log.
    pub log_size: u64,
    /// Whether witnesses signed the log.
    pub witnessed: bool,
    /// Where to contest an entry.
    pub contest: String,
}

/// What was looked at. Numbers alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customers {
    /// Customers in the file.
    pub all: u64,
    /// Customers of whom nothing could be compared. Somebody should look why.
    pub without_tokens: u64,
    /// The first of those, by number.
    pub without_tokens_first: Vec<String>,
    /// Cells that could not be used.
    pub cells_refused: u64,
    /// Different tokens of all customers.
    pub tokens: u64,
    /// Those that were answered and looked up.
    pub looked_up: u64,
    /// Those that were not answered yet: of them nothing is known.
    pub unanswered: u64,
    /// Entries that opened and whose name does not resemble the customer's: not shown, not kept.
    pub unlike: u64,
    /// Entries that opened and are not valid: not in the log, or not readable.
    pub invalid: u64,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Next {
    /// Decide again on hits whose entry was withdrawn.
    Reconsider {
        /// How many.
        hits: u64,
        /// Days left of the first.
        days: i64,
    },
    /// Take a file to the evaluator, and come back with its answer.
    Send {
        /// The file.
        file: String,
        /// To whom.
        to: String,
    },
    /// Ask the desk for the reason of hits that a name alone opened.
    Ask {
        /// Which.
        hits: Vec<String>,
    },
    /// Look at hits nobody decided on.
    Decide {
        /// How many.
        hits: u64,
    },
    /// Get newer files of the list.
    Renew {
        /// Why.
        why: String,
    },
    /// More batches wait for their time, so that traffic says nothing.
    Wait {
        /// How many tokens wait.
        tokens: u64,
        /// When the next batch may go.
        until: i64,
    },
    /// Something opened that is not valid. Tell the list holder and the association.
    Tell {
        /// How many.
        entries: u64,
    },
    /// Nothing: come back with the next delta.
    Nothing,
}

impl Report {
    /// Of what is known, with the steps that follow from it alone put in order.
    #[must_use]
    pub fn new(list: List, customers: Customers, hits: &Hits, changes: Changes, next: Vec<Next>, now: i64) -> Report {
        let mut report = Report {
            version: 1,
            made: now,
            list,
            customers,
            changes,
            hits: hits.hits.clone(),
            next,
            problems: Vec::new(),
            tlp: String::new(),
            pap: String::new(),
        };
        report.hits.sort_by_key(|hit| (rank(hit), std::cmp::Reverse(hit.sureness), hit.id.clone()));
        report.next.extend(report.steps(now));
        if report.next.is_empty() {
            report.next.push(Next::Nothing);
        }
        report.next.sort_by_key(|next| match next {
            Next::Reconsider { .. } => 0,
            Next::Tell { .. } => 1,
            Next::Renew { .. } => 2,
            Next::Send { .. } => 3,
            Next::Ask { .. } => 4,
            Next::Decide { .. } => 5,
            Next::Wait { .. } => 6,
            Next::Nothing => 7,
        });
        let reasons = || report.hits.iter().filter_map(|hit| hit.entry.reason.as_ref());
        let tlp = strictest(reasons().map(|reason| reason.tlp.as_str()), &TLP);
        let pap = strictest(reasons().map(|reason| reason.pap.as_str()), &PAP);
        (report.tlp, report.pap) = (tlp, pap);
        report
    }

    fn steps(&self, now: i64) -> Vec<Next> {
        let mut steps = Vec::new();
        let days: Vec<i64> = self.hits.iter().filter_map(|hit| hit.days_left(now)).collect();
        if let Some(first) = days.iter().min() {
            steps.push(Next::Reconsider { hits: days.len() as u64, days: *first });
        }
        let open = || self.hits.iter().filter(|hit| hit.is_to_decide());
        let ask: Vec<String> =
            open().filter(|hit| hit.entry.reason.is_none() && hit.asked.is_none()).map(|hit| hit.id.clone()).collect();
        if !ask.is_empty() {
            steps.push(Next::Ask { hits: ask });
        }
        let decide = open().count() as u64;
        if decide > 0 {
            steps.push(Next::Decide { hits: decide });
        }
        if self.customers.invalid > 0 {
            steps.push(Next::Tell { entries: self.customers.invalid });
        }
        steps
    }

    /// As JSON, for machines. Text in it is as it was: whoever shows it escapes it.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// In which part of the report a hit stands.
fn rank(hit: &Hit) -> u8 {
    match (&hit.reconsider, hit.is_open(), hit.entry.status) {
        (Some(_), _, _) => 0,
        (None, true, Status::Live) => 1,
        (None, true, _) => 2,
        (None, false, Status::Live | Status::Suspended) => 3,
        (None, false, _) => 4,
    }
}

/// TLP 2.0 (FIRST), strictest first.
const TLP: [&str; 5] = ["TLP:RED", "TLP:AMBER+STRICT", "TLP:AMBER", "TLP:GREEN", "TLP:CLEAR"];
/// The permissible actions protocol (MISP), strictest first.
const PAP: [&str; 4] = ["PAP:RED", "PAP:AMBER", "PAP:GREEN", "PAP:CLEAR"];

/// The strictest of these labels. What a name alone opened carries none: then it is the list holder's default, the second of each. A label
/// that is not known counts as the strictest.
fn strictest<'a>(found: impl Iterator<Item = &'a str>, order: &[&'static str]) -> String {
    let least = found.map(|label| order.iter().position(|known| *known == label).unwrap_or(0)).min();
    let default = usize::from(order.len() == TLP.len());
    let default = if order.len() == PAP.len() { 1 } else { default };
    order.get(least.map_or(default, |least| least.min(default))).copied().unwrap_or("TLP:RED").to_owned()
}

#[cfg(test)]
mod tests;
