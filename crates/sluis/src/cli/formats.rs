//! `sluis formats`: what this version reads, from whom, and what that was tried on.

use anyhow::{Context, Result, bail};
use parsers::administration::systems;
use parsers::figures::{self, Figures};
use parsers::formats::{FAMILIES, Format, Proven};
use parsers::source::Limits;
use serde::Serialize;

use super::Globals;
use crate::output::safe::short;
use crate::output::words::{counted, moment};
use crate::output::{Screen, Style, Table, json};

/// List the formats of abuse reports that this version reads, and the systems whose exports 'import' reads
#[derive(clap::Args)]
#[command(
    after_help = "A format is recognised by what the bytes look like; --format NAME of 'read' and 'receive' says it instead.
Mails and zip files are opened on the way, whatever is inside. --system NAME of 'import' says whose export a file is; one
that is unproven was built from documentation alone, so look at --dry-run first.

Examples:
  sluis formats                      all of them, with what they were tried on
  sluis formats arf                  one, whole
  sluis formats --shapes             how what this node's senders send is laid out
  sluis read --explain report.eml    which of them takes a file, and what becomes of it"
)]
pub(crate) struct Args {
    /// One of them, whole
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// How what this node's senders send is laid out: when that changes, an alert names the new columns
    #[arg(long, conflicts_with = "name")]
    shapes: bool,
    /// How many shapes
    #[arg(short = 'n', value_name = "N", default_value_t = 1_000)]
    most: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct View {
    name: &'static str,
    family: &'static str,
    title: &'static str,
    senders: &'static [&'static str],
    fields: Vec<FieldView>,
    /// Whether samples of others prove it.
    proven: bool,
    /// Whose samples, or what it was written after.
    on: &'static str,
    fixtures: u32,
    samples: u32,
    as_expected: u32,
    compared_with: String,
}

