//! Microsoft's Smart Network Data Services (SNDS): what Outlook.com saw of one's own addresses in a day, and which of them it blocks;
//! CSV without a header.
//!
//! | File | Columns |
//! | --- | --- |
//! | data | address, first and last message of the day, RCPT commands, DATA commands, recipients, filter result, complaint rate, first and last message to a trap, trap hits, sample HELO, sample MAIL FROM, comments |
//! | ipStatus | first address, last address, blocked (`Yes`, `No`), why |
//!
//! An address accuses itself when the filter took over a tenth of its mail for spam (`YELLOW`, `RED`) or when it wrote to a trap.
//! Otherwise the row is intelligence. SNDS does not say in which zone its times are; they are read as UTC.

use std::borrow::Cow;

use model::category::Kind;
use model::time::Time;

use super::super::{Fit, Format, Proven};
use crate::kinds::csv::first_record;
use crate::kinds::lists::fetched_from;
use crate::kinds::rsit;
use crate::kinds::table::{self, Layout, Means, Row, Sender, Table, When, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

use model::address::{Address, Range};

/// SNDS.
pub const FORMAT: Format = Format {
    name: "snds",
    title: "Microsoft SNDS: data and ipStatus, CSV (https://sendersupport.olc.protection.outlook.com/snds/)",
    senders: &["Microsoft", "outlook.com"],
    fields: &[
        ("the first column; both of ipStatus", "address"),
        ("the third column", "time, last_seen"),
        ("filter result, trap hits", "kind"),
        ("sample HELO, sample MAIL FROM", "its own name, smtp_from"),
    ],
    proven: Proven::After("Microsoft's pages about SNDS"),
    detect,
    parse,
};

/// Which of the two files it is.
fn which(bytes: &[u8], location: &str) -> Option<&'static Table> {
    let path = fetched_from(location, "outlook.com").or_else(|| fetched_from(location, "postmaster.live.com"));
    if let Some(path) = path.map(str::to_ascii_lowercase).filter(|path| path.contains("/snds/")) {
        return Some(if path.contains("ipstatus") { &STATUS } else { &DATA });
    }
    // Fields of mails begin with letters that may begin an address too, so the whole of it is looked at.
    let start = bytes.get(..bytes.len().min(50)).unwrap_or_default();
    let first = start.split(|byte| *byte == b',').next().unwrap_or_default();
    if !first.first().is_some_and(u8::is_ascii_hexdigit) || Address::parse(first).is_none() {
        return None;
    }
    let row = first_record(bytes, b',');
    let is = |at: usize, words: &[&[u8]]| row.get(at).is_some_and(|value| words.contains(&value.as_slice()));
    let address = |at: usize| row.get(at).is_some_and(|value| Address::parse(value).is_some());
    if row.len() >= 11 && address(0) && is(6, &[b"GREEN", b"YELLOW", b"RED"]) {
        return Some(&DATA);
    }
    (row.len() == 4 && address(0) && address(1) && is(2, &[b"Yes", b"No"])).then_some(&STATUS)
}

fn detect(prefix: &Prefix<'_>) -> Fit {
    if which(prefix.bytes, prefix.location).is_some() { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(table) = which(source.prefix(), reading.hint.location) else {
        reading.unreadable("it is neither of the two files of SNDS");
        return Ok(());
    };
    table::read(reading, source, table)
}

const PLAIN: Layout = Layout { sender: Sender { org: "Microsoft SNDS", contact: "", domain: "outlook.com" }, ..Layout::PLAIN };

static DATA: Table = Table {
    layout: Layout {
        feed: "snds_data",
        class: rsit::SPAM,
        columns: &[
            ("address", Means::Address),
            ("activity_start", Means::FirstSeen(Written::Like(american))),
            ("activity_end", Means::LastSeen(Written::Like(american))),
            ("rcpt_commands", Means::Keep),
            ("data_commands", Means::Keep),
            ("message_recipients", Means::Keep),
            ("filter_result", Means::Keep),
            ("complaint_rate", Means::Keep),
            ("trap_start", Means::Keep),
            ("trap_end", Means::Keep),
            ("trap_hits", Means::Keep),
            ("sample_helo", Means::Keep),
            ("sample_mail_from", Means::Text("smtp_from")),
            ("comments", Means::Keep),
        ],
        each: Some(day),
        ..PLAIN
    },
    comments: b"",
    ..Table::PLAIN
};

fn day(row: &mut Row<'_>) -> Result<(), String> {
    let hits = row.get_text("trap_hits").parse::<u32>().unwrap_or(0);
    if !matches!(row.get("filter_result"), b"YELLOW" | b"RED") && hits == 0 {
        row.class = rsit::OTHER;
    }
    Ok(())
}

static STATUS: Table = Table {
    layout: Layout {
        feed: "snds_status",
        class: rsit::BLACKLIST,
        columns: &[
            ("first", Means::Skip),
            ("last", Means::Skip),
            ("blocked", Means::Keep),
            ("details", Means::Text("description")),
        ],
        when: When::Received,
        each: Some(status),
        ..PLAIN
    },
    comments: b"",
    ..Table::PLAIN
};

fn status(row: &mut Row<'_>) -> Result<(), String> {
    let (first, last) = (row.get("first"), row.get("last"));
    if first == last || last.is_empty() {
        if !row.take_address(first) {
            return Err("no readable address in 'first'".to_owned());
        }
    } else {
        let range = [first, b" - ", last].concat();
        if Range::parse(&String::from_utf8_lossy(&range)).is_err() {
            return Err("'first' and 'last' are not the ends of a range of addresses".to_owned());
        }
        row.network = Cow::Owned(range);
    }
    let details = row.get_text("details").to_ascii_lowercase();
    if details.contains("bot") || details.contains("malware") {
        row.class = rsit::INFECTED_SYSTEM;
    } else if !row.get("blocked").eq_ignore_ascii_case(b"yes") {
        row.class = rsit::BLACKLIST.as_kind(Kind::ThreatIntelligence);
    }
    Ok(())
}

/// `3/4/2026 5:06:07 AM`, month first, with or without seconds and with a day of 12 hours or 24.
fn american(text: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(text.get(..text.len().min(40))?).ok()?;
    let mut words = text.split_ascii_whitespace();
    let mut date = words.next()?.splitn(3, '/').map(|part| part.parse::<u32>().ok());
    let (month, day, year) = (date.next()??, date.next()??, date.next()??);
    let mut clock = words.next().unwrap_or("0:00").splitn(3, ':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next().unwrap_or(Some(0))?);
    let hour = match words.next() {
        None => hour,
        Some(half) if (1..=12).contains(&hour) => hour % 12 + if half.eq_ignore_ascii_case("PM") { 12 } else { 0 },
        Some(_) => return None,
    };
    Time::civil(i32::try_from(year).ok()?, month, day, hour, minute, second, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_americans() {
        for (text, expected) in [
            ("3/4/2026 5:06:07 AM", Some("2026-03-04T05:06:07Z")),
            ("3/4/2026 12:06 AM", Some("2026-03-04T00:06:00Z")),
            ("12/31/2026 11:59 PM", Some("2026-12-31T23:59:00Z")),
            ("3/4/2026", Some("2026-03-04T00:00:00Z")),
            ("31/12/2026 1:00 AM", None),
            ("3/4/2026 13:00 PM", None),
            ("3/4", None),
            ("", None),
        ] {
            assert_eq!(american(text.as_bytes()).map(|time| time.to_string()).as_deref(), expected, "{text:?}");
        }
    }
}
