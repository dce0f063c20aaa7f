//! The tests of `anchors.rs`, on PostgreSQL.

#[path = "anchors.rs"]
mod anchors;
