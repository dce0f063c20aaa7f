//! IODEF, XML (RFC 7970, and RFC 5070 before it): each address that an account names as source becomes a report.
//!
//! Only systems of the category `source` are taken, and none whose address is said to be spoofed: targets and what lies between
//! are not accused.

use model::category::Kind;
use model::label::Tlp;
use model::report::{Core, Place, Word};
use model::time::Time;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::indicator::{Spot, clip, port};
use crate::kinds::xml::{self, Element};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// IODEF.
pub const FORMAT: Format = Format {
    name: "iodef",
    title: "IODEF, XML (RFC 7970, RFC 5070)",
    senders: &[],
    fields: &[
        ("System category=source, Address", "address"),
        ("Service Port, Portlist", "port"),
        ("DomainData Name, NodeName", "domain, node_name"),
        ("DetectTime, EndTime, StartTime, GenerationTime, ReportTime", "time"),
        ("Impact, SystemImpact, IncidentCategory type", "kind, iodef_impact"),
        ("restriction", "TLP"),
        ("Confidence rating=numeric", "confidence"),
        ("IncidentID", "report_id, iodef_id"),
        ("Contact role=creator", "reporter.org, reporter.contact"),
        ("Description", "description"),
    ],
    proven: Proven::By("M. Kalkan (marknl)"),
    detect,
    parse,
};

/// Sources of one account that are read.
const MOST: usize = 1_000;
/// Bytes of a text for people that are kept.
const LONGEST: usize = 4 << 10;
/// Entries of one list (ports, records, other accounts) that are kept.
const TOLD: usize = 32;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let start = prefix.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix.bytes).trim_ascii_start();
    if start.first() != Some(&b'<') {
        return Fit::No;
    }
    let beginning = start.get(..4_096).unwrap_or(start);
    if memchr::memmem::find(beginning, b"IODEF-Document").is_some() { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let limit = reading.hint.limits.whole;
    let Some(bytes) = source.read_whole(limit)? else {
        reading.unreadable(format!("an IODEF document of over {limit} bytes; send it in parts"));
        return Ok(());
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut names: Vec<String> = Vec::new();
    let mut failed = Ok(());
    let read = xml::each(&text, "Incident", |number, incident| {
        if failed.is_ok() {
            failed = account(reading, number, incident, &mut names);
        }
    });
    failed?;
    if let Err(why) = read {
        let ordinal = reading.ordinal();
        reading.reject(ordinal, "", &bytes, format!("no IODEF from here on: {why}"));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    reading.shape("", &names);
    Ok(())
}

/// Reads one `Incident`.
fn account(reading: &mut Reading<'_>, number: usize, incident: &Element, names: &mut Vec<String>) -> Result<(), Stop> {
    for child in &incident.children {
        if names.len() < 100 && !names.contains(&child.name) {
            names.push(child.name.clone());
        }
    }
    let place = format!("Incident {number}");
    let mut systems = Vec::new();
    gather(incident, &mut vec![incident], &mut systems);
    let mut taken = 0usize;
    for (system, around) in &systems {
        let found = spots(system);
        if system.attribute("spoofed") == "yes" {
            reading.note(&place, "a source whose address is spoofed is nobody's; it is left out");
            continue;
        }
        if found.is_empty() {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, &place, system.words().as_bytes(), "a source without an address, prefix or domain name");
        }
        for spot in found {
            if taken >= MOST {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, &place, b"", format!("more than {MOST} sources in one account; send it in parts"));
                return Ok(());
            }
            taken += 1;
            let ordinal = reading.ordinal();
            let core = report(reading, incident, system, around, &spot, ordinal);
            reading.report(core)?;
        }
    }
    if taken == 0 && systems.is_empty() {
        reading.note(&place, format!("{} names no system as source", identifier(incident)));
    }
    Ok(())
}

/// The systems that are sources, each with the elements that say something of it, innermost first.
fn gather<'e>(element: &'e Element, path: &mut Vec<&'e Element>, systems: &mut Vec<(&'e Element, Vec<&'e Element>)>) {
    for child in &element.children {
        match child.name.as_str() {
            "System" if child.attribute("category") == "source" && systems.len() <= MOST => {
                systems.push((child, path.iter().rev().copied().collect()));
            }
            "EventData" => {
                path.push(child);
                gather(child, path, systems);
                path.pop();
            }
            "Flow" => gather(child, path, systems),
            _ => {}
        }
    }
}

