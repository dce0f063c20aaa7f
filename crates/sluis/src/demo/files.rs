//! The files in which the demo's abuse is reported: real formats, as their senders write them.
//!
//! Each file knows what it says ([`Statement`]), so that what the node made of it can be held against it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::address::Address;
use model::category::Kind;
use model::submission::Door;
use model::time::{DAY, HOUR, MINUTE, SECOND, Time};

use super::dice::Dice;
use super::mails;
use super::others;
use super::story::{Eye, Sighting};
use super::world::{ROUND, World};

/// What has to become of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// A report in a case.
    Report,
    /// A report without a credible time, set aside.
    Undated,
    /// Unreadable, set aside.
    Reject,
}

/// One statement of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) fate: Fate,
    pub(crate) kind: Kind,
    pub(crate) at: Time,
    pub(crate) address: Option<Address>,
    pub(crate) host: Option<String>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Its name, which no other file has but its copy.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) received: Time,
    pub(crate) door: Door,
    /// What it says, in its order. Nothing when it is a copy, or when nobody can understand it.
    pub(crate) statements: Vec<Statement>,
    /// The same bytes came before.
    pub(crate) copy: bool,
}

/// The provider, as notifiers know it.
const ASN: &str = "64500";

/// All files of the year, in the order of their arrival.
pub(crate) fn files(world: &World, sightings: &[Sighting], seed: u64) -> Vec<File> {
    let mut dice = Dice::new(seed ^ 0xf11e_5000);
    let mut daily: BTreeMap<(Eye, i64), Vec<&Sighting>> = BTreeMap::new();
    let mut files = Vec::new();
    for sighting in sightings {
        match sighting.eye {
            Eye::FeedbackLoop => files.push(mails::feedback(sighting, files.len(), &mut dice)),
            Eye::Bank => files.push(bank(sighting, &mut dice)),
            eye => daily.entry((eye, sighting.at.plus(sighting.delay).day())).or_default().push(sighting),
        }
    }
    let mut broken = false;
    for ((eye, day), seen) in daily {
        let day = Time(day * DAY);
        let date = date(day);
        match eye {
            Eye::Sensors => files.push(sensors(&seen, &date, day, &mut dice)),
            Eye::SiteList => files.push(site_list(&seen, &date, day)),
            Eye::Rsync | Eye::Memcached => files.push(mails::zipped(eye, &seen, &date, day, &mut dice)),
            eye => {
                // One day a line is cut short on its way.
                let breaks = eye == Eye::Honeypot && !broken && day > world.start.plus(15 * ROUND);
                broken |= breaks;
                files.push(shadowserver(eye, &seen, &date, day, breaks, &mut dice));
            }
        }
    }
    files.extend(mails::oddities(world));
    files.extend(others::files(world, sightings));
    files.push(old_xarf(world));
    let again = files.iter().find(|file| file.name.contains("site-list") && file.received > world.start.plus(25 * ROUND));
    let copy =
        again.map(|file| File { received: file.received.plus(3 * HOUR), statements: Vec::new(), copy: true, ..file.clone() });
    files.extend(copy);
    files.sort_by(|a, b| (a.received, &a.name, a.copy).cmp(&(b.received, &b.name, b.copy)));
    files
}

