//! The offline verifier of bundles and receipts: no network, no database, no async.
//!
//! Empty until the log is built; it may name `seal` and nothing else.
