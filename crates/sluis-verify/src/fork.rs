//! Fork proofs (`--fork`): two histories of one log, by its own signatures. Anything less accuses nobody.

use seal::fork::{ForkProof, Wrong};

use crate::said::{Text, both, quote};
use crate::trust::Trust;

/// What a file comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// 0 the fork is proven, 1 the file says what is not so, 2 it proves nothing, 3 it cannot be read.
    pub exit_code: u8,
    /// In a sentence.
    pub text: Text,
}

/// Judges a fork proof by the keys of the logs in the policies.
#[must_use]
pub fn judge(bytes: &[u8], trust: &Trust) -> Judgement {
    let unreadable = |wrong: &dyn std::fmt::Display| {
        let text = both(format!("this is no fork proof: {wrong}"), format!("dit is geen bewijs van tweespalt ({wrong})"));
        Judgement { exit_code: 3, text }
    };
    let proof = match ForkProof::parse(bytes) {
        Ok(proof) => proof,
        Err(wrong) => return unreadable(&wrong),
    };
    let mut last = None;
    for log in trust.policies.versions.iter().flat_map(|version| &version.policy.logs) {
        match proof.verify(log.key.name(), &log.key) {
            Ok(_) => {
                let (origin, operator) = (quote(log.key.name()), quote(&log.operator));
                return Judgement {
                    exit_code: 0,
                    text: both(
                        format!("proven: the log {origin} of {operator} signed two histories that contradict each other"),
                        format!(
                            "bewezen: het logboek {origin} van {operator} heeft twee geschiedenissen ondertekend die elkaar tegenspreken"
                        ),
                    ),
                };
            }
            Err(wrong) => {
                // What was said of the log whose key fits best is said.
                if last.is_none() || matches!(wrong, Wrong::Unproven(_)) {
                    last = Some(wrong);
                }
            }
        }
    }
    match last {
        Some(Wrong::Unproven(why)) => Judgement {
            exit_code: 2,
            text: both(
                format!("unproven inconsistency: {why}. Keep the file; it accuses nobody"),
                format!("onbewezen tegenspraak ({why}). Bewaar het bestand; het beschuldigt niemand"),
            ),
        },
        Some(wrong) => Judgement {
            exit_code: 1,
            text: both(
                format!("this proves nothing about a log of your policy: {wrong}"),
                format!("dit bewijst niets over een logboek in uw beleid ({wrong})"),
            ),
        },
        None => Judgement { exit_code: 1, text: both("your policy names no log", "uw beleid noemt geen logboek") },
    }
}
