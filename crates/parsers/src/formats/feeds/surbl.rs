//! SURBL's list of domain names in spam, as rbldnsd reads it: a line with the answer and the lists, then the names it is for.

use std::borrow::Cow;

use super::super::{Fit, Format, Proven};
use crate::administration::lines::{Line, Lines};
use crate::kinds::lists::fetched_from;
use crate::kinds::objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Sender, Sheet, When};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// SURBL's list.
pub const FORMAT: Format = Format {
    name: "surbl",
    title: "SURBL: domain names in spam, as rbldnsd reads them",
    senders: &["SURBL", "surbl.org"],
    fields: &[("the line", "domain"), ("the lists in brackets before it", "kind"), ("when it was fetched", "time")],
    proven: Proven::By("IntelMQ"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    if fetched_from(prefix.location, "surbl.org").is_some() {
        return Fit::Certain;
    }
    let start = prefix.bytes.trim_ascii_start();
    if !matches!(start.first(), Some(b'#' | b':' | b'$')) {
        return Fit::No;
    }
    let start = start.get(..start.len().min(8_192)).unwrap_or_default();
    let answer = start.starts_with(b":127.0.") || memchr::memmem::find(start, b"\n:127.0.").is_some();
    if answer && memchr::memmem::find(start, b"surbl.org").is_some() { Fit::Certain } else { Fit::No }
}

static LAYOUT: Layout = Layout {
    feed: "surbl",
    sender: Sender { org: "SURBL", contact: "", domain: "surbl.org" },
    class: rsit::BLACKLIST,
    columns: &[
        (
            "list",
            Means::Class(&[
                ("ph", rsit::PHISHING),
                ("mw", rsit::MALWARE_DISTRIBUTION),
                ("cr", rsit::BLACKLIST),
                ("abuse", rsit::BLACKLIST),
            ]),
        ),
        ("domain", Means::Host),
    ],
    when: When::Received,
    ..Layout::PLAIN
};

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let mut sheet = Sheet::new(&LAYOUT, LAYOUT.columns.iter().map(|(name, _)| (*name).to_owned()).collect(), reading);
    let limit = reading.hint.limits.line;
    let mut lines = Lines::new(source, limit);
    let mut list = String::new();
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
        match line.first() {
            // Comments, settings of rbldnsd, and the address that it answers for all.
            None | Some(b'#' | b'$') => continue,
            Some(b':') => {
                let text = String::from_utf8_lossy(line);
                let named = text.split_once("on lists [").and_then(|(_, rest)| rest.split_once(']'));
                // Of several lists the gravest is told.
                let lists: Vec<&str> = named.map_or("", |(lists, _)| lists).split([' ', ',']).collect();
                let gravest = ["ph", "mw", "cr", "abuse"].into_iter().find(|list| lists.contains(list));
                list = gravest.map(str::to_owned).or_else(|| named.map(|(lists, _)| lists.trim().to_owned())).unwrap_or_default();
                continue;
            }
            Some(b'0') if line == b"0.0.0.0" => continue,
            Some(_) => {}
        }
        let text = String::from_utf8_lossy(line);
        let name = text.strip_prefix('.').unwrap_or(&text);
        // What is taken out of the list again is no row of it.
        if name.starts_with('!') {
            continue;
        }
        let members = vec![("list".to_owned(), Cow::Borrowed(list.as_str())), ("domain".to_owned(), Cow::Borrowed(name))];
        let ordinal = reading.ordinal();
        objects::put(reading, &mut sheet, members, ordinal, &place, line)?;
    }
}
