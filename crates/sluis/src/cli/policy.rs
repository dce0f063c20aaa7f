//! `sluis policy`: the rules by which the desk works, what follows from them, and what a change would do.

mod diff;
mod explain;
mod init;
mod simulate;
mod words;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use model::policy::{Mode, Policy};
use model::severity::Severity;
use serde::Serialize;
use serde_json::{Value, json};
use store::policies::Version;

use super::Globals;
use crate::output::words::moment;
use crate::output::{Screen, Style, Table, json};

/// Show, check and explain the rules, and what a change of them would do
#[derive(Subcommand)]
pub(crate) enum Command {
    Show(Show),
    Check(Check),
    Explain(explain::Explain),
    Diff(diff::Diff),
    Simulate(simulate::Simulate),
    Versions(Versions),
    Init(init::Init),
    Reload(Reload),
}

/// Show the policy in force, or one of its rules
#[derive(Args)]
#[command(after_help = "Examples:
  sluis policy show                  severities and rules in force
  sluis policy show --rule phishing  one rule, with its source
  sluis policy show --version 3      what held then
  sluis policy show --text           the operator's own file, as it was taken")]
pub(crate) struct Show {
    /// Only this rule, with everything it says
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// This version instead of the one in force: its number, or 'shipped'
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// The text of the operator's file
    #[arg(long, conflicts_with_all = ["rule", "json"])]
    text: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Check a policy file; says everything that is wrong with it
#[derive(Args)]
#[command(after_help = "Exit code: 0 when it can be used, 1 when not.")]
pub(crate) struct Check {
    /// The file; else the one that the node uses
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// List the versions of the policy that were in force
#[derive(Args)]
pub(crate) struct Versions {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Take up a changed policy file now, in place of within seconds
#[derive(Args)]
pub(crate) struct Reload {}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    match command {
        Command::Show(args) => show(args, globals),
        Command::Check(args) => check(args, globals),
        Command::Explain(args) => explain::run(args, globals),
        Command::Diff(args) => diff::run(args, globals),
        Command::Simulate(args) => simulate::run(args, globals),
        Command::Versions(args) => versions(args, globals),
        Command::Init(args) => init::run(args, globals),
        Command::Reload(_) => reload(globals),
    }
}

/// A policy that was named on the command line: a file, the number of a version, `shipped` or `current`.
pub(super) fn named(text: &str, globals: &Globals) -> Result<(Policy, String)> {
    if text == "shipped" {
        return Ok((desk::policy::shipped(), "the shipped policy".to_owned()));
    }
    let path = Path::new(text);
    if path.is_file() {
        let read =
            desk::policy::text_of(path).and_then(|said| desk::policy::read(&said, text).map_err(|wrong| wrong.to_string()));
        return match read {
            Ok(policy) => Ok((policy, text.to_owned())),
            Err(wrong) => bail!("{wrong}"),
        };
    }
    let version = match text {
        "current" => newest(globals)?,
        _ => match text.parse() {
            Ok(number) => globals.reader()?.read(|transaction| transaction.policy(number))?,
            Err(_) => bail!(
                "'{text}' is no file, and no version: give a file, a number of 'sluis policy versions', 'current' or 'shipped'"
            ),
        },
    };
    match version {
        Some(version) => Ok((of_version(&version)?, format!("version {}", version.id))),
        None if text == "current" => Ok((desk::policy::shipped(), "the shipped policy".to_owned())),
        None => bail!("there is no version {text} of the policy; 'sluis policy versions' lists them"),
    }
}

fn newest(globals: &Globals) -> Result<Option<Version>> {
    Ok(globals.reader()?.read(|transaction| transaction.newest_policy())?)
}

fn of_version(version: &Version) -> Result<Policy> {
    desk::policy::read_kept(version).map_err(|wrong| anyhow::anyhow!("{wrong}"))
}

fn show(args: &Show, globals: &Globals) -> Result<u8> {
    let name = args.version.as_deref().unwrap_or("current");
    let mut screen = Screen::new();
    if args.text {
        let version = match name {
            "current" => newest(globals)?,
            "shipped" => None,
            number => {
                let number = number.parse().context("a version is a number")?;
                globals.reader()?.read(|transaction| transaction.policy(number))?
            }
        };
        let text = version.as_ref().map_or(desk::policy::SHIPPED, |version| desk::policy::own_text(version));
        screen.line(crate::output::safe::clean_lines(text))?;
        return super::done(screen, 0);
    }
    let (policy, title) = named(name, globals)?;
    if let Some(rule) = &args.rule {
        let place = policy.rule_named(rule);
        let Some(found) = place.and_then(|place| policy.rules.get(place)) else {
            bail!("there is no rule '{}' in {title}; 'sluis policy show' lists them", crate::output::clean(rule));
        };
        if args.json {
            json::line(&mut screen, &words::rule_json(found))?;
        } else {
            words::whole_rule(&mut screen, found, &policy)?;
        }
        return super::done(screen, 0);
    }
    if args.json {
        json::line(&mut screen, &words::policy_json(&policy, &title))?;
    } else {
        words::policy(&mut screen, &policy, &title)?;
    }
    super::done(screen, 0)
}

#[derive(Serialize)]
struct ProblemView<'a> {
    line: usize,
    column: usize,
    text: &'a str,
    hint: &'a str,
}

fn check(args: &Check, globals: &Globals) -> Result<u8> {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => used_file(globals)?,
    };
    let mut name = file.display().to_string();
    let is_default = args.file.is_none() && globals.data()?.policy.is_none();
    let text = match desk::policy::text_of(&file) {
        Ok(text) => text,
        // Without a file of its own a node has the shipped policy.
        Err(_) if is_default && !file.exists() => {
            name = format!("the shipped policy (there is no {name})");
            String::new()
        }
        Err(reason) => bail!("{reason}"),
    };
    let mut screen = Screen::new();
    match desk::policy::read(&text, &name) {
        Ok(policy) => {
            if args.json {
                json::line(&mut screen, &json!({ "file": name, "usable": true, "policy": words::policy_json(&policy, &name) }))?;
            } else {
                words::policy(&mut screen, &policy, &name)?;
                let acting = Severity::ALL.into_iter().filter(|severity| policy.care(*severity).mode == Mode::Act);
                let acting: Vec<&str> = acting.map(Severity::word).collect();
                screen.line("")?;
                screen.line(match acting.is_empty() {
                    true => "This policy can be used. It sends nothing: every severity observes.".to_owned(),
                    false => format!("This policy can be used. It acts at {}.", acting.join(", ")),
                })?;
            }
            super::done(screen, 0)
        }
        Err(wrong) => {
            if args.json {
                let problems: Vec<ProblemView<'_>> = wrong
                    .problems
                    .iter()
                    .map(|one| ProblemView { line: one.line, column: one.column, text: &one.text, hint: &one.hint })
                    .collect();
                json::line(&mut screen, &json!({ "file": name, "usable": false, "problems": problems }))?;
            } else {
                screen.line(crate::output::safe::clean_lines(&wrong.to_string()))?;
                let count = wrong.problems.len();
                screen.line(format!("{}; this policy cannot be used", crate::output::words::counted(count as u64, "problem")))?;
            }
            super::done(screen, 1)
        }
    }
}

