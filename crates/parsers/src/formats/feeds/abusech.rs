//! Lists of abuse.ch: URLhaus, ThreatFox, Feodo Tracker and the SSL Blacklist, as CSV, JSON and text.
//!
//! Each begins with a comment that names it, or is known by its members. A server of a botnet that is reported as `offline` was one
//! when it was last seen, which is the time of the report.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, commented, fetched_from, has_members};
use crate::kinds::objects::Objects;
use crate::kinds::rsit::{self, Class};
use crate::kinds::table::{Between, Layout, Means, Row, Sender, Table, When, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Lists of abuse.ch.
pub const FORMAT: Format = Format {
    name: "abusech",
    title: "abuse.ch: URLhaus, ThreatFox, Feodo Tracker, SSL Blacklist (CSV, JSON, text)",
    senders: &["abuse.ch", "urlhaus.abuse.ch", "threatfox.abuse.ch", "feodotracker.abuse.ch", "sslbl.abuse.ch"],
    fields: &[
        ("url, ioc_value, dst_ip, ip_address, ipaddress", "address, port, url, domain"),
        ("last_online, last_seen_utc", "time, last_seen"),
        ("first_seen_utc, dateadded, firstseen", "first_seen; time when nothing later is said"),
        ("threat, threat_type", "kind"),
        ("malware, malware_printable", "malware_family"),
        ("confidence_level", "confidence"),
        ("tags", "tags"),
    ],
    proven: Proven::By("IntelMQ (Feodo Tracker); the others unproven, after abuse.ch's documentation"),
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
    if commented(bytes, b'#', "abuse.ch") {
        let is = |words: &str| commented(bytes, b'#', words);
        let plain = is("IPs only") || is("laintext") || is("(TXT)");
        return Some(List::Table(match () {
            () if is("URLhaus") && is("ASnumber") => &URLHAUS_NETWORK,
            () if is("URLhaus") && plain => &URLHAUS_TEXT,
            () if is("URLhaus") => &URLHAUS,
            () if is("ThreatFox") => &THREATFOX,
            () if is("Feodo") && plain => &FEODO_TEXT,
            () if is("Feodo") => &FEODO,
            () if is("SSLBL") && is("SHA1") => &SSLBL_CERTIFICATES,
            () if is("SSLBL") && plain => &SSLBL_TEXT,
            () if is("SSLBL") => &SSLBL,
            () => return None,
        }));
    }
    let members: &[(&[&str], &'static Objects)] = &[
        (&["ip_address", "last_online", "malware", "as_number"], &FEODO_JSON),
        (&["urlhaus_link", "dateadded", "url_status"], &URLHAUS_JSON),
        (&["urlhaus_reference", "date_added", "url_status"], &URLHAUS_API),
        (&["ioc_value", "ioc_type", "threat_type", "first_seen_utc"], &THREATFOX_JSON),
        (&["ioc", "ioc_type", "threat_type", "malware_printable"], &THREATFOX_API),
    ];
    if let Some((_, objects)) = members.iter().find(|(names, _)| has_members(bytes, names)) {
        return Some(List::Objects(objects));
    }
    // Lists of addresses and URLs alone, whose comments somebody took away.
    let texts: &[(&str, &str, &'static Table)] = &[
        ("urlhaus.abuse.ch", "/downloads/text", &URLHAUS_TEXT),
        ("feodotracker.abuse.ch", ".txt", &FEODO_TEXT),
        ("sslbl.abuse.ch", ".txt", &SSLBL_TEXT),
    ];
    let found = texts.iter().find(|(site, part, _)| fetched_from(location, site).is_some_and(|path| path.contains(part)));
    found.map(|(_, _, table)| List::Table(table))
}

const PLAIN: Layout = Layout {
    sender: Sender { org: "abuse.ch", contact: "contactme@abuse.ch", domain: "abuse.ch" },
    nothing: &["None", "null"],
    ..Layout::PLAIN
};

const IN_LAYOUT: Means = Means::Time(Written::Iso);
const FIRST: Means = Means::FirstSeen(Written::Iso);
const LAST: Means = Means::LastSeen(Written::Iso);
const MALWARE: Means = Means::Text("malware_family");

const FEODO_LAYOUT: Layout = Layout {
    feed: "feodotracker",
    class: rsit::C2_SERVER,
    columns: &[
        ("first_seen_utc", FIRST),
        ("dst_ip", Means::Address),
        ("dst_port", Means::Port),
        ("c2_status", Means::Keep),
        ("last_online", LAST),
        ("malware", MALWARE),
    ],
    always: &[("compromise_evidence", "listed by Feodo Tracker of abuse.ch as command and control of a botnet")],
    ..PLAIN
};

/// Feodo Tracker, CSV.
static FEODO: Table = Table { layout: FEODO_LAYOUT, header: true, ..Table::PLAIN };

/// Feodo Tracker, addresses alone.
static FEODO_TEXT: Table = Table {
    layout: Layout { columns: &[("address", Means::Address)], when: When::Received, ..FEODO_LAYOUT },
    between: Between::Nothing,
    ..Table::PLAIN
};

/// Feodo Tracker, JSON.
static FEODO_JSON: Objects = Objects {
    layout: Layout {
        columns: &[
            ("ip_address", Means::Address),
            ("port", Means::Port),
            ("status", Means::Keep),
            ("hostname", Means::Text("source_reverse_dns")),
            ("as_number", Means::Asn),
            ("country", Means::Country),
            ("first_seen", FIRST),
            ("last_online", LAST),
            ("malware", MALWARE),
        ],
        ..FEODO_LAYOUT
    },
    path: &[],
};

const URLHAUS_LAYOUT: Layout = Layout {
    feed: "urlhaus",
    class: rsit::MALWARE_DISTRIBUTION,
    columns: &[
        ("id", Means::Text("report_id")),
        ("dateadded", FIRST),
        ("url", Means::Url),
        ("url_status", Means::Keep),
        ("last_online", LAST),
        ("threat", Means::Keep),
        ("tags", Means::Tag("urlhaus")),
        ("urlhaus_link", Means::Keep),
        ("reporter", Means::Keep),
    ],
    ..PLAIN
};

/// URLhaus, CSV.
static URLHAUS: Table = Table { layout: URLHAUS_LAYOUT, header: true, ..Table::PLAIN };

/// URLhaus of one autonomous system, country or top-level domain, CSV.
static URLHAUS_NETWORK: Table = Table {
    layout: Layout {
        columns: &[
            ("dateadded_(utc)", IN_LAYOUT),
            ("url", Means::Url),
            ("url_status", Means::Keep),
            ("threat", Means::Keep),
            ("host", Means::Host),
            ("ipaddress", Means::Address),
            ("asnumber", Means::Asn),
            ("country", Means::Country),
        ],
        ..URLHAUS_LAYOUT
    },
    header: true,
    ..Table::PLAIN
};

/// URLhaus, URLs alone.
static URLHAUS_TEXT: Table = Table {
    layout: Layout { columns: &[("url", Means::Url)], when: When::Received, ..URLHAUS_LAYOUT },
    between: Between::Nothing,
    ..Table::PLAIN
};

/// URLhaus, JSON: lists of one under its number.
static URLHAUS_JSON: Objects = Objects {
    layout: Layout {
        columns: &[
            ("@key", Means::Text("report_id")),
            ("dateadded", FIRST),
            ("url", Means::Url),
            ("url_status", Means::Keep),
            ("last_online", LAST),
            ("threat", Means::Keep),
            ("tags", Means::Tag("urlhaus")),
            ("urlhaus_link", Means::Keep),
            ("reporter", Means::Keep),
        ],
        ..URLHAUS_LAYOUT
    },
    path: &["*"],
};

/// URLhaus, answers of its interface.
static URLHAUS_API: Objects = Objects {
    layout: Layout {
        columns: &[
            ("id", Means::Text("report_id")),
            ("date_added", FIRST),
            ("last_online", LAST),
            ("url", Means::Url),
            ("host", Means::Host),
            ("url_status", Means::Keep),
            ("threat", Means::Keep),
            ("tags", Means::Tag("urlhaus")),
            ("urlhaus_reference", Means::Keep),
        ],
        ..URLHAUS_LAYOUT
    },
    path: &["urls"],
};

/// What a row of ThreatFox tells of.
const THREATS: Means = Means::Class(&[
    ("botnet_cc", rsit::C2_SERVER),
    ("payload_delivery", rsit::MALWARE_DISTRIBUTION),
    ("payload", SAMPLE),
    ("cc_skimming", rsit::APPLICATION_COMPROMISE),
]);

/// A file that is malware: nobody's machine.
const SAMPLE: Class = rsit::OTHER_MALWARE;

const THREATFOX_LAYOUT: Layout = Layout {
    feed: "threatfox",
    class: rsit::OTHER_MALWARE,
    columns: &[
        ("first_seen_utc", FIRST),
        ("ioc_id", Means::Text("report_id")),
        ("ioc_value", Means::Source),
        ("ioc_type", Means::Keep),
        ("threat_type", THREATS),
        ("fk_malware", Means::Keep),
        ("malware_alias", Means::Keep),
        ("malware_printable", MALWARE),
        ("last_seen_utc", LAST),
        ("confidence_level", Means::Confidence),
        ("is_compromised", Means::Keep),
        ("reference", Means::Keep),
        ("tags", Means::Tag("threatfox")),
        ("anonymous", Means::Keep),
        ("reporter", Means::Keep),
    ],
    each: Some(samples),
    ..PLAIN
};

/// Hashes of files name no machine, but are what the sender said.
fn samples(row: &mut Row<'_>) -> Result<(), String> {
    let value = [row.get("ioc_value"), row.get("ioc"), row.get("sha1")].into_iter().find(|value| !value.is_empty());
    if let Some(value) = value
        && row.put_hash(value)
    {
        row.handle = value.into();
    }
    Ok(())
}

/// ThreatFox, CSV.
static THREATFOX: Table = Table { layout: THREATFOX_LAYOUT, between: Between::Spaced(b','), header: true, ..Table::PLAIN };

/// ThreatFox, JSON: lists of one under its number.
static THREATFOX_JSON: Objects = Objects {
    layout: Layout {
        columns: &[
            ("@key", Means::Text("report_id")),
            ("ioc_value", Means::Source),
            ("ioc_type", Means::Keep),
            ("threat_type", THREATS),
            ("malware_printable", MALWARE),
            ("first_seen_utc", FIRST),
            ("last_seen_utc", LAST),
            ("confidence_level", Means::Confidence),
            ("tags", Means::Tag("threatfox")),
        ],
        ..THREATFOX_LAYOUT
    },
    path: &["*"],
};

/// ThreatFox, answers of its interface.
static THREATFOX_API: Objects = Objects {
    layout: Layout {
        columns: &[
            ("id", Means::Text("report_id")),
            ("ioc", Means::Source),
            ("ioc_type", Means::Keep),
            ("threat_type", THREATS),
            ("malware_printable", MALWARE),
            ("first_seen", FIRST),
            ("last_seen", LAST),
            ("confidence_level", Means::Confidence),
            ("tags", Means::Tag("threatfox")),
        ],
        ..THREATFOX_LAYOUT
    },
    path: &["data"],
};

const SSLBL_LAYOUT: Layout = Layout {
    feed: "sslbl",
    class: rsit::C2_SERVER,
    columns: &[("firstseen", IN_LAYOUT), ("dstip", Means::Address), ("dstport", Means::Port)],
    always: &[("compromise_evidence", "listed by the SSL Blacklist of abuse.ch as command and control of a botnet")],
    ..PLAIN
};

/// SSL Blacklist, addresses and ports, CSV.
static SSLBL: Table = Table { layout: SSLBL_LAYOUT, header: true, ..Table::PLAIN };

/// SSL Blacklist, addresses alone.
static SSLBL_TEXT: Table = Table {
    layout: Layout { columns: &[("address", Means::Address)], when: When::Received, ..SSLBL_LAYOUT },
    between: Between::Nothing,
    ..Table::PLAIN
};

/// SSL Blacklist, certificates: they name no machine.
static SSLBL_CERTIFICATES: Table = Table {
    layout: Layout {
        feed: "sslbl_certificates",
        class: rsit::OTHER_MALWARE,
        columns: &[("listingdate", IN_LAYOUT), ("sha1", Means::Keep), ("listingreason", MALWARE)],
        always: &[("threat_type", "certificate of a botnet's server")],
        each: Some(certificate),
        ..SSLBL_LAYOUT
    },
    header: true,
    ..Table::PLAIN
};

fn certificate(row: &mut Row<'_>) -> Result<(), String> {
    let value = row.get("sha1");
    if value.len() != 40 || !value.iter().all(u8::is_ascii_hexdigit) {
        return Err("no SHA-1 of a certificate".to_owned());
    }
    row.handle = value.into();
    Ok(())
}
