//! Files of changes: one JSON object a line, in the words of [`super::columns::TABLE`].
//!
//! ```text
//! {"party": {"party": "C-1077", "party_name": "Elm Books", "parent": "R-7", "contact_mail": "info@elm.example"}}
//! {"begin": {"resource": "192.0.2.71", "party": "C-1077", "from": "2026-01-05T10:00:00Z", "service": "vps-1120"}}
//! {"end": {"resource": "192.0.2.80", "party": "C-1042", "to": "2026-01-05T10:02:00Z"}}
//! ```
//!
//! Their order is what they mean, so nothing of such a file is left out: the first line that cannot be understood is an
//! error, and the whole file is not taken. Words that look like secrets are dropped.

use std::io::Read;

use model::administration::change::{Change, End, Told};
use model::assignment::Level;
use serde_json::{Map, Value};

use super::columns::Column;
use super::csv::without_controls;
use super::lines::{Line, Lines};
use super::rows::{Builder, Lost, PARTY, Row, date, resource};
use super::{Limits, is_secret};

/// Changes that one file may have.
pub const MOST: usize = 1_000_000;

/// The columns that a `begin` may have.
const BEGIN: [Column; 12] = [
    Column::Resource,
    Column::First,
    Column::Last,
    Column::From,
    Column::To,
    Column::Level,
    Column::Party,
    Column::Service,
    Column::Product,
    Column::Panel,
    Column::Account,
    Column::Reference,
];
/// The columns that an `end` may have.
const END: [Column; 6] = [Column::Resource, Column::First, Column::Last, Column::To, Column::Level, Column::Party];

/// Reads a file of changes, all of it or none.
///
/// # Errors
/// Says which line is wrong, and what would be right.
pub fn read(reader: &mut dyn Read, limits: &Limits) -> Result<Vec<Told>, String> {
    let mut lines = Lines::new(reader, limits.record);
    let mut told = Vec::new();
    loop {
        let line = lines.number() + 1;
        let wrong = |reason: String| format!("line {line}: {reason}");
        let bytes = match lines.next_line().map_err(|error| wrong(format!("reading stopped here: {error}")))? {
            None => return Ok(told),
            Some(Line::Whole(bytes)) => bytes.trim_ascii(),
            Some(Line::TooLong(_)) => return Err(wrong(format!("a line of over {} bytes", limits.record))),
        };
        if bytes.is_empty() {
            continue;
        }
        if told.len() >= MOST {
            return Err(wrong(format!("over {MOST} changes in one file; hand in several, or the whole administration instead")));
        }
        told.push(Told { line, change: change(bytes).map_err(wrong)? });
    }
}