/// The policy file that the node uses.
fn used_file(globals: &Globals) -> Result<PathBuf> {
    let data = globals.data()?;
    Ok(data.policy.clone().unwrap_or_else(|| data.directory.join(desk::policy::FILE)))
}

fn versions(args: &Versions, globals: &Globals) -> Result<u8> {
    let versions = globals.reader()?.read(|transaction| transaction.policies())?;
    let mut screen = Screen::new();
    let acts = |version: &Version| -> String {
        let Ok(policy) = desk::policy::read_kept(version) else { return "cannot be read by this program".to_owned() };
        let acting = Severity::ALL.into_iter().filter(|severity| policy.care(*severity).mode == Mode::Act);
        let acting: Vec<&str> = acting.map(Severity::word).collect();
        if acting.is_empty() { "observes".to_owned() } else { format!("acts at {}", acting.join(", ")) }
    };
    if args.json {
        for version in &versions {
            let digest: String = version.digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let (id, since, file) = (version.id, version.since.to_string(), &version.file);
            json::line(
                &mut screen,
                &json!({ "version": id, "since": since, "file": file, "sha256": digest, "mode": acts(version) }),
            )?;
        }
        return super::done(screen, 0);
    }
    if versions.is_empty() {
        screen.line("no policy was in force here yet: the shipped one will be, and it only observes")?;
        return super::done(screen, 0);
    }
    let mut table = Table::new(&screen, &[">version", "=since", "from", "=mode"]);
    for version in versions.iter().rev() {
        let from = if version.file.is_empty() { "shipped with the program".to_owned() } else { version.file.clone() };
        table.row([
            (Style::Strong, version.id.to_string()),
            (Style::Plain, moment(version.since)),
            (Style::Plain, from),
            (Style::Plain, acts(version)),
        ]);
    }
    table.write(&mut screen)?;
    super::done(screen, 0)
}

fn reload(globals: &Globals) -> Result<u8> {
    let version: Value = crate::acts::ask(globals, &crate::acts::Act::Policy)?;
    let mut screen = Screen::new();
    screen.line(format!("version {version} is in force"))?;
    super::done(screen, 0)
}
