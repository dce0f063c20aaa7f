//! The small program: it verifies a bundle, a receipt or a fork proof, with what is in this crate alone.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use sluis_verify::output::{self, About};
use sluis_verify::said::Language;
use sluis_verify::{files, fork, verify_with};

const HELP: &str = "\
Verifies a bundle or a receipt, without a network and without trust in who made it.

  sluis-verify FILE --policy FILE --tsa-roots DIR

  --policy FILE      whose signatures count: your policy, or an archive of policies
  --policy-key KEY   the key that signed the archive of policies
  --tsa-roots DIR    certificates of time-stamping authorities, a .pem file for each
  --at DATE          verify as of this date: 2026-11-22 or 2026-11-22T09:30:00Z (default: now)
  --log DIR          a copy of the public log: is there a later record, does a slot occur twice
  --fork             FILE is a fork proof
  --json             the verdict as JSON
  --print            a page for people, as text; --print=html as HTML
  --lang en|nl       the language (default: en)

Exit status: 0 proven, 1 invalid, 2 incomplete, 3 unreadable, 4 wrong call
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (text, code) = match Call::parse(&mut arguments).and_then(|call| call.run()) {
        Ok(answer) => answer,
        Err(Refused::Help) => (HELP.to_owned(), 0),
        Err(Refused::Wrong(why)) => {
            // Standard error may be closed; there is nobody left to tell then.
            let _ = writeln!(std::io::stderr(), "sluis-verify: {why}");
            return ExitCode::from(4);
        }
    };
    // The status says the verdict, also when nobody reads the text.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(code)
}

enum Refused {
    Help,
    Wrong(String),
}

#[derive(Default)]
struct Call {
    file: Option<PathBuf>,
    policy: Option<PathBuf>,
    policy_key: Option<String>,
    tsa_roots: Option<PathBuf>,
    at: Option<i64>,
    log: Option<PathBuf>,
    fork: bool,
    json: bool,
    print: Option<bool>,
    language: Language,
}

impl Call {
    fn parse(arguments: &mut impl Iterator<Item = String>) -> Result<Call, Refused> {
        let wrong = |why: &str| Refused::Wrong(format!("{why}; --help says how to call it"));
        let mut call = Call::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| wrong(&format!("{argument} needs a value")));
            match argument.as_str() {
                "-h" | "--help" => return Err(Refused::Help),
                "--policy" => call.policy = Some(value()?.into()),
                "--policy-key" => call.policy_key = Some(value()?),
                "--tsa-roots" => call.tsa_roots = Some(value()?.into()),
                "--at" => call.at = Some(seal::tsp::written(&value()?).ok_or_else(|| wrong("--at is no date"))?),
                "--log" => call.log = Some(value()?.into()),
                "--fork" => call.fork = true,
                "--json" => call.json = true,
                "--print" | "--print=text" => call.print = Some(false),
                "--print=html" => call.print = Some(true),
                "--lang" => {
                    call.language = match value()?.as_str() {
                        "en" => Language::English,
                        "nl" => Language::Dutch,
                        _ => return Err(wrong("--lang is en or nl")),
                    }
                }
                option if option.starts_with("--") => return Err(wrong(&format!("{option} is not known"))),
                file if call.file.is_none() => call.file = Some(file.into()),
                _ => return Err(wrong("one file at a time")),
            }
        }
        Ok(call)
    }

    fn run(self) -> Result<(String, u8), Refused> {
        let wrong = |why: &dyn std::fmt::Display| Refused::Wrong(why.to_string());
        let (Some(file), Some(policy)) = (&self.file, &self.policy) else {
            return Err(Refused::Wrong("FILE and --policy FILE are needed; --help says how to call it".to_owned()));
        };
        let trust = files::trust(policy, self.policy_key.as_deref(), self.tsa_roots.as_deref()).map_err(|why| wrong(&why))?;
        let bytes = files::bundle(file).map_err(|why| wrong(&why))?;
        if self.fork {
            let judgement = fork::judge(&bytes, &trust);
            return Ok((judgement.text.in_language(self.language).to_owned() + "\n", judgement.exit_code));
        }
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok());
        let at = self.at.or_else(now);
        let verdict = match self.log {
            Some(folder) => verify_with(&bytes, &trust, at, Some(&mut files::LogFolder(folder))),
            None => verify_with(&bytes, &trust, at, None),
        };
        let about = About { bytes: &bytes, at, program: concat!("sluis-verify ", env!("CARGO_PKG_VERSION")) };
        let page = || output::page(&verdict, &about, self.language);
        let text = match (self.json, self.print) {
            (true, _) => output::json(&verdict),
            (_, Some(true)) => output::html(&page(), self.language),
            (_, Some(false)) => output::plain(&page()),
            (..) => output::terminal(&verdict, self.language),
        };
        Ok((text, verdict.exit_code()))
    }
}
