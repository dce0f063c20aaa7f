//! Blueliv's list of servers of crime: JSON.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, has_members};
use crate::kinds::objects::Objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Sender, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};
use model::category::Kind;

/// Blueliv's list.
pub const FORMAT: Format = Format {
    name: "blueliv",
    title: "Blueliv: servers of crime, JSON",
    senders: &["Blueliv", "blueliv.com"],
    fields: &[
        ("ip", "address"),
        ("url", "url"),
        ("type", "kind"),
        ("lastSeenAt, firstSeenAt", "time, last_seen, first_seen"),
        ("country", "source_country"),
    ],
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

fn which(bytes: &[u8], _: &str) -> Option<List> {
    if !has_members(bytes, &["lastSeenAt", "status", "type", "url"]) {
        return None;
    }
    Some(List::Objects(if has_members(bytes, &["crimeServers"]) { &ANSWER } else { &ARRAY }))
}

const LAYOUT: Layout = Layout {
    feed: "blueliv_crimeserver",
    sender: Sender { org: "Blueliv", contact: "info@blueliv.com", domain: "blueliv.com" },
    class: rsit::UNDETERMINED,
    columns: &[
        ("_id", Means::Text("report_id")),
        ("ip", Means::Address),
        ("url", Means::Url),
        ("domain", Means::Domain),
        (
            "type",
            Means::Class(&[
                ("MALWARE", rsit::MALWARE_DISTRIBUTION),
                ("PHISHING", rsit::PHISHING),
                ("BACKDOOR", rsit::SYSTEM_COMPROMISE),
                ("C_AND_C", rsit::C2_SERVER),
                ("EXPLOIT_KIT", rsit::EXPLOIT.as_kind(Kind::Malware)),
                // To run an exit of Tor is no abuse.
                ("TOR_IP", rsit::PROXY.as_kind(Kind::ThreatIntelligence)),
            ]),
        ),
        ("lastseenat", Means::LastSeen(Written::Iso)),
        ("firstseenat", Means::FirstSeen(Written::Iso)),
        ("country", Means::Country),
        ("asnid", Means::Asn),
    ],
    ..Layout::PLAIN
};

static ARRAY: Objects = Objects { layout: LAYOUT, path: &[] };
static ANSWER: Objects = Objects { layout: LAYOUT, path: &["crimeServers"] };
