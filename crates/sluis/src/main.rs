//! The program: command line, service, demo.
//!
//! `main` parses the command line ([`cli`]), runs one command, and turns what came of it into an exit code. What people
//! see is made in [`output`]; what they decide goes through [`acts`]; where a node's data is, [`data`] knows;
//! alerts go out by [`alert`], and nothing else does ([`egress`]).

mod acts;
mod alert;
mod cli;
mod data;
mod demo;
mod doors;
mod egress;
mod log;
mod mail;
mod output;
mod serve;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too; they go to standard output and are no failure.
            let _ = error.print();
            return ExitCode::from(match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => 0,
                _ => cli::usage_code(std::env::args_os().skip(1)),
            });
        }
    };
    let command = cli.command;
    match command.run(&cli.globals) {
        Ok(code) => ExitCode::from(code),
        // Whoever read our output has seen enough: that is no failure of ours.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::from(command.error_code(&error))
        }
    }
}
