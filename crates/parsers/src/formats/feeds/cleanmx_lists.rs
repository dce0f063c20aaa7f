//! Lists of CleanMX: sites of phishing and malware, XML.

use std::borrow::Cow;
use std::io::Read;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List};
use crate::kinds::objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Row, Sender, Sheet, Written};
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
    (has("<entries>") && has("<entry>") && has("<inetnum")).then_some(List::Own(read))
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

/// Elements of one entry that are read.
const ELEMENTS: usize = 200;
const CHUNK: u64 = 128 * 1024;
const BEGIN: &[u8] = b"<entry>";
const END: &[u8] = b"</entry>";

/// Cuts the document into its entries, so that one that is broken, or not in UTF-8, costs only itself.
fn read(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let limit = reading.hint.limits.line;
    let mut sheet = Sheet::new(&LAYOUT, Vec::new(), reading);
    let (mut buffer, mut number) = (Vec::new(), 0u64);
    let mut more = true;
    loop {
        let Some(start) = memmem::find(&buffer, BEGIN) else {
            if !more {
                break;
            }
            // The beginning of a tag may be cut in two.
            buffer.drain(..buffer.len().saturating_sub(BEGIN.len()));
            more = source.take(CHUNK).read_to_end(&mut buffer)? > 0;
            continue;
        };
        buffer.drain(..start);
        let mut seen = 0;
        let end = loop {
            if let Some(found) = memmem::find(buffer.get(seen..).unwrap_or_default(), END) {
                break Some(seen + found + END.len());
            }
            seen = buffer.len().saturating_sub(END.len());
            if buffer.len() > limit || !more {
                break None;
            }
            more = source.take(CHUNK).read_to_end(&mut buffer)? > 0;
        };
        number += 1;
        let ordinal = reading.ordinal();
        let place = format!("entry {number}");
        let Some(end) = end else {
            let reason = if more { "the entry is longer than a row may be" } else { "the entry does not end" };
            reading.reject(ordinal, &place, &buffer, reason);
            // All of it is passed over, or entries without end would be looked through again and again.
            buffer.drain(..seen.max(BEGIN.len()));
            continue;
        };
        let text = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default()).into_owned();
        buffer.drain(..end);
        match members(&text) {
            Some(members) => objects::put(reading, &mut sheet, members, ordinal, &place, text.as_bytes())?,
            None => reading.reject(ordinal, &place, text.as_bytes(), "the entry is no XML, or has more elements than are read"),
        }
    }
    sheet.tell(reading);
    Ok(())
}

/// The elements of an entry and their texts. Nothing is fetched and no entity but the five of XML is known.
fn members(text: &str) -> Option<Vec<(String, Cow<'static, str>)>> {
    let mut reader = Reader::from_str(text);
    let mut members: Vec<(String, Cow<'static, str>)> = Vec::new();
    let mut open: Option<(String, String)> = None;
    loop {
        if members.len() > ELEMENTS {
            return None;
        }
        let mut add = |text: &str| {
            if let Some((_, so_far)) = &mut open {
                so_far.push_str(text);
            }
        };
        match reader.read_event().ok()? {
            Event::Text(text) => add(&text.xml10_content()),
            Event::CData(text) => add(&text.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(character)) => add(character.encode_utf8(&mut [0; 4])),
                _ => add(entity(&name)),
            },
            Event::Start(start) => open = Some((start.local_name().as_ref().to_ascii_lowercase(), String::new())),
            Event::End(_) => {
                if let Some((name, text)) = open.take().filter(|(name, _)| name != "entry") {
                    members.push((name, Cow::Owned(text)));
                }
            }
            Event::Eof => return Some(members),
            _ => {}
        }
    }
}

/// The character that `&name;` stands for; of names that XML does not define the name itself.
fn entity(name: &str) -> &str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        other => other,
    }
}
