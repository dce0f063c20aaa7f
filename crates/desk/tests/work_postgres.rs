//! The journeys of `work.rs`, on PostgreSQL.

#[path = "work.rs"]
mod work;
