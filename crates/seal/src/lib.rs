//! The tamper-evident log: trees, notes, checkpoints and records. Bytes only: this room names no other room, reads no clock,
//! opens no file and draws no chance.

pub mod checkpoint;
pub mod cosignature;
pub mod ed25519;
pub mod note;
pub mod tree;
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
