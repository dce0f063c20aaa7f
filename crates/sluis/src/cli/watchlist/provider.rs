//! `sluis watchlist match`, `hits`, `decide` and `ask`: what a provider does with a list, alone on its own machine.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::json;
use watchlist::chance;
use watchlist::customers::{Customers, MOST_TOLD, Map, Outcome};
use watchlist::files;
use watchlist::provider::decide::{Decide, decide};
use watchlist::provider::error::Error;
use watchlist::provider::hits::{Hits, What};
use watchlist::provider::look::Subject;
use watchlist::provider::report::{self, Language, Report};
use watchlist::provider::round::{self, Progress, Round};
use watchlist::provider::{Provider, ask, cache};
use watchlist::sheet::Sheet;
use watchlist::vault::Key;

use super::{Globals, Passphrase};
use crate::cli::done;
use crate::output::{self, Screen, clean};

/// The language of what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    Nl,
    En,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Language {
        match lang {
            Lang::Nl => Language::Nl,
            Lang::En => Language::En,
        }
    }
}

/// Where a provider works, and with which key.
#[derive(clap::Args)]
pub(crate) struct At {
    /// The provider's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl At {
    fn open(&self) -> Result<Provider> {
        Ok(Provider::open(&self.dir, self.passphrase.read()?.as_deref())?)
    }
}

/// Look customers up in a list: does what can be done now, and says what to do next
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist match --dir lijst --csv klanten.csv --list proef-E1-D0.slu --lang nl     the first time: makes a query
  sluis watchlist match --dir lijst --csv klanten.csv --answers answer-E1-P0.slu --lang nl  with the answer: shows candidates
  sluis watchlist match --dir lijst --csv klanten.csv --list proef-E1-D1.slu --lang nl     a change of the list: no contact needed

No measure is ever taken: a person decides. Exit status: 0 nothing to decide, 10 there is something to decide or reconsider")]
pub(crate) struct Match {
    #[command(flatten)]
    at: At,
    /// All customers: a CSV or XLSX with a row of headers
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// New files of the list
    #[arg(long, value_name = "FILE", num_args = 1..)]
    list: Vec<PathBuf>,
    /// Answers of the evaluator, or of the contest desk
    #[arg(long, value_name = "FILE", num_args = 1..)]
    answers: Vec<PathBuf>,
    /// Where report.html and report.json go (default: report/ in the provider's directory)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What columns are that nobody else knows
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Which witnesses must have signed the log of the list: a policy as `sluis verify` takes it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Keep no answers: each change of the list then needs a new query
    #[arg(long)]
    no_cache: bool,
    /// Forget the answers of customers that are not in the file, however many they are
    #[arg(long)]
    forget: bool,
    #[command(flatten)]
    cache: CacheKey,
    /// The report as JSON
    #[arg(long)]
    json: bool,
    /// The language
    #[arg(long, value_name = "LANG", default_value = "nl")]
    lang: Lang,
}

/// With which key answers are kept.
#[derive(clap::Args)]
struct CacheKey {
    /// The key of the cache, made when the file is not there; keep it apart from the directory
    #[arg(long, value_name = "FILE", conflicts_with = "cache_passphrase_file")]
    cache_key: Option<PathBuf>,
    /// A file whose first line is the passphrase of the cache, instead of a key
    #[arg(long, value_name = "FILE")]
    cache_passphrase_file: Option<PathBuf>,
}

impl CacheKey {
    fn open(&self, directory: &Path) -> Result<Key> {
        let mut rng = chance::system();
        if let Some(file) = &self.cache_passphrase_file {
            return Ok(cache::of_passphrase(directory, &super::first_line(file)?, &mut rng)?);
        }
        let beside = directory.join("cache.key");
        let path = self.cache_key.as_ref().unwrap_or(&beside);
        if *path == beside && !path.exists() {
            output::warn(
                "the key of the cache lies beside the cache: whoever copies the directory has both. Better: --cache-key with a file elsewhere",
            );
        }
        Ok(cache::of_file(path, &mut rng)?)
    }
}

/// The exit status when there is something to decide.
const TO_DECIDE: u8 = 10;

