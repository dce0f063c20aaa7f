//! `sluis party`: who rents from whom, what they hold and held, and what is open against them.

use anyhow::Result;
use clap::{Args, Subcommand};
use model::chain::PartyId;
use model::party::{Contact, Party};
use model::time::Time;
use serde::Serialize;
use store::Transaction;
use store::administration::{KeptAssignment, KeptParty};
use store::listing::Listing;

use super::{Globals, case};
use crate::output::chain::{Kept, party_title};
use crate::output::words::{age, counted, since};
use crate::output::{Screen, Style, Table, clean, json};

/// List and show parties: providers, resellers, customers
#[derive(Subcommand)]
pub(crate) enum Command {
    List(List),
    Show(Show),
    Sources(Sources),
}

/// List the sources that tell of parties: how old each is, and whether that is too old
#[derive(Args)]
pub(crate) struct Sources {
    /// Only those that are stale
    #[arg(long)]
    stale: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct SourceView {
    id: i64,
    name: String,
    kind: String,
    checked: String,
    age_seconds: i64,
    /// Seconds it may be old; none when it is never stale.
    fresh_seconds: Option<i64>,
    stale: bool,
}

/// List parties
#[derive(Args)]
pub(crate) struct List {
    /// The beginning of a name, or a reference
    #[arg(value_name = "TEXT", default_value = "", hide_default_value = true)]
    text: String,
    /// How many
    #[arg(short = 'n', value_name = "N", default_value_t = 50)]
    most: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Show a party: facts, contacts, its tree, its assignments and its open cases
#[derive(Args)]
pub(crate) struct Show {
    /// Its reference, its identifier, or its name
    #[arg(value_name = "PARTY")]
    party: String,
    /// How many assignments and cases
    #[arg(short = 'n', value_name = "N", default_value_t = 20)]
    most: u32,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Children of one party that a tree shows.
const CHILDREN: usize = 10;
/// Levels of a tree below the party that is shown.
const DEPTH: usize = 3;
/// Levels above it; beyond it the administration is wrong.
const HEIGHT: usize = 32;

#[derive(Serialize)]
struct PartyView {
    id: String,
    reference: String,
    name: String,
    legal_name: String,
    trade_names: Vec<String>,
    roles: Vec<&'static str>,
    parent: Option<String>,
    registry_number: String,
    vat_number: String,
    mails: Vec<String>,
    phones: Vec<String>,
    domains: Vec<String>,
    handles: Vec<String>,
    country: String,
    language: String,
    contacts: Vec<ContactView>,
    aup_version: String,
    aup_accepted: Option<String>,
    kyc_checked: Option<String>,
    kyc_method: String,
    kyc_result: String,
    traceable_payment: Option<bool>,
    resells: Option<bool>,
    source: String,
    recorded: String,
    gone: Option<String>,
}

#[derive(Serialize)]
struct ContactView {
    channel: &'static str,
    target: String,
    hours: String,
    notify: bool,
    fallback: bool,
}

#[derive(Serialize)]
struct AssignmentView {
    resource: String,
    level: &'static str,
    from: Option<String>,
    to: Option<String>,
    service: String,
    product: String,
    panel: String,
    account: String,
    reference: String,
    recorded: String,
}

#[derive(Serialize)]
struct WholeView {
    #[serde(flatten)]
    party: PartyView,
    rents_from: Vec<String>,
    children: Vec<String>,
    assignments: Vec<AssignmentView>,
    open_cases: Vec<case::CaseView>,
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now();
    globals.reader()?.read(|transaction| match command {
        Command::List(args) => list(args, transaction),
        Command::Show(args) => show(args, transaction, now),
        Command::Sources(args) => list_sources(args, transaction, now),
    })
}

fn view(kept: &KeptParty, sources: &[(i64, String)]) -> PartyView {
    let party = kept.party.clone();
    let contact = |contact: Contact| ContactView {
        channel: contact.channel.word(),
        target: contact.target,
        hours: contact.hours,
        notify: contact.notify,
        fallback: contact.fallback,
    };
    let time = |time: Option<Time>| time.map(|time| time.to_string());
    PartyView {
        id: kept.public.to_string(),
        reference: party.reference,
        name: party.name,
        legal_name: party.legal_name,
        trade_names: party.trade_names,
        roles: party.roles.iter().map(|role| role.word()).collect(),
        parent: party.parent,
        registry_number: party.registry_number,
        vat_number: party.vat_number,
        mails: party.mails,
        phones: party.phones,
        domains: party.domains,
        handles: party.handles,
        country: party.country,
        language: party.language,
        contacts: party.contacts.into_iter().map(contact).collect(),
        aup_version: party.aup_version,
        aup_accepted: time(party.aup_accepted),
        kyc_checked: time(party.kyc.checked),
        kyc_method: party.kyc.method,
        kyc_result: party.kyc.result,
        traceable_payment: party.kyc.traceable_payment,
        resells: party.kyc.resells,
        source: sources.iter().find(|(id, _)| *id == kept.source).map_or_else(String::new, |(_, name)| name.clone()),
        recorded: kept.recorded.to_string(),
        gone: time(kept.gone),
    }
}

fn sources(transaction: &Transaction<'_>) -> Result<Vec<(i64, String)>> {
    Ok(transaction.sources()?.into_iter().map(|source| (source.id, source.name)).collect())
}

fn list_sources(args: &Sources, transaction: &Transaction<'_>, now: Time) -> Result<u8> {
    let found: Vec<_> = transaction.sources()?.into_iter().filter(|source| !args.stale || source.is_stale(now)).collect();
    let mut screen = Screen::new();
    if args.json {
        for source in found {
            let stale = source.is_stale(now);
            json::line(
                &mut screen,
                &SourceView {
                    id: source.id,
                    name: source.name,
                    kind: source.kind,
                    checked: source.checked.to_string(),
                    age_seconds: now.0.saturating_sub(source.checked.0) / 1_000,
                    fresh_seconds: (source.fresh > 0).then_some(source.fresh / 1_000),
                    stale,
                },
            )?;
        }
        return super::done(screen, 0);
    }
    if found.is_empty() {
        screen.line(if args.stale {
            "no source is stale"
        } else {
            "no sources yet; 'sluis import FILE' reads an address administration"
        })?;
        return super::done(screen, 0);
    }
    let mut table = Table::new(&screen, &["source", "=kind", "checked", "may be", ""]);
    for source in &found {
        let (style, word) = if source.is_stale(now) { (Style::Alarm, "stale") } else { (Style::Plain, "") };
        // How long that is, in the words that ages have.
        let may_be = if source.fresh > 0 { age(Time(0), Time(source.fresh)) } else { "any age".to_owned() };
        table.row([
            (Style::Strong, source.name.clone()),
            (Style::Plain, source.kind.clone()),
            (style, format!("{} ago", age(source.checked, now))),
            (Style::Dim, may_be),
            (style, word.to_owned()),
        ]);
    }
    table.write(&mut screen)?;
    super::done(screen, 0)
}

fn list(args: &List, transaction: &Transaction<'_>) -> Result<u8> {
    let found = transaction.find_parties(&args.text, args.most)?;
    let mut screen = Screen::new();
    if args.json {
        let sources = sources(transaction)?;
        for kept in &found {
            json::line(&mut screen, &view(kept, &sources))?;
        }
        return super::done(screen, 0);
    }
    if found.is_empty() {
        screen.line(match args.text.as_str() {
            "" => "no parties yet; 'sluis import FILE' reads an address administration",
            _ => "no such parties",
        })?;
        return super::done(screen, 0);
    }
    let mut table = Table::new(&screen, &["party", "name", "roles", "rents from", "country"]);
    for kept in &found {
        let Party { reference, name, parent, country, .. } = kept.party.clone();
        let style = if kept.gone.is_some() { Style::Dim } else { Style::Plain };
        let roles = if kept.gone.is_some() { "gone".to_owned() } else { roles(&kept.party) };
        let parent = parent.unwrap_or_default();
        table.row([(Style::Strong, reference), (style, name), (style, roles), (style, parent), (style, country)]);
    }
    table.write(&mut screen)?;
    if found.len() == args.most as usize {
        let text = screen.paint(Style::Dim, "perhaps more: name the beginning of a name, or raise -n");
        screen.line(text)?;
    }
    super::done(screen, 0)
}

fn roles(party: &Party) -> String {
    party.roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(", ")
}

/// The party and those it rents from, outermost first.
fn ancestors(transaction: &Transaction<'_>, party: &KeptParty) -> Result<Vec<KeptParty>> {
    let mut line = vec![party.clone()];
    while let Some(reference) = line.last().and_then(|kept| kept.party.parent.clone()) {
        let of_source = line.last().map_or(0, |kept| kept.source);
        match transaction.party_of(of_source, &reference)? {
            // A circle of parents is the administration's mistake, and must not be ours.
            Some(parent) if line.len() < HEIGHT && line.iter().all(|kept| kept.id != parent.id) => line.push(parent),
            _ => break,
        }
    }
    line.reverse();
    Ok(line)
}

fn show(args: &Show, transaction: &Transaction<'_>, now: Time) -> Result<u8> {
    let kept = super::find_party(transaction, &args.party)?;
    let sources = sources(transaction)?;
    let line = ancestors(transaction, &kept)?;
    let assignments = transaction.assignments_of_party(kept.id, args.most.saturating_add(1))?;
    let listing = Listing { state: Some(model::case::State::Open), holder: Some(kept.id), ..Listing::default() };
    let cases = transaction.list_cases(&listing, args.most)?;
    let mut names = Kept::new(transaction)?;
    let mut screen = Screen::new();
    if args.json {
        let children = transaction.children(kept.id)?;
        let reference = |id: &PartyId| Ok(transaction.party(*id)?.map_or_else(String::new, |kept| kept.party.reference));
        let whole = WholeView {
            party: view(&kept, &sources),
            rents_from: line.iter().rev().skip(1).map(|kept| kept.party.reference.clone()).collect(),
            children: children.iter().map(reference).collect::<Result<_>>()?,
            assignments: assignments.iter().take(args.most as usize).map(assignment_view).collect(),
            open_cases: cases
                .iter()
                .map(|(filed, standing)| case::view(&filed.case, standing, &mut names, now))
                .collect::<Result<_>>()?,
        };
        json::line(&mut screen, &whole)?;
        return super::done(screen, 0);
    }
    draw_facts(&mut screen, &kept, &sources, now)?;
    screen.heading("Who rents from whom")?;
    let mut depth = 0;
    for above in line.iter().take(line.len() - 1) {
        let title = clean(&party_title(&above.party.name, &above.party.reference)).into_owned();
        screen.line(format_args!("{}{title}", branch(depth)))?;
        depth += 1;
    }
    let title = screen.paint(Style::Strong, &party_title(&kept.party.name, &kept.party.reference));
    screen.line(format_args!("{}{title}  ← this party", branch(depth)))?;
    draw_children(&mut screen, transaction, &mut names, kept.id, &"   ".repeat(depth), DEPTH)?;
    draw_assignments(&mut screen, &assignments, args.most as usize)?;
    screen.heading("Open cases")?;
    match cases.is_empty() {
        true => screen.line("none")?,
        false => case::table(&mut screen, &cases, &mut names, now)?,
    }
    super::done(screen, 0)
}

fn branch(depth: usize) -> String {
    if depth == 0 { String::new() } else { format!("{}└─ ", "   ".repeat(depth - 1)) }
}

fn draw_facts(screen: &mut Screen, kept: &KeptParty, sources: &[(i64, String)], now: Time) -> Result<()> {
    let party = &kept.party;
    let title = screen.paint(Style::Strong, &party_title(&party.name, &party.reference));
    screen.line(title)?;
    let shown = view(kept, sources);
    let legal = if party.legal_name == party.name { String::new() } else { party.legal_name.clone() };
    let checked = party.kyc.checked.map_or_else(String::new, |time| format!("on {}", since(time)));
    let words = [party.kyc.result.as_str(), checked.as_str(), party.kyc.method.as_str()];
    let kyc: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let yes = |value: Option<bool>| value.map_or("", |value| if value { "yes" } else { "no" }).to_owned();
    let accepted = party.aup_accepted.map_or_else(String::new, |time| format!(", accepted {}", since(time)));
    let aup = if party.aup_version.is_empty() { String::new() } else { format!("{}{accepted}", party.aup_version) };
    screen.facts(&[
        ("identifier", shown.id),
        ("reference", format!("{} in {}", shown.reference, shown.source)),
        ("roles", roles(party)),
        ("legal name", legal),
        ("trade names", party.trade_names.join(", ")),
        ("registry number", shown.registry_number),
        ("VAT number", shown.vat_number),
        ("mail addresses", party.mails.join(", ")),
        ("telephones", party.phones.join(", ")),
        ("domain names", party.domains.join(", ")),
        ("handles", party.handles.join(", ")),
        ("country", shown.country),
        ("language", shown.language),
        ("acceptable use", aup),
        ("identity", kyc.join(", ")),
        ("traceable payment", yes(party.kyc.traceable_payment)),
        ("says it rents on", yes(party.kyc.resells)),
        ("recorded", format!("{}, {} ago", kept.recorded, age(kept.recorded, now))),
        ("gone", kept.gone.map_or_else(String::new, |time| format!("since {time}: its source no longer names it"))),
    ])?;
    screen.heading("Contacts about abuse")?;
    if party.contacts.is_empty() {
        let text = screen.paint(Style::Alarm, "none: nobody can be told");
        screen.line(text)?;
    }
    for contact in &party.contacts {
        let mut text = format!("{} {}", contact.channel.word(), contact.target);
        for (holds, words) in [
            (!contact.hours.is_empty(), contact.hours.as_str()),
            (!contact.notify, "does not want to be told"),
            (contact.fallback, "only when no other could be reached"),
        ] {
            if holds {
                text.push_str(", ");
                text.push_str(words);
            }
        }
        screen.line(clean(&text))?;
    }
    Ok(())
}

fn draw_children(
    screen: &mut Screen,
    transaction: &Transaction<'_>,
    names: &mut Kept<'_>,
    party: PartyId,
    indent: &str,
    depth: usize,
) -> Result<()> {
    let children = transaction.children(party)?;
    for (at, child) in children.iter().take(CHILDREN).enumerate() {
        let last = at + 1 == children.len();
        let title = names.title(*child)?;
        let title = clean(&title);
        screen.line(format_args!("{indent}{} {title}", if last { "└─" } else { "├─" }))?;
        let below = format!("{indent}{}", if last { "   " } else { "│  " });
        if depth > 1 {
            draw_children(screen, transaction, names, *child, &below, depth - 1)?;
        } else {
            let more = transaction.children(*child)?.len();
            if more > 0 {
                let text = screen.paint(Style::Dim, &format!("… {} below", counted(more as u64, "party")));
                screen.line(format_args!("{below}{text}"))?;
            }
        }
    }
    if children.len() > CHILDREN {
        let text = screen.paint(Style::Dim, &format!("… and {} more", children.len() - CHILDREN));
        screen.line(format_args!("{indent}└─ {text}"))?;
    }
    Ok(())
}

fn draw_assignments(screen: &mut Screen, assignments: &[KeptAssignment], most: usize) -> Result<()> {
    screen.heading("Holds and held")?;
    if assignments.is_empty() {
        return Ok(screen.line("nothing of its own")?);
    }
    let mut table = Table::new(screen, &["resource", "=level", "=from", "=until", "service", "product"]);
    for kept in assignments.iter().take(most) {
        let KeptAssignment { assignment, .. } = kept;
        let style = if assignment.period.to.is_some() { Style::Dim } else { Style::Plain };
        table.row([
            (if assignment.period.to.is_some() { Style::Dim } else { Style::Strong }, assignment.resource.to_string()),
            (style, assignment.level.word().to_owned()),
            (style, assignment.period.from.map_or_else(|| "unknown".to_owned(), since)),
            (style, assignment.period.to.map_or_else(|| "now".to_owned(), since)),
            (style, assignment.service.clone()),
            (style, assignment.product.clone()),
        ]);
    }
    table.write(screen)?;
    if assignments.len() > most {
        let text = screen.paint(Style::Dim, "more: raise -n");
        screen.line(text)?;
    }
    Ok(())
}

fn assignment_view(kept: &KeptAssignment) -> AssignmentView {
    let assignment = kept.assignment.clone();
    AssignmentView {
        resource: assignment.resource.to_string(),
        level: assignment.level.word(),
        from: assignment.period.from.map(|time| time.to_string()),
        to: assignment.period.to.map(|time| time.to_string()),
        service: assignment.service,
        product: assignment.product,
        panel: assignment.panel,
        account: assignment.account,
        reference: assignment.reference,
        recorded: kept.recorded.to_string(),
    }
}
