//! What comparing one file with its line of the oracle comes to, and what the comparators share.

use std::fmt;
use std::path::Path;

use model::report::Report;
use parsers::formats::csv::Declared;
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::Hint;
use serde_json::Value;

use super::RECEIVED;

/// Compares what we read of one file with its line of the oracle.
///
/// The path is that of the file itself; its bytes are handed over too. Records that the oracle does not hold count
/// nowhere: `total` is the oracle's.
pub(super) type Compare = fn(&Path, &[u8], &Value) -> Comparison;

/// What a comparison came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Records of the oracle that we read alike.
    pub(super) matched: usize,
    /// Records of the oracle.
    pub(super) total: usize,
    /// What differs, one sentence each.
    pub(super) differences: Vec<String>,
    /// Where we mean to differ, with the reason; a difference that is meant is no fault.
    pub(super) meant: Vec<String>,
    /// Records of the oracle that we mean to read in another way, so that they are not among those read alike.
    pub(super) excused: usize,
}

impl Comparison {
    /// A comparison of a file that is one record.
    pub(super) fn one(differences: Vec<String>) -> Comparison {
        Comparison { matched: usize::from(differences.is_empty()), total: 1, differences, ..Comparison::default() }
    }

    /// Counts one more record, which is what it must be when `holds`; else it says what is not so.
    pub(super) fn hold(&mut self, holds: bool, difference: impl FnOnce() -> String) {
        self.total += 1;
        if holds {
            self.matched += 1;
        } else {
            self.differences.push(difference());
        }
    }

    /// Counts one more record: ours and the oracle's, which must be equal.
    pub(super) fn same<T: PartialEq + fmt::Debug>(&mut self, what: &str, ours: &T, theirs: &T) {
        self.hold(ours == theirs, || format!("{what}: ours is {}, theirs {}", short(ours), short(theirs)));
    }
}

/// A value for people, cut where nobody reads on.
fn short(value: &impl fmt::Debug) -> String {
    let text = format!("{value:?}");
    if text.chars().count() <= 300 { text } else { text.chars().take(300).chain("...".chars()).collect() }
}

/// The texts of an array of the oracle.
pub(super) fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

/// A text of the oracle, or nothing.
pub(super) fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or("")
}

/// A field that a format kept under the sender's own name.
pub(super) fn extra<'r>(report: &Report<'r>, name: &str) -> &'r str {
    report.fields().find(|(word, _)| report.name(*word).0 == name).map_or("", |(_, value)| value.text())
}

/// Reads bytes as `sluis read` would read a file of that name; `adjust` states what an operator would configure.
pub(super) fn read_as<'h>(path: &'h Path, bytes: &[u8], adjust: impl FnOnce(&mut Hint<'h>)) -> (Outcome, Collected) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut hint = Hint::new(name, RECEIVED);
    adjust(&mut hint);
    let mut collected = Collected::default();
    let outcome = read(&mut &*bytes, &hint, &mut collected)
        .unwrap_or_else(|stop| Outcome { unreadable: format!("reading stopped: {stop:?}"), ..Outcome::default() });
    (outcome, collected)
}

/// What an operator would configure: where a feed was fetched, and a description of a table.
pub(super) fn stated<'h>(oracle: &'h Value, declared: Option<&'h Declared>) -> impl FnOnce(&mut Hint<'h>) {
    move |hint| {
        hint.location = word(oracle, "feed_url");
        hint.declared = declared;
    }
}
