//! `sluis formats`: what this version reads.

use anyhow::Result;
use parsers::administration::systems;
use serde::Serialize;

use crate::output::{Screen, Style, Table, json};

/// List the formats of abuse reports that this version reads, and the systems whose exports 'import' reads
#[derive(clap::Args)]
#[command(
    after_help = "A format is recognised by what the bytes look like; --format NAME of 'read' and 'receive' says it instead.
Mails and zip files are opened on the way, whatever is inside. --system NAME of 'import' says whose export a file is; one
that is unproven was built from documentation alone, so look at --dry-run first."
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

#[derive(Serialize)]
struct SystemView {
    name: &'static str,
    title: &'static str,
    /// That it is a system of administration, and no format of reports.
    administration: bool,
    proven: bool,
    exports: Vec<&'static str>,
    documentation: &'static [String],
}

pub(super) fn run(args: &Args) -> Result<u8> {
    let mut screen = Screen::new();
    let mut table = Table::new(&screen, &["=format", "what it is"]);
    for format in parsers::formats::all() {
        if args.json {
            json::line(&mut screen, &View { name: format.name, title: format.title })?;
        } else {
            table.row([(Style::Strong, format.name.to_owned()), (Style::Plain, format.title.to_owned())]);
        }
    }
    if !args.json {
        table.write(&mut screen)?;
        screen.heading("Administrations, for 'sluis import --system'")?;
    }
    let mut table = Table::new(&screen, &["=system", "what it is", "=proof"]);
    for system in systems::all() {
        if args.json {
            let exports = system.exports.iter().map(|export| export.what.as_str()).collect();
            let (proven, documentation) = (system.proven, system.from.as_slice());
            json::line(
                &mut screen,
                &SystemView { name: &system.name, title: &system.title, administration: true, proven, exports, documentation },
            )?;
            continue;
        }
        let proof = if system.proven { "proven" } else { "unproven" };
        table.row([(Style::Strong, system.name.clone()), (Style::Plain, system.title.clone()), (Style::Dim, proof.to_owned())]);
        for export in &system.exports {
            table.row([(Style::Dim, String::new()), (Style::Dim, export.what.clone()), (Style::Dim, String::new())]);
        }
    }
    if !args.json {
        table.write(&mut screen)?;
    }
    super::done(screen, 0)
}
