//! Lists of DShield (SANS Internet Storm Center): networks that attack most, attackers of one autonomous system, suspicious names.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, commented, fetched_from};
use crate::kinds::rsit;
use crate::kinds::table::{Between, Layout, Means, Row, Sender, Table, When, Written, times};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};
use model::category::Kind;

/// Lists of DShield.
pub const FORMAT: Format = Format {
    name: "dshield",
    title: "DShield: block list, attackers of an autonomous system, suspicious domain names",
    senders: &["DShield, SANS Internet Storm Center", "dshield.org", "isc.sans.edu"],
    fields: &[
        ("Start and Netblock", "source_identifier (a prefix)"),
        ("source IP", "address"),
        ("Site", "domain"),
        ("updated, in the comment", "time"),
        ("Country", "source_country"),
    ],
    proven: Proven::By("IntelMQ (block list, names); attackers of a system unproven"),
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
    if commented(bytes, b'#', "DShield.org Recommended Block List") {
        return Some(List::Table(&BLOCK));
    }
    if commented(bytes, b'#', "DShield.org Suspicious Domain List") {
        return Some(List::Table(&DOMAINS));
    }
    let path = fetched_from(location, "dshield.org").or_else(|| fetched_from(location, "isc.sans.edu"))?;
    path.contains("asdetailsascii").then_some(List::Table(&SYSTEM))
}

const PLAIN: Layout = Layout {
    sender: Sender { org: "DShield", contact: "info@dshield.org", domain: "dshield.org" },
    when: When::Comment("updated:", Written::Like(times::ctime)),
    ..Layout::PLAIN
};

static BLOCK: Table = Table {
    layout: Layout {
        feed: "dshield_block",
        class: rsit::BLACKLIST,
        columns: &[
            ("start", Means::Keep),
            ("end", Means::Keep),
            ("netblock", Means::Keep),
            ("attacks", Means::Number("attacks")),
            ("name", Means::Keep),
            ("country", Means::Country),
            ("email", Means::Keep),
        ],
        each: Some(network),
        ..PLAIN
    },
    between: Between::Plain(b'\t'),
    header: true,
    ..Table::PLAIN
};

/// A network is its first address and the length of its prefix, or its last address.
fn network(row: &mut Row<'_>) -> Result<(), String> {
    let (start, end, length) = (row.get_text("start"), row.get_text("end"), row.get_text("netblock"));
    for written in [format!("{start}/{length}"), format!("{start} - {end}")] {
        if model::address::Range::parse(&written).is_ok() {
            row.network = written.into_bytes().into();
            return Ok(());
        }
    }
    Err(format!("no readable network in 'start', 'netblock' and 'end': '{start}', '{length}', '{end}'"))
}

static DOMAINS: Table = Table {
    layout: Layout {
        feed: "dshield_domains",
        // What is suspicious is not yet malware.
        class: rsit::MALWARE_DISTRIBUTION.as_kind(Kind::ThreatIntelligence),
        columns: &[("site", Means::Domain)],
        always: &[("threat_type", "suspicious domain name")],
        ..PLAIN
    },
    between: Between::Plain(b'\t'),
    header: true,
    ..Table::PLAIN
};

static SYSTEM: Table = Table {
    layout: Layout {
        feed: "dshield_asn",
        class: rsit::SCANNER,
        columns: &[
            ("source_ip", Means::Address),
            ("reports", Means::Number("reports")),
            ("targets", Means::Number("targets")),
            ("first_seen", Means::FirstSeen(Written::Iso)),
            ("last_seen", Means::LastSeen(Written::Iso)),
            ("updated", Means::Keep),
        ],
        when: When::Row,
        ..PLAIN
    },
    between: Between::Plain(b'\t'),
    header: true,
    ..Table::PLAIN
};
