//! Lists of Team Cymru: infected and attacking machines of a network (CAP), and space that nobody may announce (full bogons).

mod notes;

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, commented, fetched_from};
use crate::kinds::rsit;
use crate::kinds::table::{Between, Layout, Means, Sender, Table, When, Written, times};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};
use model::category::Kind;
use model::time::Time;

/// Lists of Team Cymru.
pub const FORMAT: Format = Format {
    name: "cymru",
    title: "Team Cymru: CSIRT Assistance Program, full bogons",
    senders: &["Team Cymru", "cymru.com", "team-cymru.org"],
    fields: &[
        ("address, ip", "address"),
        ("timestamp", "time"),
        ("category, report", "kind"),
        ("optional_information, comments", "port, url, domain, malware_family, destination_ip, destination_port, application"),
        ("asn, asninfo", "source_asn, as_name, source_country"),
        ("the line of a bogon", "source_identifier (a prefix)"),
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

fn which(bytes: &[u8], location: &str) -> Option<List> {
    if commented(bytes, b'#', "category|address|asn|timestamp|") {
        return Some(List::Table(&PROGRAM));
    }
    if commented(bytes, b'#', "report|ip|asn|timestamp|") {
        return Some(List::Table(&OLDER));
    }
    let at = |site| fetched_from(location, site).is_some_and(|path| path.to_ascii_lowercase().contains("bogons"));
    (at("cymru.org") || at("cymru.com") || at("team-cymru.org") || at("team-cymru.com")).then_some(List::Table(&BOGONS))
}

const PLAIN: Layout =
    Layout { sender: Sender { org: "Team Cymru", contact: "outreach@cymru.com", domain: "cymru.com" }, ..Layout::PLAIN };

const CLASSES: Means = Means::Class(&[
    ("bot", rsit::INFECTED_SYSTEM),
    ("bots", rsit::INFECTED_SYSTEM),
    ("conficker", rsit::INFECTED_SYSTEM),
    ("beagle", rsit::INFECTED_SYSTEM),
    ("blaster", rsit::INFECTED_SYSTEM),
    ("mydoom", rsit::INFECTED_SYSTEM),
    ("nachi", rsit::INFECTED_SYSTEM),
    ("sinit", rsit::INFECTED_SYSTEM),
    ("slammer", rsit::INFECTED_SYSTEM),
    ("flowbot", rsit::INFECTED_SYSTEM),
    ("bruteforce", rsit::BRUTE_FORCE),
    ("controller", rsit::C2_SERVER),
    ("darknet", rsit::SCANNER),
    ("ddosreport", rsit::DDOS.as_kind(Kind::ThreatIntelligence)),
    ("ddosvictim", rsit::DDOS.as_kind(Kind::ThreatIntelligence)),
    ("defacement", rsit::UNAUTHORISED_CHANGE),
    ("honeypot", rsit::SCANNER),
    ("malwareurl", rsit::MALWARE_DISTRIBUTION),
    ("openresolver", rsit::VULNERABLE_SYSTEM),
    ("openresolvers", rsit::VULNERABLE_SYSTEM),
    ("phishing", rsit::PHISHING),
    ("proxy", rsit::PROXY),
    ("routers", rsit::SYSTEM_COMPROMISE),
    ("scanner", rsit::SCANNER),
    ("scanners", rsit::SCANNER),
    ("spam", rsit::SPAM),
]);

const PROGRAM_LAYOUT: Layout = Layout {
    feed: "cap",
    class: rsit::UNDETERMINED,
    columns: &[
        ("category", CLASSES),
        ("address", Means::Address),
        ("asn", Means::Asn),
        ("timestamp", Means::Time(Written::Iso)),
        ("optional_information", Means::Keep),
        ("asninfo", Means::Skip),
    ],
    each: Some(notes::read),
    repeat: Some(notes::ports),
    ..PLAIN
};

/// The CSIRT Assistance Program.
static PROGRAM: Table = Table { layout: PROGRAM_LAYOUT, between: Between::Plain(b'|'), header: true, ..Table::PLAIN };

/// The same until 2018.
static OLDER: Table = Table {
    layout: Layout {
        columns: &[
            ("report", CLASSES),
            ("ip", Means::Address),
            ("asn", Means::Asn),
            ("timestamp", Means::Time(Written::Iso)),
            ("comments", Means::Keep),
            ("asn_name", Means::Skip),
        ],
        ..PROGRAM_LAYOUT
    },
    ..PROGRAM
};

/// Prefixes that no registry gave out: to be in one accuses nobody.
static BOGONS: Table = Table {
    layout: Layout {
        feed: "fullbogons",
        class: rsit::BLACKLIST.as_kind(Kind::ThreatIntelligence),
        columns: &[("prefix", Means::Address)],
        always: &[("threat_type", "space that no registry has given out")],
        when: When::Comment("last updated", Written::Like(updated)),
        ..PLAIN
    },
    between: Between::Nothing,
    ..Table::PLAIN
};

/// `1450193702 (Tue Dec 15 15:35:02 2015 GMT)`.
fn updated(text: &[u8]) -> Option<Time> {
    times::unix(text.split(|byte| *byte == b' ').next().unwrap_or_default())
}
