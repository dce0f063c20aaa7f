//! What comes to an abuse mailbox and reports no abuse: bounces, automatic answers, reports about mail itself.
//!
//! These come last: whatever is a report is read as one.

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[];
