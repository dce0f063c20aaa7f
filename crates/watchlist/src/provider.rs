//! A provider: it finds its own customers on a confidential list, and nobody learns whom.

pub mod directory;
pub mod pending;
pub mod plan;
pub mod query;

pub use directory::{Error, Provider, State};
