//! (being written)
use super::{Fit, Format};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// (being written)
pub const FORMAT: Format = Format { name: "shadowserver", title: "", detect, parse };

fn detect(_: &Prefix<'_>) -> Fit {
    Fit::No
}

fn parse(_: &mut Reading<'_>, _: &mut Source<'_>) -> Result<(), Stop> {
    Ok(())
}

/// Column maps of Shadowserver's report types.
#[derive(Debug, Default)]
pub struct Maps {}

impl Maps {
    /// The maps that come with this version.
    pub fn builtin() -> &'static Maps {
        static BUILTIN: Maps = Maps {};
        &BUILTIN
    }
}
