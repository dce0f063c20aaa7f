//! How far long work is, on standard error, when a person waits there.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::submission::Submission;

use super::safe::short;

/// A bar about the bytes of one submission after another.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar that is drawn when standard error is a terminal.
    pub(crate) fn new() -> Progress {
        if !stderr().is_terminal() {
            return Progress { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(8));
        let style = ProgressStyle::with_template("{msg:24!} {bar:30} {bytes:>10} of {total_bytes:<10} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Progress { bar }
    }

    /// Bytes of `submission` have been read.
    pub(crate) fn read(&self, submission: &Submission, bytes: u64) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_length(submission.size);
        if self.bar.position() > bytes || bytes == submission.size {
            self.bar.set_message(short(&submission.name, 24));
        }
        self.bar.set_position(bytes);
    }

    /// Something is done of which nobody knows how long it takes.
    pub(crate) fn wait(&self, what: &str) {
        self.bar.set_message(short(what, 24));
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// The work is done.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
