//! Bundles and receipts, once more with the rows in PostgreSQL.

#[path = "bundles.rs"]
mod bundles;
