//! Mails of one sender each: what notifiers write to abuse desks, in words that are always the same.

pub mod spamcop;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[&spamcop::FORMAT];
