//! What goes wrong in the demo's world, and who sees it: sightings of abuse over the year.
//!
//! An honest customer has a problem now and then, and mends it. A customer of the rotten reseller rents for it.

use model::address::{Address, Range};
use model::assignment::Level;
use model::category::Kind;
use model::resource::Resource;
use model::time::{DAY, HOUR, SECOND, Time};

use super::dice::Dice;
use super::world::{PROVIDER, ROUND, VLOTBOX, WEB_SERVERS, World, v4};

/// Through whose eyes abuse is seen, and so in which form it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Eye {
    /// Shadowserver's honeypots: guessing of passwords.
    Honeypot,
    /// Shadowserver's sinkholes: infected machines.
    Sinkhole,
    /// Shadowserver's scans: open services. Comes by mail, zipped.
    Rsync,
    /// The same, of another service.
    Memcached,
    /// Shadowserver's list of broken web sites.
    BrokenSite,
    /// Shadowserver's collection of blocklists.
    Blocklist,
    /// A mailbox provider's feedback loop: spam, in ARF.
    FeedbackLoop,
    /// A bank that looks for copies of its sign-in page: XARF v4.
    Bank,
    /// A watch service's sensors: attacks with ports, XARF v4 in lines.
    Sensors,
    /// A list of sites with malware and fraud, as CSV.
    SiteList,
}

/// One sighting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) at: Time,
    pub(crate) eye: Eye,
    pub(crate) kind: Kind,
    pub(crate) address: Address,
    /// The host name in the URL, for content.
    pub(crate) host: Option<String>,
    /// How long the report of it is under way, beyond what is usual.
    pub(crate) delay: i64,
}

/// A problem: what is seen, by whom, and how often a day.
struct Trouble {
    eye: Eye,
    kind: Kind,
    a_day: f64,
}

const fn trouble(eye: Eye, kind: Kind, a_day: f64) -> Trouble {
    Trouble { eye, kind, a_day }
}

/// What happens to machines of people who mean well, the more frequent more often.
const MISHAPS: [Trouble; 9] = [
    trouble(Eye::Rsync, Kind::OpenService, 0.4),
    trouble(Eye::Rsync, Kind::OpenService, 0.5),
    trouble(Eye::Memcached, Kind::OpenService, 0.5),
    trouble(Eye::Memcached, Kind::OpenService, 0.5),
    trouble(Eye::Honeypot, Kind::LoginAttack, 1.8),
    trouble(Eye::Sinkhole, Kind::InfectedHost, 1.2),
    trouble(Eye::Sinkhole, Kind::InfectedHost, 0.8),
    trouble(Eye::FeedbackLoop, Kind::Spam, 0.5),
    trouble(Eye::Sensors, Kind::PortScan, 0.7),
];

/// What people rent a machine for whom nobody asks anything.
const TRADES: [Trouble; 8] = [
    trouble(Eye::FeedbackLoop, Kind::Spam, 0.45),
    trouble(Eye::Honeypot, Kind::LoginAttack, 1.4),
    trouble(Eye::Sensors, Kind::LoginAttack, 0.9),
    trouble(Eye::Bank, Kind::Phishing, 0.4),
    trouble(Eye::SiteList, Kind::Malware, 0.5),
    trouble(Eye::SiteList, Kind::Fraud, 0.4),
    trouble(Eye::Blocklist, Kind::Blocklist, 0.5),
    trouble(Eye::Sensors, Kind::PortScan, 0.6),
];

/// What happens to a web site that nobody updates.
const BREAK_INS: [Trouble; 3] = [
    trouble(Eye::BrokenSite, Kind::RemoteCompromise, 0.6),
    trouble(Eye::Bank, Kind::Phishing, 0.7),
    trouble(Eye::SiteList, Kind::Malware, 0.5),
];

