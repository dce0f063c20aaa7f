//! An entry as officers write it: a file in TOML or JSON, a row of a sheet, or flags. What is wrong in it is told all at once, with the field.

use std::collections::BTreeMap;

use matching::{
    list::entry::{Entry, EntryId, Pap, Place, SourceKind, Tlp},
    token::{Class, identifier, name::Name},
};
use serde::{Deserialize, Serialize};

use crate::keys::{hex, unhex};

/// An entry in words. Times are days (`2027-03-01`), in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Form {
    /// What the party is called in registers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// What else it calls itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Two letters (ISO 3166-1), or empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub country: String,
    /// Cities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cities: Vec<String>,
    /// Postal codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub postal_codes: Vec<String>,
    /// By class (`kvk`, `domain`, `email`, `asn` and so on), as written in the source.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub identifiers: BTreeMap<String, Vec<String>>,
    /// The kind of abuse.
    pub category: String,
    /// Why, in Dutch.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason_nl: String,
    /// Why, in English.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason_en: String,
    /// Case number, reference, or public address.
    pub source: String,
    /// `case`, `reference` or `public`; empty for `case`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source_kind: String,
    /// The article under which it may be shared.
    pub legal_basis: String,
    /// The criterion of the published protocol.
    pub criterion: String,
    /// Which protocol.
    pub protocol: String,
    /// When it was listed; empty for the day on which it is added.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub listed_at: String,
    /// When it is reviewed at the latest: the last day on which it may be used.
    pub review_by: String,
    /// `TLP:AMBER+STRICT` when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tlp: String,
    /// `PAP:AMBER` when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pap: String,
    /// Who answers for it: a role.
    pub officer_role: String,
    /// Where that role is reached.
    pub contact: String,
    /// Where it is contested.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub contest_url: String,
    /// The desk where it is contested.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub contest_desk: String,
    /// SHA-256 of what proves it, in hexadecimal digits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Whom it is easily taken for and is not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub not_to_be_confused_with: String,
}

/// What is wrong with a field, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The field, by its name in files.
    pub field: String,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    /// Of a field.
    pub fn of(field: &str, what: impl ToString) -> Problem {
        Problem { field: field.to_owned(), what: what.to_string() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.what)
    }
}

/// The classes that a form has identifiers of, in order.
pub fn classes() -> impl Iterator<Item = Class> {
    Class::ALL.into_iter().filter(|class| !class.name().starts_with("name-"))
}

/// Entries of a file: one, or several as `[[entry]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Several {
    entry: Vec<Form>,
}

