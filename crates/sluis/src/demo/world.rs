//! The world behind the demo: a provider, its resellers and customers, and who really held what at every moment.
//!
//! Everything follows from a seed. The node never sees this world, only its files; [`World::chain`] is the truth that the
//! node's answers are held against. It looks through everything, plainly, and shares no code with the index.

use model::address::{Address, Range};
use model::assignment::{Level, Period};
use model::resource::{DomainName, Resource};
use model::time::{DAY, HOUR, MINUTE, Time};

use super::dice::Dice;
use super::names;

/// How often the customer administration is exported, and the abuse mailbox worked off right after it.
pub(crate) const ROUND: i64 = 7 * DAY;
/// Rounds in the demo: a year.
pub(crate) const ROUNDS: i64 = 52;

/// The provider, as [`World::parties`] numbers it.
pub(crate) const PROVIDER: usize = 0;
/// A reseller that looks after its customers.
pub(crate) const KADE: usize = 1;
/// Who rents from [`KADE`] and rents on.
pub(crate) const STEIGER: usize = 2;
/// Another careful reseller.
pub(crate) const POLDER: usize = 3;
/// The rotten one.
pub(crate) const VLOTBOX: usize = 4;
/// Those that are resellers.
pub(crate) const RESELLERS: [usize; 4] = [KADE, STEIGER, POLDER, VLOTBOX];

/// A party of the world.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    /// Its identifier in the administration that tells of it.
    pub(crate) reference: String,
    pub(crate) name: String,
    /// Its own domain name, under which its mailboxes are.
    pub(crate) domain: String,
    /// From whom it rents, from when on; the first goes for all time before too.
    pub(crate) parents: Vec<(Time, usize)>,
}

/// Something that a party holds during a period.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    pub(crate) resource: Resource,
    pub(crate) period: Period,
    pub(crate) party: usize,
    pub(crate) level: Level,
    pub(crate) product: &'static str,
    pub(crate) service: String,
}

/// What the story needs to know of the address that changes hands before everybody's eyes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handover {
    pub(crate) address: Address,
    pub(crate) at: Time,
}

/// The provider's year.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// When it begins: some exports before [`World::end`].
    pub(crate) start: Time,
    /// When it ends, which is also the last export.
    pub(crate) end: Time,
    pub(crate) parties: Vec<Party>,
    pub(crate) holdings: Vec<Holding>,
    /// An address in the block that one reseller gives up and another takes over.
    pub(crate) handover: Handover,
}

/// The provider's address space. Everything of the world lies in the documentation ranges (RFC 5737, RFC 3849).
pub(crate) const PROVIDER_BLOCKS: [&str; 3] = ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/36"];
/// Servers that the provider runs itself, and on which customers have web space.
pub(crate) const WEB_SERVERS: [u32; 3] = [v4(0, 10), v4(0, 11), v4(0, 12)];

/// Address `last` of the provider's first (0) or second (1) block.
pub(crate) const fn v4(block: u32, last: u32) -> u32 {
    (if block == 0 { 0xc000_0200 } else { 0xc633_6400 }) + last
}

/// How the customers of a branch behave.
struct Habit {
    branch: usize,
    /// Days that somebody stays, at least and at most.
    days: (i64, i64),
    /// Hours between one customer and the next on the same address, at most.
    gap: i64,
    /// Of a hundred orders, those by somebody who is or was a customer already.
    returning: u64,
    product: &'static str,
}

impl World {
    /// The year before `now`, from `seed`.
    pub(crate) fn new(seed: u64, now: Time) -> World {
        // Exports are made on Mondays at six in the morning; 1970-01-05 was a Monday.
        let monday = Time(5 * DAY - DAY + 6 * HOUR);
        let end = Time(monday.0 + (now.0 - monday.0).div_euclid(ROUND) * ROUND);
        let start = end.plus(-ROUNDS * ROUND);
        let moved = start.plus(30 * ROUND);
        let handover = Handover { address: Address::from_v4(v4(1, 226)), at: moved };
        let world = World { start, end, parties: Vec::new(), holdings: Vec::new(), handover };
        let mut making = Making { world, dice: Dice::new(seed), names: names::Names::default(), services: 1000 };
        making.provider_and_resellers();
        making.machines();
        making.web_space();
        making.movers();
        making.world
    }

