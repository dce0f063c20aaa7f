//! From a registry's objects to parties and assignments: who holds each block, and from whom.

use std::collections::HashMap;

use model::address::Range;
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::party::{Channel, Contact, Party, Role};
use model::resource::Resource;

use super::Status;
use super::gather::{Block, Database, Name, System};
use crate::administration::Finding;

/// How many blocks up or back are looked at where blocks cross each other.
const LOOKS: usize = 64;
/// Contacts a party gets at most.
const CONTACTS: usize = 16;

/// By what a holder is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Organisation(Name),
    Maintainer(Name),
    /// `admin-c`, and netname or AS name.
    Person(Name, Name),
    /// Nothing but its block.
    Block(Range),
    /// Nothing but its number.
    System(u32),
}

/// A party in the making.
struct Holder {
    key: Key,
    country: Name,
    /// Mailboxes that are its own, and the first that is only what goes for the block around its block.
    own: Vec<Name>,
    inherited: Name,
    levels: [bool; 3],
    resells: bool,
    /// From whom it rents: the holder, and for how many blocks.
    above: HashMap<usize, usize>,
    sponsor: Name,
}

/// A block in its place: what is around it, and whose it is.
struct Placed {
    around: Option<usize>,
    holder: usize,
    /// The nearest block around it with another holder.
    above: Option<usize>,
    /// The mailbox that goes for it.
    mailbox: Name,
}

#[derive(Default)]
struct Holders {
    list: Vec<Holder>,
    places: HashMap<Key, usize>,
}

impl Holders {
    fn of(&mut self, key: Key) -> usize {
        *self.places.entry(key).or_insert_with(|| {
            self.list.push(Holder {
                key,
                country: Name::NONE,
                own: Vec::new(),
                inherited: Name::NONE,
                levels: [false; 3],
                resells: false,
                above: HashMap::new(),
                sponsor: Name::NONE,
            });
            self.list.len() - 1
        })
    }
}

/// All that the database says.
pub(super) fn snapshot(mut database: Database) -> (Snapshot, Vec<Finding>) {
    let blocks = in_order(&mut database);
    let mut holders = Holders::default();
    let placed = place(&database, &blocks, &mut holders);
    let mut assignments = Vec::with_capacity(blocks.len() + database.systems.len());
    let mut owners = Vec::with_capacity(assignments.capacity());
    for (block, here) in blocks.iter().zip(&placed) {
        let level = match block.status {
            Status::Level(level) => level,
            _ if here.around.is_none() => Level::Allocated,
            _ => Level::Assigned,
        };
        let holder = &mut holders.list[here.holder];
        holder.levels[level as usize] = true;
        holder.country = holder.country.or(|| block.country);
        holder.sponsor = holder.sponsor.or(|| block.sponsor);
        if let Some(above) = here.above {
            *holder.above.entry(placed[above].holder).or_default() += 1;
            // Whoever has other parties' blocks inside its own rents on, unless it is where the space came from.
            let other = &mut holders.list[placed[above].holder];
            other.resells |= placed[above].above.is_some();
        }
        owners.push(here.holder);
        assignments.push(assignment(Resource::Addresses(block.range), level, block.created, database.names.text(block.netname)));
    }
    systems(&mut database, &mut holders, &mut assignments, &mut owners);
    announcements(&mut database, &blocks, &placed, &holders);

    let references: Vec<String> = holders.list.iter().map(|holder| reference(&database, holder.key)).collect();
    for (assignment, owner) in assignments.iter_mut().zip(owners) {
        assignment.party.clone_from(&references[owner]);
    }
    let parties =
        holders.list.iter().enumerate().map(|(at, holder)| party(&database, &holders, &references, at, holder)).collect();
    if database.registry > 0 {
        let count = database.registry;
        let reason = || format!("{count} blocks of the registry itself are left out");
        database.findings.note(|| "the file".to_owned(), "", reason);
    }
    let (complete, findings) = database.findings.finish();
    (Snapshot { parties, assignments, complete }, findings)
}

fn assignment(resource: Resource, level: Level, created: Option<model::time::Time>, name: &str) -> Assignment {
    Assignment {
        resource,
        period: Period { from: created, to: None },
        party: String::new(),
        level,
        service: String::new(),
        product: String::new(),
        panel: String::new(),
        account: String::new(),
        reference: name.to_owned(),
    }
}

/// The blocks by first address, the larger first; of a block that is there twice the last stays.
fn in_order(database: &mut Database) -> Vec<Block> {
    let mut blocks: Vec<(usize, Block)> = std::mem::take(&mut database.blocks).into_iter().enumerate().collect();
    blocks.sort_unstable_by(|(i, a), (j, b)| (a.range.first, b.range.last, j).cmp(&(b.range.first, a.range.last, i)));
    blocks.dedup_by(|(_, later), (_, kept)| {
        let twice = later.range == kept.range;
        if twice {
            let text = later.range.to_string();
            database.findings.note(|| "the file".to_owned(), &text, || "the block is there twice; the last is taken".to_owned());
        }
        twice
    });
    blocks.into_iter().map(|(_, block)| block).collect()
}

