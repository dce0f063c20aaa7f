//! Feeds of CZ.NIC: PROKI, Honeypot as a Service, and the greylist of Turris.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, commented, fetched_from, has_members};
use crate::kinds::objects::Objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Row, Sender, Table, When, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};
use memchr::memmem;
use model::time::Time;

/// Feeds of CZ.NIC.
pub const FORMAT: Format = Format {
    name: "cznic",
    title: "CZ.NIC: PROKI and Honeypot as a Service (JSON), greylist of Turris (CSV)",
    senders: &["CZ.NIC, CSIRT.CZ, Turris", "csirt.cz", "haas.nic.cz", "view.sentinel.turris.cz", "project.turris.cz"],
    fields: &[
        ("source.ip, ip, Address", "address"),
        ("time.source, time", "time"),
        ("classification.type, login_successful, Tags", "kind"),
        ("malware.name", "malware_family"),
        ("source.asn, source.geolocation.cc, country, Country, ASN", "source_asn, source_country"),
        ("destination.ip, destination.port", "destination_ip, destination_port"),
    ],
    proven: Proven::By("IntelMQ (PROKI, Honeypot as a Service); Turris unproven"),
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
    if has_members(bytes, &["classification.type", "source.ip", "time.source", "data"]) {
        return Some(List::Objects(&PROKI));
    }
    if has_members(bytes, &["login_successful", "commands", "time_closed"]) {
        return Some(List::Objects(&HAAS));
    }
    let turris = fetched_from(location, "turris.cz").is_some_and(|path| path.contains("greylist"));
    let begins = bytes.starts_with(b"Address,Tags,") || commented(bytes, b'#', "Turris");
    (turris || begins).then_some(List::Table(&GREYLIST))
}

const SENDER: Sender = Sender { org: "CZ.NIC", contact: "abuse@csirt.cz", domain: "csirt.cz" };

static PROKI: Objects = Objects {
    layout: Layout {
        feed: "proki",
        sender: SENDER,
        class: rsit::UNDETERMINED,
        columns: &[
            ("source.ip", Means::Address),
            ("source.port", Means::Port),
            ("source.url", Means::Url),
            ("source.fqdn", Means::Domain),
            ("source.asn", Means::Asn),
            ("source.geolocation.cc", Means::Country),
            ("source.reverse_dns", Means::Text("source_reverse_dns")),
            ("time.source", Means::Time(Written::Iso)),
            ("classification.type", Means::Rsit),
            ("classification.identifier", Means::Text("rsit_identifier")),
            ("malware.name", Means::Text("malware_family")),
            ("destination.ip", Means::DestinationIp),
            ("destination.port", Means::DestinationPort),
            ("destination.fqdn", Means::DestinationDomain),
            ("protocol.transport", Means::Transport),
            ("protocol.application", Means::Application),
            ("event_description.text", Means::Text("description")),
            ("feed.name", Means::Keep),
        ],
        ..Layout::PLAIN
    },
    path: &["data"],
};

static HAAS: Objects = Objects {
    layout: Layout {
        feed: "haas",
        sender: Sender { contact: "haas@nic.cz", domain: "haas.nic.cz", ..SENDER },
        class: rsit::BRUTE_FORCE,
        columns: &[
            ("ip", Means::Address),
            ("time", Means::Time(Written::Iso)),
            ("time_closed", Means::Keep),
            ("country", Means::Country),
            ("login_successful", Means::Keep),
            ("commands", Means::Keep),
        ],
        always: &[("application", "ssh"), ("transport", "tcp"), ("evidence_source", "honeypot")],
        each: Some(honeypot),
        ..Layout::PLAIN
    },
    path: &[],
};

/// The honeypot listens where SSH does. Who came in went on to use it; the address is that of the attacker all the same.
fn honeypot(row: &mut Row<'_>) -> Result<(), String> {
    row.put_number("destination_port", 22);
    if row.get("login_successful") == b"true" {
        row.class = rsit::SYSTEM_COMPROMISE.as_kind(model::category::Kind::LoginAttack);
    }
    Ok(())
}

static GREYLIST: Table = Table {
    layout: Layout {
        feed: "turris_greylist",
        sender: Sender { org: "Turris, CZ.NIC", contact: "info@turris.com", domain: "turris.cz" },
        class: rsit::SCANNER,
        columns: &[("address", Means::Address), ("country", Means::Country), ("tags", Means::Tag("turris")), ("asn", Means::Asn)],
        when: When::Comment("generated", Written::Like(Time::parse)),
        each: Some(attack),
        ..Layout::PLAIN
    },
    header: true,
    ..Table::PLAIN
};

/// What the sensors saw an address do stands in its labels: the first that guesses passwords makes it an attacker of logins.
fn attack(row: &mut Row<'_>) -> Result<(), String> {
    let tags = row.get("tags").to_ascii_lowercase();
    let names = [("telnet", "telnet"), ("ftp", "ftp"), ("smtp", "smtp"), ("http", "http")];
    let found = names.iter().find(|(tag, _)| memmem::find(&tags, tag.as_bytes()).is_some());
    if let Some((_, name)) = found
        && memmem::find(&tags, b"scan").is_none()
    {
        row.class = rsit::BRUTE_FORCE;
        row.application = name.as_bytes().into();
    }
    Ok(())
}
