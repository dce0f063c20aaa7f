//! How a row becomes a report: the columns of one file, resolved once, and carried out for every row.

use std::borrow::Cow;
use std::collections::HashMap;

use model::report::{Batch, Core, Place, Word};
use model::time::Time;

use super::layout::{Layout, Means, Written};
use super::row::Row;
use super::times;
use crate::formats::shadowserver::values::{self, Clock};
use crate::kinds::csv::COLUMNS;
use crate::kinds::rsit::{self, Class};
use crate::read::Reading;

/// Names of columns that one file may have when its rows name them themselves; values past that share one name.
const NAMES: usize = 1_000;
/// Bytes of such a name; what is longer is cut.
const NAME: usize = 200;

/// Reports that one row may make; what it tells of more is only in its text.
const REPORTS: usize = 100;

/// The values of a row, by column.
pub trait Cells {
    /// How many there are.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The value at a column; empty when the row has none there.
    fn get(&self, column: usize) -> &[u8];
}

impl Cells for Vec<Cow<'_, str>> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn get(&self, column: usize) -> &[u8] {
        self.as_slice().get(column).map_or(b"", |value| value.as_bytes())
    }
}

pub(super) struct Column {
    pub(super) name: String,
    pub(super) means: Means,
    /// The column's own name: for what is not what it should be.
    pub(super) own: Word,
    /// Where a text of a known meaning goes.
    pub(super) word: Word,
}

/// The columns of one file, and what they mean.
pub struct Sheet {
    layout: &'static Layout,
    columns: Vec<Column>,
    /// Where the column of a name is, for rows that name their values.
    known: HashMap<String, usize>,
    /// Columns in the order in which they are read: those of the layout in its order, then the others.
    order: Vec<usize>,
    class: Class,
    /// What the batch says of every report.
    shared: (Class, &'static str),
    /// The time that the list itself bears.
    pub(super) of_list: Option<Time>,
    /// When it was received, where rows without a time stand for that moment. A file that merely looks like such a list may be of
    /// last year, and would then accuse whoever holds the address today; so somebody has to say that it is fresh: by downloading it,
    /// or by naming its format.
    received: Option<Time>,
    clock: Clock,
    application: Word,
    longer: (u64, u32),
    /// Reports without a time of their own or of their list.
    undated: u64,
}

impl Sheet {
    /// The sheet for these columns; what all reports have in common goes into the batch.
    pub fn new(layout: &'static Layout, names: Vec<String>, reading: &mut Reading<'_>) -> Sheet {
        Sheet::of(layout, names, None, reading)
    }

    /// A second sheet of the same rows, whose reports have the rest in common with those of this one.
    pub fn beside(&self, layout: &'static Layout, names: Vec<String>, reading: &mut Reading<'_>) -> Sheet {
        Sheet::of(layout, names, Some(self.shared), reading)
    }