fn place(database: &Database, blocks: &[Block], holders: &mut Holders) -> Vec<Placed> {
    let mut placed: Vec<Placed> = Vec::with_capacity(blocks.len());
    let mut stack: Vec<usize> = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        while stack.last().is_some_and(|top| blocks[*top].range.last < block.range.first) {
            stack.pop();
        }
        let around = stack.iter().rev().take(LOOKS).copied().find(|outer| blocks[*outer].range.encloses(&block.range));
        stack.push(at);

        let outer = around.map(|around| &blocks[around]);
        let key = owner(database, block, outer);
        let holder = holders.of(key);
        let above = around.and_then(|around| if placed[around].holder == holder { placed[around].above } else { Some(around) });
        let mailbox = own_mailbox(database, block, key);
        let whole = mailbox.or(|| around.map_or(Name::NONE, |around| placed[around].mailbox));
        let party = &mut holders.list[holder];
        if mailbox.is_some() {
            if party.own.len() < CONTACTS && !party.own.contains(&mailbox) {
                party.own.push(mailbox);
            }
        } else {
            party.inherited = party.inherited.or(|| whole);
        }
        let deeper = matches!(block.status, Status::Level(Level::SubAllocated));
        let own_lower =
            outer.is_some_and(|outer| database.run(block.mnt_lower).iter().any(|name| is_new(database, *name, outer)));
        party.resells |= deeper || own_lower;
        placed.push(Placed { around, holder, above, mailbox: whole });
    }
    placed
}

/// By what the holder of a block is known, given the block around it.
fn owner(database: &Database, block: &Block, outer: Option<&Block>) -> Key {
    if block.org.is_some() && outer.is_none_or(|outer| outer.org != block.org) {
        return Key::Organisation(block.org);
    }
    let lists = [block.mnt_by, block.mnt_lower];
    let mut maintainers = lists.into_iter().flat_map(|run| database.run(run)).copied();
    let new = maintainers.find(|name| match outer {
        Some(outer) => is_new(database, *name, outer),
        None => !of_registry(database.names.text(*name)),
    });
    match new {
        Some(name) => Key::Maintainer(name),
        None if block.org.is_some() => Key::Organisation(block.org),
        None if block.admin.is_some() || block.netname.is_some() => Key::Person(block.admin, block.netname),
        None => Key::Block(block.range),
    }
}

/// Whether a maintainer is a registrant's, and not one of those that the block around names.
fn is_new(database: &Database, name: Name, outer: &Block) -> bool {
    !of_registry(database.names.text(name))
        && !database.run(outer.mnt_by).contains(&name)
        && !database.run(outer.mnt_lower).contains(&name)
}

/// Maintainers of the registries themselves.
fn of_registry(maintainer: &str) -> bool {
    const REGISTRIES: [&str; 5] = ["RIPE-NCC-", "AFRINIC-HM-", "APNIC-HM", "MAINT-APNIC-", "LACNIC-"];
    REGISTRIES.iter().any(|start| maintainer.starts_with(start))
}

/// The mailbox that a block itself leads to: its own, or that of the organisation that holds it.
fn own_mailbox(database: &Database, block: &Block, key: Key) -> Name {
    let of = |handle: Name| database.mailboxes.get(&handle).copied().unwrap_or_default();
    let mut mailbox = of(block.abuse).or(|| block.mailbox).or(|| of(block.team));
    if let Key::Organisation(org) = key {
        mailbox = mailbox.or(|| organisation_mailbox(database, org));
    }
    mailbox
}

fn organisation_mailbox(database: &Database, org: Name) -> Name {
    let Some(organisation) = database.organisations.get(&org) else { return Name::NONE };
    database.mailboxes.get(&organisation.abuse).copied().unwrap_or_default().or(|| organisation.mailbox)
}

/// The holders of AS numbers.
fn systems(database: &mut Database, holders: &mut Holders, assignments: &mut Vec<Assignment>, owners: &mut Vec<usize>) {
    let mut systems: Vec<System> = std::mem::take(&mut database.systems);
    systems.sort_by_key(|system| system.number);
    systems.dedup_by_key(|system| system.number);
    for system in &systems {
        let maintainer = database.run(system.mnt_by).iter().find(|name| !of_registry(database.names.text(**name)));
        let key = match maintainer {
            _ if system.org.is_some() => Key::Organisation(system.org),
            Some(maintainer) => Key::Maintainer(*maintainer),
            None if system.admin.is_some() || system.name.is_some() => Key::Person(system.admin, system.name),
            None => Key::System(system.number),
        };
        let at = holders.of(key);
        let holder = &mut holders.list[at];
        holder.sponsor = holder.sponsor.or(|| system.sponsor);
        let mut mailbox = database.mailboxes.get(&system.abuse).copied().unwrap_or_default();
        if let Key::Organisation(org) = key {
            mailbox = mailbox.or(|| organisation_mailbox(database, org));
        }
        if mailbox.is_some() && holder.own.len() < CONTACTS && !holder.own.contains(&mailbox) {
            holder.own.push(mailbox);
        }
        if !holder.levels.contains(&true) {
            holder.levels[Level::Assigned as usize] = true;
        }
        let name = database.names.text(system.name);
        assignments.push(assignment(Resource::AsNumber(system.number), Level::Assigned, system.created, name));
        owners.push(at);
    }
    database.systems = systems;
}

