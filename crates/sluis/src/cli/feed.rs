//! `sluis feed`: how it goes with the feeds that are downloaded, and a download at once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use model::submission::{Progress, Submission};
use model::time::Time;
use serde::Serialize;
use store::feeds::Feed;
use store::fetches::Fetch;

use super::Globals;
use crate::acts::Act;
use crate::doors::fetch::Fetcher;
use crate::output::words::{age, count, moment};
use crate::output::{Screen, Style, Table, clean, json};
use crate::serve::config::Config;
use crate::serve::config_feed::FeedConfig;
use crate::serve::socket::{self, Request, Response};

/// Downloads that `show` shows.
const SHOWN: u32 = 10;
/// How long it is waited for a download that the owner of the data does.
const PATIENCE: Duration = Duration::from_secs(60);

/// See how it goes with the feeds of the settings, and download one at once
#[derive(Subcommand)]
#[command(after_help = "Examples:
  sluis feed list                             every [[feed]] of the settings: when it came, with how much, and what is wrong
  sluis feed show urlhaus                     one of them, with its last downloads
  sluis feed fetch urlhaus                    download it now")]
pub(crate) enum Command {
    List(List),
    Show(Show),
    Fetch(Download),
}

/// List the feeds of the settings
#[derive(Args)]
pub(crate) struct List {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Show one feed and its last downloads
#[derive(Args)]
pub(crate) struct Show {
    /// Its name in the settings
    #[arg(value_name = "FEED")]
    feed: String,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// Download a feed now, whenever it is due; a server that has nothing new says so
#[derive(Args)]
pub(crate) struct Download {
    /// Its name in the settings
    #[arg(value_name = "FEED")]
    feed: String,
}

#[derive(Serialize)]
struct View {
    feed: String,
    /// Without what is secret in it.
    location: String,
    state: &'static str,
    /// When it was last looked at without trouble.
    checked: Option<String>,
    /// When it last brought something new.
    changed: Option<String>,
    /// Not to be asked before.
    next: Option<String>,
    failures: i64,
    failing_since: Option<String>,
    trouble: String,
    /// Reports of the last download that was read, and of a usual one.
    reports: Option<u32>,
    usual: Option<i64>,
    /// Since when downloads are too small to be believed.
    fallen: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    downloads: Vec<OneView>,
}

#[derive(Serialize)]
struct OneView {
    submission: String,
    received: String,
    name: String,
    bytes: u64,
    progress: &'static str,
    reports: u32,
    rejects: u32,
    reason: String,
}

/// What is known of one feed.
struct Known {
    fetch: Option<Fetch>,
    learnt: Vec<Feed>,
    downloads: Vec<Submission>,
}

/// Runs it; the exit code.
pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    match command {
        Command::List(args) => list(args, globals),
        Command::Show(args) => show(args, globals),
        Command::Fetch(args) => fetch(args, globals),
    }
}

fn known(globals: &Globals, feeds: &[FeedConfig]) -> Result<Vec<Known>> {
    globals.reader()?.read(|transaction| {
        let (fetches, learnt) = (transaction.fetches()?, transaction.feeds()?);
        let one = |feed: &FeedConfig| -> Result<Known> {
            let prefix = format!("download/{}/", feed.name);
            Ok(Known {
                fetch: fetches.iter().find(|fetch| fetch.feed == feed.name).cloned(),
                learnt: learnt.iter().filter(|learnt| learnt.name.starts_with(&prefix)).cloned().collect(),
                downloads: transaction.submissions_of_feed(&feed.name, SHOWN)?,
            })
        };
        feeds.iter().map(one).collect()
    })
}

fn view(feed: &FeedConfig, known: &Known, with_downloads: bool) -> View {
    let time = |time: Option<Time>| time.map(|time| time.to_string());
    let fetch = known.fetch.clone().unwrap_or_else(|| Fetch::new(&feed.name));
    let fallen = known.learnt.iter().filter_map(|learnt| learnt.fallen).min();
    let read = known.downloads.iter().find(|one| one.progress != Progress::Received);
    // Of a feed of many files each has its own measure.
    let usual = if let [only] = &known.learnt[..] { only.usual(0) } else { None };
    let state = match (&known.fetch, fallen) {
        (None, _) => "not yet asked",
        (Some(fetch), _) if fetch.failures > 0 => "failing",
        (_, Some(_)) => "too small",
        _ => "well",
    };
    let download = |one: &Submission| OneView {
        submission: one.public.to_string(),
        received: one.received.to_string(),
        name: one.name.clone(),
        bytes: one.size,
        progress: one.progress.word(),
        reports: one.reports,
        rejects: one.rejects,
        reason: one.reason.clone(),
    };
    View {
        feed: feed.name.clone(),
        location: feed.location(),
        state,
        checked: time(fetch.checked),
        changed: time(fetch.changed),
        next: known.fetch.as_ref().map(|fetch| fetch.next.to_string()),
        failures: fetch.failures,
        failing_since: time(fetch.since),
        trouble: fetch.trouble,
        reports: read.map(|one| one.reports),
        usual,
        fallen: time(fallen),
        downloads: known.downloads.iter().map(download).filter(|_| with_downloads).collect(),
    }
}

fn list(args: &List, globals: &Globals) -> Result<u8> {
    let config = globals.config()?;
    let mut screen = Screen::new();
    if config.feed.is_empty() {
        screen.line("no feed is configured: name one under [[feed]]; docs/manual/feeds.md shows how")?;
        return super::done(screen, 0);
    }
    let known = known(globals, &config.feed)?;
    let now = globals.clock().now();
    if args.json {
        for (feed, known) in config.feed.iter().zip(&known) {
            json::line(&mut screen, &view(feed, known, false))?;
        }
        return super::done(screen, 0);
    }
    let mut table =
        Table::new(&screen, &["feed", "=state", "=looked at", "=new", ">reports", ">usual", "=next", "what is wrong"]);
    for (feed, known) in config.feed.iter().zip(&known) {
        let view = view(feed, known, false);
        let style = if matches!(view.state, "failing" | "too small") { Style::Alarm } else { Style::Plain };
        let ago = |time: Option<Time>| time.map_or_else(|| "never".to_owned(), |time| format!("{} ago", age(time, now)));
        let fetch = known.fetch.as_ref();
        table.row([
            (Style::Strong, feed.name.clone()),
            (style, view.state.to_owned()),
            (Style::Plain, ago(fetch.and_then(|fetch| fetch.checked))),
            (Style::Plain, ago(fetch.and_then(|fetch| fetch.changed))),
            (Style::Plain, view.reports.map(count).unwrap_or_default()),
            (Style::Dim, view.usual.map(count).unwrap_or_default()),
            (Style::Dim, fetch.map(|fetch| moment(fetch.next)).unwrap_or_default()),
            (Style::Plain, clean(&view.trouble).into_owned()),
        ]);
    }
    table.write(&mut screen)?;
    super::done(screen, 0)
}

fn find<'a>(config: &'a Config, name: &str) -> Result<&'a FeedConfig> {
    let names = || config.feed.iter().map(|feed| feed.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = config.feed.iter().find(|feed| feed.name == name);
    found.with_context(|| match names().as_str() {
        "" => "no feed is configured: name one under [[feed]]; docs/manual/feeds.md shows how".to_owned(),
        names => format!("there is no feed '{}' in the settings: {names}", clean(name)),
    })
}

