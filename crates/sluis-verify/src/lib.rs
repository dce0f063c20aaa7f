//! The offline verifier of bundles and receipts: no network, no database, no clock, and no trust in what it verifies.
//!
//! It is written to be read, by an expert whom a court asks, beside `docs/seal.md` 7. In the order in which a bundle passes:
//!
//! 1. [`verify`], below: the container is read (check 1) by `seal::bundle`, or nothing is looked at.
//! 2. `subject.rs`: what follows from the bundle alone: commitments of its records, its checkpoints.
//! 3. `clock.rs`: the time-stamps, and the bounds in time for a place in the log. `trust.rs`: which policy judges.
//! 4. `checks/`: checks 2 to 10, 12 and 13, one file each, in the order of `checks.rs`; `letters.rs` belongs to 10, `log.rs` to `--log`.
//! 5. `verdict.rs`: what the checks come to; `story.rs`: what the bundle tells, if it tells anything.
//! 6. `files.rs`: policy, certificates and a copy of the log from the disk of whoever verifies. `fork.rs`: fork proofs.
//! 7. `output/`, `said.rs`, `moment.rs`: sentences, JSON and the page, and how words of others are kept from looking like ours.
//!
//! What it rests on, in `seal`: `record` and `tree` (hashes), `note`, `ed25519`, `checkpoint`, `cosignature`, `policy` (signatures),
//! `tsp` (time-stamps). Check 11, grading, is `sluis-grade`'s: it can lower a grade, and never changes a proof.

mod checks;
mod clock;
pub mod files;
pub mod fork;
mod letters;
mod log;
pub mod moment;
pub mod output;
pub mod said;
mod story;
mod subject;
mod trust;
mod verdict;

use seal::audit::Source;
use seal::bundle;

pub use story::{Bracket, Delivery, Story, Told};
pub use trust::{BadTrust, Trust};
pub use verdict::{Check, Line, Outcome, TITLES, Verdict};

/// Verifies a bundle or a receipt.
///
/// `at` is the date of verifying, in UTC milliseconds since 1970: what is from after it does not count, and time-stamps must stand
/// on it. Without, neither is asked.
#[must_use]
pub fn verify(bytes: &[u8], trust: &Trust, at: Option<i64>) -> Verdict {
    verify_with(bytes, trust, at, None)
}

/// Verifies a bundle or a receipt, with a copy of the public log beside it: else as [`verify`].
#[must_use]
pub fn verify_with(bytes: &[u8], trust: &Trust, at: Option<i64>, log: Option<&mut dyn Source>) -> Verdict {
    let mut first = Check::new(1);
    let bundle = match bundle::read(bytes) {
        Ok(bundle) => bundle,
        Err(wrong) => {
            let wrong = wrong.to_string();
            first.add(Outcome::Unreadable, said::both(wrong.clone(), format!("dit is geen bundel die te lezen is ({wrong})")));
            return Verdict { checks: vec![first], story: None };
        }
    };
    first.ok(
        format!("a well-formed bundle of {} bytes; nothing was added, and every file has its digest", bytes.len()),
        format!(
            "een welgevormde bundel van {} bytes; er is niets toegevoegd, en ieder bestand heeft zijn controlegetal",
            bytes.len()
        ),
    );
    let subject = subject::Subject::new(&bundle);
    let walked = log.and_then(|log| log::walk(&subject, log));
    let (further, outline) = checks::all(&subject, trust, at, walked.as_ref());
    let mut verdict = Verdict { checks: std::iter::once(first).chain(further).collect(), story: None };
    if matches!(verdict.outcome(), Outcome::Said | Outcome::Ok | Outcome::Incomplete) {
        verdict.story = Some(outline.of(bundle));
    }
    verdict
}
