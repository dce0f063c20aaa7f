//! Lists of blocklist.de: addresses that attacked a service in the last two days, one a line.
//!
//! The files say nothing but addresses, so they are known by where they were fetched, whose last part is the service. A name that is
//! not in the table here is read as attacks on some service.

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, fetched_from, file_of};
use crate::kinds::rsit::{self, Class};
use crate::kinds::table::{Between, Layout, Means, Sender, Table, When};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Lists of blocklist.de.
pub const FORMAT: Format = Format {
    name: "blocklistde_lists",
    title: "blocklist.de: lists of addresses by the service that they attacked",
    senders: &["blocklist.de", "lists.blocklist.de"],
    fields: &[("the line", "address"), ("the list's name in the URL", "kind, application"), ("when it was fetched", "time")],
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

fn which(_: &[u8], location: &str) -> Option<List> {
    let path = fetched_from(location, "blocklist.de")?;
    if !path.starts_with("/lists/") && !path.starts_with("/downloads/") {
        return None;
    }
    let name = file_of(path);
    let name = name.split_once('.').map_or(name, |(name, _)| name);
    let found = LISTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    Some(List::Table(found.map_or(&OTHERS, |(_, table)| table)))
}

/// A list of attacks of this class on this service.
const fn list(feed: &'static str, class: Class, always: &'static [(&'static str, &'static str)]) -> Table {
    let layout = Layout {
        feed,
        class,
        always,
        sender: Sender { org: "blocklist.de", contact: "info@blocklist.de", domain: "blocklist.de" },
        columns: &[("address", Means::Address)],
        when: When::Received,
        ..Layout::PLAIN
    };
    Table { layout, between: Between::Nothing, ..Table::PLAIN }
}

static OTHERS: Table = list("blocklistde", rsit::IDS_ALERT, &[]);

static LISTS: [(&str, Table); 17] = [
    ("ssh", list("blocklistde_ssh", rsit::BRUTE_FORCE, &[("application", "ssh")])),
    ("mail", list("blocklistde_mail", rsit::IDS_ALERT.as_kind(model::category::Kind::LoginAttack), &[("application", "smtp")])),
    ("imap", list("blocklistde_imap", rsit::IDS_ALERT.as_kind(model::category::Kind::LoginAttack), &[("application", "imap")])),
    ("pop3", list("blocklistde_pop3", rsit::IDS_ALERT.as_kind(model::category::Kind::LoginAttack), &[("application", "pop3")])),
    (
        "courierimap",
        list("blocklistde_courierimap", rsit::IDS_ALERT.as_kind(model::category::Kind::LoginAttack), &[("application", "imap")]),
    ),
    (
        "courierpop3",
        list("blocklistde_courierpop3", rsit::IDS_ALERT.as_kind(model::category::Kind::LoginAttack), &[("application", "pop3")]),
    ),
    (
        "postfix",
        list("blocklistde_postfix", rsit::IDS_ALERT.as_kind(model::category::Kind::LoginAttack), &[("application", "smtp")]),
    ),
    ("email", list("blocklistde_email", rsit::IDS_ALERT.as_kind(model::category::Kind::LoginAttack), &[("application", "smtp")])),
    ("ftp", list("blocklistde_ftp", rsit::IDS_ALERT.as_kind(model::category::Kind::LoginAttack), &[("application", "ftp")])),
    ("sip", list("blocklistde_sip", rsit::IDS_ALERT.as_kind(model::category::Kind::LoginAttack), &[("application", "sip")])),
    ("apache", list("blocklistde_apache", rsit::IDS_ALERT, &[("application", "http")])),
    ("apacheddos", list("blocklistde_apacheddos", rsit::DDOS, &[("application", "http"), ("protocol", "tcp")])),
    ("bruteforcelogin", list("blocklistde_bruteforcelogin", rsit::BRUTE_FORCE, &[("application", "http")])),
    ("bots", list("blocklistde_bots", rsit::IDS_ALERT, &[("application", "http")])),
    ("ircbot", list("blocklistde_ircbot", rsit::INFECTED_SYSTEM, &[("application", "irc")])),
    ("strongips", list("blocklistde_strongips", rsit::IDS_ALERT, &[])),
    ("all", list("blocklistde_all", rsit::IDS_ALERT, &[])),
];