fn show(args: &Show, globals: &Globals) -> Result<u8> {
    let config = globals.config()?;
    let feed = find(&config, &args.feed)?;
    let known = known(globals, std::slice::from_ref(feed))?;
    let Some(known) = known.first() else { bail!("nothing is known of it") };
    let view = view(feed, known, true);
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &view)?;
        return super::done(screen, 0);
    }
    let none = || "never".to_owned();
    screen.line(format_args!("{}: {}", feed.name, view.state))?;
    for (what, text) in [
        ("where", view.location),
        ("looked at", view.checked.unwrap_or_else(none)),
        ("new", view.changed.unwrap_or_else(none)),
        ("next", view.next.unwrap_or_else(|| "as soon as 'sluis serve' runs".to_owned())),
        ("failing since", view.failing_since.unwrap_or_default()),
        ("what is wrong", view.trouble),
        ("too small since", view.fallen.unwrap_or_default()),
    ] {
        if !text.is_empty() {
            screen.line(format_args!("  {what:16}{}", clean(&text)))?;
        }
    }
    if known.downloads.is_empty() {
        return super::done(screen, 0);
    }
    screen.line("")?;
    let mut table =
        Table::new(&screen, &["=received", "=state", ">bytes", ">reports", ">rejects", "file", "why it is unreadable"]);
    for one in &known.downloads {
        let style = if one.progress == Progress::Unreadable { Style::Alarm } else { Style::Plain };
        table.row([
            (Style::Plain, moment(one.received)),
            (style, one.progress.word().to_owned()),
            (Style::Plain, count(one.size)),
            (Style::Plain, count(one.reports)),
            (Style::Plain, count(one.rejects)),
            (Style::Plain, clean(&one.name).into_owned()),
            (Style::Plain, clean(&one.reason).into_owned()),
        ]);
    }
    table.write(&mut screen)?;
    super::done(screen, 0)
}

