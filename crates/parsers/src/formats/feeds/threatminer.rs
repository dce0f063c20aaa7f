//! ThreatMiner's front page: domain names and addresses that reports of others spoke of lately.
//!
//! To be spoken of is no accusation: they are intelligence. Hashes of samples, in the same tables, lead to nobody.

use super::super::{Fit, Format, Proven};
use super::html_table;
use crate::kinds::html;
use crate::kinds::objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Sender, Sheet, When};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

use model::category::Kind;

/// ThreatMiner's front page.
pub const FORMAT: Format = Format {
    name: "threatminer",
    title: "ThreatMiner: what reports lately spoke of, a web page",
    senders: &["ThreatMiner", "threatminer.org"],
    fields: &[("cells", "domain, address"), ("when it was fetched", "time")],
    proven: Proven::By("IntelMQ"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    if html_table::says(prefix, "<title>ThreatMiner.org") { Fit::Certain } else { Fit::No }
}

static LAYOUT: Layout = Layout {
    feed: "threatminer",
    sender: Sender { org: "ThreatMiner", contact: "", domain: "threatminer.org" },
    class: rsit::BLACKLIST.as_kind(Kind::ThreatIntelligence),
    columns: &[("name", Means::Host)],
    when: When::Received,
    ..Layout::PLAIN
};

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(text) = html_table::page(reading, source)? else { return Ok(()) };
    let mut sheet = Sheet::new(&LAYOUT, vec!["name".to_owned()], reading);
    html::rows(&text, |row| {
        let [cell] = row.cells.as_slice() else { return Ok(()) };
        let hash = matches!(cell.text.len(), 32 | 40 | 64) && cell.text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if row.head || hash || cell.text.is_empty() || cell.text.contains(' ') {
            return Ok(());
        }
        let ordinal = reading.ordinal();
        let members = vec![("name".to_owned(), (&*cell.text).into())];
        objects::put(reading, &mut sheet, members, ordinal, &format!("line {}", row.line), cell.text.as_bytes())
    })?;
    if reading.statements() == 0 {
        reading.unreadable("the page of ThreatMiner has no table of names and addresses");
    }
    Ok(())
}
