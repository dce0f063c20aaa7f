//! Described files that are lines: CSV, pairs and settings.

use std::collections::HashMap;
use std::io::Read;

use super::read::{Rows, Texts};
use super::{Field, Mapping, Origin};
use crate::administration::csv::{Records, mended};
use crate::administration::lines::{Line, Lines};
use crate::administration::{Limits, is_secret, nearest};

/// Lines that one row of settings may have.
const LINES: usize = 10_000;

pub(super) fn csv(reader: &mut dyn Read, rows: &mut Rows, mapping: &Mapping, limits: &Limits) {
    let mut records = Records::new(reader, mapping.separator, limits.record);
    let mut header: Option<Vec<String>> = None;
    while let Some(record) = records.next_record(&mut rows.builder.findings) {
        let Some(names) = &header else {
            let names: Vec<String> = record.fields().map(|field| mended(field).trim().to_lowercase()).collect();
            for (_, origins) in &mapping.columns {
                // Of fields that stand in for each other one is enough.
                let mut missing =
                    origins.iter().flat_map(Origin::fields).filter(|field| !names.contains(&field.name.to_lowercase()));
                let Some(field) = missing.next().filter(|field| !field.name.starts_with('@')) else { continue };
                let has_one =
                    origins.iter().any(|origin| origin.fields().any(|field| names.contains(&field.name.to_lowercase())));
                if has_one && origins.len() > 1 {
                    continue;
                }
                let near = nearest(&field.name, names.iter().map(String::as_str).filter(|name| !is_secret(name)));
                let hint = near.map_or(String::new(), |near| format!("; did you mean '{near}'?"));
                let reason = || format!("the first line has no such field{hint}");
                rows.builder.findings.note(|| "line 1".to_owned(), &field.name, reason);
            }
            header = Some(names);
            continue;
        };
        let fields: Vec<&[u8]> = record.fields().collect();
        if fields.len() > names.len() && fields[names.len()..].iter().any(|field| !field.trim_ascii().is_empty()) {
            let (got, wanted) = (fields.len(), names.len());
            rows.lose_row(record.line, || format!("it has {got} fields and the first line names {wanted}"));
            continue;
        }
        rows.take(mapping, record.line, &|field| {
            let at = names.iter().position(|name| name.eq_ignore_ascii_case(&field.name))?;
            fields.get(at).map(|field| Texts::One(mended(field)))
        });
    }
}

/// `name: value` a line; each is a row.
pub(super) fn pairs(reader: &mut dyn Read, rows: &mut Rows, mapping: &Mapping, limits: &Limits) {
    let mut lines = Lines::new(reader, limits.record);
    while let Some((number, line)) = next(&mut lines, rows) {
        let Some((name, value)) = line.split_once([':', '=']) else {
            rows.lose_row(number, || "not as 'name: value'".to_owned());
            continue;
        };
        rows.take(mapping, number, &|field| match field.name.as_str() {
            "name" => Some(Texts::One(name.trim().to_owned())),
            "value" => Some(Texts::One(value.trim().to_owned())),
            _ => None,
        });
    }
}

/// `key=value` lines; a row is the file, or what stands from one `begins` to the next.
pub(super) fn settings(reader: &mut dyn Read, rows: &mut Rows, mapping: &Mapping, limits: &Limits) {
    let mut lines = Lines::new(reader, limits.record);
    let mut settings: HashMap<String, String> = HashMap::new();
    let mut first = 1;
    while let Some((number, line)) = next(&mut lines, rows) {
        // Headings and what spans lines are not settings; what is wanted of them is seen by its key.
        let Some((key, value)) = line.split_once('=').filter(|(key, _)| !key.contains(':')).or_else(|| line.split_once(':'))
        else {
            continue;
        };
        let key = key.trim().to_lowercase();
        if is_secret(&key) {
            continue;
        }
        if key == mapping.begins && !settings.is_empty() {
            row(rows, mapping, first, &std::mem::take(&mut settings));
            first = number;
        }
        if settings.len() >= LINES {
            return rows.lose_row(number, || format!("over {LINES} settings of one row"));
        }
        settings.entry(key).or_insert_with(|| value.trim().to_owned());
    }
    if !settings.is_empty() {
        row(rows, mapping, first, &settings);
    }
}

fn row(rows: &mut Rows, mapping: &Mapping, line: u64, settings: &HashMap<String, String>) {
    // What stands before the first row is a heading.
    if !mapping.begins.is_empty() && !settings.contains_key(&mapping.begins) {
        return;
    }
    rows.take(mapping, line, &|field: &Field| settings.get(&field.name.to_lowercase()).cloned().map(Texts::One));
}

/// The next line that says something.
fn next<R: Read>(lines: &mut Lines<R>, rows: &mut Rows) -> Option<(u64, String)> {
    loop {
        let number = lines.number() + 1;
        match lines.next_line() {
            Ok(None) => return None,
            Ok(Some(Line::Whole(line))) => {
                let line = mended(line).trim_start_matches('\u{feff}').trim().to_owned();
                if !line.is_empty() && !line.starts_with('#') {
                    return Some((number, line));
                }
            }
            Ok(Some(Line::TooLong(_))) => rows.lose_row(number, || "a line that is longer than allowed".to_owned()),
            Err(error) => {
                rows.lose_row(number, || format!("reading stopped here: {error}"));
                return None;
            }
        }
    }
}
