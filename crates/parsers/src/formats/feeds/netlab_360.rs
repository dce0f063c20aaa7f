//! 360 Netlab's list of domain names that malware makes up. The laboratory has closed; its list is still handed around.
//!
//! The names are foretold, as those of [`super::fraunhofer`]: they are intelligence.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, commented, fetched_from, file_of};
use crate::kinds::rsit;
use crate::kinds::table::{Between, Layout, Means, Sender, Table, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// 360 Netlab's list.
pub const FORMAT: Format = Format {
    name: "netlab_360",
    title: "360 Netlab: names that malware makes up",
    senders: &["360 Netlab", "data.netlab.360.com"],
    fields: &[("family", "malware_family"), ("domain", "domain"), ("start of validity", "time, first_seen")],
    proven: Proven::By("IntelMQ"),
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
    let named = commented(bytes, b'#', "netlab 360") && commented(bytes, b'#', "DGA");
    let fetched = || fetched_from(location, "netlab.360.com").is_some_and(|path| file_of(path) == "dga.txt");
    (named || fetched()).then_some(List::Table(&LIST))
}

static LIST: Table = Table {
    layout: Layout {
        feed: "netlab_dga",
        sender: Sender { org: "360 Netlab", contact: "", domain: "netlab.360.com" },
        class: rsit::DGA_DOMAIN,
        columns: &[
            ("family", Means::Text("malware_family")),
            ("domain", Means::Domain),
            ("valid_from", Means::FirstSeen(Written::Iso)),
            ("valid_until", Means::Keep),
        ],
        ..Layout::PLAIN
    },
    between: Between::Plain(b'\t'),
    ..Table::PLAIN
};
