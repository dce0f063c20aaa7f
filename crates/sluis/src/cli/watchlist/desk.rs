//! `sluis watchlist desk`, `answer`, `suspend` and `listed`: what the contest desk does.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum;
use serde_json::json;
use watchlist::chance;
use watchlist::desk::listed::Proof;
use watchlist::desk::{Desk, Readable};
use watchlist::files;
use watchlist::keys::{Public, Role, hex, public_path};
use watchlist::provider::report::{Language, day};

use super::provider::Lang;
use super::{Globals, Passphrase};
use crate::cli::done;
use crate::output::words::counted;
use crate::output::{Screen, clean};

/// Where the desk works, and with which key.
#[derive(clap::Args)]
pub(crate) struct At {
    /// The desk's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl At {
    fn open(&self) -> Result<Desk> {
        Ok(Desk::open(&self.dir, self.passphrase.read()?.as_deref())?)
    }
}

/// The contest desk: make its directory, take in the list, admit providers, and show its record
#[derive(clap::Subcommand)]
#[command(after_help = "Examples:
  sluis watchlist desk new --dir loket --name 'Bezwaarloket'                       its key; give the .pub to the list holder
  sluis watchlist desk take --dir loket --officers AAAA-BBBB,CCCC-DDDD FILE FILE   the public file, and the one for the desk
  sluis watchlist desk admit --dir loket provider.pub --fingerprint AAAA-BBBB     a provider may ask
  sluis watchlist desk record --dir loket                                          what the desk did")]
pub(crate) enum Command {
    New(New),
    Take(Take),
    Admit(Admit),
    Entries(Entries),
    Record(Record),
}

/// Make a desk's directory with a new key
#[derive(clap::Args)]
pub(crate) struct New {
    #[command(flatten)]
    at: At,
    /// What the desk is called
    #[arg(long, value_name = "NAME")]
    name: String,
}

/// Take in files of the list holder
#[derive(clap::Args)]
pub(crate) struct Take {
    /// The public files, and those for the desk (.desk.slu)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    at: At,
    /// The first time: fingerprints of two officers, as they read them to you
    #[arg(long, value_name = "FINGERPRINTS", value_delimiter = ',')]
    officers: Vec<String>,
}

/// Let a provider ask for reasons
#[derive(clap::Args)]
pub(crate) struct Admit {
    /// Its public key (.pub)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    at: At,
    /// Its fingerprint, as the provider read it to you
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: String,
}

/// Show the entries, for whoever decides on a contest
#[derive(clap::Args)]
pub(crate) struct Entries {
    #[command(flatten)]
    at: At,
    /// Only those with these words in a name or identifier
    #[arg(value_name = "WORDS")]
    words: Option<String>,
    /// The language
    #[arg(long, value_name = "LANG", default_value = "nl")]
    lang: Lang,
}

/// Show what the desk did, and check that no line is gone
#[derive(clap::Args)]
pub(crate) struct Record {
    #[command(flatten)]
    at: At,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now().0;
    let mut screen = Screen::new();
    match command {
        Command::New(args) => {
            let passphrase = args.at.passphrase.read()?;
            let desk = Desk::create(&args.at.dir, &args.name, passphrase.as_deref(), &mut chance::system())?;
            let public = public_path(&args.at.dir.join(watchlist::desk::KEY));
            writeln!(screen, "{}", desk.identity().public.fingerprint())?;
            writeln!(screen, "Give {} to the list holder, and read them the fingerprint.", public.display())?;
        }
        Command::Take(args) => {
            let files = args.files.iter().map(|path| Ok(files::read(path, 1 << 30)?)).collect::<Result<Vec<_>>>()?;
            let mut desk = args.at.open()?;
            let shelf = desk.take(&files, &args.officers, now)?;
            let (name, epoch, seq) = (clean(&shelf.manifest.name).to_string(), shelf.tip.epoch, shelf.tip.seq);
            writeln!(screen, "{name}: epoch {epoch}, change {seq}")?;
            match desk.entries(now) {
                Ok(entries) => writeln!(screen, "{} can be read", counted(entries.len() as u64, "entry"))?,
                Err(why) => writeln!(screen, "{}", clean(&why.to_string()))?,
            }
        }
        Command::Admit(args) => {
            let public = Public::open(&args.file, Role::Provider)?;
            args.at.open()?.admit(&public, &args.fingerprint, now)?;
            writeln!(screen, "{} may ask", clean(&public.name))?;
        }
        Command::Entries(args) => {
            let words = args.words.as_deref().map(str::to_lowercase);
            for one in args.at.open()?.entries(now)? {
                if words.as_ref().is_none_or(|words| text_of(&one).contains(words.as_str())) {
                    show(&mut screen, &one, args.lang.into())?;
                }
            }
        }
        Command::Record(args) => {
            let record = args.at.open()?.record()?;
            if args.json {
                writeln!(screen, "{}", serde_json::to_string_pretty(record.lines())?)?;
            } else {
                for line in record.lines() {
                    writeln!(screen, "{:>6}  {}  {}  {}", line.number, day(Language::En, line.at), line.what, line.about)?;
                }
                let (count, head) = record.head();
                writeln!(screen, "{count} lines, none is gone; note the last digest elsewhere: {head}")?;
            }
        }
    }
    done(screen, 0)
}

