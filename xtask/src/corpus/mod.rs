//! What we read of samples, against what others read of them.

pub mod shadowserver;

/// How far our reading of one sample equals its oracle's.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Records that are equal in every field.
    pub matched: usize,
    /// Records the oracle has.
    pub total: usize,
    /// Every difference, for people.
    pub differences: Vec<String>,
}
