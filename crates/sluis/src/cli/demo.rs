//! `sluis demo`: a provider's year, played on a node of its own, and what the node made of it.

mod watchlist;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use model::outbox::Purpose;
use model::time::Time;
use serde::Serialize;
use store::cases::{Filed, Filter};
use store::{Reader, Transaction};

use super::Globals;
use crate::demo::care::Care;
use crate::demo::seal::{self, Proof};
use crate::demo::survey::{Branch, Moment, Survey, survey};
use crate::demo::world::{PROVIDER, RESELLERS};
use crate::demo::{self, Month, Note, Play};
use crate::output::chain::{self, Kept, LinkView, Names as _};
use crate::output::words::{count, counted, moment};
use crate::output::{Screen, Style, Table, json, report};

/// See Sluis at work: a made-up provider and its resellers, and a year of abuse reports
///
/// Everything is made up and stays on this machine: names under .example, addresses from the documentation ranges. The
/// files are in the formats that notifiers really use, and go the way that real ones go.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "The demo's data is a node of its own, in the folder of --data, or else in ./sluis-demo. When an earlier
demo is there it is shown again; --fresh makes it anew. A folder with another node's data is left alone.

Examples:
  sluis demo
  sluis --data /tmp/sector demo --seed 7
  sluis demo --json | jq .branches[0]")]
pub(crate) struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// Another seed makes another world
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Make the demo anew, in place of the one that is there
    #[arg(long)]
    fresh: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Other demos.
#[derive(clap::Subcommand)]
enum Other {
    Watchlist(watchlist::Args),
}

/// Where the demo is when nobody says.
const DIRECTORY: &str = "sluis-demo";
/// Cases of the list on the last screen.
const CASES: u32 = 5;
/// Characters of the longest bar.
const BAR: u64 = 16;

#[derive(Serialize)]
struct View<'a> {
    data: String,
    #[serde(flatten)]
    survey: &'a Survey,
    /// The case that was given away, and what two verifiers say of it.
    sealed: Option<&'a Proof>,
    look_further: Vec<String>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    if let Some(Other::Watchlist(args)) = &args.other {
        return watchlist::run(args, globals);
    }
    let directory = globals.data.clone().unwrap_or_else(|| PathBuf::from(DIRECTORY));
    let play = match earlier(&directory, args)? {
        Some(play) => play,
        None => {
            let play = Play::new(args.seed, globals.clock().now());
            perform(&play, &directory)?;
            play
        }
    };
    let shown = directory.display().to_string();
    say("Verifying the bundle of one case, with two programs that share no code.");
    let proof = seal::verify(&directory, globals.clock().now())?;
    Reader::open(&directory)?.read(|transaction| {
        let survey = survey(&play, transaction)?;
        let further = further(&directory, &play, &survey);
        let mut screen = Screen::new();
        if args.json {
            let look_further = further.into_iter().map(|(command, _)| command).collect();
            json::line(&mut screen, &View { data: shown, survey: &survey, sealed: proof.as_ref(), look_further })?;
        } else {
            draw(&mut screen, &play, &survey, transaction)?;
            if let Some(proof) = &proof {
                draw_proof(&mut screen, proof)?;
            }
            draw_further(&mut screen, &further)?;
        }
        let is_proven = proof.as_ref().is_none_or(|proof| proof.exit_status == 0);
        super::done(screen, u8::from(!survey.wrong.is_empty() || !is_proven))
    })
}