#[derive(Serialize)]
struct FieldView {
    source: &'static str,
    becomes: &'static str,
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

#[derive(Serialize)]
struct ShapeView {
    format: String,
    sender: String,
    feed: String,
    columns: Vec<String>,
    since: String,
    seen: String,
    told: Option<String>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    if args.shapes {
        return shapes(args, globals);
    }
    if let Some(name) = &args.name {
        return one(args, name);
    }
    let mut screen = Screen::new();
    for (at, (family, formats)) in FAMILIES.into_iter().enumerate() {
        if args.json {
            for format in formats {
                json::line(&mut screen, &view(family, format))?;
            }
            continue;
        }
        if at == 0 {
            let title = screen.paint(Style::Strong, family);
            screen.line(title)?;
        } else {
            screen.heading(family)?;
        }
        let mut table = Table::new(&screen, &["=format", "who sends it", "what it is", ">own", ">others'", "proven on"]);
        for format in formats {
            let figures = figures::of(format.name);
            let (style, proof) = proof(format);
            table.row([
                (Style::Strong, format.name.to_owned()),
                (Style::Plain, senders(format)),
                (Style::Plain, format.title.to_owned()),
                (Style::Dim, figures.fixtures.to_string()),
                (Style::Plain, samples(&figures)),
                (style, proof),
            ]);
        }
        table.write(&mut screen)?;
    }
    if !args.json {
        let note = "\nown: samples that we wrote, hostile ones among them. others': samples of others that are read as another program reads them.";
        let note = screen.paint(Style::Dim, note.trim_start());
        screen.line("")?;
        screen.line(note)?;
        screen.heading("Administrations, for 'sluis import --system'")?;
    }
    systems_table(args, &mut screen)?;
    super::done(screen, 0)
}

fn systems_table(args: &Args, screen: &mut Screen) -> Result<()> {
    let mut table = Table::new(screen, &["=system", "what it is", "=proof"]);
    for system in systems::all() {
        if args.json {
            let exports = system.exports.iter().map(|export| export.what.as_str()).collect();
            let (proven, documentation) = (system.proven, system.from.as_slice());
            json::line(
                screen,
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
        table.write(screen)?;
    }
    Ok(())
}

fn one(args: &Args, name: &str) -> Result<u8> {
    let found = FAMILIES.into_iter().find_map(|(family, formats)| {
        let format = formats.iter().find(|format| format.name == name)?;
        Some((family, *format))
    });
    let Some((family, format)) = found else {
        bail!("there is no format '{}'; 'sluis formats' lists them", crate::output::clean(name));
    };
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &view(family, format))?;
        return super::done(screen, 0);
    }
    let title = screen.paint(Style::Strong, &format!("{}: {}", format.name, format.title));
    screen.line(title)?;
    let figures = figures::of(format.name);
    let (_, proof) = proof(format);
    let samples = match figures.samples {
        0 => "none".to_owned(),
        _ => format!("{} read as {} has them", samples(&figures), figures.by),
    };
    let limits = Limits::default();
    let bounds = format!(
        "a line or row of {} MiB, a document of {} MiB, {} containers inside each other, {} parts, {} GiB unpacked",
        limits.line >> 20,
        limits.whole >> 20,
        limits.depth,
        limits.parts,
        limits.unpacked >> 30
    );
    screen.facts(&[
        ("family", family.to_owned()),
        ("who sends it", senders(format)),
        ("proven on", proof),
        ("our samples", figures.fixtures.to_string()),
        ("samples of others", samples),
        ("bounds", bounds),
    ])?;
    screen.heading("What becomes what")?;
    let mut table = Table::new(&screen, &["the sender's name", "becomes"]);
    for (source, becomes) in format.fields {
        table.row([(Style::Strong, (*source).to_owned()), (Style::Plain, (*becomes).to_owned())]);
    }
    table.write(&mut screen)?;
    super::done(screen, 0)
}

fn view(family: &'static str, format: &Format) -> View {
    let Figures { fixtures, samples, as_expected, by } = figures::of(format.name);
    let (proven, on) = match format.proven {
        Proven::By(who) => (true, who),
        Proven::After(what) => (false, what),
    };
    let fields = format.fields.iter().map(|(source, becomes)| FieldView { source, becomes }).collect();
    let (name, title, senders) = (format.name, format.title, format.senders);
    View { name, family, title, senders, fields, proven, on, fixtures, samples, as_expected, compared_with: by }
}

fn senders(format: &Format) -> String {
    if format.senders.is_empty() { "anybody".to_owned() } else { format.senders.join(", ") }
}

fn samples(figures: &Figures) -> String {
    if figures.samples == 0 { String::new() } else { format!("{} of {}", figures.as_expected, figures.samples) }
}

fn proof(format: &Format) -> (Style, String) {
    match format.proven {
        Proven::By(who) => (Style::Plain, who.to_owned()),
        Proven::After(what) => (Style::Remark, format!("unproven: after {what}")),
    }
}

fn shapes(args: &Args, globals: &Globals) -> Result<u8> {
    let found = globals.reader().context("shapes are kept by a node")?.read(|transaction| transaction.shapes(args.most))?;
    let mut screen = Screen::new();
    if args.json {
        for shape in found {
            let store::shapes::Kept { format, sender, feed, columns, since, seen, told, .. } = shape;
            let (since, seen, told) = (since.to_string(), seen.to_string(), told.map(|told| told.to_string()));
            json::line(&mut screen, &ShapeView { format, sender, feed, columns, since, seen, told })?;
        }
        return super::done(screen, 0);
    }
    if found.is_empty() {
        screen.line("nothing is known yet: shapes are learned from what is received")?;
        return super::done(screen, 0);
    }
    let mut table = Table::new(&screen, &["=format", "sender", "feed", "=since", "=told", "columns"]);
    for shape in &found {
        let sender = match shape.sender.strip_prefix(store::shapes::UNPROVEN) {
            Some(sender) => format!("{sender} (it says)"),
            None => shape.sender.clone(),
        };
        let columns = format!("{}: {}", counted(shape.columns.len() as u64, "column"), shape.columns.join(", "));
        table.row([
            (Style::Strong, shape.format.clone()),
            (Style::Plain, short(&sender, 80)),
            (Style::Plain, short(&shape.feed, 80)),
            (Style::Dim, moment(shape.since)),
            (Style::Dim, shape.told.map_or_else(String::new, moment)),
            (Style::Plain, short(&columns, 400)),
        ]);
    }
    table.write(&mut screen)?;
    super::done(screen, 0)
}
