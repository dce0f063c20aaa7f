//! `sluis advisory`: advice about weak points, what waits for a person, and what is exploited.

use anyhow::{Context, Result};
use model::advisory::Cve;
use store::advisories::{Filter, Kept};

use super::Globals;
use crate::acts::{self, Act, By};
use crate::output::advice::{self, View};
use crate::output::words::moment;
use crate::output::{Screen, Style, Table, json};

/// Advice about weak points: what is known of them, what helps, and which are exploited
///
/// Advisories (CSAF 2.0) and CISA's catalogue of exploited vulnerabilities (KEV) come like reports: 'sluis receive FILE', or as
/// a feed of the settings. A case about a weak point that is exploited gets one severity worse; letters bear the advice.
#[derive(clap::Subcommand)]
#[command(after_help = "Examples:
  sluis receive known_exploited_vulnerabilities.json   what is exploited
  sluis advisory list --exploited                      which weak points that are
  sluis advisory show CVE-2021-44228                   what is known of one, and what helps
  sluis advisory list --waiting                        what somebody sent for whom nobody vouches
  sluis advisory accept 17                             you have looked: letters may bear it
  sluis advisory withdraw 17                           it is wrong")]
pub(crate) enum Command {
    List(List),
    Show(Show),
    Accept(One),
    Withdraw(One),
}

/// List advice, the newest first
#[derive(clap::Args)]
pub(crate) struct List {
    /// Only what is known to be exploited
    #[arg(long)]
    exploited: bool,
    /// Only what waits for a person
    #[arg(long)]
    waiting: bool,
    /// Only of this publisher
    #[arg(long, value_name = "NAME")]
    publisher: Option<String>,
    /// What was withdrawn too
    #[arg(long)]
    all: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    most: u32,
    /// Only before this one, for the next page
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Show what is known of one weak point
#[derive(clap::Args)]
pub(crate) struct Show {
    /// Its CVE number
    #[arg(value_name = "CVE", value_parser = cve)]
    cve: Cve,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Accept advice that waits, or withdraw what is wrong
#[derive(clap::Args)]
pub(crate) struct One {
    /// Its number in the list
    #[arg(value_name = "NUMBER")]
    number: i64,
    #[command(flatten)]
    by: By,
}

fn cve(text: &str) -> Result<Cve, String> {
    Cve::parse(text).ok_or_else(|| "write it as CVE-2021-44228".to_owned())
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    let (act, said) = match command {
        Command::List(args) => return list(args, globals),
        Command::Show(args) => return show(args, globals),
        Command::Accept(args) => (Act::AcceptAdvice { number: args.number, by: args.by.name()? }, "accepted"),
        Command::Withdraw(args) => (Act::WithdrawAdvice { number: args.number, by: args.by.name()? }, "withdrawn"),
    };
    acts::ask(globals, &act)?;
    let mut screen = Screen::new();
    screen.line(said)?;
    super::done(screen, 0)
}

fn list(args: &List, globals: &Globals) -> Result<u8> {
    let filter = Filter {
        cve: None,
        publisher: args.publisher.as_deref(),
        accepted: args.waiting.then_some(false),
        exploited: args.exploited,
        withdrawn: args.all,
        before: args.before,
    };
    let found = globals.reader()?.read(|transaction| transaction.advisories(&filter, args.most))?;
    let mut screen = Screen::new();
    if args.json {
        for kept in &found {
            json::line(&mut screen, &View::of(kept))?;
        }
        return super::done(screen, 0);
    }
    if found.is_empty() {
        screen.line("there is none; 'sluis advisory --help' says how it comes")?;
        return super::done(screen, 0);
    }
    let mut table = Table::new(&screen, &[">number", "weak point", "=released", "publisher", "=how bad", "what", "=state"]);
    for kept in &found {
        let (word, style) = state(kept);
        let advisory = &kept.advisory;
        let point = advisory.cve.map_or_else(|| crate::output::safe::short(&advisory.id, 30), |cve| cve.to_string());
        table.row([
            (Style::Strong, kept.id.to_string()),
            (Style::Plain, point),
            (Style::Dim, moment(advisory.released.unwrap_or(kept.received))),
            (Style::Plain, crate::output::safe::short(&advisory.publisher, 30)),
            (Style::Plain, advice::severity(kept)),
            (Style::Plain, crate::output::safe::short(&advisory.title, 60)),
            (style, word.to_owned()),
        ]);
    }
    table.write(&mut screen)?;
    if let Some(last) = found.last().filter(|_| found.len() == args.most as usize) {
        screen.line(format_args!("more: --before {}", last.id))?;
    }
    super::done(screen, 0)
}

fn state(kept: &Kept) -> (&'static str, Style) {
    match (kept.withdrawn, kept.accepted, kept.advisory.exploited) {
        (Some(_), ..) => ("withdrawn", Style::Dim),
        (None, false, _) => ("waits", Style::Remark),
        (None, true, true) => ("exploited", Style::Alarm),
        (None, true, false) => ("", Style::Plain),
    }
}

fn show(args: &Show, globals: &Globals) -> Result<u8> {
    let filter = Filter { cve: Some(args.cve), withdrawn: true, ..Filter::default() };
    let found = globals.reader()?.read(|transaction| transaction.advisories(&filter, 1_000))?;
    let mut screen = Screen::new();
    if args.json {
        for kept in &found {
            json::line(&mut screen, &View::of(kept))?;
        }
        return super::done(screen, 0);
    }
    let first = found.first().with_context(|| format!("nothing is known of {}", args.cve))?;
    let title = screen.paint(Style::Strong, &format!("{}: {}", args.cve, crate::output::safe::short(&first.advisory.title, 200)));
    screen.line(title)?;
    for kept in &found {
        screen.line("")?;
        advice::draw(&mut screen, std::slice::from_ref(kept))?;
        let products = kept.advisory.products.iter().map(|name| crate::output::clean(name)).collect::<Vec<_>>().join(", ");
        let affects = if kept.advisory.affects { products } else { "it says that nothing is affected, or no longer".to_owned() };
        let document = format!("{} ({})", crate::output::clean(&kept.advisory.id), kept.id);
        let mut facts = vec![("document", document), ("in", affects), ("label", kept.advisory.tlp.to_string())];
        let (word, _) = state(kept);
        let by = if kept.person.is_empty() { String::new() } else { format!(", by {}", crate::output::clean(&kept.person)) };
        facts.push(("state", if word.is_empty() { format!("accepted{by}") } else { format!("{word}{by}") }));
        screen.facts(&facts)?;
    }
    super::done(screen, 0)
}