pub(super) fn run(args: &Match, globals: &Globals) -> Result<u8> {
    let mut provider = args.at.open()?;
    let key = args.cache.open(&args.at.dir)?;
    let language = Language::from(args.lang);
    let now = globals.clock().now().0;
    let policy = args.policy.as_deref().map(read_policy).transpose()?;
    let map = args.map.as_deref().map(read_map).transpose()?;
    let pinned = provider.pinned()?.clone();
    let name = args.csv.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bytes = files::read(&args.csv, 4 << 30)?;
    let mut sheet = Sheet::open(bytes, &name).map_err(|why| anyhow::anyhow!("{why}")).with_context(|| name.clone())?;
    let mut customers =
        Customers::read(&mut sheet, map.as_ref()).map_err(|why| anyhow::anyhow!("{why}")).with_context(|| name.clone())?;
    let given = Round {
        list: read_all(&args.list)?,
        answers: read_all(&args.answers)?,
        key,
        keep: !args.no_cache,
        policy: policy.as_ref(),
        forget: args.forget,
        language,
        now,
    };
    let bar = output::progress::Progress::new();
    let made = round::run(
        &mut provider,
        &given,
        customers.by_ref().map(|one| one.map_err(|why| Error::Said(format!("the customers cannot be read to the end: {why}")))),
        |customer| Subject::of(&customer, &pinned),
        |progress| bar.wait(&said(progress, language)),
        &mut chance::system(),
    );
    bar.finish();
    let mut report = made?;
    let outcome = customers.into_outcome();
    report.customers.cells_refused = outcome.rejected.values().sum();
    report.problems.extend(remarks(&outcome, language));
    let out = args.out.clone().unwrap_or_else(|| args.at.dir.join("report"));
    files::directory(&out)?;
    files::write(&out.join("report.html"), report::html(&report, language).as_bytes())?;
    files::write(&out.join("report.json"), report.json().as_bytes())?;
    let mut screen = Screen::new();
    if args.json {
        writeln!(screen, "{}", report.json())?;
    } else {
        write!(screen, "{}", report::table(&report, language))?;
        let page = out.join("report.html");
        writeln!(screen, "{} {}", language.say("Het verslag:", "The report:"), page.display())?;
    }
    done(screen, status(&report))
}

fn status(report: &Report) -> u8 {
    let waits = report.hits.iter().any(|hit| hit.is_to_decide() || hit.reconsider.is_some());
    if waits { TO_DECIDE } else { 0 }
}

fn said(progress: Progress, language: Language) -> String {
    match progress {
        Progress::List => language.say("lijst nagaan", "checking the list").to_owned(),
        Progress::Answers => language.say("antwoorden nagaan", "checking answers").to_owned(),
        Progress::Customers(count) => format!("{count} {}", language.say("klanten", "customers")),
        Progress::Query => language.say("vraag maken", "making the query").to_owned(),
    }
}

/// What came of reading the customers that somebody should know.
fn remarks(outcome: &Outcome, language: Language) -> Vec<String> {
    let mut all = Vec::new();
    let unknown: Vec<String> = outcome.unknown().map(|column| clean(&column.header).to_string()).collect();
    if !unknown.is_empty() {
        let columns = unknown.join(", ");
        all.push(language.say(
            format!("niet gebruikte kolommen: {columns} (zeg met --map wat zij zijn)"),
            format!("columns not used: {columns} (say with --map what they are)"),
        ));
    }
    if outcome.duplicated > 0 {
        let count = outcome.duplicated;
        all.push(language.say(
            format!("{count} rijen hebben een klantnummer dat al eerder stond"),
            format!("{count} rows have a customer number that another row has"),
        ));
    }
    for ((meaning, code), count) in &outcome.rejected {
        let places: Vec<&str> = outcome
            .rejects
            .iter()
            .filter(|reject| reject.meaning == *meaning && reject.why.code() == *code)
            .take(5)
            .map(|reject| reject.place.as_str())
            .collect();
        let (column, places) = (meaning.name(), places.join(", "));
        all.push(language.say(
            format!("{count} cellen met {column} niet te gebruiken ({code}), zoals {places}"),
            format!("{count} cells with {column} could not be used ({code}), such as {places}"),
        ));
    }
    all.truncate(MOST_TOLD);
    all
}

fn read_map(path: &Path) -> Result<Map> {
    let bytes = files::read(path, 1 << 20)?;
    let text = std::str::from_utf8(&bytes).context("the map is not UTF-8")?;
    Map::read(text).map_err(|why| anyhow::anyhow!("{why}")).with_context(|| path.display().to_string())
}

