//! `sluis read`: any abuse report in, XARF v4 out, with nothing kept.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context, Result};
use model::report::Batch;
use model::submission::PublicId;
use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::sink::{Note, Reject, Sink, Stop};
use parsers::source::Hint;
use parsers::write::xarf::{self, Ids};
use serde::Serialize;
use store::keys::public_id;
use store::reports::report_id;

use super::Globals;
use crate::output::words::counted;
use crate::output::{Screen, json, warn};

/// Read any abuse report and write it as XARF v4, one JSON object a line
///
/// Nothing is kept and no node is needed. Rejects, notes and files that nothing understands are JSON objects on
/// standard error, one a line, with a field 'what'.
#[derive(clap::Args)]
#[command(after_help = "Exit code: 0 everything was understood, 1 something was not, 2 usage or input error.

Examples:
  sluis read report.eml | jq -r .source_identifier
  curl -s https://reports.example/today.csv.zip | sluis read
  sluis read --map shop.toml export.csv 2> rejects.jsonl
  sluis read --explain report.eml               how it is read, for people
  sluis read --map shop.toml --explain export.csv")]
pub(crate) struct Args {
    /// Files to read; none or '-' is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Say how it is read instead: what takes each part, what becomes what, what is not understood, and how well --map fits
    #[arg(long)]
    explain: bool,
    /// With --explain: how many reports are shown
    #[arg(short = 'n', value_name = "N", default_value_t = 3, requires = "explain")]
    most: usize,
    /// With --explain: one JSON object a file
    #[arg(long, requires = "explain")]
    json: bool,
    #[command(flatten)]
    reading: super::reading::Options,
}

/// A line on standard error.
#[derive(Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Line<'a> {
    Reject { file: &'a str, ordinal: u32, place: &'a str, reason: &'a str, text: &'a str },
    Note { file: &'a str, place: &'a str, text: &'a str },
    Unreadable { file: &'a str, reason: &'a str },
}

/// Writes reports as they come.
struct Out<'a> {
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
    file: &'a str,
    public: PublicId,
    received: Time,
    line: Vec<u8>,
    failed: Option<io::Error>,
    count: Count,
}

#[derive(Clone, Copy, Default)]
struct Count {
    reports: u64,
    rejects: u64,
    unreadable: u64,
}

/// Bytes of lines that are handed on together.
const WRITE: usize = 256 << 10;

impl Out<'_> {
    fn tell(&mut self, line: &Line<'_>) {
        // What standard error does not take is told to nobody; the exit code still says it.
        let _ = json::line(&mut self.stderr, line);
    }

    fn write(&mut self) -> ControlFlow<()> {
        let result = self.stdout.write_all(&self.line);
        self.line.clear();
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl Sink for Out<'_> {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        for report in batch.reports() {
            let ids = Ids { fallback_report_id: report_id(self.public, report.core.ordinal), received: self.received };
            xarf::write(&report, &ids, &mut self.line);
            self.count.reports += 1;
            if self.line.len() >= WRITE {
                self.write()?;
            }
        }
        self.write()
    }

    fn reject(&mut self, reject: Reject) {
        self.count.rejects += 1;
        let Reject { ordinal, place, text, reason } = &reject;
        self.tell(&Line::Reject { file: self.file, ordinal: *ordinal, place, reason, text });
    }

    fn note(&mut self, note: Note) {
        self.tell(&Line::Note { file: self.file, place: &note.place, text: &note.text });
    }
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let reading = args.reading.reading()?;
    let received = globals.clock().now();
    if args.explain {
        return explain(args, &reading, received);
    }
    let mut stdout = io::stdout().lock();
    let mut stderr = BufWriter::new(io::stderr().lock());
    let mut count = Count::default();
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &stdin } else { args.files.as_slice() };
    let mut missing = false;
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = if path.as_os_str() == "-" { String::new() } else { name };
        let mut reader: Box<dyn Read> = if path.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            match File::open(path) {
                Ok(file) => Box::new(file),
                Err(error) => {
                    // The other files are read all the same.
                    stderr.flush()?;
                    writeln!(stderr, "sluis: {}: {error}", crate::output::clean(&path.display().to_string()))?;
                    missing = true;
                    continue;
                }
            }
        };
        let hint = Hint {
            name: &name,
            content_type: "",
            location: "",
            kind: None,
            format: reading.format.as_deref(),
            received,
            maps: reading.maps.as_ref().unwrap_or_else(|| Maps::builtin()),
            declared: reading.declared.as_ref(),
            limits: reading.limits,
        };
        let public = public_id(received)?;
        let line = Vec::with_capacity(WRITE + (8 << 10));
        let mut out = Out { stdout: &mut stdout, stderr: &mut stderr, file: &name, public, received, line, failed: None, count };
        match parsers::read::read(&mut *reader, &hint, &mut out) {
            Ok(outcome) if !outcome.unreadable.is_empty() => {
                out.count.unreadable += 1;
                out.tell(&Line::Unreadable { file: &name, reason: &outcome.unreadable });
            }
            Ok(_) => {}
            Err(Stop::Io(error)) => return Err(error).context(path.display().to_string()),
            Err(Stop::Sink) => return Err(out.failed.unwrap_or_else(|| io::ErrorKind::Other.into()).into()),
        }
        count = out.count;
    }
    stdout.flush()?;
    stderr.flush()?;
    drop(stderr);
    if io::stderr().is_terminal() {
        let unreadable = match count.unreadable {
            0 => String::new(),
            number => format!(", {} that nothing understands", counted(number, "file")),
        };
        let (reports, rejects) = (counted(count.reports, "report"), counted(count.rejects, "reject"));
        warn(&format!("{reports}, {rejects}{unreadable}"));
    }
    Ok(match (missing, count.rejects + count.unreadable) {
        (true, _) => 2,
        (false, 0) => 0,
        (false, _) => 1,
    })
}

/// Says how each file is read.
fn explain(args: &Args, reading: &desk::Reading, received: Time) -> Result<u8> {
    let mut screen = Screen::new();
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &stdin } else { args.files.as_slice() };
    let (mut missing, mut understood) = (false, true);
    for (at, path) in files.iter().enumerate() {
        let is_stdin = path.as_os_str() == "-";
        let name = if is_stdin { String::new() } else { path.file_name().unwrap_or_default().to_string_lossy().into_owned() };
        let mut reader: Box<dyn Read> = if is_stdin {
            Box::new(io::stdin().lock())
        } else {
            match File::open(path) {
                Ok(file) => Box::new(file),
                Err(error) => {
                    warn(&format!("{}: {error}", path.display()));
                    missing = true;
                    continue;
                }
            }
        };
        if at > 0 && !args.json {
            screen.line("")?;
        }
        let hint = Hint {
            format: reading.format.as_deref(),
            maps: reading.maps.as_ref().unwrap_or_else(|| Maps::builtin()),
            declared: reading.declared.as_ref(),
            limits: reading.limits,
            ..Hint::new(&name, received)
        };
        let whole = super::explain::explain(&mut *reader, &hint, args.most, args.json, &mut screen);
        understood &= whole.with_context(|| path.display().to_string())?;
    }
    super::done(screen, if missing { 2 } else { u8::from(!understood) })
}
