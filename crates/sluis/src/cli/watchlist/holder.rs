//! `sluis watchlist new`, `add`, `import`, `review`, `withdraw` and `replace`: the entries of a list, on the machine of who holds it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;
use watchlist::files;
use watchlist::holder::form::{self, Form, Problem, short};
use watchlist::holder::review::Reviewed;
use watchlist::holder::state::Settings;
use watchlist::holder::{Begin, Holder, LogAt, import};
use watchlist::keys::{self, Identity, Public, Role};
use watchlist::sheet::Sheet;

use super::{Globals, Passphrase, first_line};
use crate::cli::done;
use crate::output::words::counted;
use crate::output::{Screen, Style, Table, clean, json as output};

/// The most bytes of a file with entries.
const MOST_FORM: u64 = 16 << 20;
/// The most bytes of a sheet, or of a register.
const MOST_SHEET: u64 = 1 << 30;

/// Where the list is, and which officer works on it.
#[derive(clap::Args)]
pub(super) struct Desk {
    /// The directory of the list
    #[arg(long, value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// Your secret key, as an officer of the list
    #[arg(long, value_name = "FILE")]
    pub(super) officer: PathBuf,
    #[command(flatten)]
    pub(super) passphrase: Passphrase,
}

impl Desk {
    pub(super) fn open(&self) -> Result<(Holder, Identity)> {
        let officer = keys::open(&self.officer, Role::Officer, self.passphrase.read()?.as_deref())?;
        Ok((Holder::open(&self.dir)?, officer))
    }
}

/// The key of the log, needed to publish.
#[derive(clap::Args)]
pub(super) struct LogKey {
    /// The secret key of the list's log. What the log promised is kept beside it
    #[arg(long, value_name = "FILE")]
    log_key: PathBuf,
    /// A file whose first line is the passphrase of that key
    #[arg(long, value_name = "FILE")]
    log_passphrase_file: Option<PathBuf>,
}

impl LogKey {
    pub(super) fn open(&self) -> Result<LogAt> {
        let passphrase = self.log_passphrase_file.as_deref().map(first_line).transpose()?;
        LogAt::open(&self.log_key, passphrase.as_deref()).with_context(|| self.log_key.display().to_string())
    }
}

/// Begin a list: pin its officers, evaluator and desk, and begin its log
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist new --dir DIR --name resellers --holder 'Police' --officer one.key.pub --officer two.key.pub --officer three.key.pub --evaluator evaluator.key.pub --desk desk.key.pub --log-key log.key --origin list.example/resellers --contest https://desk.example/contest --protocol https://police.example/protocol")]
pub(crate) struct New {
    /// The directory, made when it is not there
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// What the list is called in the names of its files: a-z, digits, hyphens
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Who holds it
    #[arg(long, value_name = "TEXT")]
    holder: String,
    /// The public key of an officer; two at least, three so that a stolen key can be replaced
    #[arg(long, value_name = "FILE", required = true)]
    officer: Vec<PathBuf>,
    /// The public key of who evaluates
    #[arg(long, value_name = "FILE")]
    evaluator: PathBuf,
    /// The public key of the contest desk
    #[arg(long, value_name = "FILE")]
    desk: PathBuf,
    #[command(flatten)]
    log: LogKey,
    /// The origin of the log: a name that you own, such as list.police.example/resellers
    #[arg(long, value_name = "NAME")]
    origin: String,
    /// Where a listed party contests
    #[arg(long, value_name = "URL")]
    contest: String,
    /// Where the protocol with the criteria is published
    #[arg(long, value_name = "URL")]
    protocol: String,
    /// How many days keys are used; at most 92
    #[arg(long, value_name = "N", default_value_t = 90)]
    days: u32,
    /// How many customers the largest provider has
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    customers: u64,
    /// Where one-letter edits of names are made: 'list' up to 5,000 entries, else 'both'
    #[arg(long, value_name = "SIDE", default_value = "list", value_parser = ["list", "both"])]
    edit_side: String,
    /// The most guesses that a provider has in an epoch: GROUP=NUMBER; else those of the usual plan
    #[arg(long, value_name = "GROUP=N", value_parser = guesses)]
    guesses: Vec<(String, u64)>,
}

fn guesses(text: &str) -> Result<(String, u64), String> {
    let (group, number) = text.split_once('=').ok_or("write it like registries=600")?;
    let known = matching::token::Group::ALL.iter().any(|known| known.name() == group);
    let number = number.parse().map_err(|_| "after the = a number is asked")?;
    if known { Ok((group.to_owned(), number)) } else { Err(format!("{group} is not a group of classes")) }
}

