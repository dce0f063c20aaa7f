//! `sluis trace`: who held a resource at a moment, from a node's data or from a file.

use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use model::administration::{Known, compare};
use model::assignment::{Assignment, Period};
use model::chain::{Builder, Held, Index, Link, PartyId, Source};
use model::resource::Resource;
use model::time::Time;
use serde::Serialize;

use super::{Globals, administration};
use crate::output::chain::{self, Kept, LinkView, Names};
use crate::output::{Screen, Style, clean, json, warn};

/// Show who held an address, domain name or other resource at a moment
///
/// The chain goes from the provider through every reseller to the holder. A domain name that is assigned to nobody is not
/// looked up on the network: trace its address.
#[derive(clap::Args)]
#[command(after_help = "Without RESOURCE, reads lines of 'RESOURCE' or 'RESOURCE TIME' from standard input.

Exit code: 0 all were answered (also with 'nobody known'), 1 something was not understood.

Examples:
  sluis trace 192.0.2.7
  sluis trace --at 2026-03-01T14:00:00Z 192.0.2.7 https://shop.example/login
  sluis trace --assignments customers.csv 192.0.2.0/24
  zcat access.log.gz | awk '{print $1}' | sluis trace --json --at 2026-03-01")]
pub(crate) struct Args {
    /// Addresses, prefixes, AS numbers, domain names, URLs, account:PANEL/NAME or 'mail:HEADER: value'
    #[arg(value_name = "RESOURCE")]
    resources: Vec<String>,
    /// An address administration in a file, instead of the node's data
    #[arg(long, value_name = "FILE")]
    assignments: Option<PathBuf>,
    #[command(flatten)]
    reading: administration::Options,
    /// The moment; default is now
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    at: Option<Time>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// The longest line of standard input that is looked at.
const LONGEST: u64 = 16 << 10;

#[derive(Serialize)]
struct View<'a> {
    resource: String,
    at: String,
    holder: Option<&'a str>,
    chain: &'a [LinkView],
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now();
    match &args.assignments {
        Some(path) => {
            let mut file = FromFile::read(path, &args.reading, now)?;
            let index = std::mem::take(&mut file.index);
            answer(args, &index, &mut file, now)
        }
        None => globals.reader()?.read(|transaction| {
            let (index, _) = transaction.index()?;
            answer(args, &index, &mut Kept::new(transaction)?, now)
        }),
    }
}

fn answer(args: &Args, index: &Index, names: &mut dyn Names, now: Time) -> Result<u8> {
    let mut screen = Screen::new();
    let at = args.at.unwrap_or(now);
    let mut bad = false;
    let mut show = |screen: &mut Screen, resource: &Resource, at: Time, batch: bool| -> Result<()> {
        let links = chain::view(&index.trace(resource, at), names)?;
        if args.json {
            let holder = links.last().map(|link| link.party.as_str());
            let view = View { resource: resource.to_string(), at: at.to_string(), holder, chain: &links };
            return Ok(json::line(screen, &view)?);
        }
        let resource = resource.to_string();
        if batch {
            let chain = chain::one_line(&links);
            return Ok(screen.line(format_args!("{}\t{at}\t{}", clean(&resource), clean(&chain)))?);
        }
        let title = screen.paint(Style::Strong, &resource);
        screen.line(format_args!("{title} at {at}"))?;
        chain::draw(screen, &links, now)?;
        Ok(())
    };
    for (number, text) in args.resources.iter().enumerate() {
        match Resource::parse(text) {
            Ok(resource) => {
                if number > 0 && !args.json {
                    screen.line("")?;
                }
                show(&mut screen, &resource, at, false)?;
            }
            Err(error) => {
                bad = true;
                warn(&format!("{text}: {error}"));
            }
        }
    }
    if args.resources.is_empty() {
        if io::stdin().is_terminal() {
            warn("reading lines of 'RESOURCE' or 'RESOURCE TIME' from standard input; end with Ctrl-D");
        }
        let mut lines = BufReader::new(io::stdin().lock());
        let mut line = Vec::new();
        let mut number = 0u64;
        while next_line(&mut lines, &mut line)? {
            number += 1;
            let text = String::from_utf8_lossy(&line);
            match parse_line(text.trim()) {
                None => {}
                Some(Ok((resource, stated))) => show(&mut screen, &resource, stated.unwrap_or(at), true)?,
                Some(Err(reason)) => {
                    bad = true;
                    warn(&format!("line {number}: {reason}"));
                }
            }
        }
    }
    super::done(screen, u8::from(bad))
}

/// Reads a line of at most [`LONGEST`] bytes; what is longer is cut, and so not understood.
fn next_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    lines.take(LONGEST).read_until(b'\n', line)?;
    if line.len() as u64 == LONGEST && line.last() != Some(&b'\n') {
        lines.skip_until(b'\n')?;
    }
    Ok(!line.is_empty())
}