fn fetch(args: &Download, globals: &Globals) -> Result<u8> {
    let config = globals.config()?;
    let feed = find(&config, &args.feed)?;
    let data = globals.data()?;
    let desk = match data.desk(globals.clock(), config.readers()?) {
        Ok(desk) => desk,
        Err(desk::Error::Conflict(owned)) => return ask(globals, feed, owned),
        Err(error) => return Err(error.into()),
    };
    let fetcher = Fetcher::open(feed)?;
    let looked = fetcher.look(&desk, u16::from_be_bytes(store::keys::random()?))?;
    if looked.received > 0 {
        desk.work(&|_, _| {})?;
    }
    crate::data::seal(&desk);
    drop(desk);
    told(&looked.trouble, looked.received > 0, feed)
}

fn told(trouble: &str, is_new: bool, feed: &FeedConfig) -> Result<u8> {
    let mut screen = Screen::new();
    let name = &feed.name;
    match trouble {
        "" if is_new => screen.line(format_args!("{name}: downloaded; 'sluis feed show {name}' says what came of it"))?,
        "" => screen.line(format_args!("{name}: nothing new"))?,
        trouble => bail!("{name}: {trouble}"),
    }
    super::done(screen, 0)
}

/// Has the process that owns the data do it, and waits for a while.
fn ask(globals: &Globals, feed: &FeedConfig, owned: String) -> Result<u8> {
    let mut reader = globals.reader()?;
    let mut state = || reader.read(|transaction| transaction.fetch(&feed.name));
    let before = state()?.unwrap_or_else(|| Fetch::new(&feed.name));
    let act = Act::FetchFeed { feed: feed.name.clone() };
    let directory = crate::data::directory(globals.data.as_deref())?;
    match socket::call(&directory, &Request::Do(Box::new(socket::Do { act })), None).context(owned)? {
        Response::Did { .. } => {}
        Response::Refused { reason } => bail!("{reason}"),
        _ => bail!("'sluis serve' answered something else; is it another version?"),
    }
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(200));
        let now = state()?.unwrap_or_else(|| Fetch::new(&feed.name));
        if now.checked != before.checked || now.failures != before.failures {
            return told(&now.trouble, now.changed != before.changed, feed);
        }
    }
    let mut screen = Screen::new();
    let name = &feed.name;
    screen.line(format_args!("{name}: 'sluis serve' is still at it; 'sluis feed show {name}' says what comes of it"))?;
    super::done(screen, 0)
}
