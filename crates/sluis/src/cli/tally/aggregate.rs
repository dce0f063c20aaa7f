//! `sluis tally key`, `accept`, `set`, `prepare` and `release`: what an aggregator does, in this order. The same command takes the other's file
//! and gives the next.

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::Serialize;
use watchlist::chance;
use watchlist::keys::{Role as KeyRole, hex};
use watchlist::tally::{Kind, Role, provider, set as accepted};

use super::{Globals, Made, Party, Which, input, now, public, short};
use crate::output::{Screen, Style, Table, json};

/// Draw the key of verification of a task (leader), or take it in (helper)
#[derive(clap::Args)]
pub(crate) struct Key {
    /// The leader's file, for the helper to take in
    #[arg(value_name = "FILE", requires = "from", conflicts_with = "helper", required_unless_present = "helper")]
    file: Option<PathBuf>,
    /// The helper's public key, for the leader to seal it to
    #[arg(long = "for", value_name = "FILE", id = "helper")]
    helper: Option<PathBuf>,
    /// The leader's public key
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    party: Party,
}

/// Take contributions, withdrawals and consents in, and give receipts
#[derive(clap::Args)]
pub(crate) struct Accept {
    /// The files of providers
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    party: Party,
}

/// Agree on the accepted set after the close; a provider looks whether it is in it
#[derive(clap::Args)]
pub(crate) struct Set {
    /// The other's file; the leader begins without one
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    party: Party,
}

/// Prove the contributions, seven days after the set was shown
#[derive(clap::Args)]
pub(crate) struct Prepare {
    /// The other's file; the leader begins without one
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    party: Party,
}

/// Give this aggregator's share of the total to the collector: with noise, once for ever
#[derive(clap::Args)]
pub(crate) struct Release {
    /// The total with noise, to release the exact sums that the whole cohort consented to
    #[arg(long, value_name = "TOTAL")]
    exact: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    party: Party,
}

/// The key of verification.
pub(super) fn key(args: &Key, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let (commitment, file) = match (&args.helper, &args.file, &args.from) {
        (Some(helper), None, _) => {
            let made = home.new_verify_key(&public(helper, KeyRole::Helper)?, now(globals), &mut chance::system())?;
            let name = format!("verify-key-{}.slu", hex(&made.commitment[..4]));
            (made.commitment, Some(args.party.hand(&name, &made.file)?))
        }
        (None, Some(file), Some(from)) => {
            (home.take_verify_key(&input(file)?, &public(from, KeyRole::Leader)?, now(globals))?, None)
        }
        _ => bail!("the leader gives --for HELPER.pub; the helper gives the leader's FILE and --from LEADER.pub"),
    };
    let mut screen = Screen::new();
    let commitment = hex(&commitment);
    if args.party.json {
        json::line(&mut screen, &serde_json::json!({ "verify": commitment, "file": file }))?;
        return crate::cli::done(screen, 0);
    }
    if let Some(file) = file {
        screen.line(format_args!("{}  for the helper", file.display()))?;
    }
    screen.line(format_args!("verify = \"{commitment}\""))?;
    screen.line("The line above goes into the association's description of the task.")?;
    crate::cli::done(screen, 0)
}