/// The places on the network that a system has.
fn spots(system: &Element) -> Vec<Spot> {
    let ports = ports(system);
    let with_port = |spot: Spot| match ports.as_str() {
        "" => spot,
        one => spot.with_port(one),
    };
    let mut spots = Vec::new();
    for node in system.all("Node") {
        for address in node.all("Address") {
            let value = address.text.trim();
            spots.extend(match address.attribute("category") {
                "ipv4-addr" | "ipv6-addr" | "ipv4-net" | "ipv6-net" | "" => Spot::addresses(value).map(with_port),
                "ipv4-net-mask" | "ipv6-net-mask" => masked(value),
                "site-uri" => Spot::url(value),
                _ => None,
            });
        }
        if spots.is_empty() {
            let names = node.all("DomainData").flat_map(|data| data.all("Name")).chain(node.all("NodeName"));
            spots.extend(names.filter_map(|name| Spot::name(&name.text)).map(with_port));
        }
    }
    spots
}

/// `192.0.2.0/255.255.255.0`.
fn masked(text: &str) -> Option<Spot> {
    let (network, mask) = text.split_once('/')?;
    let mask: std::net::IpAddr = mask.trim().parse().ok()?;
    let (ones, zeros) = match mask {
        std::net::IpAddr::V4(mask) => (mask.to_bits().leading_ones(), mask.to_bits().trailing_zeros()),
        std::net::IpAddr::V6(mask) => (mask.to_bits().leading_ones(), mask.to_bits().trailing_zeros()),
    };
    let bits = if mask.is_ipv4() { 32 } else { 128 };
    if ones + zeros != bits {
        return None;
    }
    Spot::addresses(&format!("{}/{ones}", network.trim()))
}

/// The ports of a system as written, when there are any.
fn ports(system: &Element) -> String {
    let services = system.all("Service");
    let written =
        services.flat_map(|service| service.all("Port").chain(service.all("Portlist"))).map(|port| port.text.trim().to_owned());
    written.filter(|port| !port.is_empty()).take(TOLD).collect::<Vec<_>>().join(",")
}

fn report(
    reading: &mut Reading<'_>,
    incident: &Element,
    system: &Element,
    around: &[&Element],
    spot: &Spot,
    ordinal: u32,
) -> Core {
    let impacts = impacts(around);
    let mut core = Core::new(kind(&impacts, spot), ordinal);
    let batch = reading.batch();
    spot.fill(&mut core, batch);
    core.set_observed(time(around));
    core.tlp = around.iter().map(|element| tlp(element.attribute("restriction"))).max().unwrap_or(Tlp::Unstated);
    let confidence = around.iter().flat_map(|element| element.all("Assessment")).flat_map(|one| one.all("Confidence")).next();
    if let Some(percent) = confidence.filter(|one| one.attribute("rating") == "numeric").and_then(|one| percent(&one.text)) {
        core.confidence = percent;
    }
    let creator =
        incident.all("Contact").find(|contact| contact.attribute("role") == "creator").or(incident.all("Contact").next());
    let of_creator = |names: &[&str]| {
        let found = creator.and_then(|creator| names.iter().find_map(|name| creator.find(name)));
        found.map(|element| element.text.trim().to_owned()).unwrap_or_default()
    };
    let described = around.iter().flat_map(|element| element.all("Description")).next().map_or("", |one| one.text.trim());
    let number =
        |element: &Element, name: &str| element.all(name).next().map(|one| one.text.trim().to_owned()).unwrap_or_default();
    let identifier = identifier(incident);
    let ports = ports(system);
    let seen =
        |name: &str| around.iter().find_map(|element| when(element, name)).map(|time| time.to_string()).unwrap_or_default();
    for (word, value) in [
        (Word::REPORT_ID, clip(&identifier, 200)),
        (Word::REPORTER_ORG, clip(&of_creator(&["OrganizationName", "ContactName"]), 200)),
        (Word::REPORTER_CONTACT, clip(&of_creator(&["EmailTo", "Email"]), 200)),
        (Word::DESCRIPTION, clip(described, LONGEST)),
        (Word::FIRST_SEEN, &seen("StartTime")),
        (Word::LAST_SEEN, &seen("EndTime")),
        (Word::TRANSPORT, transport(system)),
    ] {
        if !value.is_empty() {
            batch.text(word, value);
        }
    }
    let related = |name: &str| {
        let inside = incident.all(name).flat_map(|one| one.all("IncidentID")).map(|one| one.text.trim().to_owned());
        inside.take(TOLD).collect::<Vec<_>>().join(", ")
    };
    let node = system.all("Node").flat_map(|node| node.all("NodeName")).next().map_or("", |name| name.text.trim());
    let records = around.iter().flat_map(|element| element.all("Record")).flat_map(|record| record.all("RecordData"));
    let records: Vec<_> = records.flat_map(|data| data.all("RecordItem")).map(|item| item.text.trim()).take(TOLD).collect();
    for (name, value) in [
        ("iodef_purpose", incident.attribute("purpose")),
        ("iodef_alternative_ids", &related("AlternativeID")),
        ("iodef_related_ids", &related("RelatedActivity")),
        ("iodef_report_time", &number(incident, "ReportTime")),
        ("iodef_impact", &impacts.join(", ")),
        ("iodef_ports", if port(&ports).is_some() { "" } else { &ports }),
        ("iodef_node_name", node),
        ("iodef_record", &records.join("\n")),
    ] {
        if !value.is_empty() {
            let word = batch.word(name, Place::Extra);
            batch.text(word, clip(value, LONGEST));
        }
    }
    core
}

