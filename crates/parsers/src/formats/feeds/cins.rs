//! The list of the CINS Army: addresses whose reputation is bad, one a line.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, fetched_from};
use crate::kinds::rsit;
use crate::kinds::table::{Between, Layout, Means, Sender, Table, When};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// The CINS Army list.
pub const FORMAT: Format = Format {
    name: "cins",
    title: "CINS Army: addresses of bad reputation (cinsscore.com)",
    senders: &["Sentinel IPS, CINS Army", "cinsscore.com", "cinsarmy.com"],
    fields: &[("the line", "address"), ("when it was fetched", "time")],
    proven: Proven::After("its only description, that of its makers: one address a line"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    lists::detect(prefix, which)
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    lists::read(reading, source, which)
}

fn which(_: &[u8], location: &str) -> Option<List> {
    let path = fetched_from(location, "cinsscore.com").or_else(|| fetched_from(location, "cinsarmy.com"))?;
    path.contains("list").then_some(List::Table(&TABLE))
}

static TABLE: Table = Table {
    layout: Layout {
        feed: "cins",
        sender: Sender { org: "CINS Army", contact: "info@cinsarmy.com", domain: "cinsarmy.com" },
        class: rsit::BLACKLIST,
        columns: &[("address", Means::Address)],
        when: When::Received,
        ..Layout::PLAIN
    },
    between: Between::Nothing,
    ..Table::PLAIN
};
