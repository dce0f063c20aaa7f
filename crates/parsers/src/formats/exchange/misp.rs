//! Events of MISP, JSON: what an attribute says of a place on the network becomes a report, what is about files does not.
//!
//! An attribute is knowledge. One that is meant for detection (`to_ids`) becomes a report of what tags and category claim of it,
//! and of `reputation/threat_intelligence` when they claim nothing; any other only when its category says that misuse went
//! through it. Proposals are not taken, nor what is deleted, nor mail addresses, which anybody can forge.

use std::borrow::Cow;

use model::category::Kind;
use model::label::{Pap, Tlp};
use model::report::{Core, Place, Word};
use model::time::Time;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::document::{self, Json};
use crate::kinds::indicator::{Claims, Spot, Stated, clip, family, port};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

mod count;

pub use count::{Counts, Indicator, count};

/// MISP.
pub const FORMAT: Format = Format {
    name: "misp",
    title: "Events of MISP, JSON (https://www.misp-project.org, MISP core format)",
    senders: &[],
    fields: &[
        ("ip-src, ip-dst, with |port", "address, port"),
        ("domain, hostname, domain|ip", "domain, address"),
        ("url, uri", "url"),
        ("last_seen, date_sighting, timestamp, date", "time"),
        ("to_ids, category, Tag", "kind"),
        ("Tag, Galaxy", "tags, TLP, PAP, malware_family"),
        ("Sighting", "incidents, first_seen, last_seen"),
        ("Orgc", "reporter.org"),
        ("info", "description"),
        ("uuid", "report_id, misp_event"),
        ("comment, category, type", "misp_comment, misp_category, misp_type"),
    ],
    proven: Proven::By("PyMISP, MISP"),
    detect,
    parse,
};

/// Members of events and attributes that this version knows, so that only what is new counts as a change.
const KNOWN: &[&str] = &[
    "Event.Attribute",
    "Event.CryptographicKey",
    "Event.EventReport",
    "Event.Galaxy",
    "Event.Object",
    "Event.Org",
    "Event.Orgc",
    "Event.RelatedEvent",
    "Event.ShadowAttribute",
    "Event.Sighting",
    "Event.SharingGroup",
    "Event.Tag",
    "Event.analysis",
    "Event.attribute_count",
    "Event.date",
    "Event.disable_correlation",
    "Event.distribution",
    "Event.event_creator_email",
    "Event.extends_uuid",
    "Event.id",
    "Event.info",
    "Event.locked",
    "Event.org_id",
    "Event.orgc_id",
    "Event.proposal_email_lock",
    "Event.protected",
    "Event.publish_timestamp",
    "Event.published",
    "Event.sharing_group_id",
    "Event.sighting_timestamp",
    "Event.threat_level_id",
    "Event.timestamp",
    "Event.uuid",
    "Attribute.Galaxy",
    "Attribute.SharingGroup",
    "Attribute.ShadowAttribute",
    "Attribute.Sighting",
    "Attribute.Tag",
    "Attribute.category",
    "Attribute.comment",
    "Attribute.data",
    "Attribute.deleted",
    "Attribute.disable_correlation",
    "Attribute.distribution",
    "Attribute.event_id",
    "Attribute.first_seen",
    "Attribute.id",
    "Attribute.last_seen",
    "Attribute.object_id",
    "Attribute.object_relation",
    "Attribute.sharing_group_id",
    "Attribute.timestamp",
    "Attribute.to_ids",
    "Attribute.type",
    "Attribute.uuid",
    "Attribute.value",
    "Attribute.value1",
    "Attribute.value2",
    "Attribute.warnings",
];
/// Tags of one report that are kept.
const MOST_TAGS: usize = 64;
/// Bytes of a text for people that are kept.
const LONGEST: usize = 4 << 10;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(start) = document::beginning(prefix) else { return Fit::No };
    let has = |name: &str| memchr::memmem::find(start, name.as_bytes()).is_some();
    let about = |name: &str| {
        let bare = start.trim_ascii_start();
        let inner = bare.iter().position(|byte| !b"{[ \t\r\n".contains(byte)).unwrap_or(0);
        bare.get(inner..).unwrap_or_default().starts_with(name.as_bytes())
    };
    let event = about("\"Event\"") || about("\"response\"") && has("\"Event\"");
    let bare = || has("\"Attribute\"") && (has("\"to_ids\"") || has("\"Orgc\"")) && has("\"distribution\"");
    if event && (has("\"uuid\"") || has("\"info\"")) || bare() { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let mut names: Vec<String> = KNOWN.iter().map(|name| (*name).to_owned()).collect();
    let outcome = document::each(reading, source, "MISP event", |reading, document, place| {
        let mut some = false;
        for (number, event) in events(document).enumerate() {
            some = true;
            shape(event, &mut names);
            let place = match (number, place) {
                (0, place) => place.to_owned(),
                (_, "") => format!("event {}", number + 1),
                (_, place) => format!("{place}, event {}", number + 1),
            };
            Event::of(event).read(reading, event, &place)?;
        }
        if !(some || document.is_list() || document.get("response").is_some()) {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, place, document.raw().as_bytes(), "no MISP event: it has no 'Event' and no 'Attribute'");
        }
        Ok(())
    });
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    reading.shape("", &names);
    outcome
}

