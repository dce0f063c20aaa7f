//! Spamhaus' lists of networks and autonomous systems to drop (DROP, EDROP, DROPv6, ASN-DROP), as text and as JSON lines.
//!
//! They are lists of what should not be routed at all: the listing is told, and nothing is said of any one customer.

use std::borrow::Cow;

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, commented, fetched_from, has_members};
use crate::kinds::mail;
use crate::kinds::objects;
use crate::kinds::rsit;
use crate::kinds::table::{Between, Layout, Means, Row, Sender, Sheet, Table, When, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Spamhaus' lists.
pub const FORMAT: Format = Format {
    name: "spamhaus_drop",
    title: "Spamhaus DROP and ASN-DROP, text and JSON (https://www.spamhaus.org/blocklists/do-not-route-or-peer/)",
    senders: &["The Spamhaus Project", "spamhaus.org"],
    fields: &[
        ("the prefix, cidr; the number, asn", "source_identifier"),
        ("Last-Modified; of JSON when it was fetched", "time"),
        ("sblid", "its own name"),
    ],
    proven: Proven::By("IntelMQ (ASN-DROP as text); the others unproven, after Spamhaus' documentation"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    lists::detect(prefix, which)
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    lists::read(reading, source, which)
}

fn which(bytes: &[u8], location: &str) -> Option<List> {
    if has_members(bytes, &["cidr", "sblid", "rir"]) {
        return Some(List::Own(|reading, source| json(reading, source, &NETWORKS)));
    }
    if has_members(bytes, &["asn", "rir", "asname", "cc"]) {
        return Some(List::Own(|reading, source| json(reading, source, &SYSTEMS)));
    }
    let fetched = || fetched_from(location, "spamhaus.org").filter(|path| path.contains("drop"));
    if !commented(bytes, b';', "Spamhaus") && fetched().is_none() {
        return None;
    }
    // The lists differ in nothing but what their rows begin with.
    let rows = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|row| !row.is_empty());
    let first = rows.take(100).find(|row| !row.starts_with(b";"))?;
    let system = first.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case(b"AS"));
    Some(List::Table(if system { &SYSTEMS_TEXT } else { &NETWORKS_TEXT }))
}

const PLAIN: Layout = Layout {
    sender: Sender { org: "The Spamhaus Project", contact: "", domain: "spamhaus.org" },
    class: rsit::BLACKLIST,
    when: When::Received,
    ..Layout::PLAIN
};

static NETWORKS: Layout =
    Layout { feed: "drop", columns: &[("cidr", Means::Address), ("sblid", Means::Keep), ("rir", Means::Keep)], ..PLAIN };

static NETWORKS_TEXT: Table = Table {
    layout: Layout { columns: &[("cidr", Means::Address), ("sblid", Means::Keep)], when: MODIFIED, ..NETWORKS_LAYOUT },
    ..TEXT
};

const NETWORKS_LAYOUT: Layout = Layout { feed: "drop", ..PLAIN };

static SYSTEMS: Layout = Layout {
    feed: "asndrop",
    columns: &[
        ("asn", Means::Asn),
        ("rir", Means::Keep),
        ("domain", Means::Keep),
        ("cc", Means::Country),
        ("asname", Means::Keep),
    ],
    each: Some(system),
    ..PLAIN
};

static SYSTEMS_TEXT: Table = Table {
    layout: Layout {
        feed: "asndrop",
        columns: &[("asn", Means::Asn), ("country_and_name", Means::Skip)],
        when: MODIFIED,
        each: Some(system),
        ..PLAIN
    },
    ..TEXT
};

const MODIFIED: When = When::Comment("Last-Modified:", Written::Like(mail::time));

const TEXT: Table = Table { between: Between::Plain(b';'), comments: b";", ..Table::PLAIN };

/// A whole autonomous system is what the row is about.
fn system(row: &mut Row<'_>) -> Result<(), String> {
    let number = row.get_text("asn");
    let digits = number.trim_start_matches(['A', 'a', 'S', 's']);
    match digits.parse::<u32>() {
        Ok(number) if number > 0 => row.handle = Cow::Owned(format!("AS{number}").into_bytes()),
        _ => {
            return Err(format!(
                "no readable number of an autonomous system: '{}'",
                number.chars().take(100).collect::<String>()
            ));
        }
    }
    if let Some((country, name)) = row.get_text("country_and_name").split_once('|') {
        let country = country.trim();
        if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            row.put("source_country", country.to_ascii_uppercase());
        }
        if !name.trim().is_empty() {
            row.keep("asname", name.trim());
        }
    }
    Ok(())
}

/// One object a line; one of them speaks of the list and is no row.
fn json(reading: &mut Reading<'_>, source: &mut Source<'_>, layout: &'static Layout) -> Result<(), Stop> {
    let mut sheet = Sheet::new(layout, Vec::new(), reading);
    let most = reading.hint.limits.line;
    objects::walk(reading, source, &[], most, &mut |reading, found| {
        let about = found.members.get("type").and_then(serde_json::Value::as_str) == Some("metadata");
        if about { Ok(()) } else { objects::row(reading, &mut sheet, &found) }
    })?;
    sheet.tell(reading);
    Ok(())
}
