//! The tests of `senders.rs`, on PostgreSQL.

#[path = "senders.rs"]
mod senders;