/// The events of a document: `{"Event": …}`, the event itself, `{"response": […]}`, or an array of any of these.
fn events<'a>(document: Json<'a>) -> impl Iterator<Item = Json<'a>> {
    let (list, alone) = match document.get("response") {
        Some(list) if list.is_list() => (Some(list), None),
        Some(one) => (None, Some(one)),
        None if document.is_list() => (Some(document), None),
        None => (None, Some(document)),
    };
    let each = list.into_iter().flat_map(Json::items).chain(alone);
    each.filter_map(|item| match item.get("Event") {
        Some(event) => event.is_object().then_some(event),
        None => ["info", "Attribute", "Object"].iter().any(|name| item.get(name).is_some()).then_some(item),
    })
}

fn shape(event: Json<'_>, names: &mut Vec<String>) {
    const MOST: usize = 200;
    let mut add = |name: String| {
        if names.len() < MOST && name.len() < 80 && !names.contains(&name) {
            names.push(name);
        }
    };
    event.members().take(MOST).for_each(|(name, _)| add(format!("Event.{name}")));
    for attribute in attributes(event).take(3) {
        attribute.members().take(MOST).for_each(|(name, _)| add(format!("Attribute.{name}")));
    }
}

/// Attributes of an event and of its objects; what is deleted is left out.
fn attributes<'a>(event: Json<'a>) -> impl Iterator<Item = Json<'a>> {
    live(event.list("Attribute")).chain(live(event.list("Object")).flat_map(|object| live(object.list("Attribute"))))
}

/// Those that are not deleted.
fn live<'a>(items: impl Iterator<Item = Json<'a>>) -> impl Iterator<Item = Json<'a>> {
    items.filter(|item| item.is_object() && !item.is("deleted"))
}

/// Names of the tags of an event, attribute or cluster: its own, and those of its galaxies.
fn tags<'a>(of: Json<'a>) -> impl Iterator<Item = Cow<'a, str>> {
    const MOST: usize = 256;
    let own = of.list("Tag").take(MOST).map(|tag| tag.word("name"));
    let clusters = of.list("Galaxy").take(MOST).flat_map(|galaxy| galaxy.list("GalaxyCluster").take(MOST));
    let galaxies = clusters.take(MOST).map(|cluster| cluster.word("tag_name"));
    own.chain(galaxies).filter(|name| !name.is_empty() && name.len() <= 512)
}

/// What an object says of its attributes; looked up once for all of them.
#[derive(Default)]
struct Owner<'a> {
    name: Cow<'a, str>,
    tags: Vec<Cow<'a, str>>,
    /// Its port, when it has one, and one address that this must be of.
    port: Cow<'a, str>,
    /// The role of the attribute that the others are parts of, where all are about one place.
    lead: Option<Role>,
    /// The address and the name among those parts.
    address: Cow<'a, str>,
    domain: Cow<'a, str>,
}

