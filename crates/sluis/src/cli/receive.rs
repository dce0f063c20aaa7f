//! `sluis receive`: what a mail server's pipe, cron or a person hands reports to.

mod ndjson;

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use desk::receive::Arrived;
use desk::work::Worked;
use desk::{Desk, Error, spool};
use model::submission::{Door, Progress};
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use store::submissions::Receipt;

use super::{Globals, Id};
use crate::data::Data;
use crate::output::progress::Progress as Bar;
use crate::output::words::count;
use crate::output::{Screen, Style, Table, complain, json, warn};
use crate::serve::socket::{self, Request, Response};

/// Take reports in: store them durably, then read, trace and place them in cases
///
/// While another process ('sluis serve') works on the data, what comes is laid into its spool: durable, and taken from
/// there.
#[derive(clap::Args)]
#[command(after_help = "Exit code, as mail servers understand it: 0 what came is durable, 64 usage, 66 a file cannot be read,
75 try again later (disk full, data unavailable). From standard input nothing is written to standard output.

Examples:
  sluis receive scan_rdp.csv mails/*.eml
  flags=Rq user=sluis argv=/usr/bin/sluis receive    a pipe in Postfix's master.cf
  sluis receive --maildir ~abuse/Maildir --watch
  tool | sluis receive --ndjson                      for as long as the tool runs
  sluis receive --again rejects                      with a newer version, or with --map")]
pub(crate) struct Args {
    /// Files to take in; none or '-' is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Take in the new mails of a maildir; each is moved to 'cur'
    #[arg(long, value_name = "DIR", conflicts_with = "files")]
    maildir: Option<PathBuf>,
    /// Keep watching the maildir until SIGTERM or Ctrl-C
    #[arg(long, requires = "maildir")]
    watch: bool,
    /// Take JSON from standard input, one object a line, as it comes: nothing waits for the end
    #[arg(long, conflicts_with_all = ["files", "maildir", "again", "again_all"])]
    ndjson: bool,
    /// Read a submission once more: its ID, or 'rejects' or 'unreadable' for all that have some
    #[arg(long, value_name = "SUBMISSION", value_parser = again, conflicts_with_all = ["files", "maildir"])]
    again: Option<Again>,
    /// Read every submission once more
    #[arg(long, conflicts_with_all = ["files", "maildir", "again"])]
    again_all: bool,
    #[command(flatten)]
    reading: super::reading::Options,
    /// Write the summary also when reading from a pipe
    #[arg(short, long)]
    verbose: bool,
    /// The summary as one JSON object
    #[arg(long)]
    json: bool,
}

/// Which submissions are read once more.
#[derive(Clone, Copy, Debug)]
enum Again {
    One(Id),
    Rejects,
    Unreadable,
    All,
}

fn again(text: &str) -> Result<Again, String> {
    match text {
        "rejects" => Ok(Again::Rejects),
        "unreadable" => Ok(Again::Unreadable),
        text => super::id(text).map(Again::One),
    }
}

/// What came of it all.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Summary {
    /// New submissions.
    received: u64,
    /// Submissions whose bytes had come before.
    repeated: u64,
    /// Laid into the spool of another process.
    spooled: u64,
    /// Taken from the spool or a maildir.
    taken: u64,
    /// Submissions read to their end.
    read: u64,
    unreadable: u64,
    reports: u64,
    cases_opened: u64,
    cases_joined: u64,
    set_aside: u64,
    /// Open cases without a holder, of all times.
    no_holder: i64,
}

impl Summary {
    fn add(&mut self, worked: &Worked) {
        self.read += worked.submissions;
        self.unreadable += worked.unreadable;
        self.reports += worked.applied.reports;
        self.cases_opened += worked.applied.opened;
        self.cases_joined += worked.applied.joined;
        self.set_aside += worked.applied.set_aside;
    }
}

/// A file that was to be received cannot be read: EX_NOINPUT.
#[derive(Debug)]
struct NoInput(String);

impl std::fmt::Display for NoInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoInput {}

/// The exit code of a failure, from `sysexits.h`. Whatever is not plainly the caller's mistake is to be tried again: a
/// mail server keeps the mail then, and anything else would bounce it.
pub(super) fn error_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Error>() {
        _ if error.downcast_ref::<NoInput>().is_some() => 66,
        Some(Error::NotFound(_)) => 66,
        Some(Error::Invalid(_)) => 64,
        _ => 75,
    }
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    if args.ndjson {
        return ndjson::run(args, globals);
    }
    let data = globals.data()?;
    let again = if args.again_all { Some(Again::All) } else { args.again };
    let from_files = args.maildir.is_none() && again.is_none();
    let mut summary = Summary::default();
    // What was downloaded and waits to be read is read as its feed says.
    let feeds = || -> Result<_> { Ok(globals.config()?.readers()?.feeds) };
    let mut desk = match data.desk(globals.clock(), desk::Reading { feeds: feeds()?, ..args.reading.reading()? }) {
        Ok(desk) => desk,
        Err(Error::Conflict(_)) if from_files && is_owned(&data) => {
            into_spool(args, globals, &data.directory, &mut summary)?;
            // Had the owner ended meanwhile, nobody would take what lies in the spool until the next comes by.
            match data.desk(globals.clock(), desk::Reading { feeds: feeds()?, ..args.reading.reading()? }) {
                Ok(desk) => desk,
                Err(_) => return finish(args, &summary),
            }
        }
        Err(Error::Conflict(_)) if again.is_some() && is_owned(&data) => return ask_again(args, globals, again),
        Err(error) => return Err(error.into()),
    };
    data.mail.set(&mut desk, args.watch)?;
    desk.recover()?;
    match desk.take_spool() {
        Ok(taken) => summary.taken += taken,
        // What is handed in now must not wait for a file that lies there and cannot be read.
        Err(error) if from_files => complain(&error.into()),
        Err(error) => return Err(error.into()),
    }
    let mut code = 0;
    if from_files && summary.spooled == 0 {
        code = receive_files(args, &desk, &mut summary)?;
    }
    if let Some(again) = again {
        read_again(&desk, again)?;
    }
    if args.watch {
        watch(args, &desk, &mut summary)?;
    } else {
        if let Some(maildir) = &args.maildir {
            summary.taken += desk.take_maildir(maildir)?;
        }
        match work(&desk, &mut summary) {
            Ok(()) => {}
            // What came from a pipe is durable, and is read when there is room again: the mail must not come twice.
            Err(error) if is_pipe(args) => complain(&error),
            Err(error) => return Err(error),
        }
    }
    crate::data::seal(&desk);
    summary.no_holder = desk.store().reader()?.read(|transaction| transaction.waiting())?.no_holder;
    finish(args, &summary).map(|_| code)
}

/// Whether the conflict is with another process, which ends by itself, and not with a newer program's data.
fn is_owned(data: &Data) -> bool {
    !matches!(data.reader(), Err(store::Error::Newer { .. }))
}

/// Whether what comes is from standard input, as from a mail server.
fn is_pipe(args: &Args) -> bool {
    let from_files = args.maildir.is_none() && args.again.is_none() && !args.again_all;
    from_files && (args.files.is_empty() || args.files.iter().any(|path| path.as_os_str() == "-"))
}

/// What is to be received: a door, a name, and what opens it.
fn inputs(args: &Args) -> Vec<(Door, &Path)> {
    if args.files.is_empty() {
        return vec![(Door::Pipe, Path::new("-"))];
    }
    let door = |path: &Path| if path.as_os_str() == "-" { Door::Pipe } else { Door::File };
    args.files.iter().map(|path| (door(path), path.as_path())).collect()
}

fn open(door: Door, path: &Path) -> Result<(String, Box<dyn Read>)> {
    if door == Door::Pipe {
        if io::stdin().is_terminal() {
            warn("reading one report from standard input; end with Ctrl-D");
        }
        return Ok((String::new(), Box::new(io::stdin())));
    }
    let name = path.display();
    if path.is_dir() {
        return Err(anyhow!(NoInput(format!("{name} is a directory; name its files, or a maildir with --maildir"))));
    }
    let file = File::open(path).map_err(|error| anyhow!(NoInput(format!("{name}: {error}"))))?;
    Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), Box::new(file)))
}

/// Submissions, and bytes of them, that become durable together: each such moment waits for the disk.
const TOGETHER: usize = 500;
const WEIGHT: u64 = 64 << 20;

/// Takes in every input that can be opened; the exit code.
fn receive_files(args: &Args, desk: &Desk, summary: &mut Summary) -> Result<u8> {
    let mut code = 0;
    let mut together = Vec::new();
    let mut weight = 0;
    for (door, path) in inputs(args) {
        let (name, mut reader) = match open(door, path) {
            Ok(opened) => opened,
            Err(error) => {
                // The others are taken in all the same.
                complain(&error);
                code = error_code(&error);
                continue;
            }
        };
        let arrived = match desk.arrive(door, &name, &mut *reader).with_context(|| path.display().to_string()) {
            Ok(arrived) => arrived,
            Err(error) => {
                acknowledge(desk, together, summary)?;
                return Err(error);
            }
        };
        weight += arrived.size();
        together.push(arrived);
        if together.len() >= TOGETHER || weight >= WEIGHT {
            acknowledge(desk, std::mem::take(&mut together), summary)?;
            weight = 0;
        }
    }
    acknowledge(desk, together, summary)?;
    Ok(code)
}

fn acknowledge(desk: &Desk, together: Vec<Arrived>, summary: &mut Summary) -> Result<()> {
    if together.is_empty() {
        return Ok(());
    }
    for receipt in desk.acknowledge(together)? {
        match receipt {
            Receipt::New(_) => summary.received += 1,
            Receipt::Known(_) => summary.repeated += 1,
        }
    }
    Ok(())
}

fn into_spool(args: &Args, globals: &Globals, directory: &Path, summary: &mut Summary) -> Result<()> {
    let clock = globals.clock();
    for (door, path) in inputs(args) {
        let (name, mut reader) = open(door, path)?;
        spool::put(directory, &*clock, door, &name, &mut *reader).with_context(|| path.display().to_string())?;
        summary.spooled += 1;
    }
    // Whoever owns the data looks by itself, too; asking only makes it sooner.
    let _ = socket::call(directory, &Request::Wake, None);
    Ok(())
}

/// Has the process that owns the data read submissions once more.
fn ask_again(args: &Args, globals: &Globals, again: Option<Again>) -> Result<u8> {
    if args.reading.is_told() {
        let what = "'sluis serve' owns the data, and reads with its own settings: name the file under [reading] there";
        return Err(Error::Invalid(what.to_owned()).into());
    }
    let which = match again {
        Some(Again::One(id)) => {
            let found = globals.reader()?.read(|transaction| super::submission::find(transaction, id));
            found.map_err(|error| Error::NotFound(error.to_string()))?.public.to_string()
        }
        Some(Again::Rejects) => "rejects".to_owned(),
        Some(Again::Unreadable) => "unreadable".to_owned(),
        Some(Again::All) | None => "all".to_owned(),
    };
    let directory = crate::data::directory(globals.data.as_deref())?;
    match socket::call(&directory, &Request::Again(socket::Again { which }), None)? {
        Response::Again { submissions } => {
            let mut screen = Screen::new();
            if args.json {
                json::line(&mut screen, &serde_json::json!({ "again": submissions }))?;
            } else {
                screen.line(format_args!("{} to be read once more by 'sluis serve', which owns the data", count(submissions)))?;
            }
            super::done(screen, 0)
        }
        Response::Refused { reason } => Err(Error::Unavailable(reason).into()),
        _ => Err(Error::Unavailable("'sluis serve' answered something else; is it another version?".to_owned()).into()),
    }
}

/// Works off what is unread, and what was laid into the spool meanwhile.
fn work(desk: &Desk, summary: &mut Summary) -> Result<()> {
    let bar = Bar::new();
    let result = (|| {
        loop {
            summary.add(&desk.work(&|submission, bytes| bar.read(submission, bytes))?);
            match desk.take_spool()? {
                0 => break,
                taken => summary.taken += taken,
            }
        }
        // Whoever owns the data keeps the clocks too.
        desk.advance()?;
        Ok(())
    })();
    bar.finish();
    result
}

/// How long a failed watch waits before it tries again.
const PATIENCE: u32 = 30;

fn watch(args: &Args, desk: &Desk, summary: &mut Summary) -> Result<()> {
    let Some(maildir) = &args.maildir else { return Ok(()) };
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // A second signal ends the program as if it had not been caught: nothing is lost by that either.
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let mut failing = false;
    while !stop.load(Ordering::Relaxed) {
        let round = || -> Result<u64> { Ok(desk.take_maildir(maildir)? + desk.take_spool()?) };
        let result = round().and_then(|taken| {
            summary.taken += taken;
            work(desk, summary)
        });
        // What cannot be sealed now waits for the next round; the end of the command says why, if it lasts.
        let _ = desk.seal();
        match result {
            Ok(()) => failing = false,
            Err(error) if matches!(error.downcast_ref(), Some(Error::NotFound(_))) => return Err(error),
            Err(error) => {
                if !failing {
                    complain(&error.context(format!("trying again every {PATIENCE} seconds")));
                }
                failing = true;
            }
        }
        for _ in 0..if failing { PATIENCE } else { 1 } {
            if !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_secs(1));
            }
        }
    }
    Ok(())
}

fn read_again(desk: &Desk, again: Again) -> Result<()> {
    let mut reader = desk.store().reader()?;
    if let Again::One(id) = again {
        let submission = reader.read(|transaction| super::submission::find(transaction, id));
        return Ok(desk.read_again(submission.map_err(|error| Error::NotFound(error.to_string()))?.id)?);
    }
    let progress = matches!(again, Again::Unreadable).then_some(Progress::Unreadable);
    let mut before = i64::MAX;
    loop {
        let page = reader.read(|transaction| transaction.submissions(progress, before, 1_000))?;
        let Some(last) = page.last() else { return Ok(()) };
        before = last.id;
        for submission in page.iter().filter(|submission| !matches!(again, Again::Rejects) || submission.rejects > 0) {
            desk.read_again(submission.id)?;
        }
    }
}

fn finish(args: &Args, summary: &Summary) -> Result<u8> {
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, summary)?;
        return super::done(screen, 0);
    }
    if is_pipe(args) && !args.verbose && !screen.terminal {
        return Ok(0);
    }
    if summary.spooled > 0 && summary.read == 0 {
        let what =
            if summary.spooled == 1 { "1 submission".to_owned() } else { format!("{} submissions", count(summary.spooled)) };
        screen.line(format_args!("{what} laid into the spool: another process owns the data and takes them from there"))?;
        return super::done(screen, 0);
    }
    let mut table = Table::new(&screen, &["=what came of it", ">count", ""]);
    let rows: [(&str, u64, Style, &str); 10] = [
        ("submissions received", summary.received, Style::Plain, ""),
        ("the same bytes again", summary.repeated, Style::Plain, "counted, not repeated"),
        ("taken from spool or maildir", summary.taken, Style::Plain, ""),
        ("submissions read", summary.read, Style::Plain, ""),
        ("reports", summary.reports, Style::Plain, ""),
        ("cases opened", summary.cases_opened, Style::Strong, "sluis case list --open"),
        ("cases joined", summary.cases_joined, Style::Plain, ""),
        ("unreadable", summary.unreadable, Style::Alarm, "sluis queue unreadable"),
        ("statements set aside", summary.set_aside, Style::Alarm, "sluis queue"),
        ("cases without a holder", summary.no_holder.unsigned_abs(), Style::Alarm, "sluis queue no-holder"),
    ];
    let always = ["submissions received", "reports", "cases opened", "cases joined"];
    for (what, number, style, hint) in rows {
        if number > 0 || (always.contains(&what) && (what != "submissions received" || summary.taken == 0)) {
            let style = if number == 0 { Style::Dim } else { style };
            let hint = if number == 0 { "" } else { hint };
            table.row([(Style::Plain, what.to_owned()), (style, count(number)), (Style::Dim, hint.to_owned())]);
        }
    }
    table.write(&mut screen)?;
    super::done(screen, 0)
}