    /// How many customers there were in the year.
    pub(crate) fn customers(&self) -> usize {
        self.parties.len() - 1 - RESELLERS.len()
    }

    /// The reseller that `party` rented from.
    pub(crate) fn parent(&self, party: usize, at: Time) -> Option<usize> {
        let parents = &self.parties[party].parents;
        let known = parents.iter().rev().find(|(from, _)| *from <= at).or(parents.first());
        known.map(|(_, parent)| *parent).filter(|parent| *parent != PROVIDER)
    }

    /// Who held `host`, if it is a name that somebody held, else `address`: the outermost first, the holder last.
    pub(crate) fn chain(&self, address: Option<Address>, host: Option<&str>, at: Time) -> Vec<usize> {
        let of_name = host.map_or_else(Vec::new, |host| self.holders_of_name(host, at));
        let of_address = address.map_or_else(Vec::new, |address| self.holders_of_address(address, at));
        let found = match of_name.as_slice() {
            [] => of_address,
            // Of the address, only whose network it is.
            of_name => of_address.iter().take(1).chain(of_name).copied().collect(),
        };
        let mut chain: Vec<usize> = Vec::new();
        for party in found {
            let mut above = Vec::new();
            let mut child = party;
            while let Some(parent) = self.parent(child, at) {
                above.push(parent);
                child = parent;
            }
            for link in above.into_iter().rev().chain([party]) {
                if !chain.contains(&link) {
                    chain.push(link);
                }
            }
        }
        chain
    }

    fn holders_of_address(&self, address: Address, at: Time) -> Vec<usize> {
        let mut found: Vec<(u128, usize)> = Vec::new();
        for holding in self.holdings.iter().filter(|holding| holding.period.contains(at)) {
            if let Resource::Addresses(Range { first, last }) = &holding.resource
                && *first <= address
                && address <= *last
            {
                found.push((last.0 - first.0, holding.party));
            }
        }
        found.sort_by(|a, b| b.cmp(a));
        found.into_iter().map(|(_, party)| party).collect()
    }

    fn holders_of_name(&self, host: &str, at: Time) -> Vec<usize> {
        let holds = |holding: &&Holding| match &holding.resource {
            Resource::Domain(name) => {
                let above = host.strip_suffix(name.as_str());
                holding.period.contains(at) && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            _ => false,
        };
        self.holdings.iter().filter(holds).map(|holding| holding.party).collect()
    }
}

/// A world in the making.
struct Making {
    world: World,
    dice: Dice,
    names: names::Names,
    services: u32,
}

impl Making {
    fn provider_and_resellers(&mut self) {
        // What the last column says they rent from, they always did.
        for (reference, name, domain, parent) in [
            ("ORG-DUIN1-TEST", "Duinhost B.V.", "duinhost.example", None),
            ("R-KADE", "Kade Webdiensten", "kade.example", Some(PROVIDER)),
            ("R-STEIGER", "Steiger Studio", "steiger.example", Some(KADE)),
            ("R-POLDER", "Polderserver", "polderserver.example", Some(PROVIDER)),
            ("R-VLOTBOX", "Vlotbox Cloud", "vlotbox.example", Some(PROVIDER)),
        ] {
            let [reference, name, domain] = [reference, name, domain].map(str::to_owned);
            let parents = parent.map(|parent| (Time::MIN, parent)).into_iter().collect();
            self.world.parties.push(Party { reference, name, domain, parents });
        }
        let long_ago = self.world.start.plus(-1_200 * DAY);
        for block in PROVIDER_BLOCKS {
            let period = Period { from: Some(Time(long_ago.0 - long_ago.0.rem_euclid(DAY))), to: None };
            self.hold(range(block), period, PROVIDER, Level::Allocated, "");
        }
        let moved = self.world.handover.at;
        let from = |days: i64| self.world.start.plus(-days * DAY);
        for (party, block, from, to) in [
            (KADE, "198.51.100.0/26", from(900), None),
            (STEIGER, "198.51.100.32/27", from(600), None),
            (POLDER, "198.51.100.64/26", from(700), None),
            (VLOTBOX, "198.51.100.128/27", from(95), None),
            (KADE, "198.51.100.224/27", from(400), Some(moved)),
            (VLOTBOX, "198.51.100.224/27", moved, None),
        ] {
            self.hold(range(block), Period { from: Some(from), to }, party, Level::SubAllocated, "resale");
        }
    }

