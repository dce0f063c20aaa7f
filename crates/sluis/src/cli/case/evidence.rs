//! `sluis case evidence`: a letter as it went, an answer, a bounce, a transcript or a receipt is kept with a case and sealed.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::ValueEnum;
use desk::seal::evidence::{About, Attaching, MOST};
use desk::{Desk, Error};
use model::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Globals, Id, find};
use crate::acts::{self, Act, By};
use crate::cli::{done, id, time};
use crate::output::words::size;
use crate::output::{Screen, json};

/// Attach a letter as it went, an answer, a bounce, a transcript or a receipt to a case, and seal it
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis case evidence 17 sent.eml --kind letter --recipient abuse@customer.example
  sluis case evidence 17 postfix.txt --kind transcript --about 4
  sluis case evidence 17 answer.eml --kind reply --at '2026-06-04 10:12'

It belongs to the last letter of the case, unless --about says another step. The file is kept as it is, encrypted, and shown in
bundles. Whoever verifies one grades how well it proves the delivery. docs/manual/evidence.md says what makes a good grade.")]
pub(crate) struct Args {
    /// The case: its identifier, or its number in the list
    #[arg(value_name = "CASE", value_parser = id)]
    case: Id,
    /// The file; '-' for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What it is
    #[arg(long, value_name = "KIND")]
    kind: Kind,
    /// What it belongs to: the number of a step of the case, or the commitment of a record (64 hexadecimal digits)
    #[arg(long, value_name = "STEP|RECORD", value_parser = about)]
    about: Option<About>,
    /// Whom the letter was for; of a letter, the address in 'To' if there is one
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// Identifier of the message; of a mail, its 'Message-ID'
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
    /// When it was sent or came in (default: now)
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Time>,
    #[command(flatten)]
    by: By,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What a piece of evidence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The letter as it went
    Letter,
    /// What the mail server wrote down while it handed the letter over
    Transcript,
    /// What came back
    Bounce,
    /// What the recipient answered
    Reply,
    /// What the recipient signed, or an observation of the DNS
    Receipt,
}

/// A piece of evidence on its way to the process that owns the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wire {
    case: i64,
    kind: String,
    /// In base64.
    content: String,
    /// Number of the step.
    step: Option<u32>,
    /// Commitment of the record, in hexadecimal.
    record: Option<String>,
    recipient: String,
    message_id: String,
    at: Option<i64>,
    by: String,
}

impl Wire {
    /// Attaches it.
    pub(crate) fn perform(&self, desk: &Desk) -> Result<Value, Error> {
        let wrong = |what: &str| Error::Invalid(what.to_owned());
        let record =
            self.record.as_ref().map(|text| acts::digest(text).ok_or_else(|| wrong("a commitment has 64 hexadecimal digits")));
        let attached = desk.attach(&Attaching {
            case: self.case,
            kind: self.kind.clone(),
            content: BASE64.decode(&self.content).map_err(|_| wrong("the content is not base64"))?,
            about: match record.transpose()? {
                Some(record) => Some(About::Record(record)),
                None => self.step.map(About::Step),
            },
            recipient: self.recipient.clone(),
            message_id: self.message_id.clone(),
            at: self.at.map(Time),
            by: self.by.clone(),
        })?;
        Ok(json!({ "step": attached.step }))
    }
}

fn about(text: &str) -> Result<About, String> {
    if let Some(record) = acts::digest(text) {
        return Ok(About::Record(record));
    }
    let step = text.parse().ok().filter(|step| *step > 0);
    step.map(About::Step)
        .ok_or_else(|| "write the number of a step ('sluis case show' has them), or 64 hexadecimal digits".to_owned())
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let content = read(&args.file)?;
    let named = sluis_grade::named(&content);
    let kind = args.kind.to_possible_value().map(|kind| kind.get_name().to_owned()).unwrap_or_default();
    let case = globals.reader()?.read(|transaction| find(transaction, args.case))?.case.id;
    let to = if args.kind == Kind::Letter { named.to } else { None };
    let asked = Wire {
        case,
        kind: kind.clone(),
        content: BASE64.encode(&content),
        step: match args.about {
            Some(About::Step(step)) => Some(step),
            _ => None,
        },
        record: match args.about {
            Some(About::Record(record)) => Some(record.iter().map(|byte| format!("{byte:02x}")).collect()),
            _ => None,
        },
        recipient: args.recipient.clone().or(to).unwrap_or_default(),
        message_id: args.message_id.clone().or(named.message_id).unwrap_or_default(),
        at: args.at.map(|at| at.0),
        by: args.by.name()?,
    };
    let outcome = acts::ask(globals, &Act::Evidence(Box::new(asked)))?;
    let step = outcome.get("step").and_then(Value::as_u64);
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &json!({ "case": case, "kind": kind, "bytes": content.len(), "step": step }))?;
    } else {
        let of = match step {
            Some(step) => format!("with step {step}"),
            None => "with no letter: there is none in it".to_owned(),
        };
        screen.line(format_args!("{kind} of {} kept with case {case}, {of}", size(content.len() as u64)))?;
    }
    done(screen, 0)
}

/// The file, if it is not too large.
fn read(path: &Path) -> Result<Vec<u8>> {
    let name = path.display();
    let mut source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("{name}: cannot be read"))?)
    };
    let mut content = Vec::new();
    source.by_ref().take(MOST as u64 + 1).read_to_end(&mut content).with_context(|| format!("{name}: cannot be read"))?;
    if content.len() > MOST {
        bail!("{name}: evidence has at most {}", size(MOST as u64));
    }
    Ok(content)
}
