//! `cargo xtask`: what was asked for, and the exit code (0 well, 1 not well, 2 not understood).

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
Chores of the project.

  cargo xtask test          pass every check and test, as CI does
  cargo xtask tidy          only the house rules that a program can hold
  cargo xtask corpus DIR    what the parsers read of a folder of samples, against its oracles; with --figures at the
                            end, what that proves of each format is written down for `sluis formats`
  cargo xtask corpus fetch [--from DIR|URL] DIR
                            the public samples, fetched into a folder from the repositories they are in
  cargo xtask names DIR     how well names are found, and how many are opened wrongly, on a folder of public names;
                            with --table at the end, the table of how rare words are is made anew
  cargo xtask deb           the Debian package, into target/deb
  cargo xtask page          the page of the verifier, joined of its sources
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let root = xtask::root();
    let mut out = io::stdout().lock();
    let done = match words.as_slice() {
        ["test"] => {
            // Cargo writes to the same terminal: holding the lock would make it wait for us.
            drop(out);
            xtask::suite::run(&root)
        }
        ["deb"] => {
            drop(out);
            xtask::deb::run(&root)
        }
        ["page"] => xtask::page::run(&root),
        ["tidy"] => xtask::tidy::run(&root, &mut out),
        ["corpus", "fetch", folder] => xtask::corpus::fetch::run(&root, None, Path::new(folder), &mut out),
        ["corpus", "fetch", "--from", from, folder] => xtask::corpus::fetch::run(&root, Some(from), Path::new(folder), &mut out),
        ["corpus", folder] => xtask::corpus::run(Path::new(folder), None, &mut out),
        ["corpus", folder, "--figures"] => {
            let figures = root.join("crates/parsers/data/figures.toml");
            xtask::corpus::run(Path::new(folder), Some(&figures), &mut out)
        }
        ["names", folder] => xtask::names::run(Path::new(folder), &mut out),
        ["names", folder, "--table"] => xtask::names::make_table(&root, Path::new(folder), &mut out),
        ["help" | "--help" | "-h"] => out.write_all(USAGE.as_bytes()).map(|()| true).map_err(Into::into),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
