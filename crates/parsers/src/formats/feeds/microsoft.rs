//! Microsoft's feeds: the Cyber Threat Intelligence Program (CTIP), by its interface and by Azure, and the malicious URLs of Bing.
//!
//! CTIP tells of machines that spoke to a sinkhole: the source is infected, the destination is Microsoft's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::category::Kind;
use model::time::Time;
use serde_json::{Map, Value};

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::{self, List, has_members};
use crate::kinds::objects::Objects;
use crate::kinds::rsit::{self, Class};
use crate::kinds::table::{Layout, Means, Row, Sender, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Microsoft's feeds.
pub const FORMAT: Format = Format {
    name: "microsoft",
    title: "Microsoft: CTIP (interface and Azure) and Bing's malicious URLs, JSON",
    senders: &["Microsoft Digital Crimes Unit", "microsoft.com"],
    fields: &[
        ("SourceIp, networksourceipv4, NetworkDestinationIPv4 (Bing)", "address"),
        ("SourcePort, networksourceport, NetworkDestinationPort (Bing)", "port"),
        ("DateTimeReceivedUtc, firstreporteddatetime, LastReportedDateTime (Bing)", "time"),
        ("ThreatCode, externalid", "malware_family"),
        ("DestinationIp, networkdestinationipv4", "destination_ip"),
        ("Url", "url"),
        ("TLP, tlplevel", "tlp"),
    ],
    proven: Proven::By("IntelMQ"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    lists::detect(prefix, which)
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    lists::read(reading, source, which)
}

fn which(bytes: &[u8], _: &str) -> Option<List> {
    let known: &[(&[&str], &'static Objects)] = &[
        (&["DataFeed", "SourcedFrom", "DateTimeReceivedUtc", "SourceIp"], &AZURE),
        (&["IndicatorThreatType", "NetworkDestinationIPv4", "Url"], &BING),
        (&["indicatorthreattype", "networksourceipv4"], &INTERFACE),
    ];
    known.iter().find(|(names, _)| has_members(bytes, names)).map(|(_, objects)| List::Objects(objects))
}

const PLAIN: Layout = Layout {
    sender: Sender { org: "Microsoft Digital Crimes Unit", contact: "", domain: "microsoft.com" },
    nothing: &["null", "0.0.0.0"],
    ..Layout::PLAIN
};

/// What Bing says is malicious need not be malware; Microsoft's own word stays beside it.
const MALICIOUS_URL: Class = rsit::BLACKLIST.as_kind(Kind::Malware);

static BING: Objects = Objects {
    layout: Layout {
        feed: "bing_malicious_urls",
        class: MALICIOUS_URL,
        columns: &[
            ("indicatorthreattype", Means::Text("rsit_identifier")),
            ("firstreporteddatetime", Means::FirstSeen(Written::Iso)),
            ("lastreporteddatetime", Means::LastSeen(Written::Iso)),
            ("networkdestinationipv4", Means::Address),
            ("networkdestinationport", Means::Port),
            ("networkdestinationasn", Means::Asn),
            ("url", Means::Url),
            ("description", Means::Text("description")),
            ("tlplevel", Means::Tlp),
            ("tags", Means::Keep),
        ],
        each: Some(bing),
        ..PLAIN
    },
    path: &[],
};

fn bing(row: &mut Row<'_>) -> Result<(), String> {
    if row.get("indicatorthreattype").eq_ignore_ascii_case(b"phishing") {
        row.class = rsit::PHISHING;
    }
    // The only tag is the country of the address.
    if let [a, b] = row.get("tags")
        && a.is_ascii_alphabetic()
        && b.is_ascii_alphabetic()
    {
        row.put("source_country", [a.to_ascii_uppercase(), b.to_ascii_uppercase()]);
    }
    Ok(())
}

static INTERFACE: Objects = Objects {
    layout: Layout {
        feed: "ctip",
        class: rsit::INFECTED_SYSTEM,
        columns: &[
            ("firstreporteddatetime", Means::Time(Written::Iso)),
            ("networksourceipv4", Means::Address),
            ("networksourceport", Means::Port),
            ("networksourceasn", Means::Asn),
            ("networkdestinationipv4", Means::DestinationIp),
            ("networkdestinationport", Means::DestinationPort),
            ("externalid", Means::Text("malware_family")),
            ("description", Means::Text("description")),
            ("confidence", Means::Confidence),
            ("tlplevel", Means::Tlp),
            ("useragent", Means::Text("user_agent")),
            ("indicatorthreattype", Means::Keep),
        ],
        each: Some(interface),
        ..PLAIN
    },
    path: &[],
};

fn interface(row: &mut Row<'_>) -> Result<(), String> {
    // Some rows name the sinkhole twice, apart by a comma.
    let destination = row.get_text("networkdestinationipv4");
    if let Some((first, rest)) = destination.split_once(", ")
        && rest.split(", ").all(|other| other == first)
    {
        row.put("destination_ip", first);
    }
    Ok(())
}

static AZURE: Objects = Objects {
    layout: Layout {
        class: rsit::INFECTED_SYSTEM,
        columns: &[
            ("datetimereceivedutc", Means::Time(Written::Like(windows_time))),
            ("datetimereceivedutctxt", Means::Skip),
            ("datafeed", Means::Text("feed")),
            ("sourcedfrom", Means::Text("description")),
            ("sourceip", Means::Address),
            ("sourceport", Means::Port),
            ("sourceipinfo.sourceipasnnumber", Means::Asn),
            ("sourceipinfo.sourceipcountrycode", Means::Country),
            ("destinationip", Means::DestinationIp),
            ("destinationport", Means::DestinationPort),
            ("threatcode", Means::Text("malware_family")),
            ("httpinfo.httpuseragent", Means::Text("user_agent")),
            ("tlp", Means::Tlp),
            ("threatconfidence", Means::Keep),
            ("payload", Means::Skip),
        ],
        each: Some(azure),
        ..PLAIN
    },
    path: &[],
};

fn azure(row: &mut Row<'_>) -> Result<(), String> {
    row.core.confidence = super::in_words(row.get("threatconfidence")).unwrap_or(row.core.confidence);
    // The older name of the label.
    if row.get("tlp").eq_ignore_ascii_case(b"yellow") {
        row.core.tlp = model::label::Tlp::Amber;
    }
    let feed = row.get_text("datafeed").to_ascii_lowercase();
    let last = feed.rsplit(['.', '-']).next().unwrap_or_default();
    row.class = match last {
        "c2" => rsit::C2_SERVER,
        "infected" | "iot" | "linux" => rsit::INFECTED_SYSTEM,
        _ if feed.contains("infected") => rsit::INFECTED_SYSTEM,
        _ => rsit::OTHER,
    };
    let payload = row.get("payload");
    if payload.is_empty() {
        return Ok(());
    }
    let bytes = STANDARD.decode(payload).unwrap_or_else(|_| payload.to_vec());
    let Ok(payload) = serde_json::from_slice::<Map<String, Value>>(&bytes) else {
        row.keep("Payload", bytes);
        return Ok(());
    };
    let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    if model::resource::DomainName::parse(text("domain")).is_some() {
        row.put("destination_domain", text("domain").to_ascii_lowercase());
    }
    if text("type").eq_ignore_ascii_case("http") {
        row.application = b"http".into();
    }
    row.keep("Payload", bytes);
    Ok(())
}

/// Tenths of microseconds since 1601, as Windows counts.
fn windows_time(text: &[u8]) -> Option<Time> {
    let ticks = std::str::from_utf8(text).ok()?.parse::<i64>().ok().filter(|ticks| *ticks > 0)?;
    let millis = (ticks / 10_000).checked_sub(11_644_473_600_000)?;
    Time::from_unix_seconds(millis.div_euclid(1_000)).map(|time| time.plus(millis.rem_euclid(1_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_windows() {
        for (text, expected) in [
            ("134170743671230000", Some("2026-03-04T05:06:07.123Z")),
            ("0", None),
            ("99999999999999999999", None),
            ("9223372036854775807", None),
            ("", None),
        ] {
            assert_eq!(windows_time(text.as_bytes()).map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }
}
