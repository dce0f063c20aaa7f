//! The policy file: how it becomes a [`Policy`], which one is in force, and which held when.
//!
//! - `file` and `read`: TOML becomes rules, and what is wrong is said with line, column and hint ([`Wrong`]).
//! - `keep`: versions, and what happens when the file changes while the node works.
//! - `outlook`: what comes next for a case if nothing happens in between.

mod file;
mod keep;
mod outlook;
mod read;
mod wrong;

use std::sync::OnceLock;

use model::policy::Policy;

pub(crate) use keep::Watched;
pub use keep::{InForce, Looked, own_text, policy_of, read_kept, text_of};
pub use outlook::{facts_of, outlook};
pub use wrong::{Problem, Wrong};

/// The policy that the program brings, as text.
pub const SHIPPED: &str = include_str!("../data/policy.toml");

/// The name of the policy file in a data directory.
pub const FILE: &str = "policy.toml";

/// Reads the text of a policy file; `file` is its name, for messages. What it does not say is as in the shipped policy,
/// unless it says `base = "none"`.
///
/// # Errors
/// [`Wrong`]: everything that is wrong with it, with its place.
pub fn read(text: &str, file: &str) -> Result<Policy, Wrong> {
    read::read(text, file, &shipped)
}

/// The policy that the program brings.
pub fn shipped() -> Policy {
    static READ: OnceLock<Policy> = OnceLock::new();
    // A test reads it; it says `base = "none"`, so it does not ask for itself.
    READ.get_or_init(|| read::read(SHIPPED, "the shipped policy", &read::blank).unwrap_or_else(|_| read::blank())).clone()
}

#[cfg(test)]
mod tests;
