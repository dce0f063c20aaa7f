//! What a provider does in its own directory: it joins a list, asks for its tokens, looks up what was answered, and writes down what people
//! decide on what it found.

pub mod ask;
pub mod cache;
pub mod decide;
pub mod directory;
pub mod error;
pub mod hits;
pub mod join;
pub mod look;
pub mod pending;
pub mod plan;
pub mod query;
pub mod report;
pub mod round;
pub mod shelf;

pub use directory::{Provider, State};
