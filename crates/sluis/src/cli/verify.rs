//! `sluis verify`: what a bundle or a receipt proves. It opens no data of a node and no network.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args as ClapArgs, ValueEnum};
use sluis_verify::output::{self, About};
use sluis_verify::said::Language;
use sluis_verify::{files, fork, verify_with};

use super::Globals;

/// The exit status of a wrong call, also of a policy that cannot be read.
pub(super) const WRONG_CALL: u8 = 4;

/// Verify a bundle or a receipt: who was told what, when at the latest, and who proves it
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  sluis verify case.sluis-evidence --policy sector.policy --tsa-roots roots/
  sluis verify case.sluis-evidence --policy sector.policy --tsa-roots roots/ --print --lang nl

Trust is yours: the policy and the certificates are never taken from the file.
Exit status: 0 proven, 1 invalid, 2 incomplete, 3 unreadable, 4 wrong call")]
pub(crate) struct Args {
    /// The bundle or receipt
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whose signatures count: your policy, or an archive of policies
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The key that signed the archive of policies
    #[arg(long, value_name = "KEY")]
    policy_key: Option<String>,
    /// Certificates of time-stamping authorities, a .pem file for each
    #[arg(long, value_name = "DIR")]
    tsa_roots: Option<PathBuf>,
    /// Verify as of this date (default: now)
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    at: Option<model::time::Time>,
    /// A copy of the public log: is there a later record, does a slot occur twice
    #[arg(long, value_name = "DIR")]
    log: Option<PathBuf>,
    /// Observations of the DNS that others signed, for replies and bounces (may be given several times)
    #[arg(long, value_name = "FILE")]
    observation: Vec<PathBuf>,
    /// FILE is a fork proof: two histories of one log
    #[arg(long, conflicts_with_all = ["json", "print", "log"])]
    fork: bool,
    /// The verdict as JSON
    #[arg(long, conflicts_with = "print")]
    json: bool,
    /// A page for people to print
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    print: Option<Form>,
    /// The language
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Lang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    En,
    Nl,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let language = if args.lang == Lang::Nl { Language::Dutch } else { Language::English };
    let trust = files::trust(&args.policy, args.policy_key.as_deref(), args.tsa_roots.as_deref())?;
    let bytes = files::bundle(&args.file)?;
    if args.fork {
        let judgement = fork::judge(&bytes, &trust);
        write(&format!("{}\n", judgement.text.in_language(language)));
        return Ok(judgement.exit_code);
    }
    let at = Some(args.at.unwrap_or_else(|| globals.clock().now()).0);
    let mut verdict = match &args.log {
        Some(folder) => verify_with(&bytes, &trust, at, Some(&mut files::LogFolder(folder.clone()))),
        None => verify_with(&bytes, &trust, at, None),
    };
    let observations: Vec<Vec<u8>> = args.observation.iter().map(|path| files::observation(path)).collect::<Result<_, _>>()?;
    sluis_grade::into_verdict(&mut verdict, &observations);
    let about = About { bytes: &bytes, at, program: concat!("sluis ", env!("CARGO_PKG_VERSION")) };
    write(&match (args.json, args.print) {
        (true, _) => output::json(&verdict),
        (_, Some(Form::Html)) => output::html(&output::page(&verdict, &about, language), language),
        (_, Some(Form::Text)) => output::plain(&output::page(&verdict, &about, language)),
        (_, None) => output::terminal(&verdict, language),
    });
    Ok(verdict.exit_code())
}

/// The exit status says the verdict, also when whoever reads the text has gone away: so that is no failure.
fn write(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