/// The forms of a file in TOML, or in JSON when it begins with a brace or bracket.
///
/// # Errors
/// A sentence with the place in the file.
pub fn read(text: &str) -> Result<Vec<Form>, String> {
    let start = text.trim_start().chars().next();
    if start == Some('[') && text.trim_start().starts_with("[{") {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    if start == Some('{') {
        return match serde_json::from_str::<Several>(text) {
            Ok(several) => Ok(several.entry),
            Err(_) => serde_json::from_str(text).map(|one| vec![one]).map_err(|error| error.to_string()),
        };
    }
    if text.contains("[[entry]]") {
        return toml::from_str::<Several>(text).map(|several| several.entry).map_err(|error| error.to_string());
    }
    toml::from_str(text).map(|one| vec![one]).map_err(|error| error.to_string())
}

impl Form {
    /// The entry of this form, or everything that is wrong with it at `now`. Whatever would be compared as nothing is wrong: an entry that
    /// silently matches nobody is worse than none.
    ///
    /// # Errors
    /// Each problem.
    pub fn entry(&self, id: EntryId, version: u32, replaces: Option<(EntryId, u32)>, now: i64) -> Result<Entry, Vec<Problem>> {
        let (entry, mut problems) = self.parse(id, version, replaces, now);
        for missing in entry.check(now) {
            let field = missing.field();
            if !problems.iter().any(|problem| problem.field == field) {
                problems.push(Problem::of(field, missing));
            }
        }
        if problems.is_empty() { Ok(entry) } else { Err(problems) }
    }

    /// The entry as far as it can be read, whether or not it may be published, and what could not be read.
    #[must_use]
    pub fn parse(&self, id: EntryId, version: u32, replaces: Option<(EntryId, u32)>, now: i64) -> (Entry, Vec<Problem>) {
        let mut problems = Vec::new();
        for (field, names) in [("names", &self.names), ("aliases", &self.aliases)] {
            for name in names {
                if let Err(wrong) = Name::read(name) {
                    problems.push(Problem::of(field, format!("{name:?}: {wrong}")));
                }
            }
        }
        let identifiers = self.identifiers(&mut problems);
        let country = match self.country.trim() {
            "" => None,
            two if two.len() == 2 => two.to_ascii_uppercase().as_bytes().try_into().ok(),
            other => {
                problems.push(Problem::of("country", format!("{other:?}: two letters are asked (ISO 3166-1), such as NL")));
                None
            }
        };
        if country.is_none() && !(self.cities.is_empty() && self.postal_codes.is_empty()) && self.country.trim().is_empty() {
            problems.push(Problem::of(
                "country",
                "a city or postal code says nothing without its country; give two letters, such as NL",
            ));
        }
        let mut one_of = |field: &str, text: &str, names: &[&str]| {
            let text = text.trim();
            let at = names.iter().position(|name| name.eq_ignore_ascii_case(text));
            if at.is_none() && !text.is_empty() {
                problems.push(Problem::of(field, format!("{text:?} is not one of {}", names.join(", "))));
            }
            at
        };
        let kind = one_of("source_kind", &self.source_kind, &SourceKind::ALL.map(SourceKind::name));
        let tlp = one_of("tlp", &self.tlp, &Tlp::ALL.map(Tlp::name));
        let pap = one_of("pap", &self.pap, &Pap::ALL.map(Pap::name));
        let mut day = |field: &str, text: &str, last: bool| {
            let read = day(text, last);
            if read.is_none() && !text.trim().is_empty() {
                problems.push(Problem::of(field, format!("{text:?} is no day; write it like 2027-03-01")));
            }
            read
        };
        let listed_at = day("listed_at", &self.listed_at, false).unwrap_or(now);
        let review_by = day("review_by", &self.review_by, true).unwrap_or_default();
        if self.review_by.trim().is_empty() {
            problems.push(Problem::of(
                "review_by",
                "no review date; fill in the last day on which the entry may be used, like 2027-03-01",
            ));
        }
        let mut evidence = Vec::new();
        for digest in &self.evidence {
            match unhex::<32>(&digest.trim().to_ascii_lowercase()) {
                Ok(digest) => evidence.push(digest),
                Err(_) => problems.push(Problem::of("evidence", format!("{digest:?} is no SHA-256 of 64 hexadecimal digits"))),
            }
        }
        let clean = |text: &str| text.trim().to_owned();
        let all = |texts: &[String]| texts.iter().map(|text| clean(text)).collect();
        let cities = self.cities.iter().map(|city| Place { city: clean(city), postal_code: String::new() });
        let codes = self.postal_codes.iter().map(|code| Place { city: String::new(), postal_code: clean(code) });
        let entry = Entry {
            id,
            version,
            names: all(&self.names),
            aliases: all(&self.aliases),
            country,
            places: cities.chain(codes).collect(),
            identifiers,
            category: clean(&self.category),
            reason_nl: clean(&self.reason_nl),
            reason_en: clean(&self.reason_en),
            source: clean(&self.source),
            source_kind: kind.map_or(SourceKind::Case, |at| SourceKind::ALL[at]),
            legal_basis: clean(&self.legal_basis),
            criterion: clean(&self.criterion),
            protocol: clean(&self.protocol),
            listed_at,
            review_by,
            tlp: tlp.map_or(Tlp::default(), |at| Tlp::ALL[at]),
            pap: pap.map_or(Pap::default(), |at| Pap::ALL[at]),
            officer_role: clean(&self.officer_role),
            contact: clean(&self.contact),
            contest_url: clean(&self.contest_url),
            contest_desk: clean(&self.contest_desk),
            evidence,
            not_to_be_confused_with: clean(&self.not_to_be_confused_with),
            replaces,
        };
        (entry, problems)
    }

    /// Identifiers that have a canonical form; the rest are problems.
    fn identifiers(&self, problems: &mut Vec<Problem>) -> Vec<(Class, String)> {
        let mut identifiers = Vec::new();
        for (name, texts) in &self.identifiers {
            let Some(class) = classes().find(|class| class.name() == name) else {
                let all: Vec<&str> = classes().map(Class::name).collect();
                problems.push(Problem::of("identifiers", format!("{name:?} is not one of {}", all.join(", "))));
                continue;
            };
            for text in texts {
                match identifier::of(class, text) {
                    Ok(_) => identifiers.push((class, text.trim().to_owned())),
                    Err(wrong) => problems.push(Problem::of(name, format!("{text:?}: {wrong}"))),
                }
            }
        }
        identifiers
    }

    /// What it is called in lists for people: its first name, else its first identifier.
    #[must_use]
    pub fn title(&self) -> &str {
        let identifier = || self.identifiers.values().flatten().next();
        self.names.first().or_else(|| self.aliases.first()).or_else(identifier).map_or("(nameless)", String::as_str)
    }
}

/// The first moment of a day in UTC, or the last; in milliseconds since 1970.
#[must_use]
pub fn day(text: &str, last: bool) -> Option<i64> {
    let day: jiff::civil::Date = text.trim().parse().ok()?;
    let day = if last { day.tomorrow().ok()? } else { day };
    let start = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some(if last { start - 1 } else { start })
}

/// The day of a moment, in UTC.
#[must_use]
pub fn day_of(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).map(|time| time.to_zoned(jiff::tz::TimeZone::UTC).date().to_string());
    time.unwrap_or_else(|_| format!("{millis} ms"))
}

/// What people call an entry in commands: the first eight hexadecimal digits of its name are enough where they are of one alone.
#[must_use]
pub fn short(id: &EntryId) -> String {
    hex(&id[..4])
}
