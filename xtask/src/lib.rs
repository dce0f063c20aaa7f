//! The chores of the project, for those who work on it: `cargo xtask test | tidy | corpus | names | deb | page`.
//!
//! [`suite`] is the one command that passes all tests; it asks [`prerequisites`] for its tools first. [`tidy`] holds
//! the house rules that a program can hold. [`corpus`] compares what the parsers read with what others read. [`names`] measures
//! how well names are found. [`deb`] makes the Debian package, [`page`] the verifier's page.

pub mod corpus;
pub mod deb;
pub mod names;
pub mod page;
pub mod prerequisites;
pub mod suite;
pub mod tidy;

use std::path::{Path, PathBuf};

/// The top folder of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
