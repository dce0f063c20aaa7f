//! Alerts: what wakes the operator's people, and whom and when.

pub mod hours;
pub mod plan;
