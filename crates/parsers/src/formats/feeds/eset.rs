//! ESET's threat intelligence (ETI): domain names and URLs that it blocks, JSON.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, has_members};
use crate::kinds::objects::Objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Row, Sender, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// ESET's threat intelligence.
pub const FORMAT: Format = Format {
    name: "eset",
    title: "ESET Threat Intelligence: domain names and URLs, JSON",
    senders: &["ESET", "eti.eset.com"],
    fields: &[
        ("ip", "address"),
        ("domain, url", "domain, url"),
        ("last_seen", "time"),
        ("reason", "kind, description"),
        ("confidence", "confidence: low 20, medium 50, high 90"),
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
    has_members(bytes, &["reason", "state", "valid_to", "last_seen"]).then_some(List::Objects(&LIST))
}

static LIST: Objects = Objects {
    layout: Layout {
        feed: "eset",
        sender: Sender { org: "ESET", contact: "", domain: "eset.com" },
        columns: &[
            ("first_seen", Means::FirstSeen(Written::Iso)),
            ("last_seen", Means::LastSeen(Written::Iso)),
            ("ip", Means::Address),
            ("url", Means::Url),
            ("domain", Means::Domain),
            ("reason", Means::Text("description")),
            ("confidence", Means::Keep),
            ("count", Means::Keep),
            ("state", Means::Keep),
            ("valid_to", Means::Keep),
        ],
        each: Some(blocked),
        ..Layout::PLAIN
    },
    path: &[],
};

fn blocked(row: &mut Row<'_>) -> Result<(), String> {
    row.core.confidence = super::in_words(row.get("confidence")).unwrap_or(row.core.confidence);
    let reason = row.get_text("reason").to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    row.class = match () {
        () if says(&["phish"]) => rsit::PHISHING,
        () if says(&["c&c", "command and control"]) => rsit::C2_SERVER,
        () if says(&["distribut", "malware", "trojan"]) => rsit::MALWARE_DISTRIBUTION,
        () if says(&["scam", "fraud"]) => rsit::SOCIAL_ENGINEERING,
        () => row.class,
    };
    Ok(())
}
