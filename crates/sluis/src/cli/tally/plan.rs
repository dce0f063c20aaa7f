//! `sluis tally task`: the association's description of a tally, read from a file of settings.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use model::time::Time;
use serde::Deserialize;
use watchlist::chance;
use watchlist::keys::{Public, Role as KeyRole, unhex};
use watchlist::tally::author::{self, Named, Plan, Question};
use watchlist::tally::{Answers, FLOOR, Held, Member, Period, Words};

use super::{Globals, Made, Party, input, now, public, short};

/// Make a task from its description (TOML), for the roles to sign
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The description: the manual shows one
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    party: Party,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Exact totals too, for which each provider of the cohort must consent.
    #[serde(default)]
    exact: bool,
    /// Instead of the standard question: another closed one.
    question: Option<Asked>,
    period: Days,
    opens: String,
    closes: String,
    ends: String,
    floor: Option<u16>,
    epsilon: Option<f64>,
    verify: String,
    leader: Role,
    helper: Role,
    collector: Role,
    /// A CSV with the columns key and group.
    cohort: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    measure: String,
    nl: String,
    en: String,
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    nl: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Days {
    name: String,
    from: String,
    until: String,
    #[serde(default = "quarters")]
    a_year: u8,
}

fn quarters() -> u8 {
    4
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    key: PathBuf,
    entity: String,
    #[serde(default)]
    police: bool,
}

fn millis(text: &str) -> Result<i64> {
    let time = Time::parse(text.as_bytes())
        .with_context(|| format!("'{text}' is not a time: write 2026-11-21 or 2026-11-21T23:47:54Z"))?;
    Ok(time.0)
}

impl Role {
    fn named(self, folder: &Path, role: KeyRole) -> Result<Named> {
        let public = public(&folder.join(&self.key), role)?;
        Ok(Named { public, entity: self.entity, police: self.police })
    }
}

impl File {
    fn plan(self, folder: &Path) -> Result<Plan> {
        let question = match self.question {
            None => Question::Matches { exact: self.exact },
            Some(_) if self.exact => bail!("exact totals belong to the standard question; leave 'exact' or 'question' out"),
            Some(asked) => Question::Choices {
                measure: asked.measure,
                question: Words { nl: asked.nl, en: asked.en },
                choices: asked.choices.into_iter().map(|choice| Words { nl: choice.nl, en: choice.en }).collect(),
            },
        };
        let epsilon = match self.epsilon {
            None => None,
            // 0.05 to 2 are exact in thousandths, and nothing else is let in.
            Some(epsilon) if (0.05..=2.0).contains(&epsilon) => Some((epsilon * 1000.0).round() as u32),
            Some(_) => bail!("epsilon is from 0.05 to 2"),
        };
        Ok(Plan {
            question,
            period: Period { name: self.period.name, from: millis(&self.period.from)?, until: millis(&self.period.until)? },
            a_year: self.period.a_year,
            opens: millis(&self.opens)?,
            closes: millis(&self.closes)?,
            ends: millis(&self.ends)?,
            floor: self.floor.unwrap_or(FLOOR),
            epsilon,
            leader: self.leader.named(folder, KeyRole::Leader)?,
            helper: self.helper.named(folder, KeyRole::Helper)?,
            collector: self.collector.named(folder, KeyRole::Collector)?,
            verify: unhex(&self.verify).context("'verify' is the commitment that 'sluis tally key' printed, 64 letters")?,
            members: members(&folder.join(&self.cohort))?,
        })
    }
}

/// The members: a public file, or 64 letters, and the legal group. `#` begins a remark.
fn members(path: &Path) -> Result<Vec<Member>> {
    let text = String::from_utf8(input(path)?).with_context(|| format!("{} is not text in UTF-8", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut members = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || (number == 0 && line.starts_with("key")) {
            continue;
        }
        let place = || format!("{}, line {}", path.display(), number + 1);
        let (key, group) = line.split_once(',').with_context(|| format!("{}: write KEY,GROUP", place()))?;
        let key = match unhex(key.trim()) {
            Ok(key) => key,
            Err(_) => Public::open(&folder.join(key.trim()), KeyRole::Provider).with_context(place)?.key,
        };
        members.push(Member { key, group: group.trim().to_owned() });
    }
    Ok(members)
}

/// Runs it.
pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let text = String::from_utf8(input(&args.file)?).context("the description is not text in UTF-8")?;
    let file: File = toml::from_str(&text).with_context(|| args.file.display().to_string())?;
    let plan = file.plan(args.file.parent().unwrap_or(Path::new(".")))?;
    let held = author::make(&home, &plan, now(globals), &mut chance::system())?;
    let path = args.party.hand(&format!("task-{}.slu", short(&held)), &held.file())?;
    Made::of(&held)
        .file("leader, helper and collector, for their signatures; it names the cohort", path)
        .note(what(&held))
        .note("each role signs it with 'sluis tally join', and the providers get it when all have")
        .tell(&args.party)
}

fn what(held: &Held) -> String {
    let released = match held.task.answers {
        Answers::Count { .. } => "released: how many providers are affected",
        Answers::Choices(_) => "released: how many chose each answer",
    };
    format!("{released}, with a standard deviation of {:.1}", held.task.deviation())
}
