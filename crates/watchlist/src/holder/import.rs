//! Entries from a sheet: XLSX or CSV, a row each. Everything that is wrong in any cell is told at once, with the name of the cell, and then
//! nothing is imported: an entry that came in half would match half, in silence.

use std::collections::HashMap;

use matching::token::{Class, identifier};
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde::Serialize;

use super::{
    Holder,
    form::{Form, Problem, classes, day_of},
};
use crate::sheet::{Row, Sheet, Unreadable, place};

/// The most entries of one sheet.
pub const MOST_ENTRIES: usize = 100_000;
/// The most faults that are told; more are counted.
pub const MOST_FAULTS: usize = 1_000;

/// What stands wrong in a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellFault {
    /// Its name, as a spreadsheet shows it: `B7`; or `row 7` for what no column has.
    pub cell: String,
    /// The field.
    pub field: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// What a sheet holds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Imported {
    /// Entries, in order of the rows. Good as a whole only when there are no faults.
    #[serde(skip)]
    pub forms: Vec<Form>,
    /// What is wrong.
    pub faults: Vec<CellFault>,
    /// How many more there are than are told.
    pub more: usize,
    /// What a person should know and nobody has to act on.
    pub remarks: Vec<String>,
    /// Identifiers that two rows have, or a row and an entry of the list.
    pub duplicates: Vec<String>,
}

/// A column of the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Field(&'static str),
    Identifier(Class),
    /// Its heading begins with `#`: a remark of the officers.
    Remark,
}

/// Fields with the headings that are understood beside their own name, and what the template says of them in Dutch and English.
const FIELDS: [(&str, &[&str], &str, &str); 20] = [
    (
        "names",
        &["name", "naam", "namen", "handelsnaam", "bedrijfsnaam"],
        "Namen zoals in registers, gescheiden door ;",
        "Names as in registers, separated by ;",
    ),
    (
        "aliases",
        &["alias", "ook bekend als", "aliassen"],
        "Andere namen, ook in ander schrift, gescheiden door ;",
        "Other names, in other scripts too, separated by ;",
    ),
    ("country", &["land"], "Twee letters (ISO 3166-1), zoals NL", "Two letters (ISO 3166-1), such as NL"),
    ("cities", &["city", "plaats", "plaatsen"], "Plaatsen, gescheiden door ;", "Cities, separated by ;"),
    ("postal_codes", &["postal code", "postcode", "postcodes"], "Postcodes, gescheiden door ;", "Postal codes, separated by ;"),
    ("category", &["categorie", "soort"], "Verplicht. Het soort misbruik", "Compulsory. The kind of abuse"),
    (
        "reason_nl",
        &["reden", "reden (nl)"],
        "Verplicht: reason_nl of reason_en. Waarom, voor de provider en zijn motivering",
        "Compulsory: reason_nl or reason_en. Why, for the provider and its statement of reasons",
    ),
    ("reason_en", &["reason", "reason (en)"], "Zie reason_nl", "See reason_nl"),
    (
        "source",
        &["bron", "zaaknummer"],
        "Verplicht. Zaaknummer, kenmerk of openbaar adres",
        "Compulsory. Case number, reference or public address",
    ),
    ("source_kind", &["soort bron"], "case, reference of public; leeg is case", "case, reference or public; empty is case"),
    (
        "legal_basis",
        &["grondslag"],
        "Verplicht. Het artikel op grond waarvan wordt verstrekt",
        "Compulsory. The article under which it is shared",
    ),
    (
        "criterion",
        &["criterium"],
        "Verplicht. Het criterium uit het gepubliceerde protocol",
        "Compulsory. The criterion of the published protocol",
    ),
    ("protocol", &[], "Verplicht. Welk protocol, met datum of adres", "Compulsory. Which protocol, with its date or address"),
    (
        "listed_at",
        &["datum"],
        "Dag van plaatsing, zoals 2026-11-22; leeg is vandaag",
        "Day of listing, like 2026-11-22; empty is today",
    ),
    (
        "review_by",
        &["herzien voor", "vervaldatum"],
        "Verplicht. De laatste dag van gebruik, hooguit twee jaar vooruit",
        "Compulsory. The last day of use, at most two years ahead",
    ),
    ("tlp", &[], "Leeg is TLP:AMBER+STRICT", "Empty is TLP:AMBER+STRICT"),
    ("pap", &[], "Leeg is PAP:AMBER", "Empty is PAP:AMBER"),
    (
        "officer_role",
        &["functie"],
        "Verplicht. Wie ervoor instaat: een functie, geen naam",
        "Compulsory. Who answers for it: a role, never a name",
    ),
    ("contact", &[], "Verplicht. Waar die functie te bereiken is", "Compulsory. Where that role is reached"),
    (
        "contest_url",
        &["bezwaar"],
        "Verplicht: contest_url of contest_desk. Waar bezwaar wordt gemaakt (https://)",
        "Compulsory: contest_url or contest_desk. Where it is contested (https://)",
    ),
];

