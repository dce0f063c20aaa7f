//! Any other CSV that says when, where and what: declared by the user, or with a header of the names below.
//!
//! A file is read without a declaration when its first line names a column for the time and one for an address, a URL
//! or a domain name. Case, and blanks, dots and dashes for `_`, do not matter:
//!
//! | Column | Other names | Holds |
//! | --- | --- | --- |
//! | `time` | `timestamp`, `observed`, `datetime`, `date_time`, `date`, `event_time` | ISO 8601 (UTC unless it says otherwise), or Unix seconds or milliseconds |
//! | `date` and `time` | `event_date` and `event_time` | where a header has both: the date, and the time of day |
//! | `ip` | `address`, `ip_address`, `source_ip`, `src_ip`, `source_identifier` | the address that is reported |
//! | `port` | `source_port`, `src_port` | the port at that address |
//! | `kind` | | XARF v4's `category/type`: `content/phishing` |
//! | `category` | `class` | XARF v4's category, or one of its types |
//! | `type` | `abuse_type` | XARF v4's type |
//! | `url` | `uri`, `link` | location of content |
//! | `domain` | `fqdn`, `host`, `domain_name` | domain name of content |
//! | `source` | | an address, a prefix, a URL or a domain name, whichever it is |
//! | `reverse_dns` | `rdns`, `ptr`, `hostname` | name of the address in reverse DNS |
//! | `asn` | `as`, `source_asn` | number of its autonomous system |
//! | `country` | `cc`, `geo` | its country, two letters |
//! | `protocol` | `transport` | transport protocol |
//! | `destination_ip` | `dst_ip`, `target_ip` | the address that was attacked or contacted |
//! | `destination_port` | `dst_port`, `target_port` | its port |
//! | `malware` | `malware_family`, `family` | name of malware |
//! | `service` | | the service that is open or vulnerable |
//! | `cve` | `cve_id` | CVE number |
//! | `description` | `comment`, `message`, `details` | a sentence for people |
//! | `confidence` | | percent, 0 to 100 |
//! | `tlp` | | Traffic Light Protocol label |
//! | `pap` | | Permissible Actions Protocol label |
//! | `report_id` | `reference`, `id` | the source's own identifier |
//! | `user_agent` | | user agent of a client |
//! | `evidence_source` | | how it was seen |
//! | `reporter_org`, `reporter_contact`, `reporter_domain` | | who reports |
//!
//! Any other column is kept under its own name. A row needs an address, a URL or a domain name; a time, when there is
//! a column for it; and a kind, when there is a column for that. Without such a column all rows are
//! `reputation/threat_intelligence`, or what a declaration says. A declaration ([`Declared`]) looks like this:
//!
//! ```toml
//! separator = ";"                  # else the one that the first line has most of
//! header = true                    # without a header, columns are "1", "2", …
//! kind = "content/phishing"        # of rows that do not say
//! nothing = ["-", "unknown"]       # values that stand for nothing
//! scheme = "http"                  # of URLs that have none
//! rows = "data.items"              # of JSON: where in the document the list of rows is
//!
//! [columns]                        # a name of the table above, or "ignore" = the file's column, or several
//! time = "Datum"
//! ip = "IP-adres"
//! kind = "Soort"
//! ignore = ["Intern", "Volgnummer"]
//!
//! [kinds]                          # values of the column for the kind
//! "oplichting" = "content/fraud"
//!
//! [time]
//! format = "%d-%m-%Y %H:%M"        # as strftime; or "iso", "unix", "unix_ms"
//! zone = "Europe/Amsterdam"        # of times that do not say; else UTC
//!
//! [reporter]
//! org = "Example Watch"
//! contact = "reports@watch.example"
//! domain = "watch.example"
//! ```

pub(crate) mod declared;
pub(crate) mod plan;

pub use declared::Declared;

use super::{Fit, Format, Proven};
use crate::kinds::csv::{Item, Records, header_of, separator};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};
use plan::{Means, Plan};

/// CSV with a declaration, or with a telling header.
pub const FORMAT: Format = Format {
    name: "csv",
    title: "CSV, declared or with documented column names",
    senders: &[],
    fields: &[("as declared, or by name", "any word of XARF")],
    proven: Proven::After("our own documentation"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    let header = header_of(prefix.bytes);
    match prefix.declared {
        Some(declared) if declared.fits(&header) => Fit::Certain,
        Some(declared) if !declared.header && declared.fits_row(&header) => Fit::Likely,
        _ => undeclared(&header),
    }
}

fn undeclared(header: &[String]) -> Fit {
    let has = |wanted: &[Means]| header.iter().any(|name| Means::of_column(name).is_some_and(|means| wanted.contains(&means)));
    if has(&[Means::Time]) && has(&[Means::Ip, Means::Url, Means::Domain]) { Fit::Likely } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    // A declaration for another file does not spoil one that speaks for itself.
    let declared = reading.hint.declared.filter(|declared| !declared.header || declared.fits(&header_of(source.prefix())));
    let apart = declared.and_then(|declared| declared.separator).unwrap_or_else(|| separator(source.prefix()));
    let limit = reading.hint.limits.line;
    let mut records = Records::new(source, apart, limit);
    let mut plan: Option<Plan<'_>> = None;
    if let Some(declared) = declared {
        declared.tell_reporter(reading.batch());
        if !declared.header {
            plan = Some(Plan::new(Vec::new(), Some(declared), reading.hint.kind, reading.batch()));
        }
    }
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
            let names = record.names();
            reading.shape("", &names.iter().map(String::as_str).collect::<Vec<_>>());
            let new = Plan::new(names, declared, reading.hint.kind, reading.batch());
            if let Some(note) = new.note() {
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
    Ok(())
}
