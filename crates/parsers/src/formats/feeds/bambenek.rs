//! Lists of Bambenek Consulting: domain names and addresses of command and control, and names that botnets make up.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, commented, file_of};
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Row, Sender, Table, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Lists of Bambenek Consulting.
pub const FORMAT: Format = Format {
    name: "bambenek",
    title: "Bambenek Consulting: command and control by name and address, generated names",
    senders: &["Bambenek Consulting", "osint.bambenekconsulting.com"],
    fields: &[
        ("the first column", "address, domain"),
        ("the second column", "description"),
        ("the third column", "time"),
        ("the fourth column", "malware_family"),
    ],
    proven: Proven::By("IntelMQ (names of command and control); the others unproven"),
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
    if !commented(bytes, b'#', "Bambenek Consulting") {
        return None;
    }
    Some(List::Table(if commented(bytes, b'#', "DGA") { &GENERATED } else { &SERVERS }))
}

const LAYOUT: Layout = Layout {
    feed: "bambenek_c2",
    sender: Sender { org: "Bambenek Consulting", contact: "jcb@bambenekconsulting.com", domain: "bambenekconsulting.com" },
    class: rsit::C2_SERVER,
    columns: &[
        ("source", Means::Source),
        ("description", Means::Text("description")),
        ("time", Means::Time(Written::Iso)),
        ("manual", Means::Keep),
    ],
    always: &[("compromise_evidence", "listed by Bambenek Consulting as command and control of a botnet")],
    each: Some(family),
    ..Layout::PLAIN
};

static SERVERS: Table = Table { layout: LAYOUT, ..Table::PLAIN };

/// Names that a botnet may use on a day: most of them belong to nobody.
static GENERATED: Table = Table {
    layout: Layout {
        feed: "bambenek_dga",
        class: rsit::DGA_DOMAIN,
        always: &[("threat_type", "name that a botnet generates")],
        ..LAYOUT
    },
    ..Table::PLAIN
};

/// The malware has the name of its manual: `…/manual/bebloh.txt`.
fn family(row: &mut Row<'_>) -> Result<(), String> {
    let name = file_of(row.get_text("manual"));
    let name = name.strip_suffix(".txt").unwrap_or(name);
    if !name.is_empty() {
        row.put("malware_family", name);
    }
    Ok(())
}
