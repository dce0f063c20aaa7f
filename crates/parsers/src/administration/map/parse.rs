//! Reading a description: its TOML becomes a [`Mapping`], or an error with its line.

use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Columns, Field, Kind, MapError, Mapping, Origin, Part, line_of};
use crate::administration::columns::{Column, TABLE};
use crate::administration::{is_secret, nearest};

const KEYS: [&str; 11] =
    ["format", "separator", "rows", "single", "total", "begins", "date_format", "zone", "columns", "also", "skip_when"];
const ORIGIN_KEYS: [&str; 9] = ["value", "from", "setting", "before", "split", "sole", "maybe", "map", "otherwise"];
/// What can be said of a row beside its fields.
const ABOUT: [&str; 3] = ["@stem", "@number", "@member"];

/// Reads parts of a description, and knows the lines for its errors.
pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl Parser<'_> {
    /// The description in `table`, which begins at `line`; keys among `others` are somebody else's.
    pub(super) fn mapping(&self, table: &DeTable<'_>, line: usize, others: &[&'static str]) -> Result<Mapping, MapError> {
        let mut mapping = Mapping {
            kind: Kind::Csv,
            separator: None,
            rows: Vec::new(),
            single: false,
            total: Vec::new(),
            begins: String::new(),
            date_format: None,
            zone: None,
            columns: Vec::new(),
            also: Vec::new(),
            skip_when: Vec::new(),
            quiet: false,
        };
        let mut format = None;
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "format" => format = Some(self.kind(value)?),
                "separator" => {
                    mapping.separator = Some(match self.text(value)?.as_bytes() {
                        [byte] if !matches!(byte, b'"' | b'\n' | b'\r') && byte.is_ascii() => *byte,
                        _ => return Err(self.error(value, "a separator is one character, like \";\" or \"\\t\"".to_owned())),
                    });
                }
                "rows" => mapping.rows = self.path(value)?,
                "single" => mapping.single = self.truth(value)?,
                "total" => mapping.total = self.path(value)?,
                "begins" => mapping.begins = self.text(value)?.trim().to_lowercase(),
                "date_format" => mapping.date_format = Some(self.text(value)?.to_owned()),
                "zone" => {
                    let zone = TimeZone::get(self.text(value)?);
                    let reason = || "not a time zone; write one as \"Europe/Amsterdam\"".to_owned();
                    mapping.zone = Some(zone.map_err(|_| self.error(value, reason()))?);
                }
                "columns" => mapping.columns = self.columns(value)?,
                "also" => mapping.also = self.also(value)?,
                "skip_when" => mapping.skip_when = self.skip_when(value)?,
                other if others.contains(&other) => {}
                other => return Err(self.unknown(key, other, "key", &KEYS)),
            }
        }
        let whole = |reason: &str| MapError { line, reason: reason.to_owned() };
        mapping.kind = format.ok_or_else(|| {
            // The other description of the project, of CSV with reports, has none.
            whole("it has no format: write format = \"csv\" or another; a description of reports is for 'receive' and 'read'")
        })?;
        if !names_a_party(&mapping.columns) {
            return Err(whole("[columns] says nothing of the party: write party = \"the field with its identifier\""));
        }
        if !mapping.also.iter().all(names_a_party) {
            return Err(whole("each [[also]] tells of a party: write party = \"the field with its identifier\""));
        }
        if !mapping.rows.is_empty() && !matches!(mapping.kind, Kind::Json | Kind::Xml) {
            return Err(whole("'rows' is for JSON and XML; the rows of CSV are its lines"));
        }
        if mapping.rows.is_empty() && mapping.kind == Kind::Xml {
            return Err(whole("'rows' is missing: name the elements that are rows, like \"packet.webspace.get.result\""));
        }
        if mapping.total.first().is_some_and(|step| mapping.rows.first() == Some(step)) {
            return Err(whole("'total' and 'rows' begin with the same member; that is not read"));
        }
        Ok(mapping)
    }

    fn kind(&self, value: &Value<'_>) -> Result<Kind, MapError> {
        Ok(match self.text(value)? {
            "csv" => Kind::Csv,
            "json" => Kind::Json,
            "xml" => Kind::Xml,
            "pairs" => Kind::Pairs,
            "settings" => Kind::Settings,
            other => return Err(self.error(value, format!("'{other}' is not a format: csv, json, xml, pairs or settings"))),
        })
    }

    fn path(&self, value: &Value<'_>) -> Result<Vec<String>, MapError> {
        Ok(self.text(value)?.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect())
    }

    fn error<T>(&self, here: &Spanned<T>, reason: String) -> MapError {
        MapError { line: line_of(self.text, here.span().start), reason }
    }

    fn unknown<T>(&self, here: &Spanned<T>, name: &str, what: &str, known: &[&'static str]) -> MapError {
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("there are {}", known.join(", ")),
        };
        self.error(here, format!("'{name}' is not a known {what}; {hint}"))
    }

    fn text<'v>(&self, value: &'v Value<'_>) -> Result<&'v str, MapError> {
        value
            .get_ref()
            .as_str()
            .ok_or_else(|| self.error(value, format!("a text is wanted here, not {}", value.get_ref().type_str())))
    }

    fn truth(&self, value: &Value<'_>) -> Result<bool, MapError> {
        let wanted = || self.error(value, format!("true or false is wanted here, not {}", value.get_ref().type_str()));
        value.get_ref().as_bool().ok_or_else(wanted)
    }

    fn table<'v, 't>(&self, value: &'v Value<'t>) -> Result<&'v DeTable<'t>, MapError> {
        let wanted = || self.error(value, format!("a table is wanted here, not {}", value.get_ref().type_str()));
        value.get_ref().as_table().ok_or_else(wanted)
    }

    fn also(&self, value: &Value<'_>) -> Result<Vec<Columns>, MapError> {
        let wanted = || self.error(value, format!("[[also]] begins a table, and is not {}", value.get_ref().type_str()));
        value.get_ref().as_array().ok_or_else(wanted)?.iter().map(|item| self.columns(item)).collect()
    }

    fn columns(&self, value: &Value<'_>) -> Result<Columns, MapError> {
        let mut columns = Columns::new();
        for (key, value) in self.table(value)? {
            let name = key.get_ref().as_ref();
            let known: Vec<&'static str> = TABLE.iter().map(|(_, name, _)| *name).collect();
            let Some(column) = Column::parse(name) else {
                // Somebody may have written the file's column first, which means the opposite.
                let turned = value.get_ref().as_str().and_then(Column::parse);
                let Some(turned) = turned else { return Err(self.unknown(key, name, "column", &known)) };
                let reason = format!("it is the other way round: write {} = \"{name}\"", turned.name());
                return Err(self.error(key, reason));
            };
            if columns.iter().any(|(there, _)| *there == column) {
                return Err(self.error(key, format!("'{}' is described twice", column.name())));
            }
            let origins = match value.get_ref().as_array() {
                Some(items) if items.is_empty() => return Err(self.error(value, "an empty list; name a field".to_owned())),
                Some(items) => items.iter().map(|item| self.origin(item, column)).collect::<Result<_, _>>()?,
                None => vec![self.origin(value, column)?],
            };
            columns.push((column, origins));
        }
        Ok(columns)
    }

    fn origin(&self, value: &Value<'_>, column: Column) -> Result<Origin, MapError> {
        let mut origin = Origin::default();
        if value.get_ref().is_str() {
            origin.parts = self.template(value)?;
            return Ok(origin);
        }
        for (key, value) in self.table(value)? {
            match key.get_ref().as_ref() {
                "value" => origin.parts = vec![Part::Text(self.text(value)?.to_owned())],
                "from" => origin.parts = self.template(value)?,
                "setting" => {
                    origin.setting = self.text(value)?.trim().to_owned();
                    self.no_secret(value, &origin.setting)?;
                }
                "before" => origin.before = self.text(value)?.to_owned(),
                "split" => origin.split = self.text(value)?.to_owned(),
                "sole" => origin.sole = self.truth(value)?,
                "maybe" => origin.maybe = self.truth(value)?,
                "otherwise" => origin.otherwise = Some(self.text(value)?.to_owned()),
                "map" => {
                    for (text, stands_for) in self.table(value)? {
                        origin.map.insert(text.get_ref().trim().to_owned(), self.text(stands_for)?.to_owned());
                    }
                }
                other => return Err(self.unknown(key, other, "key", &ORIGIN_KEYS)),
            }
        }
        if origin.parts.is_empty() {
            return Err(self.error(value, "say where it comes from: value = \"…\" or from = \"…\"".to_owned()));
        }
        if (origin.sole || origin.maybe) && column != Column::Resource {
            return Err(self.error(value, "'sole' and 'maybe' are for resources".to_owned()));
        }
        Ok(origin)
    }

    /// A field's name, or a text with fields in braces.
    fn template(&self, value: &Value<'_>) -> Result<Vec<Part>, MapError> {
        let text = self.text(value)?;
        if !text.contains(['{', '}']) {
            return Ok(vec![Part::Field(self.field(value, text)?)]);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err(self.error(value, format!("a brace is not closed in '{text}'")));
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Field(self.field(value, name)?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(parts)
    }

    fn field<T>(&self, here: &Spanned<T>, name: &str) -> Result<Field, MapError> {
        let name = name.trim();
        let steps: Vec<String> = name.split('.').map(|step| step.trim().to_owned()).collect();
        if name.is_empty() {
            return Err(self.error(here, "a field needs a name".to_owned()));
        }
        if name.starts_with('@') && !ABOUT.contains(&name) {
            return Err(self.unknown(here, name, "fact about a row", &ABOUT));
        }
        self.no_secret(here, name)?;
        steps.iter().try_for_each(|step| self.no_secret(here, step))?;
        Ok(Field { name: name.to_owned(), steps })
    }

    fn no_secret<T>(&self, here: &Spanned<T>, name: &str) -> Result<(), MapError> {
        if !is_secret(name) {
            return Ok(());
        }
        Err(self.error(here, format!("'{name}' looks like a secret: Sluis neither reads nor keeps it; take the line out")))
    }

    fn skip_when(&self, value: &Value<'_>) -> Result<Vec<(Field, Vec<String>)>, MapError> {
        let mut rules = Vec::new();
        for (key, value) in self.table(value)? {
            let field = self.field(key, key.get_ref().as_ref())?;
            let texts = match value.get_ref().as_array() {
                Some(array) => array.iter().map(|item| self.text(item).map(str::to_owned)).collect::<Result<Vec<_>, _>>()?,
                None => vec![self.text(value)?.to_owned()],
            };
            rules.push((field, texts));
        }
        Ok(rules)
    }
}

fn names_a_party(columns: &Columns) -> bool {
    columns.iter().any(|(column, _)| matches!(column, Column::Party | Column::PartyName))
}
