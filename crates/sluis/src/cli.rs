//! The command line: its commands, one file each, and what they have in common.

mod abuseio;
pub(crate) mod administration;
pub(crate) mod advance;
mod advisory;
pub(crate) mod alert;
mod backup;
pub(crate) mod case;
mod db;
mod demo;
#[cfg(test)]
mod documented;
mod explain;
mod feed;
mod forget;
mod formats;
mod generate;
mod hold;
pub(crate) mod import;
pub(crate) mod log;
pub(crate) mod order;
pub(crate) mod outbox;
mod party;
mod policy;
mod queue;
mod read;
mod reading;
mod receipt;
mod receive;
mod restore;
pub(crate) mod retain;
pub(crate) mod serve;
mod submission;
pub(crate) mod taking;
mod tally;
mod trace;
mod verify;
mod watchlist;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use desk::Clock;
use model::submission::PublicId;
use model::time::Time;
use store::Reader;

use crate::data::Data;
use crate::serve::config::Config;

/// Abuse reports in, traced to the party that held the address at the time, one case per problem.
#[derive(Parser)]
#[command(name = "sluis", version, max_term_width = 120, disable_help_subcommand = true)]
#[command(after_help = "Examples:
  sluis read report.eml | jq .type              any abuse report in, XARF v4 out
  sluis import customers.csv                    who holds what
  sluis receive scan.csv                        take reports in and open cases
  sluis case list --open                        what somebody has to act on
  sluis trace 192.0.2.7 --at 2026-11-01         who held an address at a moment

Data: --data DIR, else $SLUIS_DATA, else /var/lib/sluis if writable, else ~/.local/share/sluis")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command may be told.
#[derive(Args)]
pub(crate) struct Globals {
    /// The node's data directory
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The settings; without it sluis.toml in the data directory, else (data in /var/lib/sluis) /etc/sluis/sluis.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where the clock starts. For tests and demonstrations.
    #[arg(long, global = true, value_name = "TIME", value_parser = time, hide = true)]
    pub(crate) now: Option<Time>,
}

impl Globals {
    /// The clock of this run.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        crate::data::clock(self.now)
    }

    /// Where the data is, and how it is opened.
    pub(crate) fn data(&self) -> Result<Data> {
        let directory = crate::data::directory(self.data.as_deref())?;
        let config = Config::load(self.config.as_deref(), &directory)?;
        Data::new(directory, &config)
    }

    /// The settings.
    pub(crate) fn config(&self) -> Result<Config> {
        Config::load(self.config.as_deref(), &crate::data::directory(self.data.as_deref())?)
    }

    /// The data, to read.
    pub(crate) fn reader(&self) -> Result<Reader> {
        Ok(self.data()?.reader()?)
    }
}

/// What the program can do.
#[derive(Subcommand)]
pub(crate) enum Command {
    Read(read::Args),
    Trace(trace::Args),
    Import(import::Args),
    Receive(receive::Args),
    #[command(subcommand)]
    Case(case::Command),
    #[command(subcommand)]
    Party(party::Command),
    #[command(subcommand)]
    Policy(policy::Command),
    Queue(queue::Args),
    #[command(subcommand)]
    Alert(alert::Command),
    #[command(subcommand)]
    Outbox(outbox::Command),
    Advance(advance::Args),
    #[command(subcommand)]
    Advisory(advisory::Command),
    #[command(subcommand)]
    Submission(submission::Command),
    #[command(subcommand)]
    Feed(feed::Command),
    Formats(formats::Args),
    #[command(subcommand)]
    Db(db::Command),
    Backup(backup::Args),
    Restore(restore::Args),
    Retain(retain::Args),
    Forget(forget::Args),
    #[command(subcommand)]
    Hold(hold::Command),
    #[command(subcommand)]
    Log(log::Command),
    Verify(verify::Args),
    #[command(subcommand)]
    Watchlist(watchlist::Command),
    #[command(subcommand)]
    Tally(tally::Command),
    Serve(serve::Args),
    Demo(demo::Args),
    #[command(hide = true)]
    Generate(generate::Args),
}

