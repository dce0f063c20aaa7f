//! A provider's customers from a table: which column is what, one customer after another, and the tokens that are asked of each.
//!
//! Nothing is left out in silence, since a customer that is not compared looks like a customer that is not listed. Columns that nobody knows,
//! cells that have no canonical form, ids that stand twice and customers of whom nothing can be asked are in the [`Outcome`].

mod cell;
mod columns;
mod country;

use std::{
    collections::{BTreeMap, HashMap, hash_map::RandomState},
    fmt,
    hash::BuildHasher as _,
};

use matching::token::{
    Class, Token,
    identifier::{Country, Invalid},
    name::{EditSide, Name, NoName, Place, asked},
};

use crate::sheet::{Fault, Row, Rows, Sheet, Unreadable};

pub use columns::{Column, Map, Meaning, WrongMap};

/// How many rejects, duplicates and silent customers are told one by one. All are counted.
pub const MOST_TOLD: usize = 1000;

/// A customer as the table has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Customer {
    /// What the provider calls it, or "row 7" where it has no id.
    pub id: String,
    /// The row it stands in, from 1.
    pub row: u32,
    /// Its names as written: of the company and of its trade names; of the person where there is no company.
    pub names: Vec<String>,
    /// Its country.
    pub country: Option<Country>,
    /// Its city as written.
    pub city: Option<String>,
    /// Its postal code as written.
    pub postal_code: Option<String>,
    /// What identifies it, canonical. A held prefix brings those that cover it, an e-mail address the domain name it is at.
    pub identifiers: Vec<(Class, Token)>,
    compared: Vec<Name>,
}

impl Customer {
    /// Where it is, as names are compared with their place. Nothing when nothing is known.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        if self.city.is_none() && (self.postal_code.is_none() || self.country.is_none()) {
            return None;
        }
        Some(Place { country: self.country.unwrap_or_default(), city: self.city.clone(), postal: self.postal_code.clone() })
    }

    /// The tokens that are asked of it, each once: its identifiers, and those of its names with this edit side and rarity, both of which the
    /// manifest of the list states.
    #[must_use]
    pub fn tokens(&self, edit: EditSide, rarity_bits: u32) -> Vec<Token> {
        let place = self.place();
        let mut tokens: Vec<Token> = self.identifiers.iter().map(|(_, token)| token.clone()).collect();
        for name in &self.compared {
            tokens.extend(asked(name, place.as_ref(), edit, rarity_bits));
        }
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whose customer somebody is does not belong in messages.
        f.debug_struct("Customer").field("row", &self.row).field("identifiers", &self.identifiers.len()).finish_non_exhaustive()
    }
}

/// Why a cell was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It has no canonical form.
    Invalid(Invalid),
    /// Its name has nothing to compare.
    Name(NoName),
    /// It lost something in the spreadsheet.
    Fault(Fault),
    /// No country is called so.
    Country,
    /// It has more values than anybody has in one cell.
    TooMany,
}

impl Why {
    /// A name for it that stays the same, for tables and translations.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Why::Invalid(invalid) => invalid.wrong.code(),
            Why::Name(_) => "no-name",
            Why::Fault(Fault::Digits) => "digits-lost",
            Why::Fault(Fault::Formula) => "formula",
            Why::Fault(Fault::Quote) => "quote",
            Why::Country => "country-name",
            Why::TooMany => "too-many",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Invalid(invalid) => invalid.fmt(f),
            Why::Name(none) => none.fmt(f),
            Why::Fault(fault) => fault.fmt(f),
            Why::Country => f.write_str("no country is called so; two letters such as NL are always right"),
            Why::TooMany => {
                write!(f, "more than {} values in one cell; put the others in rows or columns of their own", cell::MOST_VALUES)
            }
        }
    }
}

/// A cell of which something was not taken. What stands in it is not repeated here: its place leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The place ("B7").
    pub place: String,
    /// What the column is.
    pub meaning: Meaning,
    /// Why.
    pub why: Why,
}

