//! VX Vault's list of the last locations of malware: text in a page, its time above.

use std::borrow::Cow;

use super::super::{Fit, Format, Proven};
use crate::administration::lines::{Line, Lines};
use crate::kinds::lists::fetched_from;
use crate::kinds::mail;
use crate::kinds::objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Sender, Sheet, When, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// VX Vault's list.
pub const FORMAT: Format = Format {
    name: "vxvault",
    title: "VX Vault: the last locations of malware",
    senders: &["VX Vault", "vxvault.net"],
    fields: &[("the line", "url"), ("the line with the date above", "time")],
    proven: Proven::By("IntelMQ"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    let start = prefix.bytes.trim_ascii_start();
    let start = start.strip_prefix(b"<pre>").map_or(start, <[u8]>::trim_ascii_start);
    let fetched = || fetched_from(prefix.location, "vxvault.net").is_some_and(|path| path.contains("URL_List"));
    if start.starts_with(b"VX Vault last") || fetched() { Fit::Certain } else { Fit::No }
}

static LAYOUT: Layout = Layout {
    feed: "vxvault",
    sender: Sender { org: "VX Vault", contact: "", domain: "vxvault.net" },
    class: rsit::MALWARE_DISTRIBUTION,
    columns: &[("url", Means::Url), ("time", Means::Time(Written::Like(mail::time)))],
    when: When::RowOrReceived,
    ..Layout::PLAIN
};

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let mut sheet = Sheet::new(&LAYOUT, LAYOUT.columns.iter().map(|(name, _)| (*name).to_owned()).collect(), reading);
    let limit = reading.hint.limits.line;
    let mut lines = Lines::new(source, limit);
    let mut time = String::new();
    loop {
        let number = lines.number() + 1;
        let place = format!("line {number}");
        let (line, whole) = match lines.next_line()? {
            None => return Ok(()),
            Some(Line::Whole(line)) => (line.trim_ascii(), true),
            Some(Line::TooLong(line)) => (line, false),
        };
        if !whole {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, &place, line, format!("the line is longer than {limit} bytes"));
            continue;
        }
        let text = String::from_utf8_lossy(line);
        let text = text.trim_start_matches("<pre>").trim_end_matches("</pre>").trim();
        if text.is_empty() || text.starts_with("VX Vault") {
            continue;
        }
        if time.is_empty() && !text.contains("://") && mail::time(text.as_bytes()).is_some() {
            time = text.to_owned();
            continue;
        }
        let members = vec![("url".to_owned(), Cow::Borrowed(text)), ("time".to_owned(), Cow::Borrowed(time.as_str()))];
        let ordinal = reading.ordinal();
        objects::put(reading, &mut sheet, members, ordinal, &place, line)?;
    }
}
