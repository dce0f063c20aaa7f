//! `sluis watchlist enrol`, `leave` and `join`: who may ask, how much, and whose list it is.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use matching::envelope::fingerprint;
use matching::message::{Enrolment, GroupPlan, Plan};
use matching::token::Group;
use watchlist::enrolment::{self, About, parse_plan};
use watchlist::files;
use watchlist::keys::{self, Role};
use watchlist::provider::{Provider, join as joining};

use super::evaluate::{MOST, day};
use super::{Globals, Passphrase};
use crate::cli::done;
use crate::output::{Screen, clean};

/// The most bytes of a request, an enrolment or a leaving.
const PAPER: u64 = 64 << 10;

/// Enrol a provider, once its fingerprint was compared with somebody of the provider
///
/// Without --fingerprint it only shows who asks, and does nothing.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist enrol enrolment-request.slu                                                                 who asks
  sluis watchlist enrol enrolment-request.slu --fingerprint PRINT --officer one.key --out enrolment.slu   enrol with the usual plan
  sluis watchlist enrol enrolment-request.slu --fingerprint PRINT --officer one.key --out enrolment.slu --plan names=64,24,2,week")]
pub(crate) struct Enrol {
    /// The provider's request
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The fingerprint, as somebody of the provider read it to you on a number that you know
    #[arg(long, value_name = "PRINT", requires = "officer", requires = "out")]
    fingerprint: Option<String>,
    /// Your secret key, as an officer of the list
    #[arg(long, value_name = "FILE")]
    officer: Option<PathBuf>,
    /// Where the enrolment goes: for the provider, and for the evaluator
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Another plan for a group than the usual one: GROUP=SIZE,INITIAL,EACH,CADENCE
    #[arg(long, value_name = "PLAN", value_parser = parse_plan)]
    plan: Vec<GroupPlan>,
    /// The list has one-letter edits on both sides (the manifest says so)
    #[arg(long)]
    edits_both: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// End an enrolment: your own as a provider, or a provider's as an officer
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist leave --dir DIR                                                           as a provider
  sluis watchlist leave --officer one.key --enrolment enrolment.slu --out leaving.slu   as an officer")]
pub(crate) struct Leave {
    /// The provider's directory
    #[arg(long, value_name = "DIR", required_unless_present = "officer", conflicts_with = "officer")]
    dir: Option<PathBuf>,
    /// Your secret key, as an officer of the list
    #[arg(long, value_name = "FILE", requires = "enrolment", requires = "out")]
    officer: Option<PathBuf>,
    /// The enrolment that ends
    #[arg(long, value_name = "FILE")]
    enrolment: Option<PathBuf>,
    /// Where the paper for the evaluator goes
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Join a list: pin its officers, ask to be enrolled, take in the enrolment
///
/// The first time it makes the directory, with a key of its own.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist join --dir DIR --list FILE --officers PRINT,PRINT --name 'Voorbeeld Hosting' --registration 12345678 --contact abuse@hoster.example --customers 2000
  sluis watchlist join --dir DIR --enrolment enrolment.slu    what the list holder made of it
  sluis watchlist join --dir DIR --list FILE                  the manifest of the next epoch")]
pub(crate) struct Join {
    /// The provider's directory, made when it is not there
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The list holder's file with which the epoch began
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// The fingerprints of two officers, as somebody of the list holder read them to you
    #[arg(long, value_name = "PRINT,PRINT", value_delimiter = ',', requires = "list")]
    officers: Vec<String>,
    /// What you are called
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Your number in the trade register, or your AS number
    #[arg(long, value_name = "NUMBER", requires = "customers")]
    registration: Option<String>,
    /// Whom the list holder can call
    #[arg(long, value_name = "TEXT", requires = "customers")]
    contact: Option<String>,
    /// How many customers you have; only the next power of two is told
    #[arg(long, value_name = "N", requires = "registration", requires = "contact")]
    customers: Option<u32>,
    /// The list holder's answer to your request
    #[arg(long, value_name = "FILE")]
    enrolment: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Passphrase,
}

pub(super) fn enrol(args: &Enrol, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now().0;
    let file = files::read(&args.file, PAPER)?;
    let (_, about) = enrolment::read_request(&file, now)?;
    let mut screen = Screen::new();
    // Not the fingerprint: it is to be heard from them, not read here.
    writeln!(screen, "{}", clean(&about.name))?;
    writeln!(screen, "registration {}, contact {}", clean(&about.registration), clean(&about.contact))?;
    writeln!(screen, "at most {} customers", about.customers)?;
    let (Some(compared), Some(officer), Some(out)) = (&args.fingerprint, &args.officer, &args.out) else {
        writeln!(
            screen,
            "Nobody is enrolled yet. Call them on a number that you know, let them read their fingerprint, and give it with --fingerprint, --officer and --out."
        )?;
        return done(screen, 0);
    };
    let officer = keys::open(officer, Role::Officer, args.passphrase.read()?.as_deref())?;
    let mut plan: Vec<GroupPlan> = Plan::usual(about.customers, args.edits_both).groups().to_vec();
    for own in &args.plan {
        plan.retain(|usual| usual.group != own.group);
        plan.push(*own);
    }
    let plan = Plan::of(plan).context("a group is planned twice; give each group once")?;
    let (paper, enrolment) = enrolment::enrol(&file, compared, Some(plan), args.edits_both, &officer, now)?;
    files::write(out, &paper.encode())?;
    show(&mut screen, &enrolment)?;
    writeln!(
        screen,
        "It counts until {}. Give {} to the provider and to the evaluator.",
        day(paper.header.until),
        out.display()
    )?;
    done(screen, 0)
}

/// The plan, and how many guesses it is.
fn show(screen: &mut Screen, enrolment: &Enrolment) -> Result<()> {
    /// 90 days, and the 14 in which the next epoch has begun.
    const EPOCH: i64 = 104 * 24 * 60 * 60 * 1_000;
    for plan in enrolment.plan.groups() {
        writeln!(
            screen,
            "  {:<11} batches of {:>4}: {} at first, {} each {}; at most {} guesses in an epoch",
            plan.group.name(),
            plan.batch,
            plan.initial,
            plan.each,
            plan.cadence.name(),
            plan.quota(0, EPOCH)
        )?;
    }
    Ok(())
}

pub(super) fn leave(args: &Leave, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now().0;
    let mut screen = Screen::new();
    if let Some(dir) = &args.dir {
        let mut provider = Provider::open(dir, args.passphrase.read()?.as_deref())?;
        let path = joining::leave(&mut provider, &args.reason, now)?;
        writeln!(screen, "Give {} to the evaluator. What was asked and not answered is destroyed.", path.display())?;
        return done(screen, 0);
    }
    let (Some(officer), Some(enrolment), Some(out)) = (&args.officer, &args.enrolment, &args.out) else {
        bail!("as an officer, give --officer, --enrolment and --out");
    };
    let officer = keys::open(officer, Role::Officer, args.passphrase.read()?.as_deref())?;
    let file = files::read(enrolment, PAPER)?;
    let envelope = matching::envelope::Envelope::read_all(&file, 1)?.pop().context("the file is empty; ask for it again")?;
    let ended = Enrolment::decode(&envelope.body).context("this is no enrolment; check which file you gave")?;
    let paper = enrolment::leaving(&ended.provider, &args.reason, &officer, now);
    files::write(out, &paper.encode())?;
    writeln!(
        screen,
        "{}  {} is left. Give {} to the evaluator.",
        fingerprint(&ended.provider),
        clean(&ended.name),
        out.display()
    )?;
    writeln!(screen, "What it cached keeps working until the epoch ends.")?;
    done(screen, 0)
}

pub(super) fn join(args: &Join, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now().0;
    let passphrase = args.passphrase.read()?;
    let mut screen = Screen::new();
    let mut provider = directory(args, passphrase.as_deref(), &mut screen)?;
    if let Some(list) = &args.list {
        let joined = joining::pin(&mut provider, &files::read(list, MOST)?, &args.officers, now)?;
        tell(&mut screen, &joined)?;
    }
    if let (Some(registration), Some(contact), Some(customers)) = (&args.registration, &args.contact, args.customers) {
        let about = About {
            name: args.name.clone().unwrap_or_else(|| provider.identity().public.name.clone()),
            registration: registration.clone(),
            contact: contact.clone(),
            customers,
        };
        let path = joining::request(&provider, &about, now)?;
        writeln!(screen, "Give {} to the list holder. They will call you to compare this fingerprint:", path.display())?;
        writeln!(screen, "{}", provider.identity().public.fingerprint())?;
    }
    if let Some(enrolment) = &args.enrolment {
        let enrolled = joining::enrol(&mut provider, &files::read(enrolment, PAPER)?, now)?;
        writeln!(screen, "You are enrolled. In each period you send exactly this, whatever you have to ask:")?;
        show(&mut screen, &enrolled)?;
    }
    done(screen, 0)
}

fn directory(args: &Join, passphrase: Option<&str>, screen: &mut Screen) -> Result<Provider> {
    if args.dir.join("identity.key").exists() {
        return Ok(Provider::open(&args.dir, passphrase)?);
    }
    let name = args.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let name = name.with_context(|| format!("{} is new: say with --name what you are called", args.dir.display()))?;
    let made = Provider::create(&args.dir, name, passphrase, &mut watchlist::chance::system())?;
    writeln!(screen, "{} is your directory for this list, with a key of its own.", Path::display(&args.dir))?;
    Ok(made)
}

fn tell(screen: &mut Screen, joined: &joining::Joined) -> Result<()> {
    let said = if joined.new { "is pinned" } else { "was pinned before" };
    writeln!(screen, "The list '{}' of {}, epoch {}, {said}.", clean(&joined.name), clean(&joined.holder), joined.epoch)?;
    for note in &joined.notes {
        writeln!(screen, "{}", clean(note))?;
    }
    for (group, guesses) in joined.guesses.iter().filter(|_| joined.new) {
        writeln!(screen, "  {:<11} the largest provider can make {guesses} guesses in this epoch", Group::name(*group))?;
    }
    Ok(())
}
