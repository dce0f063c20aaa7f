//! The tests of `advisories.rs`, on PostgreSQL.

#[path = "advisories.rs"]
mod advisories;
