//! Mails of one sender each: what notifiers write to abuse desks, in words that are always the same.

pub mod abusehub;
pub mod cloudflare;
pub mod fail2ban;
pub mod spamcop;
pub mod spamhaus_mail;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] =
    &[&abusehub::FORMAT, &cloudflare::FORMAT, &fail2ban::FORMAT, &spamcop::FORMAT, &spamhaus_mail::FORMAT];
