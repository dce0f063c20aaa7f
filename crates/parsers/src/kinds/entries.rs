//! Lists that are XML whose rows are elements named `entry`: what stands in each is read by the names of its elements, however deep
//! they lie.

use std::borrow::Cow;
use std::io::Read;

use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::objects;
use super::table::{Layout, Sheet};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::Source;

/// Elements of one entry that are read.
const ELEMENTS: usize = 200;
const CHUNK: u64 = 128 * 1024;
const BEGIN: &[u8] = b"<entry>";
const END: &[u8] = b"</entry>";

/// Reads a document. It is cut into its entries first, so that one that is broken, or not in UTF-8, costs only itself.
///
/// # Errors
/// As [`crate::read::read`].
pub(crate) fn read(reading: &mut Reading<'_>, source: &mut Source<'_>, layout: &'static Layout) -> Result<(), Stop> {
    let limit = reading.hint.limits.line;
    let mut sheet = Sheet::new(layout, Vec::new(), reading);
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