    fn of(
        layout: &'static Layout,
        names: Vec<String>,
        shared: Option<(Class, &'static str)>,
        reading: &mut Reading<'_>,
    ) -> Sheet {
        let hint = &reading.hint;
        let is_fresh = !hint.location.is_empty() || hint.format.is_some();
        let received = is_fresh.then_some(hint.received);
        let told = hint.kind;
        // What the operator says of a list counts where the list itself is of nothing in particular.
        let class = match told {
            Some(kind) if layout.class == rsit::OTHER => layout.class.as_kind(kind),
            _ => layout.class,
        };
        if shared.is_none() {
            share(reading.batch(), layout, class);
        }
        let batch = reading.batch();
        let mut sheet = Sheet {
            layout,
            columns: Vec::new(),
            known: HashMap::new(),
            order: Vec::new(),
            class,
            shared: shared.unwrap_or((class, layout.identifier)),
            of_list: None,
            received,
            clock: Clock::default(),
            application: batch.word(values::APPLICATION, Place::Property),
            longer: (0, 0),
            undated: 0,
        };
        for name in names.into_iter().take(COLUMNS) {
            sheet.add(name, batch);
        }
        sheet.sort();
        if shared.is_none() && !sheet.columns.is_empty() {
            sheet.tell(reading);
        }
        sheet
    }

    /// Tells the columns that were met, and of reports so far that have no time.
    pub fn tell(&self, reading: &mut Reading<'_>) {
        let names: Vec<&str> = self.columns.iter().take(COLUMNS).map(|column| column.name.as_str()).collect();
        reading.shape(self.layout.feed, &names);
        if let Some(note) = self.without_time() {
            reading.note("", note);
        }
    }

    /// The column of a name, for rows that name their values.
    pub fn column(&mut self, name: &str, batch: &mut Batch) -> usize {
        let end = (0..=NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        let name = name.get(..end).unwrap_or_default();
        if let Some(at) = self.known.get(name) {
            return *at;
        }
        let at = self.columns.len();
        if at >= NAMES {
            return at.saturating_sub(1);
        }
        self.add(name.to_owned(), batch);
        // What is not of the layout comes last, so the order need not be worked out anew.
        match self.layout.columns.iter().any(|(known, _)| *known == name) {
            true => self.sort(),
            false => self.order.push(at),
        }
        at
    }

    fn add(&mut self, name: String, batch: &mut Batch) {
        let means = self.layout.columns.iter().find(|(known, _)| *known == name).map_or(Means::Keep, |(_, means)| *means);
        let own = batch.word(if name.is_empty() { "column" } else { &name }, Place::Extra);
        let word = match means {
            Means::Text(property) | Means::Number(property) => batch.word(property, Place::Property),
            Means::DestinationDomain => batch.word("destination_domain", Place::Property),
            _ => own,
        };
        self.known.entry(name.clone()).or_insert(self.columns.len());
        self.columns.push(Column { name, means, own, word });
    }

    fn sort(&mut self) {
        let rank = |at: &usize| {
            let name = self.columns.get(*at).map_or("", |column| column.name.as_str());
            self.layout.columns.iter().position(|(known, _)| *known == name).unwrap_or(usize::MAX)
        };
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_key(|at| (rank(at), *at));
        self.order = order;
    }

    /// How many reports a row makes; at least one, and no more than a hundred.
    pub fn reports_of(&self, cells: &dyn Cells) -> usize {
        self.layout.repeat.map_or(1, |count| count(cells).clamp(1, REPORTS))
    }

    /// Reads a row, or the `nth` report of it, into the open report of the batch.
    ///
    /// # Errors
    /// Why the row is no report.
    pub fn row<C: Cells>(&mut self, cells: &C, nth: usize, reading: &mut Reading<'_>, ordinal: u32) -> Result<Core, String> {
        let batch = reading.batch();
        if cells.len() > COLUMNS.max(self.columns.len()) {
            return Err(format!("the row has {} fields; more than {COLUMNS} are not read", cells.len()));
        }
        let Sheet { layout, columns, class, shared, clock, .. } = self;
        let mut row = Row {
            core: Core::new(class.kind, ordinal),
            nth,
            class: *class,
            identifier: layout.identifier,
            time: None,
            first_seen: None,
            last_seen: None,
            network: Cow::Borrowed(b""),
            url: Cow::Borrowed(b""),
            domain: Cow::Borrowed(b""),
            handle: Cow::Borrowed(b""),
            transport: Cow::Borrowed(b""),
            application: Cow::Borrowed(b""),
            timeless: None,
            fault: None,
            columns,
            cells,
            batch,
        };
        for &at in &self.order {
            let Some(column) = columns.get(at) else { continue };
            let value = cells.get(at).trim_ascii();
            if value.is_empty() || layout.nothing.iter().any(|nothing| nothing.as_bytes() == value) {
                continue;
            }
            if !row.take(at, column, value, clock)? {
                row.batch.text(column.own, value);
            }
        }
        if cells.len() > columns.len() {
            self.longer.0 += 1;
            for at in columns.len()..cells.len() {
                let value = cells.get(at).trim_ascii();
                if !value.is_empty() {
                    let word = row.batch.word(&format!("column_{}", at + 1), Place::Extra);
                    row.batch.text(word, value);
                }
            }
        }
        if let Some(each) = layout.each {
            each(&mut row)?;
        }
        row.settle(layout, self.of_list.or(self.received))?;
        self.undated += u64::from(row.core.observed().is_none());
        row.write(layout, *shared, self.application);
        Ok(row.core)
    }

    /// What is worth knowing of the file after its rows.
    pub fn afterwards(&self) -> Vec<String> {
        let (count, columns) = (self.longer.0, self.columns.len());
        let longer = format!("rows with more than the {columns} columns that are known, kept by their number: {count}");
        (count > 0).then_some(longer).into_iter().chain(self.without_time()).collect()
    }

    fn without_time(&self) -> Option<String> {
        (self.undated > 0).then(|| {
            format!(
                "reports without a time: {}. The list tells of its own moment, and nobody said when that was: have it downloaded by a \
                 feed, or name its format if it is fresh",
                self.undated
            )
        })
    }
}

/// Puts what all rows of a list have in common into the batch.
fn share(batch: &mut Batch, layout: &Layout, class: Class) {
    let sender = layout.sender;
    for (word, value) in [
        (Word::REPORTER_ORG, sender.org),
        (Word::REPORTER_CONTACT, sender.contact),
        (Word::REPORTER_DOMAIN, sender.domain),
        (Word::SENDER_ORG, sender.org),
        (Word::SENDER_CONTACT, sender.contact),
        (Word::SENDER_DOMAIN, sender.domain),
        (Word::FEED, layout.feed),
        (Word::RSIT, class.rsit),
        (Word::RSIT_IDENTIFIER, layout.identifier),
    ] {
        if !value.is_empty() {
            batch.share(word, value);
        }
    }
    for (name, value) in layout.always {
        let word = batch.word(name, Place::Property);
        batch.share(word, value);
    }
    for (name, value) in rsit::asked(class.kind).iter().filter(|(name, _)| layout.always.iter().all(|(said, _)| said != name)) {
        let word = batch.word(name, Place::Property);
        batch.share(word, value);
    }
}

/// The time in a text.
pub(super) fn time(written: Written, text: &[u8]) -> Option<Time> {
    match written {
        Written::Iso => Time::parse(text),
        Written::Unix => times::unix(text),
        Written::Like(read) => read(text),
    }
}
