//! `sluis case export`: reports of cases in a format that others read, as far as their labels let them go.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use model::label::Audience;
use model::time::Time;
use parsers::write::{As, Ids, NoWord, Whole, Writer, leave};
use store::Reader;
use store::cases::Filed;
use store::listing::Listing;
use store::reports::report_id;

use super::{Globals, find, list};
use crate::cli::{Id, id};
use crate::output::words::{count, counted};
use crate::output::{clean, warn};

/// Cases that are listed at once.
const CASES: u32 = 500;
/// Reports that are loaded at once.
const REPORTS: usize = 2_000;
/// Bytes that are written at once.
const WRITE: usize = 256 << 10;

/// Write the reports of cases for others, in a format that they read, as far as TLP and PAP allow
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis case export 17 --as xarf --for party -o 17.jsonl       for the party that the case is about
  sluis case export --all --open --kind infrastructure/botnet --as misp --for community -o event.json
  sluis case export 17 18 --as stix --organisation 'Example Hosting' | jq -r '.objects[].type'
  sluis case export --all --address 192.0.2.7 --as csv

For whom: own (the default) is our own organisation and has everything; party is the client that the cases are about and is not
told who reported them; community and public get no evidence, nothing that people wrote and nobody who was hit. What says nothing
counts as TLP:AMBER. TLP:RED and child abuse material go into no file.

Exit codes: 0 all of it is written; 1 nothing is; 2 the command line was wrong; 3 some was held back or left out, as standard
error says.")]
pub(crate) struct Args {
    /// Cases: identifiers, or numbers in the list
    #[arg(value_name = "ID", value_parser = id, required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<Id>,
    /// All that 'sluis case list' shows with the same options
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: list::Which,
    /// The format: xarf, arf (mails in an mbox), intelmq, csv, misp or stix
    #[arg(long = "as", value_name = "FORMAT", value_parser = format)]
    format: As,
    /// For whom: own, party, community or public
    #[arg(long = "for", value_name = "AUDIENCE", value_parser = audience, default_value = "own")]
    audience: Audience,
    /// The file; it must not be there yet. Without it, standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The name of our organisation, where the format has a place for it
    #[arg(long, value_name = "NAME", default_value = "unknown")]
    organisation: String,
    /// Our mail address, for mails
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    contact: String,
    /// How many reports of each case, the newest
    #[arg(short = 'n', value_name = "N", default_value_t = 10_000)]
    most: usize,
}

fn format(text: &str) -> Result<As, String> {
    As::parse(text).ok_or_else(|| {
        let words: Vec<&str> = As::ALL.iter().map(|one| one.word()).collect();
        format!("not a format: there is {}", words.join(", "))
    })
}

fn audience(text: &str) -> Result<Audience, String> {
    Audience::parse(text).ok_or_else(|| {
        let words: Vec<&str> = Audience::ALL.iter().map(|one| one.word()).collect();
        format!("not an audience: there is {}", words.join(", "))
    })
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now();
    let mut reader = globals.reader()?;
    let selection = Selection::of(args, &mut reader, now)?;
    let mut export = Export::open(args, selection.whole(args, now))?;
    let written = selection.each(&mut reader, |reader, filed| export.case(reader, filed, args)).and_then(|()| export.end());
    if let (Err(_), Some(file)) = (&written, &args.output) {
        // Half a file is no file.
        let _ = std::fs::remove_file(file);
    }
    let told = written?;
    told.tell(args);
    Ok(if told.is_whole() { 0 } else { 3 })
}

/// The cases that are meant.
enum Selection {
    Cases(Vec<Filed>),
    All(Box<Listing>),
}

impl Selection {
    fn of(args: &Args, reader: &mut Reader, now: Time) -> Result<Selection> {
        let listing = reader.read(|transaction| args.which.listing(transaction, now))?;
        if args.all {
            // A file for a party holds nothing of another's.
            if args.audience == Audience::Party && listing.holder.is_none_or(|holder| holder == 0) {
                bail!("a file for a party holds the cases of that party alone: say which with --holder PARTY");
            }
            return Ok(Selection::All(Box::new(listing)));
        }
        if listing != Listing::default() {
            bail!("cases that are named are not narrowed: leave the other options out, or the names and say --all");
        }
        let mut cases: Vec<Filed> = Vec::new();
        for id in &args.ids {
            let filed = reader.read(|transaction| find(transaction, *id))?;
            if !cases.iter().any(|known| known.case.id == filed.case.id) {
                cases.push(filed);
            }
        }
        if args.audience == Audience::Party {
            let mut holders = cases.iter().map(|filed| filed.case.holder);
            let first = holders.next().flatten();
            if first.is_none() {
                bail!("nobody is known to hold what this case is about, so there is no party to hand it to");
            }
            if holders.any(|holder| holder != first) {
                bail!("these cases are of several parties: write a file for each");
            }
        }
        Ok(Selection::Cases(cases))
    }