/// As above, for those that are seldom filled in.
const MORE_FIELDS: [(&str, &[&str], &str, &str); 3] = [
    ("contest_desk", &["loket"], "Het loket voor bezwaar, met adres", "The desk where it is contested, with its address"),
    ("evidence", &["bewijs"], "SHA-256 van bewijsstukken, gescheiden door ;", "SHA-256 of evidence, separated by ;"),
    ("not_to_be_confused_with", &["niet te verwarren met"], "Naamgenoten die niet bedoeld zijn", "Namesakes who are not meant"),
];

fn fields() -> impl Iterator<Item = &'static (&'static str, &'static [&'static str], &'static str, &'static str)> {
    FIELDS.iter().chain(&MORE_FIELDS)
}

fn column(heading: &str) -> Option<Column> {
    let heading = heading.trim().to_lowercase();
    if heading.starts_with('#') {
        return Some(Column::Remark);
    }
    let of = |name: &str, others: &[&str]| {
        heading == name || heading.replace([' ', '-'], "_") == name || others.contains(&heading.as_str())
    };
    let field = fields().find(|(name, others, ..)| of(name, others)).map(|(name, ..)| Column::Field(name));
    let others: &[(Class, &[&str])] = &[
        (Class::Kvk, &["kvk-nummer", "kvknummer", "kvk nummer"]),
        (Class::Vat, &["btw", "btw-nummer"]),
        (Class::Domain, &["domein", "domeinen", "domains", "website", "websites"]),
        (Class::Email, &["e-mail", "mail", "emails"]),
        (Class::Phone, &["telefoon", "tel"]),
        (Class::Crypto, &["wallet", "wallets"]),
        (Class::Asn, &["as", "as-nummer", "asns"]),
    ];
    let class = || {
        let named = classes().find(|class| heading == class.name());
        named.or_else(|| others.iter().find(|(_, names)| names.contains(&heading.as_str())).map(|(class, _)| *class))
    };
    field.or_else(|| class().map(Column::Identifier))
}

impl Holder {
    /// Reads the entries of a sheet, and everything that is wrong with them at `now`. Keeps nothing: see [`Holder::add_all`].
    ///
    /// # Errors
    /// When it is no sheet.
    pub fn import(&self, bytes: Vec<u8>, name: &str, now: i64) -> Result<Imported, Unreadable> {
        let mut sheet = Sheet::open(bytes, name)?;
        let mut imported = Imported { remarks: sheet.remarks().iter().map(ToString::to_string).collect(), ..Imported::default() };
        let mut rows = sheet.rows()?;
        let mut row = Row::default();
        if !rows.read(&mut row)? {
            return Err(Unreadable::Empty);
        }
        let columns = imported.headings(&row);
        let listed = self.known();
        let mut known: HashMap<Vec<u8>, String> = HashMap::new();
        while rows.read(&mut row)? {
            if row.is_empty() {
                continue;
            }
            if imported.forms.len() == MOST_ENTRIES {
                return Err(Unreadable::TooManyRows(MOST_ENTRIES as u32));
            }
            imported.row(&row, &columns, now);
            if let Some(form) = imported.forms.last() {
                let told = listed.told(form, None).into_iter().map(|told| format!("row {}: {told}", row.number()));
                let mut told: Vec<String> = told.collect();
                told.extend(repeated(form, &row, &mut known));
                imported.duplicates.extend(told);
            }
        }
        if imported.forms.is_empty() && imported.faults.is_empty() {
            imported.fault("row 2".to_owned(), "", "there is no entry below the headings");
        }
        Ok(imported)
    }
}

impl Imported {
    fn fault(&mut self, cell: String, field: &str, what: impl ToString) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(CellFault { cell, field: field.to_owned(), what: what.to_string() });
        } else {
            self.more += 1;
        }
    }

    fn headings(&mut self, row: &Row) -> Vec<Option<Column>> {
        let mut columns: Vec<Option<Column>> = Vec::with_capacity(row.len());
        for (at, heading) in row.cells().enumerate() {
            let found = column(heading);
            let cell = row.place(at);
            match found {
                None if heading.is_empty() => {}
                None => {
                    let all: Vec<&str> = fields().map(|(name, ..)| *name).chain(classes().map(Class::name)).collect();
                    self.fault(
                        cell,
                        heading,
                        format!(
                            "this heading is not known; put a # before it to leave the column out, or use one of {}",
                            all.join(", ")
                        ),
                    );
                }
                Some(Column::Remark) => self.remarks.push(format!("column {cell} is left out, as its # says")),
                Some(_) if columns.contains(&found) => self.fault(
                    cell,
                    heading,
                    "another column has this heading too; put several values in one cell, separated by ;",
                ),
                Some(_) => {}
            }
            columns.push(found);
        }
        columns
    }

    fn row(&mut self, row: &Row, columns: &[Option<Column>], now: i64) {
        for (at, fault) in row.faults() {
            self.fault(row.place(*at), "", fault);
        }
        let mut form = Form::default();
        for at in 0..row.len() {
            let text = row.cell(at);
            match columns.get(at).copied().flatten() {
                _ if text.is_empty() => {}
                Some(Column::Remark) => {}
                Some(Column::Field(field)) => set(&mut form, field, text),
                Some(Column::Identifier(class)) => {
                    form.identifiers.entry(class.name().to_owned()).or_default().extend(several(text));
                }
                None => self.fault(row.place(at), "", "this cell stands under no heading; give its column one, or empty it"),
            }
        }
        if form.listed_at.is_empty() {
            form.listed_at = day_of(now);
        }
        // Any name serves to see whether the rest is right.
        if let Err(problems) = form.entry([0; 16], 1, None, now) {
            for Problem { field, what } in problems {
                let at = columns.iter().position(|column| match column {
                    Some(Column::Field(name)) => *name == field,
                    Some(Column::Identifier(class)) => class.name() == field,
                    _ => false,
                });
                let cell = at.map_or_else(|| format!("row {}", row.number()), |at| place(at, row.number()));
                self.fault(cell, &field, what);
            }
        }
        self.forms.push(form);
    }
}

