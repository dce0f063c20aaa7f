//! Answers of DNS blocklists about one's own addresses, as a check of one's ranges writes them down: text or JSON of our own layout.
//!
//! A line of text is an address, the list that was asked, its answer, and if need be when (ISO 8601; else when it was received):
//!
//! ```text
//! # address      list                answer      when
//! 192.0.2.7      zen.spamhaus.org    127.0.0.4   2026-03-04T05:06:07Z
//! ```
//!
//! JSON has the members `address`, `list`, `answer`, and `time` and `reason` (the TXT record) if there are any; objects stand one a
//! line or in a list. What an answer means is each list's own affair: those known are in the table here, and any other listing is
//! `reputation/blocklist`. Lists of whole neighbourhoods and of what should not send mail by policy accuse nobody.

use model::address::Address;
use model::category::Kind;

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::has_members;
use crate::kinds::objects::{self, Objects};
use crate::kinds::rsit::{self, Class};
use crate::kinds::table::{self, Between, Layout, Means, Row, Table, When, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

use model::resource::DomainName;

/// Answers of DNS blocklists.
pub const FORMAT: Format = Format {
    name: "dnsbl",
    title: "Answers of DNS blocklists about own addresses, text or JSON of our own layout",
    senders: &[],
    fields: &[("address", "address"), ("list, answer", "kind, description"), ("when, time", "time"), ("reason", "its own name")],
    proven: Proven::After("the documentation of the lists named in it; RFC 5782"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    if has_members(prefix.bytes, &["address", "list", "answer"]) {
        return Fit::Certain;
    }
    let start = prefix.bytes.trim_ascii_start();
    if !start.first().is_some_and(|byte| byte.is_ascii_hexdigit() || *byte == b'#') {
        return Fit::No;
    }
    let mut lines = start.split(|byte| *byte == b'\n').take(50).map(<[u8]>::trim_ascii);
    let Some(line) = lines.find(|line| !line.is_empty() && !line.starts_with(b"#")) else { return Fit::No };
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (Some(address), Some(list), Some(answer)) = (words.next(), words.next(), words.next()) else { return Fit::No };
    let named = || std::str::from_utf8(list).is_ok_and(|list| DomainName::parse(list).is_some());
    if answer.starts_with(b"127.") && Address::parse(address).is_some() && named() { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    match source.prefix().trim_ascii_start().first() {
        Some(b'{' | b'[') => objects::read(reading, source, &JSON),
        _ => table::read(reading, source, &TEXT),
    }
}

const LAYOUT: Layout = Layout {
    feed: "dnsbl",
    class: rsit::BLACKLIST,
    columns: &[
        ("address", Means::Address),
        ("list", Means::Keep),
        ("answer", Means::Keep),
        ("time", Means::Time(Written::Iso)),
        ("reason", Means::Keep),
    ],
    when: When::RowOrReceived,
    each: Some(answer),
    ..Layout::PLAIN
};

static TEXT: Table = Table { layout: LAYOUT, between: Between::Blanks, ..Table::PLAIN };
static JSON: Objects = Objects { layout: LAYOUT, path: &[] };

/// What is listed for policy, or for its neighbours, is accused of nothing.
const POLICY: Class = rsit::BLACKLIST.as_kind(Kind::ThreatIntelligence);

/// The last two numbers of an answer, from and to, and what it means.
type Answers = &'static [(u16, u16, Class)];

/// Lists by the end of their names, the longest first.
const LISTS: &[(&str, Answers)] = &[
    (
        "zen.spamhaus.org",
        &[
            // SBL: sources of spam; CSS: the same, found by machines.
            (2, 3, rsit::SPAM),
            // XBL: machines that somebody broke into.
            (4, 7, rsit::INFECTED_SYSTEM),
            // DROP.
            (9, 9, rsit::BLACKLIST),
            // PBL: should not send mail by itself, say those who run the network.
            (10, 11, POLICY),
        ],
    ),
    ("sbl.spamhaus.org", &[(2, 3, rsit::SPAM), (9, 9, rsit::BLACKLIST)]),
    ("xbl.spamhaus.org", &[(4, 7, rsit::INFECTED_SYSTEM)]),
    ("pbl.spamhaus.org", &[(10, 11, POLICY)]),
    ("authbl.spamhaus.org", &[(20, 20, rsit::BRUTE_FORCE)]),
    ("authbl.dq.spamhaus.net", &[(20, 20, rsit::BRUTE_FORCE)]),
    ("zen.dq.spamhaus.net", &[(2, 3, rsit::SPAM), (4, 7, rsit::INFECTED_SYSTEM), (9, 9, rsit::BLACKLIST), (10, 11, POLICY)]),
    ("bl.spamcop.net", &[(2, 2, rsit::SPAM)]),
    ("psbl.surriel.com", &[(2, 2, rsit::SPAM)]),
    ("b.barracudacentral.org", &[(2, 2, rsit::SPAM)]),
    (
        "dnsbl.dronebl.org",
        &[
            (3, 3, rsit::INFECTED_SYSTEM),
            (5, 6, rsit::INFECTED_SYSTEM),
            (7, 7, rsit::DDOS),
            (8, 11, rsit::PROXY),
            (13, 13, rsit::BRUTE_FORCE),
            (14, 14, rsit::PROXY),
            (15, 17, rsit::INFECTED_SYSTEM),
        ],
    ),
    ("dnsbl-1.uceprotect.net", &[(2, 2, rsit::SPAM)]),
    // Whole allocations and whole systems, for what some in them did.
    ("dnsbl-2.uceprotect.net", &[(2, 2, POLICY)]),
    ("dnsbl-3.uceprotect.net", &[(2, 2, POLICY)]),
];

fn answer(row: &mut Row<'_>) -> Result<(), String> {
    let list = row.get_text("list").trim_end_matches('.').to_ascii_lowercase();
    if DomainName::parse(&list).is_none() {
        return Err("no readable name of a list in 'list'".to_owned());
    }
    let text = row.get_text("answer");
    let shown: String = text.chars().take(60).collect();
    let Some([127, second, third, last]) = Address::parse(row.get("answer")).and_then(Address::v4).map(u32::to_be_bytes) else {
        // RFC 5782 section 2.1: another answer comes from somebody who answers for every name.
        return Err(format!("the answer of {list} is no listing: '{shown}' is not in 127.0.0.0/8"));
    };
    if (second, third) == (255, 255) {
        return Err(format!("{list} refused the question: {shown}"));
    }
    let known = LISTS.iter().find(|(name, _)| list == *name || list.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')));
    let number = u16::from(last);
    let meaning = known.and_then(|(_, answers)| answers.iter().find(|(from, to, _)| (*from..=*to).contains(&number)));
    if let Some((.., class)) = meaning.filter(|_| (second, third) == (0, 0)) {
        row.class = *class;
    }
    row.put("description", format!("listed by {list}, which answers {shown}"));
    Ok(())
}
