//! The table for people: one line a format, then every fault and every difference.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Format;

/// Writes the table, and below it what is to be mended.
pub(super) fn write(formats: &BTreeMap<String, Format>, out: &mut dyn Write) -> io::Result<()> {
    let wide = formats.keys().map(|name| name.chars().count()).max().unwrap_or(0).max("format".len());
    writeln!(
        out,
        "{:wide$}  {:>5} {:>10} {:>8} {:>8}  {:>13}  {:>10}  {:>9}",
        "format", "files", "understood", "reports", "rejects", "as the oracle", "slowest", "most"
    )?;
    for (name, format) in formats {
        let agreed =
            format.compared.as_ref().map_or("-".to_owned(), |compared| format!("{}/{}", compared.matched, compared.total));
        let slowest = format.slowest.as_ref().map_or("-".to_owned(), |(took, _)| format!("{:.1} ms", took.as_secs_f64() * 1e3));
        let largest = format.largest.as_ref().map_or("-".to_owned(), |(peak, _)| format!("{:.1} MiB", *peak as f64 / 1024.0));
        writeln!(
            out,
            "{name:wide$}  {:>5} {:>10} {:>8} {:>8}  {agreed:>13}  {slowest:>10}  {largest:>9}",
            format.files, format.understood, format.reports, format.rejects
        )?;
    }
    let files: usize = formats.values().map(|format| format.files).sum();
    let faults: usize = formats.values().map(|format| format.faults.len()).sum();
    writeln!(out, "\n{files} files read, {faults} faults (panic, failure, over 1 s, over 64 MiB)")?;
    if let Some((took, path)) = formats.values().filter_map(|format| format.slowest.as_ref()).max() {
        writeln!(out, "slowest: {path}, {:.1} ms", took.as_secs_f64() * 1e3)?;
    }
    if let Some((peak, path)) = formats.values().filter_map(|format| format.largest.as_ref()).max() {
        writeln!(out, "largest growth of the program: {path}, {:.1} MiB", *peak as f64 / 1024.0)?;
    }
    for fault in formats.values().flat_map(|format| &format.faults) {
        writeln!(out, "FAULT {fault}")?;
    }
    writeln!(out)?;
    for (name, format) in formats {
        let Some(compared) = &format.compared else {
            writeln!(out, "{name}: not compared yet; {} files, read without a fault {}", format.files, format.unharmed())?;
            continue;
        };
        writeln!(
            out,
            "{name}: {} files with an oracle, {} of {} records as the oracle has them, {} differences",
            compared.files,
            compared.matched,
            compared.total,
            compared.differences.len()
        )?;
        if compared.excused > 0 {
            writeln!(out, "  {} records are meant to be read in another way", compared.excused)?;
        }
        for meant in &compared.meant {
            writeln!(out, "  meant: {meant}")?;
        }
        for difference in &compared.differences {
            writeln!(out, "  {difference}")?;
        }
    }
    Ok(())
}

impl Format {
    /// Files read without a fault, over all of them.
    fn unharmed(&self) -> String {
        // A file can have more than one fault (slow and large), so paths are counted, not lines.
        let mut paths: Vec<&str> = self.faults.iter().filter_map(|fault| fault.split(": ").next()).collect();
        paths.dedup();
        format!("{}/{}", self.files.saturating_sub(paths.len()), self.files)
    }
}