/// Tells of blocks that are announced by somebody who neither holds them nor passed them on.
fn announcements(database: &mut Database, blocks: &[Block], placed: &[Placed], holders: &Holders) {
    let mut origins: HashMap<u32, usize> = HashMap::with_capacity(database.systems.len());
    for system in &database.systems {
        if system.org.is_some()
            && let Some(holder) = holders.places.get(&Key::Organisation(system.org))
        {
            origins.insert(system.number, *holder);
        }
    }
    let mut routes = std::mem::take(&mut database.routes);
    routes.sort_unstable();
    routes.dedup();
    for (range, origin) in routes {
        let Some(announcer) = origins.get(&origin).copied() else { continue };
        let mut at = blocks.partition_point(|block| block.range.first <= range.first).checked_sub(1);
        for _ in 0..LOOKS {
            at = at.and_then(|at| if blocks[at].range.encloses(&range) { Some(at) } else { placed[at].around });
        }
        let Some(at) = at.filter(|at| blocks[*at].range.encloses(&range)) else { continue };
        let mut from = Some(at);
        let mut passed = false;
        for _ in 0..LOOKS {
            let Some(here) = from else { break };
            passed |= placed[here].holder == announcer;
            from = placed[here].above;
        }
        if !passed {
            let holder = reference(database, holders.list[placed[at].holder].key);
            let announcer = reference(database, holders.list[announcer].key);
            let text = range.to_string();
            let reason =
                || format!("it is announced by AS{origin} of {announcer} and held by {holder}: perhaps one rents to the other");
            database.findings.note(|| "the file".to_owned(), &text, reason);
        }
    }
}

fn reference(database: &Database, key: Key) -> String {
    let text = |name: Name| database.names.text(name);
    match key {
        Key::Organisation(name) | Key::Maintainer(name) => text(name).to_owned(),
        Key::Person(admin, name) if admin.is_some() => format!("{}/{}", text(admin), text(name)),
        Key::Person(_, name) => text(name).to_owned(),
        Key::Block(range) => range.to_string(),
        Key::System(number) => format!("AS{number}"),
    }
}

fn party(database: &Database, holders: &Holders, references: &[String], at: usize, holder: &Holder) -> Party {
    let mut party = Party { reference: references[at].clone(), name: references[at].clone(), ..Party::default() };
    let country = database.names.text(holder.country);
    if country.len() == 2 {
        party.country = country.to_owned();
    }
    let mut is_lir = false;
    match holder.key {
        Key::Organisation(name) => {
            if let Some(organisation) = database.organisations.get(&name) {
                party.name.clone_from(&organisation.name);
                party.legal_name.clone_from(&organisation.name);
                party.mails.clone_from(&organisation.mails);
                party.phones.clone_from(&organisation.phones);
                if organisation.language.len() == 2 {
                    party.language.clone_from(&organisation.language);
                }
                if organisation.country.len() == 2 {
                    party.country.clone_from(&organisation.country);
                }
                is_lir = organisation.is_lir;
            }
        }
        Key::Person(_, name) if name.is_some() => party.name = database.names.text(name).to_owned(),
        _ => {}
    }
    // Most blocks decide; among equals the one that was found first, so that the same file gives the same tree.
    let above = holder.above.iter().max_by_key(|(above, blocks)| (**blocks, std::cmp::Reverse(**above)));
    party.parent = above.map(|(above, _)| references[*above].clone()).or_else(|| {
        let sponsor = holders.places.get(&Key::Organisation(holder.sponsor)).filter(|sponsor| **sponsor != at)?;
        Some(references[*sponsor].clone())
    });
    let [allocated, _, assigned] = holder.levels;
    let roles = [(Role::Provider, allocated || is_lir), (Role::Reseller, holder.resells), (Role::Customer, assigned && !is_lir)];
    party.roles = roles.into_iter().filter_map(|(role, has)| has.then_some(role)).collect();
    let contact = |mailbox: Name, fallback: bool| Contact {
        channel: Channel::Mail,
        target: database.names.text(mailbox).to_owned(),
        hours: String::new(),
        notify: true,
        fallback,
    };
    party.contacts = holder.own.iter().map(|mailbox| contact(*mailbox, false)).collect();
    if party.contacts.is_empty() && holder.inherited.is_some() {
        party.contacts.push(contact(holder.inherited, true));
    }
    party
}
