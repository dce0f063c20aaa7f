//! The tamper-evident log: trees, notes, checkpoints and records. Bytes only: this room names no other room, reads no clock,
//! opens no file and draws no chance.
//!
//! - [`tree`], [`note`], [`checkpoint`], [`cosignature`], [`ed25519`]: a log as C2SP and RFC 6962 say.
//! - [`record`]: what is sealed, and the commitment that stands in the log for it; [`batch`]: many reports under one record;
//!   [`seed`]: the keys of fields, of which single ones can be destroyed.
//! - [`bundle`]: what is given to somebody, with the proofs. [`tsp`]: time-stamps by RFC 3161.

pub mod batch;
pub mod bundle;
pub mod checkpoint;
pub mod cosignature;
pub mod ed25519;
pub mod note;
pub mod policy;
pub mod record;
pub mod seed;
pub mod tree;
pub mod tsp;
