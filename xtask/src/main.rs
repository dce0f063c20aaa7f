//! Chores of the project.

#[allow(dead_code, reason = "the chore that prints the comparisons is not wired up yet; tests use them")]
mod corpus;

fn main() {}
