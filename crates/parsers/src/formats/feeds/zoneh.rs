//! Zone-H's defaced sites, CSV.

use super::super::{Fit, Format, Proven};
use crate::kinds::csv::header_of;
use crate::kinds::rsit;
use crate::kinds::table::{self, Layout, Means, Sender, Table, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Zone-H's defaced sites.
pub const FORMAT: Format = Format {
    name: "zoneh",
    title: "Zone-H: defaced sites, CSV",
    senders: &["Zone-H", "zone-h.org"],
    fields: &[("ip_address", "address"), ("domain", "url"), ("add_date", "time"), ("type", "description")],
    proven: Proven::By("IntelMQ"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    let start = prefix.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix.bytes);
    if !start.starts_with(b"\"add_date\"") && !start.starts_with(b"add_date,") {
        return Fit::No;
    }
    let header = header_of(prefix.bytes);
    let has = |name: &str| header.iter().any(|column| column == name);
    if has("attacker") && has("domain") && has("defacement_id") { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    table::read(reading, source, &TABLE)
}

static TABLE: Table = Table {
    layout: Layout {
        feed: "zoneh",
        sender: Sender { org: "Zone-H", contact: "", domain: "zone-h.org" },
        class: rsit::UNAUTHORISED_CHANGE,
        identifier: "compromised-website",
        columns: &[
            ("add_date", Means::Time(Written::Iso)),
            ("ip_address", Means::Address),
            ("domain", Means::Source),
            ("country_code", Means::Country),
            ("defacement_id", Means::Text("report_id")),
            ("country", Means::Skip),
        ],
        nothing: &["Not available"],
        always: &[("compromise_type", "defacement")],
        ..Layout::PLAIN
    },
    header: true,
    comments: b"",
    ..Table::PLAIN
};
