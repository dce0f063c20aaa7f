//! The program: command line, service, demo.

fn main() {}
