//! Lists and feeds of one sender each.

pub mod abusech;
pub mod blocklistde;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[&abusech::FORMAT, &blocklistde::FORMAT];