/// What it did, in IODEF's words, of the innermost element that says it.
fn impacts(around: &[&Element]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for element in around {
        for assessment in element.all("Assessment") {
            let told = ["Impact", "SystemImpact", "IncidentCategory"].iter().flat_map(|name| assessment.all(name));
            for impact in told.take(TOLD) {
                let kind = impact.attribute("type").to_owned();
                if !kind.is_empty() && !all.contains(&kind) && all.len() < TOLD {
                    all.push(kind);
                }
            }
        }
    }
    all
}

/// The kind of a report, when what the source did has one name in XARF and the source is one address; what is unknown says
/// nothing.
fn kind(impacts: &[String], spot: &Spot) -> Kind {
    let mut kinds = impacts.iter().filter_map(|impact| match impact.as_str() {
        "dos" | "degraded-service" | "DoS" => Some(Kind::Ddos),
        "recon" => Some(Kind::Reconnaissance),
        "social-engineering" if spot.url.is_some() => Some(Kind::Phishing),
        "unknown" | "ext-value" => None,
        _ => Some(Kind::ThreatIntelligence),
    });
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) if spot.address.is_some() || spot.url.is_some() => kind,
        _ => Kind::ThreatIntelligence,
    }
}

/// The nearest moment at which it was seen.
fn time(around: &[&Element]) -> Option<Time> {
    let of = |element: &Element| ["DetectTime", "EndTime", "StartTime"].iter().find_map(|name| when(element, name));
    around.iter().find_map(|element| of(element)).or_else(|| {
        let incident = around.last()?;
        ["GenerationTime", "ReportTime"].iter().find_map(|name| when(incident, name))
    })
}

fn when(element: &Element, name: &str) -> Option<Time> {
    element.all(name).next().and_then(|time| Time::parse(time.text.trim().as_bytes()))
}

fn identifier(incident: &Element) -> String {
    incident.all("IncidentID").next().map(|one| one.text.trim().to_owned()).unwrap_or_default()
}

/// RFC 7970 section 3.3.1 says which of TLP's words each of its own is.
fn tlp(restriction: &str) -> Tlp {
    match restriction {
        "public" | "white" | "clear" => Tlp::Clear,
        "partner" | "green" => Tlp::Green,
        "need-to-know" | "amber" => Tlp::Amber,
        "private" | "red" => Tlp::Red,
        _ => Tlp::Unstated,
    }
}

fn percent(text: &str) -> Option<u8> {
    let value: f64 = text.trim().parse().ok()?;
    // Version 2 has a share of one, version 1 percents.
    let value = if value > 0.0 && value < 1.0 { value * 100.0 } else { value };
    (0.0..=100.0).contains(&value).then_some(value.round() as u8)
}

/// The protocol of a system's one service, by IANA's number.
fn transport(system: &Element) -> &'static str {
    let mut services = system.all("Service");
    // Version 1 wrote the attribute with an underscore.
    let number = |service: &Element| [service.attribute("ip_protocol"), service.attribute("ip-protocol")].concat();
    match (services.next().map(number), services.next()) {
        (Some(number), None) => match number.as_str() {
            "6" => "tcp",
            "17" => "udp",
            "1" => "icmp",
            _ => "",
        },
        _ => "",
    }
}
