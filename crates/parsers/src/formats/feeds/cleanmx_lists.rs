//! Lists of CleanMX: sites of phishing and malware, XML.

use super::super::{Fit, Format, Proven};
use crate::kinds::entries;
use crate::kinds::lists::{self, List};
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Row, Sender, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};
use memchr::memmem;

/// Lists of CleanMX.
pub const FORMAT: Format = Format {
    name: "cleanmx_lists",
    title: "CleanMX: sites of phishing and malware, XML",
    senders: &["CleanMX", "support.clean-mx.de", "support.clean-mx.com"],
    fields: &[
        ("ip", "address"),
        ("url, domain", "url, domain"),
        ("first, last", "time, first_seen, last_seen"),
        ("virusname", "kind, malware_family"),
        ("country", "source_country"),
        ("id", "report_id"),
    ],
    proven: Proven::By("IntelMQ (phishing); malware unproven"),
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
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if text.first() != Some(&b'<') {
        return None;
    }
    let text = text.get(..text.len().min(4_096)).unwrap_or_default();
    let has = |words: &str| memmem::find(text, words.as_bytes()).is_some();
    (has("<entries>") && has("<entry>") && has("<inetnum"))
        .then_some(List::Own(|reading, source| entries::read(reading, source, &LAYOUT)))
}

static LAYOUT: Layout = Layout {
    feed: "cleanmx",
    sender: Sender { org: "CleanMX", contact: "abuse@clean-mx.de", domain: "clean-mx.de" },
    class: rsit::PHISHING,
    columns: &[
        ("id", Means::Text("report_id")),
        ("line", Means::Skip),
        ("first", Means::FirstSeen(Written::Unix)),
        ("last", Means::LastSeen(Written::Unix)),
        ("ip", Means::Address),
        ("url", Means::Url),
        ("domain", Means::Domain),
        ("country", Means::Country),
        ("as", Means::Asn),
        ("virusname", Means::Text("malware_family")),
        ("md5", Means::Hash),
    ],
    each: Some(virus),
    ..Layout::PLAIN
};

/// One layout serves both lists; what only the list of malware has tells them apart.
fn virus(row: &mut Row<'_>) -> Result<(), String> {
    if !row.get("virusname").is_empty() || !row.get("md5").is_empty() {
        row.class = rsit::MALWARE_DISTRIBUTION;
    }
    Ok(())
}
