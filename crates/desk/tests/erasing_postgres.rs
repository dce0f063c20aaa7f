//! The tests of `erasing.rs`, on PostgreSQL.

#[path = "erasing.rs"]
mod erasing;
