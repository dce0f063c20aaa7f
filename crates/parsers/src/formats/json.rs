//! Any other JSON that the user describes: objects one a line, in a list, or in a list somewhere in a document.
//!
//! The description is that of [`super::csv`], with members for columns. A member inside a member is named with a dot
//! (`source.ip`), an item of a list by its number from 0 (`address.0.ip`), and `rows` says where in a document the list is:
//!
//! ```toml
//! rows = "data.hosts"              # left out when the objects stand by themselves
//! kind = "connection/infected_host"
//!
//! [columns]
//! ip = "source.ip"
//! time = "last.seen"
//!
//! [time]
//! format = "unix"
//! ```

use super::csv::declared::Declared;
use super::csv::plan::{Plan, Row};
use super::{Fit, Format, Proven};
use crate::kinds::csv::COLUMNS;
use crate::kinds::document::Json;
use crate::kinds::members::{self, Flat, LONGEST_NAME};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// JSON with a declaration.
pub const FORMAT: Format = Format {
    name: "json",
    title: "JSON, declared",
    senders: &[],
    fields: &[("as declared", "any word of XARF")],
    proven: Proven::After("our own documentation"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(declared) = prefix.declared.filter(|declared| declared.header) else { return Fit::No };
    let members = prefix.members();
    let first_of_rows = declared.rows.split('.').next().unwrap_or_default();
    let fits = match first_of_rows {
        "" => declared.fits_members(members),
        name => members.contains(&name),
    };
    if fits { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(declared) = reading.hint.declared.filter(|declared| declared.header) else {
        reading.unreadable("JSON of your own is read with a description of it: --map FILE");
        return Ok(());
    };
    declared.tell_reporter(reading.batch());
    let kind = reading.hint.kind;
    let mut plan = Plan::new(Vec::new(), Some(declared), kind, reading.batch());
    let mut flat = Flat::default();
    members::each(reading, source, &declared.rows, &mut |reading, object, place| {
        let ordinal = reading.ordinal();
        let read = match fill(&mut flat, object, declared, &mut plan, reading) {
            true => plan.row(&flat, reading.batch(), ordinal),
            false => Err(members::too_many_names()),
        };
        members::end(reading, ordinal, object, place, read)
    })?;
    if let Some(note) = plan.note() {
        reading.note("", note);
    }
    let names: Vec<&str> = plan.header().iter().map(String::as_str).collect();
    reading.shape("", &names);
    Ok(())
}

impl Row for Flat {
    fn len(&self) -> usize {
        self.columns()
    }

    fn get(&self, at: usize) -> &[u8] {
        self.value(at)
    }
}

/// Takes the values of an object; false when there are more names than columns may be.
fn fill(flat: &mut Flat, object: Json<'_>, declared: &Declared, plan: &mut Plan<'_>, reading: &mut Reading<'_>) -> bool {
    flat.clear();
    let mut fits = true;
    members::leaves(object, &|path| declared.reaches_into(path), &mut |path, text| {
        let known = plan.header().iter().position(|name| name == path);
        let at = known.unwrap_or(plan.columns());
        if at >= COLUMNS || path.len() > LONGEST_NAME {
            fits = false;
            return;
        }
        if known.is_none() {
            plan.column(at, path.to_owned(), reading.batch());
        }
        flat.set(at, text);
    });
    fits
}