    /// What is said of the whole. Identifiers follow from the selection, so that whoever imports it twice has it once.
    fn whole(&self, args: &Args, now: Time) -> Whole {
        let (title, identifier) = match self {
            Selection::Cases(cases) => {
                let ids: Vec<String> = cases.iter().map(|filed| filed.case.public.to_string()).collect();
                let title = match ids.as_slice() {
                    [one] => format!("Abuse reports of case {one}"),
                    all => format!("Abuse reports of {}", counted(all.len() as u64, "case")),
                };
                (title, ids.join(" "))
            }
            Selection::All(listing) => ("Abuse reports of cases".to_owned(), format!("{listing:?}")),
        };
        let identifier = format!("{} {} {identifier}", args.audience.word(), args.organisation);
        Whole { organisation: args.organisation.clone(), contact: args.contact.clone(), title, identifier, at: now }
    }

    fn each(&self, reader: &mut Reader, mut take: impl FnMut(&mut Reader, &Filed) -> Result<()>) -> Result<()> {
        let listing = match self {
            Selection::Cases(cases) => return cases.iter().try_for_each(|filed| take(reader, filed)),
            Selection::All(listing) => listing,
        };
        let mut next = Listing { before: None, ..(**listing).clone() };
        loop {
            let page = reader.read(|transaction| transaction.list_cases(&next, CASES))?;
            for (filed, _) in &page {
                take(reader, filed)?;
            }
            match page.last() {
                Some((last, _)) if page.len() == CASES as usize => next.before = Some(last.case.id),
                _ => return Ok(()),
            }
        }
    }
}

/// What came of it.
#[derive(Default)]
struct Told {
    cases: u64,
    reports: u64,
    held: BTreeMap<leave::Held, u64>,
    no_word: BTreeMap<&'static str, u64>,
    /// Cases of which only the newest reports were looked at.
    cut: u64,
}

impl Told {
    fn is_whole(&self) -> bool {
        self.held.is_empty() && self.no_word.is_empty() && self.cut == 0
    }

    fn tell(&self, args: &Args) {
        let mut lines = vec![format!("{} of {} written", counted(self.reports, "report"), counted(self.cases, "case"))];
        for (held, number) in &self.held {
            lines.push(format!("held back: {} {}", counted(*number, "report"), held.reason()));
        }
        for (what, number) in &self.no_word {
            lines.push(format!("left out: {}, as '{}' has no word for {what}", counted(*number, "report"), args.format.word()));
        }
        if self.cut > 0 {
            let (cases, most) = (counted(self.cut, "case"), count(args.most as u64));
            lines.push(format!("left out: all but the newest {most} reports of {cases}; -n takes more"));
        }
        if !self.is_whole() || args.output.is_some() {
            warn(&lines.join("\n"));
        }
    }
}

/// A file being written.
struct Export {
    out: Box<dyn Write>,
    writer: Option<Writer>,
    bytes: Vec<u8>,
    told: Told,
}

impl Export {
    fn open(args: &Args, whole: Whole) -> Result<Export> {
        let out: Box<dyn Write> = match &args.output {
            Some(file) => Box::new(BufWriter::new(new_file(file)?)),
            None => Box::new(io::stdout().lock()),
        };
        let mut bytes = Vec::with_capacity(WRITE + (64 << 10));
        let writer = Some(Writer::new(args.format, whole, &mut bytes));
        Ok(Export { out, writer, bytes, told: Told::default() })
    }

    fn case(&mut self, reader: &mut Reader, filed: &Filed, args: &Args) -> Result<()> {
        self.told.cases += 1;
        let asked = args.most.saturating_add(1);
        let mut numbers = reader.read(|transaction| transaction.numbers_with_merged(filed, asked))?;
        if numbers.len() > args.most {
            numbers.truncate(args.most);
            self.told.cut += 1;
        }
        for numbers in numbers.chunks(REPORTS) {
            let (batch, kept) = reader.read(|transaction| transaction.reports_by_id(numbers))?;
            if batch.len() != kept.len() {
                bail!("the reports of case {} do not fit their rows; run 'sluis db check'", filed.case.id);
            }
            for kept in &kept {
                let ids = Ids { fallback_report_id: report_id(kept.submission_public, kept.ordinal), received: kept.received };
                match leave::fit(&batch.report(kept.place), args.audience) {
                    Err(held) => *self.told.held.entry(held).or_default() += 1,
                    Ok(fit) => self.report(&fit, &ids)?,
                }
            }
        }
        Ok(())
    }

    fn report(&mut self, fit: &model::report::Batch, ids: &Ids) -> Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        for report in fit.reports() {
            match writer.report(&report, ids, &mut self.bytes) {
                Ok(()) => self.told.reports += 1,
                Err(NoWord(what)) => *self.told.no_word.entry(what).or_default() += 1,
            }
        }
        if self.bytes.len() >= WRITE {
            self.out.write_all(&self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }

    fn end(&mut self) -> Result<Told> {
        if let Some(writer) = self.writer.take() {
            writer.end(&mut self.bytes);
        }
        self.out.write_all(&self.bytes)?;
        self.out.flush()?;
        Ok(std::mem::take(&mut self.told))
    }
}

/// A file that was not there, for nobody else to read.
fn new_file(file: &Path) -> Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let shown = file.display().to_string();
    options.open(file).with_context(|| format!("{}: cannot be written (one that is there is kept)", clean(&shown)))
}
