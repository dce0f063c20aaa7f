//! Shadowserver's reports: CSV files, one type each, whose header names the columns.
//!
//! What the columns of a type mean stands in a data file ([`Maps`]); here a header becomes a plan, once per file, and
//! the plan is carried out for every row. A type that is not in the maps is read by the rules all types share.

mod maps;
mod plan;
pub(crate) mod values;

use model::report::Word;

pub use maps::{Maps, Role, Roles, Type, When};

use super::{Fit, Format, Proven};
use crate::kinds::csv::{Item, Records, header_of, separator};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};
use plan::Plan;

/// Shadowserver CSV.
pub const FORMAT: Format = Format {
    name: "shadowserver",
    title: "Shadowserver report (CSV), shadowserver.org",
    senders: &["The Shadowserver Foundation"],
    fields: &[
        ("timestamp", "time"),
        ("ip, src_ip", "address"),
        ("port, src_port", "port"),
        ("the type in the file's name", "feed, kind"),
        ("family, infection", "malware_family"),
        ("tag", "tags"),
        ("every other", "its own name"),
    ],
    proven: Proven::By("Shadowserver, IntelMQ"),
    detect,
    parse,
};

/// Columns that Shadowserver puts into nearly every report, and hardly anyone else.
const COMPANY: [&str; 14] = [
    "asn",
    "geo",
    "region",
    "city",
    "naics",
    "sic",
    "sector",
    "hostname",
    "src_asn",
    "src_geo",
    "src_region",
    "src_city",
    "src_naics",
    "src_hostname",
];

fn detect(prefix: &Prefix<'_>) -> Fit {
    let header = header_of(prefix.bytes);
    if header.len() < 2 {
        return Fit::No;
    }
    let maps = prefix.maps;
    let has = |role| maps.common(role).iter().any(|column| header.contains(column));
    let timed = has(Role::Time) || (has(Role::Date) && has(Role::Clock));
    let company = COMPANY.iter().filter(|column| header.iter().any(|name| name == *column)).count();
    let certain = timed && ((has(Role::Address) && company >= 2) || maps.name_by_header(&header).is_some());
    if certain {
        // Whoever describes a CSV of their own knows better.
        let declared = prefix.declared.is_some_and(|declared| declared.fits(&header));
        return if declared { Fit::Likely } else { Fit::Certain };
    }
    let known = header.iter().filter(|column| maps.knows(column)).count();
    let named = maps.name_in_file(prefix.name).is_some();
    if named && known * 5 >= header.len() * 4 { Fit::Likely } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let separator = separator(source.prefix());
    let limit = reading.hint.limits.line;
    let maps = reading.hint.maps;
    let file = reading.name().to_owned();
    let mut records = Records::new(source, separator, limit);
    let mut plan: Option<Plan<'_>> = None;
    while let Some(item) = records.next_item()? {
        let record = match item {
            Item::Record(record) => record,
            Item::Spoilt { line, text, reason } => {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, &format!("line {line}"), text, reason);
                continue;
            }
        };
        let Some(plan) = &mut plan else {
            let header = record.names();
            let found = plan::identify(maps, &file, &header);
            share(reading, &found);
            reading.shape(&found.feed, &header.iter().map(String::as_str).collect::<Vec<_>>());
            let new = Plan::new(&found, header, reading.batch());
            for note in new.notes(&found, maps) {
                reading.note("line 1", note);
            }
            plan = Some(new);
            continue;
        };
        let ordinal = reading.ordinal();
        match plan.row(&record, reading.batch(), ordinal) {
            Ok(core) => reading.report(core)?,
            Err(reason) => reading.reject(ordinal, &format!("line {}", record.line), record.text(), reason),
        }
    }
    for note in plan.iter().flat_map(Plan::afterwards) {
        reading.note("", note);
    }
    Ok(())
}

/// Puts what all rows of a file have in common into the batch.
fn share(reading: &mut Reading<'_>, found: &plan::Found<'_>) {
    let batch = reading.batch();
    for (org, contact, domain) in [
        (Word::REPORTER_ORG, Word::REPORTER_CONTACT, Word::REPORTER_DOMAIN),
        (Word::SENDER_ORG, Word::SENDER_CONTACT, Word::SENDER_DOMAIN),
    ] {
        batch.share(org, "The Shadowserver Foundation");
        batch.share(contact, "contact@shadowserver.org");
        batch.share(domain, "shadowserver.org");
    }
    batch.share(Word::FEED, &found.feed);
    let (kind, rules) = (found.rules.kind, found.rules);
    let application = batch.word(values::APPLICATION, model::report::Place::Property);
    let service = match (kind.category() == "vulnerability", found.known) {
        (true, true) => rules.service.as_str(),
        (true, false) => found.feed.split_once('_').map_or(&*found.feed, |(_, rest)| rest),
        (false, _) => "",
    };
    for (word, value) in [
        (Word::RSIT, rules.rsit.as_str()),
        (Word::RSIT_IDENTIFIER, &rules.identifier),
        (Word::TRANSPORT, &rules.transport),
        (application, &rules.application),
        (Word::SERVICE, service),
        (Word::CVE_ID, &rules.cve),
    ] {
        if !value.is_empty() {
            batch.share(word, value);
        }
    }
    for (property, value) in &rules.set {
        let word = batch.word(property, model::report::Place::Property);
        batch.share(word, value);
    }
}
