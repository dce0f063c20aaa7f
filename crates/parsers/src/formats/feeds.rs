//! Lists and feeds of one sender each.

pub mod html_table;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[&html_table::FORMAT];