impl<'a> Owner<'a> {
    fn of(object: Json<'a>) -> Owner<'a> {
        let mut owner = Owner { name: object.word("name"), tags: tags(object).collect(), ..Owner::default() };
        let (mut ports, mut addresses, mut names, mut locations, mut pairs) = (0, 0, 0, 0, 0);
        // Whether each is meant for detection: what is must not vanish behind what is not.
        let (mut address, mut domain, mut location) = (false, false, false);
        for attribute in live(object.list("Attribute")) {
            let kind = attribute.word("type");
            match Role::of(&kind) {
                Some(Role::From | Role::Address) => {
                    addresses += 1;
                    address |= attribute.is("to_ids");
                    owner.address = attribute.word("value");
                }
                Some(Role::Name) => {
                    names += 1;
                    domain |= attribute.is("to_ids");
                    owner.domain = attribute.word("value");
                }
                Some(Role::Location) => {
                    locations += 1;
                    location |= attribute.is("to_ids");
                }
                Some(Role::NameAndAddress) => pairs += 1,
                None if kind == "port" && matches!(&*attribute.word("object_relation"), "port" | "dst-port") => {
                    ports += 1;
                    owner.port = attribute.word("value");
                }
                None => {}
            }
        }
        owner.lead = match (&*owner.name, locations, names, addresses, pairs) {
            ("url", 1, 0 | 1, 0 | 1, 0) if location || !(address || domain) => Some(Role::Location),
            ("domain-ip", 0, 1, 1, 0) if domain || !address => Some(Role::Name),
            _ => None,
        };
        if ports != 1 || addresses > 1 || owner.lead.is_none() && addresses != 1 {
            owner.port = Cow::Borrowed("");
        }
        owner
    }

    /// The place with its parts.
    fn complete(&self, spot: Spot) -> Spot {
        let mut spot =
            if spot.port == 0 && (spot.address.is_some() || self.lead.is_some()) { spot.with_port(&self.port) } else { spot };
        if self.lead.is_some() {
            spot.address = spot.address.or_else(|| Spot::addresses(&self.address).and_then(|part| part.address));
            spot.name = spot.name.or_else(|| Spot::name(&self.domain).and_then(|part| part.name));
        }
        spot
    }
}

/// What an event says of all that is in it.
struct Event<'a> {
    uuid: Cow<'a, str>,
    info: Cow<'a, str>,
    date: Option<Time>,
    organisation: Cow<'a, str>,
    threat_level: Cow<'a, str>,
    tags: Vec<Cow<'a, str>>,
    claims: Claims,
    malware: Option<String>,
}

/// How many attributes became what.
#[derive(Default)]
struct Tally {
    attributes: usize,
    reports: usize,
    rejects: usize,
    elsewhere: usize,
    parts: usize,
    not_for_detection: usize,
}

