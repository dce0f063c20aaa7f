//! Whole, signed logs and bundles for tests of those who read them, without a node: behind the feature `testing`, never in a
//! program that anybody uses.
//!
//! - [`World`]: a log, its witnesses and its time-stamping authorities, all keys in one hand, so that it can also lie.
//! - [`stories`]: bundles as they should be, and bundles of every lie that was thought of, each with what is to be said of it.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

mod bundles;
mod lies;
pub mod stories;
mod world;

pub use crate::tsp::testing::Authority;
pub use bundles::Show;
pub use lies::repacked;
pub use world::{Batch, Published, Sealed, Stream, World};

#[cfg(test)]
mod tests;
