//! The options that say how reports are read, for every command that reads them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use desk::Reading;
use parsers::formats::csv::Declared;
use parsers::formats::shadowserver::Maps;

/// How reports are read.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Read as this format, whatever the bytes look like ('sluis formats' lists them)
    #[arg(long, value_name = "NAME", value_parser = format)]
    format: Option<String>,
    /// A description of a CSV, JSON or web page of your own
    #[arg(long, value_name = "TOML")]
    map: Option<PathBuf>,
    /// Column maps of Shadowserver's report types, instead of those of this version
    #[arg(long, value_name = "FILE")]
    maps: Option<PathBuf>,
}

impl Options {
    /// Whether anything was said about how to read.
    pub(super) fn is_told(&self) -> bool {
        self.format.is_some() || self.map.is_some() || self.maps.is_some()
    }

    /// What the readers are told.
    pub(super) fn reading(&self) -> Result<Reading> {
        let declared = match &self.map {
            Some(path) => Some(parsed(path, Declared::parse)?),
            None => None,
        };
        let maps = match &self.maps {
            Some(path) => Some(parsed(path, Maps::parse)?),
            None => None,
        };
        Ok(Reading { maps, declared, format: self.format.clone(), ..Reading::default() })
    }
}

fn format(name: &str) -> Result<String, String> {
    match parsers::formats::by_name(name) {
        Some(format) => Ok(format.name.to_owned()),
        None => {
            let names: Vec<&str> = parsers::formats::all().map(|format| format.name).collect();
            Err(format!("there is no such format; there are {}", names.join(", ")))
        }
    }
}

/// A file of settings, parsed.
pub(super) fn parsed<T>(path: &Path, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| name.to_string())?;
    parse(&text).map_err(|error| anyhow!("{name}: {error}"))
}
