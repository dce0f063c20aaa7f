//! What we read of samples, against what others read of them.

pub(crate) mod shadowserver;

/// How far our reading of one sample equals its oracle's.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Records that are equal in every field.
    pub(crate) matched: usize,
    /// Records the oracle has.
    pub(crate) total: usize,
    /// Every difference, for people.
    pub(crate) differences: Vec<String>,
}