#[derive(Serialize)]
struct TakenView {
    provider: String,
    what: &'static str,
    taken: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Contributions and what goes with them.
pub(super) fn accept(args: &Accept, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let mut views = Vec::new();
    for file in &args.files {
        for taken in home.accept(&input(file)?, now(globals))? {
            let provider = hex(&taken.provider);
            let what = match taken.kind {
                Kind::LeaderShare | Kind::HelperShare => "contribution",
                Kind::Withdrawal => "withdrawal",
                Kind::Consent => "consent",
                _ => "something else",
            };
            let (receipt, why) = match taken.outcome {
                Ok(Some(receipt)) => (Some(args.party.hand(&format!("receipt-{}.slu", &provider[..16]), &receipt)?), None),
                Ok(None) => (None, None),
                Err(error) => (None, Some(error.to_string())),
            };
            views.push(TakenView { provider, what, taken: why.is_none(), receipt, why });
        }
    }
    let refused = views.iter().any(|view| !view.taken);
    let mut screen = Screen::new();
    if args.party.json {
        for view in &views {
            json::line(&mut screen, view)?;
        }
        return crate::cli::done(screen, u8::from(refused));
    }
    let mut table = Table::new(&screen, &["=provider", "=what", "outcome"]);
    for view in views {
        let outcome = match (view.why, view.receipt) {
            (Some(why), _) => (Style::Alarm, format!("refused: {why}")),
            (None, Some(receipt)) => (Style::Plain, format!("taken; receipt in {}", receipt.display())),
            (None, None) => (Style::Plain, "taken".to_owned()),
        };
        table.row([(Style::Strong, view.provider.chars().take(16).collect()), (Style::Plain, view.what.to_owned()), outcome]);
    }
    table.write(&mut screen)?;
    crate::cli::done(screen, u8::from(refused))
}

/// The accepted set.
pub(super) fn set(args: &Set, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let held = home.task(args.which.task.as_deref())?;
    let (now, id) = (now(globals), short(&held));
    let made = Made::of(&held);
    if home.identity.public.role == KeyRole::Provider {
        let Some(file) = &args.file else { bail!("give the set that both aggregators signed") };
        let accepted = provider::look_at_set(&home, &held, &input(file)?, now)?;
        return if accepted {
            made.note("this provider's newest contribution is in the accepted set").tell(&args.party)
        } else {
            bail!(
                "this provider is NOT in the accepted set: show the receipts to both aggregators and to the association within seven days"
            )
        };
    }
    let made = match (home.role()?, &args.file) {
        (Role::Leader, None) => {
            let path = args.party.hand(&format!("set-proposal-{id}.slu"), &home.propose_set(&held, now)?)?;
            made.file("the helper", path)
        }
        (Role::Leader, Some(file)) => {
            let path = args.party.hand(&format!("set-{id}.slu"), &home.confirm_set(&held, &input(file)?, now)?)?;
            made.file("the helper, and the cohort to see", path).note("its seven days begin now")
        }
        (Role::Helper, Some(file)) => {
            let bytes = input(file)?;
            if accepted::is_from(&bytes, &held.task.helper.signing)? {
                home.take_set(&held, &bytes, now)?;
                made.note("both have signed; its seven days begin now")
            } else {
                let path = args.party.hand(&format!("set-answer-{id}.slu"), &home.answer_set(&held, &bytes, now)?)?;
                made.file("the leader", path)
            }
        }
        (Role::Helper, None) => bail!("the leader begins: give its file"),
        (Role::Collector, _) => bail!("the leader and the helper agree on the set"),
    };
    made.tell(&args.party)
}

/// The proofs.
pub(super) fn prepare(args: &Prepare, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let held = home.task(args.which.task.as_deref())?;
    let (now, id) = (now(globals), short(&held));
    let made = Made::of(&held);
    let refused = |mut made: Made, refused: &[[u8; 32]]| {
        for provider in refused {
            made = made.note(format!("not counted, since its proof does not hold: provider {}", hex(provider)));
        }
        made
    };
    let made = match (home.role()?, &args.file) {
        (Role::Leader, None) => made.file("the helper", args.party.hand(&format!("prepare-{id}.slu"), &home.begin(&held, now)?)?),
        (Role::Leader, Some(file)) => {
            let (bytes, counted) = home.end(&held, &input(file)?, now)?;
            let path = args.party.hand(&format!("counted-{id}.slu"), &bytes)?;
            let made =
                made.file("the helper, and the cohort to see", path).note(format!("{} are counted", counted.set.entries.len()));
            refused(made, &counted.refused)
        }
        (Role::Helper, Some(file)) => {
            let bytes = input(file)?;
            if accepted::is_counted(&bytes)? {
                let counted = home.take_counted(&held, &bytes, now)?;
                refused(made.note(format!("{} are counted", counted.set.entries.len())), &counted.refused)
            } else {
                let path = args.party.hand(&format!("prepare-answer-{id}.slu"), &home.answer(&held, &bytes, now)?)?;
                made.file("the leader", path)
            }
        }
        (Role::Helper, None) => bail!("the leader begins: give its file"),
        (Role::Collector, _) => bail!("the leader and the helper prove the contributions"),
    };
    made.tell(&args.party)
}

/// An aggregator's share of the total.
pub(super) fn release(args: &Release, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let held = home.task(args.which.task.as_deref())?;
    let (now, id, mut rng) = (now(globals), short(&held), chance::system());
    let (bytes, kind) = match &args.exact {
        None => (home.release(&held, now, &mut rng)?, "noised"),
        Some(total) => (home.release_exact(&held, &input(total)?, now, &mut rng)?, "exact"),
    };
    let path = args.party.hand(&format!("{kind}-share-{id}.slu"), &bytes)?;
    Made::of(&held).file(format!("{}, the collector", held.task.collector.name), path).tell(&args.party)
}
