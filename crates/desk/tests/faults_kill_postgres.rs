//! The kills of `faults_kill.rs`, on PostgreSQL.

#[path = "faults_kill.rs"]
mod faults_kill;