/// `RESOURCE` or `RESOURCE TIME`, both of which may have blanks inside. `None` for an empty line or a comment.
fn parse_line(line: &str) -> Option<Result<(Resource, Option<Time>), String>> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let whole = Resource::parse(line);
    if let Ok(resource @ (Resource::Addresses(_) | Resource::AsNumber(_) | Resource::Domain(_))) = whole {
        return Some(Ok((resource, None)));
    }
    for (at, _) in line.match_indices([' ', '\t', ',', ';']) {
        let (resource, time) = line.split_at(at);
        let time = time.trim_start_matches([' ', '\t', ',', ';']);
        if let (Ok(resource), Some(time)) = (Resource::parse(resource.trim()), Time::parse(time.as_bytes())) {
            return Some(Ok((resource, Some(time))));
        }
    }
    Some(whole.map(|resource| (resource, None)).map_err(|error| format!("{}: {error}", crate::output::safe::short(line, 80))))
}

/// An administration from a file, numbered for an index.
struct FromFile {
    index: Index,
    parties: Vec<(String, String)>,
    assignments: Vec<Assignment>,
    source: (String, Time),
}

impl FromFile {
    fn read(path: &Path, reading: &administration::Options, now: Time) -> Result<FromFile> {
        let administration::Administration { snapshot, findings, .. } = administration::read(&[path.to_owned()], reading)?;
        // The same treatment as an import: crossing ranges are cut, of two holders one is believed.
        let changes = compare(&Known::default(), &snapshot, now);
        let remarks = findings.len()
            + [&changes.overlaps, &changes.cuts, &changes.problems].iter().map(|remarks| remarks.count).sum::<usize>();
        if remarks > 0 {
            let name = path.display();
            warn(&format!("{name}: {remarks} remarks; 'sluis import --dry-run {name}' lists them"));
        }
        let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let since = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let checked = since.and_then(|since| Time::from_unix_seconds(i64::try_from(since.as_secs()).ok()?)).unwrap_or(now);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut builder = Builder::new();
        builder.source(Source { name: name.clone(), checked });
        let mut numbers = std::collections::HashMap::new();
        let mut parties = Vec::with_capacity(changes.parties_new.len());
        for party in &changes.parties_new {
            parties.push((party.reference.clone(), party.name.clone()));
            numbers.insert(party.reference.as_str(), parties.len() as PartyId);
        }
        for party in &changes.parties_new {
            if let (Some(number), Some(parent)) =
                (numbers.get(party.reference.as_str()), party.parent.as_ref().and_then(|parent| numbers.get(parent.as_str())))
            {
                builder.membership(*number, *parent, Period::ALWAYS)?;
            }
        }
        builder.reserve(changes.begun.len());
        for (at, assignment) in changes.begun.iter().enumerate() {
            let Some(party) = numbers.get(assignment.party.as_str()) else { continue };
            let held = Held {
                assignment: at as i64 + 1,
                party: *party,
                period: assignment.period,
                level: assignment.level,
                source: 0,
                recorded: checked,
            };
            builder.assignment(&assignment.resource, held)?;
        }
        let index = builder.build().with_context(|| path.display().to_string())?;
        Ok(FromFile { index, parties, assignments: changes.begun, source: (name, checked) })
    }
}

impl Names for FromFile {
    fn party(&mut self, id: PartyId) -> Result<(Option<String>, String, String)> {
        let known = usize::try_from(id - 1).ok().and_then(|at| self.parties.get(at)).cloned().unwrap_or_default();
        Ok((None, known.0, known.1))
    }

    fn assignment(&mut self, id: i64) -> Result<Option<Assignment>> {
        Ok(usize::try_from(id - 1).ok().and_then(|at| self.assignments.get(at)).cloned())
    }

    fn source(&mut self, _: &Link) -> (String, Time) {
        self.source.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_people_and_programs_write_them() {
        for (line, expected) in [
            ("192.0.2.7", Some("192.0.2.7 now")),
            ("192.0.2.7 2026-11-21T23:47:54Z", Some("192.0.2.7 2026-11-21T23:47:54Z")),
            ("192.0.2.7\t2026-11-21 23:47:54", Some("192.0.2.7 2026-11-21T23:47:54Z")),
            ("192.0.2.7,2026-11-21", Some("192.0.2.7 2026-11-21T00:00:00Z")),
            ("192.0.2.5 - 192.0.2.9", Some("192.0.2.5 - 192.0.2.9 now")),
            ("192.0.2.5 - 192.0.2.9 2026-11-21", Some("192.0.2.5 - 192.0.2.9 2026-11-21T00:00:00Z")),
            ("https://shop.example/a 2026-11-21", Some("https://shop.example/a 2026-11-21T00:00:00Z")),
            ("mail:X-Account: c1042", Some("mail:X-Account: c1042 now")),
            ("AS64496", Some("AS64496 now")),
            ("", None),
            ("# comment", None),
        ] {
            let read = parse_line(line).map(|read| {
                let (resource, time) = read.expect(line);
                format!("{resource} {}", time.map_or("now".to_owned(), |time| time.to_string()))
            });
            assert_eq!(read.as_deref(), expected, "{line}");
        }
        for line in ["192.0.2.300", "192.0.2.7 yesterday", "x y z", "\u{1b}[2J"] {
            assert!(parse_line(line).expect("a line").is_err(), "{line}");
        }
    }
}
