//! `sluis import abuseio`: what AbuseIO 4 knows becomes an administration, and what is open there becomes reports.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use desk::{Reading, spool};
use model::submission::Door;
use parsers::administration::Limits;
use parsers::administration::abuseio::{self, Taken, Written};
use serde::Serialize;

use super::{Globals, import};
use crate::output::progress::Progress;
use crate::output::words::count;
use crate::output::{Screen, Style, Table, json};
use crate::serve::socket::{self, Import, Request};

/// Take over from AbuseIO 4: contacts, netblocks, domain names, accounts and brands, and open tickets with their notes
///
/// The dump is a file that mysqldump or mariadb-dump wrote, with structure and data, packed with gzip or not. Passwords, keys
/// and tokens in it are not read. The same dump may be imported again: what has not changed is not done twice.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The dump
    #[arg(value_name = "DUMP")]
    dump: PathBuf,
    /// The name of the source that its contacts and netblocks get
    #[arg(long, value_name = "NAME", default_value = "abuseio")]
    source: String,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The administration alone, without the open tickets
    #[arg(long)]
    no_tickets: bool,
    /// How many lines of each kind are shown
    #[arg(short = 'n', value_name = "N", default_value_t = 10)]
    most: usize,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What became of the open tickets, as `--json` shows it.
#[derive(Default, Serialize)]
struct View {
    administration: Option<import::View>,
    taken: BTreeMap<String, u64>,
    not_taken: Vec<(String, String, u64)>,
    reports: u64,
    notes: u64,
    notes_not_taken: u64,
    events_not_taken: u64,
    cases_opened: u64,
    cases_joined: u64,
    set_aside: u64,
    /// The reports came in before, or wait for the process that owns the data.
    known_before: bool,
    spooled: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    if !args.dump.is_file() {
        bail!("{}: name the file of the dump; it is read more than once", args.dump.display());
    }
    let bar = Progress::new();
    bar.wait("reading the dump");
    let limits = Limits::default();
    let open = || File::open(&args.dump).with_context(|| args.dump.display().to_string());
    let taken = abuseio::read(&mut open()?, &limits);
    let data = globals.data()?;
    let directory = data.directory.clone();
    let names_nobody = taken.snapshot.parties.is_empty() && taken.snapshot.assignments.is_empty();
    if let (true, true, Some(first)) = (names_nobody, taken.open.is_empty() && !args.dry_run, taken.findings.first()) {
        bail!("nothing of it could be read: {}: {}", first.place, first.reason);
    }
    let mut asked = Import {
        source: args.source.clone(),
        kind: "abuseio".to_owned(),
        complete: taken.snapshot.complete && !names_nobody,
        most: args.most,
        // A dump of tickets alone says nothing of who holds what, and ends nothing.
        vouched: names_nobody,
        dry_run: args.dry_run,
        bytes: 0,
    };
    let mut view =
        View { taken: taken.counts.taken.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect(), ..View::default() };
    view.not_taken =
        taken.counts.left.iter().map(|((what, why), count)| ((*what).to_owned(), (*why).to_owned(), *count)).collect();
    bar.wait("comparing");
    let mut tickets = None;
    if !args.dry_run && !args.no_tickets && !taken.open.is_empty() {
        tickets = Some(written(&directory, &taken, &open, &mut view)?);
    }
    let mut administration = match data.desk(globals.clock(), Reading::default()) {
        Ok(desk) => {
            let done = desk.import(&asked.source, &asked.kind, &taken.snapshot, asked.how())?;
            let shown = desk.store().reader()?.read(|transaction| import::View::of(&asked, &done, transaction))?;
            if let Some(mut tickets) = tickets {
                bar.wait("opening cases");
                desk.recover()?;
                let receipt = desk.receive(Door::File, NAME, &mut tickets)?;
                view.known_before = matches!(receipt, store::submissions::Receipt::Known(_));
                let worked = desk.work(&|_, _| {})?.applied;
                (view.cases_opened, view.cases_joined, view.set_aside) = (worked.opened, worked.joined, worked.set_aside);
                desk.advance()?;
            }
            crate::data::seal(&desk);
            shown
        }
        // Another process owns the data: it does the same for us, if it is one that listens.
        Err(desk::Error::Conflict(owned)) => {
            let shown = import::by_owner(&directory, &mut asked, &taken.snapshot).context(owned)?;
            if let Some(mut tickets) = tickets {
                spool::put(&directory, &*globals.clock(), Door::File, NAME, &mut tickets)?;
                let _ = socket::call(&directory, &Request::Wake, None);
                view.spooled = true;
            }
            shown
        }
        Err(error) => return Err(error.into()),
    };
    bar.finish();
    administration.found(&taken.findings, args.most);
    let mut screen = Screen::new();
    if args.json {
        view.administration = Some(administration);
        json::line(&mut screen, &view)?;
        return super::done(screen, 0);
    }
    import::draw(&mut screen, &administration)?;
    draw(&mut screen, &view)?;
    super::done(screen, 0)
}

/// The name under which the reports come in.
const NAME: &str = "abuseio-open-tickets.jsonl";

/// The open tickets as a file that has no name any more: it goes away with whoever has it open, however that ends.
fn written(directory: &Path, taken: &Taken, open: &dyn Fn() -> Result<File>, view: &mut View) -> Result<File> {
    let folder = directory.join("spool").join("tmp");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let path = folder.join(format!("abuseio-{}", std::process::id()));
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).with_context(|| path.display().to_string())?;
    std::fs::remove_file(&path).with_context(|| path.display().to_string())?;
    let mut out = std::io::BufWriter::new(file);
    let Written { reports, notes, notes_left, events_left } =
        abuseio::reports(taken, &mut open()?, &mut open()?, &Limits::default(), &mut out)?;
    (view.reports, view.notes, view.notes_not_taken, view.events_not_taken) = (reports, notes, notes_left, events_left);
    let mut file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn draw(screen: &mut Screen, view: &View) -> Result<()> {
    screen.heading("From AbuseIO")?;
    let mut table = Table::new(screen, &["what", ">taken", ">not taken", "why"]);
    let plain = |text: String| (Style::Plain, text);
    for (what, number) in &view.taken {
        table.row([(Style::Strong, what.clone()), plain(count(*number)), plain(String::new()), plain(String::new())]);
    }
    for (what, why, number) in &view.not_taken {
        table.row([(Style::Strong, what.clone()), plain(String::new()), plain(count(*number)), plain(why.clone())]);
    }
    let notes_why = if view.notes_not_taken > 0 { "more than 64 of one ticket" } else { "" };
    let events_why = if view.events_not_taken > 0 { "of tickets that are not open" } else { "" };
    for (what, taken, left, why) in [
        ("events, as reports", view.reports, view.events_not_taken, events_why),
        ("notes", view.notes, view.notes_not_taken, notes_why),
    ] {
        table.row([(Style::Strong, what.to_owned()), plain(count(taken)), plain(count(left)), plain(why.to_owned())]);
    }
    table.write(screen)?;
    match (view.spooled, view.known_before) {
        (true, _) => screen.line("The reports wait in the spool: the process that owns the data takes them from there.")?,
        (false, true) => screen.line("The reports came in before, so no case is opened again.")?,
        _ if view.reports > 0 => {
            let (opened, joined, aside) = (count(view.cases_opened), count(view.cases_joined), count(view.set_aside));
            screen.line(format_args!("cases opened {opened}, joined {joined}, set aside for a person {aside}"))?;
        }
        _ => {}
    }
    Ok(())
}
