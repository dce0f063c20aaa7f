//! The tamper-evident log. Bytes only: this room names no other room.
//!
//! Empty until the log is built; the room stands so that the arrows between rooms are tested from the start.

pub mod tsp;
//! - [`record`]: what is sealed, and the commitment that stands in the log for it.
//! - [`batch`]: many reports under one record.
//! - [`seed`]: the keys of fields, of which single ones can be destroyed.

pub mod batch;
pub mod record;
pub mod seed;
