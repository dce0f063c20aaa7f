//! `sluis submission receipt`: what a reporter is given to prove that the notice was received (DSA article 16(4)).

use std::path::PathBuf;

use anyhow::Result;
use desk::seal::export::receipt;
use store::keys::Keys;

use super::case::bundle;
use super::submission::find;
use super::{Globals, Id};

/// Write the receipt of a submission, for who sent it
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis submission receipt 12
  sluis submission receipt 12 --row 4711 -o 4711.sluis-receipt      of one row of a long list

It shows the reporter what was sealed of his own notice, and nothing of the case that came of it. One from before the log was
published commits to the notice; one made later proves it.")]
pub(crate) struct Args {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ID", value_parser = super::id)]
    id: Id,
    /// The file; it must not be there yet. Without it, one named by the submission in this folder
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Of a list: only this row, by its place as 'sluis submission show' counts
    #[arg(long, value_name = "PLACE")]
    row: Vec<u32>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let data = globals.data()?;
    let now = globals.clock().now();
    let mut reader = data.reader()?;
    let submission = reader.read(|transaction| find(transaction, args.id))?;
    let keys = Keys::open_to_read(&data.directory.join("keys.db"))?;
    let made =
        reader.read(|transaction| receipt::submission(transaction, &keys, &data.directory, submission.id, &args.row, now))?;
    let file = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.sluis-receipt", submission.public)));
    bundle::write(&file, &made.bytes)?;
    bundle::told(&made, &file, args.json)?;
    Ok(0)
}