fn change(bytes: &[u8]) -> Result<Change, String> {
    // The parser's words quote nothing of what it read.
    let value: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| format!("not a JSON object ({:?} error)", error.classify()))?;
    let mut members = value.into_iter();
    let (Some((what, Value::Object(words))), None) = (members.next(), members.next()) else {
        return Err(r#"a line is {"party": {…}}, {"begin": {…}} or {"end": {…}}"#.to_owned());
    };
    let lost = |(text, reason): Lost| if text.is_empty() { reason } else { format!("{reason} [{text}]") };
    match what.as_str() {
        "party" => {
            let mut known = PARTY.to_vec();
            known.push(Column::Party);
            let mut builder = Builder::default();
            let row = row(&words, &known, "party")?;
            if row.get(Column::Party).is_empty() {
                return Err("it does not say which party: fill in 'party'".to_owned());
            }
            builder.row(1, &row);
            let (snapshot, findings) = builder.finish();
            if let Some(finding) = findings.first() {
                return Err(format!("{} [{}]", finding.reason, finding.text));
            }
            snapshot.parties.into_iter().next().map(|party| Change::Party(Box::new(party))).ok_or_else(|| "no party".to_owned())
        }
        "begin" => {
            let row = row(&words, &BEGIN, "begin")?;
            let mut builder = Builder::default();
            if row.get(Column::Party).is_empty() {
                return Err("it does not say whose it is: fill in 'party'".to_owned());
            }
            builder.row(1, &row);
            let (snapshot, findings) = builder.finish();
            if let Some(finding) = findings.first() {
                return Err(format!("{} [{}]", finding.reason, finding.text));
            }
            let begun = snapshot.assignments.into_iter().next();
            begun.map(|begun| Change::Begin(Box::new(begun))).ok_or_else(|| "it names no resource".to_owned())
        }
        "end" => {
            let row = row(&words, &END, "end")?;
            let level = match row.get(Column::Level) {
                "" => Level::Assigned,
                word => Level::parse(word).ok_or_else(|| "not a level: allocated, sub-allocated or assigned".to_owned())?,
            };
            let resource = resource(&row).map_err(lost)?.ok_or_else(|| "it names no resource".to_owned())?;
            let to = date(&row, Column::To).map_err(lost)?;
            Ok(Change::End(Box::new(End { resource, level, party: row.get(Column::Party).to_owned(), to })))
        }
        _ => Err(r#"a line is {"party": {…}}, {"begin": {…}} or {"end": {…}}"#.to_owned()),
    }
}

/// The words of a change as a row.
fn row(words: &Map<String, Value>, known: &[Column], what: &str) -> Result<Row, String> {
    let mut row = Row::default();
    for (name, value) in words {
        let Some(column) = Column::parse(name).filter(|column| known.contains(column)) else {
            if is_secret(name) {
                continue;
            }
            let name: String = without_controls(name.chars().take(100).collect());
            let hint = match (Column::parse(&name), Column::nearest(&name)) {
                (Some(_), _) => r#"; say what is known of the party in a line {"party": {…}} before it"#.to_owned(),
                (None, Some(near)) => format!("; did you mean '{near}'?"),
                (None, None) => String::new(),
            };
            return Err(format!("'{name}' is no word of \"{what}\"{hint}"));
        };
        let scalar = |value: &Value| match value {
            Value::String(text) => Some(without_controls(text.clone())),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(true) => Some("yes".to_owned()),
            Value::Bool(false) => Some("no".to_owned()),
            Value::Null => Some(String::new()),
            _ => None,
        };
        let text = match value {
            Value::Array(items) if column.is_list() => {
                items.iter().map(scalar).collect::<Option<Vec<_>>>().map(|items| items.join(";"))
            }
            value => scalar(value),
        };
        row.set(
            column,
            &text.ok_or_else(|| format!("'{}' is a text, or where it may hold several a list of texts", column.name()))?,
        );
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Told>, String> {
        read(&mut text.as_bytes(), &Limits::default())
    }

    #[test]
    fn changes_are_read_in_order_and_secrets_are_dropped() {
        let told = read_text(concat!(
            r#"{"party": {"party": "C-1", "party_name": "Oak", "mails": ["a@oak.example", "b@oak.example"], "password": "SLUIS-SECRET"}}"#,
            "\n\n",
            r#"{"begin": {"resource": "192.0.2.7", "party": "C-1", "from": "2026-01-05", "service": 7}}"#,
            "\n",
            r#"{"end": {"first": "192.0.2.8", "last": "192.0.2.9", "level": "sub-allocated", "to": "2026-01-06"}}"#,
        ))
        .unwrap();
        assert!(!format!("{told:?}").contains("SLUIS-SECRET"));
        assert_eq!(told.iter().map(|one| one.line).collect::<Vec<_>>(), [1, 3, 4]);
        let Change::Party(party) = &told[0].change else { panic!("{told:?}") };
        assert_eq!((party.name.as_str(), party.mails.len()), ("Oak", 2));
        let Change::Begin(begun) = &told[1].change else { panic!("{told:?}") };
        assert_eq!((begun.resource.to_string().as_str(), begun.service.as_str()), ("192.0.2.7", "7"));
        let Change::End(end) = &told[2].change else { panic!("{told:?}") };
        assert_eq!((end.resource.to_string().as_str(), end.level), ("192.0.2.8/31", Level::SubAllocated));
    }

    #[test]
    fn what_is_not_understood_is_an_error_with_its_line() {
        for (text, expected) in [
            ("{}", "line 1: a line is"),
            ("\n[]", "line 2: not a JSON object"),
            (r#"{"begin": {}, "end": {}}"#, "line 1: a line is"),
            (r#"{"change": {}}"#, "line 1: a line is"),
            (r#"{"begin": 7}"#, "line 1: a line is"),
            (r#"{"begin": {"resource": "192.0.2.7"}}"#, "line 1: it does not say whose it is"),
            (r#"{"begin": {"party": "A"}}"#, "line 1: it names no resource"),
            (r#"{"begin": {"party": "A", "resource": "192.0.2.999"}}"#, "line 1: not an address"),
            (
                r#"{"begin": {"party": "A", "resource": "192.0.2.1", "contact_mail": "x@y.example"}}"#,
                "line 1: 'contact_mail' is no word of \"begin\"; say",
            ),
            (
                r#"{"begin": {"party": "A", "resourc": "192.0.2.1"}}"#,
                "line 1: 'resourc' is no word of \"begin\"; did you mean 'resource'?",
            ),
            (r#"{"end": {"party": "A"}}"#, "line 1: it names no resource"),
            (r#"{"end": {"resource": "192.0.2.1", "to": "soon"}}"#, "line 1: to: not a date"),
            (r#"{"end": {"resource": ["192.0.2.1"]}}"#, "line 1: 'resource' is a text"),
            (r#"{"party": {"party_name": "A"}}"#, "line 1: it does not say which party"),
            (r#"{"party": {"party": "A", "country": "Nederland"}}"#, "line 1: country: not a country"),
            (r#"{"party": {"party": "SLUIS-SECRET""#, "line 1: not a JSON object"),
        ] {
            let error = read_text(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
            assert!(!error.contains("SLUIS-SECRET"));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = read(&mut bytes.as_slice(), &Limits::default());
        }
    }
}
