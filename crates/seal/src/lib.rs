//! The tamper-evident log. Bytes only: this room names no other room, reads no clock, opens no file and draws no chance.
//!
//! - [`tree`]: the Merkle tree and its proofs (RFC 6962); [`tile`]: how it lies in files (C2SP `tlog-tiles`).
//! - [`note`]: signed text and keys; [`ed25519`]: the one rule for signatures; [`checkpoint`]: what a log signs about itself;
//!   [`cosignature`]: what a witness adds; [`policy`]: which keys a verifier trusts, and when.
//! - [`proof`]: a proof of inclusion in a file of its own; [`fork`]: the proof that a log contradicts itself; [`audit`]: the whole
//!   log, reckoned again.
//! - [`record`]: what is sealed, and the commitment that stands in the log for it; [`batch`]: many reports under one record;
//!   [`seed`]: the keys of fields, of which single ones can be destroyed.
//! - [`log`]: how the log grows and is signed; [`shelf`]: where its files are.
//! - [`witness`]: what a witness answers to who asks for a cosignature.
//! - [`bundle`]: what is given to somebody, with the proofs.
//! - [`tsp`]: time-stamps by RFC 3161.

pub mod audit;
pub mod batch;
pub mod bundle;
pub mod checkpoint;
pub mod cosignature;
pub mod ed25519;
pub mod fork;
pub mod log;
pub mod note;
pub mod policy;
pub mod proof;
pub mod record;
pub mod seed;
pub mod shelf;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tile;
pub mod tree;
pub mod tsp;
pub mod witness;