    /// Addresses that are somebody's machine, one customer after the other.
    fn machines(&mut self) {
        let calm = |branch: usize| Habit { branch, days: (120, 1_100), gap: 30 * 24, returning: 22, product: "vps" };
        let rotten = || Habit { branch: VLOTBOX, days: (2, 11), gap: 20, returning: 88, product: "vps" };
        let (start, end, moved) = (self.world.start, self.world.end, self.world.handover.at);
        for last in 30..104 {
            self.slot(v4(0, last), start, end, &calm(PROVIDER));
        }
        for last in 192..200 {
            self.slot(v4(1, last), start, end, &Habit { product: "dedicated server", ..calm(PROVIDER) });
        }
        for last in 2..20 {
            self.slot(v4(1, last), start, end, &calm(KADE));
        }
        for last in 34..44 {
            self.slot(v4(1, last), start, end, &calm(STEIGER));
        }
        for last in 66..92 {
            self.slot(v4(1, last), start, end, &calm(POLDER));
        }
        for last in 130..137 {
            self.slot(v4(1, last), start, end, &rotten());
        }
        // The block that changes hands: Kade's customers have to go, Vlotbox's come.
        for last in 226..232 {
            self.slot(v4(1, last), start, moved, &calm(KADE));
        }
        for last in 226..230 {
            self.slot(v4(1, last), moved, end, &rotten());
        }
        self.arrange_handover();
    }

    /// One address and its IPv6 network from `from` to `until`, with customers after each other.
    fn slot(&mut self, address: u32, from: Time, until: Time, habit: &Habit) {
        let calm = habit.days.1 > 100;
        let mut at = if calm && from == self.world.start { from.plus(-self.dice.between(1, 700) * DAY) } else { from };
        // Orders come at any minute; only the first of a block that changed hands comes with it.
        at = if at == from { at } else { at.plus(self.dice.between(0, 1_439) * MINUTE) };
        while at < until {
            let party = self.customer(habit);
            let days = self.dice.between(habit.days.0, habit.days.1);
            let to = at.plus(days * DAY + self.dice.between(0, 1_439) * MINUTE);
            let last_of_block = until < self.world.end && to >= until;
            let to = if last_of_block { Some(until) } else { Some(to).filter(|to| *to < until) };
            // What ended before the first export is nobody's business any more.
            if to.is_none_or(|to| to > self.world.start) {
                self.machine(address, Period { from: Some(at), to }, party, habit.product);
            }
            let Some(to) = to else { break };
            let gap = if self.dice.chance(40) { 0 } else { self.dice.between(1, habit.gap * 60) };
            at = to.plus(gap * MINUTE);
        }
    }

    fn machine(&mut self, address: u32, period: Period, party: usize, product: &'static str) {
        let v6 = 0x2001_0db8_0000_0000_0000_0000_0000_0000 | u128::from(address & 0xffff) << 64;
        let network = Range { first: Address(v6), last: Address(v6 | u128::from(u64::MAX)) };
        let address = Address::from_v4(address);
        let service = self.service("vps");
        let both = [Range { first: address, last: address }, network];
        for range in both {
            self.world.holdings.push(Holding {
                resource: Resource::Addresses(range),
                period,
                party,
                level: Level::Assigned,
                product,
                service: service.clone(),
            });
        }
    }

