//! Lists and feeds of one sender each.

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[];
