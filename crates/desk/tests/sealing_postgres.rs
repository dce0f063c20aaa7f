//! The tests of `sealing.rs`, on PostgreSQL.

#[path = "sealing.rs"]
mod sealing;