/// The values of a cell, between semicolons and line breaks.
fn several(text: &str) -> impl Iterator<Item = String> {
    text.split([';', '\n']).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Puts a value into a field, or an identifier of a class, by its name in files. Says whether there is one of that name.
pub fn set_field(form: &mut Form, name: &str, value: &str) -> bool {
    if let Some((field, ..)) = fields().find(|(field, ..)| *field == name) {
        set(form, field, value);
    } else if let Some(class) = classes().find(|class| class.name() == name) {
        form.identifiers.entry(class.name().to_owned()).or_default().extend(several(value));
    } else {
        return false;
    }
    true
}

fn set(form: &mut Form, field: &str, text: &str) {
    let list = match field {
        "names" => Some(&mut form.names),
        "aliases" => Some(&mut form.aliases),
        "cities" => Some(&mut form.cities),
        "postal_codes" => Some(&mut form.postal_codes),
        "evidence" => Some(&mut form.evidence),
        _ => None,
    };
    if let Some(list) = list {
        list.extend(several(text));
        return;
    }
    let line = match field {
        "country" => &mut form.country,
        "category" => &mut form.category,
        "reason_nl" => &mut form.reason_nl,
        "reason_en" => &mut form.reason_en,
        "source" => &mut form.source,
        "source_kind" => &mut form.source_kind,
        "legal_basis" => &mut form.legal_basis,
        "criterion" => &mut form.criterion,
        "protocol" => &mut form.protocol,
        "listed_at" => &mut form.listed_at,
        "review_by" => &mut form.review_by,
        "tlp" => &mut form.tlp,
        "pap" => &mut form.pap,
        "officer_role" => &mut form.officer_role,
        "contact" => &mut form.contact,
        "contest_url" => &mut form.contest_url,
        "contest_desk" => &mut form.contest_desk,
        _ => &mut form.not_to_be_confused_with,
    };
    text.clone_into(line);
}

/// Identifiers that a row before this one has too, whichever way they are written.
fn repeated(form: &Form, row: &Row, known: &mut HashMap<Vec<u8>, String>) -> Vec<String> {
    let here = format!("row {}", row.number());
    let mut told = Vec::new();
    for (name, texts) in &form.identifiers {
        let Some(class) = classes().find(|class| class.name() == name) else { continue };
        for text in texts {
            let Ok(token) = identifier::of(class, text) else { continue };
            if let Some(before) = known.insert(token.input(), here.clone()) {
                told.push(format!("{here}: {name} {text} also stands in {before}"));
            }
        }
    }
    told
}

/// An empty sheet with headings, and one that explains them in Dutch and English.
///
/// # Errors
/// Those of the writer.
pub fn template() -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let (bold, text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
    let sheet = book.add_worksheet();
    sheet.set_name("entries")?.set_freeze_panes(1, 0)?;
    let columns: Vec<(&str, String, String)> = fields()
        .map(|(name, _, nl, en)| (*name, (*nl).to_owned(), (*en).to_owned()))
        .chain(classes().map(|class| {
            let name = class.name();
            (
                name,
                format!("Kenmerken van het soort {name}, gescheiden door ;"),
                format!("Identifiers of the class {name}, separated by ;"),
            )
        }))
        .collect();
    for (at, (name, ..)) in (0u16..).zip(&columns) {
        // Text, so that no leading zero and no long number is lost.
        sheet.set_column_format(at, &text)?.set_column_width(at, 18)?;
        sheet.write_string_with_format(0, at, *name, &bold)?;
    }
    let sheet = book.add_worksheet();
    sheet.set_name("uitleg - explanation")?.set_column_width(0, 26)?.set_column_width(1, 70)?.set_column_width(2, 70)?;
    for (at, heading) in ["column", "uitleg", "explanation"].into_iter().enumerate() {
        sheet.write_string_with_format(0, at as u16, heading, &bold)?;
    }
    for (row, (name, nl, en)) in (1u32..).zip(&columns) {
        sheet.write_string(row, 0, *name)?.write_string(row, 1, nl)?.write_string(row, 2, en)?;
    }
    book.save_to_buffer()
}
