//! Reading address administrations from files, for `trace --assignments`, `import` and the folders of `serve`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use model::address::Range;
use parsers::administration::lines::Unpacked;
use parsers::administration::map::{FileName, Mapping, Rows};
use parsers::administration::systems::{self, System, Takes};
use parsers::administration::{Finding, Limits, Snapshot, rpsl};

/// How administrations are read.
#[derive(clap::Args)]
pub(super) struct Options {
    /// How the files are written; default is what they look like
    #[arg(long = "as", value_name = "FORMAT", value_enum, conflicts_with_all = ["map", "system"])]
    form: Option<Form>,
    /// The system that wrote the files, as 'sluis formats' lists them; default is what they say of themselves
    #[arg(long, value_name = "NAME", conflicts_with = "map")]
    system: Option<String>,
    /// A description of a CSV, JSON or XML of your own
    #[arg(long, value_name = "TOML")]
    map: Option<PathBuf>,
    /// Of a registry's database, only what overlaps this address or prefix. May be given again
    #[arg(long, value_name = "RANGE", value_parser = range)]
    within: Vec<Range>,
}

/// A way in which administrations are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// The columns that Sluis documents
    Csv,
    /// The objects of an Internet registry's database
    Rpsl,
}

/// How files of a source are read, once it is known what can be known before they are opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    form: Option<Form>,
    mapping: Option<Mapping>,
    system: Option<&'static System>,
    within: Vec<Range>,
}

impl Way {
    /// By the name of a system, or by a description.
    ///
    /// # Errors
    /// When there is no such system, or the description cannot be read.
    pub(crate) fn new(system: Option<&str>, map: Option<&Path>) -> Result<Way> {
        let parse = |path: &Path| super::reading::parsed(path, |text| Mapping::parse(text).map_err(|error| error.to_string()));
        let system = match system.map(|name| (name, systems::by_name(name))) {
            None => None,
            Some((_, Some(system))) => Some(system),
            Some((name, None)) => {
                let known: Vec<&str> = systems::all().iter().map(|system| system.name.as_str()).collect();
                bail!("'{}' is no system that this version knows; there are {}", crate::output::clean(name), known.join(", "))
            }
        };
        Ok(Way { form: None, mapping: map.map(parse).transpose()?, system, within: Vec::new() })
    }
}

/// What files say.
pub(crate) struct Administration {
    pub(crate) snapshot: Snapshot,
    /// What was not taken as it stood, with its file.
    pub(crate) findings: Vec<Finding>,
    /// `csv`, `rpsl`, `map` or the name of a system.
    pub(crate) kind: &'static str,
}

impl Administration {
    /// Why nothing of it could be read; `None` when it says something. What says nothing must not make its source look fresh.
    pub(crate) fn unread(&self) -> Option<String> {
        if !self.snapshot.parties.is_empty() || !self.snapshot.assignments.is_empty() {
            return None;
        }
        let why = self.findings.first();
        let why = why.map_or_else(|| "it is empty".to_owned(), |first| format!("{}: {}", first.place, first.reason));
        Some(format!("nothing of it could be read: {why}"))
    }
}

/// Bytes of a file by which its form is seen.
const LOOK: u64 = 64 << 10;

fn range(text: &str) -> Result<Range, String> {
    Range::parse(text).map_err(|error| error.to_string())
}

/// Reads files as one administration.
pub(super) fn read(paths: &[PathBuf], options: &Options) -> Result<Administration> {
    let way = Way::new(options.system.as_deref(), options.map.as_deref())?;
    read_as(paths, &Way { form: options.form, within: options.within.clone(), ..way })
}

