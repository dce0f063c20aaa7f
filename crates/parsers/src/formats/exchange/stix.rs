//! STIX 2.1 and 2.0, JSON: indicators whose patterns name places on the network become reports.
//!
//! An indicator is knowledge: `reputation/threat_intelligence` unless its types, the phases of the attack it stands for, or what
//! it indicates say exactly one thing more. What was observed states no abuse by itself; it becomes a report, of that kind, when
//! a sighting says that it was something bad. What is revoked or benign is left out.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use model::category::Kind;
use model::label::{Pap, Tlp};
use model::report::{Core, Place, Word};
use model::time::Time;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::document::{self, Json};
use crate::kinds::indicator::{Claims, Spot, Stated, clip, port};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

mod count;
pub(crate) mod marking;
mod pattern;

pub use count::{Counts, count};

use pattern::Test;

/// STIX.
pub const FORMAT: Format = Format {
    name: "stix",
    title: "STIX 2.1 and 2.0, JSON (https://docs.oasis-open.org/cti/stix)",
    senders: &[],
    fields: &[
        ("pattern: ipv4-addr, ipv6-addr, network-traffic", "address, port"),
        ("pattern: domain-name", "domain"),
        ("pattern: url", "url"),
        ("sighting last_seen, valid_from, created", "time"),
        ("indicator_types, labels, kill_chain_phases, indicates", "kind"),
        ("confidence", "confidence"),
        ("object_marking_refs, granular_markings", "TLP, PAP"),
        ("sighting count, first_seen, last_seen, where_sighted_refs", "incidents, first_seen, last_seen, stix_where_sighted"),
        ("indicates malware", "malware_family"),
        ("created_by_ref", "reporter.org"),
        ("name, description", "description"),
        ("id", "report_id, stix_id"),
        ("labels", "tags"),
    ],
    proven: Proven::By("OASIS, misp-stix"),
    detect,
    parse,
};

/// Properties of indicators that this version knows, so that only what is new counts as a change.
const KNOWN: &[&str] = &[
    "confidence",
    "created",
    "created_by_ref",
    "defanged",
    "description",
    "extensions",
    "external_references",
    "granular_markings",
    "id",
    "indicator_types",
    "kill_chain_phases",
    "labels",
    "lang",
    "modified",
    "name",
    "object_marking_refs",
    "pattern",
    "pattern_type",
    "pattern_version",
    "revoked",
    "spec_version",
    "type",
    "valid_from",
    "valid_until",
];
/// Entries of one list (labels, phases, sightings' places) that are kept.
const MOST: usize = 64;
/// Bytes of a text for people that are kept.
const LONGEST: usize = 4 << 10;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(start) = document::beginning(prefix) else { return Fit::No };
    let has = |name: &str| memchr::memmem::find(start, name.as_bytes()).is_some();
    let bundle = || has("\"bundle--") || has("\"objects\"");
    if (has("\"spec_version\"") && (bundle() || has("--"))) || (has("\"bundle--") && has("\"type\"")) {
        Fit::Certain
    } else {
        Fit::No
    }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let mut names: Vec<String> = KNOWN.iter().map(|name| (*name).to_owned()).collect();
    let outcome = document::each(reading, source, "STIX bundle", |reading, document, place| {
        if !document.is_object() || document.word("type").is_empty() && document.get("objects").is_none() {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, place, document.raw().as_bytes(), "no STIX: it has neither a 'type' nor 'objects'");
            return Ok(());
        }
        let bundle = Bundle::of(document);
        for object in objects(document).filter(|object| object.word("type") == "indicator").take(16) {
            for (name, _) in object.members().take(200) {
                if names.len() < 200 && name.len() < 80 && !names.iter().any(|known| *known == name) {
                    names.push(name.into_owned());
                }
            }
        }
        bundle.read(reading, document, place)
    });
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    reading.shape("", &names);
    outcome
}

/// The objects of a bundle or of what a TAXII server answers; else the document itself.
fn objects<'a>(document: Json<'a>) -> impl Iterator<Item = Json<'a>> {
    let inside = document.get("objects").filter(|objects| objects.is_list());
    let alone = inside.is_none().then_some(document);
    inside.into_iter().flat_map(Json::items).chain(alone).filter(|object| object.is_object())
}

