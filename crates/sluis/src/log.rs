//! What the program does for the log beyond the desk: the parties it speaks with.

pub(crate) mod peer;
pub(crate) mod tsa;
