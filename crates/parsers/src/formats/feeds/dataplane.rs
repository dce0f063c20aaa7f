//! Lists of DataPlane.org: addresses that its sensors saw asking for something, apart by bars.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, commented};
use crate::kinds::rsit;
use crate::kinds::table::{Between, Layout, Means, Row, Sender, Table, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Lists of DataPlane.org.
pub const FORMAT: Format = Format {
    name: "dataplane",
    title: "DataPlane.org: addresses seen by sensors, by what they asked for",
    senders: &["DataPlane.org", "dataplane.org"],
    fields: &[
        ("the first column", "source_asn"),
        ("the second column", "as_name"),
        ("the third column", "address"),
        ("the fourth column", "time"),
        ("the fifth column", "kind, application"),
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
    commented(bytes, b'#', "DataPlane.org").then_some(List::Table(&TABLE))
}

static TABLE: Table = Table {
    layout: Layout {
        feed: "dataplane",
        sender: Sender { org: "DataPlane.org", contact: "info@dataplane.org", domain: "dataplane.org" },
        class: rsit::SCANNER,
        columns: &[
            ("asn", Means::Asn),
            ("as_name", Means::Keep),
            ("address", Means::Address),
            ("last_seen", Means::Time(Written::Iso)),
            (
                "category",
                Means::Class(&[
                    ("sshpwauth", rsit::BRUTE_FORCE),
                    ("telnetlogin", rsit::BRUTE_FORCE),
                    ("sipinvitation", rsit::BRUTE_FORCE),
                    ("sipquery", rsit::BRUTE_FORCE),
                    ("sipregistration", rsit::BRUTE_FORCE),
                    ("proto41", rsit::OTHER),
                ]),
            ),
        ],
        always: &[("evidence_source", "honeypot")],
        nothing: &["NA"],
        each: Some(application),
        ..Layout::PLAIN
    },
    between: Between::Plain(b'|'),
    ..Table::PLAIN
};

/// The name of a list begins with the protocol that was spoken.
fn application(row: &mut Row<'_>) -> Result<(), String> {
    let category = row.get("category");
    let names: [&'static str; 6] = ["ssh", "sip", "telnet", "vnc", "dns", "smtp"];
    if let Some(name) = names.into_iter().find(|name| category.starts_with(name.as_bytes())) {
        row.application = name.as_bytes().into();
    }
    Ok(())
}
