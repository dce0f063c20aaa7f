//! Mails of one sender each: what notifiers write to abuse desks, in words that are always the same.

pub mod abusech_mail;
pub mod abusehub;
pub mod acns;
pub mod cleanmx;
pub mod cloudflare;
pub mod cyscon;
pub mod fail2ban;
pub mod google;
pub mod hotline;
pub mod netcraft;
pub mod projecthoneypot;
pub mod sidn;
pub mod spamcop;
pub mod spamhaus_mail;
pub mod webiron;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[
    &hotline::FORMAT,
    &abusehub::FORMAT,
    &cloudflare::FORMAT,
    &fail2ban::FORMAT,
    &spamcop::FORMAT,
    &spamhaus_mail::FORMAT,
    &netcraft::FORMAT,
    &cleanmx::FORMAT,
    &google::FORMAT,
    &projecthoneypot::FORMAT,
    &webiron::FORMAT,
    &cyscon::FORMAT,
    &abusech_mail::FORMAT,
    &sidn::FORMAT,
    &acns::FORMAT,
];
