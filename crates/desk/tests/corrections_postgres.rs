//! The tests of `corrections.rs`, on PostgreSQL.

#[path = "corrections.rs"]
mod corrections;
