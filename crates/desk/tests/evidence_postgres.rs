//! Evidence, once more with the rows in PostgreSQL.

#[path = "evidence.rs"]
mod evidence;
