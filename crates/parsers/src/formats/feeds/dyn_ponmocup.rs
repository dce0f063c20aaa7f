//! The list of sites that Ponmocup infected, and of the hosts of malware to which they led.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, commented, fetched_from};
use crate::kinds::rsit;
use crate::kinds::table::{Between, Layout, Means, Row, Sender, Table, When, Written, times};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// The Ponmocup list.
pub const FORMAT: Format = Format {
    name: "dyn_ponmocup",
    title: "Ponmocup: infected sites and hosts of malware (security-research.dyndns.org)",
    senders: &["c-APT-ure", "security-research.dyndns.org"],
    fields: &[
        ("ponmocup-malware-IP", "address"),
        ("ponmocup-malware-domain, ponmocup-malware-URI-path", "domain, url"),
        ("ponmocup-htaccess-infected-domain", "domain of a second report"),
        ("last updated, in the comment", "time"),
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
    let known = commented(bytes, b'#', "ponmocup")
        || fetched_from(location, "security-research.dyndns.org").is_some_and(|path| path.contains("ponmocup"));
    known.then_some(List::Table(&TABLE))
}

const HOSTS: Layout = Layout {
    feed: "ponmocup",
    sender: Sender { org: "c-APT-ure", contact: "toms.security.stuff@gmail.com", domain: "c-apt-ure.blogspot.com" },
    class: rsit::MALWARE_DISTRIBUTION,
    columns: &[
        ("malware_ip", Means::Address),
        ("malware_domain", Means::Domain),
        ("malware_url", Means::Url),
        ("infected_domain", Means::DestinationDomain),
    ],
    always: &[("malware_family", "ponmocup")],
    nothing: &["/"],
    when: When::Comment("last updated:", Written::Like(times::ctime)),
    ..Layout::PLAIN
};

static SITES: Layout = Layout {
    class: rsit::SYSTEM_COMPROMISE,
    columns: &[
        ("malware_ip", Means::DestinationIp),
        ("malware_domain", Means::DestinationDomain),
        ("malware_url", Means::Text("destination_url")),
        ("infected_domain", Means::Domain),
    ],
    each: Some(infected),
    ..HOSTS
};

/// The second report is of the infected site alone.
fn infected(row: &mut Row<'_>) -> Result<(), String> {
    if row.domain.is_empty() { Err("no infected domain name".to_owned()) } else { Ok(()) }
}

static TABLE: Table = Table { layout: Layout { also: Some(&SITES), ..HOSTS }, between: Between::Blanks, ..Table::PLAIN };