    /// Sees to it that the address of the story has a customer of Kade up to the handover, for weeks, and one of Vlotbox
    /// from it, for days.
    fn arrange_handover(&mut self) {
        let Handover { address, at } = self.world.handover;
        let Some(number) = address.v4() else { return };
        let is_it = |holding: &&Holding| {
            let here = matches!(&holding.resource, Resource::Addresses(range) if range.first == address);
            here && holding.level == Level::Assigned
        };
        // The IPv6 network goes with its address: both belong to one service.
        let of_it = self.world.holdings.iter().filter(is_it);
        let services: Vec<String> = of_it.map(|holding| holding.service.clone()).collect();
        let near = |period: &Period| period.end() > at.plus(-40 * DAY) && period.start() < at.plus(9 * DAY);
        self.world.holdings.retain_mut(|holding| {
            let ours = services.contains(&holding.service);
            if ours && near(&holding.period) {
                let before = Period { to: Some(at.plus(-40 * DAY)), ..holding.period };
                let keeps_start = !before.is_empty();
                if keeps_start {
                    holding.period = before;
                }
                return keeps_start;
            }
            true
        });
        let old = self.named_customer(KADE, "Fietsenmakerij Van Dijk");
        self.machine(number, Period { from: Some(at.plus(-35 * DAY)), to: Some(at) }, old, "vps");
        let new = self.named_customer(VLOTBOX, "Turbo Mailer 7");
        self.machine(number, Period { from: Some(at), to: Some(at.plus(9 * DAY)) }, new, "vps");
    }

    /// Customers with web space on the provider's own servers: what they hold is their domain names.
    fn web_space(&mut self) {
        let (start, end) = (self.world.start, self.world.end);
        let habit = Habit { branch: PROVIDER, days: (200, 1_500), gap: 0, returning: 0, product: "shared hosting" };
        for number in 0..66 {
            let party = self.customer(&habit);
            let from = match number {
                0..54 => start.plus(-self.dice.between(10, 900) * DAY),
                _ => start.plus(self.dice.between(5, 320) * DAY),
            };
            let from = from.plus(self.dice.between(0, 1_439) * MINUTE);
            let to = from.plus(self.dice.between(habit.days.0, habit.days.1) * DAY);
            let to = Some(to).filter(|to| *to < end);
            if to.is_some_and(|to| to <= start) {
                continue;
            }
            let service = self.service("web");
            let names = 1 + self.dice.below(3);
            for name in 0..names {
                let domain = self.world.parties[party].domain.clone();
                let domain = match name {
                    0 => domain,
                    1 => domain.replace(".example", "-webshop.example"),
                    _ => format!("mijn-{domain}"),
                };
                self.domain(&domain, Period { from: Some(from), to }, party, &service);
                // A name that was let go is soon somebody else's, who wants its good reputation.
                if name == 0
                    && let Some(to) = to
                    && to.plus(40 * DAY) < end
                {
                    let taker = self.customer(&Habit { branch: VLOTBOX, returning: 100, ..habit });
                    let service = self.service("dom");
                    let from = to.plus(self.dice.between(1, 14) * DAY);
                    self.domain(&domain, Period { from: Some(from), to: None }, taker, &service);
                }
            }
        }
    }

    fn domain(&mut self, name: &str, period: Period, party: usize, service: &str) {
        let Some(name) = DomainName::parse(name) else { return };
        self.world.holdings.push(Holding {
            resource: Resource::Domain(name),
            period,
            party,
            level: Level::Assigned,
            product: "shared hosting",
            service: service.to_owned(),
        });
    }

    /// Customers that go to another reseller, and get another address there. They go on the day of an export: contracts
    /// between resellers are moved in a maintenance window.
    fn movers(&mut self) {
        for (number, (old, new)) in
            [(KADE, POLDER), (POLDER, KADE), (PROVIDER, KADE), (KADE, PROVIDER), (POLDER, STEIGER)].into_iter().enumerate()
        {
            let at = self.world.start.plus((8 + 8 * number as i64) * ROUND);
            let party = self.new_customer(old);
            self.world.parties[party].parents.push((at, new));
            let address = |branch: usize| match branch {
                KADE => v4(1, 24 + number as u32),
                POLDER => v4(1, 100 + number as u32),
                STEIGER => v4(1, 54 + number as u32),
                _ => v4(0, 200 + number as u32),
            };
            let from = self.world.start.plus(-self.dice.between(20, 300) * DAY);
            self.machine(address(old), Period { from: Some(from), to: Some(at) }, party, "vps");
            self.machine(address(new), Period { from: Some(at), to: None }, party, "vps");
        }
    }

