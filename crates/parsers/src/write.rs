//! Reports out, in the formats others read.

pub mod xarf;
