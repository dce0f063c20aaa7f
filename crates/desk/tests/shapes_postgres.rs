//! The tests of `shapes.rs`, on PostgreSQL.

#[path = "shapes.rs"]
mod shapes;
