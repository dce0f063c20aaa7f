//! The tamper-evident log. Bytes only: this room names no other room.
//!
//! - [`record`]: what is sealed, and the commitment that stands in the log for it.
//! - [`batch`]: many reports under one record.
//! - [`seed`]: the keys of fields, of which single ones can be destroyed.
//! - [`tsp`]: time-stamps by RFC 3161.

pub mod batch;
pub mod record;
pub mod seed;
pub mod tsp;
