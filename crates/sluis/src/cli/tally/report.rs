//! `sluis tally report`, `receipt` and `consent`: what a provider does.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use watchlist::chance;
use watchlist::provider::{decide, hits::Hits};
use watchlist::tally::{Answer, Answers, Held, provider};

use super::{Globals, Made, Party, Which, input, now, short};

/// Report: two files, one for each aggregator
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("answer").required(true))]
pub(crate) struct Report {
    /// The answer, where a number is asked
    #[arg(long, value_name = "N", group = "answer")]
    number: Option<u32>,
    /// Its parts, where exact sums are asked too
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', group = "answer")]
    parts: Vec<u32>,
    /// Which of the choices, from 1
    #[arg(long, value_name = "N", group = "answer")]
    choice: Option<u16>,
    /// Count the hits and decisions of this directory in the task's period
    #[arg(long, group = "answer")]
    hits: bool,
    /// Withdraw what was reported before and report anew, until the task closes
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    party: Party,
}

/// Take an aggregator's receipt in
#[derive(clap::Args)]
pub(crate) struct Receipt {
    /// The receipts
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    party: Party,
}

/// Consent to an exact total, which is made only when the whole cohort does
#[derive(clap::Args)]
pub(crate) struct Consent {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    party: Party,
}

impl Report {
    fn answer(&self, held: &Held) -> Result<Answer> {
        if self.hits {
            let hits = Hits::open(&self.party.dir)?;
            let counts = decide::count(&hits, held.task.period.from, held.task.period.until);
            return match (&held.task.answers, &held.task.exact) {
                (Answers::Choices(_), _) => bail!("this question has choices; answer it with --choice"),
                (_, None) => Ok(Answer::Number(counts.iter().fold(0, |sum, n| sum.saturating_add(*n)))),
                (_, Some(exact)) => Ok(Answer::Parts(counts.iter().map(|n| (*n).min(exact.most)).collect())),
            };
        }
        if let Some(number) = self.number {
            return Ok(Answer::Number(number));
        }
        if let Some(choice) = self.choice {
            return Ok(Answer::Choice(choice.checked_sub(1).context("choices are counted from 1")?));
        }
        Ok(Answer::Parts(self.parts.clone()))
    }
}

/// Reports.
pub(super) fn report(args: &Report, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let held = home.task(args.which.task.as_deref())?;
    let answer = args.answer(&held)?;
    let made = provider::report(&home, &held, &answer, args.replace, now(globals), &mut chance::system())?;
    let id = short(&held);
    let mut told = Made::of(&held);
    if let Some(withdrawal) = &made.withdrawal {
        let path = args.party.hand(&format!("withdrawal-{id}.slu"), withdrawal)?;
        told = told.file("both aggregators, before the other files", path);
    }
    let leader = args.party.hand(&format!("leader-share-{id}.slu"), &made.leader)?;
    let helper = args.party.hand(&format!("helper-share-{id}.slu"), &made.helper)?;
    told = told
        .file(format!("{}, the leader", held.task.leader.name), leader)
        .file(format!("{}, the helper: straight to it, not through the leader", held.task.helper.name), helper);
    if made.again {
        told = told.note("these are the files of before; to report something else, use --replace");
    }
    told.note("keep the receipts of both: 'sluis tally receipt'").tell(&args.party)
}

/// Takes receipts in.
pub(super) fn receipt(args: &Receipt, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let held = home.task(args.which.task.as_deref())?;
    let mut made = Made::of(&held);
    for file in &args.files {
        let role =
            provider::take_receipt(&home, &held, &input(file)?, now(globals)).with_context(|| file.display().to_string())?;
        made = made.note(format!("the {} has what was reported last", role.name()));
    }
    let standing = provider::standing(&home, &held)?;
    if !(standing.leader && standing.helper) {
        made = made.note("the other aggregator's receipt is missing still; without both this provider is not counted");
    }
    made.tell(&args.party)
}

/// Consents.
pub(super) fn consent(args: &Consent, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let held = home.task(args.which.task.as_deref())?;
    let file = provider::consent(&home, &held, now(globals))?;
    let path = args.party.hand(&format!("consent-{}.slu", short(&held)), &file)?;
    Made::of(&held)
        .file("both aggregators", path)
        .note(
            "with an exact total, all others together, or who knows that one provider dominates, can infer a provider's numbers",
        )
        .tell(&args.party)
}
