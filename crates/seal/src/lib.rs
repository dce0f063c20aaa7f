//! The tamper-evident log. Bytes only: this room names no other room.
//!
//! - [`record`]: what is sealed, and the commitment that stands in the log for it.
//! - [`batch`]: many reports under one record.
//! - [`bundle`]: what is given to somebody, with the proofs.
//! - [`seed`]: the keys of fields, of which single ones can be destroyed.

pub mod batch;
pub mod bundle;
pub mod record;
pub mod seed;
