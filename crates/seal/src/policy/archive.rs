//! The archive of policies: each version with the period for which it holds, signed by the sector's key.
//!
//! Keys rotate and witnesses come and go, but a proof is judged years later: by the version that held when, as time-stamps
//! say, the proof was made.

use super::facts::Period;
use super::{Policy, Wrong};
use crate::checkpoint::decimal;
use crate::note::{self, Note, VerifierKey};

/// The first line of an archive.
pub const ARCHIVE: &str = "sluis-policy-archive/v1";
/// Versions there may be.
const MAX_VERSIONS: usize = 256;

/// Policies, each for its period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// The versions, the oldest first; their periods do not overlap.
    pub versions: Vec<Version>,
}

/// A policy and the period for which it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// When proofs were made that this version judges.
    pub period: Period,
    /// The policy.
    pub policy: Policy,
}

impl Archive {
    /// Whether these bytes say that they are an archive, and not a policy by itself.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.strip_prefix(ARCHIVE.as_bytes()).is_some_and(|rest| rest.starts_with(b"\n"))
    }

    /// A policy by itself: it holds always.
    #[must_use]
    pub fn of(policy: Policy) -> Archive {
        Archive { versions: vec![Version { period: Period::ALWAYS, policy }] }
    }

    /// The text that the sector's key signs.
    #[must_use]
    pub fn text(versions: &[(&str, &str, &str)]) -> String {
        let version = |(from, until, policy): &(&str, &str, &str)| {
            format!("version {from} {until} {}\n{policy}", policy.bytes().filter(|byte| *byte == b'\n').count())
        };
        format!("{ARCHIVE}\n{}", versions.iter().map(version).collect::<String>())
    }

    /// Reads an archive, a signed note, that this key signed.
    ///
    /// # Errors
    /// What is wrong: with the signature, with the archive, or with a version.
    pub fn open(bytes: &[u8], key: &VerifierKey) -> Result<Archive, Wrong> {
        let note = Note::parse(bytes).map_err(|wrong| Wrong::at(0, wrong.to_string()))?;
        note::open(&note, std::slice::from_ref(key)).map_err(|wrong| Wrong::at(0, wrong.to_string()))?;
        Archive::parse(&note.text)
    }

    fn parse(text: &str) -> Result<Archive, Wrong> {
        let mut lines = text.split_inclusive('\n').enumerate().map(|(at, line)| (at + 1, line));
        if lines.next().map(|(_, line)| line.trim_end_matches('\n')) != Some(ARCHIVE) {
            return Err(Wrong::at(1, format!("an archive begins with {ARCHIVE}")));
        }
        let mut versions: Vec<Version> = Vec::new();
        while let Some((at, line)) = lines.next() {
            let (period, count) = heading(line).map_err(|reason| Wrong::at(at, reason))?;
            let body: Vec<&str> = lines.by_ref().take(count).map(|(_, line)| line).collect();
            if body.len() != count {
                return Err(Wrong::at(at, format!("this version has {} lines, not {count}", body.len())));
            }
            if versions.last().is_some_and(|before| period.from < before.period.until) {
                return Err(Wrong::at(at, "this version begins before the one above it ends"));
            }
            if versions.len() == MAX_VERSIONS {
                return Err(Wrong::at(at, "there are 256 versions already"));
            }
            let policy = Policy::parse(body.concat().as_bytes()).map_err(|wrong| Wrong::at(at + wrong.line, wrong.reason))?;
            versions.push(Version { period, policy });
        }
        if versions.is_empty() {
            return Err(Wrong::at(0, "there is no version in it"));
        }
        Ok(Archive { versions })
    }
}

/// `version FROM UNTIL LINES`: lines of the policy that follow.
fn heading(line: &str) -> Result<(Period, usize), String> {
    let words: Vec<&str> = line.trim_end_matches('\n').split(' ').collect();
    let ["version", from, until, count] = words.as_slice() else {
        return Err("expected 'version FROM UNTIL LINES'".to_owned());
    };
    let count = decimal(count).and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
    Ok((Period::parse(from, until)?, count.ok_or("the number of the policy's lines is missing")?))
}
