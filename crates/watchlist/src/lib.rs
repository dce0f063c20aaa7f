//! The watchlist and the tally by files: what a list holder, an evaluator, a provider, a contest desk, an aggregator and a collector do in a
//! directory of their own. No network, no database, no node: a police machine may have none of them.
//!
//! Each role is a module with its directory; what they hand each other are files of [`matching::envelope`]s. The clock and chance are passed
//! in. Later doors (HTTP, the console, cases) call the same functions.

pub mod chance;
mod crash;
pub mod customers;
pub mod desk;
pub mod enrolment;
pub mod evaluator;
pub mod files;
pub mod hex;
pub mod holder;
pub mod keys;
pub mod log;
pub mod provider;
pub mod sheet;
pub mod tally;
pub mod vault;