impl<'a> Event<'a> {
    fn of(event: Json<'a>) -> Event<'a> {
        let creator = event.get("Orgc").or_else(|| event.get("Org"));
        let mut claims = Claims::default();
        let mut all: Vec<Cow<'a, str>> = Vec::new();
        for tag in tags(event) {
            claims.add(&tag);
            if all.len() < MOST_TAGS && !all.contains(&tag) {
                all.push(tag);
            }
        }
        // Where an event has one name of what it is about, it is that of the malware.
        let mut payloads = attributes(event).filter(|attribute| {
            attribute.word("category") == "Payload type" && attribute.word("type") == "text" && attribute.get("value").is_some()
        });
        let payload = match (payloads.next(), payloads.next()) {
            (Some(one), None) => Some(one.word("value").into_owned()).filter(|name| !name.is_empty() && name.len() <= 100),
            _ => None,
        };
        let malware = family(all.iter().map(|tag| &**tag)).or(payload);
        Event {
            uuid: event.word("uuid"),
            info: event.word("info"),
            date: Time::parse(event.word("date").as_bytes()).or_else(|| event.time("timestamp")),
            organisation: creator.map(|creator| creator.word("name")).unwrap_or_default(),
            threat_level: event.word("threat_level_id"),
            tags: all,
            claims,
            malware,
        }
    }

    fn read(&self, reading: &mut Reading<'_>, event: Json<'a>, place: &str) -> Result<(), Stop> {
        let mut tally = Tally::default();
        for attribute in live(event.list("Attribute")) {
            self.attribute(reading, attribute, &Owner::default(), place, &mut tally)?;
        }
        for object in live(event.list("Object")) {
            let owner = Owner::of(object);
            for attribute in live(object.list("Attribute")) {
                self.attribute(reading, attribute, &owner, place, &mut tally)?;
            }
        }
        self.tell(reading, event, &tally, place);
        Ok(())
    }

    fn attribute(
        &self,
        reading: &mut Reading<'_>,
        attribute: Json<'a>,
        owner: &Owner<'a>,
        place: &str,
        tally: &mut Tally,
    ) -> Result<(), Stop> {
        tally.attributes += 1;
        let kind = attribute.word("type");
        let Some(role) = Role::of(&kind) else {
            tally.elsewhere += 1;
            return Ok(());
        };
        if owner.lead.is_some_and(|lead| lead != role) {
            tally.parts += 1;
            return Ok(());
        }
        let misused = matches!(&*attribute.word("category"), "Network activity" | "Payload delivery" | "Payload installation");
        if !attribute.is("to_ids") && !misused {
            tally.not_for_detection += 1;
            return Ok(());
        }
        let value = match attribute.get("value") {
            Some(value) => value.scalar(),
            None => Cow::Owned([attribute.word("value1"), attribute.word("value2")].join("|")),
        };
        let ordinal = reading.ordinal();
        let Some(spot) = role.spot(&value) else {
            tally.rejects += 1;
            let which = format!("attribute {}", tally.attributes);
            let place = if place.is_empty() { which } else { format!("{place}, {which}") };
            let withheld = self.claims.child_abuse;
            let text = if withheld { "(withheld: it speaks of child abuse material)" } else { &*value };
            reading.reject(ordinal, &place, text.as_bytes(), format!("no '{kind}' can be read from it"));
            return Ok(());
        };
        tally.reports += 1;
        let core = self.report(reading, attribute, owner, role, owner.complete(spot), ordinal);
        reading.report(core)
    }

    /// Fills the open report from one attribute.
    fn report(
        &self,
        reading: &mut Reading<'_>,
        attribute: Json<'a>,
        owner: &Owner<'a>,
        role: Role,
        spot: Spot,
        ordinal: u32,
    ) -> Core {
        let mut claims = self.claims;
        let mut own: Vec<Cow<'a, str>> = Vec::new();
        let mut stated = Stated::default();
        for tag in tags(attribute).chain(owner.tags.iter().cloned()) {
            if stated.add(&tag) {
                continue;
            }
            claims.add(&tag);
            if own.len() < MOST_TAGS && !own.contains(&tag) {
                own.push(tag);
            }
        }
        let category = attribute.word("category");
        // A taxonomy is more precise than a category.
        claims.malware |= category == "Payload delivery" && spot.url.is_some() && !claims.phishing && !claims.control;
        let seen = Seen::of(attribute);
        let denied = seen.denied > 0 || attribute.list("warnings").next().is_some();
        let kind = match stated.kind {
            _ if claims.child_abuse => Kind::Csam,
            Some(kind) if kind.is_child_abuse() => kind,
            _ if denied => Kind::ThreatIntelligence,
            Some(kind) => kind,
            None if !attribute.is("to_ids") => Kind::ThreatIntelligence,
            None => claims.kind(&spot, role.is_from()),
        };
        claims.child_abuse |= kind.is_child_abuse();
        let mut core = Core::new(kind, ordinal);
        let batch = reading.batch();
        stated.complete(spot).fill(&mut core, batch);
        let time = seen.last.or_else(|| attribute.time("timestamp")).or(self.date);
        core.set_observed(time.filter(|_| !stated.undated));
        core.confidence = stated.confidence.unwrap_or(Core::UNSTATED);
        let all = || own.iter().chain(&self.tags).map(|tag| &**tag);
        core.tlp = all().filter_map(tlp).max().unwrap_or(Tlp::Unstated);
        core.pap = all().filter_map(pap).max().unwrap_or(Pap::Unstated);
        let for_people = |text| if claims.child_abuse { "" } else { clip(text, LONGEST) };
        let malware = stated.family.clone().or_else(|| family(own.iter().map(|tag| &**tag))).or_else(|| self.malware.clone());
        let seen_as = |time: Option<Time>| time.map(|time| time.to_string()).unwrap_or_default();
        let counted = |count: u64| if count > 0 { count.to_string() } else { String::new() };
        for (word, value) in [
            (Word::REPORT_ID, clip(&attribute.word("uuid"), 64)),
            (Word::REPORTER_ORG, clip(&self.organisation, 200)),
            (Word::DESCRIPTION, for_people(&self.info)),
            (Word::MALWARE_FAMILY, malware.as_deref().unwrap_or("")),
            (Word::FIRST_SEEN, &seen_as(seen.first)),
            (Word::LAST_SEEN, &seen_as(seen.last)),
            (Word::INCIDENTS, &counted(seen.count)),
        ] {
            if !value.is_empty() {
                batch.text(word, value);
            }
        }
        let events_own = self.tags.iter().filter(|tag| !own.contains(tag));
        for tag in own.iter().chain(events_own).take(MOST_TAGS) {
            batch.text(Word::TAG, tag.as_bytes());
        }
        for (name, value) in [
            ("misp_event", &*self.uuid),
            ("misp_threat_level", threat_level(&self.threat_level)),
            ("misp_type", &*attribute.word("type")),
            ("misp_category", &*category),
            ("misp_to_ids", if attribute.is("to_ids") { "true" } else { "false" }),
            ("misp_object", &*owner.name),
            ("misp_relation", &*attribute.word("object_relation")),
            ("misp_false_positives", &counted(seen.denied)),
            ("misp_comment", for_people(&attribute.word("comment"))),
        ] {
            if !value.is_empty() {
                let word = batch.word(name, Place::Extra);
                batch.text(word, clip(value, LONGEST));
            }
        }
        core
    }

    /// One note of what came of an event.
    fn tell(&self, reading: &mut Reading<'_>, event: Json<'a>, tally: &Tally, place: &str) {
        let deleted = event.list("Attribute").filter(|attribute| attribute.is("deleted")).count()
            + event.list("Object").filter(|object| object.is("deleted")).count();
        let proposed = event.list("ShadowAttribute").count()
            + attributes(event).map(|attribute| attribute.list("ShadowAttribute").count()).sum::<usize>();
        let objects = event.list("Object").count();
        let mut text = format!("event {}: {} attributes in it and in its {objects} objects", self.uuid, tally.attributes);
        for (count, what) in [
            (tally.reports, "became reports"),
            (tally.rejects, "could not be read"),
            (tally.elsewhere, "are about no place on the network"),
            (tally.parts, "are parts of the place of another"),
            (tally.not_for_detection, "only refer to one"),
            (deleted, "deleted ones are left out"),
            (proposed, "proposals are left out"),
        ] {
            if count > 0 {
                text.push_str(&format!("; {count} {what}"));
            }
        }
        reading.note(place, text);
    }
}

/// What an attribute's type says of the place in its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// An address from which something came.
    From,
    /// An address to which something goes, with a port or without.
    Address,
    Name,
    NameAndAddress,
    Location,
}

