//! Open tickets of AbuseIO as a submission: a JSON object a line for each of their events, in the form that the format
//! `abuseio` reads.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};

use serde_json::{Map, Value, json};

use super::sql::{Dump, Next, Row};
use super::{FIELD, Taken, Ticket};
use crate::administration::csv::without_controls;
use crate::administration::lines::Unpacked;
use crate::administration::{Limits, is_secret};

/// Notes that one ticket may have, and bytes of each.
const NOTES: usize = 64;
const NOTE: usize = 4 << 10;
/// Bytes of the notes of all open tickets.
const ALL_NOTES: usize = 128 << 20;
/// Facts that an event may have, and bytes of each.
const FACTS: usize = 64;
const FACT: usize = 4 << 10;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Reports: events of open tickets, and open tickets without events.
    pub reports: u64,
    /// Notes that went with them.
    pub notes: u64,
    /// Notes that were left out, for there were too many or they were too long.
    pub notes_left: u64,
    /// Events of tickets that are closed, or gone.
    pub events_left: u64,
}

/// Writes the open tickets of a dump that [`super::read`] has read. The dump is read twice more, each time from its
/// beginning, for events stand before the notes that go with them.
///
/// # Errors
/// Those of the readers and of `out`.
pub fn reports(
    taken: &Taken,
    notes: &mut dyn Read,
    events: &mut dyn Read,
    limits: &Limits,
    out: &mut dyn Write,
) -> io::Result<Written> {
    let mut written = Written::default();
    let mut said = notes_of(taken, notes, limits, &mut written)?;
    let mut seen: HashSet<u64> = HashSet::new();
    each(events, limits, &["events"], |row| {
        let ticket = number(row, "ticket_id");
        let Some(open) = taken.open.get(&ticket).filter(|_| row.bytes("deleted_at").is_none()) else {
            written.events_left += 1;
            return Ok(());
        };
        seen.insert(ticket);
        let time =
            Some(row.text("timestamp")).filter(|time| !time.is_empty() && time != "0").unwrap_or_else(|| row.text("created_at"));
        let notes = said.remove(&ticket).unwrap_or_default();
        written.notes += notes.len() as u64;
        written.reports += 1;
        let facts = facts(row.bytes("information").unwrap_or_default());
        line(
            out,
            ticket,
            open,
            &json!({"event": number(row, "id"), "source": row.text("source"), "time": time, "information": facts, "notes": notes}),
        )
    })?;
    for (ticket, open) in taken.open.iter().filter(|(ticket, _)| !seen.contains(ticket)) {
        let notes = said.remove(ticket).unwrap_or_default();
        written.notes += notes.len() as u64;
        written.reports += 1;
        line(out, *ticket, open, &json!({"time": open.created, "notes": notes}))?;
    }
    Ok(written)
}

/// One line: what is said of the ticket, and what of the event.
fn line(out: &mut dyn Write, number: u64, ticket: &Ticket, event: &Value) -> io::Result<()> {
    let mut line = json!({
        "abuseio": 4, "ticket": number, "class": ticket.class, "type": ticket.kind, "ip": ticket.ip, "domain": ticket.domain,
    });
    if let (Some(line), Some(event)) = (line.as_object_mut(), event.as_object()) {
        line.extend(event.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

fn notes_of(
    taken: &Taken,
    reader: &mut dyn Read,
    limits: &Limits,
    written: &mut Written,
) -> io::Result<HashMap<u64, Vec<String>>> {
    let mut said: HashMap<u64, Vec<String>> = HashMap::new();
    let mut weight = 0;
    each(reader, limits, &["notes"], |row| {
        let ticket = number(row, "ticket_id");
        if !taken.open.contains_key(&ticket) || row.bytes("deleted_at").is_some() {
            return Ok(());
        }
        let mut text = format!("{} {}: {}", row.text("created_at"), row.text("submitter"), row.text("text"));
        let notes = said.entry(ticket).or_default();
        if notes.len() >= NOTES || weight > ALL_NOTES {
            written.notes_left += 1;
            return Ok(());
        }
        if text.len() > NOTE || row.is_cut {
            shorten(&mut text, NOTE);
            text.push_str(" (cut)");
        }
        weight += text.len();
        notes.push(text);
        Ok(())
    })?;
    Ok(said)
}

fn each(
    reader: &mut dyn Read,
    limits: &Limits,
    table: &'static [&'static str],
    mut take: impl FnMut(&Row) -> io::Result<()>,
) -> io::Result<()> {
    let mut dump = Dump::new(Unpacked::open(reader, *limits)?, table, FIELD);
    let mut row = Row::default();
    loop {
        match dump.next_into(&mut row)? {
            Next::End => return Ok(()),
            Next::Row(_) => take(&row)?,
            // The first reading has said it, if it concerned the administration; an event more or less is no harm.
            Next::Broken(..) => {}
        }
    }
}

/// What an event says in its own words: texts and numbers, without what looks like a secret.
fn facts(bytes: &[u8]) -> Map<String, Value> {
    let said: Map<String, Value> = serde_json::from_slice(bytes).unwrap_or_default();
    let mut facts = Map::new();
    for (name, value) in said.into_iter().filter(|(name, _)| !is_secret(name) && name.len() <= 64).take(FACTS) {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => continue,
        };
        let mut text = without_controls(text);
        shorten(&mut text, FACT);
        facts.insert(without_controls(name), Value::String(text));
    }
    facts
}

fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        let mut end = most;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
}

fn number(row: &Row, name: &str) -> u64 {
    row.text(name).parse().unwrap_or(0)
}
