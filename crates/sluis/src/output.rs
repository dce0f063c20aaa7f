//! How answers look: tables and trees for people, JSON for programs.
//!
//! Most of what is shown was written by strangers. [`safe`] takes out of it what a terminal would obey; everything for
//! people goes through it.

pub(crate) mod advice;
pub(crate) mod chain;
pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod safe;
pub(crate) mod screen;
pub(crate) mod table;
pub(crate) mod words;

pub(crate) use safe::clean;
pub(crate) use screen::{Screen, Style};
pub(crate) use table::Table;

use std::io::{self, Write};

/// Tells on standard error why a command failed, once, with every cause.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // Some causes are told by what wraps them already.
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    warn(&text);
}

/// Tells something on standard error.
pub(crate) fn warn(text: &str) {
    // Standard error may be closed; there is nobody left to tell then.
    let _ = writeln!(io::stderr().lock(), "sluis: {}", clean(text));
}

/// Whether a failure comes from the reader of our output going away.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe))
}
