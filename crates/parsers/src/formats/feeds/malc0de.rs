//! Lists of malc0de.com: addresses and domain names that gave out malware, as text and as a zone for BIND. The site has fallen
//! silent; its lists are still handed around.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, commented, fetched_from};
use crate::kinds::rsit;
use crate::kinds::table::{Between, Layout, Means, Sender, Table, When, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Lists of malc0de.com.
pub const FORMAT: Format = Format {
    name: "malc0de",
    title: "malc0de.com: addresses, and domain names as a zone for BIND",
    senders: &["malc0de", "malc0de.com"],
    fields: &[("the line", "address"), ("the zone", "domain"), ("Last updated", "time")],
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
    if fetched_from(location, "malc0de.com").is_none() && !commented(bytes, b'/', "malc0de.com") {
        return None;
    }
    let zone = memchr::memmem::find(bytes, b"\nzone \"").is_some() || bytes.starts_with(b"zone \"");
    Some(List::Table(if zone { &ZONE } else { &ADDRESSES }))
}

const PLAIN: Layout = Layout {
    sender: Sender { org: "malc0de", contact: "", domain: "malc0de.com" },
    class: rsit::MALWARE_DISTRIBUTION,
    when: When::Comment("Last updated", Written::Iso),
    ..Layout::PLAIN
};

static ADDRESSES: Table = Table {
    layout: Layout { feed: "malc0de_addresses", columns: &[("address", Means::Address)], ..PLAIN },
    between: Between::Nothing,
    comments: b"/",
    ..Table::PLAIN
};

/// `zone "NAME"  {type master; file "…";};`
static ZONE: Table = Table {
    layout: Layout {
        feed: "malc0de_domains",
        columns: &[
            ("keyword", Means::Skip),
            ("zone", Means::Domain),
            ("type", Means::Skip),
            ("file", Means::Skip),
            ("end", Means::Skip),
        ],
        ..PLAIN
    },
    between: Between::Plain(b'"'),
    comments: b"/",
    ..Table::PLAIN
};
