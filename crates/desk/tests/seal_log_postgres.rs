//! The tests of `seal_log.rs`, on PostgreSQL.

#[path = "seal_log.rs"]
mod seal_log;
