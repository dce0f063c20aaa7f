//! (being written)
use super::{Fit, Format};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// (being written)
pub const FORMAT: Format = Format { name: "csv", title: "", detect, parse };

fn detect(_: &Prefix<'_>) -> Fit {
    Fit::No
}

fn parse(_: &mut Reading<'_>, _: &mut Source<'_>) -> Result<(), Stop> {
    Ok(())
}

/// The user's description of a CSV of their own.
#[derive(Debug, Default)]
pub struct Declared {}

impl Declared {
    /// (being written)
    pub fn fits(&self, _: &[String]) -> bool {
        false
    }

    /// (being written)
    ///
    /// # Errors
    /// (being written)
    pub fn parse(_: &str) -> Result<Declared, String> {
        Ok(Declared {})
    }
}