impl Role {
    fn of(kind: &str) -> Option<Role> {
        Some(match kind {
            "ip-src" | "ip-src|port" => Role::From,
            "ip-dst" | "ip-dst|port" | "ip" => Role::Address,
            "domain" | "hostname" | "hostname|port" => Role::Name,
            "domain|ip" => Role::NameAndAddress,
            "url" | "uri" => Role::Location,
            _ => return None,
        })
    }

    fn is_from(self) -> bool {
        self == Role::From
    }

    fn spot(self, value: &str) -> Option<Spot> {
        let (first, second) = value.split_once('|').unwrap_or((value, ""));
        match self {
            Role::From | Role::Address => match Spot::addresses(first) {
                Some(spot) => Some(spot.with_port(second)),
                None => of_address_and_port(value),
            },
            Role::Name => Some(Spot::name(first)?.with_port(second)),
            Role::NameAndAddress => {
                let name = Spot::name(first)?;
                Some(Spot { address: Spot::addresses(second)?.address, ..name })
            }
            Role::Location => Spot::url(value),
        }
    }
}

/// `192.0.2.1:80`, as older events have it.
fn of_address_and_port(value: &str) -> Option<Spot> {
    let (address, behind) = value.rsplit_once(':')?;
    port(behind)?;
    Some(Spot::addresses(address.trim_matches(['[', ']']))?.with_port(behind))
}

/// When and how often something was seen.
struct Seen {
    first: Option<Time>,
    last: Option<Time>,
    count: u64,
    /// How many said that it was nothing.
    denied: u64,
}

impl Seen {
    fn of(attribute: Json<'_>) -> Seen {
        let mut seen = Seen { first: attribute.time("first_seen"), last: attribute.time("last_seen"), count: 0, denied: 0 };
        for sighting in attribute.list("Sighting") {
            match &*sighting.word("type") {
                "0" | "" => {
                    seen.count += 1;
                    if let Some(time) = sighting.time("date_sighting") {
                        seen.first = Some(seen.first.map_or(time, |first| first.min(time)));
                        seen.last = Some(seen.last.map_or(time, |last| last.max(time)));
                    }
                }
                "1" => seen.denied += 1,
                _ => {}
            }
        }
        seen
    }
}

/// The label of a tag that is one.
fn tlp(tag: &str) -> Option<Tlp> {
    tag.get(..4).filter(|start| start.eq_ignore_ascii_case("tlp:")).and_then(|_| Tlp::parse(tag))
}

fn pap(tag: &str) -> Option<Pap> {
    tag.get(..4).filter(|start| start.eq_ignore_ascii_case("pap:")).and_then(|_| Pap::parse(tag))
}

fn threat_level(number: &str) -> &'static str {
    match number {
        "1" => "high",
        "2" => "medium",
        "3" => "low",
        _ => "",
    }
}