/// Everything that is seen in the year, in the order of time.
pub(crate) fn sightings(world: &World, seed: u64) -> Vec<Sighting> {
    let mut telling = Telling { world, dice: Dice::new(seed ^ 0x5111_15ab), sightings: Vec::new() };
    for holding in &world.holdings {
        if holding.level != Level::Assigned {
            continue;
        }
        let from = holding.period.start().max(world.start);
        let to = holding.period.end().min(world.end.plus(-2 * DAY));
        if to <= from.plus(DAY) {
            continue;
        }
        let branch = world.chain_of_party(holding.party, from);
        let rotten = branch.first() == Some(&VLOTBOX);
        match &holding.resource {
            Resource::Domain(name) => telling.site(name.as_str(), rotten, from, to),
            Resource::Addresses(range) => telling.machine(*range, rotten, from, to),
            _ => {}
        }
    }
    telling.handover();
    telling.strays();
    let mut sightings = telling.sightings;
    sightings.sort_by_key(|sighting| (sighting.at, sighting.address));
    sightings
}

struct Telling<'w> {
    world: &'w World,
    dice: Dice,
    sightings: Vec<Sighting>,
}

impl Telling<'_> {
    fn machine(&mut self, range: Range, rotten: bool, from: Time, to: Time) {
        let is_network = range.first != range.last;
        if rotten {
            // The network beside the address is used too, but less.
            let count = if is_network { u64::from(self.dice.chance(12)) } else { 1 + self.dice.below(2) };
            for _ in 0..count {
                let trade = self.dice.pick(&TRADES);
                self.repeat(trade, range, None, from, to);
            }
            return;
        }
        let days = (to.0 - from.0) / DAY;
        let chance = if is_network { 6 } else { 46 };
        if !self.dice.chance((chance * days.unsigned_abs() / 300).min(chance)) {
            return;
        }
        let mishap = self.dice.pick(&MISHAPS);
        let begin = from.plus(self.dice.between(0, (days - 1).max(0)) * DAY);
        let until = begin.plus(self.dice.between(3, 24) * DAY).min(to);
        self.repeat(mishap, range, None, begin, until);
    }

    fn site(&mut self, name: &str, rotten: bool, from: Time, to: Time) {
        let percent = if rotten { 100 } else { 38 };
        if !self.dice.chance(percent) {
            return;
        }
        let server = Address::from_v4(*self.dice.pick(&WEB_SERVERS));
        let range = Range { first: server, last: server };
        let trade = if rotten { &BREAK_INS[1] } else { self.dice.pick(&BREAK_INS) };
        let days = (to.0 - from.0) / DAY;
        let begin = if rotten { from } else { from.plus(self.dice.between(0, (days - 1).max(0)) * DAY) };
        let until = begin.plus(self.dice.between(3, 16) * DAY).min(to);
        let host = if self.dice.chance(50) { name.to_owned() } else { format!("www.{name}") };
        self.repeat(trade, range, Some(host), begin, until);
    }

    /// The sightings of one problem, from its first instant on: that is where a wrong answer would be easiest.
    fn repeat(&mut self, trouble: &Trouble, range: Range, host: Option<String>, from: Time, to: Time) {
        let host = host.or_else(|| {
            let is_content = matches!(trouble.kind, Kind::Phishing | Kind::Malware | Kind::Fraud);
            is_content.then(|| self.throwaway(trouble.kind))
        });
        let address =
            Address(range.first.0 + if range.first == range.last { 0 } else { u128::from(self.dice.between(1, 40) as u64) });
        let step = (DAY as f64 / trouble.a_day) as i64;
        let mut at = Time((from.0 + SECOND - 1).div_euclid(SECOND) * SECOND);
        while at < to {
            self.sightings.push(Sighting { at, eye: trouble.eye, kind: trouble.kind, address, host: host.clone(), delay: 0 });
            at = at.plus(self.dice.between(step / 5, step * 9 / 5) / SECOND * SECOND + SECOND);
        }
    }

    /// A name that is in nobody's administration: the customer registered it elsewhere.
    fn throwaway(&mut self, kind: Kind) -> String {
        let what = match kind {
            Kind::Phishing => ["mijn-havenbank-veilig", "pakket-bezorgd", "betaalpas-verlengen"],
            Kind::Fraud => ["lage-prijs-outlet", "fiets-voordeel", "concert-kaartjes-nu"],
            _ => ["factuur-openen", "update-speler", "gratis-scanner"],
        };
        format!("{}-{}.example", self.dice.pick(&what), 100 + self.dice.below(900))
    }

    /// What the last screen shows: the same abuse of the same address before and after it changed hands, and a report
    /// about the time before that comes after.
    fn handover(&mut self) {
        let super::world::Handover { address, at } = self.world.handover;
        self.sightings.retain(|sighting| sighting.address != address || sighting.kind != Kind::LoginAttack);
        let seen = |eye: Eye, at: Time, delay: i64| Sighting { at, eye, kind: Kind::LoginAttack, address, host: None, delay };
        for day in [9, 8, 6, 4] {
            self.sightings.push(seen(Eye::Honeypot, at.plus(-day * DAY + 3 * HOUR), 0));
        }
        self.sightings.push(seen(Eye::Sensors, at.plus(-2 * DAY + 5 * HOUR), 4 * DAY));
        for day in [1, 2, 3, 5] {
            self.sightings.push(seen(Eye::Honeypot, at.plus(day * DAY + 2 * HOUR), 0));
        }
    }

    /// Reports that go to nobody, or to the provider itself.
    fn strays(&mut self) {
        let mut stray = |address: u32, eye: Eye, kind: Kind, round: i64| {
            let at = self.world.start.plus(round * ROUND + self.dice.between(1, 90) * HOUR);
            let address = Address::from_v4(address);
            self.sightings.push(Sighting { at, eye, kind, address, host: None, delay: 0 });
        };
        // Not this provider's address space at all: a notifier looked at an old routing table.
        stray(0xcb00_714d, Eye::Sensors, Kind::LoginAttack, 11);
        stray(0xcb00_7109, Eye::Honeypot, Kind::LoginAttack, 37);
        // The provider's, and a reseller's, and given to nobody.
        stray(v4(0, 250), Eye::Sinkhole, Kind::InfectedHost, 20);
        stray(v4(1, 250), Eye::Sensors, Kind::PortScan, 41);
        // A web server that the provider runs itself: somebody's script sends mail, the headers do not say whose.
        for round in [6, 19, 33, 47] {
            stray(WEB_SERVERS[1], Eye::FeedbackLoop, Kind::Spam, round);
        }
    }
}