/// What the objects of a bundle say of each other. Looked up once for each object, however many refer to it.
#[derive(Default)]
struct Bundle<'a> {
    by_id: HashMap<Cow<'a, str>, Known<'a>>,
    sightings: HashMap<Cow<'a, str>, Seen>,
    /// What an indicator indicates.
    indicates: HashMap<Cow<'a, str>, Vec<Cow<'a, str>>>,
    /// Observed data that an indicator stands on, so that it is not told twice.
    told: HashSet<Cow<'a, str>>,
    /// Observed data that somebody saw as something bad.
    seen: HashSet<Cow<'a, str>>,
}

/// What others want to know of an object.
struct Known<'a> {
    kind: Cow<'a, str>,
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    claims: Claims,
    label: marking::Label,
}

impl<'a> Known<'a> {
    fn of(object: Json<'a>) -> Known<'a> {
        let kind = object.word("type");
        let mut claims = Claims::default();
        if kind == "infrastructure" {
            object.list("infrastructure_types").take(MOST).for_each(|term| claims.add(&term.scalar()));
        }
        let label = if kind == "marking-definition" { marking::Label::of(object) } else { marking::Label::default() };
        Known { name: object.word("name"), value: object.word("value"), claims, label, kind }
    }
}

#[derive(Default)]
struct Tally {
    objects: usize,
    indicators: usize,
    reports: usize,
    rejects: usize,
    elsewhere: usize,
    left_out: usize,
    observed: usize,
    passed_over: usize,
    unknown_markings: usize,
}

impl<'a> Bundle<'a> {
    fn of(document: Json<'a>) -> Bundle<'a> {
        let mut bundle = Bundle::default();
        for object in objects(document) {
            let revoked = object.is("revoked");
            match &*object.word("type") {
                "sighting" if !revoked => bundle.seen.extend(object.list("observed_data_refs").map(Json::scalar)),
                "relationship" if !revoked => match &*object.word("relationship_type") {
                    "indicates" => {
                        let targets = bundle.indicates.entry(object.word("source_ref")).or_default();
                        if targets.len() < MOST {
                            targets.push(object.word("target_ref"));
                        }
                    }
                    "based-on" => drop(bundle.told.insert(object.word("target_ref"))),
                    _ => {}
                },
                _ => {}
            }
            let id = object.word("id");
            if !id.is_empty() {
                bundle.by_id.insert(id, Known::of(object));
            }
        }
        let sightings = objects(document).filter(|object| object.word("type") == "sighting" && !object.is("revoked"));
        for sighting in sightings {
            let name = |id: &str| bundle.by_id.get(id).map(|place| place.name.clone());
            bundle.sightings.entry(sighting.word("sighting_of_ref")).or_default().add(sighting, name);
        }
        bundle
    }

    fn read(&self, reading: &mut Reading<'_>, document: Json<'a>, place: &str) -> Result<(), Stop> {
        let mut tally = Tally::default();
        for object in objects(document) {
            tally.objects += 1;
            match &*object.word("type") {
                "indicator" => self.indicator(reading, object, place, &mut tally)?,
                "observed-data" => self.observed(reading, object, &mut tally)?,
                _ => {}
            }
        }
        tell(reading, document, &tally, place);
        Ok(())
    }

    fn indicator(&self, reading: &mut Reading<'_>, object: Json<'a>, place: &str, tally: &mut Tally) -> Result<(), Stop> {
        tally.indicators += 1;
        let types = || object.list("indicator_types").chain(object.list("labels")).take(MOST).map(Json::scalar);
        if object.is("revoked") || types().any(|word| word == "benign") {
            tally.left_out += 1;
            return Ok(());
        }
        let language = object.word("pattern_type");
        if !language.is_empty() && language != "stix" {
            tally.elsewhere += 1;
            return Ok(());
        }
        let id = object.word("id");
        let place = match place {
            "" => clip(&id, 100).to_owned(),
            place => format!("{place}, {}", clip(&id, 100)),
        };
        let written = object.word("pattern");
        let pattern = match pattern::parse(&written) {
            Ok(pattern) => pattern,
            Err(why) => {
                tally.rejects += 1;
                let ordinal = reading.ordinal();
                reading.reject(ordinal, &place, written.as_bytes(), format!("no STIX pattern: {why}"));
                return Ok(());
            }
        };
        tally.passed_over += pattern.passed_over;
        let mut spots: Vec<Result<(Spot, bool), String>> = Vec::new();
        for tests in &pattern.alternatives {
            for spot in spots_of(tests) {
                if !spots.contains(&spot) {
                    spots.push(spot);
                }
            }
            if spots.len() > 1_000 {
                break;
            }
        }
        if spots.is_empty() {
            tally.elsewhere += 1;
        }
        let knowledge = self.knowledge(object, tally);
        let alone = spots.len() == 1;
        for spot in spots {
            let ordinal = reading.ordinal();
            match spot {
                Ok((spot, from)) => {
                    tally.reports += 1;
                    let core = knowledge.report(reading, object, &spot, from, alone, ordinal);
                    reading.report(core)?;
                }
                Err(value) => {
                    tally.rejects += 1;
                    let value =
                        if knowledge.claims.child_abuse { "(withheld: it speaks of child abuse material)" } else { &value };
                    let reason = "no address, prefix, domain name or URL can be read from it";
                    reading.reject(ordinal, &place, value.as_bytes(), reason);
                }
            }
        }
        Ok(())
    }

    /// What was observed and not told by an indicator, when it was seen as something bad.
    fn observed(&self, reading: &mut Reading<'_>, object: Json<'a>, tally: &mut Tally) -> Result<(), Stop> {
        let id = object.word("id");
        if self.told.contains(&id) || object.is("revoked") {
            return Ok(());
        }
        if !self.seen.contains(&id) && !self.sightings.contains_key(&id) {
            tally.observed += 1;
            return Ok(());
        }
        let referred = object.list("object_refs").take(1_000).filter_map(|reference| self.by_id.get(&reference.scalar()));
        let mut observables: Vec<(Cow<'a, str>, Cow<'a, str>)> =
            referred.map(|known| (known.kind.clone(), known.value.clone())).collect();
        // So STIX 2.0 has them.
        for (_, inside) in object.get("objects").into_iter().flat_map(Json::members).take(1_000) {
            observables.push((inside.word("type"), inside.word("value")));
        }
        // Who talked to whom does not say who was bad.
        let both = observables.iter().any(|(kind, _)| kind == "network-traffic");
        let mut spots: Vec<Spot> = Vec::new();
        for (kind, value) in observables.iter().filter(|_| !both) {
            spots.extend(match &**kind {
                "ipv4-addr" | "ipv6-addr" => Spot::addresses(value),
                "domain-name" => Spot::name(value),
                "url" => Spot::url(value),
                _ => None,
            });
        }
        if spots.is_empty() {
            tally.observed += 1;
            return Ok(());
        }
        let mut knowledge = self.knowledge(object, tally);
        knowledge.doubted = true;
        if knowledge.seen.count == 0 {
            knowledge.seen.count = object.number("number_observed").and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        }
        knowledge.seen.first = knowledge.seen.first.or_else(|| object.time("first_observed"));
        knowledge.seen.last = knowledge.seen.last.or_else(|| object.time("last_observed"));
        let alone = spots.len() == 1;
        for spot in &spots {
            tally.reports += 1;
            let ordinal = reading.ordinal();
            let core = knowledge.report(reading, object, spot, false, alone, ordinal);
            reading.report(core)?;
        }
        Ok(())
    }

    /// What a bundle says of one of its objects, beside the object itself.
    fn knowledge(&self, object: Json<'a>, tally: &mut Tally) -> Knowledge<'a> {
        let id = object.word("id");
        let mut claims = Claims::default();
        let mut bad = object.get("indicator_types").is_none();
        for term in object.list("indicator_types").take(MOST).map(Json::scalar) {
            bad |= term == "malicious-activity" || term == "phishing";
            claims.add(&term);
        }
        let mut stated = Stated::default();
        for label in object.list("labels").take(MOST).map(Json::scalar) {
            if !stated.add(&label) {
                claims.add(&label);
            }
        }
        claims.child_abuse |= stated.kind.is_some_and(Kind::is_child_abuse);
        for phase in object.list("kill_chain_phases").take(MOST) {
            claims.add(&phase.word("phase_name"));
            // So MISP's exporter carries the category of an attribute over.
            claims.malware |= phase.word("kill_chain_name") == "misp-category" && phase.word("phase_name") == "Payload delivery";
        }
        let indicated = self.indicates.get(&id).into_iter().flatten().filter_map(|target| self.by_id.get(target));
        let (mut family, mut families) = (None, 0);
        for target in indicated {
            claims = claims.and(target.claims);
            if target.kind == "malware" {
                families += 1;
                family = Some(target.name.clone());
            }
        }
        if claims.phishing || claims.control {
            claims.malware = false;
        }
        let (label, unknown) = marking::labels(object, |id| self.by_id.get(id).map(|known| known.label));
        tally.unknown_markings += usize::from(unknown);
        let creator = self.by_id.get(&object.word("created_by_ref"));
        Knowledge {
            claims,
            stated,
            doubted: !bad,
            family: family.filter(|name| families == 1 && !name.is_empty()),
            organisation: creator.map(|creator| creator.name.clone()).unwrap_or_default(),
            label,
            seen: self.sightings.get(&id).cloned().unwrap_or_default(),
        }
    }
}

/// What is known of an object from others.
struct Knowledge<'a> {
    claims: Claims,
    stated: Stated,
    doubted: bool,
    family: Option<Cow<'a, str>>,
    organisation: Cow<'a, str>,
    label: marking::Label,
    seen: Seen,
}

impl<'a> Knowledge<'a> {
    fn report(&self, reading: &mut Reading<'_>, object: Json<'a>, spot: &Spot, from: bool, alone: bool, ordinal: u32) -> Core {
        let expired = object.time("valid_until").is_some_and(|until| until <= reading.hint.received);
        let mut claims = self.claims;
        claims.malware &= spot.url.is_some();
        let kind = match self.stated.kind {
            Some(kind) if kind.is_child_abuse() => kind,
            _ if claims.child_abuse => Kind::Csam,
            _ if expired => Kind::ThreatIntelligence,
            Some(kind) => kind,
            None if self.doubted => Kind::ThreatIntelligence,
            None => claims.kind(spot, from),
        };
        let mut core = Core::new(kind, ordinal);
        let batch = reading.batch();
        // What is stated of one place is not stated of others.
        let spot = if alone { self.stated.complete(spot.clone()) } else { spot.clone() };
        spot.fill(&mut core, batch);
        let told = ["valid_from", "last_observed", "created"].iter().find_map(|name| object.time(name));
        core.set_observed(self.seen.last.or(told).filter(|_| !self.stated.undated));
        core.tlp = self.label.tlp.unwrap_or(Tlp::Unstated);
        core.pap = self.label.pap.unwrap_or(Pap::Unstated);
        if let Some(percent) =
            object.number("confidence").and_then(|value| u8::try_from(value).ok()).filter(|value| *value <= 100)
        {
            core.confidence = percent;
        }
        let id = object.word("id");
        // What we wrote ourselves says what it is called elsewhere.
        let ours = object.list("external_references").take(MOST).find(|reference| reference.word("source_name") == "sluis");
        let uuid = match ours {
            Some(reference) => reference.word("external_id"),
            None => id.split_once("--").map_or("", |(_, uuid)| uuid).to_owned().into(),
        };
        let (name, description) = (object.word("name"), object.word("description"));
        let described = match (&*name, &*description) {
            ("", one) | (one, "") => clip(one, LONGEST).to_owned(),
            (name, text) => format!("{}: {}", clip(name, 500), clip(text, LONGEST)),
        };
        let seen_as = |time: Option<Time>| time.map(|time| time.to_string()).unwrap_or_default();
        let count = if self.seen.count > 0 { self.seen.count.to_string() } else { String::new() };
        for (word, value) in [
            // One identifier for several reports would name none of them.
            (Word::REPORT_ID, if alone { clip(&uuid, 64) } else { "" }),
            (Word::REPORTER_ORG, clip(&self.organisation, 200)),
            (Word::DESCRIPTION, if claims.child_abuse { "" } else { &described }),
            (Word::MALWARE_FAMILY, clip(self.family.as_deref().unwrap_or(""), 200)),
            (Word::FIRST_SEEN, &seen_as(self.seen.first)),
            (Word::LAST_SEEN, &seen_as(self.seen.last)),
            (Word::INCIDENTS, &count),
        ] {
            if !value.is_empty() {
                batch.text(word, value);
            }
        }
        let labels = object.list("labels").take(MOST).map(Json::scalar);
        for label in labels.filter(|label| !label.is_empty() && !Stated::default().add(label)) {
            batch.text(Word::TAG, clip(&label, 512));
        }
        let types: Vec<_> = object.list("indicator_types").take(MOST).map(Json::scalar).collect();
        let phases = object.list("kill_chain_phases").take(MOST);
        let phases: Vec<_> =
            phases.map(|phase| format!("{}:{}", phase.word("kill_chain_name"), phase.word("phase_name"))).collect();
        let pattern = if claims.child_abuse { Cow::Borrowed("") } else { object.word("pattern") };
        for (name, value) in [
            ("stix_id", &*id),
            ("stix_pattern", &*pattern),
            ("stix_indicator_types", &types.join(", ")),
            ("stix_phases", &phases.join(", ")),
            ("stix_valid_until", &*object.word("valid_until")),
            ("stix_where_sighted", &self.seen.places.join(", ")),
        ] {
            if !value.is_empty() {
                let word = batch.word(name, Place::Extra);
                batch.text(word, clip(value, LONGEST));
            }
        }
        core
    }
}

/// What sightings come to together.
#[derive(Clone, Default)]
struct Seen {
    first: Option<Time>,
    last: Option<Time>,
    count: u64,
    places: Vec<String>,
}

impl Seen {
    fn add<'a>(&mut self, sighting: Json<'a>, name: impl Fn(&str) -> Option<Cow<'a, str>>) {
        let count = sighting.number("count").and_then(|count| u64::try_from(count).ok()).unwrap_or(1);
        self.count = self.count.saturating_add(count);
        // It may have been seen no time at all.
        if count == 0 {
            return;
        }
        if let Some(first) = sighting.time("first_seen").or_else(|| sighting.time("created")) {
            self.first = Some(self.first.map_or(first, |known| known.min(first)));
        }
        if let Some(last) = ["last_seen", "first_seen", "created"].iter().find_map(|name| sighting.time(name)) {
            self.last = Some(self.last.map_or(last, |known| known.max(last)));
        }
        for place in sighting.list("where_sighted_refs").take(MOST).map(Json::scalar).filter_map(|id| name(&id)) {
            if self.places.len() < MOST && !self.places.iter().any(|known| *known == place) {
                self.places.push(clip(&place, 200).to_owned());
            }
        }
    }
}

/// The places on the network that tests which hold together name, with whether something came from there; and as an error a
/// value that names none though it should.
fn spots_of(tests: &[Test]) -> Vec<Result<(Spot, bool), String>> {
    let values = |path: &str| tests.iter().filter(|test| test.path == path).map(|test| test.value.as_str()).collect::<Vec<_>>();
    let one = |path: &str| match values(path).as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let mut spots = Vec::new();
    let mut add = |spot: Option<Spot>, value: &str, from: bool| spots.push(spot.map(|spot| (spot, from)).ok_or(value.to_owned()));
    let (to, from) = (values("network-traffic:dst_ref.value"), values("network-traffic:src_ref.value"));
    // Who talked to whom does not say who was bad.
    if to.is_empty() != from.is_empty() {
        let port = if to.is_empty() { one("network-traffic:src_port") } else { one("network-traffic:dst_port") };
        for value in to.iter().chain(&from) {
            let spot = Spot::addresses(value).or_else(|| Spot::name(value)).map(|spot| spot.with_port(port.unwrap_or("")));
            add(spot, value, to.is_empty());
        }
    }
    let urls = values("url:value");
    let names = [values("domain-name:value"), values("hostname:value")].concat();
    let hosts = [values("ipv4-addr:value"), values("ipv6-addr:value")].concat();
    let resolved = values("domain-name:resolves_to_refs[*].value");
    let url = |value: &str| Spot::url(value);
    match (urls.as_slice(), names.as_slice(), [hosts.as_slice(), resolved.as_slice()].concat().as_slice()) {
        // What holds together and is one of each is one place.
        ([location], _, [host]) if url(location).is_some() => {
            let address = Spot::addresses(host).and_then(|spot| spot.address);
            add(url(location).map(|spot| Spot { address, ..spot }), location, false);
        }
        ([], [name], [host]) => {
            let address = Spot::addresses(host).and_then(|spot| spot.address);
            let port = one("network-traffic:dst_port").and_then(port).unwrap_or(0);
            add(Spot::name(name).map(|spot| Spot { address, port, ..spot }), name, false);
        }
        _ => {
            urls.iter().for_each(|value| add(url(value), value, false));
            names.iter().for_each(|value| add(Spot::name(value), value, false));
            hosts.iter().for_each(|value| add(Spot::addresses(value), value, false));
        }
    }
    spots
}

/// One note of what came of a document.
fn tell(reading: &mut Reading<'_>, document: Json<'_>, tally: &Tally, place: &str) {
    let id = document.word("id");
    let mut text = format!("{}: {} objects, {} of them indicators", clip(&id, 100), tally.objects, tally.indicators);
    for (count, what) in [
        (tally.reports, "reports"),
        (tally.rejects, "statements could not be read"),
        (tally.elsewhere, "indicators are about no place on the network"),
        (tally.left_out, "indicators are revoked or benign"),
        (tally.passed_over, "comparisons name nothing that can be found"),
        (tally.observed, "observations state no abuse"),
        (tally.unknown_markings, "objects have a marking that is not in the bundle"),
    ] {
        if count > 0 {
            text.push_str(&format!("; {count} {what}"));
        }
    }
    reading.note(place, text.trim_start_matches(": "));
}