/// `2026-03-03`.
pub(crate) fn date(time: Time) -> String {
    let (year, month, day) = time.date();
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-03-03 01:02:03`, as Shadowserver writes it.
fn stamp(time: Time) -> String {
    time.to_string().replace('T', " ").trim_end_matches('Z').to_owned()
}

/// What a sighting has to become.
pub(crate) fn statement(sighting: &Sighting) -> Statement {
    Statement {
        fate: Fate::Report,
        kind: sighting.kind,
        at: sighting.at,
        address: Some(sighting.address),
        host: sighting.host.clone(),
    }
}

/// A UUID of version 4.
fn uuid(dice: &mut Dice) -> String {
    let (a, b) = (dice.next(), dice.next());
    let (high, low) = (a & 0xffff_ffff_ffff_0fff | 0x4000, b & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// A day's rows of one type, as Shadowserver's download has them.
pub(crate) fn rows(eye: Eye, seen: &[&Sighting], dice: &mut Dice) -> (&'static str, String) {
    let (name, header) = match eye {
        Eye::Sinkhole => (
            "event4_sinkhole_http",
            "timestamp,protocol,src_ip,src_port,src_asn,src_geo,src_hostname,dst_ip,dst_port,dst_asn,dst_geo,infection,family,\
             tag,http_url,http_host,http_agent",
        ),
        Eye::Rsync => {
            ("scan_rsync", "timestamp,severity,ip,protocol,port,hostname,tag,asn,geo,region,city,module,motd,has_password")
        }
        Eye::Memcached => ("scan_memcached", "timestamp,severity,ip,protocol,port,hostname,tag,asn,geo,region,city,version,pid"),
        Eye::BrokenSite => (
            "compromised_website",
            "timestamp,severity,ip,port,hostname,tag,application,asn,geo,region,city,url,http_host,category,system,\
             detected_since,server",
        ),
        Eye::Blocklist => ("blocklist", "timestamp,ip,hostname,source,reason,asn,geo,region,city"),
        _ => (
            "event4_honeypot_brute_force",
            "timestamp,protocol,src_ip,src_port,src_asn,src_geo,src_hostname,dst_ip,dst_port,dst_asn,dst_geo,infection,\
             application,service,username,password",
        ),
    };
    let quoted: Vec<String> = header.split(',').map(|name| format!("\"{name}\"")).collect();
    let mut text = quoted.join(",");
    text.push('\n');
    for sighting in seen {
        let (at, ip, host) = (stamp(sighting.at), sighting.address, sighting.host.as_deref().unwrap_or_default());
        let port = dice.between(30_000, 60_000);
        let sensor = dice.between(20, 60);
        let row = match eye {
            Eye::Sinkhole => format!(
                r#""{at}","tcp","{ip}",{port},{ASN},"NL","","203.0.113.{sensor}",80,64511,"DE","avalanche","avalanche","avalanche","GET /gate.php HTTP/1.1","c2-{sensor}.example","Mozilla/4.0""#
            ),
            Eye::Rsync => {
                format!(r#""{at}","medium","{ip}","tcp",873,"","rsync",{ASN},"NL","NOORD-HOLLAND","AMSTERDAM","backup","","N""#)
            }
            Eye::Memcached => format!(
                r#""{at}","high","{ip}","udp",11211,"","memcached",{ASN},"NL","NOORD-HOLLAND","AMSTERDAM","1.5.6","{sensor}""#
            ),
            Eye::BrokenSite => format!(
                r#""{at}","critical","{ip}",443,"","webshell","https",{ASN},"NL","NOORD-HOLLAND","AMSTERDAM","wp-content/uploads/.x.php","{host}","webshell","Linux","","nginx""#
            ),
            Eye::Blocklist => {
                format!(r#""{at}","{ip}","","list.example","spam source",{ASN},"NL","NOORD-HOLLAND","AMSTERDAM""#)
            }
            _ => format!(
                r#""{at}","tcp","{ip}",{port},{ASN},"NL","","203.0.113.{sensor}",22,64511,"DE","ssh-brute-force","ssh","ssh","root","{}""#,
                dice.pick(&["123456", "admin", "welkom01", "qwerty"])
            ),
        };
        text.push_str(&row);
        text.push('\n');
    }
    (name, text)
}

fn shadowserver(eye: Eye, seen: &[&Sighting], date: &str, day: Time, breaks: bool, dice: &mut Dice) -> File {
    let (name, mut text) = rows(eye, seen, dice);
    let mut statements: Vec<Statement> = seen.iter().map(|sighting| statement(sighting)).collect();
    if breaks {
        text.push_str(&format!("\"{date} 23:59:59\",\"tcp\",\"198.51.100.1\n"));
        statements.push(Statement { fate: Fate::Reject, address: None, ..statements[0].clone() });
    }
    File {
        name: format!("{date}-{name}-duinhost-asn.csv"),
        bytes: text.into_bytes(),
        received: day.plus(DAY + 4 * HOUR + dice.between(0, 40) * MINUTE),
        door: Door::File,
        statements,
        copy: false,
    }
}

/// What every report in XARF begins with.
fn xarf(sighting: &Sighting, reporter: &str, org: &str, dice: &mut Dice) -> String {
    let contact = format!(r#"{{"org":"{org}","contact":"abuse@{reporter}","domain":"{reporter}"}}"#);
    format!(
        r#""xarf_version":"4.2.0","report_id":"{}","timestamp":"{}","reporter":{contact},"sender":{contact},"source_identifier":"{}","category":"{}","type":"{}""#,
        uuid(dice),
        sighting.at,
        sighting.address,
        sighting.kind.category(),
        sighting.kind.type_name(),
    )
}

/// A phishing site, reported as it is found.
fn bank(sighting: &Sighting, dice: &mut Dice) -> File {
    let host = sighting.host.as_deref().unwrap_or("192.0.2.1");
    let received = sighting.at.plus(dice.between(20, 600) * MINUTE);
    let text = format!(
        r#"{{{},"evidence_source":"automated_discovery","confidence":0.95,"url":"https://{host}/havenbank/inloggen","cloned_site":"https://havenbank.example/","tags":["tlp:amber"],"description":"Copy of our sign-in page."}}"#,
        xarf(sighting, "havenbank.example", "Havenbank", dice)
    );
    File {
        name: format!("havenbank-{}-{:06}.json", date(sighting.at), dice.below(1_000_000)),
        bytes: format!("{text}\n").into_bytes(),
        received,
        door: Door::File,
        statements: vec![statement(sighting)],
        copy: false,
    }
}

/// A day of the sensors of a watch service.
fn sensors(seen: &[&Sighting], date: &str, day: Time, dice: &mut Dice) -> File {
    let mut text = String::new();
    for sighting in seen {
        let head = xarf(sighting, "wachter.example", "Wachter", dice);
        let (from, to) = (dice.between(30_000, 60_000), if sighting.kind == Kind::PortScan { 3_389 } else { 22 });
        let at = sighting.at;
        let _ = writeln!(
            text,
            r#"{{{head},"source_port":{from},"protocol":"tcp","first_seen":"{at}","destination_ip":"203.0.113.{}","destination_port":{to},"evidence_source":"honeypot","confidence":0.9}}"#,
            dice.between(100, 120)
        );
    }
    File {
        name: format!("wachter-{date}.ndjson"),
        bytes: text.into_bytes(),
        received: day.plus(DAY + 5 * HOUR + 30 * MINUTE),
        door: Door::File,
        statements: seen.iter().map(|sighting| statement(sighting)).collect(),
        copy: false,
    }
}

/// A day of a list of sites, in columns of its own.
fn site_list(seen: &[&Sighting], date: &str, day: Time) -> File {
    let mut text = "time,ip,port,category,type,url,domain,confidence,reporter_org,reporter_contact\n".to_owned();
    for sighting in seen {
        let host = sighting.host.as_deref().unwrap_or_default();
        let path = if sighting.kind == Kind::Malware { "dl/factuur.exe" } else { "bestellen" };
        let (category, kind) = (sighting.kind.category(), sighting.kind.type_name());
        let _ = writeln!(
            text,
            "{},{},443,{category},{kind},https://{host}/{path},{host},80,Sitelijst,meldingen@sitelijst.example",
            sighting.at, sighting.address
        );
    }
    File {
        name: format!("site-list-{date}.csv"),
        bytes: text.into_bytes(),
        received: day.plus(DAY + 7 * HOUR),
        door: Door::File,
        statements: seen.iter().map(|sighting| statement(sighting)).collect(),
        copy: false,
    }
}

/// One notifier still writes XARF's version 3.
fn old_xarf(world: &World) -> File {
    let at = world.start.plus(28 * ROUND + 5 * DAY + 3 * HOUR + 17 * SECOND);
    let address = world.handover.address;
    let text = format!(
        r#"{{"Version":"3","ReporterInfo":{{"ReporterOrg":"Oude Wacht","ReporterOrgDomain":"oudewacht.example","ReporterOrgEmail":"abuse@oudewacht.example"}},"Disclosure":true,"Report":{{"ReportClass":"Activity","ReportType":"PortScan","Date":"{at}","SourceIp":"{address}","SourcePort":40112,"DestinationIp":"203.0.113.99","DestinationPort":23,"FirstSeen":"{at}"}}}}"#
    );
    File {
        name: format!("oude-wacht-{}.json", date(at)),
        bytes: format!("{text}\n").into_bytes(),
        received: at.plus(HOUR),
        door: Door::File,
        statements: vec![Statement { fate: Fate::Report, kind: Kind::PortScan, at, address: Some(address), host: None }],
        copy: false,
    }
}
