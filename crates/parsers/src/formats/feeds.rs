//! Lists and feeds of one sender each.

pub mod abusech;
pub mod blocklistde_lists;
pub mod html_table;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[&abusech::FORMAT, &blocklistde_lists::FORMAT, &html_table::FORMAT];