impl World {
    /// The resellers above a party, outermost first, and the party.
    fn chain_of_party(&self, party: usize, at: Time) -> Vec<usize> {
        let mut chain = vec![party];
        let mut child = party;
        while let Some(parent) = self.parent(child, at).filter(|parent| *parent != PROVIDER) {
            chain.push(parent);
            child = parent;
        }
        chain.reverse();
        chain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_thousand_sightings_and_most_of_them_rotten() {
        let world = World::new(1, Time::civil(2026, 11, 21, 12, 0, 0, 0).expect("it exists"));
        let sightings = sightings(&world, 1);
        assert!((2_500..9_000).contains(&sightings.len()), "{}", sightings.len());
        assert_eq!(sightings, super::sightings(&world, 1));
        for sighting in &sightings {
            assert!(sighting.at >= world.start && sighting.at < world.end, "{sighting:?}");
        }
        let late = sightings.iter().find(|sighting| sighting.delay > 0).expect("one report is late");
        assert!(late.at < world.handover.at && late.at.plus(late.delay) > world.handover.at);
        let both = |kind: Kind| sightings.iter().filter(|sighting| sighting.kind == kind).count();
        for kind in [Kind::Spam, Kind::Phishing, Kind::Malware, Kind::LoginAttack, Kind::OpenService, Kind::RemoteCompromise] {
            assert!(both(kind) > 10, "{kind}");
        }
        assert!(sightings.iter().any(|sighting| sighting.address.v4().is_none()), "IPv6 too");
    }
}
