//! `sluis retain`: erases what is older than it may be, or says what that would be; and what was erased.

use anyhow::Result;
use desk::retain::Periods;
use serde::Serialize;

use super::Globals;
use crate::acts::{self, Act};
use crate::output::words::{count, moment, size};
use crate::output::{Screen, Style, Table, json};
use crate::serve::config::Config;

/// Erase what is older than the settings let it become
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis retain --dry-run      what would be erased now
  sluis retain                erase it; 'sluis serve' does so each night
  sluis retain --list         what was erased, when and why

The periods are in [retention] of the settings. What is held for the law stays ('sluis hold').")]
pub(crate) struct Args {
    /// Only say what would be erased
    #[arg(long, conflicts_with = "list")]
    dry_run: bool,
    /// Show what was erased, newest first
    #[arg(long)]
    list: bool,
    /// How many lines of the list
    #[arg(short = 'n', value_name = "N", default_value_t = 25)]
    most: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// How long things are kept, on the way to the process that owns the data: in days, in the order of [`Periods`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(crate) struct WirePeriods(pub(crate) [u32; 8]);

impl WirePeriods {
    pub(crate) fn of(periods: Periods) -> WirePeriods {
        let Periods { raw, case, strike, location, child_abuse_case, receipt, alert, party } = periods;
        WirePeriods([raw, case, strike, location, child_abuse_case, receipt, alert, party])
    }

    pub(crate) fn periods(self) -> Periods {
        let [raw, case, strike, location, child_abuse_case, receipt, alert, party] = self.0;
        Periods { raw, case, strike, location, child_abuse_case, receipt, alert, party }
    }
}

#[derive(Serialize)]
struct ErasureView {
    at: String,
    what: String,
    why: String,
    person: String,
    count: u64,
    bytes: u64,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let mut screen = Screen::new();
    if args.list {
        let erasures = globals.reader()?.read(|transaction| transaction.erasures(args.most))?;
        if args.json {
            for one in erasures {
                let view = ErasureView {
                    at: one.at.to_string(),
                    what: one.what,
                    why: one.why,
                    person: one.person,
                    count: one.count,
                    bytes: one.bytes,
                };
                json::line(&mut screen, &view)?;
            }
            return super::done(screen, 0);
        }
        let mut table = Table::new(&screen, &["=when", "=what", ">how many", ">size", "why", "who"]);
        for one in erasures {
            table.row([
                (Style::Plain, moment(one.at)),
                (Style::Strong, one.what),
                (Style::Plain, count(one.count)),
                (Style::Plain, if one.bytes > 0 { size(one.bytes) } else { String::new() }),
                (Style::Plain, one.why),
                (Style::Plain, one.person),
            ]);
        }
        table.write(&mut screen)?;
        return super::done(screen, 0);
    }
    let data = globals.data()?;
    let config = Config::load(globals.config.as_deref(), &data.directory)?;
    let act = Act::Retain { periods: WirePeriods::of(config.retention.periods()), dry_run: args.dry_run };
    let outcome = acts::ask(globals, &act)?;
    let done = outcome.as_array().cloned().unwrap_or_default();
    if args.json {
        for one in &done {
            json::line(&mut screen, one)?;
        }
        return super::done(screen, 0);
    }
    if done.is_empty() {
        screen.line("nothing is older than it may be")?;
        return super::done(screen, 0);
    }
    let mut table =
        Table::new(&screen, &[if args.dry_run { "=would be erased" } else { "=erased" }, ">how many", ">size", "why"]);
    for one in &done {
        let text = |name: &str| one.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let number = |name: &str| one.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let bytes = number("bytes");
        table.row([
            (Style::Strong, text("what")),
            (Style::Plain, count(number("count"))),
            (Style::Plain, if bytes > 0 { size(bytes) } else { String::new() }),
            (Style::Plain, text("why")),
        ]);
    }
    table.write(&mut screen)?;
    super::done(screen, 0)
}
