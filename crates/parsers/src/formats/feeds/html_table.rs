//! A table on a web page that the user describes, as sites that have no feed publish their lists.
//!
//! The description is that of [`crate::formats::csv`]: with a header, each table is read whose first rows name all columns that
//! are described; without one, columns have numbers and every row of every table is one. What stands around tables is not
//! looked at.

use crate::formats::csv::plan::{Plan, Row};
use crate::formats::{Fit, Format, Proven};
use crate::kinds::html::{self, TableRow};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// A described table of HTML.
pub const FORMAT: Format = Format {
    name: "html_table",
    title: "A table on a web page, declared",
    senders: &[],
    fields: &[("as declared", "any word of XARF")],
    proven: Proven::By("IntelMQ's test samples"),
    detect,
    parse,
};

/// Bytes of a page that are read.
pub(super) const PAGE: usize = 8 << 20;

fn detect(prefix: &Prefix<'_>) -> Fit {
    if prefix.declared.is_some() && html::begins(prefix.bytes) { Fit::Likely } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(declared) = reading.hint.declared else {
        reading.unreadable("a table on a web page is read with a description of it: --map FILE");
        return Ok(());
    };
    let Some(whole) = page(reading, source)? else { return Ok(()) };
    declared.tell_reporter(reading.batch());
    let kind = reading.hint.kind;
    // The table that is being read, and how.
    let mut plan: Option<(usize, Plan<'_>)> = None;
    let mut any = false;
    html::rows(&whole, |row| -> Result<(), Stop> {
        if !declared.header && plan.is_none() {
            plan = Some((row.table, Plan::new(Vec::new(), Some(declared), kind, reading.batch())));
        }
        let names = || row.cells.iter().map(|cell| cell.text.clone()).collect::<Vec<String>>();
        if declared.header && declared.fits(&names()) {
            let new = Plan::new(names(), Some(declared), kind, reading.batch());
            if !any {
                let names: Vec<&str> = new.header().iter().map(String::as_str).collect();
                reading.shape("", &names);
                if let Some(note) = new.note() {
                    reading.note(&format!("line {}", row.line), note);
                }
            }
            any = true;
            plan = Some((row.table, new));
            return Ok(());
        }
        let Some((table, plan)) = &mut plan else { return Ok(()) };
        if (declared.header && *table != row.table) || row.cells.iter().all(|cell| cell.text.is_empty()) {
            return Ok(());
        }
        if !declared.header && row.head {
            return Ok(());
        }
        let ordinal = reading.ordinal();
        match plan.row(&row, reading.batch(), ordinal) {
            Ok(core) => reading.report(core),
            Err(reason) => {
                reading.reject(ordinal, &format!("line {}", row.line), text(&row).as_bytes(), reason);
                Ok(())
            }
        }
    })?;
    if declared.header && !any {
        reading.unreadable("no table of the page has all the columns that are described");
    }
    Ok(())
}

impl Row for TableRow {
    fn len(&self) -> usize {
        self.cells.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        self.cells.get(at).map_or(b"", |cell| cell.text.as_bytes())
    }
}

/// The text of a page; nothing, with the reason said, when it is larger than it may be.
pub(super) fn page(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<Option<String>, Stop> {
    let limit = PAGE.min(reading.hint.limits.whole);
    let Some(bytes) = source.read_whole(limit)? else {
        reading.unreadable(format!("the page is larger than {limit} bytes"));
        return Ok(None);
    };
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Whether something begins as HTML does and says this in its first 64 KiB.
pub(super) fn says(prefix: &Prefix<'_>, words: &str) -> bool {
    html::begins(prefix.bytes) && memchr::memmem::find(prefix.bytes, words.as_bytes()).is_some()
}

/// A row as text, for people.
pub(super) fn text(row: &TableRow) -> String {
    row.cells.iter().map(|cell| &*cell.text).collect::<Vec<_>>().join(" | ")
}