/// What came of reading a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// All columns, and what each was taken for.
    pub columns: Vec<Column>,
    /// Rows above the headers that were passed over.
    pub above: u32,
    /// Customers read.
    pub customers: u64,
    /// Customers without an id, which got their row's number.
    pub without_id: u64,
    /// Cells of which something was not taken, the first [`MOST_TOLD`].
    pub rejects: Vec<Reject>,
    /// How many there were of each kind: what the column is, and [`Why::code`].
    pub rejected: BTreeMap<(Meaning, &'static str), u64>,
    /// Rows whose id another row has too, the first [`MOST_TOLD`]: the row, and the row that had it first.
    pub duplicates: Vec<(u32, u32)>,
    /// How many such rows there were.
    pub duplicated: u64,
    /// Rows of customers of whom nothing can be asked, the first [`MOST_TOLD`]. They can have no hit: somebody has to look.
    pub silent: Vec<u32>,
    /// How many such customers there were.
    pub silenced: u64,
}

impl Outcome {
    /// The columns that were not taken for anything, by their headers.
    pub fn unknown(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.meaning.is_none())
    }

    fn reject(&mut self, row: &Row, column: usize, meaning: Meaning, why: Why) {
        *self.rejected.entry((meaning, why.code())).or_default() += 1;
        if self.rejects.len() < MOST_TOLD {
            self.rejects.push(Reject { place: row.place(column), meaning, why });
        }
    }
}

/// Why a table is not one of customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCustomers {
    /// It cannot be read.
    Unreadable(Unreadable),
    /// No column of it is known; the headers of its first row.
    NoColumns(Vec<String>),
    /// A column that the map names is not there.
    NotThere(String),
}

impl fmt::Display for NoCustomers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoCustomers::Unreadable(unreadable) => unreadable.fmt(f),
            NoCustomers::NoColumns(headers) => write!(
                f,
                "no column of this table is known (its first row: {}); the first row has to name them, such as klantnummer, naam, kvk, e-mail, domein, \
                 or a map has to say what each is",
                headers.join(", ")
            ),
            NoCustomers::NotThere(header) => {
                write!(f, "the map names a column \"{header}\" that the table has not; its headers are compared as written")
            }
        }
    }
}

impl std::error::Error for NoCustomers {}

impl From<Unreadable> for NoCustomers {
    fn from(unreadable: Unreadable) -> NoCustomers {
        NoCustomers::Unreadable(unreadable)
    }
}

/// Reads the customers of a table, one after another.
pub struct Customers<'s> {
    rows: Rows<'s>,
    row: Row,
    meanings: Vec<Option<Meaning>>,
    default_country: Option<Country>,
    outcome: Outcome,
    /// Hashes of the ids seen, and their rows: the ids themselves would take more memory than all else.
    ids: HashMap<u64, u32>,
    hasher: RandomState,
}

/// How far down the headers may stand: exports have titles above them.
const MOST_ABOVE: usize = 20;

