//! `sluis demo watchlist`: a confidential list, the providers who find their own hits, and the total that exposes nobody.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::Value;

use super::{Globals, say};
use crate::cli::done;
use crate::demo::watchlist::play::Story;
use crate::demo::watchlist::{self, world::World};
use crate::output::words::{count, counted};
use crate::output::{Screen, Style, Table, clean, json};

/// See a confidential list at work: police, providers and a tally, each a process that cannot look into another
///
/// Everything is made up. What passes between them are files, as on a stick; nothing uses a network.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder for it, which must be empty or new; without it one that is removed in the end
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// How many providers there are
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(10..=24))]
    providers: u16,
    /// How many customers they have together
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    customers: u32,
    /// Another seed makes another world
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let world = World::new(args.seed, usize::from(args.providers), args.customers as usize);
    let now = globals.clock().now();
    let unique = format!("sluis-watchlist-{}", std::process::id());
    let directory = args.keep.clone().unwrap_or_else(|| std::env::temp_dir().join(unique));
    say(&format!(
        "{} providers with {} customers, and a list of {} that nobody may see.",
        world.providers.len(),
        count(world.customers() as u64),
        world.listed.len()
    ));
    let played = watchlist::perform(&directory, &world, now, &|text| say(text));
    if args.keep.is_none() {
        // What could not be removed is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&directory);
    }
    let story = played?;
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &story)?;
    } else {
        draw(&mut screen, &story, args.keep.is_some())?;
    }
    let is_true = story.found.iter().filter(|finding| finding.planted).count() == world.planted.len();
    done(screen, u8::from(!is_true))
}

fn draw(screen: &mut Screen, story: &Story, kept: bool) -> Result<()> {
    screen.heading("What each of them knows now")?;
    let mebibytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let affected = story.found.iter().map(|finding| &finding.provider).collect::<std::collections::BTreeSet<_>>().len();
    screen.facts(&[
        (
            "the police",
            format!("that {} have the list, and nothing of customers or hits", counted(story.providers as u64, "provider")),
        ),
        (
            "the evaluator",
            format!(
                "that it was asked {}: {} of random points, from which nobody learns a customer",
                counted(story.batches, "batch"),
                mebibytes(story.query_bytes)
            ),
        ),
        (
            "a provider",
            format!(
                "its own hits. Of {} it opened only those; the list has {}",
                counted(story.entries as u64, "entry"),
                mebibytes(story.list_bytes)
            ),
        ),
        ("the desk", format!("the list, and {} about single entries; no customer", counted(story.asked as u64, "question"))),
        ("the sector", "one number with noise, below".to_owned()),
    ])?;

    screen.heading("What the providers found (the demo is all of them, so it can tell)")?;
    let mut table = Table::new(screen, &["provider", "customer", "what agrees", "how sure", "decided by a person"]);
    for finding in &story.found {
        table.row([
            (Style::Strong, finding.provider.clone()),
            (Style::Plain, finding.customer.clone()),
            (Style::Plain, clean(&finding.met).to_string()),
            (Style::Plain, clean(&finding.sureness).to_string()),
            (Style::Plain, finding.decided.clone()),
        ]);
    }
    table.write(screen)?;
    let wrong = story.found.iter().filter(|finding| !finding.planted).count();
    screen.line(format_args!(
        "{} of {} customers, at {}; {} shown that should not be. Nothing was done by itself.",
        story.found.len(),
        count(story.customers as u64),
        counted(affected as u64, "provider"),
        wrong
    ))?;
    screen.line(format_args!(
        "After the contest and the withdrawal: {} shown as suspended and {} as withdrawn, without asking anybody.",
        counted(story.suspended as u64, "hit"),
        counted(story.withdrawn as u64, "hit")
    ))?;

    screen.heading("What the sector may know")?;
    draw_total(screen, story)?;
    screen.line(format_args!("Nine providers were too few: {}", clean(story.refused_nine.trim_start_matches("sluis: "))))?;

    screen.heading("Look further")?;
    if kept {
        screen.line(format_args!("  xdg-open {}", story.report))?;
    } else {
        screen.line("  sluis demo watchlist --keep DIR   keeps everybody's files; a provider's report is in DIR/hoster-*/provider/report/")?;
    }
    screen.line("  sluis watchlist leaks --lang en   what each party learns, and what leaks")?;
    let users = if story.users { "each a user of its own" } else { "all by one user, since this was not run as root" };
    screen.line(format_args!("\n{} seconds, every step a process of its own, {users}.", story.seconds))?;
    Ok(())
}

/// The total as its file says it, and how far it is from the truth that nobody knows.
fn draw_total(screen: &mut Screen, story: &Story) -> Result<()> {
    let total = &story.total;
    let text = |value: &Value| clean(value.as_str().unwrap_or_default()).to_string();
    screen.line(format_args!("{} ({})", text(&total["question"]), text(&total["days"])))?;
    for row in total["rows"].as_array().into_iter().flatten() {
        let number = row["number"].as_u64().unwrap_or_default();
        let all = total["providers"].as_u64().unwrap_or_default();
        let bar = "█".repeat((number * 24 / all.max(1)) as usize);
        let label = screen.paint(Style::Strong, &format!("{}: {number} of {all}", text(&row["label"])));
        screen.line(format_args!("{label}  {bar}"))?;
    }
    for line in total["says"].as_array().into_iter().flatten() {
        screen.line(format_args!("  {}", text(line)))?;
    }
    screen.line(format_args!("(In this world it is {}. Nobody in it knows.)", story.truth))?;
    Ok(())
}
