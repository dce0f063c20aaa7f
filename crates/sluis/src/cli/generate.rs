//! `sluis generate`: manual pages and completions of shells, for whoever packages the program.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

/// Write manual pages and completions of shells, made from this very command line
///
/// The folder gets 'man' with one page a command, and 'completions' with a file for each of bash, zsh and fish.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where to write; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs it; the exit code.
pub(crate) fn run(args: &Args) -> Result<u8> {
    let (man, completions) = (args.folder.join("man"), args.folder.join("completions"));
    for folder in [&man, &completions] {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    pages(&man).with_context(|| man.display().to_string())?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut super::Cli::command(), "sluis", &completions)
            .with_context(|| completions.display().to_string())?;
    }
    Ok(0)
}

/// One page for the program and one for each command that is shown.
fn pages(folder: &Path) -> io::Result<()> {
    let mut program = super::Cli::command();
    program.build();
    page_of(&program, folder)
}

/// The page of a command, and those of the commands under it.
fn page_of(command: &Command, folder: &Path) -> io::Result<()> {
    for under in command.get_subcommands().filter(|under| !under.is_hide_set()) {
        page_of(under, folder)?;
    }
    // What stands below the options is set by hand (columns, examples): it must stay as it is, where running text is
    // filled to the width of the screen.
    let below = command.get_after_long_help().or_else(|| command.get_after_help()).map(ToString::to_string);
    let plain = command.clone().after_help(None::<&str>).after_long_help(None::<&str>);
    let man = Man::new(plain).manual("Sluis").source(concat!("Sluis ", env!("CARGO_PKG_VERSION")));
    let mut file = BufWriter::new(File::create(folder.join(man.get_filename()))?);
    man.render(&mut file)?;
    if let Some(below) = below {
        write!(file, ".SH NOTES\n.nf\n{}.fi\n", verbatim(&below))?;
    }
    file.flush()
}

/// Lines as roff(7) shows them letter by letter.
fn verbatim(text: &str) -> String {
    let escaped = text.lines().map(|line| format!("\\&{}\n", line.replace('\\', "\\e").replace('-', "\\-")));
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_roff_would_obey_is_shown() {
        assert_eq!(verbatim(".so /etc/passwd\n'x\n--a \\n"), "\\&.so /etc/passwd\n\\&'x\n\\&\\-\\-a \\en\n");
    }
}