fn text_of(one: &Readable) -> String {
    let identifiers = one.entry.identifiers.iter().map(|(_, text)| text.as_str());
    let names = one.entry.names.iter().chain(&one.entry.aliases).map(String::as_str);
    names.chain(identifiers).collect::<Vec<_>>().join(" ").to_lowercase()
}

fn show(screen: &mut Screen, one: &Readable, language: Language) -> Result<()> {
    let entry = &one.entry;
    let names: Vec<&str> = entry.names.iter().chain(&entry.aliases).map(String::as_str).collect();
    let status = one.status.name();
    writeln!(screen, "{}  {status}  {} {}", hex(&entry.id), language.say("versie", "version"), entry.version)?;
    writeln!(screen, "  {}", clean(&names.join(" / ")))?;
    writeln!(screen, "  {}", clean(language.say(&entry.reason_nl, &entry.reason_en)))?;
    writeln!(screen, "  {} ({})", clean(&entry.source), clean(&entry.legal_basis))?;
    Ok(())
}

/// Read what providers ask about names, and answer with --give
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist answer ask-1.slu --dir loket          shows who asks about which entry, and why
  sluis watchlist answer ask-1.slu --dir loket --give   answers: a file for each question, for that provider alone")]
pub(crate) struct Answer {
    /// The provider's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    at: At,
    /// Answer what is not refused
    #[arg(long)]
    give: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn answer(args: &Answer, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now().0;
    let mut desk = args.at.open()?;
    let questions = desk.questions(&files::read(&args.file, 64 << 20)?, now)?;
    let written = if args.give { desk.answer(&questions, now, &mut chance::system())? } else { Vec::new() };
    let mut screen = Screen::new();
    if args.json {
        let questions: Vec<_> = questions
            .iter()
            .map(|question| {
                json!({
                    "provider": question.provider,
                    "why": question.why,
                    "at": question.at,
                    "entry": question.about.as_ref().map(|about| hex(&about.entry.id)),
                    "refused": question.refused,
                })
            })
            .collect();
        let files: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
        writeln!(screen, "{}", serde_json::to_string_pretty(&json!({ "questions": questions, "files": files }))?)?;
        return done(screen, 0);
    }
    for question in &questions {
        writeln!(screen, "{}: {}", clean(&question.provider), clean(&question.why))?;
        match (&question.refused, &question.about) {
            (Some(why), _) => writeln!(screen, "  not answered: {}", clean(why))?,
            (None, Some(about)) => show(&mut screen, about, Language::Nl)?,
            (None, None) => {}
        }
    }
    for path in &written {
        writeln!(screen, "Give {} to the provider.", path.display())?;
    }
    if !args.give {
        writeln!(screen, "Nothing was answered; with --give it is.")?;
    }
    done(screen, 0)
}

/// Suspend an entry that somebody contests: no new measure may rest on it from the next look on
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist suspend 3f2a…c1 --dir loket --fact 'other owner since March'   a file for all providers and the list holder

Once for each fact. The desk cannot make an entry live again: the list holder decides.")]
pub(crate) struct Suspend {
    /// The entry: its number, or the first eight digits or more
    #[arg(value_name = "ENTRY")]
    entry: String,
    #[command(flatten)]
    at: At,
    /// Which fact is contested
    #[arg(long, value_name = "TEXT")]
    fact: String,
}

pub(super) fn suspend(args: &Suspend, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now().0;
    let mut desk = args.at.open()?;
    let wanted = args.entry.to_lowercase();
    let mut ids: Vec<[u8; 16]> = desk
        .entries(now)?
        .iter()
        .map(|one| one.entry.id)
        .filter(|id| wanted.len() >= 8 && hex(id).starts_with(&wanted))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let [id] = ids.as_slice() else {
        bail!("no one entry is called {:?}; `sluis watchlist desk entries` shows their numbers", args.entry);
    };
    let path = desk.suspend(id, &args.fact, now, &mut chance::system())?;
    let mut screen = Screen::new();
    writeln!(screen, "Give {} to all providers, and to the list holder with what the party wrote.", path.display())?;
    done(screen, 0)
}

/// "Am I listed?": a procedure that says nothing to whoever has nothing to do with it
#[derive(clap::Subcommand)]
#[command(after_help = "Examples:
  sluis watchlist listed ask --dir loket --name 'Voorbeeld B.V.' --class kvk 12345678   gives a number; then print the letter
  sluis watchlist listed letter L-1A2B3C4D --dir loket --lang nl                        acknowledges until day 14, answers from then on
  sluis watchlist listed prove L-1A2B3C4D --dir loket --how register-extract --seen 'extract of 20 November'
  sluis watchlist listed look L-1A2B3C4D --dir loket                                    for the desk and the list holder alone
  sluis watchlist listed disclose L-1A2B3C4D --dir loket --entry ENTRY --decided-by NAME")]
pub(crate) enum Listed {
    Ask(AskListed),
    Prove(Prove),
    Look(Of),
    Disclose(Disclose),
    Letter(Letter),
    List(All),
}

/// Take in a question
#[derive(clap::Args)]
pub(crate) struct AskListed {
    /// What is asked about: a number, a domain name, an address
    #[arg(value_name = "IDENTIFIER")]
    identifier: String,
    #[command(flatten)]
    at: At,
    /// Who asks, for the letter
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What it is: kvk, registry, vat, domain, asn, ipv4, ipv6, handle, email, phone, iban and the others that a list has
    #[arg(long, value_name = "CLASS")]
    class: String,
}

/// Write down how the asker proved that it is theirs
#[derive(clap::Args)]
pub(crate) struct Prove {
    /// The number of the question
    #[arg(value_name = "NUMBER")]
    number: String,
    #[command(flatten)]
    at: At,
    /// How
    #[arg(long, value_name = "HOW")]
    how: How,
    /// What was seen of it
    #[arg(long, value_name = "TEXT")]
    seen: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum How {
    /// An extract of the register, not older than a month
    RegisterExtract,
    /// The code in a TXT record
    DnsTxt,
    /// The code, sent by post and back
    Post,
}

/// See whether it is listed: for the desk and the list holder alone
#[derive(clap::Args)]
pub(crate) struct Of {
    /// The number of the question
    #[arg(value_name = "NUMBER")]
    number: String,
    #[command(flatten)]
    at: At,
    /// The language
    #[arg(long, value_name = "LANG", default_value = "nl")]
    lang: Lang,
}

/// Write down that the list holder decided to disclose an entry
#[derive(clap::Args)]
pub(crate) struct Disclose {
    /// The number of the question
    #[arg(value_name = "NUMBER")]
    number: String,
    #[command(flatten)]
    at: At,
    /// The entry's number
    #[arg(long, value_name = "ENTRY")]
    entry: String,
    /// Who of the list holder decided
    #[arg(long, value_name = "NAME")]
    decided_by: String,
}

/// Print the letter: until day 14 the acknowledgement, from then on the answer
#[derive(clap::Args)]
pub(crate) struct Letter {
    /// The number of the question
    #[arg(value_name = "NUMBER")]
    number: String,
    #[command(flatten)]
    at: At,
    /// The language
    #[arg(long, value_name = "LANG", default_value = "nl")]
    lang: Lang,
}

/// List the questions, with the day on which each letter goes out
#[derive(clap::Args)]
pub(crate) struct All {
    #[command(flatten)]
    at: At,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn listed(command: &Listed, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now().0;
    let mut screen = Screen::new();
    match command {
        Listed::Ask(args) => {
            let mut desk = args.at.open()?;
            let request = desk.request(&args.name, &args.class, &args.identifier, now, &mut chance::system())?;
            writeln!(screen, "{}  code {}  letter on {}", request.number, request.code, day(Language::En, request.due()))?;
        }
        Listed::Prove(args) => {
            let how = match args.how {
                How::RegisterExtract => Proof::RegisterExtract,
                How::DnsTxt => Proof::DnsTxt,
                How::Post => Proof::Post,
            };
            args.at.open()?.prove(&args.number, how, &args.seen, now)?;
            writeln!(screen, "{}: control is proven", args.number)?;
        }
        Listed::Look(args) => {
            let entries = args.at.open()?.is_listed(&args.number, now)?;
            if entries.is_empty() {
                writeln!(screen, "Not listed. Say nothing before the letter.")?;
            } else {
                writeln!(screen, "Listed. Say nothing: ask the list holder whether to disclose.")?;
            }
            for one in &entries {
                show(&mut screen, one, args.lang.into())?;
            }
        }
        Listed::Disclose(args) => {
            args.at.open()?.disclose(&args.number, &args.entry, &args.decided_by, now)?;
            writeln!(screen, "{}: the letter of day 14 has the entry", args.number)?;
        }
        Listed::Letter(args) => {
            let letter = args.at.open()?.letter(&args.number, args.lang.into(), now)?;
            write!(screen, "{letter}")?;
        }
        Listed::List(args) => {
            let desk = args.at.open()?;
            if args.json {
                writeln!(screen, "{}", serde_json::to_string_pretty(&desk.state.requests)?)?;
            } else {
                for request in &desk.state.requests {
                    let proven = if request.proven.is_some() { "proven" } else { "not proven" };
                    let sent = if request.answered.is_some() { "written" } else { "to be written" };
                    let due = day(Language::En, request.due());
                    writeln!(screen, "{}  {proven}  letter {sent}, {due}  {}", request.number, clean(&request.name))?;
                }
            }
        }
    }
    done(screen, 0)
}
