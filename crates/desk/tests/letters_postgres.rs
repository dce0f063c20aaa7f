//! The tests of `letters.rs`, on PostgreSQL.

#[path = "letters.rs"]
mod letters;
