//! Figures: how many samples each format was tried on, ours and others', as they stood when this version was built.
//!
//! They stand in `data/figures.toml`: `cargo xtask corpus DIR --figures` counts the samples of others, and a test compares the
//! counts of fixtures with their folders.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// What one format was tried on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Our own samples, hostile ones among them: inputs in `fixtures/NAME`.
    pub fixtures: u32,
    /// Files of others that it read and of which somebody else says what is in them.
    pub samples: u32,
    /// Those among them that are read as that somebody says.
    pub as_expected: u32,
    /// Who says it: programs whose reading ours is compared with.
    pub by: String,
}

const FILE: &str = include_str!("../data/figures.toml");

/// The figures of every format that has any, by name.
///
/// # Errors
/// Says what is wrong with the file; a test sees to it that nothing is.
pub fn parse(text: &str) -> Result<BTreeMap<String, Figures>, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

/// The figures of a format; all nought when there are none.
pub fn of(name: &str) -> Figures {
    static ALL: OnceLock<BTreeMap<String, Figures>> = OnceLock::new();
    ALL.get_or_init(|| parse(FILE).unwrap_or_default()).get(name).cloned().unwrap_or_default()
}