/// Reads files as one administration. Parties of several files are one when they have the same identifier.
///
/// # Errors
/// When a file cannot be opened. What it says is no error.
pub(crate) fn read_as(paths: &[PathBuf], way: &Way) -> Result<Administration> {
    let limits = Limits::default();
    let mut rows = Rows::default();
    let mut database = None;
    let mut kind = "csv";
    for path in paths {
        let name = path.display().to_string();
        let file = FileName::of(&name, paths.len() > 1);
        let mut reader = open(path).with_context(|| name.clone())?;
        if let Some(mapping) = &way.mapping {
            kind = "map";
            rows.add(&mut reader, &file, mapping, &limits);
            continue;
        }
        let mut start = Vec::new();
        reader.by_ref().take(LOOK).read_to_end(&mut start).with_context(|| name.clone())?;
        let found = match way.system {
            Some(system) => Some((system, system.export(&name, &start))),
            None if way.form.is_none() => systems::recognise(&name, &start).map(|(system, export)| (system, Some(export))),
            None => None,
        };
        let is_rpsl = way.form.map_or_else(|| looks_like_rpsl(&start), |form| form == Form::Rpsl);
        let mut reader = Cursor::new(start).chain(reader);
        let place = if file.shown.is_empty() { "the file" } else { &file.shown };
        match found {
            Some((system, export)) => {
                kind = &system.name;
                match export.map(|export| &export.takes) {
                    Some(Takes::Rows(mapping)) => rows.add(&mut reader, &file, mapping, &limits),
                    Some(Takes::Nothing(why)) => rows.note(place, why),
                    None => rows.lose(place, unknown(system)),
                }
            }
            None if is_rpsl => {
                kind = "rpsl";
                // Classes of one database refer to each other, so all its files are read before anything is said.
                let new = || rpsl::Database::new(rpsl::Options { within: way.within.clone(), limits });
                let shown = if paths.len() > 1 { name.as_str() } else { "" };
                database.get_or_insert_with(new).add(shown, &mut reader);
            }
            None => rows.add_csv(&mut reader, &file, None, &limits),
        }
    }
    let (mut snapshot, mut findings) = rows.finish();
    if let Some(database) = database {
        let (said, found) = database.finish();
        let known: HashSet<String> = snapshot.parties.iter().map(|party| party.reference.clone()).collect();
        snapshot.complete &= said.complete;
        snapshot.parties.extend(said.parties.into_iter().filter(|party| !known.contains(&party.reference)));
        snapshot.assignments.extend(said.assignments);
        findings.extend(found);
    }
    Ok(Administration { snapshot, findings, kind })
}

/// What a file is not, and could be.
fn unknown(system: &System) -> String {
    let known: Vec<&str> = system.exports.iter().map(|export| export.what.as_str()).collect();
    format!("not an export of {} that this version knows, which are: {}", system.name, known.join("; "))
}

/// Opens a file, packed or not; `-` is standard input.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>> {
    let reader: Box<dyn Read> = if path.as_os_str() == "-" { Box::new(std::io::stdin()) } else { Box::new(File::open(path)?) };
    Ok(Box::new(Unpacked::open(reader, Limits::default())?))
}

/// Whether the first line that is no remark is an attribute of RPSL: `inetnum: …` (RFC 2622 section 2).
fn looks_like_rpsl(start: &[u8]) -> bool {
    let lines = start.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let first = lines.into_iter().find(|line| !line.is_empty() && !matches!(line.first(), Some(b'%' | b'#')));
    let name = first.and_then(|line| line.split(|byte| *byte == b':').next().filter(|name| name.len() < line.len()));
    name.is_some_and(|name| {
        name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_seen_from_the_first_line() {
        for (start, expected) in [
            ("resource,party\n192.0.2.0/24,c1", false),
            ("inetnum:        192.0.2.0 - 192.0.2.255\n", true),
            ("% This is the database\n#\n\nroute6: 2001:db8::/32", true),
            ("account:da01/c1,c1", true),
            ("resource;party\naccount:da01/c1;c1", false),
            ("\"inetnum: x\"", false),
            ("", false),
        ] {
            assert_eq!(looks_like_rpsl(start.as_bytes()), expected, "{start}");
        }
    }
}
