//! PhishTank's list of phishing sites that people have verified: CSV, JSON or XML.

use serde_json::Value;

use super::super::{Fit, Format, Proven};
use crate::kinds::entries;
use crate::kinds::lists::{self, List, has_members};
use crate::kinds::objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Row, Sender, Sheet, Table, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// PhishTank.
pub const FORMAT: Format = Format {
    name: "phishtank",
    title: "PhishTank: verified phishing sites, CSV, JSON or XML (https://phishtank.org/developer_info.php)",
    senders: &["PhishTank", "phishtank.org"],
    fields: &[
        ("url", "url"),
        ("details.ip_address", "address"),
        ("submission_time", "time"),
        ("target", "target_brand"),
        ("phish_id", "report_id"),
    ],
    proven: Proven::After("PhishTank's documentation for developers"),
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
    if has_members(bytes, &["phish_id", "url", "phish_detail_url"]) {
        return Some(List::Own(json));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if text.first() == Some(&b'<') {
        let text = text.get(..text.len().min(4_096)).unwrap_or_default();
        let has = |words: &str| memchr::memmem::find(text, words.as_bytes()).is_some();
        return (has("<entry>") && has("<phish_id>"))
            .then_some(List::Own(|reading, source| entries::read(reading, source, &MEMBERS)));
    }
    text.starts_with(b"phish_id,url,phish_detail_url").then_some(List::Table(&CSV))
}

const LAYOUT: Layout = Layout {
    feed: "phishtank",
    sender: Sender { org: "PhishTank", contact: "", domain: "phishtank.org" },
    class: rsit::PHISHING,
    columns: &[
        ("phish_id", Means::Text("report_id")),
        ("submission_time", Means::Time(Written::Iso)),
        ("details.ip_address", Means::Address),
        // As XML names them.
        ("ip_address", Means::Address),
        ("country", Means::Country),
        ("announcing_network", Means::Asn),
        ("details.country", Means::Country),
        ("details.announcing_network", Means::Asn),
        ("url", Means::Url),
        ("target", Means::Text("target_brand")),
        ("phish_detail_url", Means::Keep),
        ("verified", Means::Keep),
        ("verification_time", Means::Keep),
        ("online", Means::Keep),
    ],
    each: Some(verified),
    ..Layout::PLAIN
};

static CSV: Table = Table { layout: LAYOUT, header: true, ..Table::PLAIN };
static MEMBERS: Layout = LAYOUT;

fn verified(row: &mut Row<'_>) -> Result<(), String> {
    // Anybody may submit; what nobody has looked at is little more than a guess.
    if row.get("verified").eq_ignore_ascii_case(b"no") {
        row.core.confidence = 20;
    }
    Ok(())
}

/// Objects of which `details` lists where the site was: the last place counts, as it was looked up last.
fn json(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let mut sheet = Sheet::new(&MEMBERS, Vec::new(), reading);
    let most = reading.hint.limits.line;
    objects::walk(reading, source, &[], most, &mut |reading, mut found| {
        if let Some(Value::Array(details)) = found.members.get_mut("details")
            && let Some(last) = details.pop()
        {
            found.members.insert("details".to_owned(), last);
        }
        objects::row(reading, &mut sheet, &found)
    })?;
    sheet.tell(reading);
    Ok(())
}