/// Add entries: from files in TOML or JSON, or one from the command line
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist add entry.toml --dir DIR --officer one.key                          a file, or several entries in one
  sluis watchlist add entry.toml --dir DIR --officer one.key --amend 1a2b3c4d      a new version of an entry
  sluis watchlist add --example                                                     what such a file looks like")]
pub(crate) struct Add {
    /// Files with entries
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print an example of such a file
    #[arg(long)]
    example: bool,
    /// The directory of the list
    #[arg(long, value_name = "DIR", required_unless_present = "example")]
    dir: Option<PathBuf>,
    /// Your secret key, as an officer of the list
    #[arg(long, value_name = "FILE", required_unless_present = "example")]
    officer: Option<PathBuf>,
    /// A field of one entry, instead of a file: names='A B.V.', kvk=12345678; several values by several flags
    #[arg(long = "field", value_name = "FIELD=VALUE", conflicts_with = "files")]
    fields: Vec<String>,
    /// It is a new version of this entry
    #[arg(long, value_name = "ENTRY")]
    amend: Option<String>,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Add entries from a sheet (XLSX or CSV): all of them, or none when a cell is wrong
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist import --template entries.xlsx                        an empty sheet, with an explanation
  sluis watchlist import entries.xlsx --dir DIR --check              what is wrong with it
  sluis watchlist import entries.xlsx --dir DIR --officer one.key    add them

Exit code: 0 when all entries are right, 1 when not.")]
pub(crate) struct Import {
    /// The sheet
    #[arg(value_name = "FILE", required_unless_present = "template")]
    file: Option<PathBuf>,
    /// Write an empty sheet here
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// The directory of the list
    #[arg(long, value_name = "DIR", required_unless_present = "template")]
    dir: Option<PathBuf>,
    /// Your secret key, as an officer of the list
    #[arg(long, value_name = "FILE", required_unless_present_any = ["template", "check"])]
    officer: Option<PathBuf>,
    /// Only say what is wrong
    #[arg(long)]
    check: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Review entries: what is missing or due, who is a namesake; and accept them as the second officer
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist review --dir DIR                                          all entries
  sluis watchlist review 1a2b3c4d --dir DIR --register names.csv         one, against the names of a register
  sluis watchlist review --dir DIR --accept 1a2b3c4d --officer two.key   another officer than who wrote it accepts it
  sluis watchlist review --dir DIR --lift 1a2b3c4d --officer two.key     a contest was decided, and the entry stands")]
pub(crate) struct Review {
    /// One entry: the first digits of its name
    #[arg(value_name = "ENTRY")]
    entry: Option<String>,
    /// The directory of the list
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// A CSV or XLSX with names of others in its first column, such as an extract of a trade register
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
    /// Accept this entry
    #[arg(long, value_name = "ENTRY", requires = "officer")]
    accept: Vec<String>,
    /// End the suspension of this entry
    #[arg(long, value_name = "ENTRY", requires = "officer")]
    lift: Vec<String>,
    /// Your secret key, as an officer of the list
    #[arg(long, value_name = "FILE")]
    officer: Option<PathBuf>,
    /// One JSON object an entry
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Withdraw an entry: shown as withdrawn from the next delta on
#[derive(clap::Args)]
pub(crate) struct Withdraw {
    /// The first digits of its name
    #[arg(value_name = "ENTRY")]
    entry: String,
    /// Why; the log holds a commitment to it, and the listed party may ask for it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    desk: Desk,
}

/// Replace a key that was lost or stolen, or an officer who leaves or comes. The next publication begins a new epoch
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist replace --dir DIR --officer one.key --gone 'Officer 2' --new-officer four.key.pub   an officer
  sluis watchlist replace --dir DIR --officer one.key --new-evaluator evaluator-2.key.pub             the evaluator
  sluis watchlist replace --dir DIR --officer one.key --new-log log-2.key --origin list.example/2     the log")]
pub(crate) struct Replace {
    #[command(flatten)]
    desk: Desk,
    /// The officer who goes: name or fingerprint
    #[arg(long, value_name = "OFFICER")]
    gone: Option<String>,
    /// Until which day what they read counts; without it until now
    #[arg(long, value_name = "DAY", requires = "gone")]
    until: Option<String>,
    /// The public key of the officer who comes
    #[arg(long, value_name = "FILE")]
    new_officer: Option<PathBuf>,
    /// The public key of the evaluator who comes
    #[arg(long, value_name = "FILE")]
    new_evaluator: Option<PathBuf>,
    /// The public key of the desk that comes
    #[arg(long, value_name = "FILE")]
    new_desk: Option<PathBuf>,
    /// The secret key of the log that comes, with an origin of its own
    #[arg(long, value_name = "FILE", requires = "origin")]
    new_log: Option<PathBuf>,
    /// The origin of that log
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
}

pub(super) fn new(args: &New) -> Result<u8> {
    let officers = args.officer.iter().map(|file| public(file, Role::Officer)).collect::<Result<Vec<_>>>()?;
    let (evaluator, desk) = (public(&args.evaluator, Role::Evaluator)?, public(&args.desk, Role::Desk)?);
    let log = args.log.open()?;
    let settings = Settings {
        contest: args.contest.clone(),
        protocol: args.protocol.clone(),
        days: args.days,
        edit_side: args.edit_side.clone(),
        customers: args.customers,
        guesses: args.guesses.iter().cloned().collect::<BTreeMap<_, _>>(),
    };
    let begin = Begin {
        name: &args.name,
        holder: &args.holder,
        officers: &officers,
        evaluator: &evaluator,
        desk: &desk,
        origin: &args.origin,
        settings,
    };
    let holder = Holder::create(&args.dir, &begin, &log, &mut watchlist::chance::system())?;
    let mut screen = Screen::new();
    screen.heading("Pinned for this list. Read each fingerprint aloud to its owner, and stop when one differs.")?;
    for one in officers.iter().chain([&evaluator, &desk, &log.key.public]) {
        writeln!(screen, "{}  {}  {}", one.fingerprint(), one.role, clean(&one.name))?;
    }
    writeln!(screen, "The log's key, for providers and for witnesses: {}", holder.state().log.key)?;
    writeln!(screen, "No witness watches this log yet: nobody but its readers would see it tell two stories.")?;
    if officers.len() == 2 {
        writeln!(
            screen,
            "Two officers are the fewest. When one of their keys is stolen, every provider has to pin this list anew: add a third with `sluis watchlist replace --new-officer`."
        )?;
    }
    done(screen, 0)
}

fn public(file: &Path, role: Role) -> Result<Public> {
    Public::open(file, role).with_context(|| file.display().to_string())
}

pub(super) fn add(args: &Add, globals: &Globals) -> Result<u8> {
    let mut screen = Screen::new();
    let (Some(dir), Some(officer)) = (&args.dir, &args.officer) else {
        write!(screen, "{EXAMPLE}")?;
        return done(screen, 0);
    };
    let now = globals.clock().now().0;
    let officer = keys::open(officer, Role::Officer, args.passphrase.read()?.as_deref())?;
    let forms = if args.fields.is_empty() { forms(&args.files)? } else { vec![from_fields(&args.fields)?] };
    if forms.is_empty() {
        bail!("no entry was given: name a file, or give fields with --field");
    }
    let mut holder = Holder::open(dir)?;
    let told: Vec<String> = forms.iter().flat_map(|form| holder.duplicates(form, None)).collect();
    if let Some(entry) = &args.amend {
        let [form] = <[Form; 1]>::try_from(forms).map_err(|_| anyhow::anyhow!("one entry is amended at a time"))?;
        let (id, version) = holder.amend(entry, form, &officer, now)?;
        writeln!(screen, "{}  version {version}", short(&id))?;
    } else {
        let titles: Vec<String> = forms.iter().map(|form| form.title().to_owned()).collect();
        let ids = holder.add_all(forms, &officer, now, &mut watchlist::chance::system())?;
        for (id, title) in ids.iter().zip(titles) {
            writeln!(screen, "{}  {}", short(id), clean(&title))?;
        }
        for told in told {
            writeln!(screen, "Look at this: {}", clean(&told))?;
        }
    }
    writeln!(screen, "Another officer has to read and accept it: `sluis watchlist review --accept`.")?;
    done(screen, 0)
}

fn forms(paths: &[PathBuf]) -> Result<Vec<Form>> {
    let mut forms = Vec::new();
    for path in paths {
        let bytes = files::read(path, MOST_FORM)?;
        let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not UTF-8 text", path.display()))?;
        forms.extend(form::read(text).map_err(|wrong| anyhow::anyhow!("{}: {wrong}", path.display()))?);
    }
    Ok(forms)
}

fn from_fields(fields: &[String]) -> Result<Form> {
    let mut form = Form::default();
    for field in fields {
        let (name, value) = field.split_once('=').with_context(|| format!("{field:?} is not written as FIELD=VALUE"))?;
        if !import::set_field(&mut form, name.trim(), value) {
            bail!("{name:?} is no field of an entry; `sluis watchlist add --example` shows them all");
        }
    }
    Ok(form)
}

const EXAMPLE: &str = r#"# An entry of a list. Days are in UTC. What must be filled in: a name or identifier, category, a reason, source,
# legal_basis, criterion, protocol, review_by, officer_role, contact, and contest_url or contest_desk.
names = ["Voorbeeld Hosting B.V."]          # as in registers
aliases = ["Example Bulletproof"]           # also in other scripts
country = "NL"
cities = ["Utrecht"]
category = "bulletproof hosting"
reason_nl = "Biedt op fora hosting aan waarbij klachten worden genegeerd."
reason_en = "Offers hosting on forums where complaints are ignored."
source = "CASE-2026-17"                     # case number, reference, or public address
source_kind = "case"                        # case, reference or public
legal_basis = "Wpg art. 20"
criterion = "C2"
protocol = "Protocol 2 of 1 September 2026"
review_by = "2027-06-30"                    # the last day of use, at most two years ahead
officer_role = "Team cybercrime"
contact = "lists@police.example"
contest_url = "https://desk.example/contest"
not_to_be_confused_with = "Voorbeeld Hosting v.o.f. in Groningen"

[identifiers]                               # by class, as written in the source
kvk = ["12345678"]
domain = ["bulletproof.example"]
asn = ["AS64500"]
"#;

pub(super) fn import(args: &Import, globals: &Globals) -> Result<u8> {
    let mut screen = Screen::new();
    if let Some(path) = &args.template {
        files::write_new(path, &import::template().context("the sheet cannot be written")?)?;
        writeln!(screen, "{}", path.display())?;
        return done(screen, 0);
    }
    let (Some(file), Some(dir)) = (&args.file, &args.dir) else { bail!("a sheet and the directory of the list are needed") };
    let now = globals.clock().now().0;
    let mut holder = Holder::open(dir)?;
    let bytes = files::read(file, MOST_SHEET)?;
    let imported =
        holder.import(bytes, &file.display().to_string(), now).map_err(|wrong| anyhow::anyhow!("{}: {wrong}", file.display()))?;
    let right = imported.faults.is_empty();
    let mut ids = Vec::new();
    if let (true, false, Some(officer)) = (right, args.check, &args.officer) {
        let officer = keys::open(officer, Role::Officer, args.passphrase.read()?.as_deref())?;
        ids = holder.add_all(imported.forms.clone(), &officer, now, &mut watchlist::chance::system())?;
    }
    if args.json {
        let added: Vec<String> = ids.iter().map(|id| keys::hex(id)).collect();
        output::line(&mut screen, &json!({ "entries": imported.forms.len(), "added": added, "result": &imported }))?;
        return done(screen, u8::from(!right));
    }
    for remark in imported.remarks.iter().chain(&imported.duplicates) {
        writeln!(screen, "{}", clean(remark))?;
    }
    if right {
        let what = if ids.is_empty() { "right; nothing was added" } else { "added. Another officer has to accept each" };
        writeln!(screen, "{}: {what}.", counted(imported.forms.len() as u64, "entry"))?;
    } else {
        let mut table = Table::new(&screen, &["cell", "field", "what is wrong"]);
        for fault in &imported.faults {
            table.row([
                (Style::Strong, fault.cell.clone()),
                (Style::Plain, fault.field.clone()),
                (Style::Plain, fault.what.clone()),
            ]);
        }
        table.write(&mut screen)?;
        if imported.more > 0 {
            writeln!(screen, "and {} more", imported.more)?;
        }
        writeln!(screen, "Nothing was imported. Mend these cells, and import the whole sheet again.")?;
    }
    done(screen, u8::from(!right))
}

pub(super) fn review(args: &Review, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now().0;
    let mut screen = Screen::new();
    let mut holder = Holder::open(&args.dir)?;
    if let Some(file) = &args.officer {
        let officer = keys::open(file, Role::Officer, args.passphrase.read()?.as_deref())?;
        for id in holder.accept_all(&args.accept, &officer, now).context("nothing is accepted")? {
            writeln!(screen, "{} accepted", short(&id))?;
        }
        for entry in &args.lift {
            let id = holder.lift(entry, &officer).with_context(|| format!("the suspension of {entry} is not lifted"))?;
            writeln!(screen, "{} is live again from the next delta on", short(&id))?;
        }
        if !(args.accept.is_empty() && args.lift.is_empty()) {
            return done(screen, 0);
        }
    }
    let names = args.register.as_deref().map(register).transpose()?.unwrap_or_default();
    let reviewed = holder.review(args.entry.as_deref(), names.into_iter(), now)?;
    if args.json {
        for one in &reviewed {
            output::line(&mut screen, one)?;
        }
        return done(screen, 0);
    }
    let mut table = Table::new(&screen, &["entry", "version", "state", "complete", "review by", "read by", "name"]);
    for one in &reviewed {
        let style = if matches!(one.state, "wrong" | "overdue") || one.due { Style::Strong } else { Style::Plain };
        let second = one.accepted_by.as_deref().unwrap_or("-");
        table.row([
            (Style::Strong, one.id.chars().take(8).collect()),
            (Style::Plain, one.version.to_string()),
            (style, one.state.to_owned()),
            (Style::Plain, format!("{}%", one.completeness)),
            (style, one.review_by.clone()),
            (Style::Plain, format!("{}, {second}", one.added_by)),
            (Style::Plain, one.title.clone()),
        ]);
    }
    table.write(&mut screen)?;
    for one in &reviewed {
        warnings(&mut screen, one)?;
    }
    if args.register.is_none() {
        writeln!(
            screen,
            "Namesakes outside this list were not looked for: give an extract of a trade register with --register."
        )?;
    }
    done(screen, 0)
}

/// What a second reader has to look at, in sentences.
fn warnings(screen: &mut Screen, one: &Reviewed) -> Result<()> {
    let id: String = one.id.chars().take(8).collect();
    for Problem { field, what } in &one.problems {
        writeln!(screen, "{id}: {}: {}", clean(field), clean(what))?;
    }
    for name in &one.common {
        writeln!(
            screen,
            "{id}: {} is a common name: many a namesake will be compared with it. Give identifiers and a place.",
            clean(name)
        )?;
    }
    for namesake in &one.namesakes {
        let (name, other, place) = (clean(&namesake.name), clean(&namesake.other), clean(&namesake.place));
        writeln!(
            screen,
            "{id}: {name} is {} % like {other} ({place}). If that is another party, say so in not_to_be_confused_with.",
            namesake.score
        )?;
    }
    for duplicate in &one.duplicates {
        writeln!(screen, "{id}: {}", clean(duplicate))?;
    }
    Ok(())
}

/// The names in the first column of a register.
fn register(path: &Path) -> Result<Vec<(String, String)>> {
    let wrong = |wrong| anyhow::anyhow!("{}: {wrong}", path.display());
    let mut sheet = Sheet::open(files::read(path, MOST_SHEET)?, &path.display().to_string()).map_err(wrong)?;
    let mut names = Vec::new();
    for row in sheet.rows().map_err(wrong)? {
        let row = row.map_err(wrong)?;
        if !row.cell(0).is_empty() {
            names.push((format!("register, row {}", row.number()), row.cell(0).to_owned()));
        }
    }
    Ok(names)
}

pub(super) fn withdraw(args: &Withdraw, globals: &Globals) -> Result<u8> {
    let (mut holder, officer) = args.desk.open()?;
    let id = holder.withdraw(&args.entry, &args.reason, &officer, globals.clock().now().0)?;
    let mut screen = Screen::new();
    writeln!(screen, "{} is withdrawn. Publish a delta, so that providers with a hit see it and reconsider.", short(&id))?;
    done(screen, 0)
}

pub(super) fn replace(args: &Replace, globals: &Globals) -> Result<u8> {
    let (mut holder, officer) = args.desk.open()?;
    let now = globals.clock().now().0;
    let until = match &args.until {
        Some(day) => form::day(day, true).with_context(|| format!("{day:?} is no day; write it like 2026-11-22"))?,
        None => now,
    };
    let mut changed = false;
    if args.gone.is_some() || args.new_officer.is_some() {
        let new = args.new_officer.as_deref().map(|file| public(file, Role::Officer)).transpose()?;
        holder.replace_officer(args.gone.as_deref(), new.as_ref(), until, &officer)?;
        changed = true;
    }
    if let Some(file) = &args.new_evaluator {
        holder.replace_evaluator(&public(file, Role::Evaluator)?, &officer)?;
        changed = true;
    }
    if let Some(file) = &args.new_desk {
        holder.replace_desk(&public(file, Role::Desk)?, &officer)?;
        changed = true;
    }
    if let (Some(file), Some(origin)) = (&args.new_log, &args.origin) {
        let log = LogAt::open(file, args.desk.passphrase.read()?.as_deref())?;
        holder.replace_log(&log, origin, &officer)?;
        changed = true;
    }
    if !changed {
        bail!("say what is replaced: --gone, --new-officer, --new-evaluator, --new-desk or --new-log");
    }
    let mut screen = Screen::new();
    writeln!(screen, "Done. Providers know of it once a new epoch is published, signed by two officers whom they know.")?;
    done(screen, 0)
}
