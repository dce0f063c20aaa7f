//! The program: command line, service, demo.

mod serve;

/// The command line, as far as it is here: `sluis serve`.
mod cli {
    use std::path::PathBuf;
    use std::sync::Arc;

    use desk::{Clock, SystemClock};

    pub(crate) mod serve;

    /// What every command may be told.
    #[derive(clap::Args)]
    pub(crate) struct Globals {
        /// The node's data directory
        #[arg(long, global = true, value_name = "DIR")]
        pub(crate) data: Option<PathBuf>,
    }

    impl Globals {
        /// The clock of this run.
        pub(crate) fn clock(&self) -> Arc<dyn Clock> {
            Arc::new(SystemClock)
        }
    }

    /// Abuse reports in, traced to the party that held the address at the time, one case per problem.
    #[derive(clap::Parser)]
    #[command(name = "sluis", version)]
    pub(crate) struct Cli {
        #[command(flatten)]
        pub(crate) globals: Globals,
        #[command(subcommand)]
        pub(crate) command: Command,
    }

    /// What the program can do.
    #[derive(clap::Subcommand)]
    pub(crate) enum Command {
        Serve(serve::Args),
    }
}

/// Where a node's data is.
mod data {
    use std::path::{Path, PathBuf};

    use anyhow::Context;

    /// The data directory: `--data`, else `SLUIS_DATA`.
    pub(crate) fn directory(option: Option<&Path>) -> anyhow::Result<PathBuf> {
        let set = || std::env::var_os("SLUIS_DATA").map(PathBuf::from);
        option.map(Path::to_owned).or_else(set).context("say where the data is with --data DIR or SLUIS_DATA")
    }
}

fn main() -> std::process::ExitCode {
    let cli = <cli::Cli as clap::Parser>::parse();
    let cli::Command::Serve(args) = cli.command;
    match cli::serve::run(&args, &cli.globals) {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("sluis: {error:#}");
            1.into()
        }
    }
}
