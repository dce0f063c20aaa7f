//! `sluis tally collect` and `show`: the total, and what it says, for everybody who checks it.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;
use watchlist::files;
use watchlist::keys::Role as KeyRole;
use watchlist::provider::report::Language;
use watchlist::tally::collector::{self, MOST_SHOWN};
use watchlist::tally::page::Shown;

use super::{Globals, Made, Party, Which, input, now, public, short};
use crate::output::{Screen, clean, json};

/// Put the two shares of a total together
#[derive(clap::Args)]
pub(crate) struct Collect {
    /// One aggregator's share
    #[arg(value_name = "FILE")]
    one: PathBuf,
    /// The other's
    #[arg(value_name = "FILE")]
    two: PathBuf,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    party: Party,
}

/// Check a total and show what it says: a table, bars, and with --html a file with its picture
#[derive(clap::Args)]
pub(crate) struct Show {
    /// The task's public file
    #[arg(value_name = "TASK")]
    task: PathBuf,
    /// The total's file
    #[arg(value_name = "TOTAL")]
    total: PathBuf,
    /// The association's public key; without it the task's own word is taken for who made it
    #[arg(long, value_name = "FILE")]
    author: Option<PathBuf>,
    /// The language
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Lang,
    /// Write it as one HTML file too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    En,
    Nl,
}

/// Collects.
pub(super) fn collect(args: &Collect, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let held = home.task(args.which.task.as_deref())?;
    let (one, two) = (input(&args.one)?, input(&args.two)?);
    let (file, _) = home.collect(&held, [&one, &two], now(globals))?;
    let id = short(&held);
    let task = args.party.hand(&format!("task-{id}-public.slu"), &held.public_file())?;
    let total = args.party.hand(&format!("total-{id}.slu"), &file)?;
    Made::of(&held)
        .file("everybody", task)
        .file("everybody; both are checked and shown with 'sluis tally show'", total)
        .tell(&args.party)
}

/// Shows.
pub(super) fn show(args: &Show) -> Result<u8> {
    let author = args.author.as_deref().map(|path| public(path, KeyRole::Association)).transpose()?;
    let (task, total) = (files::read(&args.task, MOST_SHOWN)?, files::read(&args.total, MOST_SHOWN)?);
    let (task, total, outcome) = collector::check(&task, &total, author.as_ref().map(|author| &author.key))?;
    let language = if args.lang == Lang::Nl { Language::Nl } else { Language::En };
    let shown = Shown::new(&task, &total, &outcome, language);
    if let Some(path) = &args.html {
        files::write(path, shown.html().as_bytes())?;
    }
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &shown)?;
        return crate::cli::done(screen, 0);
    }
    draw(&mut screen, &shown, language)?;
    crate::cli::done(screen, 0)
}

fn draw(screen: &mut Screen, shown: &Shown, language: Language) -> Result<()> {
    screen.heading(&format!("{}  {}", shown.period, shown.days))?;
    screen.line(clean(&shown.question))?;
    screen.line("")?;
    let bars = shown.bars(40);
    let width = bars.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    for ((label, bar), row) in bars.iter().zip(shown.rows.iter().chain(&shown.exact)) {
        let sure = match row.raw {
            Some(_) => format!(" ± {}", shown.off),
            None => language.say(" (exact)", " (exact)").to_owned(),
        };
        screen.line(format_args!("{:width$}  {:>6}{sure:8} {bar}", clean(label), row.number))?;
    }
    screen.line("")?;
    screen.line(language.say(
        format!("{} aanbieders deden mee ({} concerns, {} nodig)", shown.providers, shown.groups, shown.least),
        format!("{} providers took part ({} legal groups, {} needed)", shown.providers, shown.groups, shown.least),
    ))?;
    screen.heading(language.say("Wat dit zegt", "What this says"))?;
    for line in &shown.says {
        screen.line(format_args!("- {}", clean(line)))?;
    }
    screen.heading(language.say("Wie wat kan weten", "Who could learn what"))?;
    for line in shown.learns.iter().chain(&shown.roles) {
        screen.line(format_args!("- {}", clean(line)))?;
    }
    screen.line("")?;
    screen.line(format_args!("{} {}", language.say("taak", "task"), shown.task))?;
    Ok(())
}
