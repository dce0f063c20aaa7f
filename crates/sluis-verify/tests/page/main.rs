//! The verifier's page in a browser, from a `file:` address: against what others wrote, and beside the verifier in Rust.

mod browser;
mod bundles;
mod foreign;
mod keys;
mod mutants;
mod person;

use std::path::{Path, PathBuf};

/// The page as it is given to people.
pub(crate) fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page/verify.html")
}
