//! What the program does for the log beyond the desk: the parties it speaks with.

// Asked by the node's work on the log, which comes next.
#[allow(dead_code)]
pub(crate) mod tsa;