/// The demo that is in a directory, if it can be shown as it is. What is in the way of a new one is removed, or refused.
fn earlier(directory: &Path, args: &Args) -> Result<Option<Play>> {
    let shown = directory.display();
    match Note::read(directory) {
        Some(note) if note.finished && !args.fresh => {
            if note.seed != args.seed {
                bail!("in {shown} is the demo of seed {}; --fresh puts the one of seed {} in its place", note.seed, args.seed);
            }
            say(&format!("The demo in {shown}, made earlier; --fresh makes it anew."));
            Ok(Some(Play::new(note.seed, Time(note.now))))
        }
        // One that was broken off is of no use to anybody.
        Some(_) => demo::remove(directory).map(|()| None),
        None => {
            let is_empty = match std::fs::read_dir(directory) {
                Ok(mut entries) => entries.next().is_none(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => true,
                Err(error) => bail!("{shown}: {error}"),
            };
            if !is_empty {
                bail!("{shown} is not empty and holds no demo; name another folder with --data DIR");
            }
            Ok(None)
        }
    }
}

/// Plays the year, and tells how it goes.
fn perform(play: &Play, directory: &Path) -> Result<()> {
    let world = &play.world;
    say(&format!(
        "A year at {}, in {}: {} resellers, {} customers. The node observes at
first, and takes in the administration and the abuse mailbox every Monday; for the last
two months it acts, hour by hour, by the clocks of its policy.\n",
        world.parties[PROVIDER].name,
        directory.display(),
        RESELLERS.len(),
        world.customers()
    ));
    say("month    customers   assignments       mails and files   reports   cases opened");
    play.perform(directory, &mut |month| say(&line(month)))
}

fn line(month: &Month) -> String {
    let begin = month.begin.map_or_else(String::new, |begin| begin.to_string().get(..7).unwrap_or_default().to_owned());
    let moves = format!("+{} -{}", month.begun, month.ended);
    format!(
        "{begin}  {:>9}   {moves:<11}       {:>15}   {:>7}   {:>12}",
        month.customers, month.submissions, month.reports, month.opened
    )
}

/// Tells something while the demo runs. It goes to standard error, so that the summary is all there is to read from us.
fn say(text: &str) {
    let mut err = io::stderr().lock();
    let dim = err.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // Standard error may be closed; there is nobody left to tell then.
    let _ = if dim { writeln!(err, "\u{1b}[2m{text}\u{1b}[0m") } else { writeln!(err, "{text}") };
}

fn draw(screen: &mut Screen, play: &Play, survey: &Survey, transaction: &Transaction<'_>) -> Result<()> {
    let day = |text: &str| text.get(..10).unwrap_or_default().to_owned();
    screen.heading(&format!("What came of it, {} to {}", day(&survey.from), day(&survey.to)))?;
    let formats = survey.formats.iter().filter(|(format, _)| format.as_str() != "none");
    let formats: Vec<String> =
        formats.map(|(format, number)| format!("{} {}", count(*number), format.replace('_', " "))).collect();
    screen.facts(&[
        ("submissions", count(survey.submissions)),
        ("read as", formats.join(", ")),
        ("came twice", format!("{}, counted and not reported again", counted(survey.copies, "file"))),
        ("reports", count(survey.reports)),
        ("cases", format!("{}, one for each problem of each holder", count(survey.cases))),
        ("to look at", queues(survey)),
    ])?;
    let told = format!(
        "{} of {} reports are with the party that really held the address then,",
        count(survey.true_chains),
        count(survey.in_cases)
    );
    let style = if survey.wrong.is_empty() { Style::Strong } else { Style::Alarm };
    let told = screen.paint(style, &told);
    screen.line(format_args!("{told}\nby the world behind the demo, which the node never saw."))?;
    for wrong in &survey.wrong {
        let wrong = screen.paint(Style::Alarm, wrong);
        screen.line(wrong)?;
    }

    draw_care(screen, &survey.care)?;
    screen.heading("Where the cases are")?;
    draw_branches(screen, &survey.branches)?;
    draw_handover(screen, play, survey, transaction)?;
    screen.heading("The newest cases")?;
    draw_cases(screen, transaction)
}

/// What followed from the reports: letters, clocks, corrections.
fn draw_care(screen: &mut Screen, care: &Care) -> Result<()> {
    let day = |text: &str| text.get(..10).unwrap_or_default().to_owned();
    screen.heading(&format!("What follows, by the operator's policy, since {}", day(&care.acts_since)))?;
    let listed = |of: &BTreeMap<String, u64>| {
        let parts: Vec<String> = of.iter().map(|(word, number)| format!("{} {word}", count(*number))).collect();
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
    };
    let letters = format!(
        "{} to customers, {}, {}; {} were only shown before",
        count(care.of(Purpose::ToCustomer)),
        counted(care.of(Purpose::Reminder), "reminder"),
        counted(care.of(Purpose::LastWarning), "last warning"),
        count(care.outbox.get("shown").copied().unwrap_or(0)),
    );
    let (from, to) = (day(&care.outage.0), day(&care.outage.1));
    let corrected = format!(
        "{} turned out to be another's, {} moved there by a person, {}",
        counted(care.corrected, "case"),
        counted(care.moved, "report"),
        counted(care.of(Purpose::Correction), "correction"),
    );
    screen.facts(&[
        ("letters", letters),
        ("held", format!("{}; {} for unproved senders", listed(&care.held), counted(care.receipts, "receipt"))),
        ("stale source", format!("no export of customers from {from} to {to}: letters waited for it")),
        ("corrected", corrected),
        ("closed", listed(&care.closed)),
        ("open", format!("{}, of which {} should have been mended by now", count(care.open), count(care.overdue))),
    ])?;
    let mut table = Table::new(screen, &[">case", "kind", "rule", "clock", "mend by"]);
    for clock in &care.clocks {
        let filled = (clock.gone * BAR / 100) as usize;
        let bar = format!("{}{}", "█".repeat(filled), "░".repeat(BAR as usize - filled));
        table.row([
            (Style::Strong, clock.case.to_string()),
            (Style::Plain, clock.kind.clone()),
            (Style::Plain, format!("{} {}", clock.severity, clock.rule)),
            (if clock.gone >= 80 { Style::Alarm } else { Style::Plain }, bar),
            (Style::Plain, clock.due.get(..16).unwrap_or_default().replace('T', " ")),
        ]);
    }
    table.write(screen)?;
    Ok(())
}

/// The first lines of the list, narrower than `case list` has them.
fn draw_cases(screen: &mut Screen, transaction: &Transaction<'_>) -> Result<()> {
    let mut table = Table::new(screen, &[">case", "kind", "about", "holder", ">reports"]);
    let mut names = Kept::new(transaction)?;
    for Filed { case, .. } in transaction.cases(&Filter::default(), CASES)? {
        let holder = match case.holder {
            Some(id) => names.party(id)?.2,
            None => "nobody known".to_owned(),
        };
        table.row([
            (Style::Strong, case.id.to_string()),
            (Style::Plain, case.kind.type_name().to_owned()),
            (Style::Plain, report::about(&case)),
            (Style::Plain, holder),
            (Style::Plain, count(case.reports)),
        ]);
    }
    Ok(table.write(screen)?)
}

fn queues(survey: &Survey) -> String {
    let waiting = [
        (survey.no_holder, "without holder"),
        (survey.unreadable, "unreadable"),
        (survey.rejects, "rejected"),
        (survey.undated, "undated"),
    ];
    let waiting: Vec<String> = waiting.iter().map(|(number, queue)| format!("{} {queue}", count(*number))).collect();
    waiting.join(", ")
}

fn draw_branches(screen: &mut Screen, branches: &[Branch]) -> Result<()> {
    let most = branches.iter().map(|branch| branch.cases).max().unwrap_or(1).max(1);
    let mut table = Table::new(screen, &["branch", ">cases", "", ">reports", ">kinds", ">holders"]);
    let mut row = |branch: &Branch, first: bool| {
        let bar = "█".repeat((branch.cases * BAR).div_ceil(most) as usize);
        let name = if branch.below.is_some() { format!("└ {}", branch.name) } else { branch.name.clone() };
        table.row([
            (if first { Style::Alarm } else { Style::Plain }, name),
            (Style::Strong, count(branch.cases)),
            (if first { Style::Alarm } else { Style::Dim }, bar),
            (Style::Plain, count(branch.reports)),
            (Style::Plain, branch.kinds.to_string()),
            (Style::Plain, branch.customers.to_string()),
        ]);
    };
    // A reseller's reseller stands below it, and is counted in it too.
    for (at, branch) in branches.iter().filter(|branch| branch.below.is_none()).enumerate() {
        row(branch, at == 0);
        for below in branches.iter().filter(|below| below.below.as_ref() == Some(&branch.party)) {
            row(below, false);
        }
    }
    table.write(screen)?;
    Ok(())
}

/// The address that changed hands: the same abuse, two cases, two chains.
fn draw_handover(screen: &mut Screen, play: &Play, survey: &Survey, transaction: &Transaction<'_>) -> Result<()> {
    let handover = &survey.handover;
    screen.heading(&format!("One address, two holders: {}", handover.address))?;
    let mut names = Kept::new(transaction)?;
    for (when, of) in [("before", &handover.before), ("after", &handover.after)] {
        let Some(filed) = transaction.case(of.case)? else { continue };
        let links = chain::view(&transaction.chain(filed.chain)?, &mut names)?;
        let title = screen.paint(Style::Strong, &format!("Case {}", of.case));
        let seen = moment(filed.case.first_seen);
        let kind = filed.case.kind.type_name().replace('_', " ");
        screen.line(format_args!("{title}, {when}: {kind}, {}, first seen {seen}", counted(of.reports, "report")))?;
        draw_chain(screen, &links)?;
    }
    let text = |time: &str| time.get(..16).unwrap_or_default().replace('T', " ");
    screen.line(format_args!(
        "It changed hands on {}. What was seen on {} and\nreported on {} is in case {}: what counts is when it happened.",
        moment(play.world.handover.at),
        text(&handover.late_seen),
        text(&handover.late_received),
        handover.late_case
    ))?;
    Ok(())
}

/// A chain with one line for each link: narrower than what `trace` draws, and without sources.
fn draw_chain(screen: &mut Screen, links: &[LinkView]) -> Result<()> {
    for (depth, link) in links.iter().enumerate() {
        let last = depth + 1 == links.len();
        let name = if link.name.is_empty() { &link.party } else { &link.name };
        let name = match depth {
            0 => format!("  {name}"),
            depth => format!("  {}└─ {name}", "   ".repeat(depth - 1)),
        };
        let name = screen.paint(if last { Style::Strong } else { Style::Plain }, &format!("{name:34}"));
        let since = link.since.as_deref().and_then(|since| since.get(..10)).unwrap_or("long ago");
        let held = screen.paint(Style::Dim, &format!("{:18} since {since}", link.resource.as_deref().unwrap_or_default()));
        screen.line(format_args!("{name} {held}{}", if last { "  ← holder" } else { "" }))?;
    }
    Ok(())
}

/// The case that was given away: what its file proves, and what to type to see it.
fn draw_proof(screen: &mut Screen, proof: &Proof) -> Result<()> {
    screen.heading(&format!("Case {}, given away as a file that proves itself", proof.case))?;
    let style = if proof.exit_status == 0 { Style::Strong } else { Style::Alarm };
    let verdict = screen.paint(style, &proof.verdict.to_uppercase());
    let second = match (&proof.page_verdict, &proof.page_trouble) {
        (Some(word), _) => format!("{} by verify.html in a browser: no code in common", word.to_uppercase()),
        (None, Some(trouble)) => format!("verify.html was not tried: {trouble}"),
        (None, None) => "verify.html, the second verifier, was not tried: there is no Chromium here".to_owned(),
    };
    screen.facts(&[
        ("verdict", format!("{verdict} by this program; {second}")),
        ("shown", format!("{} of the case, of {} entries of the log", counted(proof.records, "record"), count(proof.entries))),
        ("witnessed by", proof.witnesses.join(", ")),
        ("stamped by", proof.authorities.join(", ")),
    ])?;
    let mut table = Table::new(screen, &["what", "to", "held back", "in the log by", "and not before"]);
    for letter in &proof.letters {
        let short = |time: &Option<String>| time.as_deref().and_then(|time| time.get(..16)).unwrap_or("-").replace('T', " ");
        let held = letter.text.strip_prefix("held: ").unwrap_or("no");
        table.row([
            (Style::Plain, if letter.event == "told" { "letter".to_owned() } else { letter.event.clone() }),
            (Style::Plain, letter.to.clone()),
            (Style::Plain, held.to_owned()),
            (Style::Strong, short(&letter.at_the_latest)),
            (Style::Plain, short(&letter.not_before)),
        ]);
    }
    table.write(screen)?;
    screen
        .line("Letters are in the outbox: this release sends none, and the file says so. It also says what it does not prove.")?;
    screen.line("")?;
    screen.line("Whoever is given the file verifies it without this node, and without us:")?;
    for line in two_lines(proof) {
        screen.line(line)?;
    }
    Ok(())
}

/// What a prosecutor, a defence lawyer or anybody else types or opens.
fn two_lines(proof: &Proof) -> [String; 2] {
    let path = |path: &Path| quoted(&path.display().to_string());
    [
        format!(
            "  {} verify {} --policy {} --tsa-roots {}",
            quoted(&called()),
            path(&proof.bundle),
            path(&proof.policy),
            path(&proof.roots)
        ),
        format!("  xdg-open {}", path(&proof.page)),
    ]
}

/// How this program was called.
fn called() -> String {
    let called = std::env::args_os().next().filter(|name| !name.is_empty());
    called.map_or_else(|| "sluis".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Commands that show more of this demo, and what each shows. They are typed as this program was called.
fn further(directory: &Path, play: &Play, survey: &Survey) -> Vec<(String, &'static str)> {
    let program = called();
    let sluis = format!("{} --data {}", quoted(&program), quoted(&directory.display().to_string()));
    // A day is enough: it did not change hands on either.
    let day = |moment: &Moment| moment.at.get(..10).unwrap_or_default().to_owned();
    let trace = |moment: &Moment| format!("{sluis} trace {} --at {}", survey.handover.address, day(moment));
    let worst = survey.branches.first().map_or("R-VLOTBOX", |branch| branch.party.as_str());
    let oldest = play.files.iter().find(|file| file.name.ends_with(".ndjson"));
    let mut commands = vec![
        (format!("{sluis} case list --open"), "every open case"),
        (format!("{sluis} outbox list"), "what would go out"),
        (format!("{sluis} case show {}", survey.handover.before.case), "one of them"),
        (trace(&survey.handover.before), "who held it then"),
        (trace(&survey.handover.after), "and days later"),
        (format!("{sluis} party show {}", quoted(worst)), "the worst branch"),
        (format!("{sluis} advisory show {}", demo::WEAK_POINT), "what is exploited"),
        (format!("{sluis} queue"), "what waits"),
        (format!("{sluis} submission findings {}", survey.in_words), "a mail in words"),
        (format!("{sluis} submission list"), "what came in"),
    ];
    if let Some(clock) = survey.care.clocks.first() {
        commands.insert(2, (format!("{sluis} policy explain {}", clock.case), "why this clock"));
    }
    if let Some(file) = oldest {
        let path = play.path(directory, file);
        let read = format!("{} read {}", quoted(&program), quoted(&path.display().to_string()));
        commands.push((read, "a file, as XARF"));
    }
    commands
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn draw_further(screen: &mut Screen, commands: &[(String, &'static str)]) -> Result<()> {
    screen.heading("Look further")?;
    for (command, what) in commands {
        let what = screen.paint(Style::Dim, &format!("{what:17}"));
        screen.line(format_args!("{what}  {command}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_a_shell() {
        for (word, expected) in [("a/b-1", "a/b-1"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("", "''"), ("$HOME", "'$HOME'")] {
            assert_eq!(quoted(word), expected);
        }
    }
}