fn read_policy(path: &Path) -> Result<seal::policy::Policy> {
    seal::policy::Policy::parse(&files::read(path, 1 << 20)?).with_context(|| path.display().to_string())
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>> {
    paths.iter().map(|path| Ok(files::read(path, 1 << 32)?)).collect()
}

/// Show hits, with the days left to reconsider
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist hits --dir lijst --lang nl             all hits
  sluis watchlist hits --dir lijst H7A4QV258 --lang nl   one in full")]
pub(crate) struct Shown {
    /// Which; none for all
    #[arg(value_name = "HIT")]
    hit: Option<String>,
    /// The provider's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// The language
    #[arg(long, value_name = "LANG", default_value = "nl")]
    lang: Lang,
}

pub(super) fn hits(args: &Shown, globals: &Globals) -> Result<u8> {
    let hits = Hits::open(&args.dir)?;
    let (language, now) = (Language::from(args.lang), globals.clock().now().0);
    let mut screen = Screen::new();
    match (&args.hit, args.json) {
        (None, true) => writeln!(screen, "{}", serde_json::to_string_pretty(&hits)?)?,
        (Some(hit), true) => writeln!(screen, "{}", serde_json::to_string_pretty(hits.get(hit)?)?)?,
        (Some(hit), false) => write!(screen, "{}", report::hit_text(hits.get(hit)?, language, now))?,
        (None, false) => {
            let report = Report::new(
                report::List::default(),
                report::Customers::default(),
                &hits,
                watchlist::provider::hits::Changes::default(),
                Vec::new(),
                now,
            );
            write!(screen, "{}", report::table(&report, language))?;
        }
    }
    done(screen, 0)
}

/// Write down what a person decided on a hit
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist decide H7A4QV258 kept --dir lijst --by 'A. de Vries' --why 'naamgenoot: ander KvK-nummer'
  sluis watchlist decide H7A4QV258 terminated --dir lijst --by 'A. de Vries' --why 'voorwaarden, artikel 9' --own-evidence 'dossier 118'")]
pub(crate) struct Decided {
    /// The hit
    #[arg(value_name = "HIT")]
    hit: String,
    /// What was decided
    #[arg(value_name = "WHAT")]
    what: Choice,
    /// The provider's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Who decided
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Evidence of your own that carries a measure without the entry: where it lies
    #[arg(long, value_name = "TEXT")]
    own_evidence: Option<String>,
    /// The language
    #[arg(long, value_name = "LANG", default_value = "nl")]
    lang: Lang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// The contract was ended
    Terminated,
    /// Services were limited
    Quarantined,
    /// Looked at; the customer stays
    Kept,
    /// Being looked at
    Pending,
    /// The customer contests it
    Contested,
    /// It is a namesake: no hit, and not counted
    SomebodyElse,
}

impl From<Choice> for What {
    fn from(choice: Choice) -> What {
        match choice {
            Choice::Terminated => What::Terminated,
            Choice::Quarantined => What::Quarantined,
            Choice::Kept => What::Kept,
            Choice::Pending => What::Pending,
            Choice::Contested => What::Contested,
            Choice::SomebodyElse => What::SomebodyElse,
        }
    }
}

pub(super) fn decided(args: &Decided, globals: &Globals) -> Result<u8> {
    let _lock = files::Lock::of(&args.dir)?;
    let mut hits = Hits::open(&args.dir)?;
    let (language, now) = (Language::from(args.lang), globals.clock().now().0);
    let given = Decide { what: args.what.into(), by: &args.by, why: &args.why, own_evidence: args.own_evidence.as_deref() };
    let text = report::hit_text(decide(&mut hits, &args.hit, &given, now)?, language, now);
    hits.save(&args.dir)?;
    let mut screen = Screen::new();
    write!(screen, "{text}")?;
    done(screen, 0)
}

/// Ask the contest desk for the reason behind hits that a name alone opened
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist ask H96NCZK7A --dir lijst --why 'grote klant met twee meldingen van misbruik'

The desk sees which entry you ask about, and that you ask. It does not see which customer. 25 entries a quarter")]
pub(crate) struct Asked {
    /// The hits
    #[arg(value_name = "HIT", required = true)]
    hits: Vec<String>,
    #[command(flatten)]
    at: At,
    /// Why you ask: the desk reads it. Name no customer
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// The language
    #[arg(long, value_name = "LANG", default_value = "nl")]
    lang: Lang,
}

pub(super) fn asked(args: &Asked, globals: &Globals) -> Result<u8> {
    let mut provider = args.at.open()?;
    let mut hits = Hits::open(&args.at.dir)?;
    for name in &args.hits {
        let hit = hits.get(name)?;
        let named = hit
            .customer
            .names
            .iter()
            .chain([&hit.customer.id])
            .any(|own| own.chars().count() > 3 && args.why.to_lowercase().contains(&own.to_lowercase()));
        if named {
            bail!("--why names the customer of {}: the desk need not know; say it without", hit.id);
        }
    }
    let now = globals.clock().now().0;
    let questions = ask::ask(&mut provider, &mut hits, &args.hits, &args.why, now, &mut chance::system())?;
    let language = Language::from(args.lang);
    let (file, left) = (questions.file.display().to_string(), questions.left);
    let mut screen = Screen::new();
    if args.json {
        writeln!(screen, "{}", json!({ "file": file, "left": left }))?;
    } else {
        let text = language.say(
            format!("Breng {file} naar het bezwaarloket, en draai `sluis watchlist match` met het antwoord (--answers). Nog {left} dit kwartaal."),
            format!("Take {file} to the contest desk, and run `sluis watchlist match` with its answer (--answers). {left} left this quarter."),
        );
        writeln!(screen, "{text}")?;
    }
    done(screen, 0)
}
