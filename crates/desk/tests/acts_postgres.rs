//! The tests of `acts.rs`, on PostgreSQL.

#[path = "acts.rs"]
mod acts;
