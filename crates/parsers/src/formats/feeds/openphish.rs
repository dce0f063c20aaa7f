//! Lists of OpenPhish: URLs of phishing sites, one a line; and its commercial feed, JSON with more about each.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, fetched_from, file_of, has_members};
use crate::kinds::objects::Objects;
use crate::kinds::rsit;
use crate::kinds::table::{Between, Layout, Means, Row, Sender, Table, When, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// OpenPhish.
pub const FORMAT: Format = Format {
    name: "openphish",
    title: "OpenPhish: its free list of URLs and its commercial feed (JSON)",
    senders: &["OpenPhish", "openphish.com"],
    fields: &[
        ("the line, url", "url"),
        ("ip", "address"),
        ("isotime; of the free list when it was fetched", "time"),
        ("brand", "target_brand"),
    ],
    proven: Proven::By("IntelMQ (the commercial feed); the free list unproven"),
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
    if has_members(bytes, &["url", "isotime", "discover_time", "brand"]) {
        return Some(List::Objects(&COMMERCIAL));
    }
    let mirrored = || fetched_from(location, "raw.githubusercontent.com").filter(|path| path.starts_with("/openphish/"));
    let path = fetched_from(location, "openphish.com").or_else(mirrored)?;
    file_of(path).ends_with(".txt").then_some(List::Table(&FREE))
}

const PLAIN: Layout = Layout {
    feed: "openphish",
    sender: Sender { org: "OpenPhish", contact: "contact@openphish.com", domain: "openphish.com" },
    class: rsit::PHISHING,
    ..Layout::PLAIN
};

/// URLs alone.
static FREE: Table = Table {
    layout: Layout { columns: &[("url", Means::Url)], when: When::Received, ..PLAIN },
    between: Between::Nothing,
    ..Table::PLAIN
};

static COMMERCIAL: Objects = Objects {
    layout: Layout {
        feed: "openphish_commercial",
        columns: &[
            ("isotime", Means::Time(Written::Iso)),
            ("discover_time", Means::Skip),
            ("ip", Means::Address),
            ("url", Means::Url),
            ("host", Means::Keep),
            ("asn", Means::Asn),
            ("country_code", Means::Country),
            ("brand", Means::Text("target_brand")),
        ],
        each: Some(commercial),
        ..PLAIN
    },
    path: &[],
};

fn commercial(row: &mut Row<'_>) -> Result<(), String> {
    // The host of a location may be an address, which is no domain name.
    let host = row.get("host");
    row.take_domain(host);
    Ok(())
}
