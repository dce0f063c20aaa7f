//! XARF version 4, and version 3 converted to its words: JSON documents, arrays of them, or one a line.

use super::{Fit, Format};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

pub mod check;
mod json;
mod rules;
mod rules_content;
mod rules_copyright;
mod shape;
pub(crate) mod text;

/// XARF.
pub const FORMAT: Format = Format { name: "xarf", title: "", detect, parse };

fn detect(_: &Prefix<'_>) -> Fit {
    Fit::No
}

fn parse(_: &mut Reading<'_>, _: &mut Source<'_>) -> Result<(), Stop> {
    Ok(())
}
