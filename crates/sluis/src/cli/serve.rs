//! `sluis serve`: a node that takes reports in as they come.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};

use crate::cli::Globals;
use crate::data::Data;
use crate::serve::config::Config;
use crate::serve::socket::{self, Request, Response};
use crate::serve::{self, logs};

/// Take reports in as they come, until a signal says to stop
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis serve                         with the settings of sluis.toml in the data directory, if it is there
  sluis serve --config sluis.toml     with those of another file
  sluis serve --check                 only look whether the settings can be understood
  sluis serve --status                how the running one is

Signals: SIGTERM and SIGINT finish what is under way and end with exit code 0; a second one ends at once.
Exit codes: 0 stopped as asked, or (--status) ready; 1 it could not begin, or (--status) not ready.")]
pub(crate) struct Args {
    /// Look whether the settings can be understood, and end
    #[arg(long, conflicts_with = "status")]
    check: bool,
    /// Ask the running one how it is, and show it as JSON
    #[arg(long)]
    status: bool,
}

/// Runs it; the exit code.
pub(crate) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let data = crate::data::directory(globals.data.as_deref())?;
    if args.status {
        return status(&data);
    }
    let config = Config::load(globals.config.as_deref(), &data)?;
    if args.check {
        config.readers()?;
        config.engine()?;
        for receiver in &config.alert {
            receiver.sender()?;
        }
        config.administrations()?;
        for feed in &config.feed {
            crate::doors::fetch::Fetcher::open(feed)?;
        }
        for account in &config.imap {
            account.open()?;
        }
        for server in &config.servers {
            server.check()?;
        }
        return Ok(0);
    }
    logs::begin(&config.logs)?;
    serve::run(&Data::new(data, &config)?, &config, globals.clock())?;
    Ok(0)
}

fn status(data: &Path) -> Result<u8> {
    match socket::call(data, &Request::Status, None)? {
        Response::Status(status) => {
            let mut out = std::io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &status)?;
            writeln!(out)?;
            Ok(u8::from(!status.not_ready.is_empty()))
        }
        Response::Refused { reason } => bail!("{reason}"),
        _ => bail!("'sluis serve' answered something else; is it another version?"),
    }
}