impl<'s> Customers<'s> {
    /// Finds the headers: of the first twenty rows the first that names two columns that are known, else the first row. A map says what columns are
    /// that nobody else knows, and the country of customers who have none.
    ///
    /// # Errors
    /// When the table cannot be read, or none of its columns is of use.
    pub fn read(sheet: &'s mut Sheet, map: Option<&Map>) -> Result<Customers<'s>, NoCustomers> {
        // The headers are looked for first, so that rows above them are not customers; then reading starts anew after them.
        let mut first: Option<(u32, Vec<String>)> = None;
        let mut found = None;
        for row in sheet.rows()?.take(MOST_ABOVE) {
            let row = row?;
            let headers: Vec<String> = row.cells().map(str::to_owned).collect();
            let known = headers.iter().filter(|header| columns::meaning(header, map).is_some()).count();
            if known >= 2 {
                found = Some((row.number(), headers));
                break;
            }
            first.get_or_insert((row.number(), headers));
        }
        let (number, headers) = found.or(first).ok_or(Unreadable::Empty)?;
        if let Some(missing) = map.and_then(|map| map.columns.keys().find(|named| !headers.contains(named))) {
            return Err(NoCustomers::NotThere(missing.clone()));
        }
        let columns = columns::of(&headers, map);
        if !columns.iter().any(|column| column.meaning.is_some_and(Meaning::is_compared)) {
            return Err(NoCustomers::NoColumns(
                headers.into_iter().take(30).map(|header| header.chars().take(60).collect()).collect(),
            ));
        }
        let mut rows = sheet.rows()?;
        let mut row = Row::default();
        while rows.read(&mut row)? && row.number() < number {}
        Ok(Customers {
            rows,
            row,
            meanings: columns.iter().map(|column| column.meaning).collect(),
            default_country: map.and_then(|map| map.country),
            outcome: Outcome { columns, above: number.saturating_sub(1), ..Outcome::default() },
            ids: HashMap::new(),
            hasher: RandomState::new(),
        })
    }

    /// What came of it so far; of everything, when the last customer was read.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// What came of it.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }

    fn customer(&mut self) -> Customer {
        let (row, outcome) = (&self.row, &mut self.outcome);
        for (column, fault) in row.faults() {
            let meaning = self.meanings.get(*column).copied().flatten().unwrap_or(Meaning::Ignored);
            outcome.reject(row, *column, meaning, Why::Fault(*fault));
        }
        // A customer's country says how its other cells are read.
        let mut country = self.default_country;
        for (column, text) in cells(&self.meanings, row, Meaning::Country) {
            match country::of(text) {
                Some(found) => country = Some(found),
                None => outcome.reject(row, column, Meaning::Country, Why::Country),
            }
        }
        let first = |meaning| cells(&self.meanings, row, meaning).next().map(|(_, text)| text.to_owned());
        let id = self.meanings.iter().position(|meaning| *meaning == Some(Meaning::Id)).map(|column| row.cell(column).to_owned());
        let id = id.filter(|id| !id.is_empty());
        let mut customer = Customer {
            id: id.clone().unwrap_or_else(|| format!("row {}", row.number())),
            row: row.number(),
            names: Vec::new(),
            country,
            city: first(Meaning::City),
            postal_code: first(Meaning::PostalCode),
            identifiers: Vec::new(),
            compared: Vec::new(),
        };
        for (column, meaning) in self.meanings.iter().enumerate().filter_map(|(column, meaning)| Some((column, (*meaning)?))) {
            let text = row.cell(column);
            if !text.is_empty() {
                let mut reject = |why| outcome.reject(row, column, meaning, why);
                cell::take(&mut customer, meaning, text, &mut reject);
            }
        }
        if customer.names.is_empty() {
            let parts = [Meaning::FirstName, Meaning::Infix, Meaning::LastName];
            let parts: Vec<String> = parts.into_iter().filter_map(first).collect();
            if parts.len() > 1 {
                let column = self.meanings.iter().position(|meaning| *meaning == Some(Meaning::LastName)).unwrap_or(0);
                cell::take(&mut customer, Meaning::Name, &parts.join(" "), &mut |why| {
                    outcome.reject(row, column, Meaning::LastName, why)
                });
            }
        }
        customer.identifiers.sort_unstable();
        customer.identifiers.dedup();
        outcome.customers += 1;
        match id {
            None => outcome.without_id += 1,
            Some(id) => {
                let before = *self.ids.entry(self.hasher.hash_one(&id)).or_insert(row.number());
                if before != row.number() {
                    outcome.duplicated += 1;
                    if outcome.duplicates.len() < MOST_TOLD {
                        outcome.duplicates.push((row.number(), before));
                    }
                }
            }
        }
        if customer.identifiers.is_empty() && customer.compared.is_empty() {
            outcome.silenced += 1;
            if outcome.silent.len() < MOST_TOLD {
                outcome.silent.push(row.number());
            }
        }
        customer
    }
}

/// The cells of a row with this meaning that have something in them.
fn cells<'r>(meanings: &'r [Option<Meaning>], row: &'r Row, meaning: Meaning) -> impl Iterator<Item = (usize, &'r str)> {
    let columns = meanings.iter().enumerate().filter(move |(_, found)| **found == Some(meaning));
    columns.map(|(column, _)| (column, cell::value(row.cell(column)))).filter(|(_, text)| !text.is_empty())
}

impl Iterator for Customers<'_> {
    type Item = Result<Customer, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rows.read(&mut self.row) {
            Ok(true) => Some(Ok(self.customer())),
            Ok(false) => None,
            Err(unreadable) => Some(Err(unreadable)),
        }
    }
}

#[cfg(test)]
mod tests;