impl Command {
    /// Runs the command; the exit code when it did its work.
    pub(crate) fn run(&self, globals: &Globals) -> Result<u8> {
        match self {
            Command::Read(args) => read::run(args, globals),
            Command::Trace(args) => trace::run(args, globals),
            Command::Import(args) => import::run(args, globals),
            Command::Receive(args) => receive::run(args, globals),
            Command::Case(command) => case::run(command, globals),
            Command::Party(command) => party::run(command, globals),
            Command::Policy(command) => policy::run(command, globals),
            Command::Queue(args) => queue::run(args, globals),
            Command::Alert(command) => alert::run(command, globals),
            Command::Outbox(command) => outbox::run(command, globals),
            Command::Advance(args) => advance::run(args, globals),
            Command::Advisory(command) => advisory::run(command, globals),
            Command::Submission(command) => submission::run(command, globals),
            Command::Feed(command) => feed::run(command, globals),
            Command::Formats(args) => formats::run(args, globals),
            Command::Db(command) => db::run(command, globals),
            Command::Backup(args) => backup::run(args, globals),
            Command::Restore(args) => restore::run(args, globals),
            Command::Retain(args) => retain::run(args, globals),
            Command::Forget(args) => forget::run(args, globals),
            Command::Hold(command) => hold::run(command, globals),
            Command::Log(command) => log::run(command, globals),
            Command::Verify(args) => verify::run(args, globals),
            Command::Watchlist(command) => watchlist::run(command, globals),
            Command::Tally(command) => tally::run(command, globals),
            Command::Serve(args) => serve::run(args, globals),
            Command::Demo(args) => demo::run(args, globals),
            Command::Generate(args) => generate::run(args),
        }
    }

    /// The exit code when it failed.
    pub(crate) fn error_code(&self, error: &anyhow::Error) -> u8 {
        match self {
            Command::Read(_) => 2,
            Command::Receive(_) => receive::error_code(error),
            Command::Verify(_) => verify::WRONG_CALL,
            _ => 1,
        }
    }
}

/// The exit code of a command line that cannot be understood. Mail servers know EX_USAGE of `sysexits.h`; 2 is a verdict
/// of `verify`.
pub(crate) fn usage_code(arguments: impl Iterator<Item = OsString>) -> u8 {
    let mut arguments = arguments;
    match arguments.find(|argument| argument == "receive" || argument == "verify") {
        Some(argument) if argument == "verify" => verify::WRONG_CALL,
        Some(_) => 64,
        None => 2,
    }
}

/// Writes out what is still on its way to the screen; the exit code.
fn done(mut screen: crate::output::Screen, code: u8) -> Result<u8> {
    std::io::Write::flush(&mut screen)?;
    Ok(code)
}

/// A time as an option.
fn time(text: &str) -> Result<Time, String> {
    Time::parse(text.as_bytes())
        .ok_or_else(|| "not a time: write 2026-11-21 or 2026-11-21T23:47:54Z (UTC unless it says otherwise)".to_owned())
}

/// What people type for a thing that has a row number and a public identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Id {
    Row(i64),
    Public(PublicId),
}

/// An identifier as an option: 26 letters and digits, or the number that lists show.
fn id(text: &str) -> Result<Id, String> {
    if let Some(public) = PublicId::parse(text) {
        return Ok(Id::Public(public));
    }
    let number = text.strip_prefix('#').unwrap_or(text).parse().ok().filter(|number| *number > 0);
    number.map(Id::Row).ok_or_else(|| "not an identifier: it is the number in a list, or 26 letters and digits".to_owned())
}

/// The one party that `text` means.
fn find_party(transaction: &store::Transaction<'_>, text: &str) -> Result<store::administration::KeptParty> {
    let mut found = transaction.find_parties(text, 20)?;
    let exact = found.iter().position(|kept| kept.party.reference == text || PublicId::parse(text) == Some(kept.public));
    let same_reference = found.iter().filter(|kept| kept.party.reference == text).count();
    match (exact, found.len()) {
        (Some(at), _) if same_reference <= 1 => Ok(found.swap_remove(at)),
        (_, 0) => bail!("there is no party '{}'; 'sluis party list TEXT' looks for names", crate::output::clean(text)),
        (_, 1) => Ok(found.swap_remove(0)),
        (_, count) => {
            let names =
                found.iter().take(5).map(|kept| format!("{} ({}, {})", kept.party.name, kept.party.reference, kept.public));
            let names: Vec<String> = names.collect();
            let more = if count > 5 { " and others" } else { "" };
            let text = crate::output::clean(text);
            bail!("'{text}' may be {}{more}: name it by its reference or identifier", crate::output::clean(&names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn identifiers_as_people_type_them() {
        assert_eq!(id("12"), Ok(Id::Row(12)));
        assert_eq!(id("#12"), Ok(Id::Row(12)));
        assert_eq!(id("00000000000000000000000001"), Ok(Id::Public(PublicId(1))));
        for text in ["", "0", "-1", "x", "99999999999999999999999999999"] {
            assert!(id(text).is_err(), "{text}");
        }
    }
}
