//! `sluis serve` as its users meet it: the real program, on a port that is free, in a folder of its own.
// A helper that cannot go on ends the test; a person reads where.
#![allow(clippy::unwrap_used)]

mod administrations;
mod alerts;
mod dovecot;
mod exim;
mod feeds;
mod imap;
mod log;
mod mailserver;
mod node;
mod postfix;
mod senders;
mod stamps;
mod stop;
mod support;
mod witness;
