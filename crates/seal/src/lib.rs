//! The tamper-evident log: trees, notes, checkpoints and records. Bytes only: this room names no other room, reads no clock,
//! opens no file and draws no chance.

pub mod checkpoint;
pub mod cosignature;
pub mod ed25519;
pub mod note;
pub mod tree;
