//! What comes to an abuse mailbox and reports no abuse: bounces, automatic answers, reports about mail itself.
//!
//! These come last: whatever is a report is read as one. Those that are attached to a mail that somebody wrote do not set that mail
//! aside.

pub mod auto_reply;
pub mod bounce;
pub mod dmarc;
pub mod tlsrpt;

use model::time::Time;

use super::Format;

/// Every format of this folder, most specific first.
pub const ALL: &[&Format] = &[&tlsrpt::FORMAT, &dmarc::FORMAT, &bounce::FORMAT, &auto_reply::FORMAT];

/// Whether a format is of this folder.
pub fn has(format: &Format) -> bool {
    ALL.iter().any(|own| own.name == format.name)
}

/// What a report about mail is, by whom, about whom and of which time, as far as it says.
fn told(what: &str, by: &str, domain: &str, begin: Option<Time>, end: Option<Time>) -> String {
    let mut told = what.to_owned();
    for (word, value) in [("by", by), ("about", domain)] {
        let value: String = value.chars().filter(|letter| !letter.is_control()).take(255).collect();
        if !value.is_empty() {
            told.push_str(&format!(" {word} {value}"));
        }
    }
    if let (Some(begin), Some(end)) = (begin, end) {
        told.push_str(&format!(", {begin} to {end}"));
    }
    told
}
