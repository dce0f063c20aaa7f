//! `sluis db`: what the database is, and how large it has become.

use anyhow::Result;
use serde::Serialize;

use super::Globals;
use crate::output::words::count;
use crate::output::{Screen, Style, Table, json};

/// Look after the database
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Status(Args),
}

/// Show what the database is and how large it has become
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis db status           engine, schema, size, and the rows of each table
  sluis db status --json    for a monitor

Rows are counted with SQLite; PostgreSQL estimates them since it last looked. Partitions hold the reports of 1,024 batches
each, and there are some ahead of those that are used.")]
pub(crate) struct Args {
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct View {
    engine: String,
    place: String,
    schema: i64,
    newest_schema: i64,
    bytes: u64,
    warnings: Vec<String>,
    tables: Vec<TableView>,
    partitions: Vec<PartitionView>,
}

#[derive(Serialize)]
struct TableView {
    name: String,
    rows: i64,
    bytes: Option<u64>,
}

#[derive(Serialize)]
struct PartitionView {
    number: i64,
    first_batch: i64,
    last_batch: i64,
    rows: i64,
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    let Command::Status(args) = command;
    let mut reader = globals.reader()?;
    let status = reader.status()?;
    let warnings = reader.read(|transaction| transaction.condition())?.warnings();
    let tables = status.tables.into_iter().map(|table| TableView { name: table.name, rows: table.rows, bytes: table.bytes });
    let partitions = status.partitions.into_iter().map(|one| PartitionView {
        number: one.number,
        first_batch: one.batches.0,
        last_batch: one.batches.1 - 1,
        rows: one.rows,
    });
    let view = View {
        engine: status.engine,
        place: status.place,
        schema: status.schema,
        newest_schema: status.known,
        bytes: status.bytes,
        warnings,
        tables: tables.collect(),
        partitions: partitions.collect(),
    };
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &view)?;
    } else {
        draw(&mut screen, &view)?;
    }
    super::done(screen, 0)
}

fn draw(screen: &mut Screen, view: &View) -> Result<()> {
    screen.line(format_args!("{}: {}", view.engine, view.place))?;
    screen.line(format_args!("schema {} of {}, {} on disk", view.schema, view.newest_schema, mebibytes(view.bytes)))?;
    for warning in &view.warnings {
        let text = screen.paint(Style::Alarm, warning);
        screen.line(text)?;
    }
    let sized = view.tables.iter().any(|table| table.bytes.is_some());
    let mut table = Table::new(screen, if sized { &["=table", ">rows", ">on disk"] } else { &["=table", ">rows"] });
    for one in &view.tables {
        let (name, rows) = ((Style::Strong, one.name.clone()), (Style::Plain, count(one.rows)));
        match one.bytes {
            Some(bytes) => table.row([name, rows, (Style::Plain, mebibytes(bytes))]),
            None => table.row([name, rows]),
        }
    }
    table.write(screen)?;
    if view.partitions.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(screen, &[">partition", ">from batch", ">to batch", ">reports"]);
    for one in &view.partitions {
        let numbers = [one.number, one.first_batch, one.last_batch].map(|number| (Style::Plain, number.to_string()));
        let [number, first, last] = numbers;
        table.row([number, first, last, (Style::Plain, count(one.rows))]);
    }
    Ok(table.write(screen)?)
}

/// A size for people.
fn mebibytes(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, (bytes >> 10 & 1023) * 10 / 1024)
}