    fn customer(&mut self, habit: &Habit) -> usize {
        let belongs = |party: &Party| party.parents.len() == 1 && party.parents[0].1 == habit.branch;
        let known: Vec<usize> = (VLOTBOX + 1..self.world.parties.len()).filter(|at| belongs(&self.world.parties[*at])).collect();
        // The rotten branch has few faces behind its many orders.
        if !known.is_empty() && self.dice.chance(habit.returning) {
            return *self.dice.pick(&known);
        }
        self.new_customer(habit.branch)
    }

    fn new_customer(&mut self, branch: usize) -> usize {
        let name = if branch == VLOTBOX { self.names.odd(&mut self.dice) } else { self.names.honest(&mut self.dice) };
        self.named_customer(branch, &name)
    }

    fn named_customer(&mut self, branch: usize, name: &str) -> usize {
        let number = self.world.parties.len();
        self.world.parties.push(Party {
            reference: format!("C{}", 1_000 + number),
            name: name.to_owned(),
            domain: format!("{}.example", names::slug(name)),
            parents: vec![(Time::MIN, branch)],
        });
        number
    }

    fn service(&mut self, kind: &str) -> String {
        self.services += 1;
        format!("{kind}-{}", self.services)
    }

    fn hold(&mut self, resource: Option<Resource>, period: Period, party: usize, level: Level, product: &'static str) {
        if let Some(resource) = resource {
            self.world.holdings.push(Holding { resource, period, party, level, product, service: String::new() });
        }
    }
}

fn range(text: &str) -> Option<Resource> {
    Resource::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(seed: u64) -> World {
        World::new(seed, Time::civil(2026, 11, 21, 12, 0, 0, 0).expect("it exists"))
    }

    #[test]
    fn at_every_instant_a_resource_has_one_holder() {
        for seed in 0..20 {
            let world = world(seed);
            for (at, one) in world.holdings.iter().enumerate() {
                assert!(!one.period.is_empty(), "{one:?}");
                for other in &world.holdings[at + 1..] {
                    let same = one.resource == other.resource && one.level == other.level;
                    assert!(!same || !one.period.overlaps(&other.period), "{one:?}\n{other:?}");
                }
            }
        }
    }

    #[test]
    fn the_world_is_as_large_as_we_say() {
        let world = world(1);
        let customers = world.customers();
        assert!((230..380).contains(&customers), "{customers} customers");
        assert_eq!(world.end.plus(-ROUNDS * ROUND), world.start);
        assert_eq!(world.end.to_string(), "2026-11-16T06:00:00Z");
        let documentation = ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"].map(|text| Range::parse(text).expect("a range"));
        for holding in &world.holdings {
            if let Resource::Addresses(range) = &holding.resource {
                assert!(documentation.iter().any(|outer| *outer == *range || outer.encloses(range)), "{range}");
            }
        }
        let names: std::collections::HashSet<&str> = world.parties.iter().map(|party| party.domain.as_str()).collect();
        assert_eq!(names.len(), world.parties.len(), "two parties have the same domain name");
    }

    #[test]
    fn the_address_of_the_story_changes_hands() {
        for seed in 0..20 {
            let world = world(seed);
            let Handover { address, at } = world.handover;
            let before = world.chain(Some(address), None, at.plus(-1));
            let after = world.chain(Some(address), None, at);
            assert_eq!((before[..2].to_vec(), after[..2].to_vec()), (vec![PROVIDER, KADE], vec![PROVIDER, VLOTBOX]));
            assert_eq!((before.len(), after.len()), (3, 3));
            assert_eq!(world.chain(Some(address), None, at.plus(-30 * DAY)), before);
        }
    }
}
