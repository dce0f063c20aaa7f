//! `sluis formats`: what this version reads.

use anyhow::Result;
use serde::Serialize;

use crate::output::{Screen, Style, Table, json};

/// List the formats of abuse reports that this version reads
#[derive(clap::Args)]
#[command(
    after_help = "A format is recognised by what the bytes look like; --format NAME of 'read' and 'receive' says it instead.
Mails and zip files are opened on the way, whatever is inside."
)]
pub(crate) struct Args {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct View {
    name: &'static str,
    title: &'static str,
}

pub(super) fn run(args: &Args) -> Result<u8> {
    let mut screen = Screen::new();
    let mut table = Table::new(&screen, &["=format", "what it is"]);
    for format in parsers::formats::ALL {
        if args.json {
            json::line(&mut screen, &View { name: format.name, title: format.title })?;
        } else {
            table.row([(Style::Strong, format.name.to_owned()), (Style::Plain, format.title.to_owned())]);
        }
    }
    if !args.json {
        table.write(&mut screen)?;
    }
    super::done(screen, 0)
}
