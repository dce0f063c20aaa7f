//! The seal: what waits becomes records and entries of the log.
//!
//! [`records`] seals steps, [`open`] opens what was sealed.

mod batches;
mod compose;
pub mod open;
mod others;
pub mod records;
mod ring;
