//! The journeys of `feeds.rs`, on PostgreSQL.

#[path = "feeds.rs"]
mod feeds;
