//! `sluis policy init`: a policy file to begin with, which says how one says what differs.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::super::Globals;
use crate::output::Screen;

/// What a new file says.
const BEGINNING: &str = include_str!("policy.beginning.toml");

/// Write a policy file to begin with
#[derive(clap::Args)]
pub(crate) struct Init {
    /// Where; else where the node looks for it. A file that is there stays as it is
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// With every rule of the shipped policy, for those who want to own each of them
    #[arg(long)]
    whole: bool,
}

pub(super) fn run(args: &Init, globals: &Globals) -> Result<u8> {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => super::used_file(globals)?,
    };
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let text = if args.whole { desk::policy::SHIPPED } else { BEGINNING };
    let mut made = std::fs::File::create_new(&file).with_context(|| format!("{}: cannot be made", file.display()))?;
    made.write_all(text.as_bytes()).with_context(|| file.display().to_string())?;
    let mut screen = Screen::new();
    screen.line(crate::output::clean(&format!("{} is written; it only observes until you switch it on", file.display())))?;
    super::super::done(screen, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::policy::Mode;

    #[test]
    fn the_beginning_is_the_shipped_policy_and_its_examples_can_be_switched_on() {
        let policy = desk::policy::read(BEGINNING, "policy.toml").unwrap();
        let shipped = desk::policy::shipped();
        assert_eq!(policy.rules, shipped.rules);
        assert!(policy.care.iter().all(|care| care.mode == Mode::Observe));
        // What is shown behind a '#' without a blank is an example.
        let on: String = BEGINNING
            .lines()
            .map(|line| format!("{}\n", line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '#'])).unwrap_or(line)))
            .collect();
        let policy = desk::policy::read(&on, "policy.toml").unwrap_or_else(|wrong| panic!("{wrong}"));
        assert!(policy.rules.len() > shipped.rules.len() && policy.care.iter().any(|care| care.mode == Mode::Act));
    }
}
