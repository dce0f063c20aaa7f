//! Reading address administrations from files, for `trace --assignments` and `import`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use model::address::Range;
use parsers::administration::lines::Unpacked;
use parsers::administration::map::Mapping;
use parsers::administration::{Finding, Limits, Snapshot, csv, map, rpsl};

/// How administrations are read.
#[derive(clap::Args)]
pub(super) struct Options {
    /// How the files are written; default is what they look like
    #[arg(long = "as", value_name = "FORMAT", value_enum, conflicts_with = "map")]
    form: Option<Form>,
    /// A description of a CSV or JSON of your own
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

/// What files say.
pub(super) struct Administration {
    pub(super) snapshot: Snapshot,
    /// What was not taken as it stood, with its file.
    pub(super) findings: Vec<Finding>,
    /// `csv`, `rpsl` or `map`.
    pub(super) kind: &'static str,
}

/// Bytes of a file by which its form is seen.
const LOOK: u64 = 64 << 10;

fn range(text: &str) -> Result<Range, String> {
    Range::parse(text).map_err(|error| error.to_string())
}

/// Reads files as one administration.
pub(super) fn read(paths: &[PathBuf], options: &Options) -> Result<Administration> {
    let mapping = match &options.map {
        Some(path) => Some(super::reading::parsed(path, |text| Mapping::parse(text).map_err(|error| error.to_string()))?),
        None => None,
    };
    let limits = Limits::default();
    let mut whole = Snapshot { complete: true, ..Snapshot::default() };
    let mut findings = Vec::new();
    let mut known = HashSet::new();
    let mut add = |(snapshot, found): (Snapshot, Vec<Finding>), name: &str| {
        whole.complete &= snapshot.complete;
        // A party that several files tell of is told of by the first.
        whole.parties.extend(snapshot.parties.into_iter().filter(|party| known.insert(party.reference.clone())));
        whole.assignments.extend(snapshot.assignments);
        findings.extend(found.into_iter().map(|finding| match name {
            "" => finding,
            name => Finding { place: format!("{name}, {}", finding.place), ..finding },
        }));
    };
    let mut database = None;
    let mut kind = "csv";
    for path in paths {
        let name = path.display().to_string();
        let shown = if paths.len() > 1 { name.as_str() } else { "" };
        let mut reader = open(path).with_context(|| name.clone())?;
        if let Some(mapping) = &mapping {
            kind = "map";
            add(map::read(&mut reader, mapping, &limits), shown);
            continue;
        }
        let mut start = Vec::new();
        reader.by_ref().take(LOOK).read_to_end(&mut start).with_context(|| name.clone())?;
        let form = options.form.unwrap_or(if looks_like_rpsl(&start) { Form::Rpsl } else { Form::Csv });
        let mut reader = Cursor::new(start).chain(reader);
        match form {
            Form::Csv => add(csv::read(&mut reader, None, &limits), shown),
            Form::Rpsl => {
                kind = "rpsl";
                // Classes of one database refer to each other, so all its files are read before anything is said.
                let new = || rpsl::Database::new(rpsl::Options { within: options.within.clone(), limits });
                database.get_or_insert_with(new).add(shown, &mut reader);
            }
        }
    }
    if let Some(database) = database {
        add(database.finish(), "");
    }
    Ok(Administration { snapshot: whole, findings, kind })
}

fn open(path: &Path) -> Result<Box<dyn Read>> {
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
