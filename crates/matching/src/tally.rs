//! The tally: how many of a sector, and of nobody which. Each provider splits its answer into two shares, one for each of two aggregators
//! with keys of their own; neither share says anything, and only totals are ever put together.
//!
//! The mathematics is Prio3 (draft-irtf-cfrg-vdaf-18, crate `prio`). [`task`] is what is asked and under which rules, [`cohort`] who is asked,
//! [`share`] one provider's contribution, [`prepare`] how two aggregators prove each contribution to be in range without seeing it,
//! [`noise`] what each adds before anything leaves it, [`total`] what comes out. `docs/matching.md` has the assumptions and what leaks.

pub mod cohort;
pub mod noise;
pub mod prepare;
pub mod share;
pub mod task;
pub mod total;

#[cfg(test)]
mod tests;

use crate::{Digest, bytes::Malformed};

pub use cohort::{Cohort, Member};
pub use prepare::{Output, Verifier, VerifyKey};
pub use share::{Answer, Contribution, Share};
pub use task::{Answers, Exact, Party, Period, Task, Words};
pub use total::{Outcome, Stage, Statement, Sum, Total};

/// The domain of all that a tally signs, hashes and seals.
pub const DOMAIN: &[u8] = b"sluis/tally/v1";

/// Fewest independent providers (legal groups) of any tally, unless its task itself says less, which is printed with its total.
pub const FLOOR: u16 = 20;

/// Fewest that a task may say: below, a total is hardly more than a list.
pub const LOWEST_FLOOR: u16 = 10;

/// How long the accepted set is shown to the cohort before anything is collected, in milliseconds: seven days.
pub const SHOWN: i64 = 7 * 24 * 60 * 60 * 1000;

/// The most that one provider's epsilons may add up to in 365 days, in thousandths: four quarters of the default, twice.
pub const MOST_EPSILON_A_YEAR: u32 = 4_000;

/// Who somebody is in a tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// The aggregator that begins: it gets the first shares.
    Leader = 1,
    /// The aggregator that answers: it gets the second shares, straight from the providers.
    Helper = 2,
    /// Who puts the two shares of a total together.
    Collector = 3,
}

impl Role {
    /// By its number.
    #[must_use]
    pub fn of(number: u8) -> Option<Role> {
        [Role::Leader, Role::Helper, Role::Collector].into_iter().find(|role| *role as u8 == number)
    }

    /// What it is called in files and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Leader => "leader",
            Role::Helper => "helper",
            Role::Collector => "collector",
        }
    }

    /// What HPKE binds a sealed piece to: the domain, the role it is sealed for, and the task (RFC 9180, section 8.1).
    #[must_use]
    pub fn info(self, under: &Digest) -> Vec<u8> {
        [DOMAIN, &[self as u8], under].concat()
    }
}

/// Why something of a tally is refused. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Bytes that are not what they should be.
    #[error("{0}; ask for the file again")]
    Malformed(#[from] Malformed),
    /// A task that must not be.
    #[error("this task cannot be: {0}")]
    Task(&'static str),
    /// A cohort that must not be, or that is not the task's.
    #[error("this cohort cannot be: {0}")]
    Cohort(&'static str),
    /// An answer that the question does not have.
    #[error("this is no answer to the question: {0}")]
    Answer(&'static str),
    /// A piece that was sealed for another key, role, task or provider, or changed on its way.
    #[error("it was not sealed for this key, role, task and provider, or it was changed on its way; ask for it again")]
    Sealed,
    /// A contribution the proof of which does not hold.
    #[error("its proof does not hold: out of range, changed, or made for another task or key")]
    Proof,
    /// The key of verification is not the one that the task commits to.
    #[error("this is not the key of verification that the task commits to; ask the other aggregator for its file again")]
    Key,
    /// Too few took part.
    #[error("{got} independent providers are in it and {least} must be; a smaller total would expose them")]
    Few {
        /// How many legal groups there are.
        got: u32,
        /// How many there must be.
        least: u32,
    },
    /// Two shares of a total that do not belong together.
    #[error("these shares of the total do not belong together: {0}")]
    Apart(&'static str),
    /// A signature that is missing or wrong.
    #[error("it is not signed by the {}; do not use it", .0.name())]
    Unsigned(Role),
    /// The cryptography itself failed, which says that its parameters are wrong.
    #[error("the tally's cryptography refused its parameters ({0})")]
    Parameters(&'static str),
}
