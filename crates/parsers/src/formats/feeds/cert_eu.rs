//! The feed of CERT-EU: CSV with a header.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List};
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Sender, Table, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// The feed of CERT-EU.
pub const FORMAT: Format = Format {
    name: "cert_eu",
    title: "CERT-EU: indicators, CSV with a header",
    senders: &["CERT-EU", "cert-eu.eu", "cert.europa.eu"],
    fields: &[
        ("source ip, source port", "address, port"),
        ("source time", "time"),
        ("type", "kind"),
        ("url, domain name", "url, domain"),
        ("tlp, confidence level", "tlp, confidence"),
        ("source asn, source cc", "source_asn, source_country"),
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
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let begins = |header: &[u8]| text.get(..header.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(header));
    (begins(b"feed code,source ip,") || begins(b"\"feed code\",\"source ip\",")).then_some(List::Table(&TABLE))
}

static TABLE: Table = Table {
    layout: Layout {
        feed: "cert_eu",
        sender: Sender { org: "CERT-EU", contact: "services@cert.europa.eu", domain: "cert.europa.eu" },
        class: rsit::UNDETERMINED,
        columns: &[
            ("feed_code", Means::Keep),
            ("source_ip", Means::Address),
            ("source_port", Means::Port),
            ("source_time", Means::Time(Written::Iso)),
            ("observation_time", Means::Keep),
            ("first_seen", Means::FirstSeen(Written::Iso)),
            ("last_seen", Means::LastSeen(Written::Iso)),
            ("tlp", Means::Tlp),
            ("description", Means::Text("description")),
            (
                "type",
                Means::Class(&[
                    ("backdoor", rsit::SYSTEM_COMPROMISE),
                    ("blacklist", rsit::BLACKLIST),
                    ("botnet drone", rsit::INFECTED_SYSTEM),
                    ("brute-force", rsit::BRUTE_FORCE),
                    ("c2server", rsit::C2_SERVER),
                    ("c&c", rsit::C2_SERVER),
                    ("compromised server", rsit::SYSTEM_COMPROMISE),
                    ("ddos infrastructure", rsit::DDOS),
                    ("ddos target", rsit::DDOS.as_kind(model::category::Kind::ThreatIntelligence)),
                    ("defacement", rsit::UNAUTHORISED_CHANGE),
                    ("dropzone", rsit::OTHER),
                    ("exploit url", rsit::EXPLOIT),
                    ("ids alert", rsit::IDS_ALERT),
                    ("malware-configuration", rsit::MALWARE_CONFIGURATION),
                    ("malware url", rsit::MALWARE_DISTRIBUTION),
                    ("phishing", rsit::PHISHING),
                    ("ransomware", rsit::INFECTED_SYSTEM),
                    ("scanner", rsit::SCANNER),
                    ("spam infrastructure", rsit::SPAM),
                    ("test", rsit::TEST),
                    ("vulnerable service", rsit::VULNERABLE_SYSTEM),
                ]),
            ),
            ("protocol", Means::Transport),
            ("destination_port", Means::DestinationPort),
            ("source_cc", Means::Country),
            ("confidence_level", Means::Confidence),
            ("source_asn", Means::Asn),
            ("url", Means::Url),
            ("domain_name", Means::Domain),
        ],
        nothing: &["-", "None"],
        ..Layout::PLAIN
    },
    header: true,
    ..Table::PLAIN
};
